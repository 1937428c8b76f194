"""The durable queue between receiving and archiving: what it has taken survives kill -9 and power loss."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from archiver.errors import SpoolDamaged, SpoolError, SpoolFull, SpoolInUse
from archiver.model import Alive, Closed, Item, Message, Observed, Opened

log = logging.getLogger(__name__)

DEFAULT_LIMIT = 1 << 30
"""Most bytes that wait, by default."""
ITEM_BYTES = 128
"""What an item counts besides its payload, so that even messages without a byte come to an end of the room."""
_IN_MEMORY = 4 << 20
_SPARE_PAGES = 256
"""Free pages of the file that are kept for what comes next."""
_SIZE = f"SELECT sum(ifnull(length(payload), 0) + {ITEM_BYTES}) FROM spool"
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_CHUNK = 1000
_VALUES = "(?,?,?,?,?,?,?,?)"
_PRAGMAS = ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=FULL", "journal_size_limit=16777216")
_COLUMNS = "seq, kind, stream, session, dialect, at, payload, detail"
_TABLES = """
CREATE TABLE IF NOT EXISTS spool (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice, also after everything was discarded
    kind TEXT NOT NULL, stream TEXT NOT NULL, session TEXT NOT NULL, dialect TEXT, at INTEGER NOT NULL,
    payload BLOB, detail TEXT
);
CREATE TABLE IF NOT EXISTS spool_facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class Group(NamedTuple):
    """Items with consecutive numbers, from `first` on."""

    first: int
    items: Sequence[Item]
    size: int
    """Bytes, as the limit counts them."""

    @property
    def last(self) -> int:
        """The number of the last item."""
        return self.first + len(self.items) - 1


class Spool:
    """One SQLite file with one connection, for any number of threads of one process.

    Items are numbered without holes in the order of `append`. The newest also stay in memory, so that in steady state
    nothing is read back; whatever does not fit is read from the file. A damaged file is set aside, never deleted.

    Raises SpoolInUse when another process has the file, SpoolError when it cannot be used.
    """

    def __init__(self, path: Path, limit: int = DEFAULT_LIMIT) -> None:
        self.path = path
        self._limit = limit
        self._changed = threading.Condition()
        self._recent: deque[Group] = deque()
        self._recent_size = 0
        self._discard_to = 0
        self._lock_file = _lock(path)
        try:
            with self._translated():
                self._connection = self._open_sound()
                self.identity = self._identity()
                self._last = self._number("SELECT seq FROM sqlite_sequence WHERE name = 'spool'")
                self._kept_from = self._number("SELECT min(seq) FROM spool") or self._last + 1
                self._size = self._number(_SIZE)
        except BaseException:
            self._lock_file.close()
            raise

    def _open_sound(self) -> sqlite3.Connection:
        """Opens the file; one that is damaged makes way for a new one, for recording must go on."""
        connection = self._connect()
        try:
            problem = self._set_up(connection)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                connection.close()
                raise
            problem = str(error)
        if problem is not None:
            _set_aside(self.path, problem)
            connection.close()
            connection = self._connect()
            self._set_up(connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=10)
        with suppress(OSError):
            os.chmod(self.path, 0o600)
        return connection

    @staticmethod
    def _set_up(connection: sqlite3.Connection) -> str | None:
        """Makes the tables where there are none; returns what is wrong with the file, if anything is."""
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}").close()
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            return str(verdict)
        connection.executescript(_TABLES)
        return None

    def _identity(self) -> str:
        """Who the archive knows this spool as: made once, with the file."""
        self._connection.execute("INSERT OR IGNORE INTO spool_facts VALUES ('identity', ?)", (secrets.token_hex(16),))
        return str(self._connection.execute("SELECT value FROM spool_facts WHERE key = 'identity'").fetchone()[0])

    def _number(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        return int(row[0] or 0) if row else 0

    @property
    def last(self) -> int:
        """The number of the newest item ever taken; 0 before the first."""
        return self._last

    @property
    def size(self) -> int:
        """Bytes that wait, or are archived and not yet deleted."""
        return self._size

    def append(self, items: Sequence[Item], *, beyond_limit: bool = False) -> int:
        """Makes items durable with one commit; returns the number of the last.

        Raises SpoolFull when the messages would exceed the limit (sessions are always taken, and whatever comes while
        nothing waits), SpoolError when the disk refuses; then none of the items was taken.
        """
        if not items:
            return self._last
        payloads = [len(item.payload) for item in items if type(item) is Message or type(item) is Observed]
        size = sum(payloads) + ITEM_BYTES * len(items)
        with self._changed, self._translated():
            if payloads and not beyond_limit:
                self._require_room(size)
            first = self._last + 1
            rows = list(map(_row, count(first), items))
            resume = {item.stream: item.resume for item in items if type(item) is Message and item.resume is not None}
            with self._transaction() as connection:
                self._insert(rows)
                freed = self._delete()
                if resume:
                    facts = [(f"resume {stream}", text) for stream, text in resume.items()]
                    connection.executemany("INSERT OR REPLACE INTO spool_facts VALUES (?, ?)", facts)
            self._deleted(freed)
            self._last += len(items)
            self._size += size
            self._remember(Group(first, items, size))
            self._changed.notify_all()
            return self._last

    def _require_room(self, size: int) -> None:
        if self._size + size > self._limit:
            self.tidy()  # what is archived counts until it is deleted
            if self._size and self._size + size > self._limit:
                raise SpoolFull(path=self.path, reason=f"it may hold {self._limit} bytes")

    def _insert(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Many rows a statement: the driver then lets other threads run once for all of them, not once a row."""
        start = 0
        while len(rows) - start >= _CHUNK:
            part = tuple(chain.from_iterable(rows[start : start + _CHUNK]))
            self._connection.execute(f"INSERT INTO spool ({_COLUMNS}) VALUES {','.join([_VALUES] * _CHUNK)}", part)
            start += _CHUNK
        self._connection.executemany(f"INSERT INTO spool ({_COLUMNS}) VALUES {_VALUES}", rows[start:])

    def _remember(self, group: Group) -> None:
        """Keeps a group in memory while there is room; what is left out is read from the file when its turn comes."""
        if self._recent_size + group.size <= _IN_MEMORY:
            self._recent.append(group)
            self._recent_size += group.size

    def take(self, after: int, most: int, most_bytes: int, timeout: float = 0) -> Group | None:
        """Items that follow number `after`, as many as fit; None when there are none within `timeout` seconds.

        Nothing is removed: the same items can be taken again until they are discarded. An archive that knows less than
        was discarded, such as a new one, gets what is left.
        """
        with self._changed:
            after = max(after, self._kept_from - 1)
            if self._last <= after:
                self._changed.wait(timeout)
            if self._last <= after:
                return None
            while self._recent and self._recent[0].last <= after:
                self._recent_size -= self._recent.popleft().size
            if self._recent and self._recent[0].first <= after + 1:
                return self._from_memory(after, most, most_bytes)
            until = self._recent[0].first - 1 if self._recent else self._last
            with self._translated():
                return self._from_file(after, until, most, most_bytes)

    def _from_memory(self, after: int, most: int, most_bytes: int) -> Group:
        items: list[Item] = []
        size = 0
        for group in self._recent:
            if items and (group.first != after + 1 + len(items) or size + group.size > most_bytes):
                break
            items += group.items[after + 1 + len(items) - group.first :]
            size += group.size
            if len(items) >= most:
                break
        return Group(after + 1, items[:most], size)

    def _from_file(self, after: int, until: int, most: int, most_bytes: int) -> Group:
        query = f"SELECT {_COLUMNS} FROM spool WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
        items: list[Item] = []
        first = size = 0
        cursor = self._connection.execute(query, (after, until, most))
        for seq, *row in cursor:
            first = first or seq
            items.append(_item(*row))
            size += len(row[5] or b"") + ITEM_BYTES
            if size >= most_bytes:
                break
        cursor.close()
        if not items:
            raise SpoolError(path=self.path, reason=f"items {after + 1} to {until} are not there any more")
        return Group(first, items, size)

    def discard(self, upto: int) -> None:
        """Gives up the items up to a number, which the archive has committed; the next `append` deletes them."""
        with self._changed:
            self._discard_to = max(self._discard_to, min(upto, self._last))

    def tidy(self) -> None:
        """Deletes at once what was given up, and gives its room back to the disk."""
        with self._changed, self._translated():
            if self._discard_to >= self._kept_from:
                with self._transaction():
                    freed = self._delete()
                self._deleted(freed)
            if self._number("PRAGMA freelist_count") > _SPARE_PAGES:
                # Only a script is stepped to its end: execute() would free a single page. The checkpoint cuts the file.
                self._connection.executescript("PRAGMA incremental_vacuum(2000); PRAGMA wal_checkpoint(PASSIVE)")

    def _delete(self) -> int:
        """Part of a transaction that is there anyway, so that it costs no commit of its own; returns what it frees."""
        if self._discard_to < self._kept_from:
            return 0
        which = (self._kept_from, self._discard_to)
        freed = self._connection.execute(f"{_SIZE} WHERE seq BETWEEN ? AND ?", which).fetchone()[0]
        self._connection.execute("DELETE FROM spool WHERE seq BETWEEN ? AND ?", which)
        return freed or 0

    def _deleted(self, freed: int) -> None:
        """Takes note of what `_delete` did, once that is committed."""
        self._size -= freed
        self._kept_from = max(self._kept_from, self._discard_to + 1)

    def resume_point(self, stream: str) -> str | None:
        """Where the newest message of a stream said to read on (`Message.resume`)."""
        with self._changed, self._translated():
            query = "SELECT value FROM spool_facts WHERE key = ?"
            row = self._connection.execute(query, (f"resume {stream}",)).fetchone()
            return None if row is None else str(row[0])

    def close(self) -> None:
        """Closes the file; everything in it stays."""
        with self._changed:
            self._connection.close()
            self._lock_file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            kind = SpoolDamaged if _is_damage(error) else SpoolError
            raise kind(path=self.path, reason=str(error)) from error


def _row(number: int, item: Item) -> tuple[Any, ...]:
    if type(item) is Message:
        stream, session, dialect, received_at, payload, _, refused = item
        kind = "message" if refused is None else "refused"
        return (number, kind, stream, session, dialect, received_at, payload, refused)
    if type(item) is Alive:
        return (number, "alive", item.stream, item.session, None, item.at, None, None)
    if type(item) is Opened:
        return (number, "opened", item.stream, item.session, item.dialect, item.at, None, str(item.covered_from))
    if type(item) is Closed:
        return (number, "closed", item.stream, item.session, None, item.at, None, item.reason)
    assert type(item) is Observed
    return (number, "observed", item.stream, item.session, item.dialect, item.at, item.payload, None)


def _item(kind: str, stream: str, session: str, dialect: Any, at: int, payload: bytes, detail: str) -> Item:
    if kind in {"message", "refused"}:
        return Message(stream, session, dialect, at, payload, None, detail)
    if kind == "alive":
        return Alive(stream, session, at)
    if kind == "opened":
        return Opened(stream, session, dialect, at, int(detail))
    if kind == "closed":
        return Closed(stream, session, at, detail)
    return Observed(stream, session, dialect, at, payload)


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def _set_aside(path: Path, problem: str) -> None:
    """Renames a damaged file and what belongs to it, with every byte, for whoever wants to look into it."""
    aside = f"{path}.corrupt-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    for tail in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.rename(f"{path}{tail}", f"{aside}{tail}")
    told = "a new one is begun, what was not yet archived is in the old one only"
    log.error("the spool at %s is damaged (%s) and set aside as %s; %s", path, problem, aside, told)


def _lock(path: Path) -> IO[str]:
    """Makes sure that one process at a time has the spool; held as long as the file returned is open."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open(f"{path}-lock", "a+")  # noqa: SIM115 - held open on purpose
    except OSError as error:
        raise SpoolError(path=path, reason=error.strerror or str(error)) from error
    deadline = time.monotonic() + 1
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            lock.seek(0)
            owner = lock.read(20).strip() or "unknown"
            lock.close()
            raise SpoolInUse(path=path, reason=f"process {owner} has it") from error
        break
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    return lock

"""The spool on disk: one SQLite file that one process holds, with a row for every item."""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path
from typing import Any

from archiver.codec.forgetting import Pattern
from archiver.errors import SpoolDamaged, SpoolError, SpoolInUse
from archiver.lockfile import LockFile, LockHeld
from archiver.model import Alive, Closed, Condition, Item, Message, Observed, Opened, kind_of_end
from archiver.private import make_file
from archiver.storage.database.foreign import tables_in

log = logging.getLogger(__name__)

COLUMNS = "seq, kind, stream, session, dialect, at, payload, detail"
"""What `insert` writes; all but the first are what `to_item` takes."""
_VALUES = "(?,?,?,?,?,?,?,?)"
_CLOSED, _CONDITION = "closed:", "condition:"
"""What a row is, before the kind of end and before what the condition is of."""
_CHUNK = 1000
_PAGE_OF_ITEMS = "SELECT seq, payload, detail FROM spool WHERE seq > ? ORDER BY seq LIMIT 100"
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
"""What a full disk looks like, depending on which file could not grow; other faults of a disk look like it, too."""
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_LOCK_SECONDS = 1
"""How long a process that is about to end is waited for."""
_PRAGMAS = (
    "auto_vacuum=INCREMENTAL",
    "journal_mode=WAL",
    "synchronous=FULL",
    "journal_size_limit=16777216",
    "cache_size=-256",  # what is written is seldom read again, and then in a row
)
_TABLES = """
CREATE TABLE IF NOT EXISTS spool (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice, also after everything was discarded
    kind TEXT NOT NULL, stream TEXT NOT NULL, session TEXT NOT NULL, dialect TEXT, at INTEGER NOT NULL,
    payload BLOB, detail TEXT
);
CREATE TABLE IF NOT EXISTS spool_facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


# --- the file ---------------------------------------------------------------------------------------------------------


def lock(path: Path) -> LockFile:
    """Makes sure that one process at a time has the spool, until the lock is closed.

    Raises SpoolInUse when another process has it, SpoolError when the folder cannot be written or the file is another
    program's, into which nothing is written.
    """
    if os.path.isdir(path):
        raise SpoolError(path=path, reason="it is a folder; name a file in it, as in FOLDER/spool.db")
    if os.path.exists(path) and not os.path.isfile(path):
        raise SpoolError(path=path, reason="it is no file, but a pipe or a device")
    with suppress(sqlite3.Error, OSError):  # damage has an end of its own
        there = tables_in(path)
        if there and "spool" not in there:
            reason = f"it has {', '.join(sorted(there)[:3])}, and is no spool; give the spool its own file with --spool"
            raise SpoolError(path=path, reason=reason)
    try:
        return LockFile(path, _LOCK_SECONDS)
    except LockHeld as error:
        raise SpoolInUse(path=path, reason=str(error)) from error
    except OSError as error:
        raise SpoolError(path=path, reason=error.strerror or str(error)) from error


def open_sound(path: Path) -> sqlite3.Connection:
    """Opens the file; one that is damaged makes way for a new one, for recording must go on. Raises sqlite3.Error."""
    connection = _connect(path)
    try:
        problem = _set_up(connection)
    except sqlite3.DatabaseError as error:
        if not _is_damage(error):
            connection.close()
            raise
        problem = str(error)
    if problem is not None:
        _set_aside(path, problem)
        connection.close()
        connection = _connect(path)
        _set_up(connection)
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    with suppress(OSError):  # SQLite says what it is
        make_file(path)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    with suppress(OSError):
        os.chmod(path, 0o600)
    return connection


def _set_up(connection: sqlite3.Connection) -> str | None:
    """Makes the tables where there are none; returns what is wrong with the file, if anything is."""
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        return str(verdict)
    connection.executescript(_TABLES)
    return None


def _set_aside(path: Path, problem: str) -> None:
    """Renames a damaged file and what belongs to it, with every byte, for whoever wants to look into it."""
    aside = f"{path}.corrupt-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    for tail in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.rename(f"{path}{tail}", f"{aside}{tail}")
    told = "a new one is begun, what was not yet archived is in the old one only"
    log.error("the spool at %s is damaged (%s) and set aside as %s; %s", path, problem, aside, told)


def identity(connection: sqlite3.Connection) -> str:
    """Who the archive knows this spool as: made once, with the file."""
    connection.execute("INSERT OR IGNORE INTO spool_facts VALUES ('identity', ?)", (secrets.token_hex(16),))
    return str(connection.execute("SELECT value FROM spool_facts WHERE key = 'identity'").fetchone()[0])


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Everything within is committed at its end, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into SpoolDamaged and SpoolError, with their cause."""
    try:
        yield
    except sqlite3.Error as error:
        kind = SpoolDamaged if _is_damage(error) else SpoolError
        raise kind(path=path, reason=str(error)) from error


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def may_be_full(error: sqlite3.Error) -> bool:
    """Whether more room on the disk might help."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM


# --- the rows ---------------------------------------------------------------------------------------------------------


def insert(connection: sqlite3.Connection, first: int, items: Sequence[Item]) -> None:
    """Writes items, numbered from `first` on.

    Many rows a statement: the driver then lets other threads run once for all of them, not once a row.
    """
    rows = list(map(_row, count(first), items))
    start = 0
    while len(rows) - start >= _CHUNK:
        part = tuple(chain.from_iterable(rows[start : start + _CHUNK]))
        connection.execute(f"INSERT INTO spool ({COLUMNS}) VALUES {','.join([_VALUES] * _CHUNK)}", part)
        start += _CHUNK
    connection.executemany(f"INSERT INTO spool ({COLUMNS}) VALUES {_VALUES}", rows[start:])


def renumber(connection: sqlite3.Connection, after: int, by: int, last: int) -> None:
    """Raises the numbers of all items after one; `last` is then the newest. Within a transaction."""
    # By way of negative numbers, so that none is given twice while some still have their old ones.
    connection.execute("UPDATE spool SET seq = -(seq + ?) WHERE seq > ?", (by, after))
    connection.execute("UPDATE spool SET seq = -seq WHERE seq < 0")
    connection.execute("DELETE FROM sqlite_sequence WHERE name = 'spool'")
    connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('spool', ?)", (last,))


def forgotten(connection: sqlite3.Connection, pattern: Pattern) -> int:
    """Takes what fits out of every item, and out of what is noted of the streams; in how many rows it stood."""
    rows = 0
    with transaction(connection):
        connection.execute("PRAGMA secure_delete=ON").close()
        after = 0
        while page := connection.execute(_PAGE_OF_ITEMS, (after,)).fetchall():
            for seq, payload, detail in page:
                data, times = pattern.in_bytes(payload or b"")
                text, more = pattern.in_value(detail or "")
                if times or more:
                    values = (data if times else payload, text if more else detail, seq)
                    connection.execute("UPDATE spool SET payload = ?, detail = ? WHERE seq = ?", values)
                    rows += 1
                after = seq
        for key, value in connection.execute("SELECT key, value FROM spool_facts WHERE key <> 'identity'").fetchall():
            text, times = pattern.in_value(value)
            if times:
                connection.execute("UPDATE spool_facts SET value = ? WHERE key = ?", (text, key))
                rows += 1
    return rows


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
        return (number, f"{_CLOSED}{item.kind}", item.stream, item.session, None, item.at, None, item.reason)
    if type(item) is Condition:
        return (number, f"{_CONDITION}{item.of}", item.stream, "", item.dialect, item.at, None, item.value)
    assert type(item) is Observed
    return (number, "observed", item.stream, item.session, item.dialect, item.at, item.payload, None)


def to_item(kind: str, stream: str, session: str, dialect: Any, at: int, payload: bytes, detail: str) -> Item:
    """The item in a row, its number left out."""
    if kind in {"message", "refused"}:
        return Message(stream, session, dialect, at, payload, None, detail)
    if kind == "alive":
        return Alive(stream, session, at)
    if kind == "opened":
        return Opened(stream, session, dialect, at, int(detail))
    if kind.startswith(_CLOSED):
        return Closed(stream, session, at, detail, kind.removeprefix(_CLOSED))  # type: ignore[arg-type]
    if kind == "closed":  # a spool of 0.1.0 has the sentence only
        return Closed(stream, session, at, detail, kind_of_end(detail))
    if kind.startswith(_CONDITION):
        return Condition(stream, dialect, at, kind.removeprefix(_CONDITION), detail)  # type: ignore[arg-type]
    return Observed(stream, session, dialect, at, payload)

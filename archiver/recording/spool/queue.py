"""The durable queue between receiving and archiving: what it has taken survives kill -9 and power loss."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from archiver.codec.forgetting import Pattern
from archiver.errors import SpoolError, SpoolFull
from archiver.model import Item, Message, Micros, Observed, Opened, now_micros
from archiver.recording.spool.anew import Places, written_anew
from archiver.recording.spool.file import (
    COLUMNS,
    forgotten,
    identity,
    insert,
    may_be_full,
    open_sound,
    renumber,
    to_item,
    transaction,
    translated,
)
from archiver.recording.spool.holder import Holder
from archiver.recording.spool.reserve import RESERVE, Reserve

_T = TypeVar("_T")
DEFAULT_LIMIT = 1 << 30
"""Most bytes that wait, by default."""
ITEM_BYTES = 128
"""What an item counts besides its payload, so that even messages without a byte come to an end of the room."""
IN_MEMORY = 1 << 20
"""Most bytes of the newest items that are kept in memory as well, by default."""
_UNCOMPARED = "uncompared since"
_SPARE_PAGES = 256
"""Free pages of the file that are kept for what comes next."""
_PART = 1 << 20
"""Bytes of items that are deleted at once on a full disk, or one item: all their pages may be written."""
_PAGES = 400
"""Pages that are then given back to the disk at once, for the same reason."""
_SIZE = f"SELECT sum(ifnull(length(payload), 0) + {ITEM_BYTES}) FROM spool"

_BEGUN = (
    "SELECT stream, session, max(dialect), sum(kind = 'opened'),"
    " min(CASE WHEN kind IN ('message', 'refused', 'alive', 'opened') THEN at END)"
    " FROM spool WHERE seq > ? GROUP BY stream, session"
)
"""What was asked, or found out, may be of before: it shows nobody that the stream was heard since."""


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

    def __init__(
        self, path: Path, limit: int = DEFAULT_LIMIT, in_memory: int = IN_MEMORY, reserve: int = RESERVE
    ) -> None:
        self.path = path
        self._limit = limit
        self._in_memory = in_memory
        # Whoever takes both takes the one of the file first; what is in memory waits for no disk.
        self._using_file = threading.RLock()
        self._changed = threading.Condition()
        self._recent: deque[Group] = deque()
        self._recent_size = 0
        self._discard_to = 0
        self._woken = False
        self._reserve = Reserve(path, reserve)
        self.holder = Holder(path)
        try:
            with translated(path):
                self._connection, self.identity = self._with_reserve(self._opened)
                self._places = Places.of(path)
                self._last = self._number("SELECT seq FROM sqlite_sequence WHERE name = 'spool'")
                self._kept_from = self._number("SELECT min(seq) FROM spool") or self._last + 1
                self._size = self._number(_SIZE)
                since = self._fact(_UNCOMPARED)
                # Items up to here have the numbers that the archive may know; those after it nobody has compared yet.
                self._compared: int | None = self._last if since is None else int(since)
            self._reserve.hold()
        except BaseException:
            self.holder.close()
            raise

    def _opened(self) -> tuple[sqlite3.Connection, str]:
        connection = open_sound(self.path)
        try:
            return connection, identity(connection)
        except BaseException:
            connection.close()
            raise

    def _with_reserve(self, action: Callable[[], _T]) -> _T:
        """Does what makes room, or has to be before that can; on a full disk in the room that is kept for it."""
        try:
            return action()
        except sqlite3.Error as error:
            if not may_be_full(error) or not self._reserve.give_up():
                raise
            try:
                return action()
            finally:
                self._reserve.hold()

    def _number(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        return int(row[0] or 0) if row else 0

    def _fact(self, key: str) -> str | None:
        row = self._connection.execute("SELECT value FROM spool_facts WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

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

        What comes `beyond_limit` is the last: it may have the room that is kept for emptying the spool, too.
        Raises SpoolFull when the messages would exceed the limit (sessions are always taken, and whatever comes while
        nothing waits), SpoolError when the disk refuses; then none of the items was taken.
        """
        if not items:
            return self._last
        payloads = [len(item.payload) for item in items if type(item) is Message or type(item) is Observed]
        size = sum(payloads) + ITEM_BYTES * len(items)
        with self._using_file, translated(self.path):
            self._require_file()
            if payloads and not beyond_limit:
                self._require_room(size)
            upto = self._discard_to
            write = partial(self._write, self._last + 1, items, upto)
            # The last comes in several groups, and others may take what the first of them has left of the disk.
            may_borrow = beyond_limit and self._reserve.lends(size)
            freed = self._with_reserve(write) if may_borrow else write()
            with self._changed:
                self._deleted(freed, upto)
                self._size += size
                self._remember(Group(self._last + 1, items, size))
                self._last += len(items)
                self._changed.notify_all()
                return self._last

    def _write(self, first: int, items: Sequence[Item], upto: int) -> int:
        """One commit: items, where their streams go on, and the deletion up to a number; the bytes it frees."""
        resume = {item.stream: item.resume for item in items if type(item) is Message and item.resume is not None}
        with transaction(self._connection) as connection:
            insert(connection, first, items)
            freed = self._delete(upto)
            if self._compared is not None:
                said = (_UNCOMPARED, str(self._compared))
                connection.execute("INSERT OR IGNORE INTO spool_facts VALUES (?, ?)", said)
            if resume:
                facts = [(f"resume {stream}", text) for stream, text in resume.items()]
                connection.executemany("INSERT OR REPLACE INTO spool_facts VALUES (?, ?)", facts)
        return freed

    def _require_file(self) -> None:
        """What is written to a file that has lost its name, or to such a log, is found by nobody after this process.

        What is another process's by now is left alone.
        """
        if self._places.is_lost(self.path) and not self.holder.is_replaced():
            try:
                self._connection = written_anew(self.path, self._connection, self._places)
            except OSError as error:
                reason = f"it was deleted or replaced, and cannot be written anew: {error.strerror or error}"
                raise SpoolError(path=self.path, reason=reason) from error
            self._places = Places.of(self.path)

    def _require_room(self, size: int) -> None:
        if self._size + size > self._limit:
            self.tidy()  # what is archived counts until it is deleted
            if self._size and self._size + size > self._limit:
                raise SpoolFull(path=self.path, reason=f"it may hold {self._limit} bytes")

    def _remember(self, group: Group) -> None:
        """Keeps a group in memory while there is room; what is left out is read from the file when its turn comes."""
        if self._recent_size + group.size <= self._in_memory:
            self._recent.append(group)
            self._recent_size += group.size

    def take(self, after: int, most: int, most_bytes: int, timeout: float = 0) -> Group | None:
        """Items that follow number `after`, as many as fit; None when there are none within `timeout` seconds.

        Nothing is removed: the same items can be taken again until they are discarded. An archive that knows less than
        was discarded, such as a new one, gets what is left.
        """
        with self._changed:
            after = max(after, self._kept_from - 1)
            if self._last <= after and timeout and not self._woken:
                self._changed.wait(timeout)
            self._woken = False
            if self._last <= after:
                return None
            while self._recent and self._recent[0].last <= after:
                self._recent_size -= self._recent.popleft().size
            if self._recent and self._recent[0].first <= after + 1:
                return self._from_memory(after, most, most_bytes)
            until = self._recent[0].first - 1 if self._recent else self._last
        with self._using_file, translated(self.path):
            return self._from_file(after, until, most, most_bytes)

    def wake(self) -> None:
        """Has whoever waits for items, or is about to, look up without any."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

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
        query = f"SELECT {COLUMNS} FROM spool WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
        items: list[Item] = []
        first = size = 0
        cursor = self._connection.execute(query, (after, until, most))
        for seq, *row in cursor:
            first = first or seq
            items.append(to_item(*row))
            size += len(row[5] or b"") + ITEM_BYTES
            if size >= most_bytes:
                break
        cursor.close()
        if not items:
            raise SpoolError(path=self.path, reason=f"items {after + 1} to {until} are not there any more")
        return Group(first, items, size)

    def number_above(self, position: int) -> int:
        """Numbers what is new above the archive's position; to be called once that is known, before anything is taken.

        An archive that has more than this file ever held knows a later state of it: the file is an older copy. What was
        appended since then has numbers that once were those of other items, which the archive would take for its own.
        Of a copy made before its archive was ever asked, the old items come again too: twice is better than never.
        Returns how many numbers were skipped, 0 nearly always. Raises SpoolError when the disk refuses.
        """
        with self._using_file, translated(self.path):
            if self._compared is None:
                return 0
            compared, skipped = self._compared, max(0, position - self._compared)

            def compare() -> None:
                with transaction(self._connection) as connection:
                    if skipped:
                        renumber(connection, compared, skipped, self._last + skipped)
                    connection.execute("DELETE FROM spool_facts WHERE key = ?", (_UNCOMPARED,))

            self._with_reserve(compare)
            self._compared = None
            with self._changed:
                self._last += skipped
                self._recent = deque(group._replace(first=group.first + skipped) for group in self._recent)
                self._kept_from = self._number("SELECT min(seq) FROM spool") or self._last + 1
            return skipped

    @property
    def given_up(self) -> int:
        """Up to which number nothing can be had any more."""
        return self._kept_from - 1

    def begun_before(self, upto: int) -> tuple[Micros, list[Opened]]:
        """From when on all is heard after a number, and the sessions whose opening is not among what came since.

        Each is opened with the first that is left of it. Raises SpoolError.
        """
        with self._using_file, translated(self.path), closing(self._connection.execute(_BEGUN, (upto,))) as rows:
            found = list(rows)
        now = now_micros()
        begun = [
            Opened(stream, session, dialect, at or now, at or now)
            for stream, session, dialect, is_opened, at in found
            if dialect and not is_opened
        ]
        return min((at for *_, at in found if at is not None), default=now), begun

    def renew_identity(self) -> str:
        """Makes this a spool that no archive knows, with all that waits in it; returns who it is. Raises SpoolError."""
        new = secrets.token_hex(16)
        with self._using_file, translated(self.path):

            def write() -> None:
                with transaction(self._connection) as connection:
                    connection.execute("UPDATE spool_facts SET value = ? WHERE key = 'identity'", (new,))

            self._with_reserve(write)
            self.identity = new
        return new

    def release(self, upto: int) -> None:
        """Gives up the items up to a number, which the archive has committed; the next `append` deletes them."""
        with self._changed:
            self._discard_to = max(self._discard_to, min(upto, self._last))

    def tidy(self) -> None:
        """Deletes at once what was given up, and gives its room back to the disk."""
        with self._using_file, translated(self.path):
            self._require_file()
            try:
                if (upto := self._discard_to) >= self._kept_from:
                    with transaction(self._connection):
                        freed = self._delete(upto)
                    self._deleted(freed, upto)
                if self._number("PRAGMA freelist_count") > _SPARE_PAGES:
                    self._shrink(2000)
            except sqlite3.Error as error:
                if not may_be_full(error) or not self._reserve.give_up():
                    raise
                self._tidy_in_parts()
            finally:
                self._reserve.hold()

    def _tidy_in_parts(self) -> None:
        """The same on a full disk, in steps that are small enough for the room which the reserve gave back."""
        upto = self._discard_to
        self._checkpoint()
        while self._kept_from <= upto:
            part = self._part_until(upto)
            with transaction(self._connection):
                freed = self._delete(part)
            self._deleted(freed, part)
            self._checkpoint()
        before = self._number("PRAGMA freelist_count") + 1
        while _SPARE_PAGES < (free := self._number("PRAGMA freelist_count")) < before:
            before = free
            self._shrink(_PAGES)
            self._checkpoint()

    def _part_until(self, upto: int) -> int:
        """The last of the oldest items that are deleted at once, at most `upto`."""
        sizes = f"SELECT seq, ifnull(length(payload), 0) + {ITEM_BYTES} FROM spool WHERE seq <= ? ORDER BY seq"
        size, last = 0, self._kept_from - 1
        with closing(self._connection.execute(sizes, (upto,))) as rows:
            for seq, bytes_ in rows:
                size += bytes_
                if size > _PART and last >= self._kept_from:
                    return last
                last = int(seq)
        return upto

    def _shrink(self, pages: int) -> None:
        # Only a script is stepped to its end: execute() would free a single page. The checkpoint cuts the file.
        self._connection.executescript(f"PRAGMA incremental_vacuum({pages}); PRAGMA wal_checkpoint(PASSIVE)")

    def _checkpoint(self) -> None:
        """Empties the log, so that what comes next needs no more room than it; a reader may be in the way."""
        with suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def _delete(self, upto: int) -> int:
        """Part of a transaction that is there anyway, so that it costs no commit of its own; returns what it frees."""
        if upto < self._kept_from:
            return 0
        which = (self._kept_from, upto)
        freed = self._connection.execute(f"{_SIZE} WHERE seq BETWEEN ? AND ?", which).fetchone()[0]
        self._connection.execute("DELETE FROM spool WHERE seq BETWEEN ? AND ?", which)
        return freed or 0

    def _deleted(self, freed: int, upto: int) -> None:
        """Takes note of what `_delete` did, once that is committed."""
        with self._changed:
            self._size -= freed
            self._kept_from = max(self._kept_from, upto + 1)

    def resume_point(self, stream: str) -> str | None:
        """Where the newest message of a stream said to read on (`Message.resume`)."""
        with self._using_file, translated(self.path):
            return self._fact(f"resume {stream}")

    def note(self, stream: str, text: str) -> None:
        """Keeps what a source wants to know of its stream at the next start."""
        with self._using_file, translated(self.path), transaction(self._connection) as connection:
            connection.execute("INSERT OR REPLACE INTO spool_facts VALUES (?, ?)", (f"note {stream}", text))

    def noted(self, stream: str) -> str | None:
        """What was noted last of a stream."""
        with self._using_file, translated(self.path):
            return self._fact(f"note {stream}")

    def forget(self, pattern: Pattern) -> int:
        """Takes what fits out of all that waits, and out of the file: in how many items it stood. Raises SpoolError."""
        with self._using_file, translated(self.path):
            self._require_file()
            touched = self._with_reserve(partial(forgotten, self._connection, pattern))
            with self._changed:
                self._recent.clear()  # they are read from the file again
                self._recent_size = 0
            return touched

    def write_anew(self) -> bool:
        """Writes the file anew, without what was deleted from it; False where a reader is in the way."""
        self.tidy()
        with self._using_file, translated(self.path):
            self._connection.execute("PRAGMA secure_delete=ON").close()
            self._connection.execute("VACUUM").close()
            self._connection.execute("PRAGMA busy_timeout=200").close()
            blocked, _, _ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._connection.execute("PRAGMA busy_timeout=10000").close()
            self._connection.execute("PRAGMA secure_delete=OFF").close()
            return not blocked

    def close(self) -> None:
        """Closes the file; everything in it stays."""
        with self._using_file:
            self._connection.close()
            self.holder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

"""The durable queue between receiving and archiving: what it has taken survives kill -9 and power loss."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from archiver.codec.forgetting import Pattern
from archiver.errors import SpoolError, SpoolFull
from archiver.model import Item, Message, Micros, Observed, Opened
from archiver.recording.spool import room
from archiver.recording.spool.anew import Places, written_anew
from archiver.recording.spool.file import (
    forgotten,
    identity,
    insert,
    may_be_full,
    open_sound,
    renumber,
    transaction,
    translated,
)
from archiver.recording.spool.holder import Holder
from archiver.recording.spool.kept import begun_before, read_back
from archiver.recording.spool.recent import Group, Recent
from archiver.recording.spool.reserve import Reserve
from archiver.recording.spool.room import ITEM_BYTES, SIZE

_T = TypeVar("_T")
DEFAULT_LIMIT = 1 << 30
"""Most bytes that wait, by default."""
IN_MEMORY = 1 << 20
"""Most bytes of the newest items that are kept in memory as well, by default."""
_UNCOMPARED = "uncompared since"


class Spool:
    """One SQLite file with one connection, for any number of threads of one process.

    Items are numbered without holes in the order of `append`. The newest also stay in memory, so that in steady state
    nothing is read back; whatever does not fit is read from the file. A damaged file is set aside, never deleted.

    Raises SpoolInUse when another process has the file, SpoolError when it cannot be used.
    """

    def __init__(self, path: Path, limit: int = DEFAULT_LIMIT, in_memory: int = IN_MEMORY) -> None:
        self.path = path
        self._limit = limit
        # Whoever takes both takes the one of the file first; what is in memory waits for no disk.
        self._using_file = threading.RLock()
        self._changed = threading.Condition()
        self._recent = Recent(in_memory)
        self._discard_to = 0
        self._woken = False
        self._reserve = Reserve(path)
        self.holder = Holder(path)
        try:
            with translated(path):
                self._connection, self.identity = self._with_reserve(self._opened)
                self._places = Places.of(path)
                self._last = self._number("SELECT seq FROM sqlite_sequence WHERE name = 'spool'")
                self._kept_from = self._number("SELECT min(seq) FROM spool") or self._last + 1
                self._size = self._number(SIZE)
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
                self._recent.remember(Group(self._last + 1, items, size))
                self._last += len(items)
                self._changed.notify_all()
                return self._last

    def _write(self, first: int, items: Sequence[Item], upto: int) -> int:
        """One commit: items, where their streams go on, and the deletion up to a number; the bytes it frees."""
        resume = {item.stream: item.resume for item in items if type(item) is Message and item.resume is not None}
        with transaction(self._connection) as connection:
            insert(connection, first, items)
            freed = room.deleted(connection, self._kept_from, upto)
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
            first = self._recent.first_after(after)
            if first is not None and first <= after + 1:
                return self._recent.take(after, most, most_bytes)
            until = self._last if first is None else first - 1
        with self._using_file, translated(self.path):
            group = read_back(self._connection, after, until, most, most_bytes)
        if group is None:
            raise SpoolError(path=self.path, reason=f"items {after + 1} to {until} are not there any more")
        return group

    def wake(self) -> None:
        """Has whoever waits for items, or is about to, look up without any."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

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
                self._recent.renumber(skipped)
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
        with self._using_file, translated(self.path):
            return begun_before(self._connection, upto)

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
                    self._delete(upto)
                if room.free_pages(self._connection) > room.SPARE_PAGES:
                    room.shrink(self._connection, room.MANY_PAGES)
            except sqlite3.Error as error:
                if not may_be_full(error) or not self._reserve.give_up():
                    raise
                self._tidy_in_parts()
            finally:
                self._reserve.hold()

    def _tidy_in_parts(self) -> None:
        """The same on a full disk, in steps that are small enough for the room which the reserve gave back."""
        upto = self._discard_to
        room.empty_log(self._connection)
        while self._kept_from <= upto:
            self._delete(room.part_until(self._connection, self._kept_from, upto))
            room.empty_log(self._connection)
        room.shrink_in_parts(self._connection)

    def _delete(self, upto: int) -> None:
        with transaction(self._connection):
            freed = room.deleted(self._connection, self._kept_from, upto)
        self._deleted(freed, upto)

    def _deleted(self, freed: int, upto: int) -> None:
        """Takes note of what was deleted, once that is committed."""
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
                self._recent.forget()  # they are read from the file again
            return touched

    def write_anew(self) -> bool:
        """Writes the file anew, without what was deleted from it; False where a reader is in the way."""
        self.tidy()
        with self._using_file, translated(self.path):
            return room.written_without_rest(self._connection)

    def close(self) -> None:
        """Closes the file; everything in it stays."""
        with self._using_file:
            self._connection.close()
            self.holder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

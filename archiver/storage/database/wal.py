"""Makes sure that a SQLite archive's write-ahead log belongs to the file beside it, before anything opens the two.

SQLite itself cannot tell: a backup moved or copied into the place of an archive is opened with the old file's log,
whose pages are then written into it. So every checkpoint leaves a new mark in the file (`user_version`, in its header)
and notes it in the lock file: a log is trusted beside the file whose mark was noted last, and set aside beside others.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from glob import escape
from pathlib import Path

from sqlalchemy import Connection

from archiver.lockfile import LockFile
from archiver.storage.database.alone import alone
from archiver.storage.database.glimpse import beside, log_of, size_of

log = logging.getLogger(__name__)

CHECKPOINT_BYTES = 4 << 20
"""How long the log grows before its pages are brought into the file: SQLite's own 1,000 pages."""
_MARK_BITS = 31
_OVERWRITTEN = ".overwritten"
"""The name of a file, for an instant, that was written over in place."""
_MOST_MARKS = 200
"""So many fit into the lock file; beyond that a log is trusted."""


def to_disk(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prepare(path: Path, lock: LockFile) -> None:
    """To be called with the lock held, before a writer opens the archive: leaves it only a log that is its own."""
    _take_back(path)
    if not path.exists():
        with suppress(FileNotFoundError):
            os.rename(beside(path, _OVERWRITTEN), path)  # whoever gave it that name was ended just then
    if size_of(beside(path, "-wal")) == 0:
        _remove_leftovers(path)
    elif not path.exists():
        set_aside(path, "orphaned")  # SQLite would delete it
    elif (noted := _noted(lock)) and (found := mark(path)) is not None and found not in noted:
        set_aside(path, "replaced")


def mark(path: Path) -> int | None:
    """The mark in the file itself, whatever its log says; None when it is no database."""
    try:
        with closing(alone(path)) as connection:
            return _number(connection, "user_version")
    except sqlite3.Error:
        return None


def is_broken(path: Path) -> bool:
    """Whether the file has fewer pages than its header says (https://sqlite.org/fileformat2.html), or no tables that
    SQLite can read.

    With its log SQLite finds out when it comes to a page that is missing, and writes to the others until then.
    """
    try:
        with closing(alone(path)) as connection:
            return path.stat().st_size < _number(connection, "page_count") * _number(connection, "page_size")
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT
    except OSError:
        return False


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def set_aside(path: Path, why: str) -> Path | None:
    """Renames the log, with every byte, so that SQLite does not see it; returns its new name, None without a log."""
    wal = beside(path, "-wal")
    aside = beside(path, f"-wal.{why}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    try:
        os.rename(wal, aside)
    except FileNotFoundError:
        return None
    with suppress(FileNotFoundError):
        os.unlink(beside(path, "-shm"))
    log.error("the write-ahead log at %s is not that of the file beside it; it is kept as %s", path, aside)
    return aside


def _take_back(path: Path) -> None:
    """Undoes what whoever was putting another file into an archive's place did before he was ended.

    He had given file and log other names, and taken the log away from under the first: SQLite would not miss it.
    """
    for kept_log in path.parent.glob(f"{escape(path.name)}.before-*-wal"):
        kept = Path(str(kept_log).removesuffix("-wal"))
        with suppress(FileNotFoundError):
            if kept.samefile(path):
                _take_log(path, kept_log)
                os.unlink(kept)  # or that name would stay without its log


def _take_log(path: Path, kept_log: Path) -> None:
    wal = beside(path, "-wal")
    if size_of(wal) and wal.samefile(kept_log):
        os.unlink(kept_log)
    elif size_of(wal) or path.stat().st_mtime_ns > kept_log.stat().st_ctime_ns:
        # Somebody has written to the file since, without its log: whose pages are older than the file's by now.
        os.rename(kept_log, beside(path, f"-wal.replaced-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"))
    else:
        with suppress(FileNotFoundError):
            os.unlink(beside(path, "-shm"))  # it tells of no log
        os.rename(kept_log, wal)
    to_disk(path.parent)


def _remove_leftovers(path: Path) -> None:
    """An empty log of another user, who only asked once, must not keep the archive's owner from writing."""
    leftovers = [beside(path, ending) for ending in ("-wal", "-shm")]
    if any(file.exists() and not os.access(file, os.W_OK) for file in leftovers):
        for file in leftovers:
            with suppress(FileNotFoundError):
                file.unlink()


def _noted(lock: LockFile) -> list[int]:
    return [int(word) for word in lock.note.split() if word.isdecimal()]


def _stat(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


class Checkpoints:
    """Brings the log of an archive into its file now and then, and leaves a new mark each time.

    For the one connection that writes; the lock is held.
    """

    def __init__(self, path: Path, lock: LockFile, most_bytes: int = CHECKPOINT_BYTES) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._lock = lock
        self._marks: list[int] = []
        """Those that the file itself may bear; the last is the newest."""
        self._in_file = (b"", 0)
        """Of which log so many frames are in the file."""
        self._trouble = ""
        self._rights: tuple[int, int] | None = None
        self._seen = _stat(path)
        """The file as this writer left it: between two checkpoints nobody writes to it."""

    def is_foreign(self) -> bool:
        """Whether somebody has written over the file in place, as `cp` does, or cut it short.

        What bears no mark of this archive is another file. A checkpoint that somebody else asked SQLite for changes
        the file, too, and is none of that.
        """
        now, seen, known = _stat(self._path), self._seen, self._marks or _noted(self._lock)
        if not known or now is None or seen is None or not os.path.samestat(now, seen):
            return False  # nobody knows its marks, or the file has lost its name, which is another matter
        if (now.st_size, now.st_mtime_ns) == (seen.st_size, seen.st_mtime_ns):
            return False
        if mark(self._path) not in known:  # a file that was cut short is read by nobody, and has none
            return True
        self._seen = now
        return False

    def follow_rights(self) -> None:
        """What SQLite keeps beside the file is open to whom the file is, as it is when SQLite makes it.

        So whoever is let in while somebody writes is let in at once, and need not wait for the next start.
        """
        found = _stat(self._path)
        if found is None or (rights := (found.st_mode, found.st_gid)) == self._rights:
            return
        self._rights = rights
        for ending in ("-wal", "-shm"):
            with suppress(OSError):
                os.chown(beside(self._path, ending), -1, found.st_gid)
            with suppress(OSError):
                os.chmod(beside(self._path, ending), stat.S_IMODE(found.st_mode))

    @contextmanager
    def spared(self) -> Iterator[None]:
        """While the writer closes: a file that somebody has written over is left as it is, and the log set aside.

        SQLite brings the log into the file when the last connection closes, unless the file has lost its name.
        """
        if not self.is_foreign():
            yield
            return
        set_aside(self._path, "replaced")
        away = beside(self._path, _OVERWRITTEN)
        os.rename(self._path, away)
        try:
            yield
        finally:
            os.rename(away, self._path)

    def due(self) -> bool:
        """Whether enough of the log is not in the file yet, or the file has no mark of this writer yet."""
        if not self._marks:
            return True
        log = log_of(self._path)
        if log is None:
            return False
        begun, in_file = self._in_file
        left = log.frames - (in_file if begun == log.begun else 0)
        return left * log.frame_bytes >= self._most_bytes

    def run(self, connection: Connection) -> None:
        """Between two transactions. Readers may hold it up, or a full disk; then the next one goes on where this ended.

        What is in the log is archived, so that a failure here is a line of the log and no error.
        """
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        try:
            self._run(driver)
        except (sqlite3.Error, OSError) as error:
            if str(error) != self._trouble:
                log.warning("the log of %s cannot be brought into the file: %s", self._path, error)
            self._trouble = str(error)
        else:
            self._trouble = ""
        self._seen = _stat(self._path)

    def empty(self, connection: Connection) -> bool:
        """Brings all of the log into the file, and cuts it to nothing; False where a reader is in the way."""
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        self._run(driver)
        (patience,) = driver.execute("PRAGMA busy_timeout").fetchone()
        try:
            driver.execute("PRAGMA busy_timeout=200").close()
            blocked, _, _ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            driver.execute(f"PRAGMA busy_timeout={patience}").close()
        self._seen = _stat(self._path)
        return not blocked

    def _run(self, driver: sqlite3.Connection) -> None:
        if len(self._marks) < 2:
            # Until a checkpoint has come to its end the file may bear any of those noted before, this one, or none of
            # them: a process may have died, or a reader held its checkpoints up.
            known = [
                *_noted(self._lock),
                int(driver.execute("PRAGMA user_version").fetchone()[0]),
                mark(self._path) or 0,
            ]
            self._marks = [*dict.fromkeys(known), 1 + secrets.randbelow((1 << _MARK_BITS) - 1)]
            self._lock.remember(" ".join(map(str, self._marks)) if len(self._marks) <= _MOST_MARKS else "")
        driver.execute(f"PRAGMA user_version={self._marks[-1]}").close()
        blocked, length, done = driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if (log := log_of(self._path)) is not None:
            self._in_file = (log.begun, done)
        if not blocked and length == done:
            self._marks = self._marks[-1:]
            self._lock.remember(str(self._marks[0]))

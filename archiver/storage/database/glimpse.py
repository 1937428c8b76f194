"""Sees from outside what the file of a SQLite archive is, and whether it lies at rest and is read as it lies."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from archiver.storage.database.address import is_postgres
from archiver.storage.database.named import sqlite_path


class Glimpse(NamedTuple):
    """What a reader of a SQLite archive sees from outside: which file it is, and what it was when it lay at rest."""

    identity: tuple[int, int] | None = None
    at_rest: tuple[int, int] | None = None
    """Size and time of the file that is read in place; None while somebody may be writing."""

    @classmethod
    def of(cls, url: str) -> Glimpse:
        """How things are now; of a PostgreSQL archive there is nothing to see."""
        if is_postgres(url):
            return cls()
        path = sqlite_path(url)
        try:
            found = os.stat(path)
            in_place = reads_in_place(path)
        except OSError:
            return cls()
        return cls((found.st_dev, found.st_ino), (found.st_size, found.st_mtime_ns) if in_place else None)


def reads_in_place(path: Path) -> bool:
    """Whether this user reads a SQLite archive as it lies there, without the files that SQLite keeps beside one in use.

    So it is for somebody else than its owner while nobody writes: he may not be able to make them, and if he can, they
    would keep the owner from writing. The owner's own are taken over by whoever writes next (root's too: SQLite gives
    them to the owner).

    So it is for everybody, too, beside a log that is another file's: SQLite would mix the two.
    """
    if size_of(beside(path, "-wal")) > 0:
        return _is_foreign_log(path)
    if beside(path, "-shm").exists():
        return False
    return os.geteuid() not in (0, path.stat().st_uid) or not os.access(path.parent, os.W_OK)


def _is_foreign_log(path: Path) -> bool:
    """Whether nobody writes, and the file bears none of the marks that its last writer noted (`database.wal`)."""
    from archiver.lockfile import is_held  # which a question seldom needs

    try:
        with open(f"{path}-lock", "rb", opener=_no_waiting) as lock:
            noted = [int(word) for word in lock.read(4096).partition(b"\n")[2].split() if word.isdigit()]
    except OSError:
        return False
    return bool(noted) and is_held(path) is False and _bears_none(path, noted)


def _bears_none(path: Path, marks: Collection[int]) -> bool:
    """Whether the file itself has another mark, or is no database."""
    import sqlite3  # and nobody asks for the marks of an archive that lies at rest

    from archiver.storage.database.alone import alone

    try:
        with closing(alone(path)) as connection:
            return connection.execute("PRAGMA user_version").fetchone()[0] not in marks
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_NOTADB


def _no_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def other_names(path: Path) -> int:
    """How many names a file has beside this one (hard links), but for those that whoever replaces it keeps it by."""
    try:
        found = path.stat()
        kept = [each for each in path.parent.glob(f"{path.name}.before-*") if os.path.samestat(each.lstat(), found)]
    except OSError:
        return 0
    return max(0, found.st_nlink - 1 - len(kept)) if found.st_nlink > 1 else 0


def beside(path: Path, ending: str) -> Path:
    """The file that SQLite keeps beside an archive: -wal or -shm."""
    return Path(f"{path}{ending}")


def is_there(path: Path) -> bool:
    """Whether there is a file, as far as this user may see."""
    try:
        path.stat()
    except OSError:
        return False
    return True


class Log(NamedTuple):
    """What was written to an archive's log since it was written over from its beginning last."""

    begun: bytes
    """Another each time that it begins anew."""
    frames: int
    frame_bytes: int


def log_of(path: Path) -> Log | None:
    """The log of an archive; None where there is none. Its size tells nothing: SQLite never shortens it.

    It is read itself, on which nobody has locks, and not the index beside it (`storage.database.alone`).
    """
    try:
        with open(beside(path, "-wal"), "rb") as log:
            header = log.read(_HEADER)
            if len(header) < _HEADER:
                return None
            page, begun = int.from_bytes(header[8:12]), header[16:24]
            size = _FRAME + page
            # What is of an earlier time stands behind.
            low, high = 0, (os.fstat(log.fileno()).st_size - _HEADER) // size
            while low < high:
                middle = (low + high) // 2
                if os.pread(log.fileno(), 8, _HEADER + middle * size + 8) == begun:
                    low = middle + 1
                else:
                    high = middle
    except OSError:
        return None
    return Log(begun, low, size)


_HEADER, _FRAME = 32, 24
"""Bytes of the log's header, and of a frame besides its page (https://sqlite.org/fileformat2.html#walformat)."""


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

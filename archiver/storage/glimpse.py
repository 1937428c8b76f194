"""Sees from outside what the file of a SQLite archive is, and whether it lies at rest and is read as it lies."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import NamedTuple, cast

from archiver.storage.address import is_postgres
from archiver.storage.named import sqlite_path


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
    """Whether nobody writes, and the file bears none of the marks that its last writer noted (`storage.wal`)."""
    from archiver.lockfile import is_held  # which a question seldom needs

    try:
        with open(f"{path}-lock", "rb", opener=_no_waiting) as lock, path.open("rb") as file:
            noted = [int(word) for word in lock.read(4096).partition(b"\n")[2].split() if word.isdigit()]
            mark = int.from_bytes(file.read(64)[60:])
    except OSError:
        return False
    return bool(noted) and mark not in noted and is_held(path) is False


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


def log_left(path: Path) -> int:
    """Bytes of an archive's log that are not in its file yet, as the index beside it tells; the writer asks.

    The log's own size says nothing of that: once all of it is in the file, it is written over from its beginning.
    """
    try:
        with open(beside(path, "-shm"), "rb") as index:
            header = index.read(_INDEX.size)
        page, frames, _, in_file = cast("tuple[int, int, bytes, int]", _INDEX.unpack(header))
    except (OSError, struct.error):
        return size_of(beside(path, "-wal"))
    return (frames - in_file) * (_FRAME + (page if page > 1 else 65536))


_INDEX = struct.Struct("=14xHI76sI")
"""Page size, frames of the log, and how many of them are in the file (https://sqlite.org/walformat.html, 2.1)."""
_FRAME = 24
"""Bytes of a frame of the log besides its page."""


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

"""Lets a new SQLite file take the place of another, of which not a byte is lost."""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from archiver.errors import CannotWrite
from archiver.storage.database.glimpse import beside, size_of
from archiver.storage.database.wal import to_disk


@contextmanager
def writing(target: Path, kept: Path | None = None) -> Iterator[Path]:
    """A file beside the target that takes its name when all went well; what had the name goes to `kept`."""
    unfinished = Path(f"{target}.{secrets.token_hex(4)}.part")
    try:
        yield unfinished
        take_place(unfinished, target, kept)
    except OSError as error:
        raise CannotWrite(target=str(target), reason=error.strerror or str(error)) from error
    finally:
        remove(unfinished)


def take_place(new: Path, target: Path, kept: Path | None) -> None:
    """Gives a file, which is complete, the name of another; that one goes to `kept`, or else is replaced.

    Raises OSError.
    """
    if kept is not None:
        _give_to_owner(new, target)
    to_disk(new)
    if kept is not None and target.exists():
        _keep(target, kept)
    os.replace(new, target)
    to_disk(target.parent)


def remove(path: Path) -> None:
    """Deletes a file and what SQLite keeps beside it."""
    for leftover in (path, *(beside(path, ending) for ending in ("-wal", "-shm", "-journal"))):
        with suppress(OSError):
            leftover.unlink()


def _give_to_owner(new: Path, target: Path) -> None:
    """Whoever does this, often root: the archive stays its owner's, and open to whom it was open to."""
    there = target.exists()
    found = (target if there else target.parent).stat()
    if os.geteuid() == 0:
        os.chown(new, found.st_uid, found.st_gid)
    if there:
        os.chmod(new, found.st_mode & 0o777)


def _keep(target: Path, kept: Path) -> None:
    """Gives an archive a second name, log and all, and takes the log away from under the first."""
    _link(target, kept)
    if size_of(beside(target, "-wal")):
        _link(beside(target, "-wal"), beside(kept, "-wal"))
    to_disk(kept.parent)
    for ending in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.unlink(beside(target, ending))


def _link(target: Path, kept: Path) -> None:
    """A second name, which it may have already: somebody was ended just after he had given it."""
    if not (kept.exists() and os.path.samefile(target, kept)):
        os.link(target, kept)


def aside(path: Path, why: str) -> Path:
    """A name for what is kept of a file, that no other has."""
    return Path(f"{path}.{why}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(2)}")


def open_as(path: Path, how: str) -> sqlite3.Connection:
    """Opens a file through SQLite's own driver, `how` as in its URIs. Raises sqlite3.Error."""
    if path.exists() and not path.is_file():  # it would wait for the other end of a pipe
        raise sqlite3.OperationalError("it is no file")
    return sqlite3.connect(f"file:{quote(os.fsencode(path))}?{how}", uri=True, isolation_level=None, timeout=10)


def create(path: Path) -> sqlite3.Connection:
    """Makes a file that only its owner reads. Raises OSError, sqlite3.Error."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return sqlite3.connect(path, isolation_level=None)


def finish(copy: sqlite3.Connection) -> None:
    """A copy needs no log beside it, so that whoever may read it can; and a mark of its own, so no log will fit it."""
    copy.execute("PRAGMA journal_mode=DELETE").close()
    copy.execute(f"PRAGMA user_version={1 + secrets.randbelow((1 << 31) - 1)}").close()

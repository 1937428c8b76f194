"""Writes an answer to a file that is there when all of it is, and not before."""

from __future__ import annotations

import errno
import os
import secrets
import signal
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from archiver.cli.writing import write_lines, writing
from archiver.errors import CannotWrite, UsageError

if TYPE_CHECKING:
    from archiver.config.settings import Config

_BESIDE = ("-wal", "-shm", "-journal", "-lock", "-reserve", "-control", "-cursors")


def write_file(path: Path, lines: Iterable[str]) -> int:
    """Writes lines to a file that takes its name only when all of it is on disk; says how many there were."""
    path = destination(path)
    if path.exists() and not path.is_file():
        return _write_into(path, lines)
    with ended_by_sigterm(), in_place_of(path) as out:
        return write_lines(lines, out)


@contextmanager
def in_place_of(path: Path, new: int = 0o666) -> Iterator[TextIO]:
    """A file that takes the place of another (`new`: as `begun` has it) when all of it is on disk; else that stays.

    Raises CannotWrite.
    """
    with writing(str(path)):
        unfinished, out = begun(path, new)
        try:
            with out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            unfinished.replace(path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise


def destination(path: Path) -> Path:
    """The file that a name stands for: a link stays a link. Raises CannotWrite for one that leads in a circle."""
    try:
        return path.resolve()
    except RuntimeError as error:
        raise CannotWrite(target=str(path), reason=os.strerror(errno.ELOOP)) from error


def begun(path: Path, new: int = 0o666) -> tuple[Path, TextIO]:
    """A file that is to take the place of another, open to whom that is open to, and `new` where there is none.

    Its name is one that nobody else comes upon: process numbers recur, in containers every time. Raises OSError.
    """
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    there = path.stat() if path.exists() else None
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, new if there is None else 0o600)
    if there is not None:
        with suppress(PermissionError):  # who is not root has no other owner to give it to, and not every group
            os.fchown(file, there.st_uid if os.geteuid() == 0 else -1, there.st_gid)
        os.fchmod(file, stat.S_IMODE(there.st_mode) & 0o777)
    return unfinished, os.fdopen(file, "w", encoding="utf-8", newline="\n")


def is_of(path: Path, database: Path) -> bool:
    """Whether a name stands for a SQLite file, or one of those that are kept beside it: its log, a lock."""
    names = (database, *(Path(f"{database}{tail}") for tail in _BESIDE))
    there = (name for name in names if name.exists() and path.exists())
    return destination(path) in {destination(name) for name in names} or any(map(path.samefile, there))


def require_other(path: Path, config: Config, hint: str) -> None:
    """Raises UsageError for a name that is the archive's or the spool's: what is written would take its place."""
    from archiver.storage.database.address import is_postgres
    from archiver.storage.database.named import sqlite_path

    url = config.database.value
    files = {"the spool": config.spool.value} | ({} if is_postgres(url) else {"the archive": sqlite_path(url)})
    for what, file in files.items():
        if is_of(path, file):
            raise UsageError(reason=f"{path} is {what} itself, or belongs to it", hint=hint)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends what is within as Ctrl-C does, so that nothing half done is left behind."""

    def end(_number: int, _frame: object) -> NoReturn:
        sys.exit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write_into(path: Path, lines: Iterable[str]) -> int:
    """Writes lines into what is no file of its own: a device, a named pipe."""
    with writing(str(path)), path.open("w", encoding="utf-8", newline="\n") as out:
        return write_lines(lines, out)

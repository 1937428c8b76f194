"""The lock file beside a file that one process at a time may have; it names that process to whoever comes next."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from archiver.private import give_to_owner_of_folder, make_folder

_RETRY_SECONDS = 0.05
_MOST_BYTES = 4096
_ASK, _MARK = (getattr(fcntl, name, None) for name in ("F_OFD_GETLK", "F_OFD_SETLK"))
"""How the second lock is asked for and taken; None where the system has no such lock (fcntl_locking(2))."""
_STRUCT_FLOCK = "hhqqi4x"


class LockHeld(Exception):
    """Another process has the lock."""

    def __init__(self, owner: str) -> None:
        super().__init__(f"process {owner} has it")


class LockFile:
    """`<path>-lock`, locked until `close` or the end of the process; the file itself stays.

    Waits up to `patience` seconds for another process to let go. Raises LockHeld when it does not, OSError when the
    lock cannot be made: also where a link or a device lies in its place, for what it leads to belongs to somebody else.
    """

    def __init__(self, path: Path, patience: float = 0) -> None:
        make_folder(path.parent)
        self.note = ""
        """What the last holder remembered here."""
        self._path = Path(f"{path}-lock")
        self._file = _open(self._path)
        try:
            self._take(time.monotonic() + patience)
        except BaseException:
            self.close()
            raise

    def _take(self, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise LockHeld(self._owner()) from error
                time.sleep(_RETRY_SECONDS)
            else:
                break
        _mark(self._file)
        self.note = self._read()[1]
        self.remember(self.note)

    def remember(self, note: str) -> None:
        """Leaves a line for the next holder, whatever becomes of this process."""
        text = f"{os.getpid()}\n{note}\n".encode()
        os.pwrite(self._file, text, 0)
        os.ftruncate(self._file, len(text))
        os.fsync(self._file)
        self.note = note

    def _owner(self) -> str:
        return self._read()[0] or "unknown"

    def _read(self) -> tuple[str, str]:
        """Who has it or had it last, and what was remembered."""
        owner, _, note = os.pread(self._file, _MOST_BYTES, 0).decode("ascii", "replace").partition("\n")
        return owner.strip(), note.strip()

    def is_replaced(self) -> bool:
        """Whether another file has the lock's name, which another process may have locked."""
        try:
            return not os.path.samestat(self._path.lstat(), os.fstat(self._file))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Lets go of the lock."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def is_held(path: Path) -> bool | None:
    """Whether a process has the lock of a file, without taking it for a moment; None: that cannot be told.

    It cannot where there is no lock file, or not for this user, or the system knows no lock that can be asked about.
    """
    if _ASK is None:
        return None
    try:
        file = os.open(f"{path}-lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        answer = fcntl.fcntl(file, _ASK, _whole_file(fcntl.F_WRLCK))
        return bool(struct.unpack(_STRUCT_FLOCK, answer)[0] != fcntl.F_UNLCK)
    except OSError:
        return None
    finally:
        os.close(file)


def _mark(file: int) -> None:
    """Takes a second lock of the same life, for nobody can ask about the first without taking it himself."""
    if _MARK is not None:
        with suppress(OSError):
            fcntl.fcntl(file, _MARK, _whole_file(fcntl.F_WRLCK))


def _whole_file(kind: int) -> bytes:
    return struct.pack(_STRUCT_FLOCK, kind, os.SEEK_SET, 0, 0, 0)


def _open(path: Path) -> int:
    # Opening a pipe that somebody left there must not wait for its other end.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    is_new = not path.exists()
    try:
        file = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_a_lock(path) from error
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise _not_a_lock(path)
    if is_new:
        give_to_owner_of_folder(file, path)
    with suppress(OSError):  # one that another user made is his to close
        os.fchmod(file, 0o600)
    return file


def _not_a_lock(path: Path) -> OSError:
    return OSError(errno.ELOOP, f"{path} is not an ordinary file; see who put it there, and remove it")

"""Room on the spool's disk that is kept for emptying the spool when nothing else is left."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

from archiver.private import make_file

log = logging.getLogger(__name__)

RESERVE = 16 << 20
"""Bytes. A file that cannot grow leaves its log to fill what was left of the disk; writing that log into the file needs
as much again, about twice what SQLite lets a log hold and the largest group."""
_STEPS = 16


class Reserve:
    """`<path>-reserve`, a file of allocated bytes that nobody reads.

    To delete from a SQLite file needs room for its log, to open it some more: a disk that the spool itself has filled
    during an outage has none. On a file system that copies what is written over (Btrfs, ZFS) it may help less.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(f"{path}-reserve")
        self._told = False

    def hold(self) -> None:
        """Takes as much of the room as there is; what is missing is asked for again the next time."""
        with suppress(OSError):
            make_file(self._path)
            file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                self._allocate(file)
            finally:
                os.close(file)

    def _allocate(self, file: int) -> None:
        if os.fstat(file).st_size >= RESERVE:
            return
        for part in range(_STEPS, 0, -1):
            with suppress(OSError):
                os.posix_fallocate(file, 0, RESERVE * part // _STEPS)
                break
        if os.fstat(file).st_size < RESERVE and not self._told:
            self._told = True
            log.warning("there is not enough room beside the spool for its reserve of %d bytes", RESERVE)

    def lends(self, size: int) -> bool:
        """Whether so many bytes may be written in its room: it is whole, or half of it is there after that, too.

        That half is for emptying the spool. A log and then the file take what is written.
        """
        try:
            there = self._path.stat().st_size
        except OSError:
            return False
        return there >= RESERVE or there - 2 * size >= RESERVE // 2

    def give_up(self) -> bool:
        """Gives the room back to the disk; False when there was none."""
        try:
            there = self._path.stat().st_size
            os.truncate(self._path, 0)
        except OSError:
            return False
        return there > 0

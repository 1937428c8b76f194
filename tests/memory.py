"""Where the tests keep what they write: in memory where there is room for it, else on the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

SHARED_MEMORY = Path("/dev/shm")
ROOM = 3 * 2**30
"""Bytes that must be free: a run holds a few hundred megabytes at a time, most of them PostgreSQL's."""


def place(otherwise: Path) -> Path:
    """A folder for files that nobody needs after the run; `otherwise` where memory has no room for them.

    Thousands of fresh archives on a disk are what the suite waits for, and none has to survive the machine: what a
    killed process leaves behind, it leaves in memory as well.
    """
    return SHARED_MEMORY if _has_room(SHARED_MEMORY) else otherwise


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that everybody gets to, and not one of pytest's: those every other run of pytest shuts as it starts."""
    with TemporaryDirectory(prefix="archiver-open-", dir=place(Path(gettempdir()))) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _has_room(folder: Path) -> bool:
    try:
        runs_programs = not os.statvfs(folder).f_flag & os.ST_NOEXEC
        free = min(shutil.disk_usage(folder).free, _available_memory())
    except OSError:
        return False
    return runs_programs and os.access(folder, os.W_OK | os.X_OK) and free >= ROOM


def _available_memory() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)

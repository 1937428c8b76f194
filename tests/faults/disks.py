"""A disk is full, of the archive, of the spool, of both, and has room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .bench import Bench, Broken
from .fault import SQLITE, Impossible, Size, fault

_ENOUGH = 5_000
"""So many messages go through what room a spool has had before, where the archive takes them at once."""
_LOST = "received messages are lost"


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A disk of that size, mounted there."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        raise Impossible("to mount a small file system takes root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Somebody else takes all the room that is left, but for some pages."""
    filler = folder / "filler"
    room = os.statvfs(folder)
    with filler.open("wb") as file:
        for tries in range(1, 1_000):  # the others write meanwhile
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, max(1, room.f_bavail * room.f_frsize - tries * 16_384))
                break
    try:
        yield
    finally:
        filler.unlink()


def _for_spool(size: Size) -> int:
    """Mebibytes: the reserve, and room for what comes in some seconds on a busy machine."""
    return 16 + round(8 * size.rate / 500)


def _for_archive(size: Size) -> int:
    """Mebibytes: room for all that comes."""
    return max(24, round(8 * size.turns * size.rate / 500))


@fault(
    "the disk of the archive is filled by somebody else, and freed",
    "reading goes on, what comes waits in the spool",
    SQLITE,
)
def archive_disk_full(bench: Bench) -> str:
    with small_disk(bench.folder / "small", _for_archive(bench.size)) as folder:
        bench.move_archive(folder)
        bench.start()
        for _ in range(bench.size.turns):
            bench.archives(100)
            with filled(folder):
                bench.until(lambda: bench.trouble("full"), "it says that the disk is full")
                bench.hears(1_000)
            bench.archives(1_000)
        _stream_never_left(bench)
        return _proven_there(bench, f"{bench.size.turns} times")


@fault(
    "the disk of the spool is filled by somebody else, and freed",
    "reading waits where the spool needs more room than it has, and goes on by itself",
)
def spool_disk_full(bench: Bench) -> str:
    waited = 0
    with small_disk(bench.folder / "small", _for_spool(bench.size)) as folder:
        bench.spool = folder / "spool.db"
        bench.start()
        for _ in range(bench.size.turns):
            bench.archives(100)
            with filled(folder):
                waited += _waits(bench)
            bench.until(lambda: bench.log().count("takes messages again") >= _waits_so_far(bench), "it reads again")
            bench.archives(300)
        return _proven_there(bench, f"{bench.size.turns} times, and had to wait {waited} times")


@fault(
    "archive and spool share a disk that fills, and is freed; the daemon is told to stop in between",
    "it ends within 10 s; with code 1 where even the spool's reserve was taken, saying what is lost",
    SQLITE,
)
def both_disks_full(bench: Bench) -> str:
    with small_disk(bench.folder / "small", _for_spool(bench.size) + _for_archive(bench.size)) as folder:
        bench.spool = folder / "spool.db"
        bench.move_archive(folder)
        for turn in range(bench.size.turns):
            process = bench.start()
            bench.archives(100)
            with filled(folder):
                bench.waits_for_log("(reading waits)", turn + 1)
                if turn % 2:
                    lost = bench.log().count(_LOST)
                    bench.end(process, lambda lost=lost: int(bench.log().count(_LOST) > lost))
            if turn % 2 == 0:
                bench.archives(300)
                bench.end(process)
            bench.look()
        return _proven_there(bench, f"{bench.size.turns} times")


def _waits(bench: Bench) -> bool:
    """Whether reading comes to wait for room; not where the spool has all that it takes."""
    before, enough = _waits_so_far(bench), bench.platform.sent + _ENOUGH
    bench.until(lambda: _waits_so_far(bench) > before or bench.platform.sent > enough, "it waits, or has room")
    return _waits_so_far(bench) > before


def _waits_so_far(bench: Bench) -> int:
    return bench.log().count("(reading waits)")


def _stream_never_left(bench: Bench) -> None:
    if bench.platform.handshakes != 1:
        raise Broken(f"the stream was left: {bench.platform.handshakes} connections")


def _proven_there(bench: Bench, said: str) -> str:
    """The promises are looked after while the small disk is there."""
    bench.prove()
    return said

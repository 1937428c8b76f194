"""The power of the machine with PostgreSQL goes: what the server acknowledged must be there when it is on again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archiver.storage import migrate

from .bench import Bench, Broken
from .fault import POSTGRES, fault
from .postgres import running
from .power import built
from .promises import Tally
from .server import OPTIONS, Server
from .trace import MARKS, images

PROMISING = """
import json, os, sys
from archiver.model import Batch
from archiver.storage.recorder import Recorder
marks = os.open(os.environ["MARKS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
record = Recorder.record
def promise(recorder, records, *more, **how):
    done = record(recorder, records, *more, **how)
    told = (json.loads(extra) for extra in Batch.of(records).events.extra if extra)
    os.write(marks, (" ".join(str(one["n"]) for one in told if "n" in one) + " ").encode())
    return done
Recorder.record = promise
from archiver.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The program, which writes down what the archive has taken."""
DURABLE = {
    **OPTIONS,
    "fsync": "on",
    "full_page_writes": "on",
    "checkpoint_timeout": "1h",
    "max_wal_size": "4GB",
}
"""As a server is that is not for tests; but its checkpoints come when the fault says."""
_DATA = ("base", "global", "pg_multixact", "pg_wal", "pg_xact")
"""What has to outlive a loss of power, as the server calls it, which works in the folder of its data. The rest it makes
anew when it starts."""
_LOG = "pg_wal"
_CHECKPOINTS = 4
"""So many while events are archived: after each a page that is written goes into the log as a whole first, and may be
torn itself."""
_SEGMENT, _NAME = 16 << 20, 24


@fault(
    "the power of the server's machine goes at a random point of the writes and syncs to its log and its data,"
    " checkpoints among them: what was not synced is lost, torn by sectors, or there",
    "the server starts from each image, and all that it had acknowledged by then is archived, once",
    POSTGRES,
)
def server_power_lost(bench: Bench) -> str:
    server = running(bench)
    data, home = server.control.data, server.control.data.parent
    server.stop("fast")
    base = home / "base"
    shutil.copytree(data, base, symlinks=True)
    shim, trace, marks = built(home), home / "trace", bench.folder / "promised"
    trace.touch()
    marks.mkdir()
    server.control.own(shim)
    server.control.own(trace)
    watched = {"LD_PRELOAD": str(shim), "TRACE": str(trace)}
    server.control.start(DURABLE, **watched, TRACED="")
    try:
        traced = watched | {"TRACED": str(marks), "MARKS": str(marks / MARKS)}
        process = bench.start(env=traced, program=("-c", PROMISING))
        for _ in range(_CHECKPOINTS):
            bench.archives(min(1_000, 50 * bench.size.images) // _CHECKPOINTS)
            with server.admin() as admin:
                admin.execute("CHECKPOINT")
        bench.archives(100)
        bench.kill(process)
        bench.look()
        server.stop("immediate")
        told = _tried(bench, server, base, trace)
    finally:
        server.control.data = data
        server.start_again()
    for left in (base, trace):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    return told


def _tried(bench: Bench, server: Server, base: Path, trace: Path) -> str:
    obligations = tried = 0
    sent = set(bench.sender.sent())
    there = {str(one.relative_to(base)): one.read_bytes() for one in _kept(base)}
    within = f"{server.control.data}/"
    for found, promised in images(trace, _images(bench.size.images), bench.dice, bench.folder, there, within):
        with _on_again(server, base, found):
            numbers = [told.number for told in Tally(bench.url).read()]
            thoroughly = tried % 3 == 0 and not migrate.is_missing(bench.url)
            problems = migrate.check(bench.url) if thoroughly else []
        if lost := promised - set(numbers):
            problems.append(f"{len(lost)} of {len(promised)} are lost, {sorted(lost)[:3]} ...")
        if len(numbers) != len(set(numbers)) or set(numbers) - sent:
            problems.append("some are archived twice, or were never sent")
        if problems:
            raise Broken(f"{found.name}: {'; '.join(problems)}")
        obligations, tried = obligations + len(promised), tried + 1
    if not obligations:
        raise Broken("the daemon was killed before anything was archived: there is nothing to hold the server to")
    return f"{tried} images, {obligations} events acknowledged in them"


def _kept(folder: Path) -> Iterator[Path]:
    """The files that have to outlive a loss of power."""
    for part in _DATA:
        yield from (one for one in (folder / part).rglob("*") if one.is_file())


def _images(count: int) -> int:
    """A server takes seconds to start from one."""
    return min(20, max(2, count // 8))


@contextmanager
def _on_again(server: Server, base: Path, found: Path) -> Iterator[None]:
    """The server on what a disk holds after the power went, and on the rest as of before."""
    image = base.with_name(found.name)
    shutil.copytree(base, image, symlinks=True)
    for one in _kept(image):
        one.unlink()
    for part in _DATA:
        shutil.copytree(found / part, image / part, dirs_exist_ok=True)
    for segment in (image / _LOG).iterdir():
        if segment.name.startswith("xlogtemp"):
            segment.unlink()
        elif len(segment.name) == _NAME and segment.is_file():
            os.truncate(segment, _SEGMENT)  # a new one is made of zeros
    shutil.rmtree(found)
    server.control.own(image)
    os.chmod(image, 0o700)
    server.control.data = image
    server.control.start(OPTIONS)
    try:
        yield
    finally:
        server.control.stop()
        shutil.rmtree(image)

"""The power of the machine with PostgreSQL goes: what the server acknowledged must be there when it is on again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
"""As a server is that is not for tests; but without a checkpoint meanwhile, which would be in no image."""
_LOG = "pg_wal/"
"""Where the server writes its log, as it calls that itself: it works in the folder of its data."""
_SEGMENT = 16 << 20


@fault(
    "the power of the server's machine goes at a random point of the writes and syncs to its log (pg_wal): what was not"
    " synced of that is lost, torn by sectors, or there; its data are those of the last checkpoint",
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
    server.control.start(DURABLE, **watched, TRACED=_LOG)
    try:
        shutil.copy2(data / "global" / "pg_control", base / "global")  # which says, and is synced, that it runs
        traced = watched | {"TRACED": str(marks), "MARKS": str(marks / MARKS)}
        process = bench.start(env=traced, program=("-c", PROMISING))
        bench.archives(min(1_000, 50 * bench.size.images))
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
    there = {f"{_LOG}{one.name}": one.read_bytes() for one in (base / _LOG).iterdir() if one.is_file()}
    for log, promised in images(trace, _images(bench.size.images), bench.dice, bench.folder, there):
        with _on_again(server, base, log):
            numbers = [told.number for told in Tally(bench.url).read()]
        if lost := promised - set(numbers):
            raise Broken(f"{log.name}: {len(lost)} of {len(promised)} are lost, {sorted(lost)[:3]} ...")
        if len(numbers) != len(set(numbers)) or set(numbers) - sent:
            raise Broken(f"{log.name}: some are archived twice, or were never sent")
        obligations, tried = obligations + len(promised), tried + 1
    if not obligations:
        raise Broken("the daemon was killed before anything was archived: there is nothing to hold the server to")
    return f"{tried} images, {obligations} events acknowledged in them"


def _images(count: int) -> int:
    """A server takes seconds to start from one."""
    return min(20, max(2, count // 8))


@contextmanager
def _on_again(server: Server, base: Path, log: Path) -> Iterator[None]:
    """The server on its data as of before, and a log after the power went."""
    image = base.with_name(log.name)
    shutil.copytree(base, image, symlinks=True)
    for segment in log.iterdir():
        if not segment.name.startswith("xlogtemp"):
            content = segment.read_bytes()
            (image / _LOG / segment.name).write_bytes(content.ljust(_SEGMENT, b"\0"))  # a new one is made of zeros
    shutil.rmtree(log)
    server.control.own(image)
    os.chmod(image, 0o700)
    server.control.data = image
    server.control.start(OPTIONS)
    try:
        yield
    finally:
        server.control.stop()
        shutil.rmtree(image)

"""The power goes: what was not synced is lost, or torn, and what was promised must be there all the same."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import make_url

from archiver.recording.ingest import Ingest
from archiver.recording.spool.queue import Spool
from archiver.storage import migrate

from .bench import Bench, Broken
from .fault import Impossible, fault
from .promises import Tally
from .trace import MARKS, images

SHIM = Path(__file__).with_name("shim.c")
PROMISING = """
import json, os, sys
from archiver.recording.spool.queue import Spool
marks = os.open(os.environ["MARKS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
append = Spool.append
def promise(spool, items, **how):
    last = append(spool, items, **how)
    told = (json.loads(item.payload) for item in items if type(item).__name__ == "Message")
    numbers = [str(event["n"]) for event in told if "n" in event]
    os.write(marks, (" ".join(numbers) + " ").encode())
    return last
Spool.append = promise
from archiver.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The program, which writes down what its spool has taken."""
NOWHERE = "postgresql://archiver@/archive?host=/nowhere"


@fault(
    "the power goes at a random point of the writes and syncs to spool and archive: what was not synced is lost, torn"
    " by sectors, or there; of PostgreSQL only the spool's disk loses power, and everything waits in it",
    "from each image all that the spool had taken by then is archived, once",
)
def power_lost(bench: Bench) -> str:
    shim, traced = built(bench.folder), bench.folder / "traced"
    traced.mkdir()
    bench.spool = traced / "spool.db"
    if not bench.is_postgres:
        bench.move_archive(traced)
    trace = bench.folder / "trace"
    watched = {"LD_PRELOAD": str(shim), "TRACED": str(traced), "TRACE": str(trace), "MARKS": str(traced / MARKS)}
    also = {"ARCHIVER_DATABASE_URL": NOWHERE} if bench.is_postgres else {}
    for _ in range(2 if bench.size.images > 50 else 1):
        process = bench.start(env=watched | also, program=("-c", PROMISING))
        bench.listening()
        bench.hears(min(1_000, 50 * bench.size.images))
        bench.kill(process)
    bench.look()
    obligations = tried = 0
    sent = set(bench.sender.sent())
    with ExitStack() as stack:
        template = _template(bench, stack)
        for folder, promised in images(trace, bench.size.images, bench.dice, bench.folder):
            with _archive(bench, folder, template) as url:
                _require(url, folder, promised, sent, thoroughly=tried % 10 == 0)
            shutil.rmtree(folder)
            obligations, tried = obligations + len(promised), tried + 1
    if not obligations:
        raise Broken("the daemon was killed before its spool had taken anything: there is nothing to hold it to")
    return f"{tried} images, {obligations} events promised in them"


@fault("each write and each sync of the spool fails (EIO) for a while", "reading waits, and goes on by itself")
def spool_disk_failing(bench: Bench) -> str:
    failing, where = bench.folder / "failing", bench.folder / "spool"
    where.mkdir()
    bench.spool = where / "spool.db"
    bench.start(env={"LD_PRELOAD": str(built(bench.folder)), "TRACED": str(where), "FAILING": str(failing)})
    for turn in range(bench.size.turns):
        bench.archives(100)
        failing.touch()
        bench.waits_for_log("(reading waits)", turn + 1)
        failing.unlink()
        bench.waits_for_log("takes messages again", turn + 1)
        bench.archives(300)
    return f"{bench.size.turns} times"


def built(folder: Path) -> Path:
    shim = folder / "shim.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(shim), str(SHIM), "-ldl"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Impossible("there is no C compiler here") from error
    return shim


def _template(bench: Bench, stack: ExitStack) -> str:
    """An empty archive on PostgreSQL, to be copied."""
    if bench.server is None:
        return ""
    url = stack.enter_context(bench.server.database())
    migrate.create(url)
    return str(make_url(url).database)


@contextmanager
def _archive(bench: Bench, folder: Path, template: str) -> Iterator[str]:
    """The archive into which the spool of an image is emptied."""
    if not bench.is_postgres or bench.server is None:
        yield f"sqlite:///{folder / 'archive.db'}"
        return
    with bench.server.database(template) as url:
        yield url


def _require(url: str, folder: Path, promised: set[int], sent: set[int], *, thoroughly: bool) -> None:
    with Spool(folder / "spool.db") as spool:
        ingest = Ingest(spool, url)
        ingest.finish()
        ingest.run()
    numbers = [told.number for told in Tally(url).read()]
    problems = migrate.check(url) if thoroughly and not migrate.is_missing(url) else []
    if lost := promised - set(numbers):
        problems.append(f"{len(lost)} of {len(promised)} are lost, {sorted(lost)[:3]} ...")
    if len(numbers) != len(set(numbers)):
        problems.append("some are archived twice")
    if set(numbers) - sent:
        problems.append("some were never sent")
    if problems:
        raise Broken(f"{folder.name}: {'; '.join(problems)}")

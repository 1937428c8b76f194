"""Two daemons where one should be: on one spool, on copies of a spool, on one archive."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing

from .bench import Bench, Broken
from .fault import POSTGRES, fault


@fault("a second daemon is started on the same spool", "it ends with code 1 and names the other; that one goes on")
def second_daemon(bench: Bench) -> str:
    first = bench.start()
    bench.archives(100)
    for _ in range(bench.size.turns):
        second = bench.start()
        try:
            code = second.wait(bench.patience)
        except subprocess.TimeoutExpired:
            raise Broken("two daemons have one spool") from None
        if code != 1 or f"process {first.pid} has it" not in bench.log():
            raise Broken(f"it ended with {code}: {bench.log()[-300:]}")
        bench.archives(100)
    return f"{bench.size.turns} times"


@fault(
    "the spool is copied to a second machine, and both go on into one archive",
    "what each received is there, no event more than twice; the second becomes a spool of its own",
    POSTGRES,
)
def spool_copied(bench: Bench) -> str:
    first = bench.start()
    bench.archives(300)
    bench.end(first)
    copy = bench.folder / "copy"
    copy.mkdir()
    with closing(sqlite3.connect(bench.spool)) as source, closing(sqlite3.connect(copy / "spool.db")) as target:
        source.backup(target)
    shutil.copyfile(f"{bench.spool}-lock", copy / "spool.db-lock")
    first = bench.start()
    bench.archives(300)
    second = bench.start(spool=copy / "spool.db")
    bench.most = 2
    bench.waits_for_log("goes on from a copy of the spool")
    bench.archives(600)
    bench.end(second)
    bench.archives(300)
    bench.end(first)
    return "once"

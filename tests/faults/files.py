"""The file of a SQLite archive is harmed under the daemon: in its middle, its length, its name, its mode."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from .bench import Bench
from .fault import SQLITE, Impossible, fault


def _copy(bench: Bench) -> Path:
    """A backup of the archive as it is now, by the program's own means."""
    target = bench.folder / "backup.db"
    process = bench.spawn("db", "backup", str(target))
    process.wait()
    assert process.returncode == 0, bench.log()
    return target


@fault(
    "the archive's file is overwritten in its middle while no daemon runs; then a backup is put back with db restore",
    "the next daemon says so; what the backup lacks is a gap",
    SQLITE,
)
def archive_corrupted(bench: Bench) -> str:
    process = bench.start()
    bench.archives(500)
    backup = _copy(bench)
    bench.archives(500)
    bench.end(process)
    size = bench.archive.stat().st_size
    with bench.archive.open("r+b") as file:
        for page in range(2, size // 4096, 2):
            file.seek(page * 4096)
            file.write(os.urandom(4096))
    process = bench.start()
    bench.until(lambda: bench.trouble("malformed"), "the damage is noticed")
    bench.hears(500)
    bench.end(process)
    bench.forget()
    restored = bench.spawn("db", "restore", str(backup))
    restored.wait()
    assert restored.returncode == 0, bench.log()
    bench.start()
    bench.archives(1_000)
    return "half of its pages"


@fault(
    "the archive's file is cut short; then a backup is copied over it",
    "it is noticed; what the backup lacks is a gap",
    SQLITE,
)
def archive_truncated(bench: Bench) -> str:
    bench.start()
    bench.archives(500)
    backup = _copy(bench)
    bench.archives(500)
    os.truncate(bench.archive, bench.archive.stat().st_size // 8192 * 4096)
    bench.until(lambda: any(map(bench.trouble, ("malformed", "written over", "cut short"))), "it is noticed")
    bench.hears(500)
    bench.forget()
    with backup.open("rb") as source, bench.archive.open("r+b") as target:
        shutil.copyfileobj(source, target)
        target.truncate()
    bench.archives(1_000)
    return "by half"


@fault("an older copy of the archive is moved into its place", "what it lacks is a gap", SQLITE)
def archive_replaced(bench: Bench) -> str:
    bench.start()
    for _ in range(bench.size.turns):
        bench.archives(300)
        backup = _copy(bench)
        bench.archives(300)
        os.replace(backup, bench.archive)
        bench.forget()
        # Whoever reads sooner has SQLite mix the new file with the log of the old one.
        bench.until(lambda: bench.trouble("replaced by another"), "it is noticed")
        bench.archives(500)
    return f"{bench.size.turns} times"


@fault(
    "the archive's file is deleted under the daemon, which is started again",
    "it waits for the file; the next start begins a new one with all that waited",
    SQLITE,
)
def archive_deleted(bench: Bench) -> str:
    process = bench.start()
    for _ in range(bench.size.turns):
        bench.archives(300)
        bench.archive.unlink()
        bench.forget()
        bench.until(lambda: bench.trouble("its file was removed"), "it is noticed")
        bench.hears(500)
        bench.end(process)
        bench.look_at_spool()
        process = bench.start()
        bench.archives(300)
    return f"{bench.size.turns} times"


@fault("the archive's file is made immutable between two runs, and writable again under the second", "", SQLITE)
def archive_read_only(bench: Bench) -> str:
    """Root may write everywhere, but not what is immutable."""
    process = bench.start()
    for _ in range(bench.size.turns):
        bench.archives(200)
        bench.end(process)
        files = [path for path in (bench.archive, *bench.archive.parent.glob("archive.db-*")) if path.exists()]
        if subprocess.run(["chattr", "+i", *map(str, files)], capture_output=True).returncode:
            raise Impossible("to make a file immutable takes root, and a file system that can")
        try:
            process = bench.start()
            bench.hears(500)
        finally:
            subprocess.run(["chattr", "-i", *map(str, files)], check=True)
        bench.archives(500)
    return f"{bench.size.turns} times"


@fault("the spool's file is deleted, or overwritten by another file, under the daemon", "it is written anew")
def spool_deleted(bench: Bench) -> str:
    bench.start()
    for turn in range(bench.size.turns):
        bench.archives(200)
        if turn % 2:
            other = bench.folder / "other"
            with closing(sqlite3.connect(other)) as connection:
                connection.execute("CREATE TABLE somebody (elses)")
            os.replace(other, bench.spool)
        else:
            bench.spool.unlink()
        bench.archives(300)
    return f"{bench.size.turns} times"

"""The figure of how soon an event can be asked for: from its receive time to a reader that sees its row."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles

from archiver.storage import migrate
from bench.blaster import blaster
from bench.figures import Figure
from bench.workshop import Lines, Workshop

PER_SECOND = 100.0
PATIENCE = 60.0
LOOK_EVERY = 0.001
PAGES = 5
"""An archive's commit of one event touches about so many pages, a spool's one."""


def figures(shop: Workshop, lines: Lines) -> list[Figure]:
    """The 99th percentile at a hundred events a second, against one commit to the spool and one to the archive.

    Both at the same pace, one after the other; the reader looks every millisecond.
    """
    delays = _streamed(shop, lines)
    commits = _commits(shop, lines.events)
    late, floor = (quantiles(taken, n=100)[98] for taken in (delays, commits))
    what = f"received to queryable, p99, {PER_SECOND:g} events/s"
    measured = f"{late:.1f} ms (median {median(delays):.1f} ms)"
    against = f"two bare commits: {floor:.1f} ms (median {median(commits):.1f} ms)"
    return [Figure(what, measured, against, late / floor, 3, at_most=True)]


def _streamed(shop: Workshop, lines: Lines) -> list[float]:
    archive = shop.path(".db")
    migrate.create(f"sqlite:///{archive}")
    with blaster(shop, lines, PER_SECOND) as server:
        command = shop.daemon(f"sqlite:///{archive}", server.url)
        with shop.process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            server.connected_at()
            return _delays(archive, lines.events)


def _delays(archive: Path, events: int) -> list[float]:
    """Milliseconds from `received_at` to the moment a reader sees the row, for each event."""
    delays: list[float] = []
    deadline = time.monotonic() + events / PER_SECOND + PATIENCE
    with closing(sqlite3.connect(f"file:{archive}?mode=ro", uri=True, isolation_level=None)) as reader:
        while len(delays) < events:
            if time.monotonic() > deadline:
                raise RuntimeError(f"only {len(delays)} of {events} events became queryable")
            rows = reader.execute("SELECT received_at FROM events WHERE id > ?", (len(delays),)).fetchall()
            seen = time.time()
            delays += [(seen - received * 1e-6) * 1000 for (received,) in rows]
            time.sleep(LOOK_EVERY)
    return delays


def _commits(shop: Workshop, number: int) -> list[float]:
    """Milliseconds that one commit to each of two files takes: of a page, and of a few."""
    taken: list[float] = []
    with closing(_file(shop.path(".db"))) as spool, closing(_file(shop.path(".db"))) as archive:
        for turn in range(number):
            began = time.perf_counter()
            for connection, pages in ((spool, 1), (archive, PAGES)):
                connection.execute("BEGIN IMMEDIATE")
                rows = [(turn * PAGES + page, bytes(3_000)) for page in range(pages)]
                connection.executemany("INSERT INTO pages VALUES (?, ?)", rows)
                connection.execute("COMMIT")
            spent = time.perf_counter() - began
            taken.append(spent * 1000)
            time.sleep(max(0.0, 1 / PER_SECOND - spent))
    return taken


def _file(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE pages (id INTEGER PRIMARY KEY, bytes BLOB)")
    return connection

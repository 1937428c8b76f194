"""The figure of how soon an event can be asked for: from its receive time to a reader that sees its row."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from statistics import median, quantiles

from archiver.model import to_datetime
from bench.blaster import blaster
from bench.figures import Figure
from bench.workshop import Lines, Workshop

PER_SECOND = 100.0
PATIENCE = 60.0
LOOK_EVERY = 0.001


def figures(shop: Workshop, lines: Lines) -> list[Figure]:
    """The 99th percentile at a hundred events a second, on SQLite, seen by a reader that looks every millisecond."""
    archive = shop.archive()
    with blaster(shop, lines, PER_SECOND) as server:
        command = shop.daemon(f"sqlite:///{archive}", server.url)
        with shop.process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            server.connected_at()
            delays = _delays(archive, lines.events)
    worst = quantiles(delays, n=100)[98]
    what = f"received to queryable, p99, {PER_SECOND:g} events/s"
    measured = f"{worst:.0f} ms (median {median(delays):.0f} ms)"
    return [Figure(what, measured, "", worst, 100, at_most=True, unit=" ms")]


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
            delays += [(seen - _seconds(received)) * 1000 for (received,) in rows]
            time.sleep(LOOK_EVERY)
    return delays


def _seconds(text: str) -> float:
    return type(to_datetime(0)).fromisoformat(text).timestamp()

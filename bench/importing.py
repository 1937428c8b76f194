"""Figures of `archiver import`: against the bare driver, against sqlite-utils, and the size of what it leaves."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

from archiver.transfer.reader import BATCH
from bench.figures import Figure, alternating
from bench.floors import sqlite_seconds
from bench.workshop import PYTHON, Lines, Workshop, discard


def figures(shop: Workshop, lines: Lines, finished: Path, rounds: int) -> list[Figure]:
    """Three ways to bring the same events into SQLite, in turn; `finished` is the archive they end up as."""
    inner: list[float] = []
    floor, whole, flat = alternating(
        rounds,
        lambda: _floor(shop, finished, BATCH),
        lambda: _import(shop, lines, inner),
        lambda: _sqlite_utils(shop, lines),
    )
    taken = median(inner)
    return [
        Figure(
            f"import, {lines.events:,} events",
            f"{lines.events / taken:,.0f}/s",
            f"raw executemany, same rows: {lines.events / floor:,.0f}/s",
            floor / taken,
            0.8,
        ),
        Figure(
            "the same, as a process",
            f"{lines.events / whole:,.0f}/s",
            f"sqlite-utils insert --nl: {lines.events / flat:,.0f}/s",
            flat / whole,
            1.0,
        ),
    ]


def _floor(shop: Workshop, finished: Path, batch: int) -> float:
    target = shop.archive()
    try:
        return sqlite_seconds(finished, target, batch)
    finally:
        discard(target)


def _import(shop: Workshop, lines: Lines, inner: list[float]) -> float:
    target = shop.archive()
    try:
        whole, within = shop.import_into(target, lines)
        inner.append(within)
        return whole
    finally:
        discard(target)


def _sqlite_utils(shop: Workshop, lines: Lines) -> float:
    target = shop.path(".db")
    try:
        return shop.seconds([PYTHON, "-m", "sqlite_utils", "insert", target, "events", lines.path, "--nl"])
    finally:
        discard(target)


def size(lines: Lines, finished: Path) -> Figure:
    """Bytes per event in the archive, all indexes included, against the event's line."""
    held = finished.stat().st_size / lines.events
    line = lines.bytes_per_event
    what = f"bytes per event, SQLite, {lines.events:,} events"
    return Figure(what, f"{held:.0f}", f"the JSON line: {line:.0f}", held / line, 0.9, at_most=True)


def main(archive: str, lines: str, within: str) -> None:
    """What `archiver import` does; writes down how long it took but for the start of the process."""
    from archiver.cli import main as archiver

    began = time.perf_counter()
    code = archiver(["--database", f"sqlite:///{archive}", "import", lines])
    Path(within).write_text(str(time.perf_counter() - began))
    raise SystemExit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])

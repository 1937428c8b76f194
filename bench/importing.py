"""Figures of `archiver import`: against the bare driver, against sqlite-utils, and the size of what it leaves."""

from __future__ import annotations

from pathlib import Path

from bench.figures import Figure, alternating
from bench.floors import sqlite_seconds
from bench.workshop import PYTHON, Lines, Workshop, discard


def figures(shop: Workshop, lines: Lines, finished: Path, rounds: int, batch: int) -> list[Figure]:
    """Three ways to bring the same events into SQLite, in turn; `finished` is the archive they end up as."""
    floor, taken, flat = alternating(
        rounds,
        lambda: _floor(shop, finished, batch),
        lambda: _import(shop, lines),
        lambda: _sqlite_utils(shop, lines),
    )
    measured = f"{lines.events / taken:,.0f}/s"
    return [
        Figure(
            f"import, {lines.events:,} events",
            measured,
            f"raw executemany, same rows: {lines.events / floor:,.0f}/s",
            floor / taken,
            0.8,
        ),
        Figure("the same", measured, f"sqlite-utils insert --nl: {lines.events / flat:,.0f}/s", flat / taken, 1.0),
    ]


def _floor(shop: Workshop, finished: Path, batch: int) -> float:
    target = shop.archive()
    try:
        return sqlite_seconds(finished, target, batch)
    finally:
        discard(target)


def _import(shop: Workshop, lines: Lines) -> float:
    target = shop.archive()
    try:
        return shop.import_into(target, lines)
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

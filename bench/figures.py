"""One measured figure beside its floor or peer, and the table of all of them."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

HEADINGS = ("what", "measured", "against", "ratio", "bar", "")


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table: `ratio` is held against `bar`, which it must reach, or (`at_most`) must not exceed."""

    what: str
    measured: str
    against: str
    ratio: float
    bar: float
    at_most: bool = False
    unit: str = ""

    @property
    def kept(self) -> bool:
        """Whether the bar is kept."""
        return self.ratio <= self.bar if self.at_most else self.ratio >= self.bar

    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        bar = f"{'≤' if self.at_most else '≥'} {self.bar:g}{self.unit}"
        verdict = "ok" if self.kept else "MISSED"
        return (self.what, self.measured, self.against, f"{self.ratio:.2f}{self.unit}", bar, verdict)


def alternating(rounds: int, *measures: Callable[[], float]) -> list[float]:
    """The median of each measure, all of them run in turn: a noisy machine is noisy for every one of them."""
    results: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for measure, taken in zip(measures, results, strict=True):
            taken.append(measure())
    return [median(taken) for taken in results]


def markdown(figures: Sequence[Figure]) -> str:
    """All rows as a Markdown table, its columns aligned so that it reads as plain text too."""
    rows = [HEADINGS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def machine() -> str:
    """The machine in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def say(text: str) -> None:
    """A line about how it goes, beside the results."""
    print(text, file=sys.stderr, flush=True)

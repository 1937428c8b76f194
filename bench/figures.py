"""One measured figure beside its floor or peer, and how a table of them is written."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from bench.costs import Cost, middle


class Row(Protocol):
    """One row of a table of results."""

    @property
    def what(self) -> str:
        """What was measured."""

    @property
    def kept(self) -> bool:
        """Whether its bar is kept."""

    @property
    def verdict(self) -> str:
        """The result beside the bar, in words."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table: `ratio` is held against `bar`, which it must reach, or (`at_most`) must not exceed."""

    what: str
    measured: str
    against: str
    ratio: float
    bar: float | None
    """None: shown for comparison."""
    at_most: bool = False
    unit: str = ""

    HEADINGS: ClassVar = ("what", "measured", "against", "ratio", "bar", "")

    @property
    def kept(self) -> bool:
        """Whether the bar is kept."""
        if self.bar is None:
            return True
        return self.ratio <= self.bar if self.at_most else self.ratio >= self.bar

    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        judged = "" if self.bar is None else "ok" if self.kept else "MISSED"
        return (self.what, self.measured, self.against, f"{self.ratio:.2f}{self.unit}", self._wanted, judged)

    @property
    def verdict(self) -> str:
        """The result beside the bar, in words."""
        return f"{self.measured}, {self.against or 'at all'}: {self.ratio:.2f}{self.unit}, wanted {self._wanted}"

    @property
    def _wanted(self) -> str:
        return "" if self.bar is None else f"{'≤' if self.at_most else '≥'} {self.bar:g}{self.unit}"


def alternating(rounds: int, *measures: Callable[[], Cost]) -> list[Cost]:
    """The median of each measure, all of them run in turn: a noisy machine is noisy for every one of them."""
    results: list[list[Cost]] = [[] for _ in measures]
    for _ in range(rounds):
        for measure, taken in zip(measures, results, strict=True):
            taken.append(measure())
    return [middle(taken) for taken in results]


def micros(seconds: float, events: int) -> str:
    """Microseconds an event."""
    return f"{seconds / events * 1e6:.1f} µs"


def rate(seconds: float, events: int) -> str:
    """Events a second."""
    return f"{events / seconds:,.0f}/s"


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its columns aligned so that it reads as plain text too."""
    rows = [headings, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(headings))]
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

"""Says on stderr how far long work has come, how fast it goes, and how long it will still take."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import typer

from archiver.cli.common import chosen
from archiver.cli.presentation import is_terminal

_LINE_EVERY = 10.0
"""Seconds between two lines where they cannot be written over."""


class ProgressLine:
    """One line that is written over on a terminal; elsewhere a new one now and then."""

    def __init__(self, out: TextIO, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._monotonic = monotonic
        self._is_over = is_terminal(out)
        self._first: tuple[float, int] | None = None
        self._shown = monotonic()

    def show(self, progress: tuple[int, int]) -> None:
        """Takes how many rows are done, and how many there are."""
        done, total = progress
        now = self._monotonic()
        if self._first is None:  # what an earlier run did says nothing of the rate
            self._first = now, done
        if self._is_over or now - self._shown >= _LINE_EVERY:
            self._shown = now
            since, before = self._first
            line = _said(done, total, now - since, done - before)
            print(f"\r\x1b[K{line}" if self._is_over else line, end="" if self._is_over else "\n", file=self._out)
            self._out.flush()

    def end(self) -> None:
        """Leaves the terminal as it was."""
        if self._is_over:
            print("\r\x1b[K", end="", file=self._out, flush=True)


def _said(done: int, total: int, seconds: float, fresh: int) -> str:
    line = f"{done:,} of {total:,} rows"
    if seconds <= 0 or fresh <= 0:
        return line
    rate = fresh / seconds
    left = round((total - done) / rate)
    minutes, rest = divmod(left, 60)
    return f"{line}, {rate:,.0f} a second, {f'{minutes:,} min' if minutes else f'{rest} s'} to go"


@contextmanager
def progressing(ctx: typer.Context) -> Iterator[Callable[[tuple[int, int]], None] | None]:
    """What shows the progress of the work within; None with `-q`."""
    if sys.stderr is None or chosen(ctx).quiet:
        yield None
        return
    line = ProgressLine(sys.stderr)
    try:
        yield line.show
    finally:
        line.end()

"""Folds what repeats in a table into one row, so that it does not hide the one that does not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from archiver.cli import times
from archiver.cli.listing.columns import Column
from archiver.cli.presentation import Presentation

T = TypeVar("T")

SHOWN = 5
"""So many of a kind stand as they are; the last of them for all that follow."""
NEAR = 32
"""A repetition is what comes again within so many records."""
HELD = 1_000
"""So many rows are held back at most, until it is known how often one repeats."""


@dataclass(slots=True)
class Repeated(Generic[T]):
    """A record, and how often it came from then on."""

    record: T
    times: int = 1
    until: datetime | None = None


@dataclass(slots=True)
class _Run(Generic[T]):
    """Records of one kind, each near the one before."""

    last: int
    count: int = 0
    row: Repeated[T] | None = None
    """The row that stands for those beyond `SHOWN`."""


def fold(
    records: Iterable[T], key: Callable[[T], Hashable | None], at: Callable[[T], datetime]
) -> Iterator[Repeated[T]]:
    """The records in their order, those that repeat as one row; `key` says which are the same, None: it never repeats.

    A row of repetitions stands where they begin. The work is that of one look at each record.
    """
    runs: dict[Hashable, _Run[T]] = {}  # the one that was met last comes last
    held: deque[tuple[Repeated[T], _Run[T] | None]] = deque()
    for number, record in enumerate(records):
        same = key(record)
        run = runs.pop(same, None) or _Run(number)
        run.count, run.last = run.count + 1, number
        if same is not None:
            runs[same] = run
        if run.row is not None:
            run.row.times, run.row.until = run.row.times + 1, at(record)
        else:
            row = Repeated(record)
            run.row = row if run.count == SHOWN else None
            held.append((row, run if run.row else None))
        _end_old(runs, number)
        yield from _ready(held, number)
    yield from (row for row, _ in held)


def _end_old(runs: dict[Hashable, _Run[T]], number: int) -> None:
    """What has not come again for a while begins anew when it does."""
    while runs and number - runs[first := next(iter(runs))].last >= NEAR:
        del runs[first]


def _ready(held: deque[tuple[Repeated[T], _Run[T] | None]], number: int) -> Iterator[Repeated[T]]:
    """The first rows of which it is known how often they repeat; those too long held stand as they are by now."""
    while held:
        row, run = held[0]
        if run is not None and number - run.last < NEAR:
            if len(held) <= HELD:
                return
            run.row, run.count = None, SHOWN - 1
        held.popleft()
        yield row


def folded(columns: Sequence[Column[T]], name: str) -> list[Column[Repeated[T]]]:
    """The columns of a table for rows that may stand for several records: the column `name` says for how many."""
    return [_of_repeated(column, says=column.name == name) for column in columns if column.table]


def _of_repeated(column: Column[T], *, says: bool) -> Column[Repeated[T]]:
    def value(row: Repeated[T]) -> Any:
        return column.value(row.record)

    def shown(presentation: Presentation, row: Repeated[T]) -> str:
        text = column.shown(presentation, row.record)
        return f"{text} {_how_often(presentation, row)}" if says and row.times > 1 else text

    def style(row: Repeated[T]) -> str:
        return column.style(row.record) if column.style else ""

    return column._replace(value=value, human=shown, style=style)  # type: ignore[arg-type, return-value]


def _how_often(presentation: Presentation, row: Repeated[T]) -> str:
    until = "" if row.until is None else f" until {times.clock(row.until, presentation.now, presentation.zone)}"
    return f"({row.times:,} times{until})"


def left_out(rows: Iterable[Repeated[Any]]) -> int:
    """How many records the rows do not show."""
    return sum(row.times - 1 for row in rows)

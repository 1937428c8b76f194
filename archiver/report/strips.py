"""The worst of each column: how a stretch of time is drawn where there is more in it than there is room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from math import ceil

from archiver.report.pieces import Bounds, Piece

KINDS = ("gone", "up", "other", "starting", "down")
"""What kind a state is, the worst last; `other` is of no kind."""

NOTHING = 0


def place_of(kind: str | None) -> int:
    """The place of a kind among all."""
    return KINDS.index(kind) if kind in KINDS else KINDS.index("other")


def rank(kind: str | None, certain: bool) -> int:
    """How bad a state is: 0 is none, then two for each kind, the second for what is not certain."""
    return 2 * place_of(kind) + (1 if certain else 2)


def kind_of_rank(rank: int) -> tuple[str, bool]:
    """The kind that a rank other than 0 stands for, and whether it is certain."""
    return KINDS[(rank - 1) // 2], rank % 2 == 1


def columns(pieces: Iterable[Piece], within: Bounds, count: int) -> bytearray:
    """Of each of so many columns the worst rank; what lasts no time at all takes a column as well."""
    worst = bytearray(count)
    begin, scale = _scale(within, count)
    for piece in pieces:
        first = min(max(0, int((piece.since.timestamp() - begin) * scale)), count - 1)
        last = min(count, max(first + 1, ceil((piece.until.timestamp() - begin) * scale)))
        value = rank(piece.span.kind, piece.certain)
        for column in range(first, last):
            if worst[column] < value:
                worst[column] = value
    return worst


def _scale(within: Bounds, count: int) -> tuple[float, float]:
    """Where the columns begin, in seconds, and how many there are in one."""
    begin = within.since.timestamp()
    return begin, count / (within.until.timestamp() - begin)


def covered(stretches: Iterable[tuple[datetime, datetime]], within: Bounds, count: int) -> bytearray:
    """Of each column whether any of some stretches touches it."""
    touched = bytearray(count)
    begin, scale = _scale(within, count)
    for since, until in stretches:
        first = max(0, int((since.timestamp() - begin) * scale))
        last = min(count, max(first + 1, ceil((until.timestamp() - begin) * scale)))
        touched[first:last] = b"\x01" * max(0, last - first)
    return touched


def runs(columns: bytes | bytearray) -> Iterator[tuple[int, int, int]]:
    """The stretches of equal columns that hold anything, as (first, behind the last, value)."""
    first = 0
    for column in range(1, len(columns) + 1):
        if column < len(columns) and columns[column] == columns[first]:
            continue
        if columns[first] != NOTHING:
            yield first, column, columns[first]
        first = column

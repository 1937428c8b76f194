"""Aligned tables for a person: columns as wide as what is in them, or as the terminal allows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import TypeVar

from archiver.cli.listing.alike import Table, said_once
from archiver.cli.listing.columns import SUBJECTS, Column
from archiver.cli.listing.cutting import KEYED, cut, untyped, width, wrapped
from archiver.cli.listing.widths import READABLE, TOLD_APART, excess, narrowed
from archiver.cli.presentation import NOTHING, Presentation

T = TypeVar("T")

MEASURED_ROWS = 1_000
"""A table takes its widths from so many rows, and streams on from there."""


def table_lines(
    presentation: Presentation, columns: Sequence[Column[T]], records: Iterable[T], *, measure: int = MEASURED_ROWS
) -> Iterator[str]:
    """Aligned columns under a head; nothing at all when there are no records.

    Where a terminal is too narrow, lines above the head say what all rows have in common; a last column that wraps
    stands below its row where there is no room beside.
    """
    rows = iter(records)
    first = [(record, [column.shown(presentation, record) for column in columns]) for record in islice(rows, measure)]
    if not first:
        return
    room = presentation.columns
    if room is None:
        yield from _aligned(presentation, columns, first, rows, _widths(columns, first))
        return
    instants = _of_instants(columns, [record for record, _ in first])
    if len(first) < measure:
        table = said_once(
            Table([*columns], first), instants, lambda each: _fits(each, room), chosen=bool(presentation.fields)
        )
        columns, first = table.columns, table.rows
        yield from (line for text in table.said() for line in wrapped(text, room))
    yield from _aligned(presentation, columns, first, rows, _fitted(columns, first, room, instants))


def _fits(table: Table[T], room: int) -> bool:
    return excess(_widths(table.columns, table.rows), room) <= 0


def _widths(columns: Sequence[Column[T]], rows: Sequence[tuple[T, list[str]]], *, heads: bool = True) -> list[int]:
    """How wide columns are, of which the heads have all words in one line or, without `heads`, one in each."""
    shown = [[column.heading] if heads else column.heading.split() for column in columns]
    cells = zip(*(cells for _, cells in rows), strict=True)
    return [max(map(width, chain(head, column))) for head, column in zip(shown, cells, strict=True)]


def _fitted(
    columns: Sequence[Column[T]], rows: Sequence[tuple[T, list[str]]], room: int, instants: Collection[str]
) -> list[int]:
    """The widths with which a table fits; where the last column is to stand below its rows, those of all others."""
    whole, widths = _widths(columns, rows), _widths(columns, rows, heads=False)
    if excess(whole, room) <= 0:
        return whole
    if columns[-1].wraps and len(columns) > 1:
        for fitting in (whole, widths):
            if (beside := room - sum(fitting[:-1]) - 2 * len(fitting[:-1])) >= READABLE:
                return [*fitting[:-1], min(beside, fitting[-1])]
        widths = widths[:-1]
    of_instants = [place for place, column in enumerate(columns) if column.name in instants]
    subjects = {place: _told_apart(rows, place) for place, each in enumerate(columns) if each.name in SUBJECTS}
    for place in subjects:
        needed = max(len(columns[place].heading), *(untyped(cells[place]) for _, cells in rows))
        widths[place] = min(widths[place], max(needed, widths[place] - max(excess(widths, room), 0)))
    return narrowed(widths, room, of_instants, subjects)


def _told_apart(rows: Sequence[tuple[T, list[str]]], place: int) -> int:
    """How much of a column there must be to tell what rows are about: no type, of a long name a part, all of a key."""
    texts = [cells[place] for _, cells in rows]
    keyed = (untyped(text) for text in texts if re.fullmatch(KEYED, text))
    named = min(max(map(untyped, texts)), TOLD_APART)
    return max(named, min(max(keyed, default=0), 2 * TOLD_APART))


def _aligned(
    presentation: Presentation,
    columns: Sequence[Column[T]],
    first: Sequence[tuple[T, list[str]]],
    rows: Iterator[T],
    widths: list[int],
) -> Iterator[str]:
    """The head and the rows, those that were measured and those that follow."""
    beside = columns[: len(widths)]
    yield from _head(presentation, columns, widths)
    for record, cells in chain(first, ((row, [column.shown(presentation, row) for column in columns]) for row in rows)):
        styles = [column.style(record) if column.style else "" for column in beside] if presentation.color else None
        shown, below = cells[: len(widths)], cells[len(widths) :]
        more: list[str] = []
        if presentation.columns is not None and beside[-1].wraps:
            shown[-1], *more = wrapped(shown[-1], widths[-1])
        yield _table_line(shown, widths, beside, styles, presentation)
        yield from (" " * (sum(widths[:-1]) + 2 * len(widths[:-1])) + line for line in more)
        for text in below:
            if text not in ("", NOTHING):
                yield from (_BELOW + line for line in wrapped(text, (presentation.columns or 0) - len(_BELOW)))


_BELOW = "    "
"""What stands before a cell that has no room beside the others of its row."""


def _head(presentation: Presentation, columns: Sequence[Column[T]], widths: list[int]) -> Iterator[str]:
    """The heads in as many lines as the longest takes, which ends in the last of them."""
    beside = columns[: len(widths)]
    heads = [_words(column.heading, room) for column, room in zip(beside, widths, strict=True)]
    most = max(map(len, heads))
    for line in zip(*([""] * (most - len(head)) + head for head in heads), strict=True):
        yield _table_line(line, widths, beside, presentation=presentation)
    yield from (_BELOW + column.heading for column in columns[len(widths) :])


def _words(text: str, room: int) -> list[str]:
    """A text in lines of so many cells, in which a word that is longer stays whole."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".lstrip()
    return lines


def _table_line(
    cells: Sequence[str],
    widths: Sequence[int],
    columns: Sequence[Column[T]],
    styles: Sequence[str] | None = None,
    presentation: Presentation | None = None,
) -> str:
    shown = []
    for index, (cell, room, column) in enumerate(zip(cells, widths, columns, strict=True)):
        if presentation is not None and presentation.columns is not None:
            cell = cut(cell, room, ascii=presentation.ascii)
        text = presentation.paint(cell, styles[index]) if presentation and styles else cell
        space = " " * (room - width(cell))
        shown.append(space + text if column.right else text + space)
    return "  ".join(shown).rstrip()


_LOOKED_AT = 20


def _of_instants(columns: Sequence[Column[T]], records: Sequence[T]) -> Collection[str]:
    """The names of the columns of which a cut cell says nothing: those of instants."""
    return {
        column.name
        for column in columns
        if any(isinstance(column.value(record), datetime) for record in records[:_LOOKED_AT])
    }

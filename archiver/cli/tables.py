"""Aligned tables for a person: columns as wide as what is in them, or as the terminal allows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import TypeVar

from archiver.cli.columns import Column
from archiver.cli.presentation import Presentation

T = TypeVar("T")

MEASURED_ROWS = 1_000
"""A table takes its widths from so many rows, and streams on from there."""


def table_lines(
    presentation: Presentation, columns: Sequence[Column[T]], records: Iterable[T], *, measure: int = MEASURED_ROWS
) -> Iterator[str]:
    """Aligned columns under a head; nothing at all when there are no records."""
    rows = iter(records)
    first = [(record, [column.shown(presentation, record) for column in columns]) for record in islice(rows, measure)]
    if not first:
        return
    heads = [column.name.upper().replace("_", " ") for column in columns]
    widths = [max(map(width, cells)) for cells in zip(heads, *(cells for _, cells in first), strict=True)]
    if presentation.columns is not None:
        subjects = [place for place, column in enumerate(columns) if column.name in _SUBJECTS]
        instants = _of_instants(columns, [record for record, _ in first])
        widths = narrowed(widths, presentation.columns, instants, subjects)
    yield _table_line(heads, widths, columns, presentation=presentation)
    for record, cells in chain(first, ((row, [column.shown(presentation, row) for column in columns]) for row in rows)):
        styles = [column.style(record) if column.style else "" for column in columns] if presentation.color else None
        last, *more = _wrapped(cells[-1], widths[-1]) if presentation.columns and columns[-1].wraps else cells[-1:]
        yield _table_line([*cells[:-1], last], widths, columns, styles, presentation)
        yield from (" " * (sum(widths[:-1]) + 2 * len(widths[:-1])) + line for line in more)


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


LEAST = 8
"""Cells of a column that are left whatever the terminal has."""
READABLE = 12
"""So far a column gives way before one of instants does, or one that says what a row is about."""
SPARE = 10
"""So far it does before what a row is about is cut short."""
TOLD_APART = 20
"""What of such a column is left until there is nothing else to be had."""
_INSTANTS = (30, 16, 10)
"""How wide instants are: whole, without their year, without their day."""
_SUBJECTS = frozenset({"what", "resource", "name"})
"""Which columns those are: where they are cut short, one row cannot be told from another."""


def _of_instants(columns: Sequence[Column[T]], records: Sequence[T]) -> Collection[int]:
    """The columns of which a cut cell says nothing: those of instants."""
    return [
        place
        for place, column in enumerate(columns)
        if any(isinstance(column.value(record), datetime) for record in records[:_LOOKED_AT])
    ]


_LOOKED_AT = 20


def narrowed(
    widths: Sequence[int], room: int, instants: Collection[int] = (), subjects: Sequence[int] = ()
) -> list[int]:
    """The widths of columns that fit into so many cells with two between each: the widest give way first.

    Those of subjects and of instants do only when all others have, down to what can be read still.
    """
    everything = range(len(widths))
    others = [place for place in everything if place not in instants and place not in subjects]
    fitting = list(widths)
    for most in _INSTANTS:
        fitting = [min(each, most) if place in instants else each for place, each in enumerate(widths)]
        fitting = _narrowed(fitting, room, others, READABLE)
        fitting = _narrowed(fitting, room, subjects, TOLD_APART)
        if _excess(fitting, room) <= 0:
            break
    if subjects:
        fitting = _narrowed(fitting, room, others, SPARE)
    return _narrowed(fitting, room, everything, LEAST)


def _excess(widths: Sequence[int], room: int) -> int:
    return sum(widths) + 2 * (len(widths) - 1) - room


def _narrowed(fitting: list[int], room: int, places: Sequence[int], floor: int) -> list[int]:
    """The widths, of which those in some places give way, as far as that."""
    excess = _excess(fitting, room)
    while excess > 0 and places:
        widest = max(places, key=fitting.__getitem__)
        rest = max((fitting[place] for place in places if place != widest), default=0)
        least = max(floor, fitting[widest] - excess, min(rest, fitting[widest] - 1))
        if least >= fitting[widest]:
            break
        excess -= fitting[widest] - least
        fitting[widest] = least
    return fitting


def cut(text: str, room: int, *, ascii: bool = False) -> str:
    """A text in so many cells: what is too much goes from its middle, as the end of an id tells more than that.

    Of a type before a name or a key it goes from the type.
    """
    if width(text) <= room:
        return text
    mark = ".." if ascii else "…"
    if (found := re.fullmatch(_INSTANT, text)) is not None:
        return next((short for short in _shorter(mark, *found.groups()) if len(short) <= room), text[-room:])
    if (found := re.fullmatch(_TYPED, text)) is not None:
        kind, rest = found.groups()
        if (left := room - width(rest) - len(mark)) >= _KIND_LEFT:
            return _beginning(kind, left) + mark + rest
    tail = (room - len(mark) + 1) // 2
    head = room - len(mark) - tail
    return _beginning(text, head) + mark + _beginning(text[::-1], tail)[::-1]


_TYPED = r"([a-z]+)([ /][^ ].*)"
_KIND_LEFT = 2
_INSTANT = r"([0-9]{4}-)([0-9-]{5} )([0-9]{2}:[0-9]{2})(:[0-9]{2})(?:\.[0-9]+)?(Z|[+-][0-9:]{5})?"


def _shorter(mark: str, year: str, day: str, clock: str, second: str, zone: str | None) -> Iterator[str]:
    """An instant in ever fewer cells: what is far from the clock goes first, and of the clock the seconds last."""
    yield f"{year}{day}{clock}{second}{zone or ''}"
    yield f"{mark}{day}{clock}{second}{zone or ''}"
    yield f"{mark}{day}{clock}{second}"
    yield f"{mark}{clock}{second}{zone or ''}"
    yield f"{mark}{clock}{second}"
    yield f"{mark}{clock}"


def _wrapped(text: str, room: int) -> list[str]:
    """A text in lines of so many cells."""
    if width(text) <= room:
        return [text]
    from textwrap import wrap

    return wrap(text, room) or [text]


def _beginning(text: str, room: int) -> str:
    end = taken = 0
    for char in text:
        taken += width(char)
        if taken > room:
            break
        end += 1
    return text[:end]


def width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)

"""What is the same in every row of a table is said once above it, where a terminal is too narrow to repeat it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Generic, NamedTuple, TypeVar

from archiver.cli.listing.columns import SUBJECTS, Column
from archiver.cli.presentation import NOTHING

T = TypeVar("T")

LONG = 12
"""A column of one value, if there is one, gives way where that is longer than this."""
EMPTY = frozenset({"", "0", NOTHING})
_INSTANT = r"([0-9]{4}-[0-9]{2}-[0-9]{2} )([0-9:]{8}(?:\.[0-9]+)?)(Z|[+-][0-9:]{5,8})"


class Table(NamedTuple, Generic[T]):
    """Columns and the rows with their cells; `day` and `same` are what is said above them."""

    columns: list[Column[T]]
    rows: list[tuple[T, list[str]]]
    day: str = ""
    same: tuple[str, ...] = ()

    def said(self) -> Iterator[str]:
        """What all rows have in common, and do not show."""
        if self.day:
            yield f"all times are of {self.day}"
        if self.same:
            yield f"in every row: {', '.join(self.same)}"


def said_once(
    table: Table[T], instants: Collection[str], fits: Callable[[Table[T]], bool], *, chosen: bool = False
) -> Table[T]:
    """The table without what is the same in all its rows, as far as that takes until it `fits`.

    First the day of the `instants`, the columns of that name; then columns in which there is nothing, or 0; then long
    ones. What a row is about stays, and columns that somebody has `chosen`.
    """
    if fits(table):
        return table
    table = _without_day(table, instants)
    for column in () if chosen else _alike(table, instants):
        if fits(table) or len(table.columns) == 1:
            break
        table = _without(table, column)
    return table


def _without_day(table: Table[T], instants: Collection[str]) -> Table[T]:
    places = [place for place, column in enumerate(table.columns) if column.name in instants]
    found = {
        (number, place): re.fullmatch(_INSTANT, cells[place])
        for number, (_, cells) in enumerate(table.rows)
        for place in places
    }
    days = {each.group(1, 3) for each in found.values() if each}
    if len(days) != 1:
        return table
    day, zone = days.pop()
    rows = [(record, list(cells)) for record, cells in table.rows]
    for (number, place), each in found.items():
        if each:
            rows[number][1][place] = each[2]
    return table._replace(rows=rows, day=day + ("UTC" if zone == "Z" else zone))


def _alike(table: Table[T], instants: Collection[str]) -> list[Column[T]]:
    """The columns with the same in every row: those first that have nothing, then the longest."""
    found = []
    for place, column in enumerate(table.columns):
        cells = {cells[place] for _, cells in table.rows}
        if len(cells) > 1:
            continue
        if cells <= EMPTY:
            found.append((0, place, column))
        elif column.name not in SUBJECTS | set(instants) and not column.wraps and (length := len(max(cells))) > LONG:
            found.append((-length, place, column))
    return [column for _, _, column in sorted(found, key=lambda each: (each[0] < 0, *each[:2]))]


def _without(table: Table[T], column: Column[T]) -> Table[T]:
    place = table.columns.index(column)
    said = f"{column.heading} {table.rows[0][1][place] or NOTHING}"
    rows = [(record, cells[:place] + cells[place + 1 :]) for record, cells in table.rows]
    columns = table.columns[:place] + table.columns[place + 1 :]
    return table._replace(columns=columns, rows=rows, same=(*table.same, said))

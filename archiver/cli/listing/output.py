"""Renders every listing in the format that is wanted, streaming and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from archiver.cli.escape import escape
from archiver.cli.listing.cells import plain_cell, to_json
from archiver.cli.listing.columns import Column, as_record, kept_columns
from archiver.cli.listing.machine import csv_lines, json_lines, tsv_lines
from archiver.cli.listing.tables import MEASURED_ROWS, table_lines
from archiver.cli.presentation import Presentation

T = TypeVar("T")


def render(
    presentation: Presentation,
    columns: Sequence[Column[T]],
    records: Iterable[T],
    *,
    measure: int = MEASURED_ROWS,
    endless: bool = False,
) -> Iterator[str]:
    """The lines of a listing in the format asked for; a table waits for `measure` records before its first line.

    Of references alone each is there once, unless the records are `endless`: then each record is news.
    Raises UsageError, before the first record is asked for, for a field that the records do not have.
    """
    kept = kept_columns(presentation, columns)
    records = turned(presentation, records)
    if presentation.format == "table":
        return table_lines(presentation, kept, records, measure=measure)
    if presentation.format == "plain":
        return ("\t".join(plain_cell(column.value(record)) for column in kept) for record in records)
    if presentation.format == "csv":
        return csv_lines(kept, records)
    if presentation.format == "tsv":
        return tsv_lines(kept, records)
    if presentation.format == "name":
        names = (name for record in records if (name := kept[0].value(record)) is not None)
        return map(escape, names if endless else _each_once(names))
    rows = (to_json(as_record(kept, record)) for record in records)
    return rows if presentation.format == "jsonl" else json_lines(rows)


def _each_once(names: Iterable[str]) -> Iterator[str]:
    """The references to be piped on: who asks about each wants none twice."""
    seen: set[str] = set()
    for name in names:
        if name not in seen:
            seen.add(name)
            yield name


MOST_TURNED = 100_000
"""Records that are held in order to begin with the last."""


def turned(presentation: Presentation, records: Iterable[T]) -> Iterable[T]:
    """The records, the last first where that is wanted. Raises UsageError when they are too many to be held."""
    if not presentation.reverse:
        return records
    held = list(islice(records, MOST_TURNED + 1))
    if len(held) > MOST_TURNED:
        from archiver.errors import UsageError

        reason = f"there are more than {MOST_TURNED:,} to be turned round"
        raise UsageError(reason=reason, hint="ask about less, with --since or -n, or leave out --reverse")
    return reversed(held)


def blocks(answers: Iterable[Iterable[str]]) -> Iterator[str]:
    """Several answers for a person, one below the other."""
    for number, lines in enumerate(answers):
        if number:
            yield ""
        yield from lines

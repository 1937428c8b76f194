"""Listings for programs: lists and objects of JSON, CSV, TSV; however long they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from archiver.cli.listing.cells import csv_value, plain_cell, to_json
from archiver.cli.listing.columns import Column
from archiver.cli.presentation import Presentation

T = TypeVar("T")


def documents(presentation: Presentation, texts: Iterable[str]) -> Iterator[str]:
    """Several JSON documents: as one list, or one a line."""
    return iter(texts) if presentation.format == "jsonl" else json_lines(texts)


def json_lines(rows: Iterable[str]) -> Iterator[str]:
    held: str | None = None
    for row in rows:
        yield "[" if held is None else f"  {held},"
        held = row
    if held is None:
        yield "[]"
    else:
        yield f"  {held}"
        yield "]"


def enclosed(head: dict[str, Any], name: str, rows: Iterable[str]) -> Iterator[str]:
    """A JSON object whose last value is a list, however long: each of its rows is JSON already."""
    begun = f'{to_json(head)[:-1]}, "{name}": ['
    held: str | None = None
    for row in rows:
        yield begun if held is None else f"  {held},"
        held = row
    if held is None:
        yield begun + "]}"
    else:
        yield f"  {held}"
        yield "]}"


def csv_lines(columns: Sequence[Column[T]], records: Iterable[T]) -> Iterator[str]:
    import csv
    import io

    line = io.StringIO()
    writer = csv.writer(line, lineterminator="")
    heads = [[column.name for column in columns]]
    for row in chain(heads, ([csv_value(column.value(record)) for column in columns] for record in records)):
        line.seek(0)
        line.truncate()
        writer.writerow(row)
        yield line.getvalue()


def tsv_lines(columns: Sequence[Column[T]], records: Iterable[T]) -> Iterator[str]:
    yield "\t".join(column.name for column in columns)
    for record in records:
        values = (column.value(record) for column in columns)
        yield "\t".join("" if value is None or value == "" else plain_cell(value) for value in values)

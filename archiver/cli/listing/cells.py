"""One value of a record, as text, as a cell of CSV, as JSON."""

from __future__ import annotations

from typing import Any

from archiver.cli.escape import csv_cell, escape
from archiver.cli.presentation import NOTHING
from archiver.report.documents import machine_value


def plain_cell(value: Any) -> str:
    """A value in plain text: one line without tabs, `-` for nothing."""
    value = _text(value, ",")
    return NOTHING if value is None or value == "" else escape(str(value))


def _text(value: Any, between: str) -> Any:
    """A value where a cell is one text: words with something between them, and what has parts as JSON has it."""
    if isinstance(value, tuple) and all(isinstance(each, str) for each in value):
        return between.join(value)
    return to_json(value) if isinstance(value, (bool, dict, list, tuple)) else machine_value(value)


def csv_value(value: Any) -> Any:
    value = _text(value, " ")
    return csv_cell(value) if isinstance(value, str) else value


def to_json(value: Any, *, indent: int | None = None, between: str | None = None) -> str:
    """JSON in printable ASCII, so that it may go to a terminal as it is; `between`: what stands between its items."""
    import json  # for people nothing is written so, and for TAB nothing at all

    separators = None if between is None else (between, ": ")
    return json.dumps(value, indent=indent, separators=separators, default=machine_value).replace("\x7f", "\\u007f")

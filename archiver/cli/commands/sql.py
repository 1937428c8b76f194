"""`archiver sql`: one SELECT of one's own, over the views, read-only."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archiver.cli.asking.question import Question, question
from archiver.cli.common import examples
from archiver.cli.escape import csv_cell, escape
from archiver.cli.listing.cells import to_json
from archiver.cli.listing.columns import Column
from archiver.cli.listing.output import render
from archiver.cli.once import OnceCommand
from archiver.cli.presentation import Format
from archiver.cli.writing import write_lines
from archiver.errors import BadInput, UsageError

if TYPE_CHECKING:
    from archiver.queries.free import Answer

SECONDS = 60.0
LONGEST = 1 << 20
"""Bytes of a statement on standard input."""

Statement = Annotated[
    str,
    typer.Argument(
        metavar="SELECT",
        help="One SELECT over the views, as in docs/sql.md; - reads it from standard input.",
        show_default=False,
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=0,
        metavar="SECONDS",
        help="How long the database may be busy with it; 0: as long as it takes.",
    ),
]


_COMMENT = re.compile(r"--(?:\s|[^=]*\n)")


class StatementCommand(OnceCommand):
    """A command whose statement may begin with a comment, which looks like an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Moves such a statement behind the options."""
        place = next((place for place, each in enumerate(args) if each == "--" or _COMMENT.match(each)), None)
        if place is not None and args[place] != "--":
            args = [*args[:place], *args[place + 1 :], "--", args[place]]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "sql",
        cls=StatementCommand,
        epilog=examples(
            "archiver sql 'SELECT uri, state, since FROM current_states WHERE gone_at IS NULL'",
            "archiver sql \"SELECT count(*) FROM event_log WHERE occurred_at >= '2026-11-26'\" -o json",
            "archiver sql - --timeout 600 -o csv < report.sql > report.csv",
        ),
    )(question(sql, ranged=False, strict=False))


def sql(asked: Question, statement: Statement, timeout: Timeout = SECONDS) -> None:
    """One SELECT over the views of the archive: for certain nothing is written, whatever it says.

    Instants are text with a Z on both databases; JSON has bytes as {"base64": ...}, other formats have their base64. Of
    columns with one name the second is name_2. Rows are written as they come, and memory stays bounded.
    """
    if not statement.strip():
        raise UsageError(reason="the statement is empty", hint="archiver sql 'SELECT * FROM current_states'")
    if isnan(timeout):
        raise UsageError(reason="--timeout is no number", hint="say it in seconds; 0 is as long as it takes")
    text = _read() if statement == "-" else statement
    with asked.sql(text, timeout or None) as answer:
        write_lines(lines(asked, answer))
    if not asked.answered:
        asked.note("no rows")


def _read() -> str:
    """The statement on standard input. Raises BadInput where that cannot be read."""
    given = sys.stdin.buffer.read(LONGEST + 1) if sys.stdin is not None else b""
    if len(given) > LONGEST:
        raise BadInput(source="standard input", reason=f"it has more than {LONGEST >> 20} MiB, which is no statement")
    try:
        return given.decode()
    except UnicodeDecodeError as error:
        raise BadInput(source="standard input", reason="it is not UTF-8") from error


def lines(asked: Question, answer: Answer) -> Iterator[str]:
    """The lines of an answer in the format asked for."""
    rows = iter(answer)
    first = next(rows, None)
    asked.answered = first is not None
    shown = [] if first is None else [first]
    return render(asked.presentation, _columns(asked.presentation.format, answer.columns, first), chain(shown, rows))


def _columns(format: Format, names: Sequence[str], first: tuple[Any, ...] | None) -> list[Column[tuple[Any, ...]]]:
    """A column for each of the answer's; numbers stand on the right, which the first row tells."""
    is_json = format in ("json", "jsonl")
    told = first or (None,) * len(names)
    return [
        Column(_heading(format, name), partial(_cell, place, is_json), right=type(value) in (int, float))
        for place, (name, value) in enumerate(zip(names, told, strict=True))
    ]


def _heading(format: Format, name: str) -> str:
    if format in ("json", "jsonl"):
        return name
    return csv_cell(name) if format == "csv" else escape(name)


def _cell(place: int, is_json: bool, row: tuple[Any, ...]) -> Any:
    value = row[place]
    if isinstance(value, bytes):
        encoded = base64.b64encode(value).decode()
        return {"base64": encoded} if is_json else encoded
    return to_json(value) if isinstance(value, (bool, list)) and not is_json else value

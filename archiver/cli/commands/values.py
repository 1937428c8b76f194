"""`archiver values`: which states, types or actions there were, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from archiver.cli.asking.question import Question, question
from archiver.cli.common import Covered, examples
from archiver.cli.listing.columns import Column

if TYPE_CHECKING:
    from archiver.model.values import Value

Of = Annotated[
    Literal["state", "type", "action"],
    typer.Argument(metavar="state|type|action", help="Of what.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "values",
        epilog=examples(
            "archiver values state --since yesterday",
            "archiver values action -o csv > actions.csv",
            "archiver values type -o json | jq -r '.[].value'",
        ),
    )(question(values))


def values(asked: Question, of: Of, coverage: Covered = False) -> None:
    """Which states, types or actions the events of a range had, how many of them, and the first and last time.

    The most frequent come first. It looks at every event of the range: give one where the archive is large.
    """
    found = asked.archive.values(of, asked.range)
    asked.listing(COLUMNS, found, nothing="no such events", coverage=coverage, name="values")


COLUMNS: list[Column[Value]] = [
    Column("value", lambda value: value.value),
    Column("count", lambda value: value.events, right=True),
    Column("first_at", lambda value: value.first_at),
    Column("last_at", lambda value: value.last_at),
]

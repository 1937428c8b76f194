"""`archiver history`: the states of one resource in time, and when nobody was watching."""

from __future__ import annotations

import typer

from archiver.cli import timeline
from archiver.cli.common import Ref, examples
from archiver.cli.output import write_lines
from archiver.cli.question import Question, question


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "history",
        epilog=examples(
            "archiver history container/0fc9f01d",
            "archiver history web-1 --since yesterday --until 14:00",
            "archiver history /api/v1/service/3a3e9cd9-8d95-4a7e-9e86-4b2360152332/ -o json",
        ),
    )(question(history))


def history(asked: Question, ref: Ref) -> None:
    """Which states a resource went through, and when nobody was watching.

    Table and JSON say whether the answer is complete; plain, CSV and JSON Lines hold the states alone.
    """
    answer = asked.archive.history(ref, asked.range)
    write_lines(timeline.lines(asked.presentation, answer))
    if not answer.spans and asked.presentation.format != "table":
        asked.note("no states in this range")

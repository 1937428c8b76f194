"""`archiver history`: the states of one resource in time, and when nobody was watching."""

from __future__ import annotations

import typer

from archiver.cli import timeline, times
from archiver.cli.common import Color, Database, Output, Ref, Since, Until, Utc, examples, note, open_archive
from archiver.cli.output import make_view, write_lines


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "history",
        epilog=examples(
            "archiver history container/0fc9f01d",
            "archiver history web-1 --since yesterday --until 14:00",
            "archiver history /api/v1/service/3a3e9cd9-8d95-4a7e-9e86-4b2360152332/ -o json",
        ),
    )(history)


def history(
    ctx: typer.Context,
    ref: Ref,
    since: Since = None,
    until: Until = None,
    output: Output = None,
    utc: Utc = False,
    color: Color = "auto",
    database: Database = None,
) -> None:
    """Which states a resource went through, and when nobody was watching.

    Table and JSON say whether the answer is complete; plain, CSV and JSON Lines hold the states alone.
    """
    view = make_view(output, utc=utc, color=color)
    wanted = times.parse_range(since, until, utc=utc, now=view.now)
    with open_archive(ctx, database) as archive:
        answer = archive.history(ref, wanted)
    write_lines(timeline.lines(view, answer))
    if not answer.spans and view.format != "table":
        note(ctx, "no states in this range")

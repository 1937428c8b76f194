"""`archiver export`: the whole archive, or a part of it, as JSON Lines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from archiver.cli import times
from archiver.cli.asking.refs import spelt_out
from archiver.cli.common import (
    Database,
    OnStream,
    Since,
    Until,
    Utc,
    configuration,
    database_url,
    examples,
    note,
    open_archive,
)
from archiver.cli.event_options import Under
from archiver.cli.files import require_other, write_file
from archiver.cli.presentation import Format
from archiver.cli.words.meant import nearly
from archiver.cli.writing import write_lines
from archiver.errors import UsageError
from archiver.model import TimeRange

File = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="Default: standard output.", show_default=False),
]
CursorFile = Annotated[str | None, typer.Option(hidden=True, help="Of `events`, which goes on from a cursor.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "export",
        epilog=examples(
            "archiver export -o archive.jsonl",
            "archiver export | gzip > archive.jsonl.gz",
            "archiver export --since yesterday --under my-stack -o part.jsonl",
            "archiver export | archiver --database postgresql:///archive import -",
        ),
    )(export)


def export(
    ctx: typer.Context,
    output: File = None,
    since: Since = None,
    until: Until = None,
    under: Under = None,
    stream: OnStream = None,
    utc: Utc = False,
    cursor_file: CursorFile = None,
    database: Database = None,
) -> None:
    """The whole archive as JSON Lines, for `archiver import` into an archive of either kind.

    With --since, --until, --under or --stream a part: the events alone, and nothing of when somebody was watching. A
    file appears under its name only when it is complete.
    """
    if cursor_file is not None:
        reason = "an export is the whole archive, and goes on from no cursor"
        raise UsageError(
            reason=reason, hint="what came since the last time: archiver events --cursor-file FILE -o jsonl"
        )
    if output in get_args(Format):  # which -o means in every other command
        reason = f"-o names a file here, and {output} is a format; an export is JSON Lines, and nothing else"
        hint = f"archiver export -o archive.jsonl; for a file of that name: -o ./{output}"
        raise UsageError(reason=reason, hint=hint)
    within = times.parse_range(since, until, utc=utc)
    with open_archive(ctx, database) as archive:
        with nearly(database_url(ctx, database), under or ()):
            about = archive.resolve_all(spelt_out(under), range=within) if under else None
        lines = archive.export(within, about, stream=stream)
        if about is not None or within != TimeRange() or stream is not None:
            note(ctx, "a part: events alone; where it is imported, nobody was watching")
        if output is None or output == "-":
            write_lines(lines)
        else:
            require_other(Path(output), configuration(ctx, database), "archiver export -o archive.jsonl")
            count = write_file(Path(output), lines)
            note(ctx, f"{count} lines written to {output}")

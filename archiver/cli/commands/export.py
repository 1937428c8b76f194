"""`archiver export`: the whole archive as JSON Lines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archiver.cli.common import Database, examples, note, open_archive
from archiver.cli.files import write_file
from archiver.cli.output import write_lines

File = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="FILE", help="Default: standard output.", dir_okay=False, show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "export",
        epilog=examples(
            "archiver export -o archive.jsonl",
            "archiver export | gzip > archive.jsonl.gz",
            "archiver export | archiver --database postgresql:///archive import -",
        ),
    )(export)


def export(ctx: typer.Context, output: File = None, database: Database = None) -> None:
    """The whole archive as JSON Lines, for `archiver import` into an archive of either kind.

    A file appears under its name only when it is complete.
    """
    with open_archive(ctx, database) as archive:
        if output is None or str(output) == "-":
            write_lines(archive.export())
        else:
            count = write_file(output, archive.export())
            note(ctx, f"{count} lines written to {output}")

"""`archiver import`: adds events from JSON Lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from archiver.cli.common import Database, chosen, database_url, examples, note
from archiver.cli.escape import escape
from archiver.cli.output import is_terminal
from archiver.errors import BadInput

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes of a line that are read; what is longer can only become a reject, and must not fill the memory."""

Files = Annotated[
    list[str], typer.Argument(metavar="FILE...", help="JSON Lines; - is standard input.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "import",
        epilog=examples("archiver import events.jsonl", "zcat archive.jsonl.gz | archiver import -"),
    )(import_)


def import_(ctx: typer.Context, files: Files, database: Database = None) -> None:
    """Adds events from JSON Lines: as they came on the wire, or as `archiver export` wrote them.

    What cannot be read is kept as a reject, and the rest goes on. Where there is no archive yet, one is made.
    """
    from archiver.storage import migrate
    from archiver.storage.engine import database_name
    from archiver.transfer.importer import import_lines

    url = database_url(ctx, database)
    for name in files:
        _check(name)
    if migrate.is_missing(url):
        migrate.upgrade(url)
        note(ctx, f"created the archive at {database_name(url)}")
    for name in files:
        with _opened(name) as file:
            result = import_lines(url, read_lines(file), progress=_progress(ctx, name))
        _end_progress(ctx)
        counts = f"{result.events} events, {result.duplicates} duplicates, {result.rejects} rejects"
        print(f"{escape(name)}: {counts}")


def read_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of a line beyond all measure only its beginning."""
    while line := file.readline(LONGEST_LINE):
        rest = line
        while not rest.endswith(b"\n") and len(rest) == LONGEST_LINE:
            rest = file.readline(LONGEST_LINE)
        yield line


def _check(name: str) -> None:
    if name != "-":
        with _opened(name):
            pass


def _opened(name: str) -> BinaryIO | nullcontext[BinaryIO]:
    if name == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as exc:
        raise BadInput(source=name, reason=exc.strerror or str(exc)) from exc


def _progress(ctx: typer.Context, name: str) -> Callable[[int], None] | None:
    if not _shows_progress(ctx):
        return None

    def show(count: int) -> None:
        print(f"\r{escape(name)}: {count:,} lines", end="", file=sys.stderr, flush=True)

    return show


def _shows_progress(ctx: typer.Context) -> bool:
    return is_terminal(sys.stderr) and not chosen(ctx).quiet


def _end_progress(ctx: typer.Context) -> None:
    if _shows_progress(ctx):
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)

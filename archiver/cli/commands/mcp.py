"""`archiver mcp`: the archive as tools for an assistant, on standard input and output."""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

import typer

from archiver.cli import times
from archiver.cli.common import Database, complain, database_url, die_with_the_reader, examples, note
from archiver.errors import UsageError
from archiver.model import TimeRange


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "mcp",
        epilog=examples(
            "archiver mcp",
            """claude mcp add archive -- archiver --database sqlite:////var/lib/archiver/archive.db mcp""",
        ),
    )(mcp)


def mcp(ctx: typer.Context, database: Database = None) -> None:
    """The archive as read-only tools for an assistant, which starts this and asks on standard input.

    Speaks the Model Context Protocol, revisions 2025-11-25 and 2026-07-28, until standard input ends. Nothing but the
    protocol goes to standard output.
    """
    from archiver.report.mcp import serve
    from archiver.report.mcp_tools import Tools

    if sys.stdin is None or sys.stdout is None:
        raise UsageError(reason="standard input or output is closed", hint="an assistant starts this with both")
    if sys.stdin.isatty():
        note(ctx, "waiting for the messages of an assistant, one a line; Ctrl-D ends it")
    tools = Tools(database_url(ctx, database), _parse_range)
    die_with_the_reader()
    try:
        serve(tools, sys.stdin.buffer, _protocol_only(), _failed)
    finally:
        tools.close()


def _parse_range(since: str | None, until: str | None) -> TimeRange:
    return times.parse_range(since, until, utc=True)


def _failed(error: Exception) -> None:
    complain(f"{type(error).__name__}: {error}")


def _protocol_only() -> BinaryIO:
    """Standard output for the protocol; what anything else writes there goes to standard error from now on."""
    protocol = os.fdopen(os.dup(1), "wb")
    os.dup2(2 if sys.stderr is not None else os.open(os.devnull, os.O_WRONLY), 1)
    return protocol

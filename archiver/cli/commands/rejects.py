"""`archiver rejects`: messages that could not become events: which there are, what they say, another try."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from archiver.cli.asking.question import Question, question
from archiver.cli.common import Database, Output, examples, note
from archiver.cli.escape import escape
from archiver.cli.globals import HELP_NAMES
from archiver.cli.groups import Group
from archiver.cli.jobs import SpoolOfDaemon, configured, done
from archiver.cli.listing.cells import to_json
from archiver.cli.listing.columns import Column, machine_columns
from archiver.cli.listing.output import render
from archiver.cli.presentation import make_presentation
from archiver.cli.writing import write_lines, writing
from archiver.codec.secrets import blanked
from archiver.errors import UsageError
from archiver.model.rejects import KeptReject
from archiver.report import documents

Lines = Annotated[
    int, typer.Option("-n", "--lines", min=0, max=1_000_000_000, metavar="N", help="The last N; 0 is all.")
]
Number = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**62, help="Its number in the list.")]
Numbers = Annotated[
    list[int] | None,
    typer.Argument(metavar="[ID]...", min=1, max=2**62, help="Only these; without any, all.", show_default=False),
]
Raw = Annotated[bool, typer.Option("--raw", help="The bytes alone, as they were received, secrets and all.")]


MOST_NAMED = 1_000
"""As many fit into a request to the daemon."""


def register(app: typer.Typer) -> None:
    """Adds the command and its own ones."""
    rejects = typer.Typer(
        help="Messages that could not become events: list them, show one, try them again.",
        cls=Group,
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings=HELP_NAMES,
        epilog=examples("archiver rejects list", "archiver rejects show 4711", "archiver rejects retry"),
    )
    rejects.command(
        "list",
        short_help="Which there are, the last ones, and why.",
        epilog=examples("archiver rejects list --since yesterday", "archiver rejects list -n 0 -o json"),
    )(question(list_, turned=True, strict=False))
    rejects.command(
        "show",
        short_help="Shows one with all its bytes.",
        epilog=examples("archiver rejects show 4711", "archiver rejects show 4711 --raw > message"),
    )(question(show, ranged=False, strict=False))
    rejects.command(
        "retry",
        short_help="Tries them again: what can be an event by now becomes one.",
        epilog=examples("archiver rejects retry", "archiver rejects retry 4711 4712 -o json"),
    )(retry)
    app.add_typer(rejects, name="rejects")


def list_(asked: Question, lines: Lines = 100) -> None:
    """The last messages that could not become events, in the order in which they came, and why they could not.

    KIND is conflict, too_long, unreadable, no_event, no_time or failed.
    """
    asked.listing(COLUMNS, asked.archive.rejects(asked.range, lines), nothing="")
    if not asked.answered:
        asked.note("no rejects")


def show(asked: Question, number: Number, raw: Raw = False) -> None:
    """Shows one reject with all its bytes: what could act on a terminal is escaped, credentials in it are ***.

    With -o json "payload" is its text, or "payload_base64" where it is none.
    """
    found, payload = asked.archive.reject(number)
    asked.answered = True
    if raw:
        with writing("the reject"):
            sys.stdout.buffer.write(payload)
            sys.stdout.buffer.flush()
        return
    write_lines(_shown(asked, found, blanked(payload)))


def _shown(asked: Question, found: KeptReject, payload: bytes) -> Iterator[str]:
    if asked.presentation.format in ("json", "jsonl"):
        told = documents.record(documents.REJECT, found) | documents.payload(payload)
        yield to_json(told, indent=2 if asked.presentation.format == "json" else None)
        return
    if asked.presentation.format in ("csv", "tsv", "name"):
        yield from render(asked.presentation, COLUMNS, [found])
        return
    about = {
        "received at": asked.presentation.instant(found.received_at),
        "stream": escape(found.stream or "none: it was imported"),
        "kind": found.kind,
        "reason": escape(found.reason),
        "bytes": f"{found.bytes:,}",
        "tried again": asked.presentation.instant(found.retried_at) if found.retried_at else "never",
    }
    yield from (f"{label:<12} {text}" for label, text in about.items())
    yield ""
    yield escape(payload.decode("utf-8", "backslashreplace"))


def retry(
    ctx: typer.Context,
    numbers: Numbers = None,
    output: Output = None,
    spool: SpoolOfDaemon = None,
    database: Database = None,
) -> None:
    """Tries rejects again, on the way on which messages come: the events they become are dated as they were received.

    The daemon does it between two batches where one has the archive, and by itself when a new version starts. Ends with
    code 1 when some stay rejects; 'archiver rejects list' says why.
    """
    presentation = make_presentation(output)
    named = sorted(set(numbers or ()))
    if len(named) > MOST_NAMED:
        raise UsageError(reason=f"no more than {MOST_NAMED:,} can be named", hint="leave them out, and all are tried")
    wanted = {"do": "retry", "numbers": named or None}
    found = done(configured(ctx, database, spool), wanted)
    if presentation.format in ("table", "plain"):
        print("{tried:,} tried: {events:,} came in, {duplicates:,} known already, {rejects:,} stay".format(**found))
    else:
        columns: list[Column[dict[str, int]]] = [
            Column(key, lambda answer, key=key: answer[key])  # type: ignore[misc]
            for key in ("tried", "events", "duplicates", "rejects")
        ]
        if presentation.format == "json":
            write_lines([to_json(found, indent=2)])
        else:
            write_lines(render(presentation, columns, [found]))
    if named and found["tried"] < len(named):
        note(ctx, f"{len(named) - found['tried']:,} of those named are no rejects, or no more")
    if found["rejects"]:
        raise typer.Exit(1)


COLUMNS: list[Column[KeptReject]] = [
    Column("id", lambda each: each.id, right=True, machine=False),
    Column("received at", lambda each: each.received_at, machine=False),
    Column("stream", lambda each: each.stream, machine=False),
    Column("bytes", lambda each: each.bytes, lambda _, each: f"{each.bytes:,}", right=True, machine=False),
    Column("kind", lambda each: each.kind, machine=False),
    Column("reason", lambda each: each.reason, machine=False, wraps=True),
    *machine_columns(documents.REJECT),
]
"""What a person reads, and the contract's values for programs."""

"""`archiver events`: the events as they came, the last ones, or as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archiver.cli import completion, times
from archiver.cli.common import Color, Database, Output, Since, Until, Utc, examples, note, open_archive
from archiver.cli.output import Column, View, make_view, render, state_style, write_lines
from archiver.errors import UsageError
from archiver.model import ArchivedEvent

if TYPE_CHECKING:
    from archiver.api.archive import Archive

POLL = 0.5
"""Seconds between two looks at the archive when following."""
HELD_BACK = 10_000
"""Up to so many events are read before the first is written, to tell whether there are older ones."""

Under = Annotated[
    str | None,
    typer.Option(
        metavar="REF",
        help="Only of this resource and of all that is under it.",
        autocompletion=completion.references,
        show_default=False,
    ),
]
Lines = Annotated[
    int | None,
    typer.Option(
        "-n",
        "--lines",
        min=0,
        max=1_000_000_000,
        metavar="N",
        help="The last N: 100, or 10 with -f; 0 is all.",
        show_default=False,
    ),
]
All = Annotated[bool, typer.Option("--all", help="Health checks of Docker too, which are left out else.")]
Follow = Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes, until Ctrl-C.")]
Type = Annotated[
    list[str] | None,
    typer.Option(metavar="TEXT", help="Only events of this type.", autocompletion=completion.types, show_default=False),
]
State = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT", help="Only events with this state.", autocompletion=completion.states, show_default=False
    ),
]
ActionWord = Annotated[
    list[str] | None,
    typer.Option(
        "--action",
        metavar="TEXT",
        help="Only events of this action: create, update, delete ...",
        autocompletion=completion.actions,
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "events",
        epilog=examples(
            "archiver events --type container --state Stopped --state Terminated --since 2h",
            "archiver events --under my-stack -n 0 -o jsonl | jq -r .state | sort | uniq -c",
            "archiver events -f",
        ),
    )(events)


def events(
    ctx: typer.Context,
    type: Type = None,
    state: State = None,
    action: ActionWord = None,
    under: Under = None,
    lines: Lines = None,
    all_: All = False,
    follow: Follow = False,
    since: Since = None,
    until: Until = None,
    output: Output = None,
    utc: Utc = False,
    color: Color = "auto",
    database: Database = None,
) -> None:
    """The events as they came, the oldest first.

    The same filter given twice means either; different filters must all fit.
    """
    if follow and until is not None:
        raise UsageError(reason="--follow has no end and --until is one", hint="leave one of them out")
    view = make_view("jsonl" if follow and output == "json" else output, utc=utc, color=color)
    wanted = times.parse_range(since, until, utc=utc, now=view.now)
    filters: dict[str, Any] = {
        "types": tuple(type or ()),
        "states": tuple(state or ()),
        "actions": tuple(action or ()),
        "under": under,
        "healthchecks": all_,
    }
    limit = lines if lines is not None else 10 if follow else 100
    with open_archive(ctx, database) as archive:
        if follow:
            _follow(archive, view, filters, {"range": wanted, "limit": limit})
        elif not write_lines(render(view, COLUMNS, _last(ctx, archive, filters | {"range": wanted}, limit))):
            note(ctx, "no such events")


def _last(ctx: typer.Context, archive: Archive, filters: dict[str, Any], limit: int) -> Iterator[ArchivedEvent]:
    """The last `limit` events; says on stderr when there are older ones."""
    if not 0 < limit <= HELD_BACK:
        yield from archive.events(**filters, limit=limit)
        return
    found = list(archive.events(**filters, limit=limit + 1))
    yield from found[-limit:]
    if len(found) > limit:
        note(ctx, "... older events exist, use -n 0 for all")


def _follow(archive: Archive, view: View, filters: dict[str, Any], start: dict[str, Any]) -> None:
    """Writes the last events, then each that comes; a table takes its widths from those that are there already."""
    after = archive.last_id()
    first = [event for event in archive.events(**filters, **start) if event.id <= after]
    records = chain(first, _coming(archive, filters, after))
    write_lines(render(view, COLUMNS, records, measure=max(1, len(first))), flush=True)


def _coming(archive: Archive, filters: dict[str, Any], after: int) -> Iterator[ArchivedEvent]:
    while True:
        before = after
        for event in archive.follow(**filters, after=after):
            after = event.id
            yield event
        if after == before:
            time.sleep(POLL)


def _resource(view: View, event: ArchivedEvent) -> str:
    return view.uri(event.resource_uri)


COLUMNS: list[Column[ArchivedEvent]] = [
    Column("time", lambda event: event.occurred_at, machine=False),
    Column("id", lambda event: event.id, right=True, table=False),
    Column("type", lambda event: event.type),
    Column("action", lambda event: event.action),
    Column("state", lambda event: event.state, style=lambda event: state_style(event.state)),
    Column("resource_uri", lambda event: event.resource_uri, table=False),
    Column("resource", lambda event: event.resource_uri, _resource, machine=False),
    Column("name", lambda event: event.name, machine=False),
    Column("parents", lambda event: event.parents, table=False),
    Column("occurred_at", lambda event: event.occurred_at, table=False),
    Column("received_at", lambda event: event.received_at, table=False),
    Column("uuid", lambda event: event.uuid, table=False),
    Column("name", lambda event: event.name, table=False, extra=True),
]
"""Machine formats have the contract's values in the contract's order; the table what a person looks at."""

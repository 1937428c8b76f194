"""`archiver actions`: which actions ran on a resource and on all that is under it."""

from __future__ import annotations

from typing import Annotated

import typer

from archiver.cli import times
from archiver.cli.common import Color, Database, Output, Ref, Since, Until, Utc, examples, note, open_archive
from archiver.cli.escape import escape
from archiver.cli.output import Column, View, make_view, render, state_style, write_lines
from archiver.model import Action

All = Annotated[bool, typer.Option("--all", help="Health checks of Docker too, which are left out else.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "actions",
        epilog=examples(
            "archiver actions my-stack --since yesterday",
            "archiver actions container/0fc9f01d -o json",
            "archiver actions my-stack -o csv > actions.csv",
        ),
    )(actions)


def actions(
    ctx: typer.Context,
    ref: Ref,
    all_: All = False,
    since: Since = None,
    until: Until = None,
    output: Output = None,
    utc: Utc = False,
    color: Color = "auto",
    database: Database = None,
) -> None:
    """Which actions ran on a resource and on all that is under it.

    Every action stands there once, the oldest first, with what it was done to and how it ended.
    """
    view = make_view(output, utc=utc, color=color)
    wanted = times.parse_range(since, until, utc=utc, now=view.now)
    with open_archive(ctx, database) as archive:
        if not write_lines(render(view, COLUMNS, archive.actions(ref, wanted, healthchecks=all_))):
            note(ctx, "no actions in this range")
        if not all_ and (folded := archive.healthcheck_actions(ref)):
            note(ctx, f"... {folded:,} health checks are left out, --all shows them")


def _seconds(action: Action) -> int | float | None:
    return times.seconds(action.finished_at - action.started_at) if action.finished_at else None


def _duration(view: View, action: Action) -> str:
    if action.finished_at is None:
        return times.duration(view.now - action.started_at) + " so far"
    return times.duration(action.finished_at - action.started_at)


def _action(view: View, action: Action) -> str:
    return escape(action.name) if action.name else view.uri(action.uri)


COLUMNS: list[Column[Action]] = [
    Column("started_at", lambda action: action.started_at, machine=False),
    Column("duration", _seconds, _duration, machine=False),
    Column("state", lambda action: action.state, style=lambda action: state_style(action.state), machine=False),
    Column("action", lambda action: action.uri, _action, machine=False),
    Column("uri", lambda action: action.uri, table=False),
    Column("target", lambda action: action.target, lambda view, action: view.uri(action.target)),
    Column("state", lambda action: action.state, table=False),
    Column("started_at", lambda action: action.started_at, table=False),
    Column("finished_at", lambda action: action.finished_at, table=False),
    Column("seconds", _seconds, table=False),
    Column("events", lambda action: action.events, right=True),
    Column("name", lambda action: action.name, table=False, extra=True),
]
"""Machine formats have the contract's values in its order; the table says when, how long and how first."""

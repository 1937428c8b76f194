"""`archiver actions`: which actions ran at all, or on a resource and on all that is under it."""

from __future__ import annotations

import shlex
from collections.abc import Hashable
from datetime import datetime
from typing import Annotated, Any

import typer

from archiver.cli import times
from archiver.cli.asking.question import Question, question
from archiver.cli.common import AnyRefs, Covered, Healthchecks, examples
from archiver.cli.escape import escape
from archiver.cli.listing.columns import Column, machine_columns
from archiver.cli.listing.folding import fold, folded
from archiver.cli.presentation import Presentation
from archiver.cli.words.states import state_style
from archiver.model import Action
from archiver.report import documents


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "actions",
        epilog=examples(
            "archiver actions my-stack --since yesterday",
            "archiver actions --since 10m",
            "archiver actions container/0fc9f01d -o json",
            "archiver actions my-stack -o csv > actions.csv",
        ),
    )(question(actions, turned=True, told=True))


Deeds = Annotated[
    bool | None,
    typer.Option(
        "--deeds/--no-deeds",
        help="Also what an engine tells of the object alone: run, start, pause, rm ... Default: in a table.",
        show_default=False,
    ),
]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Only what NAME did.", show_default=False)]


def actions(
    asked: Question,
    refs: AnyRefs = None,
    all_: Healthchecks = False,
    deeds: Deeds = None,
    by: By = None,
    coverage: Covered = False,
) -> None:
    """What was done to a resource, or to several, and to all that was under it then; without one, all that was done.

    Every action stands there once, the oldest first, with what it was done to and how it ended; of a range all that ran
    at any time in it. In a table, what repeats is one row. BY is who did it, where a source says so; no engine does.
    """
    roots = asked.about(refs).resources if refs else None
    whole = asked.presentation.format == "table" if deeds is None else deeds
    found = asked.archive.actions(roots, asked.range, healthchecks=all_, deeds=whole, by=by, stream=asked.stream)
    nothing = "no actions in this range"
    about: dict[str, Any] = {"nothing": nothing, "about": roots, "coverage": coverage, "name": "actions"}
    if asked.presentation.folds and not all_:
        asked.listing(folded(COLUMNS, "action"), fold(found, _kind, _began), **about)
    else:
        asked.listing(COLUMNS, found, **about)
    if not all_ and (probes := asked.archive.healthcheck_actions(roots, asked.range)):
        asked.note(f"... {probes:,} health checks are left out, --all shows them")
    if not asked.answered and by is None and refs and roots and len(roots) == 1 and roots[0].parents:
        ref = roots[0].uri if "-" in refs else refs[0]
        asked.note(f"what was done above it: archiver why {shlex.quote(ref)}")


def _kind(action: Action) -> Hashable | None:
    """What repeats when it comes again; an action that has no name tells nobody what it is."""
    return (action.name, action.state, action.target) if action.name else None


def _began(action: Action) -> datetime:
    return action.started_at


def _duration(presentation: Presentation, action: Action) -> str:
    if action.finished_at is None:
        return times.age(action.started_at, presentation.now) + " so far"
    return times.duration(action.finished_at - action.started_at)


def _action(presentation: Presentation, action: Action) -> str:
    return escape(action.name) if action.name else presentation.uri(action.uri)


def _what(presentation: Presentation, action: Action) -> str:
    uri = presentation.uri(action.target)
    return f"{escape(action.target_name)}  {uri}" if action.target_name else uri


COLUMNS: list[Column[Action]] = [
    Column("started_at", lambda action: action.started_at, machine=False),
    Column("duration", lambda action: None, _duration, machine=False),
    Column("state", lambda action: action.state, style=lambda action: state_style(action.state), machine=False),
    Column("action", lambda action: action.uri, _action, machine=False),
    Column("what", lambda action: action.target, _what, machine=False),
    Column("by", lambda action: action.by, machine=False, wraps=True),
    *machine_columns(documents.ACTION),
]
"""Machine formats have the contract's values in its order; the table says when, how long and how first."""

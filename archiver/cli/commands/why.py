"""`archiver why`: what changed before something stopped, to it and around it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import UTC, timedelta
from typing import Annotated, Any

import typer

from archiver.cli import times
from archiver.cli.asking.question import Question, question
from archiver.cli.common import OneRef, Since, examples
from archiver.cli.escape import escape
from archiver.cli.listing.columns import Column, machine_columns
from archiver.cli.listing.folding import fold, folded
from archiver.cli.listing.machine import enclosed
from archiver.cli.listing.output import render
from archiver.cli.presentation import NOTHING, Presentation
from archiver.cli.words.changes import BY, WHY, with_kinds
from archiver.cli.words.coverage import coverage_line
from archiver.cli.words.namesakes import Namesakes, subject_of, told_apart
from archiver.cli.words.states import state_style
from archiver.cli.writing import write_lines
from archiver.model import TimeRange
from archiver.model.empty import IN_WORDS
from archiver.model.nearby import Before, Nearby
from archiver.model.reports import Subject
from archiver.report import documents

At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="Before when; without it, before its last stop.", show_default=False),
]
MOST = 50
"""So many changes are shown, where nothing else is asked for."""
Most = Annotated[
    int,
    typer.Option("-n", metavar="N", min=0, help="At most N changes, those nearest in the tree; 0: all, every step."),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "why",
        epilog=examples(
            "archiver why web-1",
            "archiver why my-stack --at 14:00 --since 13:30",
            "archiver why container/0fc9f01d --at 14:00 -o json",
        ),
    )(question(why, ranged=False, told=True))


def why(asked: Question, ref: OneRef, at: At = None, since: Since = None, most: Most = MOST) -> None:
    """What changed before something stopped: to it, and above, below and beside it in the tree, the nearest first.

    Without --at before its last stop, or where it never stopped, its last change. It looks back ten minutes, or to
    --since: with --at, 10s is so long before that. What took the place of another container says what was different.
    States through which what is beside and below only passed are left out. With --stream it is as if that stream alone
    had told of anything.
    """
    now, zone = asked.presentation.now, UTC if asked.presentation.zone is UTC else None
    before = None if at is None else times.parse_time(at, now=now, zone=zone)
    begin = None if since is None else times.parse_time(since, now=before or now, zone=zone)
    about = asked.one(ref, None if before is None else TimeRange.ending_at(before, begin))
    with asked.heard(about, around=True) as (archive, known):
        found = archive.why(known or about, before, begin, limit=most or None)
    asked.judged(found.coverage)
    write_lines(lines(asked.presentation, found))
    if found.empty is not None:
        asked.note(f"nothing changed before that: {IN_WORDS[found.empty]}")
    if found.left_out:
        asked.note(f"{found.left_out:,} more changes, farther away in the tree, are left out; -n 0 shows all")


def lines(presentation: Presentation, found: Before) -> Iterator[str]:
    """The lines of an answer in the format asked for."""
    if presentation.format == "json":
        shown = presentation._replace(format="jsonl")
        return enclosed(documents.before_head(found), "changes", render(shown, COLUMNS, found.changes))
    if presentation.format == "table":
        return _table(presentation, found)
    return render(presentation, with_kinds(COLUMNS), found.changes)


def _table(presentation: Presentation, found: Before) -> Iterator[str]:
    about = subject_of(found.resource)
    namesakes = Namesakes([about, *map(_subject, found.changes)], typed=True)
    what = namesakes.called(presentation, about)
    yield f"before {times.human(found.at, presentation.zone)}{_AT_IS[found.at_is]}: {what}"
    yield coverage_line(presentation, found.coverage, found.range)
    rows = fold(found.changes, _repeats, lambda row: row.at)
    columns = told_apart(COLUMNS, namesakes, _subject)
    for number, line in enumerate(render(presentation, folded(columns, "after"), rows)):
        yield from ("", line) if not number else (line,)


_AT_IS = {"asked": "", "stop": ", its last stop", "change": ", its last change", "now": ", which is now"}


def _repeats(row: Nearby) -> Hashable | None:
    """What repeats when it comes again: what is done to the same thing, and how another one comes and goes."""
    return (row.uri, row.before, row.after) if row.action or row.where != "self" else None


def _word(value: Any) -> str:
    if value is None:
        return NOTHING
    return escape(", ".join(value) if isinstance(value, tuple) else str(value)) or NOTHING


def _subject(row: Nearby) -> Subject:
    return Subject(row.uri, row.type, row.name, row.platform)


def _shade(row: Nearby) -> str:
    return state_style(row.after) if isinstance(row.after, str) and row.change in ("state", "vanished") else ""


COLUMNS: list[Column[Nearby]] = [
    Column(
        "ago",
        lambda row: None,
        lambda _, row: times.duration(timedelta(seconds=row.seconds_before)),
        right=True,
        machine=False,
    ),
    Column("where", lambda row: row.where, machine=False),
    Column("change", lambda row: row.change, machine=False),
    Column("what", lambda row: None, machine=False),
    Column("before", lambda row: None, lambda _, row: _word(row.before), machine=False),
    Column("after", lambda row: None, lambda _, row: _word(row.after), style=_shade, machine=False),
    WHY,
    BY,
    *machine_columns(documents.NEARBY),
]
"""What a person reads, and the contract's values for programs."""

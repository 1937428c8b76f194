"""`archiver gaps`: when nobody was watching, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import typer

from archiver.cli import times
from archiver.cli.asking.question import Question, question
from archiver.cli.common import MaybeRef, examples
from archiver.cli.escape import escape
from archiver.cli.listing.columns import Column, machine_columns
from archiver.cli.listing.machine import enclosed
from archiver.cli.listing.output import render
from archiver.cli.presentation import NOTHING, Presentation
from archiver.cli.words.coverage import PROVEN
from archiver.cli.writing import write_lines
from archiver.model import Coverage, Gap, Resource, TimeRange
from archiver.report import documents


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "gaps",
        epilog=examples(
            "archiver gaps --since yesterday",
            "archiver gaps my-stack --since '2 months ago' -o csv > gaps.csv",
            "archiver gaps --since 1h --strict || echo 'the last hour was not watched throughout'",
        ),
    )(question(gaps, turned=True, told=True))


def gaps(asked: Question, ref: MaybeRef = None) -> None:
    """When nobody was watching, and why: any stream, or with a resource those that told of it.

    A gap ends with the next session that hears all; one that has no end lasts. In a range, only what lies in it. With a
    resource under which nothing ever was, `proven` gaps are those in which it did not change, by what was found on both
    sides: they leave nothing of its states doubtful.
    """
    about = None if ref is None else [asked.one(ref)]
    watched = asked.covered(about, of_states=True)
    asked.answered = bool(watched.gaps)
    write_lines(lines(asked.presentation, watched, asked.range, about))
    if not watched.gaps:
        asked.note("no gaps: watched throughout")


def lines(
    presentation: Presentation, watched: Coverage, range: TimeRange, about: list[Resource] | None
) -> Iterator[str]:
    """The lines of an answer in the format asked for."""
    if presentation.format != "json":
        return render(presentation, COLUMNS, watched.gaps)
    head = documents.gaps_head(about[0] if about else None, range, watched)
    shown = presentation._replace(format="jsonl")
    return enclosed(head, "gaps", render(shown, COLUMNS, watched.gaps))


def _length(gap: Gap) -> timedelta | None:
    return gap.until - gap.since if gap.since and gap.until else None


def _duration(presentation: Presentation, gap: Gap) -> str:
    if gap.since is None:
        return NOTHING
    length = _length(gap)
    return times.age(gap.since, presentation.now) + " so far" if length is None else times.duration(length)


def _until(presentation: Presentation, gap: Gap) -> str:
    return presentation.instant(gap.until) if gap.until else "now"


COLUMNS: list[Column[Gap]] = [
    Column("since", lambda gap: gap.since, machine=False),
    Column("until", lambda gap: gap.until, _until, machine=False),
    Column("duration", _length, _duration, right=True, machine=False),
    Column("stream", lambda gap: gap.stream, lambda presentation, gap: escape(gap.stream or NOTHING), machine=False),
    Column("kind", lambda gap: gap.kind, machine=False),
    Column(
        "reason",
        lambda gap: gap.reason,
        lambda _, gap: escape(gap.reason) + PROVEN * gap.proven,
        machine=False,
        wraps=True,
    ),
    *machine_columns(documents.GAP),
]

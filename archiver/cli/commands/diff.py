"""`archiver diff`: what was otherwise at one instant than at another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from archiver.cli.asking.question import Question, question
from archiver.cli.common import KnownAt, MaybeRef, Moment, examples
from archiver.cli.escape import escape
from archiver.cli.listing.cells import plain_cell
from archiver.cli.listing.columns import Column, machine_columns
from archiver.cli.listing.machine import enclosed
from archiver.cli.listing.output import render
from archiver.cli.presentation import NOTHING, Presentation
from archiver.cli.times import machine
from archiver.cli.words.causes import cause_words
from archiver.cli.words.changes import with_kinds
from archiver.cli.words.coverage import INHERITED, coverage_line
from archiver.cli.words.namesakes import Namesakes, told_apart
from archiver.cli.writing import write_lines
from archiver.errors import UsageError
from archiver.model import Change, Diff, TimeRange
from archiver.model.differences import Side
from archiver.model.empty import IN_WORDS
from archiver.model.reports import Subject
from archiver.report import documents

Later = Annotated[
    str, typer.Argument(metavar="TIME", help="A later one, in the same words: 'now' too.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "diff",
        epilog=examples(
            "archiver diff yesterday now my-stack",
            "archiver diff 14:00 14:30",
            "archiver diff 2h 1h my-stack -o json | jq '.changes[] | select(.change == \"image\")'",
        ),
    )(question(diff, ranged=False, told=True))


def diff(asked: Question, time: Moment, other: Later, ref: MaybeRef = None, known_at: KnownAt = None) -> None:
    """What was otherwise at the second time than at the first, of a resource and what was under it, or of everything.

    What appeared or vanished, moved, and what has another state, image, name or tags; of a service, how many of its
    containers run. What ended says why it did last. What came and went in between is not there, and of what changed
    several times the last time counts. With --stream it is as if that stream alone had told of anything.
    """
    first, second = asked.moment(time, "since"), asked.moment(other, "until")
    if first > second:
        ends = f"the first time ({machine(first)}) is after the second ({machine(second)})"
        raise UsageError(reason=ends, hint="give the earlier one first")
    subject = None if ref is None else asked.one(ref, TimeRange.ending_at(second, first))
    with asked.heard(subject, known_at=asked.known_at(known_at)) as (archive, known):
        found = archive.diff(first, second, known, causes=True)
    asked.judged(found.coverage)
    asked.doubted(change.certain for change in found.changes)
    write_lines(lines(asked.presentation, found))
    if found.empty is not None and asked.presentation.format != "table":
        asked.note(f"nothing was otherwise: {IN_WORDS[found.empty]}")


def lines(presentation: Presentation, found: Diff) -> Iterator[str]:
    """The lines of an answer in the format asked for."""
    if presentation.format == "table":
        count = "1 change" if len(found.changes) == 1 else f"{len(found.changes)} changes"
        outcome = count if found.empty is None else f"no change: {IN_WORDS[found.empty]}"
        yield f"{_subject(presentation, found)}: {outcome}"
        yield _watched(presentation, found)
        ended = any(change.cause for change in found.changes)
        listed = [column for column in COLUMNS if ended or column.name != "why"]
        columns = told_apart(listed, Namesakes(map(_changed, found.changes), typed=True), _changed)
        for number, line in enumerate(render(presentation, columns, found.changes)):
            yield from ("", line) if not number else (line,)
    elif presentation.format == "json":
        shown = presentation._replace(format="jsonl")
        yield from enclosed(documents.diff_head(found), "changes", render(shown, COLUMNS, found.changes))
    else:
        yield from render(presentation, with_kinds(COLUMNS), found.changes)


def _watched(presentation: Presentation, found: Diff) -> str:
    """Whether somebody was watching, in one line, and whether what stood before is sure where it was throughout."""
    said = coverage_line(presentation, found.coverage, found.range)
    if not found.coverage.gaps and any(change.doubtful for change in found.changes):
        return f"{said}; {INHERITED}"
    return said


def _subject(presentation: Presentation, found: Diff) -> str:
    subject = found.resource
    if subject is None:
        return "platform"
    return f"{escape(subject.type)} {escape(subject.name)}" if subject.name else presentation.uri(subject.uri)


def _changed(change: Change) -> Subject:
    return Subject(change.uri, change.type, change.name, change.platform)


def _side(presentation: Presentation, change: Change, side: Side) -> str:
    value = change.before if side == "before" else change.after
    doubt = "?" if side in change.doubtful else ""
    if isinstance(value, tuple):
        shown = plain_cell if change.change == "tags" else presentation.uri
        return (", ".join(map(shown, value)) or NOTHING) + doubt
    return plain_cell(value) + doubt


def _why(change: Change) -> str:
    return escape(cause_words(change.cause)) or NOTHING


COLUMNS: list[Column[Change]] = [
    Column("at", lambda change: change.at, machine=False),
    Column("change", lambda change: change.change, machine=False),
    Column("what", lambda change: change.uri, machine=False),
    Column(
        "before",
        lambda change: change.before,
        lambda presentation, change: _side(presentation, change, "before"),
        machine=False,
    ),
    Column(
        "after",
        lambda change: change.after,
        lambda presentation, change: _side(presentation, change, "after"),
        machine=False,
    ),
    Column(
        "why",
        lambda change: None,
        lambda _, change: escape(cause_words(change.cause)) or NOTHING,
        machine=False,
        wraps=True,
    ),
    *machine_columns(documents.DIFFERENCE),
]

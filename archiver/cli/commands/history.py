"""`archiver history`: the states of one resource in time, and when nobody was watching."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import typer

from archiver.cli.asking.question import Question, question
from archiver.cli.common import KnownAt, Refs, examples
from archiver.cli.writing import write_lines
from archiver.codec.visible import short_reference

if TYPE_CHECKING:
    from datetime import datetime

    from archiver.model import Empty, Resource, Timeline

HOLDERS = frozenset({"stack", "service", "nodecluster", "node"})
"""Types of what has others under it."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "history",
        epilog=examples(
            "archiver history container/0fc9f01d",
            "archiver history web-1 --since yesterday --until 14:00",
            "archiver history 'web-*' container/0fc9f01d -o json",
            "archiver history web-1 --known-at 'yesterday 14:00'",
            "archiver history /api/v1/service/3a3e9cd9-8d95-4a7e-9e86-4b2360152332/ -o json",
        ),
    )(question(history, turned=True, told=True))


def history(asked: Question, refs: Refs, known_at: KnownAt = None) -> None:
    """Which states a resource went through, and when nobody was watching.

    Table and JSON say whether the answer is complete; plain, CSV and JSON Lines hold the states alone, each with
    whether it is certain. Of several resources JSON is a list and JSON Lines has one a line, each whole; plain and CSV
    begin each line with the URI. With --known-at it is the history up to that time, as it was answered then.
    """
    from archiver.cli.answers import timeline  # TAB has no answer to write
    from archiver.cli.words.namesakes import Namesakes, subject_of
    from archiver.model.empty import IN_WORDS

    moment = asked.known_at(known_at)
    if moment is not None:
        asked.end_at(moment)
    subjects = asked.about(refs)
    reasons: list[Empty] = []
    answers = _answers(asked, subjects.resources, moment, reasons)
    alike = Namesakes(map(subject_of, subjects.resources), typed=True)
    write_lines(timeline.answer(asked.presentation, answers, several=subjects.several, namesakes=alike))
    if not asked.answered and asked.presentation.format != "table":
        why = {IN_WORDS[empty] for empty in reasons}
        asked.note("no states in this range" + (f": {why.pop()}" if len(why) == 1 else ""))
    if not subjects.several and asked.presentation.format == "table":
        _point_below(asked, subjects.resources[0])


def _point_below(asked: Question, resource: Resource) -> None:
    """A stack says little of itself: who asks for one may mean what is under it."""
    if resource.type in HOLDERS:
        ref = short_reference(resource.uri) if asked.presentation.short else resource.uri
        asked.note(f"what is under it, with the states: archiver tree {ref}")


def _answers(
    asked: Question, resources: Iterable[Resource], known_at: datetime | None, reasons: list[Empty]
) -> Iterator[Timeline]:
    """The answers, one after the other, and of those without a state the reasons."""
    for resource in resources:
        with asked.as_known(known_at, resource) as (archive, known):
            answer = archive.timeline(known or resource, asked.range, stream=asked.stream)
            asked.judged(answer.coverage)
            asked.doubted([] if answer.first is None else [not answer.first.assumed])
            asked.answered = asked.answered or answer.first is not None
            if answer.empty is not None:
                reasons.append(answer.empty)
            yield answer

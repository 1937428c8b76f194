"""`archiver at`: the tree as it stood at an instant."""

from __future__ import annotations

import typer

from archiver.cli.answers.tree import answer, walk
from archiver.cli.asking.question import Question, question
from archiver.cli.common import KnownAt, MaybeRef, Moment, examples
from archiver.cli.words.coverage import INHERITED, moment_line
from archiver.cli.writing import write_lines
from archiver.model import TimeRange
from archiver.model.empty import IN_WORDS


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "at",
        epilog=examples(
            "archiver at 14:00 my-stack",
            "archiver at 'yesterday 14:00'",
            "archiver at 2h node/83faa2bb -o json",
            "archiver at 14:00 my-stack --known-at 14:05",
        ),
    )(question(at, ranged=False, told=True))


def at(asked: Question, time: Moment, ref: MaybeRef = None, known_at: KnownAt = None) -> None:
    """The tree as it stood: a resource and what lived under it, or the whole platform.

    States, names and images are those of then; a state with a ? (`certain` false) is from before a time in which nobody
    was watching. With --known-at it is answered from what had been received by then, as it was answered then; with
    --stream as if that stream alone had told of anything. Both read all words of what is asked about, from the first
    on.
    """
    moment = asked.moment(time)
    subject = None if ref is None else asked.one(ref, TimeRange.ending_at(moment))
    with asked.heard(subject, known_at=asked.known_at(known_at)) as (archive, known):
        root = archive.at(moment, known)
    doubted = asked.doubted(place.node.certain for place in walk(root))
    if root.coverage is not None and not asked.judged(root.coverage).complete:
        asked.note(moment_line(asked.presentation, root.coverage))
    elif doubted and asked.presentation.format == "table":
        asked.note(INHERITED)
    write_lines(answer(asked.presentation._replace(now=moment), [root]))
    if root.empty is not None:
        asked.note(f"nothing is known to have been there: {IN_WORDS[root.empty]}")

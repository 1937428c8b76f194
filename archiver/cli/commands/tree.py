"""`archiver tree`: a resource and what lives under it, with the present states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from archiver.cli.answers.tree import answer, walk
from archiver.cli.asking.question import Question, question
from archiver.cli.common import AnyRefs, examples
from archiver.cli.words.coverage import INHERITED, is_watched, moment_line
from archiver.cli.writing import write_lines
from archiver.errors import UsageError
from archiver.model import Resource, TreeNode
from archiver.model.empty import IN_WORDS

All = Annotated[bool, typer.Option("--all", help="Also what is gone, and since when.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "tree",
        epilog=examples(
            "archiver tree",
            "archiver tree my-stack",
            "archiver tree node/83faa2bb --all",
            "archiver tree my-stack -o json",
        ),
    )(question(tree, ranged=False, told=True))


def tree(asked: Question, refs: AnyRefs = None, all: All = False) -> None:
    """A resource and what lives under it, with the present states; without a resource all that lives.

    What is gone (Terminated, removed) is left out; --all shows it, where it was when it went. Of several resources JSON
    is a list, and JSON Lines has one tree a line. With --stream it is as if that stream alone had told of anything.
    """
    if not refs:
        if all:
            reason = "--all is about what was under a resource when it went, and none is named"
            raise UsageError(reason=reason, hint="name one; or say when: archiver at TIME")
        _show_everything(asked)
        return
    subjects = asked.about(refs)
    said: dict[str, None] = {}
    roots = _roots(asked, subjects.resources, said, gone=all)
    write_lines(answer(asked.presentation, roots, whole=all, several=subjects.several))
    for line in said:
        asked.note(line)


def _show_everything(asked: Question) -> None:
    with asked.heard(None) as (archive, _):
        root = archive.tree()
    write_lines(answer(asked.presentation, [root]))
    for line in _judged(asked, root):
        asked.note(line)
    if root.empty is not None:
        asked.note(f"nothing is known to be there: {IN_WORDS[root.empty]}")


def _roots(asked: Question, resources: list[Resource], said: dict[str, None], *, gone: bool) -> Iterator[TreeNode]:
    """The trees, one after the other, and what is to be said of how well they are watched."""
    for resource in resources:
        with asked.heard(resource) as (archive, known):
            root = archive.tree(known or resource, gone=gone)
        said.update(dict.fromkeys(_judged(asked, root)))
        yield root


def _judged(asked: Question, root: TreeNode) -> Iterator[str]:
    """What is to be said of how well a tree is watched, and how well it is known; both are judged, as `at` does."""
    doubted = asked.doubted(place.node.certain for place in walk(root))
    if root.coverage is None:
        return
    asked.judged(root.coverage)
    if asked.presentation.format == "table" and is_watched(root.coverage):
        if root.coverage.gaps:
            yield moment_line(asked.presentation, root.coverage, now=True)
        if doubted:
            yield INHERITED

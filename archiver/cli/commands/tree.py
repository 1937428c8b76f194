"""`archiver tree`: a resource and all that is under it, with the present states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Annotated, NamedTuple

import typer

from archiver.cli import times
from archiver.cli.common import Refs, examples
from archiver.cli.escape import escape
from archiver.cli.output import (
    Column,
    Presentation,
    blocks,
    documents,
    machine_value,
    plain_cell,
    render,
    to_json,
    write_lines,
)
from archiver.cli.question import Question, question
from archiver.cli.states import DIM, is_gone, state_style
from archiver.model import TreeNode

All = Annotated[bool, typer.Option("--all", help="Name also what is gone (Terminated, removed) in the table.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "tree",
        epilog=examples(
            "archiver tree my-stack", "archiver tree node/83faa2bb --all", "archiver tree my-stack -o json"
        ),
    )(question(tree, ranged=False))


def tree(asked: Question, refs: Refs, all: All = False) -> None:
    """A resource and all that is under it, with the present states.

    What is gone is folded into one line in the table; the other formats are always whole. Of several resources JSON is
    a list, and JSON Lines has one tree a line.
    """
    subjects = asked.about(refs)
    roots = (asked.archive.tree(resource) for resource in subjects.resources)
    write_lines(answer(asked.presentation, roots, whole=all, several=subjects.several))


def answer(
    presentation: Presentation, roots: Iterable[TreeNode], *, whole: bool = False, several: bool = False
) -> Iterator[str]:
    """The lines of an answer about one resource, or about `several`, however many there are."""
    if several and presentation.format == "table":
        return blocks(lines(presentation, root, whole=whole) for root in roots)
    if several and presentation.format in ("json", "jsonl"):
        return documents(presentation, ("".join(_nested(root)) for root in roots))
    if presentation.format == "csv":
        return render(presentation, COLUMNS, chain.from_iterable(map(walk, roots)))
    return chain.from_iterable(lines(presentation, root, whole=whole) for root in roots)


def lines(presentation: Presentation, root: TreeNode, *, whole: bool = False) -> Iterator[str]:
    """The lines of a tree in the format asked for."""
    if presentation.format == "table":
        return _drawn(presentation, root, whole)
    if presentation.format == "plain":
        return _indented(root)
    if presentation.format == "json":
        return iter(["".join(_nested(root))])
    return render(presentation, COLUMNS, walk(root))


class Place(NamedTuple):
    """A node, how deep it is, and the URI it is under."""

    node: TreeNode
    depth: int
    parent: str | None


COLUMNS: list[Column[Place]] = [
    Column("uri", lambda place: place.node.uri),
    Column("type", lambda place: place.node.type),
    Column("name", lambda place: place.node.name),
    Column("state", lambda place: place.node.state),
    Column("since", lambda place: place.node.since),
    Column("depth", lambda place: place.depth),
    Column("parent", lambda place: place.parent),
]


def walk(root: TreeNode) -> Iterator[Place]:
    """Every node after the one it is under; no recursion, as a hostile stream may nest as deep as it likes."""
    waiting = [Place(root, 0, None)]
    while waiting:
        place = waiting.pop()
        yield place
        waiting.extend(Place(child, place.depth + 1, place.node.uri) for child in reversed(place.node.children))


def _indented(root: TreeNode) -> Iterator[str]:
    for node, depth, _ in walk(root):
        cells = (node.uri, node.type, node.name, node.state, node.since)
        yield "  " * depth + "\t".join(plain_cell(cell) for cell in cells)


def _nested(root: TreeNode) -> Iterator[str]:
    """The pieces of the JSON text, children within their parents."""
    waiting: list[TreeNode | str] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
            continue
        own = {name: getattr(item, name) for name in ("uri", "type", "name", "state")}
        yield to_json(own | {"since": machine_value(item.since)})[:-1] + ', "children": ['
        waiting.append("]}")
        for position, child in reversed(list(enumerate(item.children))):
            waiting.append(child)
            if position:
                waiting.append(", ")


# --- drawn ----------------------------------------------------------------------------------------------------------


class Branch(NamedTuple):
    """What is still to be drawn: a node or a line of text, and the lines that lead to it."""

    item: TreeNode | str
    lead: str
    below: str


def _drawn(presentation: Presentation, root: TreeNode, whole: bool) -> Iterator[str]:
    waiting = [Branch(root, "", "")]
    while waiting:
        item, lead, below = waiting.pop()
        if isinstance(item, str):
            yield lead + presentation.paint(item, DIM)
            continue
        yield lead + _label(presentation, item)
        waiting.extend(reversed(list(_branches(_shown(item.children, whole), below, presentation.ascii))))


def _branches(items: Sequence[TreeNode | str], below: str, ascii: bool) -> Iterator[Branch]:
    branch, last, line = ("|-- ", "`-- ", "|   ") if ascii else ("├── ", "└── ", "│   ")
    for item in items[:-1]:
        yield Branch(item, below + branch, below + line)
    for item in items[-1:]:
        yield Branch(item, below + last, below + "    ")


def _shown(children: Sequence[TreeNode], whole: bool) -> list[TreeNode | str]:
    gone = [] if whole else [child for child in children if is_gone(child.state) and not _lives(child)]
    if not gone:
        return list(children)
    folded = {id(child) for child in gone}
    kept: list[TreeNode | str] = [child for child in children if id(child) not in folded]
    counts = Counter(escape(child.state or "") for child in gone)
    words = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    return [*kept, f"... {words} (--all names them)"]


def _lives(root: TreeNode) -> bool:
    return any(place.node.state and not is_gone(place.node.state) for place in walk(root))


def _label(presentation: Presentation, node: TreeNode) -> str:
    name = (
        f"{escape(node.type)} {escape(node.name)}  {presentation.uri(node.uri)}"
        if node.name
        else presentation.uri(node.uri)
    )
    if node.state is None:
        return name
    state = presentation.paint(escape(node.state), state_style(node.state))
    age = f"  {times.duration(presentation.now - node.since)}" if node.since else ""
    return f"{name}  {state}{age}"

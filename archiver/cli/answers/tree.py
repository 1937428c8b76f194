"""A tree as it is shown: drawn for a person, nested or flat for a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from archiver.cli import times
from archiver.cli.escape import escape
from archiver.cli.listing.cells import plain_cell, to_json
from archiver.cli.listing.columns import Column, refuse_fields
from archiver.cli.listing.cutting import cut, width
from archiver.cli.listing.machine import documents
from archiver.cli.listing.output import blocks, render
from archiver.cli.listing.widths import LEAST, READABLE, narrowed
from archiver.cli.presentation import Presentation
from archiver.cli.words.coverage import is_watched
from archiver.cli.words.states import DIM, state_style
from archiver.model import TreeNode
from archiver.report.documents import tree as nested


def answer(
    presentation: Presentation, roots: Iterable[TreeNode], *, whole: bool = False, several: bool = False
) -> Iterator[str]:
    """The lines of an answer about one resource, or about `several`, however many there are."""
    if presentation.format == "json":
        refuse_fields(presentation)
    if several and presentation.format == "table" and not presentation.fields:
        return blocks(lines(presentation, root, whole=whole) for root in roots)
    if several and presentation.format in ("json", "jsonl") and not presentation.fields:
        return documents(presentation, ("".join(nested(root, to_json)) for root in roots))
    if presentation.fields or presentation.format in ("csv", "tsv"):
        return render(presentation, _columns(whole), chain.from_iterable(map(walk, roots)))
    return chain.from_iterable(lines(presentation, root, whole=whole) for root in roots)


def lines(presentation: Presentation, root: TreeNode, *, whole: bool = False) -> Iterator[str]:
    """The lines of a tree in the format asked for."""
    if presentation.format == "table":
        return _drawn(presentation, root)
    if presentation.format == "plain":
        return _indented(root, whole)
    if presentation.format == "json":
        return iter(["".join(nested(root, to_json))])
    return render(presentation, _columns(whole), walk(root))


class Place(NamedTuple):
    """A node, how deep it is, and the URI it is under."""

    node: TreeNode
    depth: int
    parent: str | None
    doubts: bool
    """Whether it is said of a state that it is not certain."""


def _doubted(node: TreeNode, *, doubts: bool) -> str:
    """The state of a node; one that is not certain has a question mark, unless nobody knows of any that it is."""
    doubt = "?" if doubts and node.state is not None and node.certain is False else ""
    return plain_cell(node.state) + doubt


COLUMNS: list[Column[Place]] = [
    Column("uri", lambda place: place.node.uri),
    Column("type", lambda place: place.node.type),
    Column("name", lambda place: place.node.name),
    Column("state", lambda place: place.node.state, lambda _, place: _doubted(place.node, doubts=place.doubts)),
    Column("since", lambda place: place.node.since),
    Column("depth", lambda place: place.depth),
    Column("parent", lambda place: place.parent),
    Column("certain", lambda place: place.node.certain),
    Column("image", lambda place: place.node.image, extra=True),
    Column("slot", lambda place: place.node.slot, extra=True),
    Column("tags", lambda place: list(place.node.tags) or None, extra=True),
    Column("platform", lambda place: place.node.platform, extra=True),
]
GONE_AT: Column[Place] = Column("gone_at", lambda place: place.node.gone_at)


def _columns(whole: bool) -> list[Column[Place]]:
    return [*COLUMNS, GONE_AT] if whole else COLUMNS


def walk(root: TreeNode) -> Iterator[Place]:
    """Every node after the one it is under; no recursion, as a hostile stream may nest as deep as it likes."""
    waiting = [Place(root, 0, None, _says_doubts(root))]
    while waiting:
        place = waiting.pop()
        yield place
        children = (
            place._replace(node=child, depth=place.depth + 1, parent=place.node.uri) for child in place.node.children
        )
        waiting.extend(reversed(list(children)))


def _says_doubts(root: TreeNode) -> bool:
    return root.coverage is None or is_watched(root.coverage)


def _indented(root: TreeNode, whole: bool) -> Iterator[str]:
    for node, depth, *_ in walk(root):
        told = (node.uri, node.type, node.name, node.state, node.since, node.certain)
        cells = (*told, *((node.gone_at,) if whole else ()))
        yield "  " * depth + "\t".join(plain_cell(cell) for cell in cells)


# --- drawn ----------------------------------------------------------------------------------------------------------


class Branch(NamedTuple):
    """A node that is still to be drawn, and the lines that lead to it."""

    node: TreeNode
    lead: str
    below: str
    platform: str | None
    """What is said of where it is; None: nothing, as what is below a thing is where that is."""


def _drawn(presentation: Presentation, root: TreeNode) -> Iterator[str]:
    doubts = _says_doubts(root)
    waiting = [Branch(root, "", "", None)]
    while waiting:
        node, lead, below, platform = waiting.pop()
        room = (presentation.columns or 0) - width(lead)
        yield lead + _label(presentation, node, room, doubts=doubts, on=platform)
        waiting.extend(reversed(list(_branches(node, below, presentation.ascii))))


def _branches(parent: TreeNode, below: str, ascii: bool) -> Iterator[Branch]:
    nodes, is_top = parent.children, parent.uri is None
    branch, last, line = ("|-- ", "`-- ", "|   ") if ascii else ("├── ", "└── ", "│   ")
    for node in nodes[:-1]:
        yield Branch(node, below + branch, below + line, node.platform if is_top else None)
    for node in nodes[-1:]:
        yield Branch(node, below + last, below + "    ", node.platform if is_top else None)


def _label(presentation: Presentation, node: TreeNode, room: int, *, doubts: bool, on: str | None) -> str:
    """A node in a line, of no more than `room` cells on a terminal; of what image it is only where there is room."""
    if node.uri is None:
        return escape(node.type)
    named = f"{escape(node.type)} {escape(node.name)}" if node.name else ""
    shade, state, age = _state(node, presentation.now, doubts=doubts)
    state = state if presentation.columns is None else cut(state, max(READABLE, room // 3), ascii=presentation.ascii)
    place = f"on {escape(on)}" if on else ""
    rest = "".join(f"  {part}" for part in (state, age, place) if part)
    named, uri = _fitted(presentation, named, presentation.uri(node.uri), room - width(rest))
    shown = [f"{named}  {uri}" if named else uri]
    shown += [presentation.paint(state, shade)] if state else []
    shown += [presentation.paint(age, DIM) if node.gone_at else age] if age else []
    shown += [presentation.paint(place, DIM)] if place else []
    image = "" if node.image is None else escape(node.image)
    if image and (presentation.columns is None or width(named) + width(uri) + width(rest) + width(image) + 4 <= room):
        shown.append(presentation.paint(image, DIM))
    return "  ".join(shown)


def _state(node: TreeNode, now: datetime, *, doubts: bool) -> tuple[str, str, str]:
    """How a node is, in which style, and since when."""
    if node.state is None:
        return "", "", ""
    state = _doubted(node, doubts=doubts)
    shade = DIM if doubts and node.certain is False else state_style(node.state)
    if node.gone_at:
        return shade, state, f"gone {times.age(node.gone_at, now)} ago"
    return shade, state, times.age(node.since, now) if node.since else ""


def _fitted(presentation: Presentation, named: str, uri: str, room: int) -> tuple[str, str]:
    """The name and the URI of a node, cut where a terminal is too narrow for both."""
    if presentation.columns is None:
        return named, uri
    if not named:
        return named, cut(uri, max(room, LEAST), ascii=presentation.ascii)
    widths = narrowed([width(named), width(uri)], room)
    shown = (cut(text, wide, ascii=presentation.ascii) for text, wide in zip((named, uri), widths, strict=True))
    return next(shown), next(shown)

"""What is under some resources, and what something was under: along direct edges, at the instants at which they held.

Nothing is kept closed in the archive: an answer goes from level to level, and costs what it meets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from archiver.model import Micros, Number
from archiver.queries.reach import reach
from archiver.queries.windows import Part, Window, overlapping
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import Among, by_platform, statement
from archiver.storage.words import PARENT, TARGET

Stretches = tuple[Micros, ...]
"""Stretches of time in their order, none touching the next: since, until, since, until ..."""
Descent = Mapping[Number, Stretches]
"""The resources that were under some others, and when; these themselves have the whole window."""

Edge = tuple[Number, Number]
"""A resource, and one that was directly under it."""

# --- below ----------------------------------------------------------------------------------------------------------

_CHILDREN = (
    "SELECT f.value, f.resource_id, f.since, f.until"
    f" FROM facts f WHERE f.platform_id = :platform AND f.what = {PARENT} AND f.value IN :numbers AND {{}}"
)
_HEADS = (
    "SELECT p.resource_id FROM present p WHERE p.platform_id = :platform AND p.resource_id IN :numbers AND p.heads = 1"
)


def descend(
    connection: Connection, roots: Collection[Number], window: Window, met: set[Edge] | None = None
) -> dict[Number, Stretches]:
    """Everything that was under some resources within a window, and when; actions, which have no parents, are not.

    Held are numbers and instants: a few hundred bytes for each resource. `met` takes the edges on the way, each that
    held within the window.
    """
    whole = (window.since, window.until)
    known: dict[Number, Stretches] = dict.fromkeys(roots, whole)
    parts = overlapping(window, reach(connection))
    frontier: dict[Number, Stretches] = dict(known)
    while frontier:
        found: dict[Number, Stretches] = {}
        for among in by_platform(frontier):
            for parent, number, since, until in _children(connection, among, parts):
                child = among.of(number)
                if met is not None:
                    met.add((among.of(parent), child))
                below = _clipped(frontier[parent], since, until)
                new = below if child not in known else _without(below, known[child])
                if new:
                    known[child] = new if child not in known else _joined(known[child], new)
                    found[child] = new if child not in found else _joined(found[child], new)
        frontier = {number: found[number] for number in heads(connection, found)}
    return known


def heads(connection: Connection, numbers: Iterable[Number]) -> Iterator[Number]:
    """Those of some resources under which anything ever was."""
    for among in by_platform(numbers):
        yield from map(among.of, connection.scalars(statement(_HEADS), among.values()))


def _children(connection: Connection, among: Among, parts: Sequence[Part]) -> Iterator[Any]:
    for condition, values in parts:
        yield from connection.execute(statement(_CHILDREN.format(condition)), among.values(**values))


def is_within(stretches: Stretches, at: Micros) -> bool:
    """Whether an instant lies in one of the stretches."""
    return any(since <= at < until for since, until in _pairs(stretches))


def _pairs(stretches: Stretches) -> Iterator[tuple[Micros, Micros]]:
    return zip(stretches[::2], stretches[1::2], strict=True)


def _clipped(stretches: Stretches, since: Micros, until: Micros) -> Stretches:
    """What of the stretches lies within one other."""
    if len(stretches) == 2:
        low, high = max(stretches[0], since), min(stretches[1], until)
        return (low, high) if low < high else ()
    both = ((max(low, since), min(high, until)) for low, high in _pairs(stretches))
    return tuple([end for low, high in both if low < high for end in (low, high)])


def _without(stretches: Stretches, known: Stretches) -> Stretches:
    """What of the stretches is not known yet."""
    left: list[Micros] = []
    for low, high in _pairs(stretches):
        for since, until in _pairs(known):
            if until <= low or since >= high:
                continue
            if low < since:
                left += (low, since)
            low = until
            if low >= high:
                break
        if low < high:
            left += (low, high)
    return tuple(left)


def _joined(one: Stretches, other: Stretches) -> Stretches:
    """Both together, in order."""
    joined: list[Micros] = []
    for since, until in sorted([*_pairs(one), *_pairs(other)]):
        if joined and since <= joined[-1]:
            joined[-1] = max(joined[-1], until)
        else:
            joined += (since, until)
    return tuple(joined)


# --- above ----------------------------------------------------------------------------------------------------------

_PARENTS = (
    "SELECT f.resource_id, f.value, f.since, f.until FROM facts f WHERE f.platform_id = :platform"
    f" AND f.resource_id IN :numbers AND f.what = {PARENT} AND f.since <= :last AND f.until > :first"
)

Moment = tuple[Number, Micros]
"""A resource at an instant."""

# Not "= 2": PostgreSQL would take it for a question to the index of all actions, and look through that.
TARGETS = (
    "SELECT f.since, f.resource_id, f.value FROM facts f"
    f" WHERE f.platform_id = :platform AND f.resource_id IN :numbers AND f.what BETWEEN {TARGET} AND {TARGET}"
)
"""When actions of these numbers, of one platform, began, and what each applies to (0: nothing)."""


def ascend(connection: Connection, moments: Collection[Moment]) -> dict[Moment, frozenset[Number]]:
    """What each resource was under at its instant, at any distance; best asked for instants that lie close together."""
    if not moments:
        return {}
    ends = {"first": min(at for _, at in moments), "last": max(at for _, at in moments)}
    above: dict[int, list[tuple[Number, Micros, Micros]]] = {}
    missing = {number for number, _ in moments}
    while missing:
        above.update((number, []) for number in missing)
        for among in by_platform(missing):
            for number, parent, since, until in connection.execute(statement(_PARENTS), among.values(**ends)):
                above[number].append((among.of(parent), since, until))
        missing = {parent for number in missing for parent, _, _ in above[number]} - above.keys()
    return {moment: _closed(above, *moment) for moment in set(moments)}


def _closed(
    above: Mapping[int, Sequence[tuple[Number, Micros, Micros]]], number: Number, at: Micros
) -> frozenset[Number]:
    found: set[Number] = set()
    waiting = [number]
    while waiting:
        for parent, since, until in above[waiting.pop()]:
            if since <= at < until and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return frozenset(found - {number})

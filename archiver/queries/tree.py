"""A resource with what is under it now, and the state each is in."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from archiver.codec.ordering import by_name
from archiver.model import Micros, Number, Resource, TreeNode, to_datetime
from archiver.queries.coverage import coverage_at
from archiver.queries.platforms import several
from archiver.queries.standing import Stood, standing_now, who_told
from archiver.queries.under import heads
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.words import OPEN, PARENT

_LIVING = (
    "SELECT f.value, f.resource_id FROM facts f"
    f" WHERE f.platform_id = :platform AND f.what = {PARENT} AND f.value IN :numbers AND f.node = {OPEN}"
)
_EVER = (
    "SELECT f.value, f.resource_id FROM facts f"
    " JOIN present p ON p.platform_id = f.platform_id AND p.resource_id = f.resource_id"
    f" WHERE f.platform_id = :platform AND f.what = {PARENT} AND f.value IN :numbers"
    f" AND (f.until = {OPEN} OR (f.until >= p.gone_at AND f.since < p.gone_at))"
)
"""What lives, and where that which is gone was at its end: that may outlive it, but is not open."""

Parents = Mapping[Number, Collection[Number]]
"""The members of a tree, each with those of its parents that are in the tree."""


def tree(connection: Connection, resource: Resource, now: datetime, *, gone: bool = False) -> TreeNode:
    """The resource at the root, what lives under it below the closest of its parents; actions have their own question.

    With the `gone`, also what was under it when it went.
    """
    parents = _members(connection, resource.id, _EVER if gone else _LIVING)
    stood = standing_now(connection, parents, now)
    watched = coverage_at(connection, now, now, who_told(connection, stood.values()))
    # Judged up to the last sign of life, as a range without an end is; of that moment it is.
    root = planted(resource.id, parents, stood, several(connection))
    return root._replace(at=watched.seen_to, coverage=watched._replace(since=None))


def planted(root: Number, parents: Parents, stood: Mapping[Number, Stood], platforms: Mapping[int, str]) -> TreeNode:
    """The tree of its members, each below the closest of its parents.

    `platforms`: what they are called, where there are several.
    """
    children: dict[Number, list[Number]] = {}
    places = Places(root, parents, {number: each.uri for number, each in stood.items()})
    for number in sorted(stood, key=lambda number: by_name(stood[number].name, stood[number].uri, number)):
        if number != root:
            children.setdefault(places.closest(number), []).append(number)
    return _node(root, stood, children, platforms)


def _members(connection: Connection, root: Number, below: str) -> dict[Number, set[Number]]:
    parents: dict[Number, set[Number]] = {root: set()}
    frontier = [root]
    while frontier:
        found: list[Number] = []
        for among in by_platform(frontier):
            for parent, number in connection.execute(statement(below), among.values()):
                if number == root:
                    continue
                child = among.of(number)
                if child not in parents:
                    found.append(child)
                parents.setdefault(child, set()).add(among.of(parent))
        frontier = list(heads(connection, found))
    return parents


class Places:
    """Where each member of a tree stands: below the closest of its parents, the one with most of the tree above it.

    What is above each other has no place below the other.
    """

    def __init__(self, root: Number, parents: Parents, uris: Mapping[Number, str]) -> None:
        self._root, self._parents, self._uris = root, parents, uris
        self._heads = list({parent for above in parents.values() for parent in above})
        self._place = {head: place for place, head in enumerate(self._heads)}
        self._above = dict.fromkeys(self._heads, 0)
        self._close()

    def _close(self) -> None:
        """Finds all that is above each head: a number with a bit for every head, as there may be many."""
        below: dict[Number, list[Number]] = {}
        for head in self._heads:
            for parent in self._parents[head]:
                below.setdefault(parent, []).append(head)
        waiting = deque([self._root])
        while waiting:
            head = waiting.popleft()
            handed = self._above.get(head, 0) | 1 << self._place.get(head, 0)
            for child in below.get(head, ()):
                if self._above[child] | handed != self._above[child]:
                    self._above[child] |= handed
                    waiting.append(child)

    def closest(self, number: Number) -> Number:
        """The member below which one stands."""
        candidates: Iterable[Number] = self._parents[number]
        if self._is_above(number, number):  # in a circle: what is farther above may still have a place for it
            candidates = (head for head in self._heads if self._is_above(head, number))
        free = [parent for parent in candidates if not self._is_above(number, parent)]
        return max(free, key=lambda head: (self._above[head].bit_count(), self._uris[head]), default=self._root)

    def _is_above(self, number: Number, other: Number) -> bool:
        place = self._place.get(number)
        return place is not None and bool(self._above.get(other, 0) >> place & 1)


def _node(
    root: Number,
    rows: Mapping[Number, Stood],
    children: Mapping[Number, list[Number]],
    platforms: Mapping[int, str],
) -> TreeNode:
    """Builds from the leaves up, without recursion: how deep it goes is up to whoever sends the events."""
    built: dict[Number, TreeNode] = {}
    for number in reversed(list(_downwards(root, children))):
        row = rows[number]
        below = tuple([built[child] for child in children.get(number, ()) if child in built])
        since, gone_at = _instant(row.state_since), _instant(row.gone_at)
        told = (row.uri, row.type, row.name, row.state)
        node = TreeNode(*told, since, below, gone_at, row.image, row.slot, row.certain, tags=row.tags)
        built[number] = node._replace(platform=platforms.get(number.platform)) if platforms else node
    return built[root]


def _downwards(root: Number, children: Mapping[Number, list[Number]]) -> Iterator[Number]:
    stack, seen = [root], set()
    while stack:
        number = stack.pop()
        if number not in seen:
            seen.add(number)
            yield number
            stack.extend(children.get(number, ()))


def _instant(moment: Micros | None) -> datetime | None:
    return None if moment is None else to_datetime(moment)

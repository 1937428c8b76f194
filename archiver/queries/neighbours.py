"""What was above, below and beside something about an instant, and how many steps away."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from archiver.model import Number, Resource, TimeRange, numbers_of
from archiver.model.nearby import Where
from archiver.queries.runs import targets
from archiver.queries.under import Descent, Edge, descend
from archiver.queries.windows import Window
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import Values, by_platform, statement
from archiver.storage.words import PARENT

_EDGES = (
    "SELECT f.resource_id, f.value FROM facts f"
    f" WHERE f.platform_id = :platform AND f.resource_id IN :numbers AND f.what = {PARENT}"
    " AND f.since < :until AND f.until > :since"
)
_OF_WHAT_TYPE = (
    "SELECT r.id FROM resources r JOIN event_types t ON t.id = r.type_id"
    " WHERE r.platform_id = :platform AND r.id IN :numbers AND t.text = :type"
)
_HEARD_OF = tuple(
    f"SELECT DISTINCT e.platform_id, e.resource_id FROM {table} e"
    " JOIN resources r ON r.platform_id = e.platform_id AND r.id = e.resource_id"
    " JOIN event_types t ON t.id = r.type_id"
    f" WHERE e.{at} >= :since AND e.{at} < :until AND t.text <> 'action'"
    for table, at in (("events", "occurred_at"), ("observations", "observed_at"))
)
# A list of another one proves where something is: so it may have moved without a word of its own.
_MOVED = tuple(
    "SELECT DISTINCT m.platform_id, m.resource_id FROM (SELECT DISTINCT e.platform_id, e.parent_list_id AS list_id"
    f" FROM {table} e WHERE e.{at} >= :since AND e.{at} < :until) l"
    " JOIN parent_list_members m ON m.platform_id = l.platform_id AND m.list_id = l.list_id"
    " WHERE EXISTS (SELECT 1 FROM facts f WHERE f.platform_id = m.platform_id AND f.resource_id = m.resource_id"
    f" AND f.what = {PARENT} AND f.since >= :first AND f.since < :last)"
    for table, at in (("events", "occurred_at"), ("observations", "observed_at"))
)
_EVERYTHING = "nodecluster"
"""Of what is under that, everything is: to be in it as well is not to be beside."""


class Place(NamedTuple):
    """Where something is, seen from what is asked about."""

    where: Where
    distance: int


def neighbours(connection: Connection, number: Number, window: Window) -> dict[Number, Place]:
    """All that was above, below or beside a resource within a window, and itself."""
    up = _upwards(connection, [number], window)
    above = set(up)
    wide = set(_of_type(connection, above, _EVERYTHING))
    met: set[Edge] = set()
    everything = above.union(descend(connection, sorted(above - wide), window, met))
    down: dict[Number, set[Number]] = {}
    for parent, child in met:
        if child in everything:
            down.setdefault(parent, set()).add(child)
    heights = _steps({number: 0}, up)
    depths = _steps({number: 0}, down)
    apart = _steps({head: steps for head, steps in heights.items() if head not in wide}, down)
    places = {each: Place("beside", steps) for each, steps in apart.items()}
    places |= {each: Place("above", steps) for each, steps in heights.items()}
    places |= {each: Place("below", steps) for each, steps in depths.items()}
    return places | {number: Place("self", 0)}


def above_of(connection: Connection, number: Number, window: Window) -> set[Number]:
    """A resource and all that it was under within a window: what is gone at its end was somewhere before."""
    return above_all(connection, [number], window)


def above_all(connection: Connection, numbers: Iterable[Number], window: Window) -> set[Number]:
    """Some resources and all that they were under within a window."""
    return set(_upwards(connection, numbers, window))


def _upwards(connection: Connection, numbers: Iterable[Number], window: Window) -> dict[Number, set[Number]]:
    """Some resources and all that they were under within a window, each with what it was directly under."""
    found: dict[Number, set[Number]] = {}
    frontier = set(numbers)
    while frontier:
        found |= {number: set() for number in frontier}
        for among in by_platform(sorted(frontier)):
            for row in connection.execute(statement(_EDGES), among.values(**window._asdict())):
                found[among.of(row.resource_id)].add(among.of(row.value))
        frontier = {parent for number in frontier for parent in found[number]} - found.keys()
    return found


def _steps(begin: Mapping[Number, int], edges: Mapping[Number, Iterable[Number]]) -> dict[Number, int]:
    """How few steps lead to each from some that are so many away themselves."""
    found = dict(begin)
    waiting = deque(sorted(begin, key=begin.__getitem__))
    while waiting:
        number = waiting.popleft()
        for other in edges.get(number, ()):
            if found.get(other, found[number] + 2) > found[number] + 1:
                found[other] = found[number] + 1
                waiting.append(other)
    return found


def _of_type(connection: Connection, numbers: Iterable[Number], type: str) -> list[Number]:
    return [
        among.of(row.id)
        for among in by_platform(numbers)
        for row in connection.execute(statement(_OF_WHAT_TYPE), among.values(type=type))
    ]


def members(connection: Connection, root: Resource | None, range: TimeRange) -> dict[Number, Place]:
    """All that was under a resource within a range, this included; without one, all that was heard of then."""
    below: Where = "below"
    if root is not None:
        found = descend(connection, [root.id], Window.of(range))
        return {number: Place("self", 0) if number == root.id else Place(below, 1) for number in found}
    return dict.fromkeys(_heard_of(connection, range), Place(below, 1))


def concerned(connection: Connection, root: Resource | None, range: TimeRange) -> Descent:
    """All that was under a resource within a range, and when; without one, all that was heard of, acted on or moved."""
    window = Window.of(range)
    if root is not None:
        return descend(connection, [root.id], window)
    found = _heard_of(connection, range) | targets(connection, window) | _moved(connection, range, window)
    return dict.fromkeys(found, tuple(window))


def _moved(connection: Connection, range: TimeRange, window: Window) -> set[Number]:
    """What the lists of others put elsewhere within a range."""
    values = {"since": range.since, "until": range.until, "first": window.since, "last": window.until}
    return _found(connection, _MOVED, values)


def _heard_of(connection: Connection, range: TimeRange) -> set[Number]:
    return _found(connection, _HEARD_OF, {"since": range.since, "until": range.until})


def _found(connection: Connection, queries: Iterable[str], values: Values) -> set[Number]:
    return {
        numbers_of(platform)(number)
        for query in queries
        for platform, number in connection.execute(statement(query), values)
    }

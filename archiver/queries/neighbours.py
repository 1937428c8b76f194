"""What was above, below and beside something about an instant, and how many steps away."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from archiver.model import Resource, TimeRange
from archiver.model.nearby import Where
from archiver.queries.runs import targets
from archiver.queries.under import Descent, descend
from archiver.queries.windows import Window
from archiver.storage.reading import Connection
from archiver.storage.statements import chunks, statement
from archiver.storage.words import PARENT

_EDGES = (
    "SELECT f.resource_id, f.value FROM facts f"
    f" WHERE f.resource_id IN :numbers AND f.what = {PARENT} AND f.since < :until AND f.until > :since"
)
_OF_WHAT_TYPE = (
    "SELECT r.id FROM resources r JOIN event_types t ON t.id = r.type_id WHERE r.id IN :numbers AND t.text = :type"
)
_HEARD_OF = tuple(
    f"SELECT DISTINCT e.resource_id FROM {table} e JOIN resources r ON r.id = e.resource_id"
    " JOIN event_types t ON t.id = r.type_id"
    f" WHERE e.{at} >= :since AND e.{at} < :until AND t.text <> 'action'"
    for table, at in (("events", "occurred_at"), ("observations", "observed_at"))
)
# A list of another one proves where something is: so it may have moved without a word of its own.
_MOVED = tuple(
    "SELECT DISTINCT m.resource_id FROM (SELECT DISTINCT e.parent_list_id AS list_id"
    f" FROM {table} e WHERE e.{at} >= :since AND e.{at} < :until) l"
    " JOIN parent_list_members m ON m.list_id = l.list_id"
    f" WHERE EXISTS (SELECT 1 FROM facts f WHERE f.resource_id = m.resource_id AND f.what = {PARENT}"
    " AND f.since >= :first AND f.since < :last)"
    for table, at in (("events", "occurred_at"), ("observations", "observed_at"))
)
_EVERYTHING = "nodecluster"
"""Of what is under that, everything is: to be in it as well is not to be beside."""


class Place(NamedTuple):
    """Where something is, seen from what is asked about."""

    where: Where
    distance: int


def neighbours(connection: Connection, number: int, window: Window) -> dict[int, Place]:
    """All that was above, below or beside a resource within a window, and itself."""
    above = above_of(connection, number, window)
    wide = set(_of_type(connection, above, _EVERYTHING))
    # One by one: of all at once PostgreSQL would rather read everything that was ever below them.
    everything = above.union(*(descend(connection, [head], window) for head in sorted(above - wide)))
    up: dict[int, set[int]] = {}
    down: dict[int, set[int]] = {}
    for part in chunks(sorted(everything)):
        for row in connection.execute(statement(_EDGES), {"numbers": part, **window._asdict()}):
            up.setdefault(row.resource_id, set()).add(row.value)
            down.setdefault(row.value, set()).add(row.resource_id)
    heights = _steps({number: 0}, up)
    depths = _steps({number: 0}, down)
    apart = _steps({head: steps for head, steps in heights.items() if head not in wide}, down)
    places = {each: Place("beside", steps) for each, steps in apart.items()}
    places |= {each: Place("above", steps) for each, steps in heights.items()}
    places |= {each: Place("below", steps) for each, steps in depths.items()}
    return places | {number: Place("self", 0)}


def above_of(connection: Connection, number: int, window: Window) -> set[int]:
    """A resource and all that it was under within a window: what is gone at its end was somewhere before."""
    found, frontier = {number}, {number}
    while frontier:
        met: set[int] = set()
        for part in chunks(sorted(frontier)):
            rows = connection.execute(statement(_EDGES), {"numbers": part, **window._asdict()})
            met.update(row.value for row in rows)
        frontier = met - found
        found |= frontier
    return found


def _steps(begin: Mapping[int, int], edges: Mapping[int, Iterable[int]]) -> dict[int, int]:
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


def _of_type(connection: Connection, numbers: Iterable[int], type: str) -> list[int]:
    return [
        row.id
        for part in chunks(numbers)
        for row in connection.execute(statement(_OF_WHAT_TYPE), {"numbers": part, "type": type})
    ]


def members(connection: Connection, root: Resource | None, range: TimeRange) -> dict[int, Place]:
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


def _moved(connection: Connection, range: TimeRange, window: Window) -> set[int]:
    """What the lists of others put elsewhere within a range."""
    values = {"since": range.since, "until": range.until, "first": window.since, "last": window.until}
    return {row.resource_id for query in _MOVED for row in connection.execute(statement(query), values)}


def _heard_of(connection: Connection, range: TimeRange) -> set[int]:
    values = {"since": range.since, "until": range.until}
    return {row.resource_id for query in _HEARD_OF for row in connection.execute(statement(query), values)}

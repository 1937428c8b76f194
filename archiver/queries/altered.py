"""What may stand otherwise at one instant than at another: what was told of between them, and where that was then.

The rest of both snapshots is the same, and is not read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, NamedTuple

from archiver.model import Micros, Number, numbers_of, to_datetime
from archiver.queries.last_words import is_running
from archiver.queries.reach import reach
from archiver.queries.snapshot import ACTIONLESS, Snapshot, children, edges
from archiver.queries.standing import Stood, stood
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.words import PARENT

_TABLES = (("events", "occurred_at"), ("observations", "observed_at"))
_WORDS = tuple(
    f"SELECT e.platform_id, e.resource_id, e.parent_list_id FROM {table} e"
    f" WHERE {{on}}e.{at} > :since AND e.{at} <= :until LIMIT :most"
    for table, at in _TABLES
)
# From these two nothing is to draw the planner to all of a type (+).
_NO_ACTIONS = (
    "SELECT p.resource_id FROM present p"
    " WHERE p.platform_id = :platform AND p.resource_id IN :numbers AND +p.type_id IN :types"
)
# Lists of others name first, and put elsewhere, what says nothing itself.
_PUT = (
    f"{_NO_ACTIONS} AND ((+p.first_at > :first AND +p.first_at <= :last) OR EXISTS (SELECT 1 FROM facts f"
    " WHERE f.platform_id = p.platform_id AND f.resource_id = p.resource_id"
    f" AND f.what = {PARENT} AND f.since > :first AND f.since <= :last))"
)
_MEMBERS = (
    "SELECT DISTINCT m.resource_id FROM parent_list_members m WHERE m.platform_id = :platform AND m.list_id IN :numbers"
)
_LIFE = (
    "SELECT p.resource_id, p.gone_at, p.last_at FROM present p"
    " WHERE p.platform_id = :platform AND p.resource_id IN :numbers"
)
_SERVICES = (
    "SELECT r.id FROM resources r JOIN event_types t ON t.id = r.type_id"
    " WHERE r.platform_id = :platform AND r.id IN :numbers AND t.text = 'service'"
)

Instants = tuple[Micros, Micros]
"""Two instants, of which what changed behind the first, until the second, is of interest."""


class Ends(NamedTuple):
    """What may stand otherwise at one of two instants than at the other."""

    snapshots: tuple[Snapshot, Snapshot]
    known: tuple[Mapping[Number, Stood], Mapping[Number, Stood]]
    """How that which stands in either stood at both: what was gone then, or elsewhere, too."""
    above: tuple[Mapping[Number, set[Number]], Mapping[Number, set[Number]]]
    """What that was directly under."""


class Words(NamedTuple):
    """What was told between two instants: of which resources, and with which lists."""

    resources: set[Number]
    lists: set[Number]


def words_between(connection: Connection, root: Number | None, instants: Instants, most: int) -> Words | None:
    """What was told behind an instant until another, on the platform of a resource, or on all; None: more than that."""
    since, until = map(to_datetime, instants)
    values: dict[str, Any] = {"since": since, "until": until, "most": most + 1}
    on = ""
    if root is not None:
        on, values["platform"] = "e.platform_id = :platform AND ", root.platform
    words = Words(set(), set())
    for query in _WORDS:
        rows = connection.execute(statement(query.format(on=on)), values).all()
        if len(rows) > most:
            return None
        for platform, number, list_number in rows:
            own = numbers_of(platform)
            words.resources.add(own(number))
            if list_number is not None:
                words.lists.add(own(list_number))
    return words


def altered(connection: Connection, root: Number | None, instants: Instants, now: datetime, words: Words) -> Ends:
    """What was told of between two instants, under a resource (None: anywhere) at either, and that itself.

    And of each service for which more or fewer containers ran then, all that did.
    """
    numbers = _told_of(connection, words, instants) | ({root} if root is not None else set())
    views = [_View(connection, at, now) for at in instants]
    for view in views:
        view.look_at(numbers)
    if root is not None:
        _look_above(connection, views, numbers, root)
    resized = _resized(connection, views)
    known = reach(connection)
    below = {child for edges in children(connection, resized, instants, known) for _, child in edges}
    for view in views:
        view.look_at(resized | below)
    first, second = views
    snapshots = first.snapshot(root), second.snapshot(root)
    return Ends(snapshots, (first.known, second.known), (first.above, second.above))


class _View:
    """How things stood at an instant, as far as it is looked at them."""

    def __init__(self, connection: Connection, at: Micros, now: datetime) -> None:
        self._connection = connection
        self.at, self.now = at, now
        self.known: dict[Number, Stood] = {}
        self.above: dict[Number, set[Number]] = {}
        """What lived, and what it was directly under."""

    def look_at(self, numbers: Set[Number]) -> None:
        """Looks at some resources."""
        new = stood(self._connection, numbers - self.known.keys(), self.at, self.now)
        self.known |= new
        living = [number for number, each in new.items() if each.gone_at is None]
        self.above |= {number: set() for number in living} | edges(self._connection, living, self.at)

    def running(self) -> dict[Number, set[Number]]:
        """The containers that ran directly under each resource."""
        found: dict[Number, set[Number]] = {}
        for number in self.above.keys() & self.known.keys():
            if self.known[number].type == "container" and is_running(self.known[number].state):
                for parent in self.above[number]:
                    found.setdefault(parent, set()).add(number)
        return found

    def snapshot(self, root: Number | None) -> Snapshot:
        """What lived of all that was looked at, and was under a resource (None: anywhere) by way of what lived."""
        reached = self.above.keys() if root is None else self._reached(root)
        living = {number: self.known[number] for number in self.known.keys() & self.above.keys() & reached}
        return Snapshot(living, {number: self.above[number] if number != root else set() for number in living})

    def _reached(self, root: Number) -> set[Number]:
        below: dict[Number, list[Number]] = {}
        for number, parents in self.above.items():
            for parent in parents:
                below.setdefault(parent, []).append(number)
        reached: set[Number] = set()
        waiting = [root] if root in self.above else []
        while waiting:
            number = waiting.pop()
            if number not in reached:
                reached.add(number)
                waiting += below.get(number, ())
        return reached


def _look_above(connection: Connection, views: Sequence[_View], numbers: set[Number], root: Number) -> None:
    """Looks at what resources were under, up to the root: nothing was told of that, so it was so at both instants."""
    seen = set(numbers)
    frontier = {parent for view in views for parents in view.above.values() for parent in parents} - seen
    while frontier:
        living = _living(connection, frontier, views[0])
        above = {number: set[Number]() for number in living} | edges(connection, living, views[0].at)
        for view in views:
            view.above |= above
        seen |= frontier
        frontier = {parent for parents in above.values() for parent in parents} - seen


def _living(connection: Connection, numbers: Collection[Number], view: _View) -> list[Number]:
    """Those of some resources that lived at an instant; of what was told of since, it is looked for earlier words."""
    found: list[Number] = []
    later: list[Number] = []
    for among in by_platform(sorted(numbers)):
        for number, gone_at, last_at in connection.execute(statement(_LIFE), among.values()):
            if last_at is not None and last_at > view.at:
                later.append(among.of(number))
            elif gone_at is None:
                found.append(among.of(number))
    told = stood(connection, later, view.at, view.now)
    return found + [number for number, each in told.items() if each.gone_at is None]


def _resized(connection: Connection, views: Sequence[_View]) -> set[Number]:
    """The services for which more, or fewer, ran at one instant than at the other."""
    ran, run = (view.running() for view in views)
    sized = {number for number in ran.keys() | run.keys() if len(ran.get(number, ())) != len(run.get(number, ()))}
    return _found(connection, _SERVICES, sized)


def _told_of(connection: Connection, words: Words, instants: Instants) -> set[Number]:
    """What words between two instants tell of, but for actions: of itself, or by naming it."""
    types = connection.scalars(ACTIONLESS)
    if not types:
        return set()
    listed = _found(connection, _MEMBERS, words.lists)
    put = _found(connection, _PUT, listed - words.resources, first=instants[0], last=instants[1], types=types)
    return _found(connection, _NO_ACTIONS, words.resources, types=types) | put


def _found(connection: Connection, query: str, numbers: Iterable[Number], **values: Any) -> set[Number]:
    return {
        among.of(number)
        for among in by_platform(sorted(numbers))
        for number in connection.scalars(statement(query), among.values(**values))
    }

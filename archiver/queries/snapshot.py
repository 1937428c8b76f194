"""What lived at an instant, under a resource or on the whole platform, and what was under what then."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from archiver.model import Micros, Number, numbers_of, to_micros
from archiver.queries.lived import LIVED, LIVING
from archiver.queries.reach import reach
from archiver.queries.standing import Stood, standing_now, stood
from archiver.queries.under import Edge, heads
from archiver.queries.windows import Window, holding_about
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.words import PARENT

ACTIONLESS = "SELECT t.id FROM event_types t WHERE t.text <> 'action'"
"""The types of all but actions."""
PLATFORM = numbers_of(0)(0)
"""The number of what everything is under; no resource has it."""


class Snapshot(NamedTuple):
    """What lived, and where."""

    stood: Mapping[Number, Stood]
    parents: Mapping[Number, set[Number]]
    """Each with those of its parents that lived as well, and are the root or under it."""


def of_resource(connection: Connection, root: Number, at: Micros, now: datetime) -> Snapshot:
    """A resource and what lived under it, below what lived; nothing at all when it did not live itself."""
    found = branches(connection, root, (at, at))
    assert found is not None
    return grown(root, found[0], stood(connection, met_from(root, found), at, now))


def branches(
    connection: Connection, root: Number, instants: tuple[Micros, Micros], most: int | None = None
) -> tuple[set[Edge], set[Edge]] | None:
    """What was directly under what at each of two instants, from a resource downwards; None: more than so many."""
    known = reach(connection)
    found: tuple[set[Edge], set[Edge]] = set(), set()
    seen = {root}
    frontier = [root]
    while frontier:
        edges = children(connection, frontier, instants, known, None if most is None else 2 * most + 1)
        for all_of_then, new in zip(found, edges, strict=True):
            all_of_then |= new
        if most is not None and max(map(len, found)) > most:
            return None
        met = met_from(root, edges) - seen
        seen |= met
        frontier = list(heads(connection, sorted(met)))
    return found


def met_from(root: Number, edges: Iterable[Iterable[Edge]]) -> set[Number]:
    """A resource, and what is met on the way down from it along some edges."""
    return {root}.union(child for some in edges for _, child in some)


def grown(root: Number, edges: Iterable[Edge], known: Mapping[Number, Stood]) -> Snapshot:
    """What lived of what is known, and hung from a resource by what lived."""
    living = _living(known)
    below: dict[Number, list[Number]] = {}
    for parent, child in edges:
        if child in living and child != root:
            below.setdefault(parent, []).append(child)
    parents: dict[Number, set[Number]] = {root: set()} if root in living else {}
    waiting = list(parents)
    while waiting:
        parent = waiting.pop()
        for child in below.get(parent, ()):
            if child not in parents:
                waiting.append(child)
            parents.setdefault(child, set()).add(parent)
    return Snapshot({number: living[number] for number in parents}, parents)


def of_platform(connection: Connection, at: Micros, now: datetime) -> Snapshot:
    """All that lived, but for actions; what was under nothing that lived is under the platform itself."""
    return _placed(connection, stood(connection, _candidates(connection, at), at, now), at)


def of_platform_now(connection: Connection, now: datetime) -> Snapshot:
    """All that lives, as `of_platform`; how sure that is is judged up to the last sign of life."""
    at = to_micros(now)
    return _placed(connection, standing_now(connection, _candidates(connection, at), now), at)


def _placed(connection: Connection, known: Mapping[Number, Stood], at: Micros) -> Snapshot:
    living = _living(known)
    parents: dict[Number, set[Number]] = {PLATFORM: set(), **{number: set() for number in living}}
    for child, above in edges(connection, living, at).items():
        parents[child].update(above & living.keys())
    _reach(parents, sorted(living, key=lambda number: (living[number].uri, number)))
    return Snapshot(living, parents)


def edges(connection: Connection, numbers: Iterable[Number], at: Micros) -> dict[Number, set[Number]]:
    """What some resources were directly under at an instant."""
    found: dict[Number, set[Number]] = {}
    for among in by_platform(numbers):
        for child, parent in connection.execute(statement(_PARENTS), among.values(at=at)):
            found.setdefault(among.of(child), set()).add(among.of(parent))
    return found


def edges_at_both(
    connection: Connection, numbers: Iterable[Number], instants: tuple[Micros, Micros]
) -> tuple[dict[Number, set[Number]], dict[Number, set[Number]]]:
    """What some resources were directly under at each of two instants."""
    found: tuple[dict[Number, set[Number]], dict[Number, set[Number]]] = {}, {}
    ends = {"first": instants[0], "last": instants[1]}
    for among in by_platform(numbers):
        for child, parent, since, until in connection.execute(statement(_PARENTS_AT_BOTH), among.values(**ends)):
            for above, at in zip(found, instants, strict=True):
                if since <= at < until:
                    above.setdefault(among.of(child), set()).add(among.of(parent))
    return found


_PARENTS = (
    "SELECT f.resource_id, f.value FROM facts f WHERE f.platform_id = :platform AND f.resource_id IN :numbers"
    f" AND f.what = {PARENT} AND f.since <= :at AND f.until > :at"
)
_PARENTS_AT_BOTH = (
    "SELECT f.resource_id, f.value, f.since, f.until FROM facts f"
    " WHERE f.platform_id = :platform AND f.resource_id IN :numbers"
    f" AND f.what = {PARENT} AND f.since <= :last AND f.until > :first AND (f.since <= :first OR f.until > :last)"
)
_CHILDREN = (
    "SELECT f.value, f.resource_id, f.since, f.until FROM facts f"
    f" WHERE f.platform_id = :platform AND f.what = {PARENT} AND f.value IN :numbers AND {{}}"
)
_HOW_MANY = (
    "SELECT count(*) FROM (SELECT 1 FROM present p WHERE p.gone_at IS NULL AND p.type_id IN :numbers LIMIT :most) found"
)
_SOME_STILL = f"SELECT p.platform_id, p.resource_id FROM present p WHERE {LIVING} AND p.type_id IN :numbers LIMIT :most"
_LIVED = f"SELECT p.platform_id, p.resource_id {LIVED}"


def _living(found: Mapping[Number, Stood]) -> dict[Number, Stood]:
    return {number: each for number, each in found.items() if each.gone_at is None}


def children(
    connection: Connection,
    numbers: Iterable[Number],
    instants: tuple[Micros, Micros],
    known: Window,
    most: int | None = None,
) -> tuple[set[Edge], set[Edge]]:
    """What was directly under some resources at each of two instants, of an archive with that reach.

    Of more than so many some are enough.
    """
    limit = "" if most is None else f" LIMIT {most}"
    found: tuple[set[Edge], set[Edge]] = set(), set()
    parts = holding_about(*instants, known)
    for among in by_platform(numbers):
        for condition, values in parts:
            rows = connection.execute(statement(_CHILDREN.format(condition) + limit), among.values(**values))
            for parent, child, since, until in rows:
                for edges, at in zip(found, instants, strict=True):
                    if since <= at < until:
                        edges.add((among.of(parent), among.of(child)))
    return found


def how_many(connection: Connection, most: int) -> int:
    """How many resources live, but for actions; they are counted no further than this."""
    types = connection.scalars(ACTIONLESS)
    return connection.scalar(statement(_HOW_MANY), {"numbers": types, "most": most}) or 0 if types else 0


def some(connection: Connection, at: Micros, most: int) -> list[Number]:
    """Some resources, but no actions, that live and were heard of at an instant."""
    types = connection.scalars(ACTIONLESS)
    values = {"numbers": types, "until": at + 1, "most": most}
    rows = connection.execute(statement(_SOME_STILL), values) if types else ()
    return [numbers_of(platform)(number) for platform, number in rows]


def _candidates(connection: Connection, at: Micros) -> Collection[Number]:
    """What may have lived at an instant: who came back may have been gone then."""
    types = connection.scalars(ACTIONLESS)
    rows = connection.execute(statement(_LIVED), {"types": types, "since": at, "until": at + 1}) if types else ()
    return [numbers_of(platform)(number) for platform, number in rows]


def _reach(parents: dict[Number, set[Number]], numbers: Iterable[Number]) -> None:
    """Puts under the platform what is under nothing, and of what is in a circle the first."""
    below: dict[Number, list[Number]] = {}
    for child, above in parents.items():
        for parent in above:
            below.setdefault(parent, []).append(child)
    reached = {PLATFORM}
    ordered = list(numbers)
    for number in [*(each for each in ordered if not parents[each]), *ordered]:
        if number in reached:
            continue
        parents[number].add(PLATFORM)
        waiting = deque([number])
        while waiting:
            found = waiting.popleft()
            if found not in reached:
                reached.add(found)
                waiting.extend(below.get(found, ()))

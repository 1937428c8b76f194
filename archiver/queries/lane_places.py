"""Which resources are in a picture, and where in its tree each of them stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archiver.codec.ordering import by_name
from archiver.errors import TooMuchForPicture
from archiver.model import Number, Resource, numbers_of
from archiver.queries.lane_words import SOURCES, bound
from archiver.queries.lived import LIVED
from archiver.queries.tree import Places
from archiver.queries.under import descend, heads
from archiver.queries.windows import NEVER, Window
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import Values, by_platform, statement
from archiver.storage.words import NO_RESOURCE, PARENT

_TOP = numbers_of(0)(0)
"""What stands for all there is, above what is under nothing."""

_TYPES = "SELECT t.id FROM event_types t WHERE t.text <> 'action'"
_LIVED = f"SELECT p.platform_id, p.resource_id {LIVED} LIMIT :most"
_EVER = "SELECT p.platform_id, p.resource_id FROM present p WHERE p.type_id IN :numbers LIMIT :most"
_HEARD = (
    "SELECT DISTINCT w.platform_id, w.resource_id FROM {} w"
    f" WHERE w.{{}} >= :since AND w.{{}} < :until AND w.resource_id <> {NO_RESOURCE}"
)
_OF_TYPES = (
    "SELECT p.resource_id FROM present p"
    " WHERE p.platform_id = :platform AND p.resource_id IN :numbers AND +p.type_id IN :types"
)


def places(connection: Connection, root: Resource | None, window: Window, most: int) -> list[Place]:
    """All that was under a resource at any instant of a window, and itself; without one, all that there was.

    In the order of a tree, each where it was last within the window. Raises TooMuchForPicture when there are more.
    """
    return _placed(connection, root, _members(connection, root, window, most), window)


def _members(connection: Connection, root: Resource | None, window: Window, most: int) -> list[Number]:
    found = {root.id} if root is not None else _known_within(connection, window, most)
    if len(found) <= most:
        # One by one from the top: of all at once PostgreSQL would rather read everything that was ever below them.
        parents = _parents(connection, _TOP, list(found), window)
        for number in list(heads(connection, found)):
            if parents[number] == {_TOP} or root is not None:
                found |= descend(connection, [number], window).keys()
    if len(found) > most:
        raise TooMuchForPicture(found=f"more than {most:,} resources")
    return sorted(found)


def _known_within(connection: Connection, window: Window, most: int) -> set[Number]:
    """What lived, and what anything was told of within a window; not the actions."""
    types = list(connection.scalars(statement(_TYPES)))
    if not types:
        return set()
    values = {"numbers": types, "most": most + 1}
    if window.since == NEVER:
        return _found(connection, _EVER, values)
    found = _found(connection, _LIVED, {"types": types, "most": most + 1, **window._asdict()})
    ends = {"since": bound(window.since), "until": bound(window.until)}
    for table, (at, _) in SOURCES.items():
        heard = _found(connection, _HEARD.format(table, at, at), ends) - found
        for among in by_platform(heard):
            found.update(map(among.of, connection.scalars(statement(_OF_TYPES), among.values(types=types))))
    return found


def _found(connection: Connection, query: str, values: Values) -> set[Number]:
    return {numbers_of(platform)(number) for platform, number in connection.execute(statement(query), values)}


class Place(NamedTuple):
    """A resource and how deep it stands."""

    resource: Resource
    depth: int


_EDGES = (
    "SELECT f.resource_id, f.value, f.until FROM facts f"
    f" WHERE f.platform_id = :platform AND f.resource_id IN :numbers AND f.what = {PARENT}"
    " AND f.since < :until AND f.until > :since"
)
_NAMED = (
    "SELECT r.id, r.uri, r.key, t.text AS type, n.text AS name, p.first_at"
    " FROM resources r JOIN event_types t ON t.id = r.type_id"
    " LEFT JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE r.platform_id = :platform AND r.id IN :numbers"
)


def _placed(connection: Connection, root: Resource | None, members: Sequence[Number], window: Window) -> list[Place]:
    """The members in the order of a tree; each where it was last within the window."""
    top = _TOP if root is None else root.id
    parents = _parents(connection, top, members, window)
    rows = {
        among.of(row.id): row
        for among in by_platform(members)
        for row in connection.execute(statement(_NAMED), among.values())
    }
    tree = Places(top, parents, {_TOP: "", **{number: row.uri for number, row in rows.items()}})
    below: dict[Number, list[Number]] = {}
    for number in sorted(rows, key=lambda number: _order(rows[number]), reverse=True):
        if number != top:
            below.setdefault(tree.closest(number), []).append(number)
    waiting = [(top, 0)] if root is not None else [(number, 0) for number in below.get(_TOP, ())]
    found, seen = [], set()
    while waiting:
        number, depth = waiting.pop()
        if number in rows and number not in seen:
            seen.add(number)
            row = rows[number]
            found.append(Place(Resource(number, row.uri, row.type, row.key, row.name), depth))
            waiting.extend((child, depth + 1) for child in below.get(number, ()))
    return found


def _order(row: Any) -> tuple[object, ...]:
    """Of one name stands first what was there first."""
    return by_name(row.name, row.first_at is None, row.first_at, row.uri)


def _parents(
    connection: Connection, top: Number, members: Sequence[Number], window: Window
) -> dict[Number, set[Number]]:
    """The last parents of each member within the window that are members as well, else the top."""
    within = set(members)
    last: dict[Number, tuple[int, set[Number]]] = {}
    for among in by_platform(members):
        for number, value, until in connection.execute(statement(_EDGES), among.values(**window._asdict())):
            if value not in within or number == top:
                continue
            child, parent = among.of(number), among.of(value)
            latest, found = last.get(child, (until, set()))
            if until > latest:
                found = set()
            if until >= latest:
                last[child] = (until, found | {parent})
    return {top: set(), **{number: last[number][1] if number in last else {top} for number in members if number != top}}

"""Which resources are in a picture, and where in its tree each of them stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archiver.errors import TooMuchForPicture
from archiver.model import Resource, numbers_of
from archiver.queries.lane_words import SOURCES, bound
from archiver.queries.tree import Places
from archiver.queries.under import descend, heads
from archiver.queries.windows import NEVER, Window
from archiver.storage.reading import Connection
from archiver.storage.statements import chunks, statement
from archiver.storage.words import PARENT

_TOP = 0
"""What stands for all there is, above what is under nothing."""

_TYPES = "SELECT t.id FROM event_types t WHERE t.text <> 'action'"
# What lives has an index of its own, from which nothing may draw the planner (+); what is no more has said so, within
# the range or later.
_LIVING = (
    "SELECT p.resource_id FROM present p"
    " WHERE p.type_id IN :numbers AND p.gone_at IS NULL AND +p.first_at < :until LIMIT :most"
)
_EVER = "SELECT p.resource_id FROM present p WHERE p.type_id IN :numbers LIMIT :most"
_HEARD = "SELECT DISTINCT w.resource_id FROM {} w WHERE w.{} >= :since AND w.{} < :until"
_OF_TYPES = "SELECT p.resource_id FROM present p WHERE p.resource_id IN :numbers AND +p.type_id IN :nodes"


def places(connection: Connection, root: Resource | None, window: Window, most: int) -> list[Place]:
    """All that was under a resource at any instant of a window, and itself; without one, all that there was.

    In the order of a tree, each where it was last within the window. Raises TooMuchForPicture when there are more.
    """
    return _placed(connection, root, _members(connection, root, window, most), window)


def _members(connection: Connection, root: Resource | None, window: Window, most: int) -> list[int]:
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


def _known_within(connection: Connection, window: Window, most: int) -> set[int]:
    """What lives, and what anything was told of within a window; not the actions."""
    types = list(connection.scalars(statement(_TYPES)))
    if not types:
        return set()
    values = {"numbers": types, "most": most + 1}
    if window.since == NEVER:
        return set(connection.scalars(statement(_EVER), values))
    found = set(connection.scalars(statement(_LIVING), values | {"until": window.until}))
    ends = {"since": bound(window.since), "until": bound(window.until)}
    for table, (at, _) in SOURCES.items():
        heard = set(connection.scalars(statement(_HEARD.format(table, at, at)), ends)) - found - {None}
        for numbers in chunks(heard):
            found.update(connection.scalars(statement(_OF_TYPES), {"numbers": numbers, "nodes": types}))
    return found


class Place(NamedTuple):
    """A resource and how deep it stands."""

    resource: Resource
    depth: int


_EDGES = (
    "SELECT f.resource_id, f.value, f.until FROM facts f"
    f" WHERE f.resource_id IN :numbers AND f.what = {PARENT} AND f.since < :until AND f.until > :since"
)
_NAMED = (
    "SELECT r.id, r.platform_id, r.uri, r.key, t.text AS type, n.text AS name"
    " FROM resources r JOIN event_types t ON t.id = r.type_id LEFT JOIN present p ON p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE r.id IN :numbers"
)


def _placed(connection: Connection, root: Resource | None, members: Sequence[int], window: Window) -> list[Place]:
    """The members in the order of a tree; each where it was last within the window."""
    top = _TOP if root is None else root.id
    parents = _parents(connection, top, members, window)
    asked = (connection.execute(statement(_NAMED), {"numbers": numbers}) for numbers in chunks(members))
    rows = {row.id: row for part in asked for row in part}
    tree = Places(top, parents, {_TOP: "", **{number: row.uri for number, row in rows.items()}})
    below: dict[int, list[int]] = {}
    for number in sorted(rows, key=lambda number: (rows[number].name or "", rows[number].uri), reverse=True):
        if number != top:
            below.setdefault(tree.closest(number), []).append(number)
    waiting = [(top, 0)] if root is not None else [(number, 0) for number in below.get(_TOP, ())]
    found, seen = [], set()
    while waiting:
        number, depth = waiting.pop()
        if number in rows and number not in seen:
            seen.add(number)
            row = rows[number]
            known = numbers_of(row.platform_id)(number)
            found.append(Place(Resource(known, row.uri, row.type, row.key, row.name), depth))
            waiting.extend((child, depth + 1) for child in below.get(number, ()))
    return found


def _parents(connection: Connection, top: int, members: Sequence[int], window: Window) -> dict[int, set[int]]:
    """The last parents of each member within the window that are members as well, else the top."""
    within = set(members)
    last: dict[int, tuple[int, set[int]]] = {}
    for numbers in chunks(members):
        for child, parent, until in connection.execute(statement(_EDGES), {"numbers": numbers, **window._asdict()}):
            if parent not in within or child == top:
                continue
            latest, found = last.get(child, (until, set()))
            if until > latest:
                found = set()
            if until >= latest:
                last[child] = (until, found | {parent})
    return {top: set(), **{number: last[number][1] if number in last else {top} for number in members if number != top}}

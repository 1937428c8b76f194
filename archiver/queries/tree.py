"""A resource with everything that is under it, and the state each is in."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, func, literal_column, select

from archiver.model import Resource, TreeNode
from archiver.queries.under import members
from archiver.storage.schema import event_states, event_types, events, observations, resource_parents, resources


def tree(connection: Connection, resource: Resource) -> TreeNode:
    """The resource at the root, its descendants below the closest of their parents; actions have their own question."""
    rows = {row.id: row for row in _members(connection, resource.id)}
    above = _above(connection, resource.id, rows.keys())
    children: dict[int, list[int]] = {}
    for number in sorted(rows, key=lambda number: rows[number].uri):
        if number != resource.id:
            # The closest parent is the one that has most above itself; two that are each above the other have none.
            parents = [parent for parent in above[number] if number not in above.get(parent, ())]
            closest = max(parents, key=lambda parent: (len(above[parent]), rows[parent].uri), default=resource.id)
            children.setdefault(closest, []).append(number)
    return _node(resource.id, rows, children)


def _node(root: int, rows: dict[int, _Member], children: dict[int, list[int]]) -> TreeNode:
    """Builds from the leaves up, without recursion: how deep it goes is up to whoever sends the events."""
    order, stack, seen = [], [root], set()
    while stack:
        number = stack.pop()
        if number not in seen:
            seen.add(number)
            order.append(number)
            stack.extend(children.get(number, ()))
    built: dict[int, TreeNode] = {}
    for number in reversed(order):
        row = rows[number]
        below = tuple([built[child] for child in children.get(number, ()) if child in built])
        built[number] = TreeNode(row.uri, row.type, row.name, row.state, row.since, below)
    return built[root]


def _members(connection: Connection, root: int) -> list[_Member]:
    """The root and every member that is no action, with its last state and since when it is in it."""
    under = members(root)
    told = _last(events, events.c.occurred_at)
    asked = _last(observations, observations.c.observed_at)
    base = (
        select(
            resources.c.id,
            resources.c.uri,
            resources.c.name,
            event_types.c.text.label("type"),
            told[0].label("told"),
            told[1].label("told_at"),
            asked[0].label("asked"),
            asked[1].label("asked_at"),
        )
        .select_from(
            under.join(resources, resources.c.id == under.c.id).join(
                event_types, event_types.c.id == resources.c.type_id
            )
        )
        .where((event_types.c.text != "action") | (resources.c.id == root))
    )
    rows = connection.execute(base).all()
    known = connection.execute(select(event_states.c.id, event_states.c.text))
    states: dict[int, str] = {row.id: row.text for row in known}
    return [_Member(connection, row, states) for row in rows]


class _Member:
    """One resource of the tree."""

    def __init__(self, connection: Connection, row: Any, states: dict[int, str]) -> None:
        self.id, self.uri, self.type, self.name = row.id, row.uri, row.type, row.name
        by_asking = row.told is None or (row.asked is not None and row.asked_at >= row.told_at)
        number = row.asked if by_asking else row.told
        self.state = states.get(number) if number is not None else None
        self.since = None if number is None else _began(connection, row.id, number, observed=row.asked is not None)


def _last(table: Any, at: Any) -> tuple[Any, Any]:
    def last(column: Any) -> Any:
        known = (table.c.resource_id == resources.c.id, table.c.state_id.is_not(None))
        return select(column).where(*known).order_by(at.desc(), table.c.id.desc()).limit(1).scalar_subquery()

    return last(table.c.state_id), last(at)


def _began(connection: Connection, resource_id: int, state_id: int, *, observed: bool) -> Any:
    """When the last run of this state began, as events and observations tell it."""
    if not observed:
        return _since(connection, resource_id, state_id)
    told = _newest(connection, events, events.c.occurred_at, 0, resource_id)
    asked = _newest(connection, observations, observations.c.observed_at, 1, resource_id)
    since = None
    for at, _, _, state in heapq.merge(told, asked, reverse=True):
        if state != state_id:
            break
        since = at
    return since


def _newest(connection: Connection, table: Table, at: Any, rank: int, resource_id: int) -> Iterator[Any]:
    """What is known of a resource's state, the last first, each as (instant, rank, number, state)."""
    query = select(at, literal_column(str(rank)), table.c.id, table.c.state_id)
    query = query.where(table.c.resource_id == resource_id, table.c.state_id.is_not(None))
    with connection.execute(query.order_by(at.desc(), table.c.id.desc()).execution_options(yield_per=100)) as rows:
        yield from (tuple(row) for row in rows)


def _since(connection: Connection, resource_id: int, state_id: int) -> Any:
    """When the last run of events with this state began."""
    own = (events.c.resource_id == resource_id, events.c.state_id.is_not(None))
    other = connection.execute(
        select(events.c.occurred_at, events.c.id)
        .where(*own, events.c.state_id != state_id)
        .order_by(events.c.occurred_at.desc(), events.c.id.desc())
        .limit(1)
    ).one_or_none()
    first = select(func.min(events.c.occurred_at)).where(*own, events.c.state_id == state_id)
    if other is not None:
        at, number = other
        later = (events.c.occurred_at > at) | ((events.c.occurred_at == at) & (events.c.id > number))
        first = first.where(events.c.occurred_at >= at, later)
    return connection.scalar(first)


def _above(connection: Connection, root: int, numbers: Any) -> dict[int, set[int]]:
    """For each member, what of the tree is above it."""
    c = resource_parents.c
    below = select(c.child_id).where(c.parent_id == root)
    within = select(c.child_id, c.parent_id).where(c.child_id.in_(below))
    above: dict[int, set[int]] = {number: set() for number in numbers}
    for child, parent in connection.execute(within):
        if child in above and parent in above and child != root:
            above[child].add(parent)
    return above

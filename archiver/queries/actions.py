"""The actions that ran on some resources and on everything under them."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Row, ScalarSelect, and_, func, or_, select

from archiver.model import Action, Resource, TimeRange
from archiver.platforms.tutum.facts import UNSETTLED
from archiver.queries.events import BLOCK, last_id
from archiver.queries.healthchecks import is_healthcheck
from archiver.queries.under import members
from archiver.storage.pages import Ask
from archiver.storage.schema import event_states, event_types, events, resources

_PAGE = 500
"""Actions that are read at once."""


def actions(
    ask: Ask, roots: Sequence[Resource], range: TimeRange, *, healthchecks: bool = True, block: int = BLOCK
) -> Iterator[Action]:
    """Every action under some resources (and the resource, when it is one), each once, oldest first.

    The range is that of the beginnings. A state that the platform has not settled leaves `finished_at` open. What is
    archived while they are read does not count. Their numbers are found `block` at a time.
    """
    end = ask(last_id)
    place: _Place | None = None
    while numbers := ask(_block, _listed(roots, range, end, healthchecks=healthchecks), place, block):
        for begin in builtins.range(0, len(numbers), _PAGE):
            found = ask(_whole, numbers[begin : begin + _PAGE], end)
            yield from found
            place = _Place(found[-1].started_at, found[-1].uri)
        if len(numbers) < block:
            return


class _Place(NamedTuple):
    """A place in the order of actions: behind this one."""

    started_at: datetime
    uri: str


def _listed(roots: Sequence[Resource], range: TimeRange, end: int, *, healthchecks: bool) -> FromClause:
    """Number, beginning and URI of the actions, as the events up to number `end` tell."""
    is_action = select(event_types.c.id).where(event_types.c.text == "action").scalar_subquery()
    under = members(*(root.id for root in roots))
    own = resources.alias("own")
    query = select(own.c.id, own.c.uri, _started(own, end).label("started_at"))
    query = query.select_from(under.join(own, own.c.id == under.c.id)).where(own.c.type_id == is_action)
    if not healthchecks:
        query = query.where(~is_healthcheck(own.c.name))
    found = query.subquery("found")
    kept = select(found).where(found.c.started_at.is_not(None))
    if range.since is not None:
        kept = kept.where(found.c.started_at >= range.since)
    if range.until is not None:
        kept = kept.where(found.c.started_at < range.until)
    return kept.subquery("listed")


def _block(connection: Connection, listed: FromClause, place: _Place | None, size: int) -> Sequence[int]:
    """The next numbers behind a place (None: the first)."""
    c = listed.c
    query = select(c.id).order_by(c.started_at, c.uri).limit(size)
    if place is not None:
        after = place.started_at
        query = query.where(or_(c.started_at > after, and_(c.started_at == after, c.uri > place.uri)))
    return connection.scalars(query).all()


def _whole(connection: Connection, numbers: Sequence[int], end: int) -> list[Action]:
    """The actions of these numbers, in this order."""
    own, target = resources.alias("own"), resources.alias("target")
    counted = select(func.count()).where(events.c.resource_id == own.c.id, _upto(end)).scalar_subquery()
    query = select(
        own.c.id,
        own.c.uri,
        own.c.name,
        target.c.uri.label("target"),
        _started(own, end).label("started_at"),
        _last(own, events.c.state_id, end).label("state_id"),
        _last(own, events.c.occurred_at, end).label("state_at"),
        counted.label("events"),
    ).select_from(own.outerjoin(target, target.c.id == own.c.target_id))
    listed = query.where(own.c.id.in_(numbers)).subquery("whole")
    rows = connection.execute(
        select(listed, event_states.c.text.label("state")).outerjoin_from(
            listed, event_states, event_states.c.id == listed.c.state_id
        )
    )
    found = {row.id: _action(row) for row in rows}
    return [found[number] for number in numbers]


def _action(row: Row[Any]) -> Action:
    is_open = row.state is None or row.state.lower() in UNSETTLED
    finished_at = None if is_open else row.state_at
    return Action(row.uri, row.target, row.state, row.started_at, finished_at, row.events, row.name)


def _upto(end: int) -> ColumnElement[bool]:
    # No bound of a number may draw the planner away from the index by resource and time.
    return events.c.id + 0 <= end


def _started(own: Any, end: int) -> ScalarSelect[Any]:
    return select(func.min(events.c.occurred_at)).where(events.c.resource_id == own.c.id, _upto(end)).scalar_subquery()


def _last(own: Any, column: Any, end: int) -> ScalarSelect[Any]:
    return (
        select(column)
        .where(events.c.resource_id == own.c.id, events.c.state_id.is_not(None), _upto(end))
        .order_by(events.c.occurred_at.desc(), events.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )

"""The actions that ran on some resources and on everything under them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, ScalarSelect, func, select

from archiver.model import Action, Resource, TimeRange
from archiver.platforms.tutum.facts import UNSETTLED
from archiver.queries.healthchecks import is_healthcheck
from archiver.queries.under import members
from archiver.storage.schema import event_states, event_types, events, resources


def actions(
    connection: Connection, roots: Sequence[Resource], range: TimeRange, *, healthchecks: bool = True
) -> Iterator[Action]:
    """Every action under some resources (and the resource, when it is one), each once, oldest first.

    The range is that of the beginnings. A state that the platform has not settled leaves `finished_at` open.
    """
    is_action = select(event_types.c.id).where(event_types.c.text == "action").scalar_subquery()
    under = members(*(root.id for root in roots))
    own, target = resources.alias("own"), resources.alias("target")
    started = select(func.min(events.c.occurred_at)).where(events.c.resource_id == own.c.id).scalar_subquery()
    listed = (
        select(
            own.c.uri,
            own.c.name,
            target.c.uri.label("target"),
            started.label("started_at"),
            _last(own, events.c.state_id).label("state_id"),
            _last(own, events.c.occurred_at).label("state_at"),
            select(func.count()).where(events.c.resource_id == own.c.id).scalar_subquery().label("events"),
        )
        .select_from(under.join(own, own.c.id == under.c.id).outerjoin(target, target.c.id == own.c.target_id))
        .where(own.c.type_id == is_action)
        .subquery("listed")
    )
    c = listed.c
    query = select(c.uri, c.name, c.target, event_states.c.text, c.started_at, c.state_at, c.events)
    query = query.outerjoin_from(listed, event_states, event_states.c.id == c.state_id).where(c.events > 0)
    if not healthchecks:
        query = query.where(~is_healthcheck(c.name))
    if range.since is not None:
        query = query.where(c.started_at >= range.since)
    if range.until is not None:
        query = query.where(c.started_at < range.until)
    rows = connection.execute(query.order_by(c.started_at, c.uri), execution_options={"stream_results": True})
    for uri, name, aim, state, started_at, state_at, count in rows.yield_per(500):
        finished_at = None if state is None or state.lower() in UNSETTLED else state_at
        yield Action(uri, aim, state, started_at, finished_at, count, name)


def _last(own: Any, column: Any) -> ScalarSelect[Any]:
    return (
        select(column)
        .where(events.c.resource_id == own.c.id, events.c.state_id.is_not(None))
        .order_by(events.c.occurred_at.desc(), events.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )

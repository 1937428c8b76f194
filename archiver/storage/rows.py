"""Reads whole events back out of the tables they are spread over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from archiver.codec.events import rebuild
from archiver.model import to_micros
from archiver.storage.schema import event_actions, event_parents, event_states, event_types, events, resources


def event_rows() -> Select[Any]:
    """Everything of an event but its parents."""
    joined = (
        events.join(event_types, event_types.c.id == events.c.type_id)
        .outerjoin(event_actions, event_actions.c.id == events.c.action_id)
        .outerjoin(event_states, event_states.c.id == events.c.state_id)
        .outerjoin(resources, resources.c.id == events.c.resource_id)
    )
    c = events.c
    return select(
        c.id,
        event_types.c.text.label("type"),
        event_actions.c.text.label("action"),
        event_states.c.text.label("state"),
        resources.c.uri,
        resources.c.name,
        c.occurred_at,
        c.time_source,
        c.received_at,
        c.uuid,
        c.extra,
        c.session_id,
    ).select_from(joined)


def parents_of(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The parent URIs of events, in their order; an event without parents is not in it."""
    c = event_parents.c
    query = select(c.event_id, resources.c.uri).join(resources, resources.c.id == c.resource_id)
    parents: dict[int, list[str]] = {}
    for number, uri in connection.execute(query.where(c.event_id.in_(numbers)).order_by(c.event_id, c.position)):
        parents.setdefault(number, []).append(uri)
    return {number: tuple(uris) for number, uris in parents.items()}


def original(row: Row[Any], parents: tuple[str, ...]) -> dict[str, Any]:
    """The JSON value that the platform sent, from a row of `event_rows`."""
    occurred_at = to_micros(row.occurred_at)
    return rebuild(row.type, row.action, row.state, row.uri, parents, occurred_at, row.time_source, row.uuid, row.extra)

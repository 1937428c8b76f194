"""Tells events that the archive already has from new ones, by uuid and never by content."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from archiver.decoder.text import dump
from archiver.decoder.tutum import rebuild
from archiver.model import Event, EventColumns, Reject, to_micros
from archiver.storage import schema
from archiver.storage.lookups import chunks

CONFLICT = "its uuid is archived already, with other content"


class Sifted(NamedTuple):
    """A batch without what the archive has: new events, conflicting ones as rejects, and how many were the same."""

    events: list[Event]
    rejects: list[Reject]
    duplicates: int


def has_repeated_uuid(events: EventColumns) -> bool:
    """Whether two events of a batch carry the same uuid."""
    nameless = events.uuid.count(None)
    return len(set(events.uuid)) - bool(nameless) < len(events.uuid) - nameless


def drop_duplicates(connection: Connection, events: Sequence[Event]) -> Sifted:
    """Leaves out the events whose uuid is there already; one that says something else becomes a reject."""
    known = _archived(connection, {event.uuid for event in events if event.uuid is not None})
    new: list[Event] = []
    conflicts: list[Reject] = []
    duplicates = 0
    for event in events:
        if event.uuid is None:
            new.append(event)
        elif event.uuid not in known:
            known[event.uuid] = _content(_value(event))
            new.append(event)
        elif known[event.uuid] == _content(_value(event)):
            duplicates += 1
        else:
            conflicts.append(Reject(dump(_value(event)).encode(), CONFLICT, event.received_at, event.session))
    return Sifted(new, conflicts, duplicates)


def _content(value: dict[str, Any]) -> str:
    """What the platform said, to be compared; of a Docker Engine its own message, what stands beside that is ours."""
    if str(value.get("resource_uri")).startswith("/docker/"):
        value = value.get("message", value)
    return json.dumps(value, sort_keys=True)


def _value(event: Event) -> dict[str, Any]:
    """The JSON value that the platform sent."""
    return rebuild(
        event.type,
        event.action,
        event.state,
        event.resource_uri,
        event.parents,
        event.occurred_at,
        event.time_source,
        event.uuid,
        event.extra,
    )


def _archived(connection: Connection, uuids: set[str]) -> dict[str, str]:
    e, t, a, s = schema.events, schema.event_types, schema.event_actions, schema.event_states
    r = schema.resources
    joined = (
        e.join(t, t.c.id == e.c.type_id)
        .outerjoin(a, a.c.id == e.c.action_id)
        .outerjoin(s, s.c.id == e.c.state_id)
        .outerjoin(r, r.c.id == e.c.resource_id)
    )
    columns = (t.c.text, a.c.text, s.c.text, r.c.uri, e.c.occurred_at, e.c.time_source, e.c.uuid, e.c.extra)
    query = select(e.c.id, *columns).select_from(joined)
    known: dict[str, str] = {}
    for part in chunks(uuids):
        rows = connection.execute(query.where(e.c.uuid.in_(part))).all()
        parents = _parents(connection, [row.id for row in rows])
        for number, kind, action, state, uri, at, source, uuid, extra in rows:
            above = tuple(parents.get(number, ()))
            value = rebuild(kind, action, state, uri, above, to_micros(at), source, uuid, extra)
            known[uuid] = _content(value)
    return known


def _parents(connection: Connection, numbers: Sequence[int]) -> dict[int, list[str]]:
    p, r = schema.event_parents.c, schema.resources.c
    query = select(p.event_id, r.uri).join(schema.resources, r.id == p.resource_id).where(p.event_id.in_(numbers))
    parents: dict[int, list[str]] = {}
    for number, uri in connection.execute(query.order_by(p.event_id, p.position)):
        parents.setdefault(number, []).append(uri)
    return parents

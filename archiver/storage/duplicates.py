"""Tells events that the archive already has from new ones, by uuid and never by content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from archiver.decoder.text import dump
from archiver.decoder.tutum import rebuild
from archiver.model import Event, EventColumns, Reject
from archiver.storage import schema
from archiver.storage.lookups import chunks

CONFLICT = "its uuid is archived already, with other content"

Content = tuple[str | None, ...]


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
            known[event.uuid] = _content(event)
            new.append(event)
        elif known[event.uuid] == _content(event):
            duplicates += 1
        else:
            conflicts.append(Reject(_payload(event), CONFLICT, event.received_at, event.session))
    return Sifted(new, conflicts, duplicates)


def _content(event: Event) -> Content:
    return (event.type, event.action, event.state, event.resource_uri, event.extra)


def _archived(connection: Connection, uuids: set[str]) -> dict[str, Content]:
    e, t, a, s = schema.events, schema.event_types, schema.event_actions, schema.event_states
    r = schema.resources
    joined = (
        e.join(t, t.c.id == e.c.type_id)
        .outerjoin(a, a.c.id == e.c.action_id)
        .outerjoin(s, s.c.id == e.c.state_id)
        .outerjoin(r, r.c.id == e.c.resource_id)
    )
    query = select(e.c.uuid, t.c.text, a.c.text, s.c.text, r.c.uri, e.c.extra).select_from(joined)
    known: dict[str, Content] = {}
    for part in chunks(uuids):
        known.update((row[0], tuple(row[1:])) for row in connection.execute(query.where(e.c.uuid.in_(part))))
    return known


def _payload(event: Event) -> bytes:
    value = rebuild(
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
    return dump(value).encode()

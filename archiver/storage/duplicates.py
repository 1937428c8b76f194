"""Tells events that the archive already has from new ones by their uuid; `inventory` does those without."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from archiver.codec.events import rebuild
from archiver.codec.text import dump
from archiver.model import Event, EventColumns, Reject, to_micros
from archiver.platforms.docker.facts import essence
from archiver.platforms.docker.messages import normal
from archiver.storage import schema
from archiver.storage.bulk import chunks
from archiver.storage.rows import event_rows, original, parents_of

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
            known[event.uuid] = _Known(_content(value_of(event)), _columns(event))
            new.append(event)
        elif _says_nothing_else(event, known[event.uuid]):
            duplicates += 1
        else:
            conflicts.append(Reject(dump(value_of(event)).encode(), CONFLICT, event.received_at, event.session))
    return Sifted(new, conflicts, duplicates)


class _Known(NamedTuple):
    """What is archived under a uuid: all of it, and what a listing shows of it."""

    content: str
    columns: tuple[object, ...]


def _says_nothing_else(event: Event, known: _Known) -> bool:
    """Whether it is the same event, or as much of it as `archiver events` lists."""
    return known.content == _content(value_of(event)) or (event.extra is None and known.columns == _columns(event))


def _columns(event: Event) -> tuple[object, ...]:
    return event.type, event.action, event.state, event.resource_uri, event.parents, event.occurred_at


def _content(value: dict[str, Any]) -> str:
    """What the platform said, to be compared; of a Docker Engine what makes its message the one it is.

    What stands beside the message is ours, and an engine tells it to a client of another version with other keys.
    """
    message = value.get("message")
    if type(message) is dict and str(value.get("resource_uri") or "/docker/").startswith("/docker/"):
        return essence(normal(message))
    return canonical(value)


def canonical(value: Any) -> str:
    """JSON text that is the same for the same value, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True)


def value_of(event: Event) -> dict[str, Any]:
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


def _archived(connection: Connection, uuids: set[str]) -> dict[str, _Known]:
    """What the archived events among these say, by uuid."""
    known: dict[str, _Known] = {}
    for part in chunks(uuids):
        rows = connection.execute(event_rows().where(schema.events.c.uuid.in_(part))).all()
        parents = parents_of(connection, [row.id for row in rows])
        for row in rows:
            above = parents.get(row.id, ())
            columns = (row.type, row.action, row.state, row.uri, above, to_micros(row.occurred_at))
            known[row.uuid] = _Known(_content(original(row, above)), columns)
    return known

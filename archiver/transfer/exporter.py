"""Writes the whole archive as JSON Lines, from which `archiver import` makes one that answers the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, Table, select

from archiver.storage.backup import GENERATION
from archiver.storage.migrate import HEAD
from archiver.storage.rows import event_rows, original, parents_of
from archiver.storage.schema import (
    archive_properties,
    event_parents,
    event_states,
    events,
    observations,
    rejects,
    resource_parents,
    resources,
    sessions,
    streams,
)
from archiver.transfer.format import (
    INSTANTS,
    end_line,
    event_line,
    head_line,
    observation_line,
    reject_line,
    session_line,
)

_PAGE = 500
_REJECTS = 20


def export(connection: Connection) -> Iterator[str]:
    """The lines of `transfer.format`, without newline; events in the order of archiving."""
    known = {key: value for key, value in connection.execute(select(*archive_properties.c))}
    yield head_line(known.get("identity"), known.get(GENERATION, ""), HEAD)
    counts: Counter[str] = Counter()
    for session in _paged(connection, _sessions(), sessions):
        counts["session"] += 1
        yield session_line({key: value for key, value in session._mapping.items() if key != "id"})
    keys: dict[int | None, str | None] = {None: None}
    keys.update((row.id, row.key) for row in connection.execute(select(sessions.c.id, sessions.c.key)))
    for line in _events(connection, keys):
        counts["event"] += 1
        yield line
    for row in _paged(connection, _observations(), observations):
        counts["observation"] += 1
        yield _observation(connection, row, keys)
    for row in _paged(connection, select(*rejects.c), rejects, _REJECTS):
        counts["reject"] += 1
        yield reject_line(row.id, keys[row.session_id], row.received_at, row.reason, row.payload)
    yield end_line(counts)


def _paged(connection: Connection, query: Select[Any], table: Table, size: int = _PAGE) -> Iterator[Any]:
    """The rows in the order of their numbers, a page at a time; each page starts after the last one's end."""
    after = 0
    while page := connection.execute(query.where(table.c.id > after).order_by(table.c.id).limit(size)).all():
        yield from page
        after = page[-1].id


def _sessions() -> Select[Any]:
    c = sessions.c
    stream = (streams.c.url.label("stream"), streams.c.dialect)
    times = [c[instant] for instant in INSTANTS]
    return select(c.id, c.key.label("session"), *stream, *times, c.reason).join(streams, streams.c.id == c.stream_id)


def _events(connection: Connection, keys: dict[int | None, str | None]) -> Iterator[str]:
    after = 0
    while page := connection.execute(event_rows().where(events.c.id > after).order_by(events.c.id).limit(_PAGE)).all():
        parents = parents_of(connection, [row.id for row in page])
        for row in page:
            event = original(row, parents.get(row.id, ()))
            yield event_line(row.id, keys[row.session_id], row.received_at, row.name, event)
        after = page[-1].id


def _observations() -> Select[Any]:
    o = observations.c
    joined = observations.join(resources, resources.c.id == o.resource_id).outerjoin(
        event_states, event_states.c.id == o.state_id
    )
    columns = (o.id, o.session_id, o.resource_id, o.observed_at, o.extra, resources.c.uri, resources.c.name)
    return select(*columns, event_states.c.text.label("state")).select_from(joined)


def _observation(connection: Connection, row: Any, keys: dict[int | None, str | None]) -> str:
    # Which answer named a parent is not kept; so each names all that no event names.
    by_event = (
        select(event_parents.c.event_id)
        .join(events, events.c.id == event_parents.c.event_id)
        .where(events.c.resource_id == row.resource_id, event_parents.c.resource_id == resources.c.id)
    )
    above = (
        select(resources.c.uri)
        .join(resource_parents, resource_parents.c.parent_id == resources.c.id)
        .where(resource_parents.c.child_id == row.resource_id, resource_parents.c.derived == 0, ~by_event.exists())
        .order_by(resources.c.uri)
    )
    told = (row.uri, row.state, row.name, connection.scalars(above).all(), row.extra)
    return observation_line(row.id, keys[row.session_id], row.observed_at, *told)

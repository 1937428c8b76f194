"""Writes the whole archive as JSON Lines, from which `archiver import` makes one that answers the same."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, Table, select

from archiver.codec.text import dump, parse
from archiver.model import iso, to_micros
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

_PAGE = 500
_REJECTS = 20


def export(connection: Connection) -> Iterator[str]:
    """One JSON object a line, without newline; the key "archiver" says what the line is.

    First the archive's identity and its sessions, then events in the order of archiving, observations and rejects. An
    event stands as on the wire, under "event".
    """
    identity = select(archive_properties.c.value).where(archive_properties.c.key == "identity")
    yield dump({"archiver": "export", "archive": connection.scalar(identity), "revision": HEAD})
    for session in _paged(connection, _sessions(), sessions):
        yield _line("session", session, ("opened_at", "covered_from", "authenticated_at", "last_seen_at", "closed_at"))
    keys: dict[int | None, str | None] = {None: None}
    keys.update((row.id, row.key) for row in connection.execute(select(sessions.c.id, sessions.c.key)))
    yield from _events(connection, keys)
    for row in _paged(connection, _observations(), observations):
        yield _observation(connection, row, keys)
    for row in _paged(connection, select(*rejects.c), rejects, _REJECTS):
        payload = base64.b64encode(row.payload).decode()
        facts = {"session": keys[row.session_id], "received_at": _iso(row.received_at), "reason": row.reason}
        yield dump({"archiver": "reject", "id": row.id, **facts, "payload": payload})


def _paged(connection: Connection, query: Select[Any], table: Table, size: int = _PAGE) -> Iterator[Any]:
    """The rows in the order of their numbers, a page at a time; each page starts after the last one's end."""
    after = 0
    while page := connection.execute(query.where(table.c.id > after).order_by(table.c.id).limit(size)).all():
        yield from page
        after = page[-1].id


def _sessions() -> Select[Any]:
    c = sessions.c
    stream = (streams.c.url.label("stream"), streams.c.dialect)
    times = (c.opened_at, c.covered_from, c.authenticated_at, c.last_seen_at, c.closed_at)
    return select(c.id, c.key.label("session"), *stream, *times, c.reason).join(streams, streams.c.id == c.stream_id)


def _line(kind: str, row: Any, instants: tuple[str, ...]) -> str:
    facts = {key: _iso(value) if key in instants else value for key, value in row._mapping.items() if key != "id"}
    return dump({"archiver": kind, **facts})


def _events(connection: Connection, keys: dict[int | None, str | None]) -> Iterator[str]:
    after = 0
    while page := connection.execute(event_rows().where(events.c.id > after).order_by(events.c.id).limit(_PAGE)).all():
        parents = parents_of(connection, [row.id for row in page])
        for row in page:
            yield _event(row, parents.get(row.id, ()), keys)
        after = page[-1].id


def _event(row: Any, parents: tuple[str, ...], keys: dict[int | None, str | None]) -> str:
    facts = {"id": row.id, "session": keys[row.session_id], "received_at": _iso(row.received_at)}
    if row.name is not None:
        facts["name"] = row.name
    return dump({"archiver": "event", **facts, "event": original(row, parents)})


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
    facts = {"session": keys[row.session_id], "observed_at": _iso(row.observed_at)}
    told = {"uri": row.uri, "state": row.state, "name": row.name, "parents": list(connection.scalars(above))}
    extra = parse(row.extra) if row.extra else None
    return dump({"archiver": "observation", "id": row.id, **facts, **told, "extra": extra})


def _iso(moment: Any) -> str | None:
    return None if moment is None else iso(to_micros(moment))

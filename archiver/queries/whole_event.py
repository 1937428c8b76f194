"""One event in full: what the archive knows of it, and all that it said."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from archiver.errors import NoSuchEvent
from archiver.model import ArchivedEvent, WholeEvent
from archiver.platforms.docker.facts import received_message
from archiver.queries.events import last_id, whole
from archiver.storage.rows import event_rows, original, parents_of
from archiver.storage.schema import events, sessions, streams


def whole_event(connection: Connection, number: int) -> WholeEvent:
    """The event of a number. Raises NoSuchEvent."""
    row = connection.execute(event_rows().where(events.c.id == number)).one_or_none()
    if row is None:
        last = last_id(connection)
        raise NoSuchEvent(number=number, known=f"the last event is {last}" if last else "the archive has no events")
    parents = parents_of(connection, [row.parent_list_id])[row.parent_list_id]
    came = select(sessions.c.key, streams.c.url).join(streams, streams.c.id == sessions.c.stream_id)
    session = connection.execute(came.where(sessions.c.id == row.session_id)).one_or_none()
    key, stream = (None, None) if session is None else session
    (event,) = whole(connection, [number])
    return WholeEvent(event, key, stream, *_said(event, original(row, parents)))


def _said(event: ArchivedEvent, value: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the platform sent, and what was noted beside it."""
    message = received_message(event.resource_uri, event.extra)
    if message is None:
        return value, {}
    return message, {key: told for key, told in event.extra.items() if key != "message" and key not in _OURS}


_OURS = frozenset(("resource_uri", "parents"))
"""Other spellings of what the columns hold."""

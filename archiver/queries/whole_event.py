"""One event in full: what the archive knows of it, and all that it said."""

from __future__ import annotations

from typing import Any

from archiver.errors import NoSuchEvent
from archiver.model import ArchivedEvent, WholeEvent, numbers_of
from archiver.platforms.facts import received_message
from archiver.queries.events import last_id, whole
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import statement
from archiver.storage.event_rows import EVENT_ROWS, original, parents_of

# By its number alone, which is all that who asks has: through an index that is not unique.
_ONE = f"{EVENT_ROWS} WHERE e.id = :number"
_CAME = "SELECT s.key, t.url FROM sessions s JOIN streams t ON t.id = s.stream_id WHERE s.id = :number"


def whole_event(connection: Connection, number: int) -> WholeEvent:
    """The event of a number. Raises NoSuchEvent."""
    row = connection.execute(statement(_ONE), {"number": number}).one_or_none()
    if row is None:
        last = last_id(connection)
        raise NoSuchEvent(number=number, known=f"the last event is {last}" if last else "the archive has no events")
    parents = parents_of(connection, [row])[row.parent_list_id]
    session = connection.execute(statement(_CAME), {"number": row.session_id}).one_or_none()
    key, stream = (None, None) if session is None else session
    (event,) = whole(connection, [numbers_of(row.platform_id)(number)])
    return WholeEvent(event, key, stream, *_said(event, original(row, parents)))


def _said(event: ArchivedEvent, value: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the platform sent, and what was noted beside it."""
    message = received_message(event.resource_uri, event.extra)
    if message is None:
        return value, {}
    return message, {key: told for key, told in event.extra.items() if key != "message" and key not in _OURS}


_OURS = frozenset(("resource_uri", "parents"))
"""Other spellings of what the columns hold."""

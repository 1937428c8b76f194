"""Keeps in mind who else told of an event, beside the session it was first received in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from archiver.storage.duplicates import Retold
from archiver.storage.sessions import Sessions

_KEEP = text(
    "INSERT INTO tellings (event_id, session_id, received_at) VALUES (:event_id, :session_id, :received_at)"
    " ON CONFLICT DO NOTHING"
)


def write_tellings(
    connection: Connection, sessions: Sessions, again: Sequence[Retold], new: Iterable[tuple[int, str | None]]
) -> None:
    """Writes down each other session that told of an event, once; `new` are numbers and sessions of the batch's own."""
    written = list(new)
    sessions.learn(connection, {retold.event.session for retold in again} | {session for _, session in written})
    rows: dict[tuple[int, int], int] = {}
    for event, known in again:
        number, own = known.number, known.session_id
        if number is None:
            number, first_session = written[known.place]
            own = sessions.ids[first_session]
        session = sessions.ids[event.session]
        if session is not None and session != own:
            rows.setdefault((number, session), event.received_at)
    if rows:
        told = [
            {"event_id": number, "session_id": session, "received_at": at} for (number, session), at in rows.items()
        ]
        connection.execute(_KEEP, told)

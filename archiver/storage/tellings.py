"""Keeps in mind who else told of an event, beside the session it was first received in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, LargeBinary, column, select, text, values

from archiver.model import Micros, Telling, to_datetime
from archiver.storage import schema
from archiver.storage.bulk import chunks
from archiver.storage.duplicates import Retold
from archiver.storage.inventory import Received
from archiver.storage.sessions import Sessions
from archiver.storage.stream_rows import told_of
from archiver.storage.uuids import pack

_KEEP = text(
    "INSERT INTO tellings (platform_id, event_id, session_id, received_at)"
    " VALUES (:platform_id, :event_id, :session_id, :received_at) ON CONFLICT DO NOTHING"
)


_OF_SESSION = "platform_id = :platform AND {} = :number AND session_id"
_GIVE = (
    text(f"UPDATE events SET session_id = :session WHERE {_OF_SESSION.format('id')} IS NULL"),
    text(f"DELETE FROM tellings WHERE {_OF_SESSION.format('event_id')} = :session"),
)


def keep_tellings(
    connection: Connection, sessions: Sessions, told: Sequence[Telling], named: Callable[[str], int | None]
) -> None:
    """Writes down what an export says of who else told; of an event or a session that is not there nothing.

    `named` gives the platform of a key, which a telling has where its session's stream tells of another by now.
    """
    sessions.learn(connection, {telling.session for telling in told})
    of_sessions = told_of(connection, (telling.session for telling in told))
    stated = {key: named(key) for key in {telling.platform for telling in told} if key is not None}
    among: dict[int, list[Telling]] = {}
    for telling in told:
        platform = of_sessions.get(telling.session) if telling.platform is None else stated[telling.platform]
        if platform is not None and sessions.ids[telling.session] is not None:
            among.setdefault(platform, []).append(telling)
    rows = []
    for platform, tellings in among.items():
        events = dict(_events(connection, platform, tellings))
        for telling in tellings:
            found = events.get((telling.occurred_at, telling.uuid)) or events.get((None, telling.uuid))
            session = sessions.ids[telling.session]
            if found is not None and session != found.session_id:
                row = {"platform_id": platform, "event_id": found.id, "session_id": session}
                rows.append({**row, "received_at": telling.received_at})
    if rows:
        connection.execute(_KEEP, rows)


def received_again(retold: Retold) -> Received | None:
    """What is said once more of the very receipt of an event, of which no session was known."""
    event, known = retold
    if known.number is None or known.session_id is not None or event.session is None:
        return None
    if event.received_at != known.event.received_at:
        return None
    return Received(event.platform or 0, known.number, event.session)


def give_sessions(connection: Connection, sessions: Sessions, unowned: Sequence[Received]) -> None:
    """Has events be of the sessions in which they were received, where a part of an export came before the whole."""
    sessions.learn(connection, {one.session for one in unowned})
    for one in unowned:
        if (session := sessions.ids[one.session]) is not None:
            which = {"platform": one.platform, "number": one.number, "session": session}
            for statement in _GIVE:
                connection.execute(statement, which)


def _events(
    connection: Connection, platform: int, told: Iterable[Telling]
) -> Iterator[tuple[tuple[Micros | None, str], Any]]:
    """The events of a platform that others told of as well, by time and uuid; by the uuid alone where each finds a
    time anew."""
    c, anew = schema.events.c, schema.told_anew.c
    pairs = {(telling.occurred_at, telling.uuid) for telling in told}
    for part in chunks(pairs):
        moments = {(to_datetime(at), pack(uuid)): (at, uuid) for at, uuid in part}
        asked = values(column("moment", schema.Instant), column("uuid", LargeBinary), name="given").data(list(moments))
        given = asked.cte("asked")
        found = select(c.id, c.session_id, c.occurred_at, c.uuid).where(c.platform_id == platform)
        for row in connection.execute(found.join(given, (c.occurred_at == given.c.moment) & (c.uuid == given.c.uuid))):
            yield moments[row.occurred_at, bytes(row.uuid)], row
        uuids = {pack(uuid): uuid for _, uuid in part}
        there = (c.platform_id == anew.platform_id) & (c.id == anew.event_id)
        told_anew = found.join(schema.told_anew, there)
        for row in connection.execute(told_anew.where(anew.platform_id == platform, anew.uuid.in_(list(uuids)))):
            yield (None, uuids[bytes(row.uuid)]), row


def write_tellings(
    connection: Connection, sessions: Sessions, again: Sequence[Retold], new: Iterable[tuple[int, str | None]]
) -> None:
    """Writes down each other session that told of an event, once; `new` are numbers and sessions of the batch's own."""
    written = list(new)
    sessions.learn(connection, {retold.event.session for retold in again} | {session for _, session in written})
    rows: dict[tuple[int, int, int], int] = {}
    for event, known in again:
        number, own = known.number, known.session_id
        if number is None:
            number, first_session = written[known.place]
            own = sessions.ids[first_session]
        session = sessions.ids[event.session]
        if session is not None and session != own:
            rows.setdefault((event.platform or 0, number, session), event.received_at)
    if rows:
        told = [
            {"platform_id": platform, "event_id": number, "session_id": session, "received_at": at}
            for (platform, number, session), at in rows.items()
        ]
        connection.execute(_KEEP, told)

"""Keeps the rows of streams and sessions: when somebody was watching, and until when."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter

from sqlalchemy import Connection, func, insert, or_, select, update

from archiver.model import Closed, EndKind, EventColumns, Micros, Opened, to_datetime
from archiver.storage import schema
from archiver.storage.numbers import Numbers
from archiver.storage.platforms import Platforms
from archiver.storage.words import INTERRUPTED, RESTORED

_MAX_KNOWN = 1000

_table = schema.sessions
_LEFT_OPEN: EndKind = "lost"
"""How a session ended that nobody closed: nobody wrote down why."""
_CUT_OFF: EndKind = "restored"


class Sessions:
    """Numbers of sessions by their key, remembered across batches."""

    def __init__(self, numbers: Numbers, platforms: Platforms) -> None:
        self._numbers = numbers
        self._platforms = platforms
        self.ids: dict[str | None, int | None] = {None: None}
        self._authenticated: set[str | None] = {None}

    def forget(self) -> None:
        """Empties the cache: what it holds may never have been committed."""
        self.ids = {None: None}
        self._authenticated = {None}

    def open(
        self,
        connection: Connection,
        opened: Sequence[Opened],
        receiver_id: int | None,
        *,
        together: bool = False,
    ) -> None:
        """Makes a row for each session that was opened; `together`: as `Platforms.of_stream` has it."""
        if receiver_id is None:
            self._platforms.meant.learn(connection, opened)
        for item in opened:
            stream = self._platforms.opened(connection, item, receiver_id, together=together)
            known = select(_table.c.id).where(_table.c.key == item.session)
            accepted_at = None if item.authenticated_at is None else to_datetime(item.authenticated_at)
            if connection.scalar(known) is not None:
                which = (_table.c.key == item.session, _table.c.authenticated_at.is_(None))
                if accepted_at is not None:
                    connection.execute(update(_table).where(*which).values(authenticated_at=accepted_at))
                continue
            number, opened_at = self._numbers.take(connection, _table, 1), to_datetime(item.at)
            row = {
                "id": number,
                "stream_id": stream.id,
                "receiver_id": receiver_id,
                "key": item.session,
                "opened_at": opened_at,
                "covered_from": to_datetime(item.covered_from),
                "authenticated_at": accepted_at,
                "last_seen_at": opened_at,
            }
            connection.execute(insert(_table).values(row))
            self.ids[item.session] = number

    def close_left_open(self, connection: Connection, opened: Iterable[Opened], receiver_id: int) -> None:
        """Closes what the receiver never closed before these openings, at its last sign of life.

        To be called after `touch`: that sign may have come in the same batch.
        """
        for item in opened:
            later = _table.alias("later")
            left_open = (
                _table.c.stream_id == later.c.stream_id,
                _table.c.id < later.c.id,
                _table.c.receiver_id == receiver_id,
                _table.c.closed_at.is_(None),
                later.c.key == item.session,
            )
            ended = {"closed_at": _table.c.last_seen_at, "kind": _LEFT_OPEN, "reason": INTERRUPTED}
            connection.execute(update(_table).where(*left_open).values(ended))

    def cut_off(self, connection: Connection, receiver_id: int) -> None:
        """Ends the last session of each of a receiver's streams with what an older copy of the archive knows of it.

        Under another key, so that what is still to come of the session does not move that end: it has a row anew.
        """
        last = select(func.max(_table.c.id)).where(_table.c.receiver_id == receiver_id).group_by(_table.c.stream_id)
        which = (
            _table.c.receiver_id == receiver_id,
            or_(_table.c.kind.is_(None), _table.c.kind != _CUT_OFF),
            or_(_table.c.closed_at.is_(None), _table.c.id.in_(last)),
        )
        ended = {
            "closed_at": func.coalesce(_table.c.closed_at, _table.c.last_seen_at),
            "kind": _CUT_OFF,
            "reason": RESTORED,
            "key": _table.c.key + f":{secrets.token_hex(4)}",
        }
        connection.execute(update(_table).where(*which).values(ended))

    def learn(self, connection: Connection, keys: set[str | None]) -> None:
        """Makes sure that `ids` has every key; a session the archive has never heard of is None."""
        missing = keys - self.ids.keys()
        if not missing:
            return
        if len(self.ids) > _MAX_KNOWN:
            self.forget()
            missing = keys - {None}
        self.ids.update(dict.fromkeys(missing))
        found = connection.execute(select(_table.c.key, _table.c.id).where(_table.c.key.in_(missing)))
        self.ids.update((key, number) for key, number in found)

    def numbers(self, connection: Connection, keys: Sequence[str | None]) -> list[int | None]:
        """The number of every session, in the order of the keys."""
        self.learn(connection, set(keys))
        return list(map(self.ids.__getitem__, keys))

    def touch(
        self,
        connection: Connection,
        heard: Sequence[EventColumns],
        seen: Iterable[tuple[str | None, Micros]],
        closed: Iterable[Closed],
    ) -> None:
        """Moves the last sign of life, and writes down who was authenticated and who closed.

        `heard` are events, those too that the archive has already from another session.
        """
        last: dict[str | None, Micros] = {}
        for events in heard:
            # Sorted already, but for what is imported; of each session the last stays.
            by_time = sorted(zip(events.session, events.received_at, strict=True), key=itemgetter(1))
            for key, at in dict(by_time).items():
                last[key] = max(at, last.get(key, at))
        for key, at in seen:
            last[key] = max(at, last.get(key, at))
        for key, at in last.items():
            if key is not None:
                seen_at = to_datetime(at)
                which = (_table.c.key == key, _table.c.last_seen_at < seen_at)
                connection.execute(update(_table).where(*which).values(last_seen_at=seen_at))
        for events in heard:
            self._authenticate(connection, events)
        for end in closed:
            closed_at = to_datetime(end.at)
            closing = {"closed_at": closed_at, "last_seen_at": closed_at, "kind": end.kind, "reason": end.reason}
            if end.kind == "clock":
                del closing["last_seen_at"]  # by the clock of then it was seen later
                self._set_back(connection, end.session, closed_at)
            connection.execute(update(_table).where(_table.c.key == end.session).values(closing))

    def _set_back(self, connection: Connection, key: str, ended: datetime) -> None:
        """A session cannot end before it began: by the clock that counts now, all of it lies in the time to come."""
        for column in (_table.c.opened_at, _table.c.covered_from):
            connection.execute(update(_table).where(_table.c.key == key, column > ended).values({column: ended}))

    def _authenticate(self, connection: Connection, events: EventColumns) -> None:
        """Whatever comes but an error shows that the platform accepts the credentials."""
        if self._authenticated.issuperset(events.session):
            return
        for session, kind, received_at in zip(events.session, events.type, events.received_at, strict=True):
            if session in self._authenticated or kind == "error":
                continue
            self._authenticated.add(session)
            which = (_table.c.key == session, _table.c.authenticated_at.is_(None))
            connection.execute(update(_table).where(*which).values(authenticated_at=to_datetime(received_at)))

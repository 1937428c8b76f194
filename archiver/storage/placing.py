"""Knows which platform every word is of.

docs/archive.md says the rules ("Platforms"). Works inside the recorder's transaction; the cache is emptied (`forget`)
after a rollback, when a stream says whose it is, and when another writer may have changed anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from archiver.codec.uris import parse
from archiver.model import EventColumns, Observation
from archiver.platforms.facts import dialect_of, identities_of_engine
from archiver.storage.bulk import chunks
from archiver.storage.duplicates import holds_any
from archiver.storage.identities import at_place, by_identity, is_of_several, keep_identities
from archiver.storage.numbers import Numbers
from archiver.storage.platforms import Platforms
from archiver.storage.schema import event_types, platforms, resources, sessions, streams
from archiver.storage.stream_rows import Stream, stream_of

_MAX_KNOWN = 1000
_s = streams.c


class Placing:
    """Which platform a session, a stream or a recording tells of."""

    def __init__(self, numbers: Numbers, platforms: Platforms) -> None:
        self._numbers = numbers
        self._platforms = platforms
        self._of_sessions: dict[str | None, int] = {}

    def forget(self) -> None:
        """Empties the cache: what it holds may never have been committed, or be so no more."""
        self._of_sessions.clear()

    def placed(
        self,
        connection: Connection,
        events: EventColumns,
        observations: Sequence[Observation],
        stated: str | None = None,
        among_others: str | None = None,
        *,
        together: bool = False,
    ) -> tuple[EventColumns, list[Observation]]:
        """The events and observations with the platform of each: the `stated` one, or what their sessions tell of.

        What came in no session is of the one `among_others`, where that is said; `together`: as `of_stream` has it.
        """
        if stated is not None:
            number = self._named(connection, stated, events, observations)
            return (
                events._replace(platform=(number,) * len(events.type)),
                [item._replace(platform=number) for item in observations],
            )
        keys = {*events.session, *(item.session for item in observations)}
        of = self._learn(connection, events, keys, together=together)
        found: Sequence[int | None] = tuple(map(of.get, events.session))
        asked: Sequence[int | None] = [of.get(item.session) for item in observations]
        is_open = among_others is not None and (None in found or None in asked)
        default = self._named(connection, among_others, events, observations) if among_others and is_open else None
        if None in found:
            found = self._without_session(connection, found, events.resource_uri, events.extra, default)
        if None in asked:
            uris = [item.uri for item in observations]
            asked = self._without_session(connection, asked, uris, [None] * len(uris), default)
        placed = [item._replace(platform=number) for item, number in zip(observations, asked, strict=True)]
        return events._replace(platform=tuple(found)), placed

    def _named(
        self, connection: Connection, name: str, events: EventColumns, observations: Sequence[Observation]
    ) -> int:
        """The platform of a name; of a place at which there are several accounts, of whom these words are."""
        known = self._platforms.known_as(connection, name)
        if known is None and is_of_several(connection, name):
            among = at_place(connection, name)
            told = (*events.resource_uri, *(item.uri for item in observations))
            uris = {uri for uri in told if uri is not None}
            holding = {number for number in among if holds_any(connection, events, number)}
            found = holding or among.intersection(self._homes(connection, uris).values())
            if len(found) == 1:
                known = next(iter(found))
                self._platforms.meant.keep(connection, name, known)
        return known or self._platforms.named(connection, name)

    def _learn(
        self, connection: Connection, events: EventColumns, keys: set[str | None], *, together: bool
    ) -> Mapping[str | None, int]:
        """The platforms of these sessions, as far as the archive knows the sessions."""
        if len(self._of_sessions) > _MAX_KNOWN:
            self.forget()
        missing = keys - self._of_sessions.keys() - {None}
        of_streams: dict[int, int] = {}  # a stream that was unknown may have several sessions in one batch
        for part in chunks(missing):
            told = select(sessions.c.key, _s.id, _s.url, _s.dialect, _s.platform_id)
            found = told.join(streams, _s.id == sessions.c.stream_id).where(sessions.c.key.in_(part))
            for key, *row in connection.execute(found.order_by(sessions.c.id)).all():
                stream = Stream(*row)
                if stream.id not in of_streams:
                    if stream.platform_id is None and stream.dialect == "docker":
                        stream = self._introduced(connection, stream, key, events, together=together)
                    of_streams[stream.id] = self._platforms.of_stream(connection, stream, together=together)
                self._of_sessions[key] = of_streams[stream.id]
        return self._of_sessions

    def _introduced(
        self, connection: Connection, stream: Stream, session: str, events: EventColumns, *, together: bool
    ) -> Stream:
        """A stream that nobody knows yet, after what its messages say of their engine."""
        own = (extra for key, extra in zip(events.session, events.extra, strict=True) if key == session)
        told = next(filter(None, map(_envelope, own)), None)
        if told is None:
            return stream
        self._platforms.identify(connection, stream, told, together=together)
        return stream_of(connection, self._numbers, stream.url, stream.dialect)

    def _without_session(
        self,
        connection: Connection,
        known: Sequence[int | None],
        uris: Sequence[str | None],
        extras: Sequence[str | None],
        default: int | None,
    ) -> Sequence[int]:
        """The platforms of words that came in no session, beside those that are `known`.

        That is what a message says of its engine; else the default; of several platforms the only one that knows the
        object; else what is kept for recordings that nobody knows of.
        """
        said: dict[str, int] = {}
        found: list[int] = []
        homes: Mapping[str, int] | None = None
        for number, uri, extra in zip(known, uris, extras, strict=True):
            if number is None and (told := _envelope(extra) if dialect_of(uri) == "docker" else None):
                number = said.get(told) or self._said(connection, told)
                said[told] = number
            number = number or default
            if number is None and uri is None:
                number = said[""] = said.get("") or self._of_no_object(connection)
            elif number is None:
                if homes is None:
                    homes = self._homes(connection, {uri for uri in uris if uri is not None})
                spoken = dialect_of(uri)
                number = homes.get(uri or "") or said.get(spoken) or self._platforms.default(connection, spoken)
                if uri not in homes:
                    said[spoken] = number
            found.append(number)
        return found

    def _of_no_object(self, connection: Connection) -> int:
        """The platform of what is about no object, and so of no kind: the only account, else the first."""
        first = connection.scalars(select(platforms.c.id).order_by(platforms.c.id).limit(1)).first()
        is_account = len(self._platforms.speaking(connection, "tutum")) == 1
        return self._platforms.default(connection, "tutum") if first is None or is_account else first

    def _homes(self, connection: Connection, uris: set[str]) -> Mapping[str, int]:
        """The platform that knows what an URI names, where there are several and one of them does."""
        homes: dict[str, int] = {}
        c, t = resources.c, event_types.c
        for dialect in ("tutum", "docker"):
            known = self._platforms.speaking(connection, dialect)
            asked = {uri: parse(uri) for uri in uris if len(known) > 1 and dialect_of(uri) == dialect}
            there: dict[tuple[str, str], set[int]] = {}
            for part in chunks({ref.key for ref in asked.values()}):
                query = select(t.text, c.key, c.platform_id).join(resources, c.type_id == t.id)
                for kind, key, number in connection.execute(query.where(c.platform_id.in_(known), c.key.in_(part))):
                    there.setdefault((kind, key), set()).add(number)
            for uri, ref in asked.items():
                if len(found := there.get(ref, set())) == 1:
                    homes[uri] = next(iter(found))
        return homes

    def _said(self, connection: Connection, told: str) -> int:
        """The platform that a message says it is of."""
        identities, name = identities_of_engine(told)
        number = by_identity(connection, identities)
        if number is None:
            number = self._platforms.claimed(connection, "docker", identities[0], name)
        keep_identities(connection, number, identities)
        return number


def _envelope(extra: str | None) -> str | None:
    """What stands round a message of Docker of the engine that told it, as JSON."""
    if extra is None or not ('"engine":' in extra or '"swarm":' in extra):
        return None
    value = json.loads(extra)
    found = {key: value[key] for key in ("engine", "node", "swarm") if type(value.get(key)) is str and value[key]}
    return json.dumps(found) if "message" in value and identities_of_engine(json.dumps(found))[0] else None

"""Knows which platform every word is of, and makes the row of a platform when it is first heard of.

docs/archive.md says the rules ("Platforms"). Works inside the recorder's transaction; the caches are emptied (`forget`)
after a rollback, and when another writer may have changed anything.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from archiver.codec.uris import parse
from archiver.model import Dialect, EventColumns, Observation, Platform
from archiver.platforms.docker import facts as docker
from archiver.platforms.tutum.facts import account
from archiver.storage.bulk import chunks
from archiver.storage.numbers import Numbers
from archiver.storage.schema import event_types, platform_identities, platforms, resources, sessions, streams
from archiver.storage.words import IMPORTED

_UNCLAIMED = (f"{IMPORTED}:", "stream:")
"""How the key of a platform begins that has not said yet who it is."""
_MAX_KNOWN = 1000
_p, _i, _s = platforms.c, platform_identities.c, streams.c


class Stream(NamedTuple):
    """A stream, and whose words it tells."""

    id: int
    url: str
    dialect: Dialect
    platform_id: int | None


class Platforms:
    """The platforms of an archive, and which of them a session, a stream or a recording tells of."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._of_sessions: dict[str | None, int] = {}

    def forget(self) -> None:
        """Empties the cache: what it holds may never have been committed, or be so no more."""
        self._of_sessions.clear()

    # --- whose words are these ---

    def placed(
        self,
        connection: Connection,
        events: EventColumns,
        observations: Sequence[Observation],
        stated: int | None = None,
        default: int | None = None,
        *,
        together: bool = False,
    ) -> tuple[EventColumns, list[Observation]]:
        """The events and observations with the platform of each: the `stated` one, or what their sessions tell of.

        What came in no session is of the `default`, where there is one; `together`: as `of_stream` has it.
        """
        if stated is not None:
            return (
                events._replace(platform=(stated,) * len(events.type)),
                [item._replace(platform=stated) for item in observations],
            )
        keys = {*events.session, *(item.session for item in observations)}
        of = self._learn(connection, events, keys, together=together)
        found: Sequence[int | None] = tuple(map(of.get, events.session))
        if None in found:
            found = self._without_session(connection, found, events.resource_uri, events.extra, default)
        asked: Sequence[int | None] = [of.get(item.session) for item in observations]
        if None in asked:
            uris = [item.uri for item in observations]
            asked = self._without_session(connection, asked, uris, [None] * len(uris), default)
        placed = [item._replace(platform=number) for item, number in zip(observations, asked, strict=True)]
        return events._replace(platform=tuple(found)), placed

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
                    of_streams[stream.id] = self.of_stream(connection, stream, together=together)
                self._of_sessions[key] = of_streams[stream.id]
        return self._of_sessions

    def told_of(self, connection: Connection, keys: set[str | None]) -> Mapping[str | None, int]:
        """The platforms that the streams of these sessions tell of, as far as they are known."""
        wanted = keys - {None}
        told = select(sessions.c.key, _s.platform_id).join(streams, _s.id == sessions.c.stream_id)
        return {
            key: number
            for part in chunks(wanted)
            for key, number in connection.execute(told.where(sessions.c.key.in_(part)))
            if number is not None
        }

    def _introduced(
        self, connection: Connection, stream: Stream, session: str, events: EventColumns, *, together: bool
    ) -> Stream:
        """A stream that nobody knows yet, after what its messages say of their engine."""
        own = (extra for key, extra in zip(events.session, events.extra, strict=True) if key == session)
        told = next(filter(None, map(_envelope, own)), None)
        if told is None:
            return stream
        self.identify(connection, stream, told, together=together)
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
            if number is None and (told := _envelope(extra) if _dialect(uri) == "docker" else None):
                number = said.get(told) or self._said(connection, told)
                said[told] = number
            number = number or default
            if number is None:
                if homes is None:
                    homes = self._homes(connection, {uri for uri in uris if uri is not None})
                number = homes.get(uri or "") or said.get(_dialect(uri)) or self.default(connection, _dialect(uri))
                if uri not in homes:
                    said[_dialect(uri)] = number
            found.append(number)
        return found

    def _homes(self, connection: Connection, uris: set[str]) -> Mapping[str, int]:
        """The platform that knows what an URI names, where there are several and one of them does."""
        homes: dict[str, int] = {}
        c, t = resources.c, event_types.c
        for dialect in ("tutum", "docker"):
            known = self._speaking(connection, dialect)
            asked = {uri: parse(uri) for uri in uris if len(known) > 1 and _dialect(uri) == dialect}
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
        identities, name = docker.identities(told)
        number = self._by_identity(connection, identities)
        if number is None:
            number = self._claimed(connection, "docker", identities[0], name)
        self._note(connection, number, identities)
        return number

    # --- streams ---

    def of_stream(self, connection: Connection, stream: Stream, *, together: bool = False) -> int:
        """The platform that a stream tells of; where it was not known, it is now.

        `together`: what is not known otherwise is all of one platform, as it was where nobody kept platforms.
        """
        if stream.platform_id is not None:
            return stream.platform_id
        known = account(stream.url) if stream.dialect == "tutum" else None
        identities = [known] if known else []
        number = self._by_identity(connection, identities)
        if number is None and (together or (stream.dialect == "tutum" and not known) or _is_recording(stream.url)):
            number = self.default(connection, stream.dialect)
        if number is None:
            key, name = (identities[0], _name(identities[0])) if identities else (f"stream:{stream.url}", stream.url)
            number = self._claimed(connection, stream.dialect, key, name)
        elif identities:
            self._claim(connection, number, identities[0], _name(identities[0]))
        self._note(connection, number, identities)
        self._give(connection, stream.id, number)
        return number

    def identify(self, connection: Connection, stream: Stream, told: str, *, together: bool = False) -> None:
        """Takes in who the platform of a stream says it is: that may be one that is known by now."""
        identities, name = docker.identities(told)
        if not identities:
            return
        number = self._by_identity(connection, identities)
        own = stream.platform_id
        if number is None and own is not None and (together or self._is_unclaimed(connection, own)):
            number = own
        if number is None and together:
            number = self.default(connection, stream.dialect)
        if number is None:
            number = self._claimed(connection, stream.dialect, identities[0], name)
        else:
            self._claim(connection, number, identities[0], name)
        self._note(connection, number, identities)
        if number != own:
            self._give(connection, stream.id, number)
            if own is not None:
                self.forget()

    def _give(self, connection: Connection, stream_id: int, number: int) -> None:
        connection.execute(update(streams).where(_s.id == stream_id).values(platform_id=number))

    # --- platforms ---

    def default(self, connection: Connection, dialect: Dialect) -> int:
        """Where a recording goes that does not say whose it is: to the only platform there is, else to one for such."""
        key, known = f"{IMPORTED}:{dialect}", self._speaking(connection, dialect)
        if len(known) == 1:
            return next(iter(known))
        for number, there in known.items():
            if there == key:
                return number
        return self._make(connection, key, IMPORTED, dialect)

    def named(self, connection: Connection, name: str) -> int:
        """The platform of a stream, a key, an identity or a name; one of that name is made where there is none."""
        told = select(_s.id, _s.url, _s.dialect, _s.platform_id).where(_s.url == name)
        stream = connection.execute(told).one_or_none()
        if stream is not None:
            return self.of_stream(connection, Stream(*stream))
        known = connection.scalar(select(_p.id).where(_p.key == name))
        known = known or self._by_identity(connection, [name])
        known = known or connection.scalar(select(_p.id).where(_p.name == name))
        return known or self._make(connection, name, name, None)

    def restore(self, connection: Connection, found: Platform) -> int:
        """The platform that an export describes, with its streams; made where nothing of it is known."""
        known = connection.scalar(select(_p.id).where(_p.key == found.key))
        number = known or self._by_identity(connection, found.identities)
        if number is None:
            adopted = None if found.key.startswith(_UNCLAIMED) else self._adopted(connection, found.dialect)
            number = adopted or self._make(connection, found.key, found.name, found.dialect)
            if adopted:
                self._claim(connection, number, found.key, found.name)
        self._note(connection, number, found.identities)
        for url, dialect in found.streams:
            there = stream_of(connection, self._numbers, url, dialect)
            if there.platform_id is None:
                self._give(connection, there.id, number)
        return number

    def _speaking(self, connection: Connection, dialect: Dialect | None) -> dict[int, str]:
        """The platforms of which a dialect is, or may be, spoken, and their keys."""
        found = select(_p.id, _p.key).where((_p.dialect == dialect) | _p.dialect.is_(None)).order_by(_p.id)
        return {number: key for number, key in connection.execute(found)}

    def _by_identity(self, connection: Connection, identities: Collection[str]) -> int | None:
        """The platform that has any of these identities; the first that is known decides."""
        if not identities:
            return None
        asked = list(identities)
        found = connection.execute(select(_p.key, _p.id).where(_p.key.in_(asked))).all()  # named before it was heard of
        found = [*found, *connection.execute(select(_i.key, _i.platform_id).where(_i.key.in_(asked)))]
        known = {key: number for key, number in found}
        return next((known[key] for key in identities if key in known), None)

    def _adopted(self, connection: Connection, dialect: Dialect | None) -> int | None:
        """What was imported before anybody knew whose it was, where there is nothing else that it could be of."""
        known = self._speaking(connection, dialect)
        if len(known) == 1:
            (number, key), *_ = known.items()
            return number if key == f"{IMPORTED}:{dialect}" else None
        return None

    def _claimed(self, connection: Connection, dialect: Dialect, key: str, name: str) -> int:
        """A platform that nobody knew so far: that of the recordings, where there is no other, or a new one."""
        number = self._adopted(connection, dialect)
        if number is None:
            return self._make(connection, key, name, dialect)
        self._claim(connection, number, key, name)
        return number

    def _claim(self, connection: Connection, number: int, key: str, name: str) -> None:
        """Gives key and name to a platform that had none of its own."""
        if self._is_unclaimed(connection, number):
            named = {"key": key, "name": self._free(connection, name, number)}
            connection.execute(update(platforms).where(_p.id == number).values(named))

    def _is_unclaimed(self, connection: Connection, number: int) -> bool:
        return str(connection.scalar(select(_p.key).where(_p.id == number))).startswith(_UNCLAIMED)

    def _make(self, connection: Connection, key: str, name: str, dialect: Dialect | None) -> int:
        number = self._numbers.take(connection, platforms, 1)
        row = {"id": number, "key": key, "name": self._free(connection, name, number), "dialect": dialect}
        connection.execute(insert(platforms).values(row))
        return number

    def _free(self, connection: Connection, name: str, number: int) -> str:
        """The name, with a number behind it where another platform is called so."""
        taken = connection.scalar(select(_p.id).where(_p.name == name, _p.id != number))
        return name if taken is None else f"{name} ({number})"

    def _note(self, connection: Connection, number: int, identities: Iterable[str]) -> None:
        """Keeps the identities that no platform has yet."""
        wanted = list(identities)
        if wanted:
            known = set(connection.scalars(select(_i.key).where(_i.key.in_(wanted))))
            for key in dict.fromkeys(key for key in wanted if key not in known):
                connection.execute(insert(platform_identities).values(key=key, platform_id=number))


def stream_of(connection: Connection, numbers: Numbers, url: str, dialect: Dialect) -> Stream:
    """The row of a stream; it is made when it is first heard of."""
    found = select(_s.id, _s.url, _s.dialect, _s.platform_id).where(_s.url == url)
    there = connection.execute(found).one_or_none()
    if there is not None:
        return Stream(*there)
    number = numbers.take(connection, streams, 1)
    connection.execute(insert(streams).values(id=number, url=url, dialect=dialect))
    return Stream(number, url, dialect, None)


def _dialect(uri: str | None) -> Dialect:
    return "docker" if uri is not None and uri.startswith(docker.DOCKER) else "tutum"


def _name(identity: str) -> str:
    """What people call an account: where it is, without how it is spoken to."""
    return identity.partition("://")[2]


def _envelope(extra: str | None) -> str | None:
    """What stands round a message of Docker of the engine that told it, as JSON."""
    if extra is None or not ('"engine":' in extra or '"swarm":' in extra):
        return None
    value = json.loads(extra)
    found = {key: value[key] for key in ("engine", "node", "swarm") if type(value.get(key)) is str and value[key]}
    return json.dumps(found) if "message" in value and docker.identities(json.dumps(found))[0] else None


def _is_recording(url: str) -> bool:
    return url.startswith("file:")

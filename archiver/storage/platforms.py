"""Knows which platform every word is of, and makes the row of a platform when it is first heard of.

docs/archive.md says the rules ("Platforms"). Works inside the recorder's transaction; the caches are emptied (`forget`)
after a rollback, and when another writer may have changed anything.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from archiver.codec.streams import has_user, without_user
from archiver.codec.uris import parse
from archiver.model import Dialect, EventColumns, Micros, Observation, Opened, Platform, to_datetime
from archiver.platforms.facts import account, dialect_of, identities_of_engine
from archiver.storage.bulk import chunks
from archiver.storage.numbers import Numbers
from archiver.storage.schema import event_types, platform_identities, platforms, resources, sessions, streams
from archiver.storage.words import IMPORTED

_UNCLAIMED = (f"{IMPORTED}:", "stream:")
"""How the key of a platform begins that has not said yet who it is."""
_MAX_KNOWN = 1000
_LATELY = 60 * 1_000_000
"""Who listens to a stream gives a sign of life more often than that."""
_p, _i, _s = platforms.c, platform_identities.c, streams.c
_STREAMS = select(_s.id, _s.url, _s.dialect, _s.platform_id)


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
            if number is None and (told := _envelope(extra) if dialect_of(uri) == "docker" else None):
                number = said.get(told) or self._said(connection, told)
                said[told] = number
            number = number or default
            if number is None:
                if homes is None:
                    homes = self._homes(connection, {uri for uri in uris if uri is not None})
                number = homes.get(uri or "") or said.get(dialect_of(uri)) or self.default(connection, dialect_of(uri))
                if uri not in homes:
                    said[dialect_of(uri)] = number
            found.append(number)
        return found

    def _homes(self, connection: Connection, uris: set[str]) -> Mapping[str, int]:
        """The platform that knows what an URI names, where there are several and one of them does."""
        homes: dict[str, int] = {}
        c, t = resources.c, event_types.c
        for dialect in ("tutum", "docker"):
            known = self._speaking(connection, dialect)
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
        number = self._by_identity(connection, identities)
        if number is None:
            number = self._claimed(connection, "docker", identities[0], name)
        self._note(connection, number, identities)
        return number

    # --- streams ---

    def opened(
        self, connection: Connection, item: Opened, receiver_id: int | None, *, together: bool = False
    ) -> Stream:
        """The stream of a session that was opened; `together`: as `of_stream` has it.

        Who logs in to a stream of which nobody knew whose it was goes on with it, and it has his name from now on; but
        not while somebody else listens to it. A receiver (None: an import) that does not say who it is is none of those
        who do.
        """
        found = heard_on(connection, item.stream, receiver_id, item.at)
        stream = found or new_stream(connection, self._numbers, item.stream, item.dialect)
        if item.dialect == "tutum":  # an engine says by itself who it is
            if stream.url != item.stream and has_user(item.stream):
                connection.execute(update(streams).where(_s.id == stream.id).values(url=item.stream))
                stream = stream._replace(url=item.stream)
            beside = known_stream(connection, without_user(item.stream))
            # Its row may be there, without a platform: of trouble with it, before anybody could listen.
            is_apart = beside is not None and (found is None or beside.id != stream.id)
            self.of_stream(connection, stream, together=together, apart=is_apart)
        return stream

    def of_stream(self, connection: Connection, stream: Stream, *, together: bool = False, apart: bool = False) -> int:
        """The platform that a stream tells of; where it was not known, it is now.

        `together`: what is not known otherwise is all of one platform, as it was where nobody kept platforms.
        `apart`: what is there without a name is somebody else's.
        """
        known = account(stream.url) if stream.dialect == "tutum" else None
        if stream.platform_id is not None:
            if known:
                self._introduce(connection, stream.platform_id, known)
            return stream.platform_id
        identities = [known] if known else []
        look_up = self._by_identity if apart else self._by_account
        number = look_up(connection, known) if known else None
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

    def _by_account(self, connection: Connection, identity: str) -> int | None:
        """The platform of an account; where that is new, and another's words are there without a name, it is his."""
        number = self._by_identity(connection, identity)
        if number is None and (nobodys := without_user(identity)) != identity:
            number = self._by_identity(connection, nobodys)
            if number is not None:
                self._introduce(connection, number, identity)
        return number

    def _of_place(self, connection: Connection, identity: str) -> int | None:
        """The same, of what is not listened to just now: what names no account is of the only one at its place."""
        nobodys = self._by_identity(connection, without_user(identity))
        is_heard = nobodys is not None and _is_heard(connection, _s.platform_id == nobodys)
        look_up = self._by_identity if is_heard else self._by_account
        number = look_up(connection, identity)
        place = identity.partition("://")[2]
        if number is None and place and without_user(identity) == identity:
            rows = connection.execute(
                select(_i.key, _i.platform_id).where(_i.key.endswith(f"@{place}", autoescape=True))
            )
            of = {row.platform_id for row in rows if without_user(row.key) == identity}
            number = next(iter(of)) if len(of) == 1 else None
        return number

    def _introduce(self, connection: Connection, number: int, identity: str) -> None:
        """Says whose a platform is that was known by its place alone, as long as nobody had named himself."""
        nobodys = without_user(identity)
        if identity != nobodys and self._by_identity(connection, nobodys) == number:
            connection.execute(delete(platform_identities).where(_i.key == nobodys))
            named = {"key": identity, "name": self._free(connection, _name(identity), number)}
            connection.execute(update(platforms).where(_p.id == number, _p.key == nobodys).values(named))
        self._note(connection, number, [identity])

    def identify(self, connection: Connection, stream: Stream, told: str, *, together: bool = False) -> None:
        """Takes in who the platform of a stream says it is: that may be one that is known by now."""
        identities, name = identities_of_engine(told)
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
        stream = known_stream(connection, name)
        if stream is not None:
            return self.of_stream(connection, stream)
        known = connection.scalar(select(_p.id).where(_p.key == name))
        known = known or self._of_place(connection, name)
        known = known or connection.scalar(select(_p.id).where(_p.name == name))
        return known or self._make(connection, name, name, None)

    def restore(self, connection: Connection, found: Platform) -> int:
        """The platform that an export describes, with its streams; made where nothing of it is known."""
        known = connection.scalar(select(_p.id).where(_p.key == found.key))
        number = known or self._by_identity(connection, found.identities) or self._of_place(connection, found.key)
        if number is None:
            adopted = None if found.key.startswith(_UNCLAIMED) else self._adopted(connection, found.dialect)
            number = adopted or self._make(connection, found.key, found.name, found.dialect)
            if adopted:
                self._claim(connection, number, found.key, found.name)
        self._note(connection, number, found.identities)
        for url, dialect in found.streams:
            there = heard_on(connection, url) or new_stream(connection, self._numbers, url, dialect)
            if there.platform_id is None:
                self._give(connection, there.id, number)
        return number

    def _speaking(self, connection: Connection, dialect: Dialect | None) -> dict[int, str]:
        """The platforms of which a dialect is, or may be, spoken, and their keys."""
        found = select(_p.id, _p.key).where((_p.dialect == dialect) | _p.dialect.is_(None)).order_by(_p.id)
        return {number: key for number, key in connection.execute(found)}

    def _by_identity(self, connection: Connection, identities: str | Collection[str]) -> int | None:
        """The platform that has any of these identities; the first that is known decides."""
        asked = [identities] if isinstance(identities, str) else list(identities)
        if not asked:
            return None
        found = connection.execute(select(_p.key, _p.id).where(_p.key.in_(asked))).all()  # named before it was heard of
        found = [*found, *connection.execute(select(_i.key, _i.platform_id).where(_i.key.in_(asked)))]
        known = {key: number for key, number in found}
        return next((known[key] for key in asked if key in known), None)

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


def known_stream(connection: Connection, url: str) -> Stream | None:
    """The stream that an URL means: the one of that name, else the only one at that place that it can be.

    That is of an URL with a user the one that was recorded when nobody said whose it was, and of one without a user
    that of the only user.
    """
    there = _stream_named(connection, url)
    if there is None:
        place = without_user(url)
        told = connection.execute(_STREAMS.where(_s.dialect == "tutum"))
        beside = [row for row in told if without_user(row.url) == place]
        if len(beside) == 1 and has_user(url) != has_user(beside[0].url):
            return Stream(*beside[0])
    return there


def heard_on(connection: Connection, url: str, receiver_id: int | None = None, at: Micros = 0) -> Stream | None:
    """The stream that a receiver (None: an import) listens to, as `Platforms.opened` has it; None: one of its own."""
    found = known_stream(connection, url)
    if found is None or found.url == url:
        return found
    if not has_user(url):
        return found if receiver_id is None else None
    others = _is_heard(connection, _s.id == found.id, receiver_id, at)
    return None if others else found


def stream_of(connection: Connection, numbers: Numbers, url: str, dialect: Dialect) -> Stream:
    """The row of the stream that an URL means; it is made when it is first heard of."""
    there = known_stream(connection, url)
    return there if there is not None else new_stream(connection, numbers, url, dialect)


def _stream_named(connection: Connection, url: str) -> Stream | None:
    there = connection.execute(_STREAMS.where(_s.url == url)).one_or_none()
    return None if there is None else Stream(*there)


def new_stream(connection: Connection, numbers: Numbers, url: str, dialect: Dialect) -> Stream:
    """The row of a stream that is heard of for the first time."""
    number = numbers.take(connection, streams, 1)
    connection.execute(insert(streams).values(id=number, url=url, dialect=dialect))
    return Stream(number, url, dialect, None)


def _is_heard(
    connection: Connection, which: ColumnElement[bool], receiver_id: int | None = None, at: Micros = 0
) -> bool:
    """Whether a receiver listens to a stream without a user; another than this one, and it has told of late.

    An import (None) is of any time, so whoever has not said that he left counts.
    """
    c = sessions.c
    heard: list[ColumnElement[bool]] = [c.receiver_id.is_not(None)]
    if receiver_id is not None:
        heard = [c.last_seen_at > to_datetime(at - _LATELY), c.receiver_id != receiver_id]
    asked = select(_s.url).join(sessions, c.stream_id == _s.id).where(which, c.closed_at.is_(None), *heard).distinct()
    return any(not has_user(url) for url in connection.scalars(asked))


def _name(identity: str) -> str:
    """What people call an account: where it is, without how it is spoken to."""
    return identity.partition("://")[2]


def _envelope(extra: str | None) -> str | None:
    """What stands round a message of Docker of the engine that told it, as JSON."""
    if extra is None or not ('"engine":' in extra or '"swarm":' in extra):
        return None
    value = json.loads(extra)
    found = {key: value[key] for key in ("engine", "node", "swarm") if type(value.get(key)) is str and value[key]}
    return json.dumps(found) if "message" in value and identities_of_engine(json.dumps(found))[0] else None


def _is_recording(url: str) -> bool:
    return url.startswith("file:")

"""Finds the row of the stream that an URL means, or makes one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, insert, select

from archiver.codec.streams import has_user, without_user
from archiver.model import Dialect
from archiver.storage.bulk import chunks
from archiver.storage.clock import archive_clock
from archiver.storage.numbers import Numbers
from archiver.storage.schema import receivers, sessions, streams

_LATELY = timedelta(seconds=60)
"""Who listens to a stream gives a sign of life more often than that."""
_s = streams.c
_STREAMS = select(_s.id, _s.url, _s.dialect, _s.platform_id)


class Stream(NamedTuple):
    """A stream, and whose words it tells."""

    id: int
    url: str
    dialect: Dialect
    platform_id: int | None


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


def heard_on(connection: Connection, url: str, receiver_id: int | None = None) -> Stream | None:
    """The stream that a receiver (None: an import) listens to, as `Platforms.opened` has it; None: one of its own."""
    found = known_stream(connection, url)
    if found is None or found.url == url:
        return found
    if not has_user(url):
        return found if receiver_id is None else None
    others = is_heard(connection, _s.id == found.id, receiver_id)
    return None if others else found


def stream_of(connection: Connection, numbers: Numbers, url: str, dialect: Dialect) -> Stream:
    """The row of the stream that an URL means; it is made when it is first heard of."""
    there = known_stream(connection, url)
    return there if there is not None else new_stream(connection, numbers, url, dialect)


def _stream_named(connection: Connection, url: str) -> Stream | None:
    there = connection.execute(_STREAMS.where(_s.url == url)).one_or_none()
    return None if there is None else Stream(*there)


def streams_of(connection: Connection, platform: int) -> list[Stream]:
    """The streams that tell of a platform."""
    return [Stream(*row) for row in connection.execute(_STREAMS.where(_s.platform_id == platform).order_by(_s.id))]


def streams_with(connection: Connection, keys: Collection[str]) -> list[Stream]:
    """The streams of those of some sessions that are known."""
    found: dict[int, Stream] = {}
    for part in chunks(keys):
        told = _STREAMS.join(sessions, sessions.c.stream_id == _s.id).where(sessions.c.key.in_(part))
        found.update((row.id, Stream(*row)) for row in connection.execute(told.order_by(sessions.c.id)))
    return list(found.values())


def told_of(connection: Connection, keys: Iterable[str | None]) -> dict[str | None, int]:
    """The platforms that the streams of some sessions tell of, as far as they are known."""
    told = select(sessions.c.key, _s.platform_id).join(streams, _s.id == sessions.c.stream_id)
    told = told.where(_s.platform_id.is_not(None))
    parts = chunks({key for key in keys if key is not None})
    return {key: number for part in parts for key, number in connection.execute(told.where(sessions.c.key.in_(part)))}


def new_stream(connection: Connection, numbers: Numbers, url: str, dialect: Dialect) -> Stream:
    """The row of a stream that is heard of for the first time."""
    number = numbers.take(connection, streams, 1)
    connection.execute(insert(streams).values(id=number, url=url, dialect=dialect))
    return Stream(number, url, dialect, None)


def is_heard(connection: Connection, which: ColumnElement[bool], receiver_id: int | None = None) -> bool:
    """Whether a receiver listens to a stream without a user; another than this one, and it has told of late.

    An import (None) is of any time, so whoever has not said that he left counts. What is late is by the clock of the
    archive: receivers on several machines have several clocks.
    """
    c, r = sessions.c, receivers.c
    heard: list[ColumnElement[bool]] = [c.receiver_id.is_not(None)]
    if receiver_id is not None:
        lately = select(r.id).where(r.id != receiver_id, r.updated_at > archive_clock(connection, _LATELY))
        heard = [c.receiver_id.in_(lately)]
    asked = select(_s.url).join(sessions, c.stream_id == _s.id).where(which, c.closed_at.is_(None), *heard).distinct()
    return any(not has_user(url) for url in connection.scalars(asked))

"""Writes what had been received by an instant, or what one stream told, as an export has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from archiver.model import Micros, Number, Platform, Telling, numbers_of, to_micros
from archiver.storage.database.reading import Connection, Row, micros
from archiver.storage.database.revision import HEAD
from archiver.storage.database.statements import Among, by_platform, statement
from archiver.storage.event_rows import original, parents_of
from archiver.storage.pages import Ask
from archiver.storage.uuids import unpack
from archiver.transfer.exported_rows import (
    OBSERVATIONS,
    SESSIONS,
    Beginning,
    Keys,
    Platforms,
    beginning_of,
    counted,
    events_of,
    keys_of_sessions,
    observation_of,
    session_of,
    texts_of,
)
from archiver.transfer.format import end_line, event_line, head_line, observation_line, platform_line, telling_line
from archiver.transfer.ordered import Ordered

_PAGE = 500
_OF_STREAM = "(SELECT h.id FROM sessions h WHERE h.stream_id = :stream)"
_URL = "SELECT t.url FROM streams t WHERE t.id = :stream"
_BY_THEN = "e.received_at <= :known"
_TOLD_BY_THEN = (
    f"((e.session_id IN {_OF_STREAM} AND {_BY_THEN}) OR EXISTS (SELECT 1 FROM tellings l"
    " WHERE l.platform_id = e.platform_id AND l.event_id = e.id AND l.received_at <= :known"
    f" AND l.session_id IN {_OF_STREAM}))"
)
_ALL = f"SELECT e.platform_id, e.id FROM events e WHERE {_BY_THEN} AND e.id > :after ORDER BY e.id LIMIT :size"
_OF_THESE = (
    "SELECT e.platform_id, e.id FROM events e WHERE e.platform_id = :platform AND e.resource_id IN :numbers AND {}"
)
_ASKED = (
    "SELECT o.platform_id, o.id FROM observations o"
    " WHERE o.observed_at <= :known_at AND o.id > :after ORDER BY o.id LIMIT :size"
)
_ASKED_OF_THESE = (
    "SELECT o.platform_id, o.id FROM observations o"
    " WHERE o.platform_id = :platform AND o.resource_id IN :numbers AND o.observed_at <= :known_at{}"
)
_TOLD_AS_WELL = (
    "SELECT l.platform_id, l.event_id, l.session_id, l.received_at, e.occurred_at, e.uuid FROM tellings l"
    " JOIN events e ON e.platform_id = l.platform_id AND e.id = l.event_id"
    " WHERE l.platform_id = :platform AND l.event_id IN :numbers AND l.received_at <= :known{}"
    " ORDER BY l.event_id, l.session_id"
)
_SESSIONS = f"{SESSIONS} WHERE s.opened_at <= :known_at{{}} ORDER BY s.id"
_ALWAYS = datetime.max.replace(tzinfo=UTC)


About = Callable[[Connection], Iterable[Among]]
"""Says which resources are wanted, so many at a time as one question may name."""


class _Wanted(NamedTuple):
    """Up to when, and by which stream (None: by all)."""

    known_at: datetime
    stream: int | None

    def values(self) -> dict[str, Any]:
        """The parameters of the queries above."""
        return {"known": to_micros(self.known_at), "known_at": self.known_at, "stream": self.stream}

    def of_stream(self, column: str) -> str:
        """The condition that a session is one of the stream's."""
        return "" if self.stream is None else f" AND {column} IN {_OF_STREAM}"


class _Receipt(NamedTuple):
    """In which session an event was received, and when, in microseconds."""

    session: int | None
    received_at: Micros


def export_known(ask: Ask, known_at: datetime | None, about: About | None, stream: int | None = None) -> Iterator[str]:
    """The lines; nothing of rejects, and observations as if received when they were made.

    `known_at` None: whenever it was received. `about`: the resources whose words are wanted; None: all. A session that
    went on was alive then. Of a `stream`, for which `about` is given: what it told, if not alone, as told by it, and
    what was found in its sessions; nothing of others, nor of what came in no session.
    """
    assert stream is None or about is not None
    wanted, counts = _Wanted(known_at or _ALWAYS, stream), Counter[str]()
    beginning, keys = ask(beginning_of), ask(keys_of_sessions)
    yield head_line(None, "", HEAD)
    yield from counted(counts, "platform", map(platform_line, ask(_platforms, beginning, wanted)))
    yield from counted(counts, "session", iter(ask(_sessions, wanted)))
    told = _BY_THEN if stream is None else _TOLD_BY_THEN
    asked = _ASKED_OF_THESE.format(wanted.of_stream("o.session_id"))
    with ExitStack() as ending:

        def numbers(query: str) -> Ordered | None:
            return about and ending.enter_context(closing(ask(_numbers, query, about, wanted)))

        events = numbers(_OF_THESE.format(told))
        for some in _pages(ask, _ALL, events, wanted):
            yield from counted(counts, "event", iter(ask(_events, beginning.platforms, keys, some, wanted)))
        for some in _pages(ask, _ALL, events, wanted):
            yield from counted(counts, "telling", iter(ask(_tellings, keys, beginning.platforms, some, wanted)))
        for some in _pages(ask, _ASKED, numbers(asked), wanted):
            yield from counted(counts, "observation", iter(ask(_observations, beginning, keys, some)))
    yield end_line(counts)


def _platforms(connection: Connection, beginning: Beginning, wanted: _Wanted) -> list[Platform]:
    """What is known of platforms; of the streams that tell of them only what is wanted."""
    platforms = beginning.platforms.lines
    if wanted.stream is None:
        return platforms
    url = connection.scalar(statement(_URL), wanted.values())
    return [each._replace(streams=tuple([told for told in each.streams if told[0] == url])) for each in platforms]


def _numbers(connection: Connection, query: str, about: About, wanted: _Wanted) -> Ordered:
    """The numbers of the words of some resources."""

    def found() -> Iterator[Number]:
        for among in about(connection):
            with connection.stream(statement(query), among.values(**wanted.values())) as rows:
                for _, number in rows:
                    yield among.of(number)

    return Ordered(found())


def _pages(ask: Ask, query: str, numbers: Ordered | None, wanted: _Wanted) -> Iterator[Sequence[Number]]:
    """Numbers, so many at a time: those given, or (None) all that were known."""
    if numbers is not None:
        rest = iter(numbers)
        while page := list(islice(rest, _PAGE)):
            yield page
        return
    after = 0
    while some := ask(_next, query, after, wanted):
        yield some
        after = some[-1]


def _next(connection: Connection, query: str, after: int, wanted: _Wanted) -> Sequence[Number]:
    values = {"after": after, "size": _PAGE, **wanted.values()}
    return [numbers_of(platform)(number) for platform, number in connection.execute(statement(query), values)]


def _sessions(connection: Connection, wanted: _Wanted) -> list[str]:
    asked = _SESSIONS.format("" if wanted.stream is None else " AND s.stream_id = :stream")
    return [session_of(row, wanted.known_at) for row in connection.execute(statement(asked), wanted.values())]


def _events(
    connection: Connection,
    platforms: Platforms,
    keys: Keys,
    numbers: Sequence[Number],
    wanted: _Wanted,
) -> list[str]:
    rows = events_of(connection, numbers)
    parents = parents_of(connection, rows.values())
    told_in = _told_in(connection, rows.values(), numbers, wanted)
    return [
        event_line(
            row.id,
            keys[told_in[row.id].session],
            told_in[row.id].received_at,
            texts_of(row),
            original(row, parents[row.parent_list_id]),
            platforms.stated(row.platform_id, told_in[row.id].session),
        )
        for row in map(rows.__getitem__, numbers)
    ]


def _told_in(
    connection: Connection, rows: Iterable[Row], numbers: Sequence[Number], wanted: _Wanted
) -> dict[int, _Receipt]:
    """In which session each event was told, and when: of a stream that told it as well, its own."""
    told = {row.id: _Receipt(row.session_id, row.received_at) for row in rows}
    if wanted.stream is None:
        return told
    own = set(connection.scalars(statement(_OF_STREAM.strip("()")), wanted.values()))
    others = [number for number in numbers if told[number].session not in own]
    for row in reversed(_told_as_well(connection, others, wanted)):
        told[row.event_id] = _Receipt(row.session_id, row.received_at)
    return told


def _tellings(
    connection: Connection,
    keys: Keys,
    platforms: Platforms,
    numbers: Sequence[Number],
    wanted: _Wanted,
) -> list[str]:
    return [
        telling_line(Telling(micros(row.occurred_at), unpack(row.uuid), key, row.received_at, whose))
        for row in _told_as_well(connection, numbers, wanted)
        for key in (keys[row.session_id] or "",)
        for whose in (platforms.stated(row.platform_id, row.session_id),)
    ]


def _told_as_well(connection: Connection, numbers: Sequence[Number], wanted: _Wanted) -> list[Row]:
    asked = statement(_TOLD_AS_WELL.format(wanted.of_stream("l.session_id")))
    return [row for among in by_platform(numbers) for row in connection.execute(asked, among.values(**wanted.values()))]


def _observations(connection: Connection, beginning: Beginning, keys: Keys, numbers: Sequence[Number]) -> list[str]:
    asked = statement(f"{OBSERVATIONS} WHERE o.platform_id = :platform AND o.id IN :numbers")
    found = (row for among in by_platform(numbers) for row in connection.execute(asked, among.values()))
    rows = sorted(found, key=lambda row: row.id)
    parents = parents_of(connection, rows)
    return [
        observation_line(
            row.id,
            observation_of(row, parents[row.parent_list_id], keys, beginning.inferred),
            beginning.platforms.stated(row.platform_id, row.session_id),
        )
        for row in rows
    ]

"""Writes what had been received by an instant, of some resources or of all, as an export has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from archiver.model import Micros, Telling, to_micros
from archiver.storage.event_rows import EVENT_ROWS, original, parents_of
from archiver.storage.pages import Ask
from archiver.storage.reading import Connection, micros
from archiver.storage.revision import HEAD
from archiver.storage.statements import chunks, statement
from archiver.storage.uuids import unpack
from archiver.transfer import exporter
from archiver.transfer.format import end_line, event_line, head_line, observation_line, platform_line, telling_line

_PAGE = 500
_ALL = "SELECT e.id FROM events e WHERE e.received_at <= :known AND e.id > :after ORDER BY e.id LIMIT :size"
_OF_THESE = "SELECT e.id FROM events e WHERE e.resource_id IN :numbers AND e.received_at <= :known"
_ASKED = "SELECT o.id FROM observations o WHERE o.observed_at <= :known_at AND o.id > :after ORDER BY o.id LIMIT :size"
_ASKED_OF_THESE = "SELECT o.id FROM observations o WHERE o.resource_id IN :numbers AND o.observed_at <= :known_at"
_TOLD_AS_WELL = (
    "SELECT l.session_id, l.received_at, e.occurred_at, e.uuid FROM tellings l JOIN events e ON e.id = l.event_id"
    " WHERE l.event_id IN :numbers AND l.received_at <= :known ORDER BY l.event_id, l.session_id"
)
_SESSIONS = f"{exporter.SESSIONS} WHERE s.opened_at <= :known_at ORDER BY s.id"


def export_known(ask: Ask, known_at: datetime, about: Collection[int] | None) -> Iterator[str]:
    """The lines; nothing of rejects, and observations as if received when they were made.

    `about`: numbers of the resources whose words are wanted; None: all. A session that went on was alive then.
    """
    known, counts = to_micros(known_at), Counter[str]()
    beginning, keys = ask(exporter.beginning_of), ask(exporter.keys_of_sessions)
    yield head_line(None, "", HEAD)
    yield from _counted(counts, "platform", map(platform_line, beginning.platforms.lines))
    yield from _counted(counts, "session", iter(ask(_sessions, known_at)))
    events = list(ask(_numbers, _OF_THESE, about, known_at)) if about is not None else None
    for some in _pages(ask, _ALL, events, known_at):
        yield from _counted(counts, "event", iter(ask(_events, beginning.platforms, keys, some)))
    for some in _pages(ask, _ALL, events, known_at):
        yield from _counted(counts, "telling", iter(ask(_tellings, keys, some, known)))
    found = list(ask(_numbers, _ASKED_OF_THESE, about, known_at)) if about is not None else None
    for some in _pages(ask, _ASKED, found, known_at):
        yield from _counted(counts, "observation", iter(ask(_observations, beginning, keys, some)))
    yield end_line(counts)


def _numbers(connection: Connection, query: str, about: Collection[int], known_at: datetime) -> list[int]:
    found: list[int] = []
    for part in chunks(sorted(about)):
        values = {"numbers": part, "known": to_micros(known_at), "known_at": known_at}
        found += connection.scalars(statement(query), values)
    return sorted(found)


def _pages(ask: Ask, query: str, numbers: Sequence[int] | None, known_at: datetime) -> Iterator[Sequence[int]]:
    """Numbers, so many at a time: those given, or (None) all that were known."""
    if numbers is not None:
        yield from (numbers[begin : begin + _PAGE] for begin in range(0, len(numbers), _PAGE))
        return
    after = 0
    while some := ask(_next, query, after, known_at):
        yield some
        after = some[-1]


def _next(connection: Connection, query: str, after: int, known_at: datetime) -> Sequence[int]:
    values = {"after": after, "size": _PAGE, "known": to_micros(known_at), "known_at": known_at}
    return connection.scalars(statement(query), values)


def _sessions(connection: Connection, known_at: datetime) -> list[str]:
    rows = connection.execute(statement(_SESSIONS), {"known_at": known_at})
    return [exporter.session_of(row, known_at) for row in rows]


def _events(
    connection: Connection, platforms: exporter.Platforms, keys: exporter.Keys, numbers: Sequence[int]
) -> list[str]:
    told = connection.execute(statement(f"{EVENT_ROWS} WHERE e.id IN :numbers"), {"numbers": numbers})
    rows = {row.id: row for row in told}
    parents = parents_of(connection, {row.parent_list_id for row in rows.values()})
    return [
        event_line(
            row.id,
            keys[row.session_id],
            row.received_at,
            exporter.texts_of(row),
            original(row, parents[row.parent_list_id]),
            platforms.stated(row.platform_id, row.session_id),
        )
        for row in map(rows.__getitem__, numbers)
    ]


def _tellings(connection: Connection, keys: exporter.Keys, numbers: Sequence[int], known: Micros) -> list[str]:
    rows = connection.execute(statement(_TOLD_AS_WELL), {"numbers": numbers, "known": known})
    return [
        telling_line(Telling(micros(row.occurred_at), unpack(row.uuid), keys[row.session_id] or "", row.received_at))
        for row in rows
    ]


def _observations(
    connection: Connection, beginning: exporter.Beginning, keys: exporter.Keys, numbers: Sequence[int]
) -> list[str]:
    asked = statement(f"{exporter.OBSERVATIONS} WHERE o.id IN :numbers ORDER BY o.id")
    rows = connection.execute(asked, {"numbers": numbers}).all()
    parents = parents_of(connection, {row.parent_list_id for row in rows})
    return [
        observation_line(
            row.id,
            exporter.observation_of(row, parents[row.parent_list_id], keys, beginning.inferred),
            beginning.platforms.stated(row.platform_id, row.session_id),
        )
        for row in rows
    ]


def _counted(counts: Counter[str], kind: str, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        counts[kind] += 1
        yield line

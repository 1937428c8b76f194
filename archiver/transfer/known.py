"""Writes what had been received by an instant, of some resources or of all, as an export has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from archiver.model import Micros, Number, Telling, numbers_of, to_micros
from archiver.storage.event_rows import original, parents_of
from archiver.storage.pages import Ask
from archiver.storage.reading import Connection, micros
from archiver.storage.revision import HEAD
from archiver.storage.statements import by_platform, statement
from archiver.storage.uuids import unpack
from archiver.transfer import exporter
from archiver.transfer.format import end_line, event_line, head_line, observation_line, platform_line, telling_line

_PAGE = 500
_ALL = (
    "SELECT e.platform_id, e.id FROM events e WHERE e.received_at <= :known AND e.id > :after ORDER BY e.id LIMIT :size"
)
_OF_THESE = (
    "SELECT e.platform_id, e.id FROM events e"
    " WHERE e.platform_id = :platform AND e.resource_id IN :numbers AND e.received_at <= :known"
)
_ASKED = (
    "SELECT o.platform_id, o.id FROM observations o"
    " WHERE o.observed_at <= :known_at AND o.id > :after ORDER BY o.id LIMIT :size"
)
_ASKED_OF_THESE = (
    "SELECT o.platform_id, o.id FROM observations o"
    " WHERE o.platform_id = :platform AND o.resource_id IN :numbers AND o.observed_at <= :known_at"
)
_TOLD_AS_WELL = (
    "SELECT l.session_id, l.received_at, e.occurred_at, e.uuid FROM tellings l"
    " JOIN events e ON e.platform_id = l.platform_id AND e.id = l.event_id"
    " WHERE l.platform_id = :platform AND l.event_id IN :numbers AND l.received_at <= :known"
    " ORDER BY l.event_id, l.session_id"
)
_SESSIONS = f"{exporter.SESSIONS} WHERE s.opened_at <= :known_at ORDER BY s.id"


def export_known(ask: Ask, known_at: datetime, about: Collection[Number] | None) -> Iterator[str]:
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


def _numbers(connection: Connection, query: str, about: Collection[Number], known_at: datetime) -> list[Number]:
    found: list[Number] = []
    for among in by_platform(sorted(about)):
        values = among.values(known=to_micros(known_at), known_at=known_at)
        found += [among.of(number) for _, number in connection.execute(statement(query), values)]
    return sorted(found)


def _pages(ask: Ask, query: str, numbers: Sequence[Number] | None, known_at: datetime) -> Iterator[Sequence[Number]]:
    """Numbers, so many at a time: those given, or (None) all that were known."""
    if numbers is not None:
        yield from (numbers[begin : begin + _PAGE] for begin in range(0, len(numbers), _PAGE))
        return
    after = 0
    while some := ask(_next, query, after, known_at):
        yield some
        after = some[-1]


def _next(connection: Connection, query: str, after: int, known_at: datetime) -> Sequence[Number]:
    values = {"after": after, "size": _PAGE, "known": to_micros(known_at), "known_at": known_at}
    return [numbers_of(platform)(number) for platform, number in connection.execute(statement(query), values)]


def _sessions(connection: Connection, known_at: datetime) -> list[str]:
    rows = connection.execute(statement(_SESSIONS), {"known_at": known_at})
    return [exporter.session_of(row, known_at) for row in rows]


def _events(
    connection: Connection, platforms: exporter.Platforms, keys: exporter.Keys, numbers: Sequence[Number]
) -> list[str]:
    rows = exporter.events_of(connection, numbers)
    parents = parents_of(connection, rows.values())
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


def _tellings(connection: Connection, keys: exporter.Keys, numbers: Sequence[Number], known: Micros) -> list[str]:
    return [
        telling_line(Telling(micros(row.occurred_at), unpack(row.uuid), keys[row.session_id] or "", row.received_at))
        for among in by_platform(numbers)
        for row in connection.execute(statement(_TOLD_AS_WELL), among.values(known=known))
    ]


def _observations(
    connection: Connection, beginning: exporter.Beginning, keys: exporter.Keys, numbers: Sequence[Number]
) -> list[str]:
    asked = statement(f"{exporter.OBSERVATIONS} WHERE o.platform_id = :platform AND o.id IN :numbers")
    found = (row for among in by_platform(numbers) for row in connection.execute(asked, among.values()))
    rows = sorted(found, key=lambda row: row.id)
    parents = parents_of(connection, rows)
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

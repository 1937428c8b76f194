"""Writes the whole archive as JSON Lines, from which `archiver import` makes one that answers the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from archiver.model import Condition, Number, Observation, Platform, Telling, TimeRange, iso, to_micros
from archiver.platforms.facts import dialect_of
from archiver.storage.database.reading import Connection, Row, instant_or_none, micros
from archiver.storage.database.revision import HEAD
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.event_rows import EVENT_ROWS, original, parents_of
from archiver.storage.pages import Ask
from archiver.storage.reached import inferred
from archiver.storage.uuids import unpack
from archiver.storage.whole import whole_extra
from archiver.storage.words import GENERATION, IDENTITY, IMPORTED, UPGRADE
from archiver.transfer.format import (
    INSTANTS,
    condition_line,
    end_line,
    event_line,
    head_line,
    observation_line,
    part_head_line,
    platform_line,
    reject_line,
    session_line,
    telling_line,
)

_PAGE = 500
_PAGE_OF_REJECTS = 20
_Page = list[tuple[Any, str]]
"""Numbers, or what else tells where the next page begins, and lines."""
Keys = dict[int | None, str | None]
"""The sessions' keys by their numbers."""

SESSIONS = (
    f"SELECT s.id, s.key AS session, t.url AS stream, t.dialect, {', '.join(f's.{name}' for name in INSTANTS)},"
    " s.kind, s.reason FROM sessions s JOIN streams t ON t.id = s.stream_id"
)
_CONDITIONS = (
    "SELECT t.url, t.dialect, c.found_at, c.about, c.value FROM stream_conditions c"
    " JOIN streams t ON t.id = c.stream_id ORDER BY c.stream_id, c.about"
)
OBSERVATIONS = (
    "SELECT o.id, o.session_id, o.observed_at, o.parent_list_id, r.uri, s.text AS state, n.text AS name,"
    " i.text AS image, p.text AS slot, r.platform_id,"
    f" {whole_extra('o')} AS extra"
    " FROM observations o JOIN resources r ON r.platform_id = o.platform_id AND r.id = o.resource_id"
    " LEFT JOIN event_states s ON s.id = o.state_id"
    " LEFT JOIN texts n ON n.id = o.name_id LEFT JOIN texts i ON i.id = o.image_id"
    " LEFT JOIN texts p ON p.id = o.slot_id"
)
_OF_SESSIONS = "SELECT s.id, t.platform_id FROM sessions s JOIN streams t ON t.id = s.stream_id"
_REJECTS = "SELECT j.id, j.platform_id, j.session_id, j.received_at, j.reason, j.payload FROM rejects j"
_TELLINGS = (
    "SELECT l.platform_id, l.event_id, l.session_id, l.received_at, e.occurred_at, e.uuid FROM tellings l"
    " JOIN events e ON e.platform_id = l.platform_id AND e.id = l.event_id"
    " WHERE (l.event_id, l.session_id) > (:event, :session)"
    " AND l.event_id <= :last_event AND l.session_id <= :last_session"
    f" ORDER BY l.event_id, l.session_id LIMIT {_PAGE}"
)


class Platforms(NamedTuple):
    """What the export says of platforms."""

    lines: list[Platform]
    """None of what nobody knows, where that is all."""
    of_sessions: dict[int, int | None]
    """Which one each session's stream tells of."""
    spoken: dict[int, tuple[str, str | None]]
    """The key of each, and what is spoken there."""

    def stated(self, platform: int, session: int | None) -> str | None:
        """What a word says of its platform: nothing where that follows from its session, or there is one only."""
        return None if self._is_told(platform, session) or len(self.spoken) == 1 else self._key(platform)

    def stated_of_answer(self, platform: int, session: int | None, uri: str) -> str | None:
        """The same of an observation, of which is not kept how it spelled its object, and so of what API it is.

        Where nobody knows any platform, that of its object's `uri` is enough.
        """
        key, spoken = self.spoken[platform]
        follows = spoken is None or (not self.lines and spoken == dialect_of(uri))
        return self.stated(platform, session) or (None if session is not None or follows else key)

    def stated_of_reject(self, platform: int, session: int | None) -> str | None:
        """The same of a reject: one that says nothing is of a platform that nobody knows."""
        return None if self._is_told(platform, session) or not self.lines else self._key(platform)

    def _is_told(self, platform: int, session: int | None) -> bool:
        return self.of_sessions.get(session or 0) == platform

    def _key(self, platform: int) -> str | None:
        return self.spoken[platform][0] if platform in self.spoken else None


def export(ask: Ask) -> Iterator[str]:
    """The lines of `transfer.format`, without newline; events in the order of archiving.

    All of it is the archive as it was at the beginning, though each page is read for itself.
    """
    beginning = ask(beginning_of)
    yield head_line(beginning.identity, beginning.generation, HEAD)
    counts: Counter[str] = Counter()
    yield from _counted(counts, "platform", map(platform_line, beginning.platforms.lines))
    yield from _counted(counts, "session", _paged(ask, partial(_session_page, beginning)))
    yield from _counted(counts, "condition", map(condition_line, beginning.conditions))
    keys = ask(keys_of_sessions)
    yield from _counted(counts, "event", _paged(ask, partial(_event_page, beginning, keys)))
    yield from _counted(counts, "telling", _paged(ask, partial(_telling_page, beginning, keys), (0, 0)))
    yield from _counted(counts, "observation", _paged(ask, partial(_observation_page, beginning, keys)))
    yield from _counted(counts, "reject", _paged(ask, partial(_reject_page, beginning, keys)))
    yield end_line(counts)


def export_part(ask: Ask, numbers: Iterator[Number], of: TimeRange, under: Sequence[str]) -> Iterator[str]:
    """The lines of some events, which are `of` a range and what was under some URIs; in the order of their numbers.

    Neither sessions nor what was asked are in it: where it is imported, nobody watched.
    """
    platforms = ask(_platforms)
    since, until = (None if end is None else iso(to_micros(end)) for end in of)
    yield part_head_line(HEAD, since, until, under)
    counts: Counter[str] = Counter()
    alone = (platform._replace(streams=()) for platform in platforms.lines)
    yield from _counted(counts, "platform", map(platform_line, alone))
    while some := list(islice(numbers, _PAGE)):
        yield from _counted(counts, "event", iter(ask(_events_of, platforms, some)))
    yield end_line(counts)


def _events_of(connection: Connection, platforms: Platforms, numbers: Sequence[Number]) -> list[str]:
    rows = events_of(connection, numbers)
    parents = parents_of(connection, rows.values())
    return [
        event_line(
            row.id, None, row.received_at, texts_of(row), original(row, above), platforms.stated(row.platform_id, None)
        )
        for row in map(rows.__getitem__, numbers)
        for above in (parents[row.parent_list_id],)
    ]


def events_of(connection: Connection, numbers: Sequence[Number]) -> dict[int, Row]:
    """Rows of `EVENT_ROWS` by their numbers."""
    rows: dict[int, Row] = {}
    for among in by_platform(numbers):
        asked = statement(f"{EVENT_ROWS} WHERE e.platform_id = :platform AND e.id IN :numbers")
        rows.update((row.id, row) for row in connection.execute(asked, among.values()))
    return rows


def _counted(counts: Counter[str], kind: str, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        counts[kind] += 1
        yield line


class Beginning(NamedTuple):
    """What was there when the export began."""

    identity: str | None
    generation: str
    ends: dict[str, int]
    """The last number of each table."""
    open: dict[int, Row]
    """The sessions that went on: they say until when somebody watched, and the events end here."""
    conditions: list[Condition]
    inferred: int
    """Up to which number name and parents of observations are inferred."""
    platforms: Platforms


def beginning_of(connection: Connection) -> Beginning:
    known: dict[str, str] = dict(connection.execute("SELECT p.key, p.value FROM archive_properties p"))
    tables = ("sessions", "events", "observations", "rejects")
    ends = {table: connection.scalar(f"SELECT max(x.id) FROM {table} x") or 0 for table in tables}
    still = connection.execute(f"{SESSIONS} WHERE s.closed_at IS NULL")
    return Beginning(
        known.get(IDENTITY),
        known.get(GENERATION, ""),
        ends,
        {row.id: row for row in still},
        [Condition(*row) for row in connection.execute(_CONDITIONS)],
        inferred(known.get(UPGRADE)),
        _platforms(connection),
    )


def _platforms(connection: Connection) -> Platforms:
    identities: dict[int, list[str]] = {}
    for key, number in connection.execute("SELECT i.key, i.platform_id FROM platform_identities i ORDER BY i.key"):
        identities.setdefault(number, []).append(key)
    told: dict[int | None, list[tuple[Any, Any]]] = {}
    for number, url, dialect in connection.execute(
        "SELECT t.platform_id, t.url, t.dialect FROM streams t ORDER BY t.id"
    ):
        told.setdefault(number, []).append((url, dialect))
    rows = list(connection.execute("SELECT p.id, p.key, p.name, p.dialect FROM platforms p ORDER BY p.id"))
    lines = [
        Platform(key, name, dialect, tuple(identities.get(number, ())), tuple(told.get(number, ())))
        for number, key, name, dialect in rows
    ]
    if len(lines) == 1 and lines[0].key.startswith(f"{IMPORTED}:"):  # what nobody knows of needs no line
        lines = []
    spoken = {row.id: (row.key, row.dialect) for row in rows}
    return Platforms(lines, dict(connection.execute(_OF_SESSIONS)), spoken)


def keys_of_sessions(connection: Connection) -> Keys:
    return {None: None, **dict(connection.execute("SELECT s.id, s.key FROM sessions s"))}


def _paged(ask: Ask, read: Callable[[Connection, Any], _Page], after: Any = 0) -> Iterator[str]:
    """The lines of a table in the order of its numbers; each page starts after the last one's end."""
    while page := ask(read, after):
        for _, line in page:
            yield line
        after = page[-1][0]


def _rows(connection: Connection, query: str, of: str, end: int, after: int, size: int = _PAGE) -> list[Row]:
    """The rows of a query behind a number, up to the `end`; `of` is what has it."""
    asked = statement(f"{query} WHERE {of}.id > :after AND {of}.id <= :end ORDER BY {of}.id LIMIT {size}")
    return connection.execute(asked, {"after": after, "end": end}).all()


def _session_page(beginning: Beginning, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, SESSIONS, "s", beginning.ends["sessions"], after)
    return [(row.id, session_of(beginning.open.get(row.id, row))) for row in rows]


def _event_page(beginning: Beginning, keys: Keys, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, EVENT_ROWS, "e", beginning.ends["events"], after)
    parents = parents_of(connection, rows)
    return [
        (row.id, event_line(row.id, keys[row.session_id], row.received_at, texts_of(row), original(row, above), whose))
        for row in rows
        for above in (parents[row.parent_list_id],)
        for whose in (beginning.platforms.stated(row.platform_id, row.session_id),)
    ]


def texts_of(row: Row) -> dict[str, str | None]:
    return {"name": row.name, "image": row.image, "slot": row.slot}


def _telling_page(beginning: Beginning, keys: Keys, connection: Connection, after: tuple[int, int]) -> _Page:
    ends = {"last_event": beginning.ends["events"], "last_session": beginning.ends["sessions"]}
    rows = connection.execute(statement(_TELLINGS), {"event": after[0], "session": after[1], **ends})
    return [
        (
            (row.event_id, row.session_id),
            telling_line(Telling(micros(row.occurred_at), unpack(row.uuid), key, row.received_at, whose)),
        )
        for row in rows
        for key in (keys[row.session_id] or "",)
        for whose in (beginning.platforms.stated(row.platform_id, row.session_id),)
    ]


def _observation_page(beginning: Beginning, keys: Keys, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, OBSERVATIONS, "o", beginning.ends["observations"], after)
    parents = parents_of(connection, rows)
    return [
        (row.id, observation_line(row.id, observation_of(row, above, keys, beginning.inferred), whose))
        for row in rows
        for above in (parents[row.parent_list_id],)
        for whose in (beginning.platforms.stated_of_answer(row.platform_id, row.session_id, row.uri),)
    ]


def _reject_page(beginning: Beginning, keys: Keys, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, _REJECTS, "j", beginning.ends["rejects"], after, _PAGE_OF_REJECTS)
    return [
        (row.id, reject_line(row.id, keys[row.session_id], row.received_at, row.reason, row.payload, whose))
        for row in rows
        for whose in (beginning.platforms.stated_of_reject(row.platform_id, row.session_id),)
    ]


def session_of(row: Row, known_at: datetime | None = None) -> str:
    """A session in a row of `SESSIONS`; as it was known at an instant at which it had begun."""
    told = {key: value for key, value in zip(row._fields, row, strict=True) if key != "id"}
    told |= {key: instant_or_none(told[key]) for key in INSTANTS}
    if known_at is not None:
        if told["closed_at"] is not None and told["closed_at"] > known_at:
            told |= {"closed_at": None, "kind": None, "reason": None}
        told["last_seen_at"] = min(told["last_seen_at"], known_at)
    return session_line(told)


def observation_of(row: Row, parents: tuple[str, ...], keys: Keys, inferred: int) -> Observation:
    at, key = micros(row.observed_at), keys[row.session_id]
    return Observation(
        row.uri, row.state, row.name, parents, at, row.extra, key, row.id <= inferred, row.image, row.slot
    )

"""Reads rows of an archive as the lines of an export have them, of whichever kind that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from archiver.model import Condition, Number, Observation, Platform
from archiver.platforms.facts import dialect_of
from archiver.storage.database.reading import Connection, Row, instant_or_none, micros
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.event_rows import EVENT_ROWS
from archiver.storage.reached import inferred
from archiver.storage.whole import whole_extra
from archiver.storage.words import GENERATION, IDENTITY, IMPORTED, UPGRADE
from archiver.transfer.format import (
    INSTANTS,
    session_line,
)

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
    """What is there now."""
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
        platforms_of(connection),
    )


def platforms_of(connection: Connection) -> Platforms:
    """What there is of platforms."""
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
    """The keys of all sessions."""
    return {None: None, **dict(connection.execute("SELECT s.id, s.key FROM sessions s"))}


def events_of(connection: Connection, numbers: Sequence[Number]) -> dict[int, Row]:
    """Rows of `EVENT_ROWS` by their numbers."""
    rows: dict[int, Row] = {}
    for among in by_platform(numbers):
        asked = statement(f"{EVENT_ROWS} WHERE e.platform_id = :platform AND e.id IN :numbers")
        rows.update((row.id, row) for row in connection.execute(asked, among.values()))
    return rows


def texts_of(row: Row) -> dict[str, str | None]:
    """The `TEXTS` that an event gives its resource."""
    return {"name": row.name, "image": row.image, "slot": row.slot}


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
    """An observation in a row of `OBSERVATIONS`."""
    at, key = micros(row.observed_at), keys[row.session_id]
    return Observation(
        row.uri, row.state, row.name, parents, at, row.extra, key, row.id <= inferred, row.image, row.slot
    )


def counted(counts: Counter[str], kind: str, lines: Iterator[str]) -> Iterator[str]:
    """The lines, of which is counted how many of a kind there are."""
    for line in lines:
        counts[kind] += 1
        yield line

"""Reads an archive as version 0.1.0 kept it: its tables as they were on the day of that release, row by row as records.

Of a name and of what an answer named as parents that version kept one each, whoever told. So an event of a Docker
Engine gives the name that its own message has; of any other resource the first event gives the one known, and where no
event does, its observations. An observation names the parents that were told and that no event names. Images and slots
are those that stand in an engine's own messages, and in what was found by asking it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from archiver.model import Batch, Condition, Event, Micros, Observation, Record, Reject, kind_of_end, to_micros
from archiver.platforms.docker.facts import received_message
from archiver.platforms.docker.facts import text as word
from archiver.platforms.docker.images import made_of, with_texts
from archiver.platforms.docker.messages import kept_source
from archiver.storage.reached import Reached

REVISION = "0001"
"""The revision of these tables."""
TABLES: Mapping[str, tuple[str, ...]] = {
    "alembic_version": ("version_num",),
    "archive_properties": ("key", "value"),
    "streams": ("id", "url", "dialect"),
    "receivers": ("id", "key", "position", "duplicates", "updated_at"),
    "event_types": ("id", "text"),
    "event_actions": ("id", "text"),
    "event_states": ("id", "text"),
    "sessions": (
        *("id", "stream_id", "receiver_id", "key", "opened_at", "covered_from"),
        *("authenticated_at", "last_seen_at", "closed_at", "reason"),
    ),
    "resources": ("id", "type_id", "key", "uri", "name", "target_id"),
    "events": (
        *("id", "session_id", "resource_id", "type_id", "action_id", "state_id"),
        *("occurred_at", "time_source", "received_at", "uuid", "extra"),
    ),
    "event_parents": ("event_id", "position", "resource_id"),
    "resource_parents": ("child_id", "parent_id", "first_event_id", "derived"),
    "observations": ("id", "session_id", "resource_id", "state_id", "observed_at", "extra"),
    "rejects": ("id", "session_id", "received_at", "reason", "payload"),
}
"""The tables and their columns, in an order in which each stands after those that it points at."""
VIEWS = ("event_log", "state_spans", "current_states", "action_log", "subtree", "gap_log")
INDEXES = (
    "ix_events_occurred_at",
    "ix_events_resource_id_occurred_at",
    "ix_events_uuid",
    "ix_observations_resource_id_observed_at",
    "ix_resource_parents_parent_id_child_id",
    "ix_resources_name",
    "ix_resources_target_id",
    "ix_resources_type_id",
    "ix_resources_uri",
    "ix_sessions_stream_id_covered_from",
)
KEYS = (
    *(f"pk_{table}" for table in TABLES if table != "alembic_version"),
    *(f"uq_{vocabulary}_text" for vocabulary in ("event_types", "event_actions", "event_states")),
    *("uq_streams_url", "uq_receivers_key", "uq_sessions_key", "uq_resources_key_type_id"),
)
"""The indexes behind primary and unique keys, on PostgreSQL."""
KINDS = ("events", "observations", "rejects")
"""The tables whose rows are rebuilt, each with its number."""
_RECEIVED = {"events": "received_at", "observations": "observed_at", "rejects": "received_at"}
_SIZE = {"events": "extra", "observations": "extra", "rejects": "payload"}
_MOST_BYTES = 16 << 20
_MOST_REMEMBERED = 10_000
_CONDITION = re.compile(r"(trouble|clock|identity) (.+)", re.DOTALL)
_MARK = re.compile(r"export:([^:]*):(event|observation|reject)")


class Step(NamedTuple):
    """Some records, those of each kind numbered without holes from `first` on."""

    records: Batch
    first: Mapping[str, int]
    reached: Reached


class FirstEdition:
    """The tables of version 0.1.0 as one connection sees them; `prefix` stands before the name of each."""

    def __init__(self, connection: Connection, prefix: str = "") -> None:
        self._connection = connection
        self._prefix = prefix
        self._asked_parents = _Remembered(self._find_asked_parents)
        self._first_event = _Remembered(self._find_first_event)
        self._is_named_by_events = _Remembered(self._find_whether_events_name)

    def _rows(self, query: str, **values: Any) -> Sequence[Any]:
        return self._connection.execute(text(query.replace("@", self._prefix)), values).all()

    # --- what is copied as it is --------------------------------------------------------------------------------------

    def mark(self) -> str:
        """What tells this state of the archive from every other: whatever is written moves one of these rows."""
        ends = [self._rows(f"SELECT max(id) FROM @{table}")[0][0] for table in (*KINDS, "sessions", "resources")]
        told = [self._rows(f"SELECT * FROM @{table} ORDER BY 1") for table in ("archive_properties", "receivers")]
        seen = self._rows("SELECT count(*), max(last_seen_at), count(closed_at), max(closed_at) FROM @sessions")
        return hashlib.sha256(repr((ends, told, seen)).encode()).hexdigest()

    def properties(self) -> list[tuple[str, str]]:
        """What identifies the archive, by name."""
        rows = self._rows("SELECT key, value FROM @archive_properties ORDER BY key")
        return [(key, value) for key, value in rows if not _CONDITION.fullmatch(key) and key != "last writer"]

    def conditions(self) -> list[Condition]:
        """How things stand with the streams."""
        dialects = dict(tuple(row) for row in self._rows("SELECT url, dialect FROM @streams"))
        found = []
        for key, value in self._rows("SELECT key, value FROM @archive_properties ORDER BY key"):
            if (named := _CONDITION.fullmatch(key)) is not None:
                told = json.loads(value)
                at = to_micros(datetime.fromisoformat(told["at"]))
                found.append(Condition(named[2], dialects.get(named[2], "tutum"), at, named[1], told["value"]))  # type: ignore[arg-type]
        return found

    def streams(self) -> list[dict[str, Any]]:
        """The rows of the streams."""
        return self._dicts("SELECT id, url, dialect FROM @streams ORDER BY id")

    def receivers(self) -> list[dict[str, Any]]:
        """The rows of the receivers; what an export has reached stands under its name as it is now."""
        rows = self._dicts("SELECT id, key, position, duplicates, updated_at FROM @receivers ORDER BY id")
        taken = {row["key"] for row in rows}
        for row in rows:
            mark = _MARK.fullmatch(row["key"])
            if mark is not None and (key := f"export:{mark[1]}::{mark[2]}") not in taken:
                row["key"] = key
            row["updated_at"] = _moment(row["updated_at"])
        return rows

    def sessions(self, after: int, most: int) -> list[dict[str, Any]]:
        """Some rows of the sessions, in the order of their numbers."""
        columns = ", ".join(TABLES["sessions"])
        query = f"SELECT {columns} FROM @sessions WHERE id > :after ORDER BY id LIMIT :most"
        rows = self._dicts(query, after=after, most=most)
        for row in rows:
            for key, value in row.items():
                if key.endswith(("_at", "_from")):
                    row[key] = _moment(value)
            row["kind"] = None if row["closed_at"] is None else kind_of_end(row["reason"] or "")
        return rows

    def _dicts(self, query: str, **values: Any) -> list[dict[str, Any]]:
        return [dict(row._mapping) for row in self._rows(query, **values)]

    # --- what is rebuilt ----------------------------------------------------------------------------------------------

    def count(self) -> int:
        """How many rows there are to rebuild."""
        return sum(int(self._rows(f"SELECT count(*) FROM @{table}")[0][0]) for table in KINDS)

    def step(self, reached: Reached, most: int) -> Step | None:
        """What follows: some events in their order, and the rest that was received meanwhile; None at the end."""
        last = self._last_of_page("events", reached.events, most)
        rows = self._event_rows(reached.events, last) if last else []
        until = max((row.received_at for row in rows), default=None)
        records: list[Record] = self._events(rows)
        first: dict[str, int] = {"events": rows[0].id} if rows else {}
        ends = {"events": last or reached.events}
        for table, read in (("observations", self._observations), ("rejects", self._rejects)):
            after: int = getattr(reached, table)
            end = self._last_of_page(table, after, most, until)
            ends[table] = end or after
            if end:
                found = read(after, end)
                first[table] = end - len(found) + 1
                records += found
        if not records:
            return None
        return Step(Batch(records), first, Reached(**ends))

    def _last_of_page(self, table: str, after: int, most: int, until: Any = None) -> int | None:
        """Where a page ends: before a number that is missing, before too many bytes, and before what came later."""
        said, received = _SIZE[table], _RECEIVED[table]
        query = f"SELECT id, length({said}), {received} FROM @{table} WHERE id > :after ORDER BY id LIMIT :most"
        last, size = None, 0
        for number, length, at in self._rows(query, after=after, most=most):
            size += length or 0
            if last is not None and (number != last + 1 or size > _MOST_BYTES):
                break
            if until is not None and at > until:
                break
            last = int(number)
        return last

    def _event_rows(self, after: int, last: int) -> Sequence[Any]:
        return self._rows(
            """SELECT e.id, t.text AS type, a.text AS action, s.text AS state, r.uri, e.occurred_at, e.time_source,
                      e.received_at, e.uuid, e.extra, se.key, r.name, r.id AS resource_id
            FROM @events e JOIN @event_types t ON t.id = e.type_id LEFT JOIN @event_actions a ON a.id = e.action_id
            LEFT JOIN @event_states s ON s.id = e.state_id LEFT JOIN @resources r ON r.id = e.resource_id
            LEFT JOIN @sessions se ON se.id = e.session_id
            WHERE e.id > :after AND e.id <= :last ORDER BY e.id""",
            after=after,
            last=last,
        )

    def _events(self, rows: Sequence[Any]) -> list[Record]:
        if not rows:
            return []
        above = self._parents(rows[0].id, rows[-1].id)
        return [
            Event(
                row.type,
                row.action,
                row.state,
                row.uri,
                above.get(row.id, ()),
                _micros(row.occurred_at),
                kept_source(row.time_source, row.uri, row.extra),
                _micros(row.received_at),
                row.uuid,
                row.extra,
                row.key,
                None if row.name is None else self._name(row),
                *made_of(row.uri, row.extra),
            )
            for row in rows
        ]

    def _parents(self, first: int, last: int) -> dict[int, tuple[str, ...]]:
        """The parents of events, by number."""
        rows = self._rows(
            """SELECT p.event_id, r.uri FROM @event_parents p JOIN @resources r ON r.id = p.resource_id
            WHERE p.event_id >= :first AND p.event_id <= :last ORDER BY p.event_id, p.position""",
            first=first,
            last=last,
        )
        return {number: tuple([uri for _, uri in found]) for number, found in groupby(rows, itemgetter(0))}

    def _name(self, row: Any) -> str | None:
        """The name that an event of a resource with a name gave it."""
        if _is_dockers(row.uri):
            return _told_name(row)
        return str(row.name) if self._first_event(row.resource_id) == row.id else None

    def _find_first_event(self, resource_id: int) -> int | None:
        query = "SELECT id FROM @events WHERE resource_id = :number ORDER BY occurred_at, id LIMIT 1"
        return next((int(row.id) for row in self._rows(query, number=resource_id)), None)

    def _find_whether_events_name(self, resource_id: int) -> bool:
        query = """SELECT t.text AS type, a.text AS action, r.uri, e.extra FROM @events e
                   JOIN @resources r ON r.id = e.resource_id JOIN @event_types t ON t.id = e.type_id
                   LEFT JOIN @event_actions a ON a.id = e.action_id
                   WHERE e.resource_id = :number ORDER BY e.occurred_at, e.id LIMIT 5"""
        return any(not _is_dockers(row.uri) or _told_name(row) for row in self._rows(query, number=resource_id))

    def _observations(self, after: int, last: int) -> list[Record]:
        rows = self._rows(
            """SELECT o.id, r.uri, s.text AS state, r.name, o.observed_at, o.extra, se.key, r.id AS resource_id
            FROM @observations o JOIN @resources r ON r.id = o.resource_id
            LEFT JOIN @event_states s ON s.id = o.state_id LEFT JOIN @sessions se ON se.id = o.session_id
            WHERE o.id > :after AND o.id <= :last ORDER BY o.id""",
            after=after,
            last=last,
        )
        found = [
            Observation(
                row.uri,
                row.state,
                None if row.name is None or self._is_named_by_events(row.resource_id) else row.name,
                self._asked_parents(row.resource_id),
                _micros(row.observed_at),
                row.extra,
                row.key,
            )
            for row in rows
        ]
        return list(map(with_texts, found))

    def _find_asked_parents(self, resource_id: int) -> tuple[str, ...]:
        rows = self._rows(
            """SELECT r.uri FROM @resource_parents p JOIN @resources r ON r.id = p.parent_id
            WHERE p.child_id = :number AND p.derived = 0 AND NOT EXISTS (
              SELECT 1 FROM @events e JOIN @event_parents ep ON ep.event_id = e.id
              WHERE e.resource_id = p.child_id AND ep.resource_id = p.parent_id)
            ORDER BY r.uri""",
            number=resource_id,
        )
        return tuple([row.uri for row in rows])

    def _rejects(self, after: int, last: int) -> list[Record]:
        rows = self._rows(
            """SELECT j.payload, j.reason, j.received_at, se.key FROM @rejects j
            LEFT JOIN @sessions se ON se.id = j.session_id WHERE j.id > :after AND j.id <= :last ORDER BY j.id""",
            after=after,
            last=last,
        )
        return [Reject(bytes(row.payload), row.reason, _micros(row.received_at), row.key) for row in rows]

    # --- what is compared ---------------------------------------------------------------------------------------------

    def totals(self) -> dict[str, tuple[Any, ...]]:
        """Of each table what a copy of its rows must have as well."""
        events = """SELECT count(*), sum(id), count(session_id), count(resource_id), count(action_id), count(state_id),
                    count(uuid), min(occurred_at), max(occurred_at) FROM @events"""
        asked = """SELECT count(*), sum(id), count(session_id), count(state_id), sum(length(extra)),
                   min(observed_at), max(observed_at) FROM @observations"""
        refused = "SELECT count(*), sum(id), count(session_id), sum(length(payload)), sum(length(reason)) FROM @rejects"
        return {
            "events": tuple(map(comparable, self._rows(events)[0])),
            "observations": tuple(map(comparable, self._rows(asked)[0])),
            "rejects": tuple(map(comparable, self._rows(refused)[0])),
            "parents of events": tuple(self._rows("SELECT count(*) FROM @event_parents")[0]),
        }

    def resources(self, after: int, most: int) -> list[tuple[int, str]]:
        """Some resources in the order of their numbers: number and URI."""
        query = "SELECT id, uri FROM @resources WHERE id > :after ORDER BY id LIMIT :most"
        return [(row.id, row.uri) for row in self._rows(query, after=after, most=most)]


def comparable(value: Any) -> Any:
    """A value as both databases have it: instants and sums come in different types."""
    if isinstance(value, (datetime, str)):
        return _micros(value)
    return None if value is None else int(value)


class _Remembered:
    """Answers by number of a resource, kept within a bound."""

    def __init__(self, find: Callable[[int], Any]) -> None:
        self._find = find
        self._found: dict[int, Any] = {}

    def __call__(self, number: int) -> Any:
        if number not in self._found:
            if len(self._found) >= _MOST_REMEMBERED:
                self._found.clear()
            self._found[number] = self._find(number)
        return self._found[number]


def _is_dockers(uri: str) -> bool:
    return uri.startswith("/docker/v1/")


def _told_name(row: Any) -> str | None:
    """The name that a message of a Docker Engine gives its object, as 0.1.0 read it."""
    message = None if row.extra is None else received_message(row.uri, json.loads(row.extra))
    if message is None:
        return None
    if row.type == "action":
        return row.action  # type: ignore[no-any-return]
    name = word(message, "Actor", "ID") if row.type == "volume" else word(message, "Actor", "Attributes", "name")
    return None if not name or name.startswith("sha256:") else name


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _micros(value: Any) -> Micros:
    return _read_instant(value) if isinstance(value, str) else to_micros(value)


@lru_cache(maxsize=4096)
def _read_instant(value: str) -> Micros:
    return to_micros(datetime.fromisoformat(value))

"""The floor: plain rows, one per event and one per parent, as the tables of 0.1.0 were, written by the bare drivers.

The tables stay as they are here, whatever becomes of the archive's own. They have no foreign keys.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg

from archiver.storage.database.address import libpq_url
from bench.costs import Cost, spent_here
from bench.workshop import Lines

Rows = list[tuple[Any, ...]]
Batch = dict[str, Rows]

_TABLES = """
CREATE TABLE event_types (id INTEGER PRIMARY KEY, text {word} NOT NULL UNIQUE);
CREATE TABLE event_actions (id INTEGER PRIMARY KEY, text {word} NOT NULL UNIQUE);
CREATE TABLE event_states (id INTEGER PRIMARY KEY, text {word} NOT NULL UNIQUE);
CREATE TABLE resources (id {id} PRIMARY KEY, type_id {id} NOT NULL, key {word} NOT NULL, uri {word} NOT NULL,
    UNIQUE (key, type_id));
CREATE TABLE events (id {id} PRIMARY KEY, session_id {id}, resource_id {id}, type_id {id} NOT NULL, action_id {id},
    state_id {id}, occurred_at {time} NOT NULL, time_source {word} NOT NULL, received_at {time} NOT NULL, uuid {word},
    extra {word});
CREATE TABLE event_parents (event_id {id} NOT NULL, position SMALLINT NOT NULL, resource_id {id} NOT NULL,
    PRIMARY KEY (event_id, position)){without_rowid};
CREATE INDEX ix_resources_uri ON resources (uri);
CREATE INDEX ix_resources_type_id ON resources (type_id);
CREATE INDEX ix_events_resource_id_occurred_at ON events (resource_id, occurred_at);
CREATE INDEX ix_events_occurred_at ON events (occurred_at);
CREATE UNIQUE INDEX ix_events_uuid ON events (uuid) WHERE uuid IS NOT NULL;
"""
SQLITE = _TABLES.format(id="INTEGER", word="VARCHAR", time="VARCHAR", without_rowid=" WITHOUT ROWID")
POSTGRES = _TABLES.format(id="BIGINT", word='TEXT COLLATE "C"', time="TIMESTAMPTZ", without_rowid="")
_COLUMNS = {
    "event_types": 2, "event_actions": 2, "event_states": 2, "resources": 4, "events": 11, "event_parents": 3
}  # fmt: skip


class Plain:
    """Makes events into plain rows."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[object, int]] = {table: {} for table in _COLUMNS}
        self._batch: Batch = {}
        self._events = 0

    def batches(self, lines: Iterable[str], size: int) -> Iterator[Batch]:
        """The rows of so many events at a time, what a row points at before it."""
        events = map(json.loads, lines)
        while taken := list(islice(events, size)):
            self._batch = {table: [] for table in _COLUMNS}
            for event in taken:
                self._add(event)
            yield {table: rows for table, rows in self._batch.items() if rows}

    def _add(self, event: dict[str, Any]) -> None:
        self._events += 1
        received = datetime.now(UTC)
        told = event.get("datetime") or event.get("date")
        occurred = datetime.fromisoformat(told) if told else received
        self._batch["events"].append(
            (
                self._events,
                None,
                self._resource(event["resource_uri"]),
                self._word("event_types", event["type"]),
                self._word("event_actions", event["action"]),
                self._word("event_states", event["state"]),
                f"{occurred:%Y-%m-%dT%H:%M:%S.%fZ}",
                "date" if told else "received",
                f"{received:%Y-%m-%dT%H:%M:%S.%fZ}",
                event.get("uuid"),
                None,
            )
        )
        self._batch["event_parents"] += [
            (self._events, place, self._resource(uri)) for place, uri in enumerate(event["parents"])
        ]

    def _word(self, table: str, text: str) -> int:
        return self._number(table, text, text)

    def _resource(self, uri: str) -> int:
        type_, key = uri.rstrip("/").rsplit("/", 2)[1:]
        return self._number("resources", uri, self._word("event_types", type_), key, uri)

    def _number(self, table: str, key: object, *columns: object) -> int:
        numbers = self._numbers[table]
        if key not in numbers:
            numbers[key] = len(numbers) + 1
            self._batch[table].append((numbers[key], *columns))
        return numbers[key]


def sqlite_cost(lines: Lines, target: Path, size: int) -> Cost:
    """What raw executemany costs, in a new file; making the rows is not counted."""
    with closing(sqlite3.connect(target, isolation_level=None)) as connection, open(lines.path) as source:
        connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {SQLITE}")
        costs = (_insert(connection, batch) for batch in Plain().batches(source, size))
        return sum(costs, Cost())


def _insert(connection: sqlite3.Connection, batch: Batch) -> Cost:
    with spent_here() as cost:
        connection.execute("BEGIN IMMEDIATE")
        for table, rows in batch.items():
            connection.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * _COLUMNS[table])})", rows)
        connection.execute("COMMIT")
    return cost


def postgres_cost(lines: Lines, database: str, size: int) -> Cost:
    """What raw COPY costs the client, in an empty database; making the rows is not counted."""
    with psycopg.connect(libpq_url(database)) as connection, open(lines.path) as source:
        connection.execute(POSTGRES)
        connection.commit()
        costs = (_copy(connection, batch) for batch in Plain().batches(source, size))
        return sum(costs, Cost())


def _copy(connection: psycopg.Connection, batch: Batch) -> Cost:
    with spent_here() as cost:
        for table, rows in batch.items():
            with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        connection.commit()
    return cost

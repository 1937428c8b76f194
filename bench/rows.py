"""Reads the very rows of a finished archive back, batch by batch, in the order in which they can be inserted again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

Rows = list[tuple[object, ...]]
Batch = dict[str, Rows]

# What is written once, with the first batch; `archive_properties` belongs to the archive that is written to.
SMALL_TABLES = ("streams", "receivers", "sessions", "event_types", "event_actions", "event_states")
EVENT_RESOURCE = 2  # the place of events.resource_id, which the schema puts after id and session_id


def batches(archive: Path, size: int) -> Iterator[Batch]:
    """The rows of an archive, `size` events and what belongs to them at a time."""
    with closing(sqlite3.connect(f"file:{archive}?mode=ro", uri=True)) as connection:
        batch: Batch = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in SMALL_TABLES}
        edges = _edges(connection)
        (last,) = connection.execute("SELECT max(id) FROM events").fetchone()
        resource = 0
        for low in range(0, last, size):
            high = min(low + size, last)
            batch |= _events(connection, low, high)
            newest = _newest_resource(batch, resource) if high < last else _last_resource(connection)
            batch["resources"] = connection.execute(
                "SELECT * FROM resources WHERE id > ? AND id <= ? ORDER BY id", (resource, newest)
            ).fetchall()
            batch["resource_parents"] = [row for number in range(low + 1, high + 1) for row in edges.pop(number, ())]
            yield _in_order(batch)
            batch, resource = {}, newest


def _events(connection: sqlite3.Connection, low: int, high: int) -> Batch:
    limits = (low, high)
    return {
        "events": connection.execute("SELECT * FROM events WHERE id > ? AND id <= ? ORDER BY id", limits).fetchall(),
        "event_parents": connection.execute(
            "SELECT * FROM event_parents WHERE event_id > ? AND event_id <= ? ORDER BY event_id, position", limits
        ).fetchall(),
    }


def _newest_resource(batch: Batch, known: int) -> int:
    named = [row[EVENT_RESOURCE] for row in batch["events"]] + [row[2] for row in batch["event_parents"]]
    return max((number for number in named if isinstance(number, int)), default=known)


def _last_resource(connection: sqlite3.Connection) -> int:
    (last,) = connection.execute("SELECT max(id) FROM resources").fetchone()
    return int(last)


def _edges(connection: sqlite3.Connection) -> dict[int, Rows]:
    """The rows of resource_parents by the event that brought them."""
    edges: dict[int, Rows] = {}
    for row in connection.execute("SELECT * FROM resource_parents"):
        edges.setdefault(row[2], []).append(row)
    return edges


def _in_order(batch: Batch) -> Batch:
    """So that what a row points at is inserted before it."""
    order = (*SMALL_TABLES, "resources", "events", "event_parents", "resource_parents")
    return {table: batch[table] for table in order if batch.get(table)}

"""How things stand with the archive and with the streams that fill it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select, text

from archiver.model import Status, StreamStatus
from archiver.queries.coverage import is_alive, stream_gaps
from archiver.storage.migrate import HEAD
from archiver.storage.schema import archive_properties, events, rejects, resources, sessions, streams
from archiver.storage.streams import condition_key


def status(connection: Connection, database: str, now: datetime) -> Status:
    """Numbers, first and last event, size, and every stream's last session."""
    first, last = (connection.scalar(select(f(events.c.occurred_at))) for f in (func.min, func.max))
    known = connection.execute(select(streams.c.id, streams.c.url).order_by(streams.c.id)).all()
    return Status(
        database,
        HEAD,
        _count(connection, events),
        _count(connection, rejects),
        _count(connection, resources),
        first,
        last,
        _size(connection, database),
        tuple(_stream(connection, number, url, now) for number, url in known),
    )


def _count(connection: Connection, table: Table) -> int:
    # Numbers are given without holes and rows are never deleted, so the last number is the count, at no cost.
    return connection.scalar(select(func.max(table.c.id))) or 0


def _size(connection: Connection, database: str) -> int | None:
    if connection.dialect.name == "postgresql":
        size: int | None = connection.scalar(text("SELECT pg_database_size(current_database())"))
        return size
    files = (Path(database + end) for end in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _stream(connection: Connection, number: int, url: str, now: datetime) -> StreamStatus:
    c = sessions.c
    last: Any = connection.execute(
        select(c.opened_at, c.last_seen_at, c.closed_at, c.reason)
        .where(c.stream_id == number)
        .order_by(c.opened_at.desc(), c.id.desc())
        .limit(1)
    ).one_or_none()
    gaps = stream_gaps(connection, number, now)
    conditions = _conditions(connection, url)
    if last is None:
        return StreamStatus(url, False, None, None, None, None, gaps, *conditions)
    told = (last.opened_at, last.last_seen_at, last.closed_at, last.reason)
    return StreamStatus(url, is_alive(last, now), *told, gaps, *conditions)


def _conditions(connection: Connection, url: str) -> tuple[str | None, datetime | None, float | None]:
    """The trouble a stream is in and since when, and how far its clock is off."""
    c = archive_properties.c
    keys = {of: condition_key(of, url) for of in ("trouble", "clock")}
    rows = connection.execute(select(c.key, c.value).where(c.key.in_(keys.values())))
    found = {row.key: json.loads(row.value) for row in rows}
    trouble, clock = found.get(keys["trouble"]), found.get(keys["clock"])
    return (
        trouble["value"] if trouble else None,
        datetime.fromisoformat(trouble["at"]) if trouble else None,
        int(clock["value"]) / 1_000_000 if clock else None,
    )

"""How things stand with the archive and with the streams that fill it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, text

from archiver.model import Status, StreamStatus, to_datetime
from archiver.queries.coverage import is_alive, stream_gaps
from archiver.queries.numbers import last_number
from archiver.storage.migrate import HEAD
from archiver.storage.schema import events, rejects, resources, sessions, stream_conditions, streams


def status(connection: Connection, database: str, now: datetime) -> Status:
    """Numbers, first and last event, size, and every stream's last session."""
    first, last = (connection.scalar(select(f(events.c.occurred_at))) for f in (func.min, func.max))
    known = connection.execute(select(streams.c.id, streams.c.url).order_by(streams.c.id)).all()
    return Status(
        database,
        HEAD,
        last_number(connection, events),
        last_number(connection, rejects),
        last_number(connection, resources),
        first,
        last,
        _size(connection, database),
        tuple(_stream(connection, number, url, now) for number, url in known),
    )


def _size(connection: Connection, database: str) -> int | None:
    if connection.dialect.name == "postgresql":
        size: int | None = connection.scalar(text("SELECT pg_database_size(current_database())"))
        return size
    files = (Path(database + end) for end in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _stream(connection: Connection, number: int, url: str, now: datetime) -> StreamStatus:
    """How things stand with a stream: by its session that was alive last (an import may add older ones)."""
    c = sessions.c
    reached = func.coalesce(c.closed_at, c.last_seen_at)
    last: Any = connection.execute(
        select(c.opened_at, c.last_seen_at, c.closed_at, c.reason)
        .where(c.stream_id == number)
        .order_by(reached.desc(), c.opened_at.desc(), c.closed_at.is_(None), c.id.desc())
        .limit(1)
    ).one_or_none()
    gaps = stream_gaps(connection, number, now)
    conditions = _conditions(connection, number)
    if last is None:
        return StreamStatus(url, False, None, None, None, None, gaps, *conditions)
    told = (last.opened_at, last.last_seen_at, last.closed_at, last.reason)
    return StreamStatus(url, is_alive(last, now), *told, gaps, *conditions)


def _conditions(connection: Connection, number: int) -> tuple[str | None, datetime | None, float | None]:
    """The trouble a stream is in and since when, and how far its clock is off."""
    c = stream_conditions.c
    rows = connection.execute(select(c.about, c.value, c.found_at).where(c.stream_id == number))
    found = {row.about: row for row in rows}
    trouble, clock = found.get("trouble"), found.get("clock")
    return (
        trouble.value if trouble else None,
        to_datetime(trouble.found_at) if trouble else None,
        int(clock.value) / 1_000_000 if clock else None,
    )

"""How things stand with the archive and with the streams that fill it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from archiver.model import Status, StreamStatus, to_datetime
from archiver.queries.coverage import is_alive, stream_gaps
from archiver.queries.numbers import last_number
from archiver.storage.reading import Connection, instant, instant_or_none
from archiver.storage.revision import HEAD
from archiver.storage.statements import statement

_STREAMS = "SELECT s.id, s.url FROM streams s ORDER BY s.id"
_SIZE = "SELECT pg_database_size(current_database())"
_LAST = (
    "SELECT s.opened_at, s.last_seen_at, s.closed_at, s.reason FROM sessions s WHERE s.stream_id = :stream"
    " ORDER BY coalesce(s.closed_at, s.last_seen_at) DESC, s.opened_at DESC, s.closed_at IS NULL, s.id DESC LIMIT 1"
)
_CONDITIONS = "SELECT c.about, c.value, c.found_at FROM stream_conditions c WHERE c.stream_id = :stream"


def status(connection: Connection, database: str, now: datetime) -> Status:
    """Numbers, first and last event, size, and every stream's last session."""
    first, last = (connection.scalar(f"SELECT {which}(e.occurred_at) FROM events e") for which in ("min", "max"))
    known = connection.execute(_STREAMS).all()
    return Status(
        database,
        HEAD,
        last_number(connection, "events"),
        last_number(connection, "rejects"),
        last_number(connection, "resources"),
        instant_or_none(first),
        instant_or_none(last),
        _size(connection, database),
        tuple(_stream(connection, number, url, now) for number, url in known),
    )


def _size(connection: Connection, database: str) -> int | None:
    if connection.dialect.name == "postgresql":
        size: int | None = connection.scalar(_SIZE)
        return size
    files = (Path(database + end) for end in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _stream(connection: Connection, number: int, url: str, now: datetime) -> StreamStatus:
    """How things stand with a stream: by its session that was alive last (an import may add older ones)."""
    last = connection.execute(statement(_LAST), {"stream": number}).first()
    gaps = stream_gaps(connection, number, now)
    conditions = _conditions(connection, number)
    if last is None:
        return StreamStatus(url, False, None, None, None, None, gaps, *conditions)
    seen_at, closed_at = instant(last.last_seen_at), instant_or_none(last.closed_at)
    told = (instant(last.opened_at), seen_at, closed_at, last.reason)
    return StreamStatus(url, is_alive(seen_at, closed_at, now), *told, gaps, *conditions)


def _conditions(connection: Connection, number: int) -> tuple[str | None, datetime | None, float | None]:
    """The trouble a stream is in and since when, and how far its clock is off."""
    found = {row.about: row for row in connection.execute(statement(_CONDITIONS), {"stream": number})}
    trouble, clock = found.get("trouble"), found.get("clock")
    return (
        trouble.value if trouble else None,
        to_datetime(trouble.found_at) if trouble else None,
        int(clock.value) / 1_000_000 if clock else None,
    )

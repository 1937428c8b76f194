"""How things stand with the archive and with the streams that fill it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from archiver.codec.notes import NOTE
from archiver.lockfile import is_held
from archiver.model import Micros, Status, StreamStatus, to_datetime, to_micros
from archiver.model.health import Limits, Waiting, problems
from archiver.queries.coverage import is_alive, stream_gaps
from archiver.queries.numbers import last_number
from archiver.queries.references import type_number
from archiver.storage.database.judging import is_damage, said
from archiver.storage.database.reading import Connection, instant, instant_or_none
from archiver.storage.database.revision import HEAD
from archiver.storage.database.statements import statement
from archiver.storage.words import DAMAGE, REJECTS_RETRIED

T = TypeVar("T")
_STREAMS = "SELECT s.id, s.url FROM streams s ORDER BY s.id"
# What somebody noted did not come from a platform: it may be of any time, and is no sign that anything happens there.
_END = (
    "SELECT e.occurred_at FROM events e"
    " WHERE NOT (e.type_id = :note AND e.session_id IS NULL AND e.resource_id = 0)"
    " ORDER BY e.occurred_at {} LIMIT 1"
)
_SIZE = "SELECT pg_database_size(current_database())"
_LAST = (
    "SELECT s.opened_at, s.last_seen_at, s.closed_at, s.reason, s.receiver_id FROM sessions s"
    " WHERE s.stream_id = :stream"
    " ORDER BY coalesce(s.closed_at, s.last_seen_at) DESC, s.opened_at DESC, s.closed_at IS NULL, s.id DESC LIMIT 1"
)
_RECEIVED = "SELECT e.received_at FROM events e WHERE e.id >= :number ORDER BY e.id LIMIT 1"
_POSITION = "SELECT r.position FROM receivers r WHERE r.key = :receiver"
_DAY = 86_400_000_000
_LOOKED_BACK = timedelta(days=7)
_LEAST_DAYS = 1 / 24
_PROPERTY = "SELECT p.value FROM archive_properties p WHERE p.key = :key"
_CONDITIONS = "SELECT c.about, c.value, c.found_at, c.receiver_id FROM stream_conditions c WHERE c.stream_id = :stream"


def status(
    connection: Connection,
    database: str,
    now: datetime,
    limits: Limits = Limits(),  # noqa: B008 - immutable
    waiting: Waiting | None = None,
) -> Status:
    """Numbers, first and last event, size and growth, every stream's last session, and what of it is not well."""
    kind = type_number(connection, NOTE)
    damage = [found] if (found := connection.scalar(statement(_PROPERTY), {"key": DAMAGE})) is not None else []

    def end(order: str) -> datetime | None:
        return instant_or_none(connection.scalar(statement(_END.format(order)), {"note": kind or 0}))

    known = connection.execute(_STREAMS).all()
    found = Status(
        database,
        HEAD,
        last_number(connection, "events"),
        _rejects(connection),
        last_number(connection, "resources"),
        _unless_damaged(lambda: end("ASC"), damage),
        _unless_damaged(lambda: end("DESC"), damage),
        size := _size(connection, database),
        tuple(_stream(connection, number, url, now) for number, url in known),
        free := _free(connection, database),
        pace := _unless_damaged(lambda: _growth(connection, size, now), damage),
        _full_at(free, pace, now),
    )
    # Asked after the sessions were read: one that was open then had the lock, if its daemon still runs.
    deserted = _is_deserted(connection, database, waiting)
    if deserted:
        found = found._replace(streams=tuple(stream._replace(connected=False) for stream in found.streams))
    worst = damage[0] if damage else None
    return found._replace(problems=problems(found, now, limits, waiting, deserted=deserted, damage=worst))


def _unless_damaged(read: Callable[[], T | None], damage: list[str]) -> T | None:
    """What is read; where the file is damaged, None and what it says of that: how the rest stands is to be known."""
    try:
        return read()
    except Exception as error:
        if not is_damage(error):
            raise
        damage.append(f"events: {said(error)}")
        return None


def _is_deserted(connection: Connection, database: str, waiting: Waiting | None) -> bool:
    """Whether certainly no daemon fills a SQLite archive: one that cannot get at it has its spool at least."""
    if connection.dialect.name == "postgresql" or (waiting is not None and waiting.held):
        return False
    return is_held(Path(os.path.realpath(database))) is False


def archived_of(connection: Connection, receiver: str) -> int:
    """How far what a spool of this identity received is archived; 0 where nothing of it is."""
    found: int | None = connection.scalar(statement(_POSITION), {"receiver": receiver})
    return found or 0


def _free(connection: Connection, database: str) -> int | None:
    """Bytes that its user may still use on the disk of a SQLite archive."""
    if connection.dialect.name == "postgresql":
        return None
    try:
        found = os.statvfs(Path(database).parent)
    except OSError:
        return None
    return int(found.f_bavail) * int(found.f_frsize)


def _growth(connection: Connection, size: int | None, now: datetime) -> int | None:
    """Bytes a day, by how many of the events were received in the last days; None of what began an hour ago."""
    last = last_number(connection, "events")
    first_at: int | None = connection.scalar(statement(_RECEIVED), {"number": 1}) if last else None
    if size is None or first_at is None:
        return None
    since = max(to_micros(now - _LOOKED_BACK), first_at)
    days: float = (to_micros(now) - since) / _DAY
    if days < _LEAST_DAYS:
        return None
    return round(size * (last + 1 - _first_since(connection, since, last)) / last / days)


def _first_since(connection: Connection, since: Micros, last: int) -> int:
    """The number of the first event that was received since then, which come in their order but for a few."""
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        received_at = connection.scalar(statement(_RECEIVED), {"number": middle})
        if received_at is None or received_at >= since:
            high = middle
        else:
            low = middle + 1
    return low


def _full_at(free: int | None, pace: int | None, now: datetime) -> datetime | None:
    if free is None or not pace or pace <= 0:
        return None
    try:
        return now + timedelta(days=free / pace)
    except OverflowError:
        return None


def _rejects(connection: Connection) -> int:
    """All that there were, but those that have become events."""
    retried = connection.scalar(statement(_PROPERTY), {"key": REJECTS_RETRIED})
    return max(0, last_number(connection, "rejects") - int(retried or 0))


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
    found = connection.execute(statement(_CONDITIONS), {"stream": number}).all()
    conditions = _conditions({row.about: row for row in found})
    if last is None:
        recorded = any(row.receiver_id is not None for row in found)
        return StreamStatus(url, False, None, None, None, None, gaps, *conditions, recorded)
    seen_at, closed_at = instant(last.last_seen_at), instant_or_none(last.closed_at)
    told = (instant(last.opened_at), seen_at, closed_at, last.reason)
    lag = max(0.0, (now - seen_at).total_seconds()) if closed_at is None else None
    recorded = last.receiver_id is not None
    return StreamStatus(url, is_alive(seen_at, closed_at, now), *told, gaps, *conditions, recorded, lag)


def _conditions(found: Mapping[str, Any]) -> tuple[str | None, datetime | None, float | None]:
    """The trouble a stream is in and since when, and how far its clock is off."""
    trouble, clock = found.get("trouble"), found.get("clock")
    return (
        trouble.value if trouble else None,
        to_datetime(trouble.found_at) if trouble else None,
        int(clock.value) / 1_000_000 if clock else None,
    )

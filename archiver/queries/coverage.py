"""Says over which stretches of time somebody was watching, and when and why nobody was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from archiver.model import Coverage, Gap, TimeRange
from archiver.storage.schema import sessions, streams
from archiver.storage.views import INTERRUPTED, SILENT, SILENT_SECONDS

BEFORE = "before the first session"
IMPORTED = "imported: nobody wrote down whether anybody was watching"


def coverage(
    connection: Connection, range: TimeRange, now: datetime, stream_ids: Sequence[int] | None = None
) -> Coverage:
    """The gaps of some streams (None: of all) within a range; an open end means until now."""
    query = select(streams.c.id, streams.c.url).order_by(streams.c.id)
    if stream_ids is not None:
        query = query.where(streams.c.id.in_(stream_ids))
    known = connection.execute(query).all()
    if not known:
        return Coverage((Gap(None, range.since, range.until, IMPORTED),))
    return Coverage(tuple(gap for number, url in known for gap in _gaps(connection, number, url, range, now)))


def stream_gaps(connection: Connection, stream_id: int, now: datetime) -> int:
    """How many gaps a stream has had since its first session."""
    everything = TimeRange()
    return sum(1 for gap in _gaps(connection, stream_id, "", everything, now) if gap.reason != BEFORE)


def is_alive(session: Any, now: datetime) -> bool:
    """Whether a session is open, with a sign of life not long ago."""
    return session.closed_at is None and now - session.last_seen_at < timedelta(seconds=SILENT_SECONDS)


def _gaps(connection: Connection, stream_id: int, url: str, range: TimeRange, now: datetime) -> Iterator[Gap]:
    """What lies between the sessions: a stretch that no session covers, with the reason the last one gave."""
    until = range.until if range.until is not None and range.until < now else now
    watched_to, reason = range.since, BEFORE
    for row in _sessions(connection, stream_id, range, until):
        end = _end(row, now)
        if row.covered_from >= until:
            break
        if watched_to is None or row.covered_from > watched_to:
            if watched_to is not None and not _is_rounding(watched_to, row.covered_from, reason):
                yield Gap(url, watched_to, row.covered_from, reason)
            watched_to = end
            reason = _reason(row)
        elif end > watched_to:
            watched_to, reason = end, _reason(row)
        elif reason is BEFORE:
            reason = _reason(row)
    if watched_to is None or watched_to < until:
        still = range.until is None or range.until > now
        yield Gap(url, watched_to, None if still else range.until, reason)


def _sessions(connection: Connection, stream_id: int, range: TimeRange, until: datetime) -> Iterator[Any]:
    c = sessions.c
    query = select(c.covered_from, c.last_seen_at, c.closed_at, c.reason).where(c.stream_id == stream_id)
    query = query.where(c.covered_from < until)
    if range.since is not None:
        # From the last session that began before the range on, for it says why the range may begin blind.
        begin = select(func.max(c.covered_from)).where(c.stream_id == stream_id, c.covered_from <= range.since)
        first = connection.scalar(begin)
        if first is not None:
            reaching = c.closed_at.is_(None) | (c.closed_at >= range.since)
            query = query.where((c.covered_from >= first) | reaching)
    yield from connection.execute(query.order_by(c.covered_from, c.id))


def _end(row: Any, now: datetime) -> datetime:
    """Until when a session watched: a session that is open and alive watches now."""
    end: datetime = row.last_seen_at if row.closed_at is None else row.closed_at
    return now if is_alive(row, now) else end


def _is_rounding(since: datetime, until: datetime, reason: str) -> bool:
    """An event heard in the first session may be dated a little before it: the platforms' dates are whole seconds."""
    return reason is BEFORE and until - since < timedelta(seconds=1)


def _reason(row: Any) -> str:
    if row.closed_at is None:
        return SILENT
    return row.reason or INTERRUPTED

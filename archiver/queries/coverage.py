"""Says over which stretches of time somebody was watching, and when and why nobody was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, case, func, literal, select

from archiver.model import Coverage, EndKind, Gap, TimeRange
from archiver.storage.schema import Instant, sessions, streams
from archiver.storage.views import INTERRUPTED, SILENT, SILENT_SECONDS

BEFORE = "before the first session"
IMPORTED = "imported: nobody wrote down whether anybody was watching"

Why = tuple[str, EndKind | None]
"""Why nobody was watching, for people and for programs."""
_BEFORE: Why = (BEFORE, "before")


def coverage(
    connection: Connection, range: TimeRange, now: datetime, stream_ids: Sequence[int] | None = None
) -> Coverage:
    """The gaps of some streams (None: of all) within a range; an open end means until now."""
    query = select(streams.c.id, streams.c.url).order_by(streams.c.id)
    if stream_ids is not None:
        query = query.where(streams.c.id.in_(stream_ids))
    known = connection.execute(query).all()
    if not known:
        return Coverage((imported(range),))
    return Coverage(tuple(gap for number, url in known for gap in _gaps(connection, number, url, range, now)))


def imported(range: TimeRange) -> Gap:
    """The gap over the whole of a range that stands for not knowing."""
    return Gap(None, range.since, range.until, IMPORTED, "imported")


def stream_gaps(connection: Connection, stream_id: int, now: datetime) -> int:
    """How many gaps a stream has had since its first session."""
    everything = TimeRange()
    return sum(1 for gap in _gaps(connection, stream_id, "", everything, now) if gap.kind != "before")


def is_alive(session: Any, now: datetime) -> bool:
    """Whether a session is open, with a sign of life not long ago."""
    return session.closed_at is None and now - session.last_seen_at < timedelta(seconds=SILENT_SECONDS)


def _gaps(connection: Connection, stream_id: int, url: str, range: TimeRange, now: datetime) -> Iterator[Gap]:
    """What lies between the sessions: a stretch that no session covers.

    The reason is that of the session which reached farthest before it, as in the view `gap_log`.
    """
    until = range.until if range.until is not None and range.until < now else now
    watched_to, why = range.since, _BEFORE
    if range.since is not None and (before := _farthest(connection, stream_id, range.since, now)) is not None:
        watched_to, why = max(_end(before, now), range.since), _why(before)
    for row in _sessions(connection, stream_id, range, until):
        end = _end(row, now)
        if watched_to is None or row.covered_from > watched_to:
            if watched_to is not None and not _is_rounding(watched_to, row.covered_from, why):
                yield Gap(url, watched_to, row.covered_from, *why)
            watched_to, why = end, _why(row)
        elif end > watched_to:
            watched_to, why = end, _why(row)
    still = range.until is None or range.until > now
    if range.since is not None and range.since >= until:
        # Nobody has watched yet what is to come.
        if watched_to == range.since:
            yield Gap(url, range.since, None if still else range.until, *_BEFORE)
    elif watched_to is None or (watched_to < until and (still or not _is_rounding(watched_to, until, why))):
        yield Gap(url, watched_to, None if still else range.until, *why)


_COLUMNS = (
    sessions.c.covered_from,
    sessions.c.last_seen_at,
    sessions.c.closed_at,
    sessions.c.reason,
    sessions.c.kind,
)


def _sessions(connection: Connection, stream_id: int, range: TimeRange, until: datetime) -> Iterator[Any]:
    """The sessions that began to cover within a range, in the order in which they did."""
    c = sessions.c
    query = select(*_COLUMNS).where(c.stream_id == stream_id, c.covered_from < until)
    if range.since is not None:
        query = query.where(c.covered_from > range.since)
    yield from connection.execute(query.order_by(c.covered_from, c.id))


def _farthest(connection: Connection, stream_id: int, since: datetime, now: datetime) -> Any:
    """Of the sessions that began to cover until an instant, the one that reached farthest; None: there is none."""
    c = sessions.c
    lives = and_(c.closed_at.is_(None), c.last_seen_at > now - timedelta(seconds=SILENT_SECONDS))
    reached = case((lives, literal(now, Instant())), else_=func.coalesce(c.closed_at, c.last_seen_at))
    query = select(*_COLUMNS).where(c.stream_id == stream_id, c.covered_from <= since)
    return connection.execute(query.order_by(reached.desc(), c.covered_from, c.id).limit(1)).one_or_none()


def _end(row: Any, now: datetime) -> datetime:
    """Until when a session watched: a session that is open and alive watches now."""
    end: datetime = row.last_seen_at if row.closed_at is None else row.closed_at
    return now if is_alive(row, now) else end


def _is_rounding(since: datetime, until: datetime, why: Why) -> bool:
    """An event heard in the first session may be dated a little before it: the platforms' dates are whole seconds."""
    return why is _BEFORE and until - since < timedelta(seconds=1)


def _why(row: Any) -> Why:
    if row.closed_at is None:
        return SILENT, "silent"
    return row.reason or INTERRUPTED, row.kind

"""Says over which stretches of time somebody was watching, and when and why nobody was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from archiver.model import Coverage, Empty, EndKind, Gap, Resource, TimeRange
from archiver.queries.emptiness import Extent, why_empty
from archiver.queries.numbers import last_numbers
from archiver.storage.database.reading import Connection, Row, instant, instant_or_none
from archiver.storage.database.statements import chunks, statement
from archiver.storage.words import INTERRUPTED, SILENT, SILENT_SECONDS, UNHEARD

BEFORE = "before the first session"
IMPORTED = "imported: nobody wrote down whether anybody was watching"

Why = tuple[str, EndKind | None]
"""Why nobody was watching, for people and for programs."""
_BEFORE: Why = (BEFORE, "before")
_NOT_YET: Why = ("it is yet to come", None)
_ALWAYS = TimeRange()
_SILENCE = timedelta(seconds=SILENT_SECONDS)

_OF_STREAM = (
    "SELECT s.covered_from, s.last_seen_at, s.closed_at, s.reason, s.kind FROM sessions s WHERE s.stream_id = :stream"
)
_FARTHEST = (
    f"{_OF_STREAM} AND s.covered_from <= :since"
    " ORDER BY CASE WHEN s.closed_at IS NULL AND s.last_seen_at > :heard THEN :now"
    " ELSE coalesce(s.closed_at, s.last_seen_at) END DESC, s.covered_from, s.id LIMIT 1"
)


def coverage(
    connection: Connection, range: TimeRange, now: datetime, stream_ids: Sequence[int] | None = None
) -> Coverage:
    """The gaps of some streams (None: of all) within a range; an open end means until now."""
    known = _streams(connection, stream_ids)
    if not known:
        return _unwatched(connection, range)
    gaps = tuple(gap for number, url in known for gap in _gaps(connection, number, url, range, now))
    last = _reached(connection, [number for number, _ in known]).last
    return Coverage(gaps, _within(range, last), range.since)


def as_they_last(connection: Connection, gaps: Sequence[Gap], range: TimeRange) -> Sequence[Gap]:
    """The gaps, those without an end that have none but that of the range: nobody watched behind it either."""
    cut = {gap.stream for gap in gaps if gap.until == range.until and gap.stream is not None}
    if range.until is None or not cut:
        return gaps
    last: set[str] = set()
    for urls in chunks(sorted(cut)):
        last.update(connection.scalars(statement(_LAST), {"urls": urls, "until": range.until}))
    return [gap._replace(until=None) if gap.until == range.until and gap.stream in last else gap for gap in gaps]


_LAST = (
    "SELECT st.url FROM streams st WHERE st.url IN :urls AND NOT EXISTS"
    " (SELECT 1 FROM sessions s WHERE s.stream_id = st.id AND s.covered_from >= :until)"
)


def coverage_at(
    connection: Connection, moment: datetime, now: datetime, stream_ids: Sequence[int] | None = None
) -> Coverage:
    """The gaps of some streams (None: of all) in which an instant lies, each as a whole."""
    known = _streams(connection, stream_ids)
    if not known:
        return _unwatched(connection, TimeRange())._replace(since=moment)
    gaps = tuple(gap for number, url in known if (gap := _gap_around(connection, number, url, moment, now)) is not None)
    last = _reached(connection, [number for number, _ in known]).last
    return Coverage(gaps, _within(TimeRange(moment, moment), last), moment)


def _gap_around(connection: Connection, stream_id: int, url: str, moment: datetime, now: datetime) -> Gap | None:
    before = _farthest(connection, stream_id, moment, now)
    if before is not None and _end(before, now) >= moment:
        return None
    following = connection.scalar(statement(_NEXT), {"stream": stream_id, "moment": moment})
    until = instant_or_none(following)
    if before is None:
        return Gap(url, None, until, *_BEFORE)
    if is_alive(before.last_seen_at, before.closed_at, now):
        return Gap(url, now, until, *_NOT_YET)
    return Gap(url, _end(before, now), until, *_why(before))


_NEXT = "SELECT min(s.covered_from) FROM sessions s WHERE s.stream_id = :stream AND s.covered_from > :moment"


def unknown(range: TimeRange) -> Coverage:
    """The coverage of what was imported: nobody wrote down whether anybody was watching."""
    return Coverage((imported(range),), None, range.since)


def _unwatched(connection: Connection, range: TimeRange) -> Coverage:
    """The coverage where no stream was ever recorded: what there is was imported, or all is yet to come."""
    if any(last_numbers(connection).values()):
        return unknown(range)
    return Coverage((Gap(None, range.since, range.until, *_BEFORE),), None, range.since)


def speaking(connection: Connection, roots: Sequence[Resource], range: TimeRange = _ALWAYS) -> list[int] | None:
    """The streams that speak for some resources: those that told of any, lately or last before the end of a range.

    None, all: no stream told of them.
    """
    found: set[int] = set()
    for root in roots:
        for table, at in _TABLES:
            before = "" if range.until is None else f"AND w.{at} < :until"
            asked = statement(_TOLD.format(table=table, at=at, before=before))
            values = {"platform": root.id.platform, "number": root.id, "until": range.until}
            rows = connection.execute(asked, values)
            found.update(row.stream_id for row in rows)
    return sorted(found) or None


def emptiness(
    connection: Connection, range: TimeRange, watched: Coverage, stream_ids: Sequence[int] | None = None
) -> Empty:
    """Why nothing was found in a range of which this is the coverage, by the same streams (None: by all)."""
    extent = _reached(connection, [number for number, _ in _streams(connection, stream_ids)])
    told = connection.execute(statement(_EVENTS)).one()
    first, last = instant_or_none(told.first_at), instant_or_none(told.last_at)
    if extent.last is not None:
        last = extent.last
    return why_empty(range, watched, Extent(min(filter(None, (first, extent.first)), default=None), last))


_URLS = "SELECT s.id, s.url FROM streams s ORDER BY s.id"
# From when until when any of some streams was watched.
_REACH = (
    "SELECT min(s.covered_from) AS first_at, max(coalesce(s.closed_at, s.last_seen_at)) AS last_at"
    " FROM sessions s WHERE s.stream_id IN :numbers"
)
_EVENTS = (
    "SELECT (SELECT min(e.occurred_at) FROM events e) AS first_at, (SELECT max(e.occurred_at) FROM events e) AS last_at"
)
_TABLES = (("events", "occurred_at"), ("observations", "observed_at"))
# So many words are looked at, and no more: somebody may have told of it a million times.
_TOLD = (
    "SELECT DISTINCT s.stream_id FROM sessions s WHERE s.id IN (SELECT o.session_id FROM"
    " (SELECT w.session_id FROM {table} w WHERE w.platform_id = :platform AND w.resource_id = :number {before}"
    " ORDER BY w.{at} DESC, w.id DESC LIMIT 100) o)"
)


def _streams(connection: Connection, stream_ids: Sequence[int] | None) -> list[tuple[int, str]]:
    """Number and URL of some streams; None: of all."""
    found = [(row.id, row.url) for row in connection.execute(statement(_URLS))]
    return found if stream_ids is None else [each for each in found if each[0] in stream_ids]


def _reached(connection: Connection, stream_ids: Sequence[int]) -> Extent:
    reached = Extent()
    for numbers in chunks(stream_ids):
        row = connection.execute(statement(_REACH), {"numbers": numbers}).one()
        ends = (instant_or_none(row.first_at), instant_or_none(row.last_at))
        first = min(filter(None, (reached.first, ends[0])), default=None)
        reached = Extent(first, max(filter(None, (reached.last, ends[1])), default=None))
    return reached


def _within(range: TimeRange, moment: datetime | None) -> datetime | None:
    return moment if moment is None or range.until is None else min(moment, range.until)


def imported(range: TimeRange) -> Gap:
    """The gap over the whole of a range that stands for not knowing."""
    return Gap(None, range.since, range.until, IMPORTED, "imported")


def stream_gaps(connection: Connection, stream_id: int, now: datetime) -> int:
    """How many gaps a stream has had since its first session."""
    everything = TimeRange()
    return sum(1 for gap in _gaps(connection, stream_id, "", everything, now) if gap.kind != "before")


def is_alive(last_seen_at: datetime, closed_at: datetime | None, now: datetime) -> bool:
    """Whether a session is open, with a sign of life not long ago."""
    return closed_at is None and now - last_seen_at < _SILENCE


def _gaps(connection: Connection, stream_id: int, url: str, range: TimeRange, now: datetime) -> Iterator[Gap]:
    """What lies between the sessions: a stretch that no session covers.

    The reason is that of the session which reached farthest before it, as in the view `gap_log`.
    """
    until = range.until if range.until is not None and range.until < now else now
    watched_to, why = range.since, _BEFORE
    if range.since is not None and (before := _farthest(connection, stream_id, range.since, now)) is not None:
        watched_to = max(_end(before, now), range.since)
        why = _NOT_YET if is_alive(before.last_seen_at, before.closed_at, now) else _why(before)
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
            yield Gap(url, range.since, None if still else range.until, *why)
    elif watched_to is None or (watched_to < until and (still or not _is_rounding(watched_to, until, why))):
        yield Gap(url, watched_to, None if still else range.until, *why)


class _Session(NamedTuple):
    """From when until when a session was watched, as far as is known."""

    covered_from: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    reason: str | None
    kind: EndKind | None

    @classmethod
    def of(cls, row: Row) -> _Session:
        began, seen, closed = instant(row.covered_from), instant(row.last_seen_at), instant_or_none(row.closed_at)
        return cls(began, seen, closed, row.reason, cast("EndKind | None", row.kind))


def _sessions(connection: Connection, stream_id: int, range: TimeRange, until: datetime) -> Iterator[_Session]:
    """The sessions that began to cover within a range, in the order in which they did."""
    since = "" if range.since is None else " AND s.covered_from > :since"
    asked = statement(f"{_OF_STREAM} AND s.covered_from < :until{since} ORDER BY s.covered_from, s.id")
    yield from map(_Session.of, connection.execute(asked, {"stream": stream_id, "since": range.since, "until": until}))


def _farthest(connection: Connection, stream_id: int, since: datetime, now: datetime) -> _Session | None:
    """Of the sessions that began to cover until an instant, the one that reached farthest; None: there is none."""
    ends = {"stream": stream_id, "since": since, "now": now, "heard": now - _SILENCE}
    found = connection.execute(statement(_FARTHEST), ends).first()
    return None if found is None else _Session.of(found)


def _end(session: _Session, now: datetime) -> datetime:
    """Until when a session watched: a session that is open and alive watches now."""
    if is_alive(session.last_seen_at, session.closed_at, now):
        return now
    return session.last_seen_at if session.closed_at is None else session.closed_at


def _is_rounding(since: datetime, until: datetime, why: Why) -> bool:
    """An event heard in the first session may be dated a little before it: the platforms' dates are whole seconds."""
    return why is _BEFORE and until - since < timedelta(seconds=1)


def _why(session: _Session) -> Why:
    if session.closed_at is None:
        return SILENT, UNHEARD
    return session.reason or INTERRUPTED, session.kind

"""The state timeline of one resource."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, and_, func, literal_column, or_, select

from archiver.model import Coverage, Gap, History, Resource, Span, Timeline, TimeRange
from archiver.platforms.docker.facts import OOM
from archiver.queries.causes import is_gone
from archiver.queries.causing import OUT_OF_MEMORY, explained
from archiver.queries.coverage import coverage, emptiness, unknown
from archiver.queries.numbers import last_number
from archiver.storage.bulk import chunks
from archiver.storage.pages import Ask
from archiver.storage.schema import event_actions, event_states, events, observations, sessions

_OOM_EXPLAINS = timedelta(seconds=10)
"""An engine tells of an exit within so long of the want of memory that caused it, before it or after."""
_SECOND = timedelta(seconds=1)
"""Platforms date by the second: what is heard first may seem so much older than the session it came in."""
_PAGE = 1_000
"""Words that are read at once."""
_HELD = 10_000
"""A timeline of no more words is read once; a longer one is read for what is said of it as a whole, and then again."""


class _Known(NamedTuple):
    """That a resource was in a state at an instant; in the order in which that is to be believed."""

    at: datetime
    rank: int
    id: int
    state: str | None
    """None: what only explains the next state."""
    session_id: int | None


def history(ask: Ask, resource: Resource, range: TimeRange, now: datetime) -> History:
    """The states of a resource within a range, beginning with the one it was in when the range begins."""
    found = timeline(ask, resource, range, now)
    return History(found.resource, found.range, found.coverage, tuple(found.spans), found.empty)


def timeline(ask: Ask, resource: Resource, range: TimeRange, now: datetime) -> Timeline:
    """As `history`, but for the spans, which are read as they are asked for."""
    ends = {events: ask(last_number, events), observations: ask(last_number, observations)}
    heard: set[int | None] = set()
    known = _known(ask, resource.id, range, ends)
    held = list(islice(known, _HELD + 1))
    first = last = None
    for span in _spans(_noting(chain(held, known), heard), range, now):
        first, last = first or span, span
    watched = ask(_coverage, TimeRange(range.since or (first and first.since), range.until), now, heard)
    again: Iterable[_Known] = held if len(held) <= _HELD else _known(ask, resource.id, range, ends)
    spans = explained(ask, resource, _spans(again, range, now, watched.gaps), watched.gaps)
    first, last = (span and _judged(span, watched.gaps) for span in (first, last))
    if first is not None and len(held) <= _HELD:
        spans = iter(all_spans := list(spans))
        first, last = all_spans[0], all_spans[-1]
    empty = None if first is not None else ask(emptiness, range, watched)
    return Timeline(resource, range, watched, first, last, spans, empty)


# --- what is known, page by page -------------------------------------------------------------------------------------


def _known(ask: Ask, resource_id: int, range: TimeRange, ends: dict[Table, int]) -> Iterator[_Known]:
    told = _of(ask, events, events.c.occurred_at, 0, resource_id, range, ends[events])
    asked = _of(ask, observations, observations.c.observed_at, 1, resource_id, range, ends[observations])
    return heapq.merge(told, asked)


def _of(ask: Ask, table: Table, at: Any, rank: int, resource_id: int, range: TimeRange, end: int) -> Iterator[_Known]:
    place: _Known | None = None
    while page := ask(_page, table, at, rank, resource_id, range, end, place):
        yield from page
        if len(page) < _PAGE:
            return
        place = page[-1]


def _page(
    connection: Connection,
    table: Table,
    at: Any,
    rank: int,
    resource_id: int,
    range: TimeRange,
    end: int,
    place: _Known | None,
) -> list[_Known]:
    """What is known behind a place (None: from the state on that holds when the range begins), up to row `end`."""
    said: ColumnElement[bool] = table.c.state_id.is_not(None)
    number = table.c.id + 0
    if table is events and (oom := _oom(connection)) is not None:
        said = or_(said, events.c.action_id == oom)
    query = select(at, literal_column(str(rank)), table.c.id, event_states.c.text, table.c.session_id)
    query = query.outerjoin(event_states, event_states.c.id == table.c.state_id)
    query = query.where(table.c.resource_id == resource_id, said, number <= end)
    if place is not None:
        query = query.where(at >= place.at, or_(at > place.at, number > place.id))
    elif range.since is not None:
        of_state = and_(table.c.resource_id == resource_id, table.c.state_id.is_not(None), number <= end)
        before = connection.scalar(select(func.max(at)).where(of_state, at <= range.since))
        query = query.where(at >= (before or range.since))
    if range.until is not None:
        query = query.where(at < range.until)
    return [_Known(*row) for row in connection.execute(query.order_by(at, table.c.id).limit(_PAGE))]


def _oom(connection: Connection) -> int | None:
    """The number of the action by which an engine tells of a process killed for want of memory."""
    return connection.scalar(select(event_actions.c.id).where(event_actions.c.text == OOM))


def _noting(known: Iterable[_Known], heard: set[int | None]) -> Iterator[_Known]:
    for item in known:
        heard.add(item.session_id)
        yield item


# --- spans ----------------------------------------------------------------------------------------------------------


def _spans(
    known: Iterable[_Known], range: TimeRange, now: datetime, gaps: Sequence[Gap] | None = None
) -> Iterator[Span]:
    """Equal states in a row are one span, in whatever case; what began before the range is cut at its beginning.

    A range that ends in the future leaves the last one open: nobody knows yet how long it lasts.
    """
    span: Span | None = None
    carried = False
    oom: datetime | None = None
    doubts = _Doubts(gaps or ())
    for at, rank, _, state, _ in known:
        if state is None:
            oom = at
            span = _explained(span, oom)
            continue
        inside = range.since is None or at >= range.since
        count = 1 if rank == 0 and inside else 0
        was_doubtful = doubts.end_by(at)
        if span is not None and span.state.lower() == state.lower():
            seen = (*span.seen, at) if was_doubtful else span.seen
            span = span._replace(events=span.events + count, seen=seen)
            continue
        start = at if inside or range.since is None else range.since
        # A state carried into the range is no span of it when the range begins with another one.
        if span is not None and not (carried and span.since == start):
            yield _judged(span._replace(until=start), gaps)
        span, carried = _explained(Span(state, start, None, count, observed=rank == 1), oom), not inside
    if span is not None:
        until = range.until if range.until is None or range.until <= now else None
        yield _judged(span._replace(until=until), gaps)


def _judged(span: Span, gaps: Sequence[Gap] | None) -> Span:
    """A span, and whether it was watched: what is no more needs nobody to watch it. Without gaps nobody asks yet."""
    if gaps is None or any(gap.stream is None for gap in gaps):
        return span
    until = span.since if is_gone(span.state) else span.until
    return span._replace(certain=not any(_touches(gap, span.since, until) for gap in gaps))


def _touches(gap: Gap, since: datetime, until: datetime | None) -> bool:
    """Whether a gap hides a part of a stretch, or its beginning; one behind the last sign of life hides no more."""
    if gap.until is None:
        return gap.since is None or gap.since <= since
    if gap.until <= since or (gap.until - since < _SECOND and since.microsecond == 0):
        return False
    return gap.since is None or until is None or gap.since < until or gap.since <= since


class _Doubts:
    """The gaps behind which a state is only known again when it is told or found again."""

    def __init__(self, gaps: Sequence[Gap]) -> None:
        self._ends = sorted((gap.until for gap in gaps if gap.until is not None and gap.stream), reverse=True)

    def end_by(self, at: datetime) -> bool:
        """Whether any has ended since the last word and until this one."""
        ended = False
        while self._ends and self._ends[-1] <= at:
            self._ends.pop()
            ended = True
        return ended


def _explained(span: Span | None, oom: datetime | None) -> Span | None:
    """A span that is an exit, with the want of memory told of just before or after it."""
    if span is None or oom is None or not span.state.startswith("exited") or abs(span.since - oom) > _OOM_EXPLAINS:
        return span
    return span._replace(note=OUT_OF_MEMORY)


def _coverage(connection: Connection, range: TimeRange, now: datetime, heard: set[int | None]) -> Coverage:
    """The coverage of the streams that told about the resource; of all streams when none did."""
    session_ids = [number for number in heard if number is not None]
    if heard == {None}:
        return unknown(range)
    if not session_ids:
        return coverage(connection, range, now)
    c = sessions.c
    stream_ids: set[int] = set()
    for part in chunks(session_ids):
        stream_ids.update(connection.scalars(select(c.stream_id).where(c.id.in_(part)).distinct()))
    return coverage(connection, range, now, sorted(stream_ids))

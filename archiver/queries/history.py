"""The state timeline of one resource."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Table, func, literal_column, or_, select

from archiver.model import Coverage, Gap, History, Resource, Span, TimeRange
from archiver.platforms.docker.facts import OOM
from archiver.queries.coverage import IMPORTED, coverage
from archiver.storage.bulk import chunks
from archiver.storage.schema import event_actions, event_states, events, observations, sessions

OUT_OF_MEMORY = "out of memory"
_OOM_EXPLAINS = timedelta(seconds=10)
"""An engine tells of an exit within so long of the want of memory that caused it, before it or after."""


class _Known(NamedTuple):
    """That a resource was in a state at an instant; in the order in which that is to be believed."""

    at: datetime
    rank: int
    id: int
    state: str | None
    """None: what only explains the next state."""
    session_id: int | None


def history(connection: Connection, resource: Resource, range: TimeRange, now: datetime) -> History:
    """The states of a resource within a range, beginning with the one it was in when the range begins."""
    heard: set[int | None] = set()
    told = _known(connection, events, events.c.occurred_at, 0, resource.id, range)
    asked = _known(connection, observations, observations.c.observed_at, 1, resource.id, range)
    spans = tuple(_spans(_noting(heapq.merge(told, asked), heard), range, now))
    first = range.since or (spans[0].since if spans else None)
    watched = _coverage(connection, TimeRange(first, range.until), now, heard)
    return History(resource, range, watched, spans)


def _known(
    connection: Connection, table: Table, at: Any, rank: int, resource_id: int, range: TimeRange
) -> Iterator[_Known]:
    said = table.c.state_id.is_not(None)
    ooms = _ooms(connection, table)
    of_resource = (table.c.resource_id == resource_id, said if ooms is None else or_(said, ooms))
    query = select(at, literal_column(str(rank)), table.c.id, event_states.c.text, table.c.session_id)
    query = query.outerjoin(event_states, event_states.c.id == table.c.state_id).where(*of_resource)
    if range.since is not None:
        of_state = (table.c.resource_id == resource_id, said)
        before = connection.scalar(select(func.max(at)).where(*of_state, at <= range.since))
        query = query.where(at >= (before or range.since))
    if range.until is not None:
        query = query.where(at < range.until)
    rows = connection.execute(query.order_by(at, table.c.id), execution_options={"stream_results": True})
    return (_Known(*row) for row in rows.yield_per(1000))


def _ooms(connection: Connection, table: Table) -> ColumnElement[bool] | None:
    """The condition that an event tells of a process killed for want of memory; None where the archive has none."""
    if table is not events:
        return None
    number = connection.scalar(select(event_actions.c.id).where(event_actions.c.text == OOM))
    return None if number is None else events.c.action_id == number


def _noting(known: Iterable[_Known], heard: set[int | None]) -> Iterator[_Known]:
    for item in known:
        heard.add(item.session_id)
        yield item


def _spans(known: Iterable[_Known], range: TimeRange, now: datetime) -> Iterator[Span]:
    """Equal states in a row are one span; what began before the range is cut at its beginning.

    A range that ends in the future leaves the last one open: nobody knows yet how long it lasts.
    """
    span: Span | None = None
    carried = False
    oom: datetime | None = None
    for at, rank, _, state, _ in known:
        if state is None:
            oom = at
            span = _explained(span, oom)
            continue
        inside = range.since is None or at >= range.since
        count = 1 if rank == 0 and inside else 0
        if span is not None and span.state == state:
            span = span._replace(events=span.events + count, observed=span.observed and rank == 1)
            continue
        start = at if inside or range.since is None else range.since
        # A state carried into the range is no span of it when the range begins with another one.
        if span is not None and not (carried and span.since == start):
            yield span._replace(until=start)
        span, carried = _explained(Span(state, start, None, count, observed=rank == 1), oom), not inside
    if span is not None:
        yield span._replace(until=range.until if range.until is None or range.until <= now else None)


def _explained(span: Span | None, oom: datetime | None) -> Span | None:
    """A span that is an exit, with the want of memory told of just before or after it."""
    if span is None or oom is None or not span.state.startswith("exited") or abs(span.since - oom) > _OOM_EXPLAINS:
        return span
    return span._replace(note=OUT_OF_MEMORY)


def _coverage(connection: Connection, range: TimeRange, now: datetime, heard: set[int | None]) -> Coverage:
    """The coverage of the streams that told about the resource; of all streams when none did."""
    session_ids = [number for number in heard if number is not None]
    if heard == {None}:
        return Coverage((Gap(None, range.since, range.until, IMPORTED),))
    if not session_ids:
        return coverage(connection, range, now)
    c = sessions.c
    stream_ids: set[int] = set()
    for part in chunks(session_ids):
        stream_ids.update(connection.scalars(select(c.stream_id).where(c.id.in_(part)).distinct()))
    return coverage(connection, range, now, sorted(stream_ids))

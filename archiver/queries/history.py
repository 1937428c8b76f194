"""The state timeline of one resource."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import NamedTuple

from archiver.model import Coverage, Gap, History, Number, Resource, Span, Timeline, TimeRange, to_micros
from archiver.platforms.facts import OOM, OOM_KILLED
from archiver.queries.causes import exit_code, is_gone
from archiver.queries.causing import OUT_OF_MEMORY, explained
from archiver.queries.coverage import as_they_last, coverage, emptiness, unknown
from archiver.queries.numbers import last_numbers
from archiver.queries.sureness import Heard, is_sure
from archiver.queries.telling import told_by
from archiver.queries.unchanged import judged
from archiver.storage.causes import KILLED
from archiver.storage.database.reading import Connection, instant, instant_or_none
from archiver.storage.database.statements import chunks, statement
from archiver.storage.pages import Ask

OOM_EXPLAINS = timedelta(seconds=10)
"""An engine tells of an exit within so long of the want of memory that caused it, before it or after."""
_SECOND = timedelta(seconds=1)
"""Platforms date by the second: what is heard first may seem so much older than the session it came in."""
_PAGE = 1_000
"""Words that are read at once."""
_HELD = 10_000
"""A timeline of no more words is read once; a longer one is read for what is said of it as a whole, and then again."""


class Known(NamedTuple):
    """That a resource was in a state at an instant; in the order in which that is to be believed."""

    at: datetime
    rank: int
    id: int
    state: str | None
    """None: what only explains the next state."""
    session_id: int | None
    oom: bool = False
    """An answer that finds it killed, and says that it was out of memory."""


def history(ask: Ask, resource: Resource, range: TimeRange, now: datetime, stream: int | None = None) -> History:
    """The states of a resource within a range, beginning with the one it was in when the range begins.

    `stream`: those alone that it told or found, and how well it was watched.
    """
    found = timeline(ask, resource, range, now, stream)
    return History(found.resource, found.range, found.coverage, tuple(found.spans), found.empty)


def timeline(ask: Ask, resource: Resource, range: TimeRange, now: datetime, stream: int | None = None) -> Timeline:
    """As `history`, but for the spans, which are read as they are asked for."""
    ends = ask(last_numbers)
    heard: set[int | None] = set()
    known = _known(ask, resource.id, range, ends, stream)
    held = list(islice(known, _HELD + 1))
    sure = resource.id in ask(carried_surely, {resource.id: held}, range, now)
    first = last = None
    for span in spans_of(_noting(chain(held, known), heard), range, now, sure=sure):
        first, last = first or span, span
    whole = TimeRange(range.since or (first and first.since), range.until)
    watched, gaps = ask(_watched, resource.id, whole, now, heard, None if stream is None else [stream], range)
    again: Iterable[Known] = held if len(held) <= _HELD else _known(ask, resource.id, range, ends, stream)
    spans = explained(ask, resource, spans_of(again, range, now, gaps, sure=sure), watched.gaps)
    first, last = (span and _judged(span, gaps) for span in (first, last))
    if first is not None and len(held) <= _HELD:
        spans = iter(all_spans := list(spans))
        first, last = all_spans[0], all_spans[-1]
    empty = None if first is not None else ask(emptiness, range, watched)
    return Timeline(resource, range, watched, first, last, spans, empty)


def _watched(
    connection: Connection,
    number: Number,
    whole: TimeRange,
    now: datetime,
    heard: set[int | None],
    streams: Sequence[int] | None,
    range: TimeRange,
) -> tuple[Coverage, Sequence[Gap]]:
    """The coverage of what is said of a resource, and its gaps as they last (`as_they_last`)."""
    told = coverage_of(connection, whole, now, heard) if streams is None else coverage(connection, whole, now, streams)
    watched = judged(connection, told, number)
    return watched, as_they_last(connection, watched.gaps, range)


# --- what is known, page by page -------------------------------------------------------------------------------------


def _known(
    ask: Ask, resource_id: Number, range: TimeRange, ends: dict[str, int], stream: int | None
) -> Iterator[Known]:
    told = _of(ask, _TOLD, resource_id, range, ends["events"], stream)
    asked = _of(ask, _ASKED, resource_id, range, ends["observations"], stream)
    return without_earlier(heapq.merge(told, asked), range)


def without_earlier(known: Iterable[Known], range: TimeRange) -> Iterator[Known]:
    """What is known of one resource, without the states before that which holds when the range begins."""
    carried: Known | None = None
    for item in known:
        if item.state is not None and range.since is not None and item.at < range.since:
            carried = item
            continue
        if carried is not None and item.state is not None:
            yield carried
            carried = None
        yield item
    if carried is not None:
        yield carried


class _Source(NamedTuple):
    """A table of words about resources; of two at one instant, that of the higher rank counts as the later."""

    table: str
    at: str
    rank: int


_TOLD, _ASKED = _Source("events", "e.occurred_at", 0), _Source("observations", "e.observed_at", 1)


def _of(
    ask: Ask, source: _Source, resource_id: Number, range: TimeRange, end: int, stream: int | None
) -> Iterator[Known]:
    place: Known | None = None
    while page := ask(_page, source, resource_id, range, end, stream, place):
        yield from page
        if len(page) < _PAGE:
            return
        place = page[-1]


def _page(
    connection: Connection,
    source: _Source,
    resource_id: Number,
    range: TimeRange,
    end: int,
    stream: int | None,
    place: Known | None,
) -> list[Known]:
    """What is known behind a place (None: from the state on that holds when the range begins), up to row `end`."""
    table, at, rank = source
    values = {"platform": resource_id.platform, "resource": resource_id, "end": end, **range._asdict()}
    said = "e.state_id IS NOT NULL"
    if source is _TOLD and (oom := number_of_oom(connection)) is not None:
        said = f"(e.state_id IS NOT NULL OR e.action_id = {oom})"
    whose = [] if stream is None else [told_by(stream, events=source is _TOLD)]
    conditions = ["e.platform_id = :platform", "e.resource_id = :resource", said, "e.id + 0 <= :end", *whose]
    if place is not None:
        conditions += [f"{at} >= :after", f"({at} > :after OR e.id + 0 > :behind)"]
        values |= {"after": place.at, "behind": place.id}
    elif range.since is not None:
        earlier_words = " AND ".join([_BEFORE.format(table=table, at=at), *whose])
        before = instant_or_none(connection.scalar(statement(earlier_words), values))
        conditions.append(f"{at} >= :begin")
        values["begin"] = min(before or range.since, earlier(range.since))
    if range.until is not None:
        conditions.append(f"{at} < :until")
    asked = _WORDS.format(table=table, at=at, extra=EXTRA[rank].format("e"), conditions=" AND ".join(conditions))
    return [
        Known(instant(moment), rank, number, state, session, oom=is_oom(rank, state, oom))
        for moment, number, state, session, oom in connection.execute(statement(asked), values)
    ]


_WORDS = (
    "SELECT {at}, e.id, s.text, e.session_id, {extra} FROM {table} e LEFT JOIN event_states s ON s.id = e.state_id"
    f" WHERE {{conditions}} ORDER BY {{at}}, e.id LIMIT {_PAGE}"
)
_BEFORE = (
    "SELECT max({at}) FROM {table} e"
    " WHERE e.platform_id = :platform AND e.resource_id = :resource AND e.state_id IS NOT NULL"
    " AND e.id + 0 <= :end AND {at} < :since"
)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_OOM = "SELECT a.id FROM event_actions a WHERE a.text = :word"
_STREAMS = "SELECT DISTINCT s.stream_id FROM sessions s WHERE s.id IN :numbers"


EXTRA = ("NULL", f"CASE WHEN replace({{0}}.extra, '{OOM_KILLED}', '') <> {{0}}.extra THEN 1 END")
"""Of an event and of an observation: whether it says that something was out of memory."""


def is_oom(rank: int, state: str | None, oom: int | None) -> bool:
    """Whether an answer finds something killed, and says that it was out of memory."""
    return rank == 1 and oom == 1 and state is not None and exit_code(state) == KILLED


def number_of_oom(connection: Connection) -> int | None:
    """The number of the action by which an engine tells of a process killed for want of memory."""
    number: int | None = connection.scalar(statement(_OOM), {"word": OOM})
    return number


def earlier(moment: datetime) -> datetime:
    """From when on a want of memory explains what is told from an instant on."""
    return max(moment, _EARLIEST + OOM_EXPLAINS) - OOM_EXPLAINS


def _noting(known: Iterable[Known], heard: set[int | None]) -> Iterator[Known]:
    for item in known:
        if item.state is not None:
            heard.add(item.session_id)
        yield item


# --- spans ----------------------------------------------------------------------------------------------------------


def carried_surely(
    connection: Connection, known: Mapping[Number, Sequence[Known]], range: TimeRange, now: datetime
) -> set[Number]:
    """Of resources, each with what is known of it, those that were watched from the last word before a range to it."""
    if range.since is None:
        return set()
    carried: dict[Number, Heard] = {}
    for number, words in known.items():
        first = next((word for word in words if word.state is not None), None)
        if first is not None and first.at < range.since:
            carried[number] = Heard(to_micros(first.at), first.session_id)
    return is_sure(connection, carried, to_micros(range.since), now)


def spans_of(
    known: Iterable[Known],
    range: TimeRange,
    now: datetime,
    gaps: Sequence[Gap] | None = None,
    *,
    sure: bool = False,
) -> Iterator[Span]:
    """Equal states in a row are one span, in whatever case; what began before the range is cut at its beginning.

    A range that ends in the future leaves the last one open: nobody knows yet how long it lasts. `sure`: what began
    before the range was watched until then; else it is assumed.
    """
    span: Span | None = None
    carried = False
    oom: datetime | None = None
    doubts = _Doubts(gaps or ())
    sure = sure or _is_unknown(gaps or ())
    for at, rank, _, state, _, killed in known:
        oom = at if killed else oom
        if state is None:
            oom = at
            span = _explained(span, oom)
            continue
        inside = range.since is None or at >= range.since
        count = 1 if rank == 0 and inside else 0
        was_doubtful = doubts.end_by(at)
        if span is not None and span.state.lower() == state.lower():
            seen = (*span.seen, at) if was_doubtful or (span.assumed and not span.seen) else span.seen
            span = span._replace(events=span.events + count, seen=seen)
            continue
        start = at if inside or range.since is None else range.since
        # A state carried into the range is no span of it when the range begins with another one.
        if span is not None and not (carried and span.since == start):
            yield _judged(span._replace(until=start), gaps)
        assumed = not (inside or sure or is_gone(state))
        span = _explained(Span(state, start, None, count, observed=rank == 1, assumed=assumed), oom)
        carried = not inside
    if span is not None:
        until = range.until if range.until is None or range.until <= now else None
        yield _judged(span._replace(until=until), gaps)


def _judged(span: Span, gaps: Sequence[Gap] | None) -> Span:
    """A span, and whether it was watched: what is no more needs nobody to watch it. Without gaps nobody asks yet."""
    if gaps is None:
        return span
    if _is_unknown(gaps):
        return span._replace(assumed=False, seen=())
    until = span.since if is_gone(span.state) else span.until
    hidden = span.assumed or any(hides(gap, span.since, until) for gap in gaps)
    return span._replace(certain=not hidden)


def _is_unknown(gaps: Sequence[Gap]) -> bool:
    """Whether nobody wrote down when anybody was watching."""
    return any(gap.stream is None for gap in gaps)


def hides(gap: Gap, since: datetime, until: datetime | None) -> bool:
    """Whether a gap hides a part of a stretch, or its beginning; one behind the last sign of life hides no more."""
    if gap.proven:
        return False
    if gap.until is None:
        return gap.since is None or gap.since <= since
    if gap.until <= since or (gap.until - since < _SECOND and since.microsecond == 0):
        return False
    return gap.since is None or until is None or gap.since < until or gap.since <= since


class _Doubts:
    """The gaps behind which a state is only known again when it is told or found again."""

    def __init__(self, gaps: Sequence[Gap]) -> None:
        ends = (gap.until for gap in gaps if gap.until is not None and gap.stream and not gap.proven)
        self._ends = sorted(ends, reverse=True)

    def end_by(self, at: datetime) -> bool:
        """Whether any has ended since the last word and until this one."""
        ended = False
        while self._ends and self._ends[-1] <= at:
            self._ends.pop()
            ended = True
        return ended


def _explained(span: Span | None, oom: datetime | None) -> Span | None:
    """A span that is an exit, with the want of memory told of just before or after it."""
    if span is None or oom is None or not span.state.startswith("exited") or abs(span.since - oom) > OOM_EXPLAINS:
        return span
    return span._replace(note=OUT_OF_MEMORY)


def coverage_of(connection: Connection, range: TimeRange, now: datetime, heard: set[int | None]) -> Coverage:
    """The coverage of the streams that told about the resource; of all streams when none did."""
    session_ids = [number for number in heard if number is not None]
    if heard == {None}:
        return unknown(range)
    if not session_ids:
        return coverage(connection, range, now)
    stream_ids: set[int] = set()
    for part in chunks(session_ids):
        stream_ids.update(connection.scalars(statement(_STREAMS), {"numbers": part}))
    return coverage(connection, range, now, sorted(stream_ids))

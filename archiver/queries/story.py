"""What a container went through within a range, and before and behind it as far as that decides how it was in it.

How long something was up in a day is then the same whether one asks for that day or for its hours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from archiver.model import Cause, Gap, Number, Resource, Span, TimeRange
from archiver.queries.causes import is_announced, is_down
from archiver.queries.timelines import Course, courses
from archiver.storage.causes import TOLD_AFTER
from archiver.storage.database.reading import Connection, instant
from archiver.storage.database.statements import statement
from archiver.storage.pages import Ask

CRASHES, WITHIN, QUIET = 3, timedelta(minutes=10), timedelta(minutes=10)
"""So many crashes within so long make a loop, which ends with the last one before so long a quiet."""
_FAR_BACK = (20, 500, 10_000)
"""So many words back an end is looked for, a few first."""
_TOLD_AFTER = timedelta(microseconds=TOLD_AFTER + 1)
"""So long behind an end that is told of which decides its cause."""
_BACK = tuple(
    f"SELECT e.{at} AS at, {rank} AS rank, e.id, s.text AS state"
    f" FROM {table} e JOIN event_states s ON s.id = e.state_id"
    f" WHERE e.platform_id = :platform AND e.resource_id = :number AND e.{at} <= :at"
    f" ORDER BY e.{at} DESC, e.id DESC LIMIT :words"
    for rank, (table, at) in enumerate((("events", "occurred_at"), ("observations", "observed_at")))
)


class Story(NamedTuple):
    """The states of a container, when nobody was watching, and why it had stopped where it begins."""

    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]
    carried: Cause | None


def stories(
    ask: Ask, resources: Sequence[Resource], range: TimeRange, now: datetime, kind: Callable[[str], str | None]
) -> Iterator[Story]:
    """What containers went through: from so long before a range that all crashes of a loop that it is in are there."""
    until = None if range.until is None else later(range.until, QUIET + _TOLD_AFTER)
    begin = None if range.since is None else earlier(range.since, QUIET)
    found = courses(ask, resources, TimeRange(begin, until), now)
    for resource, course in zip(resources, found, strict=True):
        yield _story(ask, resource, course, range, TimeRange(begin, until), now, kind)


def _story(
    ask: Ask,
    resource: Resource,
    found: Course,
    range: TimeRange,
    known: TimeRange,
    now: datetime,
    kind: Callable[[str], str | None],
) -> Story:
    """What a container went through, of which that within a known range is found."""
    begin, until = known
    back = QUIET
    while range.since is not None and begin is not None:
        edge = _unsettled(found.spans, range.since, begin)
        if edge is None:
            break
        begin, back = earlier(edge, QUIET + back), back * 2
        (found,) = courses(ask, [resource], TimeRange(begin, until), now)
    spans, gaps = found
    first = spans[0] if spans and spans[0].since == begin else None
    carried: Cause | None = None
    if first is not None and first.cause is None and kind(first.state) != "up" and not is_announced(first.state):
        stop = last_stop(ask, resource, first.since, now, kind)
        carried = stop and stop.cause
    return Story(spans, gaps, carried)


def _unsettled(spans: Sequence[Span], since: datetime, begin: datetime) -> datetime | None:
    """From which crash on it is to be looked for earlier ones, which would make a loop of those that are known."""
    crashes = [span.since for span in spans if is_crash(span)]
    edge = since
    for at in reversed([at for at in crashes if at < since]):
        if edge - at > QUIET:
            break
        edge = at
    if begin <= earlier(edge, QUIET) or begin.year == 1:
        return None
    chain = [at for at in crashes if at >= edge]
    known = zip(chain, chain[CRASHES - 1 :], strict=False)
    return None if any(last - first <= WITHIN for first, last in known if first < since) else edge


def is_crash(span: Span) -> bool:
    """Whether a span began with what nobody wanted."""
    return span.cause is not None and span.cause.kind in ("crash", "oom")


def last_stop(
    ask: Ask,
    resource: Resource,
    at: datetime,
    now: datetime,
    kind: Callable[[str], str | None] | None = None,
) -> Span | None:
    """The end that came last until an instant, with its cause; None: none is known.

    With `kind`: only an end since which it has not been up again.
    """
    return last_end(since_it_ran(ask, resource, at, now, kind), at)


class Since(NamedTuple):
    """What something went through since before it ran last and then ended."""

    ran: datetime
    """When it ran last; earlier ends are not the last one."""
    spans: Sequence[Span]


def last_end(found: Since | None, at: datetime) -> Span | None:
    """The last span until an instant that is an end with a cause, since it ran."""
    ends = [span for span in found.spans if span.cause and found.ran <= span.since <= at] if found else ()
    return ends[-1] if ends else None


def since_it_ran(
    ask: Ask,
    resource: Resource,
    at: datetime,
    now: datetime,
    kind: Callable[[str], str | None] | None = None,
    back: timedelta = timedelta(0),
) -> Since | None:
    """What something went through since so long `back` before it ran last and then ended; None: it never did.

    Until just behind an instant; the first span begins just there.
    """
    ran = None
    for words in _FAR_BACK:
        ran, is_all = ask(_ran_last, resource.id, at, words, kind)
        if ran is not None or is_all:
            break
    if ran is None:
        return None
    (found,) = courses(ask, [resource], TimeRange(earlier(ran, back), later(at, _TOLD_AFTER)), now)
    return Since(ran, found.spans)


def _ran_last(
    connection: Connection, number: Number, at: datetime, words: int, kind: Callable[[str], str | None] | None
) -> tuple[datetime | None, bool]:
    """When that was told which came before the last end, among so many last words: what was in no state of an end.

    And whether no more words need be looked at.
    """
    down, leaving = False, None
    values = {"platform": number.platform, "number": number, "at": at, "words": words}
    found = [row for query in _BACK for row in connection.execute(statement(query), values)]
    for row in sorted(found, key=lambda row: (row.at, row.rank, row.id), reverse=True)[:words]:
        if is_announced(row.state) and down:
            leaving = row.at  # from one end to the next; where nothing else is known before it, it ran
        elif not is_down(row.state):
            if down:
                return instant(row.at), True
            if kind is not None and kind(row.state) == "up":
                return None, True
        down = down or is_down(row.state)
    is_all = len(found) < words
    return instant(leaving) if leaving is not None and is_all else None, is_all


def earlier(moment: datetime, length: timedelta) -> datetime:
    """So long before an instant, or the first of all instants."""
    first = datetime.min.replace(tzinfo=UTC)
    return first if moment - first <= length else moment - length


def later(moment: datetime, length: timedelta) -> datetime:
    """So long behind an instant, or the last of all instants."""
    last = datetime.max.replace(tzinfo=UTC)
    return last if last - moment <= length else moment + length

"""Cuts states where nobody was watching: a hole in what is known is a hole in what is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from archiver.model import Action, Coverage, Gap, Lane, Lanes, Span

Stretch = tuple[datetime, datetime]
"""From an instant to another."""

_FIRST = datetime.min.replace(tzinfo=UTC)
_SECOND, _HOUR = timedelta(seconds=1), timedelta(hours=1)


class Piece(NamedTuple):
    """A stretch of a span that is drawn in one way."""

    span: Span
    since: datetime
    until: datetime
    certain: bool
    """False: what was known last before a gap, or told of while nobody was watching."""
    begins: bool
    """Whether the span begins here; False: it goes on behind a gap."""


class Bounds(NamedTuple):
    """From where to where a picture is drawn; what is still so ends with it."""

    since: datetime
    until: datetime


def bounds(lanes: Lanes, now: datetime) -> Bounds:
    """The range, as far as anything is known of it.

    What is in the future is not drawn; of what has no end, neither what comes long after the last sign of life, nor
    after the last word where all is gone. A note from before all else does not stretch it.
    """
    begins = [lane.spans[0].since for lane in lanes.lanes if lane.spans]
    begins += [action.started_at for lane in lanes.lanes for action in islice(_done(lane), 1)]
    begins = begins or [action.started_at for lane in lanes.lanes for action in lane.actions[:1]]
    until = now if lanes.range.until is None else min(lanes.range.until, now)
    since = lanes.range.since or min(begins, default=max(until, _FIRST + _HOUR) - _HOUR)
    if lanes.range.until is None and begins:
        last = max([since, *_told(lanes), *_alive(lanes, now)])
        until = min(until, last + max((last - since) / 20, _SECOND))
    return Bounds(since, max(until, since + _SECOND))


def _done(lane: Lane) -> Iterator[Action]:
    """What the platform did, as its URI shows; a note has none."""
    return (action for action in lane.actions if action.uri is not None)


def _alive(lanes: Lanes, now: datetime) -> Iterator[datetime]:
    """Until when it was watched what lives; nothing where all is gone."""
    if not all(lane.spans[-1].kind == "gone" for lane in lanes.lanes if lane.spans):
        if lanes.coverage.seen_to is not None:
            yield lanes.coverage.seen_to
        if not lanes.coverage.gaps:
            yield now


def _told(lanes: Lanes) -> Iterator[datetime]:
    for lane in lanes.lanes:
        yield from (span.since for span in lane.spans[-1:])
        yield from (action.finished_at or action.started_at for action in lane.actions)


def unwatched(coverage: Coverage, within: Bounds) -> list[tuple[Stretch, Gap]]:
    """The gaps of each stream, clipped; of what was imported nobody knows whether there were any."""
    found = []
    for gap in coverage.gaps:
        since, until = max(gap.since or _FIRST, within.since), min(gap.until or within.until, within.until)
        if gap.stream is not None and since < until:
            found.append(((since, until), gap))
    return sorted(found, key=lambda each: each[0])


def blind(coverage: Coverage, within: Bounds) -> list[Stretch]:
    """When any of the streams was not watched, and that may hide something, in order and without overlaps."""
    joined: list[Stretch] = []
    for (since, until), gap in unwatched(coverage, within):
        if gap.proven:
            continue
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(until, joined[-1][1]))
        else:
            joined.append((since, until))
    return joined


def pieces(spans: Sequence[Span], gaps: Sequence[Stretch], within: Bounds) -> Iterator[Piece]:
    """The spans of a lane, each without what of it lies in a gap.

    What is gone stays so unwatched. What was told of within a gap is drawn there, and is not certain; nor is a state
    behind a gap, unless it was seen again.
    """
    place = 0
    for span in spans:
        while place < len(gaps) and gaps[place][1] <= span.since:
            place += 1
        until = min(span.until or within.until, within.until)
        if place == len(gaps) or gaps[place][0] >= until:
            if span.since <= until:
                yield Piece(span, span.since, until, _is_certain(span, span.since, until, begins=True), begins=True)
        elif span.since <= until:
            yield from _cut(span, until, gaps, place)


def _cut(span: Span, until: datetime, gaps: Sequence[Stretch], place: int) -> Iterator[Piece]:
    ends = span.kind == "gone"
    since, begins = span.since, True
    if place < len(gaps) and gaps[place][0] <= since and not ends:
        doubted = min(gaps[place][1], until)
        if not _is_rounding(gaps[place][1], since):
            yield Piece(span, since, doubted, certain=False, begins=True)
            since, begins = doubted, False
        place += 1
    while place < len(gaps) and gaps[place][0] < until and not ends:
        yield Piece(span, since, gaps[place][0], _is_certain(span, since, gaps[place][0], begins=begins), begins)
        since, begins, place = gaps[place][1], False, place + 1
    if since < until or begins:
        yield Piece(span, since, until, ends or _is_certain(span, since, until, begins=begins), begins)


def _is_certain(span: Span, since: datetime, until: datetime, *, begins: bool) -> bool:
    return (begins and not span.assumed) or any(since <= at <= until for at in span.seen)


def _is_rounding(ended: datetime, moment: datetime) -> bool:
    """Platforms date by the second: what is heard first behind a gap may seem older than the gap's end."""
    return ended - moment < _SECOND and moment.microsecond == 0

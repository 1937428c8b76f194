"""How long something was up, down, planned to be down, or not watched: reckoned from states, stops and gaps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from archiver.model import Gap, Span
from archiver.queries.causes import PLANNED, is_announced
from archiver.queries.containers import KindOf, Lived
from archiver.queries.story import CRASHES, QUIET, WITHIN, is_crash, later
from archiver.storage.causes import SUCCEEDS_AFTER

Status = Literal["up", "down", "planned", "unknown"]
SUCCESSION = timedelta(microseconds=SUCCEEDS_AFTER)
"""Where nothing fills a slot for longer, it was nobody's meanwhile; for less, it was down."""


class Piece(NamedTuple):
    """A stretch of time in which something was so."""

    since: datetime
    until: datetime
    status: Status
    looped: bool = False
    """Down, though it ran: it was in a loop of crashes."""


class Part(NamedTuple):
    """A container, for as long as it was what is reckoned together: in a slot, or itself."""

    lived: Lived
    since: datetime
    until: datetime


def pieces(lived: Lived, kind: KindOf, end: datetime) -> Iterator[Piece]:
    """What is known of a container, stretch by stretch; nothing of the time at which it is no more.

    It lives from the first that is heard of it: before its first state nobody knows how it was.
    """
    first = min(lived.spans[0].since if lived.spans else end, end)
    if lived.first < first:
        yield Piece(lived.first, first, "unknown")
    for span in lived.spans:
        status = _STATUS.get(kind(span.state) or "", "unknown")
        until = min(span.until or end, end)
        if kind(span.state) == "gone" or until <= span.since:
            continue
        reached = span.since
        for since, seen in sorted(_doubts(span, lived.gaps, until)):
            if since > reached:
                yield Piece(reached, since, status)
            if seen > max(reached, since):
                yield Piece(max(reached, since), seen, "unknown")
                reached = seen
        if until > reached:
            yield Piece(reached, until, status)


def is_inherited(lived: Lived, kind: KindOf, at: datetime, end: datetime) -> bool:
    """Whether how a container stood below what is asked about was, at an instant, last told before a gap."""
    return any(since <= at < until for since, until in lived.below) and any(
        since <= at < min(seen, end)
        for span in lived.spans
        if kind(span.state) != "gone"
        for since, seen in _doubts(span, lived.gaps, min(span.until or end, end))
    )


_STATUS: dict[str, Status] = {"up": "up", "down": "down", "starting": "down"}


def _doubts(span: Span, gaps: Sequence[Gap], until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From when until when nobody knows whether a state still is: from each gap on until it is told again."""
    if span.assumed:
        yield span.since, min(span.seen, default=until)
    for gap in gaps:
        if gap.proven:
            continue
        since = span.since if gap.since is None else max(gap.since, span.since)
        over = until if gap.until is None else min(gap.until, until)
        is_rounding = gap.until is not None and gap.until - span.since < timedelta(seconds=1)
        if since >= over or (is_rounding and span.since.microsecond == 0):
            continue
        again = [seen for seen in span.seen if gap.until is not None and seen >= gap.until]
        yield since, min(again, default=until) if gap.until is None or gap.until < until else over


def together(parts: Sequence[Part], kind: KindOf, since: datetime, end: datetime, *, succeed: bool) -> Iterator[Piece]:
    """What is known of containers that are reckoned together: up where any is, clipped to a stretch.

    `succeed`: one takes the place of the other, and where there is none for a while, it is down.
    """
    longest = later(end, SUCCESSION)
    known = [
        clipped
        for part in parts
        for piece in pieces(part.lived, kind, longest)
        for clipped in _clipped(piece, part.since, part.until)
    ]
    unit = list({part.lived.resource.id: part.lived for part in parts}.values())
    wanted, again = _Wanted(unit, kind), list(loops(crashes(unit)))
    for whole in _swept(known, SUCCESSION if succeed else timedelta(0)):
        for piece in _clipped(whole, since, end):
            if piece.status == "down" and wanted.at(piece.since):
                yield piece._replace(status="planned")
            elif piece.status == "up":
                yield from _looped(piece, again)
            else:
                yield piece


def _clipped(piece: Piece, since: datetime, until: datetime) -> Iterator[Piece]:
    since, until = max(since, piece.since), min(until, piece.until)
    if since < until:
        yield piece._replace(since=since, until=until)


def _looped(piece: Piece, loops: Iterable[tuple[datetime, datetime]]) -> Iterator[Piece]:
    """What was up, down as far as it was in a loop of crashes."""
    reached = piece.since
    for first, last in loops:
        for down in _clipped(piece._replace(status="down", looped=True), max(first, reached), last):
            yield from _clipped(piece, reached, down.since)
            yield down
            reached = down.until
    yield from _clipped(piece, reached, piece.until)


def _swept(known: Iterable[Piece], longest: timedelta) -> Iterator[Piece]:
    """The best of several at each instant; where there is none between two for no longer than that, it is down."""
    steps: list[tuple[datetime, Status, int]] = []
    for piece in known:
        steps += ((piece.since, piece.status, 1), (piece.until, piece.status, -1))
    counts: dict[Status, int] = {"up": 0, "down": 0, "planned": 0, "unknown": 0}
    reached: datetime | None = None
    for at, status, step in sorted(steps):
        if reached is not None and at > reached:
            best: Status | None = next((each for each in _BEST if counts[each]), None)
            if best is not None or at - reached <= longest:
                yield Piece(reached, at, best or "down")
        counts[status] += step
        reached = at


_BEST: tuple[Status, ...] = ("up", "unknown", "down")


class _Wanted:
    """Since when somebody wanted a unit to be down, and since when nobody did: it was up again, or went down itself."""

    def __init__(self, unit: Sequence[Lived], kind: KindOf) -> None:
        told: list[tuple[datetime, bool]] = []
        for lived in unit:
            if lived.carried is not None:
                told.append((lived.spans[0].since, lived.carried.kind in PLANNED))
            was_up = False
            for span in lived.spans:
                is_up = kind(span.state) == "up"
                if span.cause is not None:
                    told.append((span.since, span.cause.kind in PLANNED))
                elif is_announced(span.state):
                    told.append((span.since, True))
                elif is_up or was_up:
                    told.append((span.since, False))
                was_up = is_up
        # What one container says of one instant stays in its order.
        self._told = sorted(told, key=lambda each: each[0])
        self._at = [at for at, _ in self._told]

    def at(self, moment: datetime) -> bool:
        """Whether what was down then was told to be."""
        place = bisect_right(self._at, moment)
        return place > 0 and self._told[place - 1][1]


def crashes(unit: Iterable[Lived]) -> list[datetime]:
    """When containers of which one takes the other's place crashed."""
    return sorted(span.since for lived in unit for span in lived.spans if is_crash(span))


def loops(crashes: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """From the first to the last crash of each loop."""
    place = 0
    while place + CRASHES <= len(crashes):
        last = place + CRASHES - 1
        if crashes[last] - crashes[place] > WITHIN:
            place += 1
            continue
        while last + 1 < len(crashes) and crashes[last + 1] - crashes[last] <= QUIET:
            last += 1
        yield crashes[place], crashes[last]
        place = last + 1

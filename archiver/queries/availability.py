"""How long something was up, down, planned to be down, or not watched: reckoned from states, stops and gaps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from archiver.model import Gap, Span
from archiver.queries.causes import is_announced
from archiver.queries.containers import KindOf, Lived

Status = Literal["up", "down", "planned", "unknown"]
CRASHES, WITHIN, QUIET = 3, timedelta(minutes=10), timedelta(minutes=10)
"""So many crashes within so long make a loop, which ends with the last one before so long a quiet."""
_PLANNED = frozenset({"told", "forced"})


class Piece(NamedTuple):
    """A stretch of time in which something was so."""

    since: datetime
    until: datetime
    status: Status


def pieces(lived: Lived, kind: KindOf, end: datetime) -> Iterator[Piece]:
    """What is known of a container, stretch by stretch; nothing of the time at which it is no more."""
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


_STATUS: dict[str, Status] = {"up": "up", "down": "down", "starting": "down"}


def _doubts(span: Span, gaps: Sequence[Gap], until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From when until when nobody knows whether a state still is: from each gap on until it is told again."""
    if span.assumed:
        yield span.since, min(span.seen, default=until)
    for gap in gaps:
        since = span.since if gap.since is None else max(gap.since, span.since)
        over = until if gap.until is None else min(gap.until, until)
        if since >= over or (over - span.since < timedelta(seconds=1) and span.since.microsecond == 0):
            continue
        again = [seen for seen in span.seen if gap.until is not None and seen >= gap.until]
        yield since, min(again, default=until) if gap.until is None or gap.until < until else over


def together(unit: Sequence[Lived], kind: KindOf, end: datetime) -> Iterator[Piece]:
    """What is known of containers of which one takes the place of the other: up where any is."""
    known = [piece for lived in unit for piece in pieces(lived, kind, end)]
    if not known:
        return
    wanted, loops = _Wanted(unit), list(_loops(_crashes(unit)))
    for since, until, status in _swept(known):
        if status == "up" and any(first <= since < last for first, last in loops):
            status = "down"
        yield Piece(since, until, "planned" if status == "down" and wanted.at(since) else status)


def _swept(known: Iterable[Piece]) -> Iterator[Piece]:
    """The best of several at each instant; where there is none between two, it is down."""
    steps: list[tuple[datetime, Status, int]] = []
    for piece in known:
        steps += ((piece.since, piece.status, 1), (piece.until, piece.status, -1))
    counts: dict[Status, int] = {"up": 0, "down": 0, "planned": 0, "unknown": 0}
    reached: datetime | None = None
    for at, status, step in sorted(steps):
        if reached is not None and at > reached:
            yield Piece(reached, at, next((each for each in ("up", "unknown", "down") if counts[each]), "down"))
        counts[status] += step
        reached = at


class _Wanted:
    """Since when somebody wanted a unit to be down, and since when nobody did."""

    def __init__(self, unit: Sequence[Lived]) -> None:
        told: list[tuple[datetime, bool]] = []
        for lived in unit:
            if lived.carried is not None:
                told.append((lived.spans[0].since, lived.carried.kind in _PLANNED))
            for span in lived.spans:
                if span.cause is not None:
                    told.append((span.since, span.cause.kind in _PLANNED))
                elif is_announced(span.state):
                    told.append((span.since, True))
        self._told = sorted(told)
        self._at = [at for at, _ in self._told]

    def at(self, moment: datetime) -> bool:
        """Whether what was down then was told to be."""
        place = bisect_right(self._at, moment)
        return place > 0 and self._told[place - 1][1]


def _crashes(unit: Sequence[Lived]) -> list[datetime]:
    return sorted(
        span.since for lived in unit for span in lived.spans if span.cause and span.cause.kind in ("crash", "oom")
    )


def _loops(crashes: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
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

"""Ends a session where the clock of this machine was set, and begins another one by the new clock."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta

from archiver.model import (
    Closed,
    Condition,
    Item,
    Message,
    Micros,
    Observed,
    Opened,
    duration,
    iso,
    now_micros,
)

log = logging.getLogger(__name__)

TOLERANCE: Micros = 1_000_000
"""Less than that between two looks is no step: clocks are slewed by half a millisecond a second (adjtimex(2))."""
_AT_ONCE: Micros = 100_000
"""For longer than that nobody may have run between the readings of two clocks that are compared."""
_READINGS = 10
_LIKELY: Micros = 500_000
"""An item that is no later than so much after the one before it shows by itself that the clock was not set."""


class Clock:
    """The two clocks of this machine: one that people set, and one that only goes, also while the machine sleeps."""

    def read(self) -> tuple[Micros, Micros]:
        """Both at one instant: since 1970, and since the machine was started."""
        for _ in range(_READINGS):
            before = _since_boot()
            wall = now_micros()
            if (after := _since_boot()) - before < _AT_ONCE:
                break
        return wall, (before + after) // 2


def _since_boot() -> Micros:
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1000


def split_at_steps(items: Iterable[Item], clock: Clock) -> Iterator[Item]:
    """The items of a source, each session split where the clock was set; the connection stays as it is.

    Set forward, it leaves a gap as long as the step: the times in it never were. Set back, the first part ends where
    the second one begins (be that before its own beginning), so that no time is claimed by a part that may be over
    before it comes again.
    """
    session: _Session | None = None
    for item in items:
        if isinstance(item, Opened):
            session = _Session(item, clock)
            yield item
        elif session is None or isinstance(item, Condition):
            yield item
        else:
            yield from session.passed(item)
            if isinstance(item, Closed):
                session = None


class _Session:
    """One connection, and the part of it that is open."""

    def __init__(self, opened: Opened, clock: Clock) -> None:
        self._clock = clock
        self._stream, self._key, self._dialect = opened.stream, opened.session, opened.dialect
        self._part = opened
        self._ahead = self._difference()
        self._latest = opened.at

    def _difference(self) -> Micros:
        wall, since_boot = self._clock.read()
        return wall - since_boot

    def passed(self, item: Item) -> Iterator[Item]:
        """An item of the connection, as one of the part it belongs to; before it the end of a part, if there is one."""
        assert not isinstance(item, (Opened, Condition))
        at = item.received_at if isinstance(item, Message) else item.at
        # An answer is dated by what was asked, perhaps long before; it shows nothing of the clock.
        if not (isinstance(item, Observed) or 0 <= at - self._latest <= _LIKELY):
            wall, since_boot = self._clock.read()
            step = wall - since_boot - self._ahead
            is_old = abs(at - (wall - step)) < abs(at - wall)
            if abs(step) < TOLERANCE:
                self._ahead += step
            elif not is_old:
                yield from self._split(at, step)
            elif isinstance(item, Closed):
                at = max(self._part.at, min(at, at + step))
                item = item._replace(at=at)
            self._latest = at
        yield item if self._part.session == self._key else item._replace(session=self._part.session)

    def _split(self, at: Micros, step: Micros) -> Iterator[Item]:
        self._ahead += step
        ended = at - step if step > 0 else at
        way = "forward" if step > 0 else "back"
        reason = f"the clock was set {way} by {duration(timedelta(microseconds=abs(step)))}"
        log.warning("%s, to %s; the session of %s is split there", reason, iso(at), self._stream)
        yield Closed(self._stream, self._part.session, ended, reason, "clock")
        self._part = Opened(self._stream, secrets.token_hex(8), self._dialect, at, at)
        yield self._part

"""Ends a session where the clock of this machine was set, and begins another one by the new clock."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from archiver.codec.streams import without_user
from archiver.errors import ArchiverError
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
from archiver.platforms.protocol import Notes

log = logging.getLogger(__name__)

TOLERANCE: Micros = 1_000_000
"""Less than that between two looks is no step: clocks are slewed by half a millisecond a second (adjtimex(2))."""
_AT_ONCE: Micros = 100_000
"""For longer than that nobody may have run between the readings of two clocks that are compared."""
_READINGS = 10
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NOTE = "clock of {}"
_NOTE_EVERY: Micros = 60_000_000
"""A daemon that is killed was listening for so much less than it was, when the clock is set back before the next."""
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

    @cached_property
    def boot(self) -> str:
        """Which start of the machine the second clock counts from; "" where that cannot be told."""
        try:
            return _BOOT.read_text().strip()
        except OSError:
            return ""

    @property
    def ahead(self) -> Micros:
        """By how much the first clock is ahead of the second."""
        wall, since_boot = self.read()
        return wall - since_boot


def _since_boot() -> Micros:
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1000


def split_at_steps(items: Iterable[Item], clock: Clock, notes: Notes | None = None) -> Iterator[Item]:
    """The items of a source, each session split where the clock was set; the connection stays as it is.

    Set forward, it leaves a gap as long as the step: the times in it never were. Set back, the first part ends where
    the second one begins (be that before its own beginning), so that no time is claimed by a part that may be over
    before it comes again. What was set between two sessions is seen, too, as long as the machine was not started anew;
    `notes` keep the last one from one run to the next.
    """
    session: _Session | None = None
    last: _Last | None = None
    for item in items:
        # Every message passes here, and nearly all right behind the one before.
        if type(item) is Message and session is not None and session.follows(item.received_at):
            yield item
            continue
        if isinstance(item, Opened):
            last = last or _noted(notes, item.stream)
            if last is not None:
                yield from last.corrected(item, clock)
            session = _Session(item, clock)
            yield item
        elif session is None or isinstance(item, Condition):
            yield item
            continue
        else:
            yield from session.passed(item)
        last = session.last(last, notes, is_over=isinstance(item, Closed))
        if isinstance(item, Closed):
            session = None


class _Last(NamedTuple):
    """What is known of a session once it is over."""

    boot: str
    ahead: Micros
    session: str
    at: Micros
    """When it was last heard, by the clock of then."""

    def corrected(self, opened: Opened, clock: Clock) -> Iterator[Item]:
        """The end of that session by the clock that counts at the opening of the next, if it was set back meanwhile."""
        step = clock.ahead - self.ahead
        if not self.boot or self.boot != clock.boot or abs(step) < TOLERANCE:
            return
        reason = _said(step)
        log.warning("%s while nobody listened to %s", reason, opened.stream)
        if step < 0:
            yield Closed(opened.stream, self.session, self.at + step, reason, "clock")


def _noted(notes: Notes | None, stream: str) -> _Last | None:
    with suppress(ArchiverError, ValueError, TypeError):
        text = None
        if notes is not None:  # as it was called before anybody kept who logs in
            text = notes.noted(_NOTE.format(stream)) or notes.noted(_NOTE.format(without_user(stream)))
        return None if text is None else _Last(*json.loads(text))
    return None


def _said(step: Micros) -> str:
    return f"the clock was set {'forward' if step > 0 else 'back'} by {duration(timedelta(microseconds=abs(step)))}"


class _Session:
    """One connection, and the part of it that is open."""

    def __init__(self, opened: Opened, clock: Clock) -> None:
        self._clock = clock
        self._stream, self._key, self._dialect = opened.stream, opened.session, opened.dialect
        self._part = opened
        self._ahead = clock.ahead
        self._latest = opened.at

    def follows(self, at: Micros) -> bool:
        """Whether what was heard then is right behind the one before, in a session that was never split."""
        if self._part.session != self._key or not 0 <= at - self._latest <= _LIKELY:
            return False
        self._latest = at
        return True

    def last(self, before: _Last | None, notes: Notes | None, *, is_over: bool) -> _Last:
        """What is known of it now; noted when it begins and ends, and now and then between."""
        known = before is not None and before.session == self._part.session
        if before is not None and known and not is_over and 0 <= self._latest - before.at < _NOTE_EVERY:
            return before
        last = _Last(self._clock.boot, self._ahead, self._part.session, self._latest)
        if notes is not None:
            with suppress(ArchiverError):
                notes.note(_NOTE.format(self._stream), json.dumps(last))
        return last

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
        reason = _said(step)
        log.warning("%s, to %s; the session of %s is split there", reason, iso(at), self._stream)
        yield Closed(self._stream, self._part.session, ended, reason, "clock")
        self._part = Opened(self._stream, secrets.token_hex(8), self._dialect, at, at)
        yield self._part

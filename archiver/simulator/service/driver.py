"""Lets the simulated platform live: steps it as time passes, and tells the audience what happens."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from archiver.simulator.service import misbehaviour
from archiver.simulator.service.audience import Audience, Item, text_of
from archiver.simulator.world.platform import Platform

_BATCH: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How the platform lives before its audience.

    `speed` is virtual seconds per real second, 0 as fast as the clients read (virtual time then stands still while
    nobody listens). With `live` False nothing happens by itself. `wait_for` clients must be connected before it begins
    to live; after `limit` events delivered to somebody it stands still, and pings are still answered. `plan` maps
    numbers of events to the misbehaviour that follows them.
    """

    speed: float = 1.0
    live: bool = True
    limit: int | None = None
    wait_for: int = 0
    plan: Mapping[int, misbehaviour.Kind] = field(default_factory=dict)


STILL: Final = Pacing(live=False)
"""Nothing happens but what the simulator is told to send."""


class Driver:
    """Steps one platform for its audience; `misbehave` is called when the pacing's plan says so."""

    def __init__(
        self,
        platform: Platform,
        audience: Audience,
        stopping: threading.Event,
        pacing: Pacing,
        *,
        by_the_clock: bool,
        patience: float,
        misbehave: Callable[[misbehaviour.Kind], None],
    ) -> None:
        self._platform, self._audience, self._stopping = platform, audience, stopping
        self._speed, self._by_the_clock = pacing.speed, by_the_clock
        self._limit, self._wait_for = pacing.limit, pacing.wait_for
        self._patience = patience
        self._plan = dict(pacing.plan)
        self._misbehave = misbehave
        self._changed = audience.changed
        self._lived = 0
        self._zero = self._begun = 0.0
        self._running = False
        self._still = False
        self._backlog: deque[Item] = deque()
        self.finished = threading.Event()
        """Set when the platform has come to its limit."""

    def run(self) -> None:
        """Steps the platform until it comes to its limit or is told to stop."""
        if not self._await_clients(self._wait_for):
            return
        with self._changed:
            self._zero, self._begun, self._running = self.anchor(), time.monotonic(), True
        while not self._is_over:
            room = self._room()
            if not room:
                break
            if not self._speed:
                if not self._await_clients(1):
                    return
                batch = self._next_batch(room, None)
            else:
                due = self.now
                batch = self._next_batch(room, due)
                if not batch:
                    self._sleep_until(due)
                    continue
            if not batch:
                break
            sent = self._audience.broadcast(batch, 0.0 if self._speed else self._patience)
            if not sent and not self._speed:
                self._backlog.extendleft(reversed(batch))
            self._lived += sent
            self._follow_plan()
        self.finished.set()

    def stand_still(self) -> None:
        """Has the platform live no further; it answers still."""
        with self._changed:
            self._still = True
            self._changed.notify_all()

    @property
    def now(self) -> float:
        """The virtual time, as far as it has come."""
        if not self._running or not self._speed:
            return self._platform.now
        return max(self._platform.now, self._zero + (time.monotonic() - self._begun) * self._speed)

    def anchor(self) -> float:
        """The virtual time of the first step, which by the wall clock is now."""
        with self._changed:
            zero = self._platform.next_at or 0.0
            if self._by_the_clock:
                self._platform.spelling.anchor(zero, datetime.now(UTC))
        return zero

    def _await_clients(self, number: int) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping.is_set() or len(self._audience) >= number)
        return not self._stopping.is_set()

    def _room(self) -> int:
        """How many events may follow before something else has to be looked at; 0: the limit is reached."""
        stops = [number for number in self._plan if number > self._lived]
        if self._limit is not None:
            stops.append(self._limit)
        return min(_BATCH, min(stops) - self._lived) if stops else _BATCH

    def _sleep_until(self, due: float) -> None:
        """Wait for the next step, or until somebody tells the platform to do something."""
        with self._changed:
            next_at = self._platform.next_at
            seconds = None if next_at is None else max(0.0, (next_at - due) / self._speed)
            self._changed.wait_for(lambda: self._is_over or self._platform.next_at != next_at, seconds)

    @property
    def _is_over(self) -> bool:
        return self._still or self._stopping.is_set()

    def _next_batch(self, room: int, due: float | None) -> list[Item]:
        platform, backlog = self._platform, self._backlog
        with self._changed:
            while len(backlog) < room and (next_at := platform.next_at) is not None:
                if due is not None and next_at > due:
                    break
                backlog.extend((text_of(event), event) for event in platform.step())
        return [backlog.popleft() for _ in range(min(room, len(backlog)))]

    def _follow_plan(self) -> None:
        kind = self._plan.pop(self._lived, None)
        if kind is not None:
            self._misbehave(kind)

"""How fast, how often and how late something is told: values of time, and what counts it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from archiver.queries.waking import Place
from archiver.storage.causes import TOLD_AFTER

Progress = Callable[[], tuple[int, int]]
"""How much is received, and how much of it is archived, as numbers that only grow."""


class OutwardPace(NamedTuple):
    """All in seconds; the defaults are those of the daemon."""

    look: float = 1.0
    """Between two looks into the archive."""
    share: float = 33.0
    """A look may take one part in so many of a processor's time: it shares that with who archives."""
    settle: float = TOLD_AFTER / 1_000_000 + 5
    """So long after it was archived a stop is judged: an engine may tell only later that somebody wanted it."""
    gap: float = 30.0
    """A gap that lasts so long is told before it is over."""
    answer: float = 15.0
    """How long a server may take."""
    program: float = 30.0
    """How long a program may take."""
    first_delay: float = 1.0
    """Before something that was not taken is told again; each next time twice as long."""
    last_delay: float = 300.0
    give_up: float = 86_400.0
    """How long one thing is told in vain."""
    keep: float = 10.0
    """How often it is written down how far it was read, where nothing is told."""


class Settled:
    """Knows up to where everything was archived so long ago that whatever explains it is archived as well."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._marked: tuple[float, int] | None = None
        self._caught_up = float("-inf")
        self._seen: deque[tuple[float, Place]] = deque()
        self._settled: Place | None = None

    def look(self, end: Place, seconds: float) -> Place | None:
        """The place up to which all was archived so long ago; None: nothing yet. `end` is where the archive ends."""
        now = time.monotonic()
        received, archived = self._progress()
        if self._marked is not None and archived >= self._marked[1]:
            self._caught_up, self._marked = self._marked[0], None
        if self._marked is None:
            self._marked = (now, received)
        if not self._seen or self._seen[-1][1] != end:
            self._seen.append((now, end))
        while self._seen and self._seen[0][0] + seconds <= self._caught_up:
            self._settled = self._seen.popleft()[1]
        return self._settled

    def forget(self) -> None:
        """Another archive begins."""
        self._seen.clear()
        self._settled = None


class Bucket:
    """Lets so many through a minute, a minute's worth at once."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._left = float(per_minute)
        self._at = time.monotonic()

    def take(self) -> bool:
        """Whether one may go through now."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._most / 60)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def empty(self) -> None:
        """Lets nothing through for a while."""
        self._left = 0.0

"""Notices when this process did not run for a while: it was stopped or frozen, or slept; nobody listened meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable

from archiver.model import Micros, now_micros
from archiver.platforms.wire.liveness import elapsed

LOOK = 0.5
"""Seconds between two looks of whoever has nothing else to do."""


class Lapses:
    """Stretches in which no thread of this process looked at the clock, though one does all the time.

    An engine goes on telling meanwhile, to whoever does not read, and leaves out what finds no room.
    """

    def __init__(
        self,
        longest: float,
        monotonic: Callable[[], float] = elapsed,
        wall: Callable[[], Micros] = now_micros,
    ) -> None:
        """`longest`: the seconds between two looks that are no such stretch: a busy machine lets threads wait."""
        self._longest, self._monotonic, self._wall = longest, monotonic, wall
        self._lock = threading.Lock()
        self._looked, self._looked_at = monotonic(), wall()
        self._since: Micros | None = None

    def look(self) -> None:
        """Looks at the clock; for any thread."""
        with self._lock:
            now = self._monotonic()
            if now - self._looked > self._longest and self._since is None:
                self._since = self._looked_at
            self._looked, self._looked_at = now, self._wall()

    def taken(self) -> Micros | None:
        """Since when nobody listened, where that has come to an end since this was asked last."""
        self.look()
        with self._lock:
            since, self._since = self._since, None
        return since

"""Knows up to where all is archived that may explain what stands there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from archiver.queries.waking import Place

Progress = Callable[[], tuple[int, int]]
"""How much is received, and how much of it is archived, as numbers that only grow."""


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

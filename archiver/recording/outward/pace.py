"""How fast, how often and how late something is told."""

from __future__ import annotations

import time
from typing import NamedTuple

from archiver.storage.causes import TOLD_AFTER


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

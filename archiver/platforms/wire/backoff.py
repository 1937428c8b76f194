"""How long to wait before the next try."""

from __future__ import annotations

import random


class Backoff:
    """Delays that double from `first` to `most` seconds, each drawn at random so that many clients do not come at once.

    A delay lies between `low` times the ceiling and `high` times it; the default, 0 to 1, is full jitter
    (AWS Architecture Blog, "Exponential Backoff And Jitter").
    """

    def __init__(
        self, first: float, most: float, *, low: float = 0.0, high: float = 1.0, seed: int | None = None
    ) -> None:
        self._first = first
        self._most = most
        self._low = low
        self._high = high
        self._random = random.Random(seed)
        self._ceiling = first

    def next(self) -> float:
        """Seconds to wait now; the next wait will be longer."""
        ceiling = self._ceiling
        self._ceiling = min(self._most, ceiling * 2)
        return min(self._most, self._random.uniform(self._low * ceiling, self._high * ceiling))

    def lower(self, to: float) -> None:
        """The next wait is at most about `to` seconds."""
        self._ceiling = min(self._ceiling, to)

    def reset(self) -> None:
        """Begin again with short waits."""
        self._ceiling = self._first

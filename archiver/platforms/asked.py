"""One round of questions to a platform in a thread of its own: neither an event nor the archive waits for an answer."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from archiver.model import Micros, Observed
from archiver.platforms.protocol import Asker

_MOST_WAITING = 16
"""Answers that wait for their turn; meanwhile nothing more is asked."""


class Asked:
    """The answers between the thread that asks and who hands them on.

    Each waits for `settle` seconds for the events that were under way, which know better.
    """

    def __init__(self, settle: float, look: float = 0.05, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`look`: seconds between two looks of the thread at whether an answer was taken."""
        self.over = threading.Event()
        """To be set when nobody wants an answer any more."""
        self._settle, self._look, self._monotonic = settle, look, monotonic
        self._waiting: deque[tuple[float, Observed]] = deque()
        """From when on each may be handed on."""

    def ask(self, asker: Asker, since: Micros, known_from: Micros) -> float:
        """Asks all that is to be asked (`Asker.ask`), by whoever holds `asker.asking`; comes back when all is taken.

        Returns the seconds that the platform was kept busy: what an answer waits for its turn is no load on it.
        """
        answers, busy = asker.ask(since, known_from, self.over), 0.0
        while True:
            began = self._monotonic()
            observed = next(answers, None)
            busy += self._monotonic() - began
            if observed is None:
                break
            while len(self._waiting) >= _MOST_WAITING and not self.over.wait(self._look):
                pass
            self._waiting.append((self._monotonic() + self._settle, observed))
        while self._waiting and not self.over.wait(self._look):
            pass
        return busy

    def next(self) -> Observed | None:
        """The next answer that has waited long enough; costs next to nothing where there is none."""
        if not self._waiting or self._waiting[0][0] > self._monotonic():
            return None
        return self._waiting.popleft()[1]

"""Waits for a connection beside who listens: says now and then that there is none, and gives the first one up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FIRST_PAUSE = 2.0
"""Seconds until it is said that there is no connection; each next time twice as many."""


class Patience:
    """How long is waited for the first connection, in `seconds`; for one that was lost, for ever.

    With None it is tried for ever, with 0 once: the first failure is the end of it.
    """

    def __init__(self, seconds: float | None, say: Callable[[str], None], first_pause: float = FIRST_PAUSE) -> None:
        self._once, self._say, self._first_pause = seconds == 0, say, first_pause
        self._moved = threading.Condition()
        self._connected = self._ended = False
        self._deadline: float | None = time.monotonic() + seconds if seconds else None
        self.over = threading.Event()
        """Set when the first connection could not be had in time."""
        self.reason = "no answer yet"
        """Why there is no connection."""

    @contextmanager
    def about(self, stream: str) -> Iterator[None]:
        """Waits until the end of the block."""
        thread = threading.Thread(target=self._wait, args=(stream,), name="patience", daemon=True)
        thread.start()
        try:
            yield
        finally:
            with self._moved:
                self._ended = True
                self._moved.notify_all()
            thread.join()

    def rewarded(self) -> None:
        """There is a connection."""
        with self._moved:
            self._connected, self._deadline, self._once = True, None, False
            self._moved.notify_all()

    def lost(self, reason: str) -> None:
        """There is none, and why."""
        with self._moved:
            self._connected, self.reason = False, reason
            if self._once:
                self.over.set()
            self._moved.notify_all()

    def _wait(self, stream: str) -> None:
        with self._moved:
            while not self._ended and not self.over.is_set():
                self._moved.wait_for(lambda: self._ended or not self._connected)
                self._wait_for_one(stream)

    def _wait_for_one(self, stream: str) -> None:
        began, pause = time.monotonic(), self._first_pause
        say_at = began + pause
        while not (self._ended or self._connected):
            until = say_at if self._deadline is None else min(say_at, self._deadline)
            self._moved.wait_for(lambda: self._ended or self._connected, max(0.0, until - time.monotonic()))
            now = time.monotonic()
            if self._deadline is not None and now >= self._deadline and not self._connected:
                self.over.set()
                return
            if now >= say_at and not (self._ended or self._connected):
                self._say(f"no connection to {stream} for {now - began:.0f} s: {self.reason}")
                pause *= 2
                say_at = now + pause

"""Asks an engine who it is, and again and again whether it is there."""

from __future__ import annotations

from archiver.model import now_micros
from archiver.platforms.docker.asking import Asking
from archiver.platforms.docker.http import FAILURES, describe
from archiver.platforms.docker.inbox import Introduced, Pulse

_REFUSED = (401, 403, 404)


class Pulses(Asking):
    """Tells who the engine is, then of each sign of life; any answer is one."""

    _asked = float("-inf")
    _due: float | None = 0.0
    """When to ask who it is; None: never again."""

    def introduce_again(self) -> None:
        """The clock of the engine was set, or it has joined a swarm; it is asked at once, but not again and again."""
        self._due = 0.0
        if self._pace.monotonic() - self._asked > self._pace.alive_every:
            self._wake.set()

    def _run(self) -> None:
        while not self._over:
            if self._due is not None and self._pace.monotonic() >= self._due:
                self._introduce()
            if self._over:
                return
            self._inbox.put(self._pulse())
            self._pause(self._pace.alive_every)

    def _introduce(self) -> None:
        self._due, self._asked = None, self._pace.monotonic()
        try:
            answer = self._api.get("/info", self._pace.introduction)
        except FAILURES:
            answer = None
        if answer is None or (answer.value is None and answer.status not in _REFUSED):
            self._due = self._pace.monotonic() + self._pace.introduce_again
        self._inbox.put(Introduced(answer))

    def _pulse(self) -> Pulse:
        at = now_micros()
        try:
            answer = self._api.get("/_ping", self._pace.patience)
        except FAILURES as exc:
            return Pulse(at, now_micros(), describe(exc))
        return Pulse(answer.asked, answer.came, None, answer.date)

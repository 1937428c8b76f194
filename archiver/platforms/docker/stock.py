"""Asks an engine about its objects: one question at a time, those that were not answered again later."""

from __future__ import annotations

import threading
from collections import OrderedDict

from archiver.platforms.docker.asking import Asking
from archiver.platforms.docker.http import FAILURES, Answer, Api
from archiver.platforms.docker.inbox import Inbox, Question, Told
from archiver.platforms.docker.pace import DockerPace

MOST_WAITING = 10_000


class Stock(Asking):
    """Some questions hang in an engine that is otherwise well: they are passed over, and not given up.

    No more than `MOST_WAITING` wait. What finds no room is refused; the next list is the occasion to ask again.
    """

    def __init__(self, api: Api, inbox: Inbox, pace: DockerPace) -> None:
        super().__init__("docker-stock", api, inbox, pace)
        self._lock = threading.Lock()
        self._soon: OrderedDict[Question, None] = OrderedDict()
        self._queue: OrderedDict[Question, None] = OrderedDict()
        self._later: dict[Question, float] = {}
        """When each is to be asked."""
        self._failed: dict[Question, int] = {}
        """How often each was not answered that waits to be asked again."""
        self._asking: Question | None = None
        """What is being asked; None once the answer is of no more use."""

    def want(self, question: Question, *, soon: bool = False) -> bool:
        """Asks a question when its turn comes, or before all others; one that waits already is asked once.

        False when too many wait.
        """
        with self._lock:
            if not self._has_room(question):
                return False
            if not self._waits(question):
                (self._soon if soon else self._queue)[question] = None
        self._wake.set()
        return True

    def want_later(self, question: Question, seconds: float) -> bool:
        """Asks a question after a while; False when too many wait."""
        with self._lock:
            if not self._has_room(question):
                return False
            if not self._waits(question):
                self._later[question] = self._pace.monotonic() + seconds
        self._wake.set()
        return True

    def drop(self, question: Question) -> None:
        """Asks a question no more: its object is there no more."""
        with self._lock:
            for waiting in (self._soon, self._queue, self._later, self._failed):
                waiting.pop(question, None)
            if self._asking == question:
                self._asking = None

    def waits(self, question: Question) -> bool:
        """Whether a question is still to be asked."""
        with self._lock:
            return self._waits(question)

    def _waits(self, question: Question) -> bool:
        return question in self._soon or question in self._queue or question in self._later

    def _has_room(self, question: Question) -> bool:
        return len(self._soon) + len(self._queue) + len(self._later) < MOST_WAITING or self._waits(question)

    def _run(self) -> None:
        while not self._over:
            question, pause = self._next()
            if question is None:
                self._pause(pause)
                continue
            answer = self._ask(question)
            if self._over:
                return
            if answer is None or answer.status >= 500:
                self._put_off(question)
            else:
                self._failed.pop(question, None)
                answer.value  # noqa: B018 - a long list is read here, where no event waits for it
            self._inbox.put(Told(question, answer))

    def _next(self) -> tuple[Question | None, float | None]:
        """The next question; without one, how long until one is due."""
        with self._lock:
            now, first = self._pace.monotonic(), min(self._later, key=self._later.__getitem__, default=None)
            if first is not None and self._later[first] <= now:
                del self._later[first]
                self._queue[first] = None
            if waiting := self._soon or self._queue:
                self._asking = waiting.popitem(last=False)[0]
                return self._asking, None
            return None, self._later[first] - now if first is not None else None

    def _ask(self, question: Question) -> Answer | None:
        seconds = min(self._pace.question * 2 ** self._failed.get(question, 0), self._pace.patience)
        try:
            return self._api.get(question.path, seconds)
        except FAILURES:
            return None

    def _put_off(self, question: Question) -> None:
        with self._lock:
            if self._asking != question:
                return
            tries = self._failed[question] = min(self._failed.get(question, 0) + 1, 10)
        seconds = min(self._pace.ask_again * 2 ** (tries - 1), self._pace.longest_ask_again)
        if question.key and not self.want_later(question, seconds):  # a list is asked for again anyway
            self._failed.pop(question, None)

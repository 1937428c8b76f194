"""Asks an engine about its objects: one question at a time, those that were not answered again later."""

from __future__ import annotations

import heapq
import threading
from collections import deque
from itertools import count

from archiver.platforms.docker.asking import Asking
from archiver.platforms.docker.http import FAILURES, Answer, Api
from archiver.platforms.docker.inbox import Inbox, Question, Told
from archiver.platforms.docker.pace import DockerPace


class Stock(Asking):
    """Some questions hang in an engine that is otherwise well: they are passed over, and never given up."""

    def __init__(self, api: Api, inbox: Inbox, pace: DockerPace) -> None:
        super().__init__("docker-stock", api, inbox, pace)
        self._lock = threading.Lock()
        self._soon: deque[Question] = deque()
        self._queue: deque[Question] = deque()
        self._waiting: set[Question] = set()
        self._later: list[tuple[float, int, Question]] = []
        self._order = count()
        self._failed: dict[Question, int] = {}

    def want(self, question: Question, *, soon: bool = False) -> None:
        """Asks a question when its turn comes, or before all others; one that waits already is asked once."""
        with self._lock:
            if question in self._waiting:
                return
            self._waiting.add(question)
            (self._soon if soon else self._queue).append(question)
        self._wake.set()

    def want_later(self, question: Question, seconds: float) -> None:
        """Asks a question after a while."""
        with self._lock:
            if question not in self._waiting:
                self._waiting.add(question)
                heapq.heappush(self._later, (self._pace.monotonic() + seconds, next(self._order), question))
        self._wake.set()

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
            now = self._pace.monotonic()
            if self._later and self._later[0][0] <= now:
                self._queue.append(heapq.heappop(self._later)[2])
            waiting = self._soon or self._queue
            if waiting:
                question = waiting.popleft()
                self._waiting.discard(question)
                return question, None
            return None, self._later[0][0] - now if self._later else None

    def _ask(self, question: Question) -> Answer | None:
        seconds = min(self._pace.question * 2 ** self._failed.get(question, 0), self._pace.patience)
        try:
            return self._api.get(question.path, seconds)
        except FAILURES:
            return None

    def _put_off(self, question: Question) -> None:
        tries = self._failed[question] = min(self._failed.get(question, 0) + 1, 10)
        if question.key:  # a list is asked for again anyway
            self.want_later(question, min(self._pace.ask_again * 2 ** (tries - 1), self._pace.longest_ask_again))

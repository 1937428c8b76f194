"""Where the threads of one connection leave what they have heard, for the one that listens to them all."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Any, NamedTuple

from archiver.model import EndKind, Micros
from archiver.platforms.docker.http import Answer

Json = dict[str, Any]
_OVERHEAD = 200
"""Bytes that a message takes in memory beside its own, however short it is."""


def held(line: bytes) -> int:
    """How many bytes a message takes while it waits."""
    return len(line) + _OVERHEAD


_MOST_ANSWERS = 2
"""So many wait at once; who asked for more waits with his."""


class Arrival(NamedTuple):
    """One message of the stream."""

    at: Micros
    line: bytes
    refused: str | None = None


class Ended(NamedTuple):
    """The stream brings no more."""

    reason: str
    kind: EndKind = "lost"


class Introduced(NamedTuple):
    """An answer to the question who the engine is; None when there was none."""

    answer: Answer | None


class Recalled(NamedTuple):
    """What the engine remembers; None when it did not tell."""

    lines: list[bytes] | None
    asked: Micros = 0
    """When it was asked for, by our clock."""


class Pulse(NamedTuple):
    """A sign of life, or why there was none."""

    at: Micros
    """When it was asked for."""
    came: Micros
    failure: str | None = None
    date: Micros | None = None
    """The engine's clock then, to the second."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about: all objects of a type (no key), or one of them."""

    kind: str
    key: str
    path: str


class Told(NamedTuple):
    """The answer to a question about objects; None when there was none in time."""

    question: Question
    answer: Answer | None


Heard = Arrival | Ended | Introduced | Recalled | Pulse | Told


class Inbox:
    """A queue of whatever was heard. Messages may wait in it up to a number of bytes, answers up to a number."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._waiting = 0
        self._lock = threading.Lock()
        self._room = threading.Semaphore(_MOST_ANSWERS)
        self._heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self.closed = threading.Event()
        """Set when nobody listens any more."""

    def put(self, heard: Heard) -> bool:
        """Leaves something; False when more messages wait now than may. An answer waits for its turn."""
        if type(heard) is Arrival:
            with self._lock:
                self._waiting += held(heard.line)
                full = self._waiting > self._most
            self._heard.put(heard)
            return not full
        if type(heard) in (Told, Recalled):
            while not self._room.acquire(timeout=0.5):
                if self.closed.is_set():
                    return False
        self._heard.put(heard)
        return True

    def get(self, timeout: float) -> Heard | None:
        """What was heard next; None when `timeout` seconds brought nothing."""
        try:
            heard = self._heard.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None
        if type(heard) is Arrival:
            with self._lock:
                self._waiting -= held(heard.line)
        elif type(heard) in (Told, Recalled):
            self._room.release()
        return heard

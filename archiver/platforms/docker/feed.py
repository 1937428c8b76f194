"""Reads the one answer of an engine that never ends: its messages, all that it remembers first."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPResponse
from typing import NamedTuple

from archiver.codec.framing import JsonObjects
from archiver.errors import StreamUnreachable
from archiver.model import Micros, now_micros
from archiver.platforms.docker import podman
from archiver.platforms.docker.endpoint import Endpoint
from archiver.platforms.docker.http import (
    CLOSED,
    FAILURES,
    MOVED,
    Connection,
    Limits,
    Way,
    date_of,
    describe,
    refusal,
    version_of,
)
from archiver.platforms.docker.inbox import Arrival, Ended, Inbox
from archiver.platforms.docker.marks import ServerSent
from archiver.platforms.wire.logtext import plain, unexpected

# The engine gives its memory back up to the first message, backwards, that is older than `since`; as messages are not
# quite in order of time, only asking for all of it is sure to bring all of it.
PATH = "/events?since=0"
_FORBIDDEN = frozenset({403, 404})
_BODY = _PIECE = 64 << 10
_LOOK = 0.02
COMPARED_EVERY = 128
"""After how many messages the engine's memory is to be compared: it holds twice as many."""


class _Refused(NamedTuple):
    """An answer that is not the stream."""

    status: int
    reason: str
    version: str | None
    """The version of the API that it names."""


class Feed:
    """The engine's stream of messages.

    A thread reads it without a pause: when a reader falls a thousand messages behind, an engine drops them, and tells
    nobody. What is not asked for in time waits in memory; when that is full, the connection is ended instead.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        way: Way,
        patience: float,
        limits: Limits,
        inbox: Inbox,
        resume: str | None,
        many_passed: Callable[[], None] = lambda: None,
    ) -> None:
        """`many_passed` is called by the thread that reads, each time that `COMPARED_EVERY` messages have come."""
        self._inbox = inbox
        self._many_passed = many_passed
        self._passed = 0
        self._resume = resume
        self._path = PATH
        self._limits = limits
        self._way = way
        self._connection = Connection(endpoint, patience)
        self._response: HTTPResponse | None = None
        self._thread: threading.Thread | None = None
        self._read_at = 0.0
        self.asked_at: Micros = 0
        self.opened_at: Micros = 0
        self.date: Micros | None = None
        """The engine's clock, to the second, when the stream was opened."""
        self.is_podmans = False
        """Whether it is Podman that answers."""

    def open(self) -> None:
        """Asks for the stream; what it brings goes to the inbox. Raises `FAILURES`, and then is of no more use."""
        self.asked_at = now_micros()
        self._response = self._read_on(self._find())
        self.opened_at, self.date = now_micros(), date_of(self._response)
        self._connection.patient(None)
        self._thread = threading.Thread(target=self._read, args=(self._response,), name="docker-events", daemon=True)
        self._thread.start()

    def _read_on(self, response: HTTPResponse) -> HTTPResponse:
        """The stream from the last message on, of an engine that remembers a whole log and looks at times alone."""
        self.is_podmans = podman.answered(response.headers)
        since = podman.since(self._resume) if self.is_podmans else None
        if since is None:
            return response
        self._path = f"/events?since={since}"
        response.close()
        self._connection.release()
        return self._find()

    def _find(self) -> HTTPResponse:
        """The stream, at whichever of its paths it is to be had: a proxy may allow only one with a version."""
        first = self._ask(self._way.prefix)
        if isinstance(first, HTTPResponse):
            return first
        if first.status in _FORBIDDEN or (first.status in MOVED and first.version):
            prefixes = dict.fromkeys(self._way.others(first.version or self._told_version()))
            for prefix in list(prefixes):
                found = self._ask(prefix)
                if isinstance(found, _Refused) and found.version and f"/v{found.version}" not in prefixes:
                    prefix = f"/v{found.version}"
                    found = self._ask(prefix)
                if isinstance(found, HTTPResponse):
                    self._way.prefix = prefix
                    return found
        raise StreamUnreachable(stream=self._connection.endpoint.url, reason=first.reason)

    def _ask(self, prefix: str) -> HTTPResponse | _Refused:
        response = self._connection.ask(prefix + self._path)
        page = response.headers.get_content_type() == "text/html"
        if response.status == 200 and not page:
            return response
        body = response.read(_BODY)
        if not response.isclosed():
            self._connection.release()
        reason = refusal(response.status, body, response.headers.get("Location"))
        return _Refused(response.status, reason, version_of(response, body))

    def _told_version(self) -> str | None:
        """The version that the engine names where it may be asked for it."""
        for path in ("/_ping", "/version"):
            response = self._connection.ask(path)
            body = response.read(_BODY)
            if not response.isclosed():
                self._connection.release()
            if told := version_of(response, body):
                return told
            with suppress(ValueError, KeyError, TypeError, RecursionError):
                if response.status == 200 and type(told := json.loads(body)["ApiVersion"]) is str:
                    return told
        return None

    def falls_silent(self, quiet: float, most: float) -> bool:
        """Waits, at most so many seconds, until the stream has ended or brought nothing for `quiet` seconds."""
        if (thread := self._thread) is None:
            return True
        began = self._read_at = time.monotonic()
        while thread.is_alive() and time.monotonic() - self._read_at < quiet:
            if time.monotonic() - began > most:
                return False
            thread.join(_LOOK)
            if self._connection.waits():  # it has come, and the reader has not had its turn
                self._read_at = time.monotonic()
        return True

    def hang_up(self) -> None:
        """End the stream, from any thread; what has arrived can still be asked for."""
        self._connection.hang_up()

    def close(self) -> None:
        """Give everything back."""
        self.hang_up()
        if self._thread is not None:
            self._thread.join(5)
        if self._response is not None:
            self._response.close()
        self._connection.release()

    def _count(self, came: int) -> None:
        self._passed += came
        if self._passed >= COMPARED_EVERY:
            self._passed = 0
            self._many_passed()

    def _read(self, response: HTTPResponse) -> None:
        reason = CLOSED
        try:
            # What is not complete at the end is not given: the engine tells it again.
            objects, marks = JsonObjects(self._limits.message), ServerSent(response.headers.get_content_type())
            for piece in iter(lambda: response.read1(_PIECE), b""):
                at, self._read_at = now_micros(), time.monotonic()
                told = [self._inbox.put(Arrival(at, line, refused)) for line, refused in marks.off(objects.feed(piece))]
                self._count(len(told))
                if not all(told):
                    reason = f"more than {self._limits.waiting >> 20} MiB of messages were waiting to be stored"
                    break
        except FAILURES as exc:
            reason = describe(exc)
        except Exception as exc:  # noqa: BLE001 - a stream that nobody reads must not look like one that is silent
            reason = plain(unexpected(exc))
        self.hang_up()
        self._inbox.put(Ended(reason))

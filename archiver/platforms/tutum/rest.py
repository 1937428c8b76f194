"""Asks the REST API for pages: with the stream's credentials, within bounds, again where that may help."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from archiver.codec.times import read_moment
from archiver.model import Micros, now_micros
from archiver.platforms.tutum.api import Api
from archiver.platforms.tutum.credentials import Credentials, hidden
from archiver.platforms.wire.backoff import Backoff
from archiver.platforms.wire.deadline import Interrupted
from archiver.platforms.wire.fetch import FAILURES, Fetched, Fetcher, TooLong
from archiver.platforms.wire.logtext import plain, why
from archiver.platforms.wire.proxy import Proxy
from archiver.platforms.wire.retry_after import seconds_of
from archiver.platforms.wire.tls import secure_context, tls_hint

_REFUSED = (401, 403)
_THROTTLED = 429
_LONGEST_REASON = 200
_SECOND = 1_000_000
_TOLERATED = 2 * _SECOND
"""A clock that differs no more than that is taken to be right: the header's date is to the second."""


@dataclass(frozen=True, slots=True)
class RestPace:
    """How long things may take, in seconds, and how much is asked for."""

    answer: float = 90.0
    """The whole of one answer: some servers take a minute."""
    tries: int = 4
    """Of one question."""
    first_wait: float = 1.0
    """Before the second try; each next wait is twice as long."""
    longest_wait: float = 300.0
    """A server that asks to be left alone for longer is asked nothing more for now."""
    page: int = 50
    """Objects of one answer."""
    most_objects: int = 50_000
    """Of one list."""
    most_actions: int = 20_000


class Question(NamedTuple):
    """When something was asked, by our clock, and what that instant was by the platform's, which dates its events."""

    asked: Micros
    at: Micros


class Asked(NamedTuple):
    """What was answered: a JSON value, and when it was so."""

    value: Any
    when: Question


class RestFailed(Exception):
    """A question that got no answer of use, in words that are safe to show."""

    def __init__(self, path: str, reason: str, *, refused: bool = False, answered: bool = False) -> None:
        super().__init__(reason)
        self.path, self.reason = path, reason
        self.refused = refused
        """Whether the credentials are refused, or nothing is to be asked for a while: more questions are of no use."""
        self.answered = answered
        """Whether there was an answer to each, and they only do not fit together."""


class Stopped(Exception):
    """Whoever asked is to end."""


class Rest:
    """One API. Every question is a GET; what is sent is a path that is built here, and the stream's credentials."""

    def __init__(
        self,
        api: Api,
        credentials: Credentials | None = None,
        *,
        proxy: Proxy | None = None,
        context: Callable[[], ssl.SSLContext] = secure_context,
        pace: RestPace | None = None,
        secrets: frozenset[str] = frozenset(),
    ) -> None:
        """No reason that is given has any of the `secrets` in it."""
        self.api = api
        self.pace = pace or RestPace()
        header = {} if credentials is None else {"Authorization": credentials.authorization()}
        self._secrets = secrets | (credentials.forms() if credentials is not None else set())
        self._fetcher = Fetcher(api.origin, header, proxy=proxy, context=context)
        self.questions = 0
        """How many were put."""

    def get(self, path: str, query: Mapping[str, str | int], stop: threading.Event) -> Asked:
        """The JSON at a path. Raises RestFailed, Stopped, and TooLong, which a smaller page may help against."""
        target = f"{path}?{urlencode(query)}" if query else path
        waits = Backoff(self.pace.first_wait, self.pace.longest_wait, low=0.5)
        left = self.pace.tries
        while True:
            left -= 1
            asked = now_micros()
            wait = waits.next()
            try:
                self.questions += 1
                fetched = self._fetcher.get(target, self.pace.answer, stop.is_set)
            except Interrupted as exc:
                raise Stopped from exc
            except TooLong:
                raise
            except FAILURES as exc:
                reason = self._safe(why(exc) + tls_hint(exc))
            else:
                if fetched.status == 200:
                    return self._read(path, fetched, asked)
                reason, wait = self._judged(path, fetched, wait)
            if left <= 0 or wait > self.pace.longest_wait:
                raise RestFailed(path, reason, refused=wait > self.pace.longest_wait)
            if stop.wait(wait):
                raise Stopped

    def _judged(self, path: str, fetched: Fetched, wait: float) -> tuple[str, float]:
        """Why it is no answer, and how long to wait before the next try. Raises RestFailed where that is of no use."""
        reason = self._safe(f"HTTP {fetched.status}{_words(fetched.body)}")
        if fetched.status in _REFUSED:
            raise RestFailed(path, f"credentials refused: {reason}", refused=True)
        if fetched.status != _THROTTLED and fetched.status < 500:
            raise RestFailed(path, reason)
        return reason, max(wait, seconds_of(fetched.fields.get("retry-after", ""), now_micros()))

    def _read(self, path: str, fetched: Fetched, asked: Micros) -> Asked:
        try:
            value = json.loads(fetched.body)
        except (ValueError, RecursionError):
            raise RestFailed(path, "the answer is no JSON") from None
        date, came = read_moment(fetched.fields.get("date")), now_micros()
        ahead = 0 if date is None or abs(date - came) <= _TOLERATED else date - came
        return Asked(value, Question(asked, asked + ahead))

    def _safe(self, text: str) -> str:
        return plain(hidden(text, self._secrets), _LONGEST_REASON)


def _words(body: bytes) -> str:
    """What a refusal says, where it is in the shape that both services had."""
    try:
        value = json.loads(body[:4096])
        words = value.get("error") or value.get("detail")
    except (ValueError, RecursionError, AttributeError):
        return ""
    return f" {words}" if type(words) is str else ""

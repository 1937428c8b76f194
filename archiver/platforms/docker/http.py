"""Speaks HTTP with a Docker Engine, or with the proxy that stands before it."""

from __future__ import annotations

import json
import re
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any

from archiver.errors import StreamUnreachable
from archiver.model import Micros, now_micros, to_micros
from archiver.platforms.docker.endpoint import Endpoint
from archiver.platforms.docker.lines import Line
from archiver.platforms.wire.logtext import plain

FAILURES = (OSError, HTTPException, StreamUnreachable, ValueError)
"""What talking to an engine may raise."""
CLOSED = "closed by the engine"

_PIECE = 65536
# What engines of the last ten years answer to, where nobody tells: 25 and later; 19.03 and Podman; 1.12 and later.
_VERSIONS = ("1.44", "1.41", "1.40", "1.24")
MOVED = frozenset({301, 302, 303, 307, 308})
_VERSIONED = re.compile(r"/v(\d+\.\d+)/events\b")
_NUMBER = re.compile(r"1\.\d{1,3}(?!\d)")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of what an engine says is held, in bytes."""

    message: int = 1 << 20
    """The longest message that is taken whole."""
    answer: int = 64 << 20
    """The longest answer to a question."""
    waiting: int = 32 << 20
    """How much may wait to be stored."""


@dataclass(slots=True)
class Way:
    """How an engine wants to be asked; found out once, and known to all connections of a source."""

    prefix: str = ""
    """What stands before every path: nothing, or a version (`/v1.41`), where a proxy allows no other."""

    def others(self, told: str | None) -> Iterator[str]:
        """The prefixes to try when this one is not taken; `told` is the version that the engine has named."""
        versions = dict.fromkeys([told, *_VERSIONS] if told else _VERSIONS)
        yield from (prefix for prefix in ("", *(f"/v{one}" for one in versions)) if prefix != self.prefix)


class Connection(HTTPConnection):
    """An HTTP connection over whatever leads to the engine."""

    def __init__(self, endpoint: Endpoint, patience: float) -> None:
        host, port = endpoint.host
        super().__init__(host, port, timeout=patience)
        self.endpoint = endpoint
        self.patience = patience
        self.line: Line | None = None
        self._ended = False

    def connect(self) -> None:
        if self.line is not None:
            self.line.close()
        self.line = self.endpoint.dial(self.patience)
        self.sock = self.line.sock
        if self._ended:
            raise ConnectionError(CLOSED)

    def release(self) -> None:
        """Give everything back; not `close`, which the library calls while an answer is still to be read."""
        self.close()
        if self.line is not None:
            self.line.close()
            self.line = None

    def hang_up(self) -> None:
        """End whatever is being asked, from any thread; nothing is asked any more."""
        self._ended = True
        if (line := self.line) is not None:
            line.hang_up()

    def waits(self) -> bool:
        """Whether something has come that nobody has read yet; may be called from any thread."""
        with suppress(OSError, ValueError):  # it is just being closed
            if (line := self.line) is not None:
                poll = select.poll()
                poll.register(line.sock, select.POLLIN)
                return bool(poll.poll(0))
        return False

    def patient(self, seconds: float | None) -> None:
        """How long the next reads may take; where the other side keeps no connection there may be none."""
        if (line := self.line) is not None and line.sock.fileno() >= 0:
            line.sock.settimeout(seconds)

    def ask(self, path: str) -> HTTPResponse:
        """The beginning of an answer. Raises StreamUnreachable, with what ssh had to say, and other `FAILURES`."""
        try:
            self.request("GET", self.endpoint.base + path)
            return self.getresponse()
        except (OSError, HTTPException) as exc:
            words = self.line.words() if self.line is not None and not self._ended else ""
            self.release()
            if not words:
                raise
            reason = plain(f"{describe(exc)}; ssh said: {words}")
            raise StreamUnreachable(stream=self.endpoint.url, reason=reason) from exc


@dataclass(frozen=True)
class Answer:
    """What an engine said to a question."""

    status: int
    body: bytes
    asked: Micros
    came: Micros
    date: Micros | None
    """The engine's clock, to the second, when it answered."""

    @cached_property
    def value(self) -> Any | None:
        """The JSON of a good answer; None of any other."""
        if self.status == 200:
            with suppress(ValueError, RecursionError):
                return json.loads(self.body)
        return None


class Api:
    """Questions to an engine, over one connection that is kept."""

    def __init__(self, endpoint: Endpoint, way: Way, patience: float, limits: Limits) -> None:
        self._way = way
        self._limits = limits
        self._patience = patience
        self._connection = Connection(endpoint, patience)

    def get(self, path: str, seconds: float, quiet: float | None = None) -> Answer:
        """The answer at a path, which may take so many seconds.

        With `quiet`, an answer counts as complete when for so many seconds no more of it came. Raises `FAILURES`.
        """
        kept = self._connection.line is not None
        try:
            return self._exchange(self._way.prefix + path, seconds, quiet)
        except (ConnectionError, HTTPException):
            # A kept connection may have been closed meanwhile; that says nothing about the engine.
            if not kept:
                raise
            return self._exchange(self._way.prefix + path, seconds, quiet)

    def hang_up(self) -> None:
        """End a question that is being asked, from any thread."""
        self._connection.hang_up()

    def close(self) -> None:
        """Give everything back."""
        self._connection.release()

    def _exchange(self, path: str, seconds: float, quiet: float | None) -> Answer:
        deadline = time.monotonic() + seconds
        self._connection.patience = min(self._patience, seconds)
        self._connection.patient(self._connection.patience)
        try:
            asked = now_micros()
            with self._connection.ask(path) as response:
                came = now_micros()
                body, whole = self._read(response, path, deadline, quiet)
        except BaseException:
            self._connection.release()
            raise
        if not whole:
            self._connection.release()
        return Answer(response.status, body, asked, came, date_of(response))

    def _read(self, response: HTTPResponse, path: str, deadline: float, quiet: float | None) -> tuple[bytes, bool]:
        """An answer, and whether that was all of it."""
        body = bytearray()
        while True:
            left = deadline - time.monotonic()
            self._connection.patient(max(0.001, left if quiet is None else min(left, quiet)))
            try:
                piece = response.read1(_PIECE)
            except TimeoutError:
                if quiet is None:
                    raise
                return bytes(body), False
            if not piece:
                return bytes(body), True
            body += piece
            if len(body) > self._limits.answer or time.monotonic() > deadline:
                what = f"is over {self._limits.answer >> 20} MiB" if time.monotonic() <= deadline else "takes too long"
                raise StreamUnreachable(stream=self._connection.endpoint.url, reason=f"the answer to {path} {what}")


def date_of(response: HTTPResponse) -> Micros | None:
    """The engine's clock, to the second, when it answered; None where it does not tell."""
    with suppress(ValueError, TypeError, OverflowError):
        return to_micros(parsedate_to_datetime(response.headers["Date"]))
    return None


def version_of(response: HTTPResponse, body: bytes) -> str | None:
    """The version of the API that an engine names, in a header or when it refuses another one."""
    told = response.headers.get("Api-Version") or ""
    if not told and response.status in MOVED and (moved := _VERSIONED.search(response.headers.get("Location") or "")):
        told = moved[1]
    if not told and response.status == 400:
        told = next(iter(_NUMBER.findall(body.decode(errors="replace"))[::-1]), "")
    return told if _NUMBER.fullmatch(told) else None


def refusal(status: int, body: bytes, location: str | None = None) -> str:
    """Why an engine, or a proxy before it, gave no answer."""
    try:
        text = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        text = " ".join(re.sub(r"<[^>]*>", " ", body.decode(errors="replace")).split())
    where = f" (it points to {location}, which is not followed)" if location else ""
    return plain(f"the engine answered {status}{where}: {text}")


def describe(exc: BaseException) -> str:
    """Why talking to an engine failed, in one short line that is safe to print."""
    if isinstance(exc, StreamUnreachable):
        return str(exc.facts.get("reason"))
    if isinstance(exc, (IncompleteRead, ConnectionResetError, BrokenPipeError)):
        return CLOSED  # RemoteDisconnected is a ConnectionResetError
    if isinstance(exc, PermissionError):
        return "permission denied; the user must be of the group that owns the engine's socket (docker)"
    if isinstance(exc, TimeoutError):
        return "no answer in time"
    return plain(f"{exc.strerror if isinstance(exc, OSError) and exc.strerror else exc or type(exc).__name__}")

"""Speaks HTTP with a Docker Engine: questions with short answers, and the one answer that never ends."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any, NamedTuple

from archiver.errors import StreamUnreachable
from archiver.model import Micros, now_micros
from archiver.platforms.docker.endpoint import Endpoint, Line
from archiver.platforms.wire.logtext import plain
from archiver.platforms.wire.oversize import Oversize

MAX_LINE = 1 << 20
"""Longest message that is taken whole, in bytes."""
MAX_ANSWER = 64 << 20
"""Longest answer to a question, in bytes."""
MAX_WAITING = 32 << 20
"""Most bytes that may wait to be asked for."""
FAILURES = (OSError, HTTPException, StreamUnreachable, ValueError)
"""What talking to an engine may raise."""


class _Connection(HTTPConnection):
    """An HTTP connection over whatever leads to the engine."""

    def __init__(self, endpoint: Endpoint, patience: float) -> None:
        super().__init__("docker", timeout=patience)
        self.endpoint = endpoint
        self.patience = patience
        self.line: Line | None = None

    def connect(self) -> None:
        if self.line is not None:
            self.line.close()
        self.line = self.endpoint.dial(self.patience)
        self.sock = self.line.sock

    def release(self) -> None:
        """Give everything back; not `close`, which the library calls while an answer is still to be read."""
        self.close()
        if self.line is not None:
            self.line.close()
            self.line = None

    def hang_up(self) -> None:
        if (line := self.line) is not None:
            line.hang_up()

    def ask(self, path: str) -> HTTPResponse:
        self.request("GET", path)
        return self.getresponse()


class Api:
    """Questions to an engine, over one connection that is kept; each may take `patience` seconds."""

    def __init__(self, endpoint: Endpoint, patience: float) -> None:
        self._stream = endpoint.url
        self._connection = _Connection(endpoint, patience)

    def ask(self, path: str) -> Any | None:
        """The JSON at a path; None when the engine has none to give (the object is gone, say). Raises `FAILURES`."""
        status, body = self._get(path)
        return json.loads(body) if status == 200 else None

    def need(self, path: str) -> bytes:
        """The answer at a path, which must be there. Raises `FAILURES`."""
        status, body = self._get(path)
        if status != 200:
            raise StreamUnreachable(stream=self._stream, reason=_refusal(status, body))
        return body

    def hang_up(self) -> None:
        """End a question that is being asked, from any thread."""
        self._connection.hang_up()

    def close(self) -> None:
        self._connection.release()

    def _get(self, path: str) -> tuple[int, bytes]:
        kept = self._connection.line is not None
        try:
            return self._exchange(path)
        except ConnectionError:
            # A kept connection may have been closed meanwhile; that says nothing about the engine.
            if not kept:
                raise
            return self._exchange(path)

    def _exchange(self, path: str) -> tuple[int, bytes]:
        try:
            with self._connection.ask(path) as response:
                body = response.read(MAX_ANSWER + 1)
        except BaseException:
            self._connection.release()
            raise
        if len(body) > MAX_ANSWER:
            self._connection.release()
            raise StreamUnreachable(stream=self._stream, reason=f"the answer to {path} is over {MAX_ANSWER >> 20} MiB")
        return response.status, body


class Arrival(NamedTuple):
    """One line of the stream."""

    at: Micros
    line: bytes
    refused: str | None = None


class Feed:
    """The engine's stream of messages, all that it remembers first.

    A thread reads it without a pause: when a reader falls a thousand messages behind, an engine drops them, and tells
    nobody.
    What is not asked for in time waits in memory; when that is full, the connection is ended instead.
    """

    def __init__(self, endpoint: Endpoint, patience: float) -> None:
        self._stream = endpoint.url
        self._waiting = 0
        self._lock = threading.Lock()
        self._arrivals: queue.SimpleQueue[Arrival | str] = queue.SimpleQueue()
        self._connection = _Connection(endpoint, patience)
        try:
            # The engine gives its memory back up to the first message, backwards, that is older than `since`; as
            # messages are not quite in order of time, only asking for all of it is sure to bring all of it.
            self._response = self._connection.ask("/events?since=0")
            if self._response.status != 200:
                body = self._response.read(MAX_LINE)
                raise StreamUnreachable(stream=self._stream, reason=_refusal(self._response.status, body))
            if self._connection.line is not None:
                self._connection.line.sock.settimeout(None)
        except BaseException:
            self._connection.release()
            raise
        self._thread = threading.Thread(target=self._read, name="docker-events", daemon=True)
        self._thread.start()

    def next(self, timeout: float) -> Arrival | None:
        """The next line; None when `timeout` seconds brought none. Raises `StreamUnreachable` at the end."""
        try:
            found = self._arrivals.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None
        if isinstance(found, str):
            self._arrivals.put(found)
            raise StreamUnreachable(stream=self._stream, reason=found)
        with self._lock:
            self._waiting -= len(found.line)
        return found

    def hang_up(self) -> None:
        """End the stream, from any thread; what has arrived can still be asked for."""
        self._connection.hang_up()

    def close(self) -> None:
        self.hang_up()
        self._thread.join(5)
        self._response.close()
        self._connection.release()

    def _read(self) -> None:
        reason = "closed by the engine"
        try:
            for line, refused in split_lines(iter(lambda: self._response.read1(65536), b"")):
                with self._lock:
                    self._waiting += len(line)
                    full = self._waiting > MAX_WAITING
                self._arrivals.put(Arrival(now_micros(), line, refused))
                if full:
                    reason = f"more than {MAX_WAITING >> 20} MiB of messages were waiting to be stored"
                    break
        except FAILURES as exc:
            reason = describe(exc)
        self.hang_up()
        self._arrivals.put(reason)


def split_lines(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, str | None]]:
    """The lines in the pieces of a stream; of a line that is too long its beginning, and why it is not whole."""
    rest, over = b"", None
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if over is None and len(line) > MAX_LINE:
                over = Oversize()
            if over is not None:
                over.add(line)
                yield bytes(over.kept), over.reason(MAX_LINE)
                over = None
            elif line.strip():
                yield line, None
        if over is None and len(rest) > MAX_LINE:
            over = Oversize()
        if over is not None:
            over.add(rest)
            rest = b""
    if over is not None:
        yield bytes(over.kept), over.reason(MAX_LINE)


def _refusal(status: int, body: bytes) -> str:
    try:
        text = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError):
        text = body.decode(errors="replace")
    return plain(f"the engine answered {status}: {text}")


def describe(exc: BaseException) -> str:
    """Why talking to an engine failed, in one short line that is safe to print."""
    if isinstance(exc, StreamUnreachable):
        return str(exc.facts.get("reason"))
    if isinstance(exc, IncompleteRead):
        return "closed by the engine"
    if isinstance(exc, PermissionError):
        return "permission denied; the user must be of the group that owns the engine's socket (docker)"
    return plain(f"{exc.strerror if isinstance(exc, OSError) and exc.strerror else exc or type(exc).__name__}")

"""One deadline for everything that opening a connection takes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType

from websocket import WebSocketException

PEEK = 0.1
"""How often, in seconds, somebody looks whether the caller lost interest."""


class TooSlow(WebSocketException):
    """The connection was not open when the deadline came."""


class Interrupted(WebSocketException):
    """The caller lost interest while the connection was being opened."""


class Deadline:
    """Shuts the socket down when the time is over or the caller loses interest, whatever the socket is doing."""

    def __init__(self, seconds: float, interrupted: Callable[[], bool]) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._interrupted = interrupted
        self._done = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="dial-deadline", daemon=True)
        self._broken: WebSocketException | None = None

    def __enter__(self) -> Deadline:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, _: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        self._socket = None
        if self._broken is not None and isinstance(exc, (OSError, WebSocketException)):
            raise self._broken from exc

    def left(self) -> float:
        """Seconds until the deadline; raises when it has come or the caller lost interest."""
        if self._interrupted():
            raise Interrupted("stopped")
        left = self._until - time.monotonic()
        if left <= 0:
            raise TooSlow(f"not connected after {self._seconds:g} s")
        return left

    def guard(self, sock: socket.socket) -> None:
        """From now on this is the socket to shut down."""
        self._socket = sock

    def _run(self) -> None:
        while not self._done.wait(PEEK):
            try:
                self.left()
            except WebSocketException as exc:
                self._broken = exc
                self._shut()

    def _shut(self) -> None:
        # The base class's method: the one of SSLSocket first drops the encryption, and a concurrent send would go out
        # in the clear.
        if self._socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

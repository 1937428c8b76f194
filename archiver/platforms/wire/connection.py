"""websocket-client's low-level WebSocket: reading ahead, bounded in size and time, and sure of when it heard what.

Besides what `frames` overrides, this overrides `WebSocket._recv`, `_send` and `send_close`.
"""

from __future__ import annotations

import contextlib
import select
import ssl
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from websocket import (
    ABNF,
    WebSocket,
    WebSocketException,
    WebSocketProtocolException,
    WebSocketTimeoutException,
)

from archiver.codec.oversize import KEPT
from archiver.model import Micros, now_micros
from archiver.platforms.wire.frames import READ_AHEAD, Frames, Messages, Violation
from archiver.platforms.wire.liveness import Liveness, elapsed

DEFAULT_CAP = 1024 * 1024
SEND_SECONDS = 2.0
FAREWELL_SECONDS = 0.3
UNWATCHED = 1.5
PATIENCE = 10.0


class NotTaking(WebSocketException):
    """The server does not read what is sent to it."""


class Received(NamedTuple):
    """One frame's worth: a whole message, a control frame, or (opcode 0) a fragment of a message not yet whole."""

    opcode: int
    payload: bytes
    refused: str | None


class Connection(WebSocket):
    """A connection that hands out whole messages of at most `cap` bytes, and never blocks longer than two ticks.

    Attributes: `read_at` (wall clock) and `read_tick` (monotonic seconds) of the last read that brought bytes; `life`,
    what such reads and pongs prove; `halfway_since` (monotonic) when a frame or message has begun and not ended.
    """

    def __init__(
        self,
        cap: int = DEFAULT_CAP,
        *,
        tick: float = 0.5,
        unwatched: float = UNWATCHED,
        patience: float = PATIENCE,
        wall: Callable[[], Micros] = now_micros,
        monotonic: Callable[[], float] = elapsed,
    ) -> None:
        """`unwatched` and `patience` in seconds: see `Liveness`."""
        super().__init__(enable_multithread=False, skip_utf8_validation=True)
        self.tick = tick
        self._wall = wall
        self._monotonic = monotonic
        self._send_seconds = SEND_SECONDS
        self.frames = self.frame_buffer = Frames(self._recv, tick)
        self.messages = self.cont_frame = Messages(cap)
        self._unwatched, self._patience = unwatched, patience
        self._begin()
        self.halfway_since: float | None = None
        self._owed: bytes | None = None
        self.muted = False
        """Set when nothing can be sent any more: what was received can still be read."""

    def adopt(self, sock: Any, read_already: bytes) -> None:
        """Go on with this socket after its handshake; `read_already` are bytes that came along with the answer."""
        self.sock = sock
        self.connected = True
        self.settimeout(self.tick)
        self.frames.data, self.frames.at = read_already, 0
        self._begin()

    def _begin(self) -> None:
        self.read_at, self.read_tick = self._wall(), self._monotonic()
        self.life = Liveness(self.read_tick, self.read_at, unwatched=self._unwatched, patience=self._patience)

    def pong(self, payload: str | bytes = b"") -> None:
        """Answer a ping: at once, or when it is time to send (`Liveness.may_send`); then the last one alone."""
        self._owed = payload.encode() if isinstance(payload, str) else payload
        self.pay()

    def pay(self) -> None:
        """Send the pong that is owed, if it is time."""
        if self._owed is not None and self.life.may_send(self._monotonic()):
            payload, self._owed = self._owed, None
            super().pong(payload)

    def ask(self) -> None:
        """Send a ping that carries a number, so that its pong can be told from all others."""
        self.ping(self.life.pinged(self._monotonic(), self._wall()))

    def receive(self) -> Received:
        """The next message, control frame or fragment (see `Received`).

        Raises WebSocketTimeoutException when nothing is whole yet (call again), Violation, NotTaking,
        WebSocketConnectionClosedException when the server is gone, OSError of the socket.
        """
        if self.messages.recving_frames is None and (whole := self.frames.short_cut(self.messages.cap)) is not None:
            self.halfway_since = None
            return Received(whole[0], whole[1], None)
        try:
            opcode, frame = self.recv_data_frame(True)
        except WebSocketTimeoutException:
            if self.halfway_since is None and self.halfway():
                self.halfway_since = self._monotonic()
            raise
        except Violation:
            raise
        except WebSocketProtocolException as exc:
            raise Violation(str(exc)) from exc
        if self.messages.recving_frames is None:
            self.halfway_since = None
        elif self.halfway_since is None:
            self.halfway_since = self._monotonic()
        if opcode == ABNF.OPCODE_PONG:
            self.life.pong(frame.data)
        refused, self.messages.refused = self.messages.refused, None
        return Received(opcode, frame.data, refused)

    def halfway(self) -> bool:
        """True when a frame or a message has begun and not ended."""
        return self.messages.recving_frames is not None or self.frames.halfway()

    def unfinished(self) -> bytes:
        """At most 64 KiB of the message that has begun and not ended."""
        kept = self.messages.unfinished() if self.messages.recving_frames is not None else b""
        header = self.frames.header
        known = header is not None and self.frames.length is not None
        in_payload = self.frames.left or (known and header[4] < ABNF.OPCODE_CLOSE)  # type: ignore[index]
        return (kept + self.frames.buffered() if in_payload else kept)[:KEPT]

    def end(self, code: int, wait: float = 1.0) -> None:
        """Say good-bye where that is still possible, wait at most `wait` seconds for the answer, free the socket.

        The library's own `close` frees nothing once a close frame has come, and logs whatever code the server answers.
        """
        try:
            if self.connected and self.sock is not None:
                self._send_seconds = FAREWELL_SECONDS
                self.send_close(code)
                self._await_farewell(wait)
        finally:
            self.shutdown()  # type: ignore[no-untyped-call]

    def _await_farewell(self, wait: float) -> None:
        until = time.monotonic() + wait
        self.frames.tick = wait
        with contextlib.suppress(OSError, WebSocketException):
            while (left := until - time.monotonic()) > 0:
                self.settimeout(left)
                if self.frames.broken:  # what comes is no frame: gathered, it would fill the memory
                    self._recv(READ_AHEAD)
                elif self.recv_frame().opcode == ABNF.OPCODE_CLOSE:  # type: ignore[no-untyped-call]
                    return

    def send_close(self, status: int = 1000, reason: str | bytes = b"") -> None:
        """Answer a close frame; a server that is already gone has still closed properly."""
        with contextlib.suppress(OSError, WebSocketException):
            super().send_close(status, reason)

    def _recv(self, bufsize: int) -> bytes:
        try:
            data: bytes = super()._recv(bufsize)  # type: ignore[no-untyped-call]
        except WebSocketTimeoutException:
            self.life.silent(self._monotonic(), self._wall())
            raise
        self.read_at, self.read_tick = self._wall(), self._monotonic()
        self.life.read(self.read_tick, self.read_at, drained=len(data) < bufsize and not self._more())
        return data

    def _more(self) -> bool:
        """Whether a TLS connection has more to read: one read of it brings no more than one record."""
        return isinstance(self.sock, ssl.SSLSocket) and self.waits()

    def waits(self) -> bool:
        """Whether the socket has something to read, be it its end."""
        sock = self.sock
        if sock is None:
            return False
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return (isinstance(sock, ssl.SSLSocket) and sock.pending() > 0) or bool(poll.poll(0))

    def _send(self, data: str | bytes) -> int:
        sock = self.sock
        if self.muted:
            return len(data)
        if sock is None:
            return super()._send(data)
        sock.settimeout(self._send_seconds)
        try:
            sock.sendall(data.encode() if isinstance(data, str) else data)
        except TimeoutError as exc:
            raise NotTaking("the server takes no data") from exc
        finally:
            sock.settimeout(self.tick)
        return len(data)

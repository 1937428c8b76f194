"""One client's TCP connection: reads it, answers its pings, and writes to it from a bounded queue.

Built on the sans-I/O layer of `websockets`: a server that is to misbehave has to hold the socket itself.
"""

from __future__ import annotations

import contextlib
import email.utils
import http
import re
import socket
import struct
import threading
from collections import deque
from collections.abc import Mapping

from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from archiver.simulator.service.filters import Filter

_HANDSHAKE_SECONDS = 10.0
_LINGER_SECONDS = 5.0
_TLS = b"\x16\x03"
"""How the handshake of TLS begins."""
_LONGEST_HEAD = 64 << 10
_LONGEST_BODY = 1 << 20
_CONTENT_LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n")


def _address_of(sock: socket.socket) -> str:
    try:
        return str(sock.getpeername()[0])
    except OSError:
        return ""


def frame(payload: str | bytes, *, text: bool | None = None) -> bytes:
    """A whole message in one frame as it stands on the wire; `text` True makes a text frame of bytes, valid or not."""
    data = payload.encode() if isinstance(payload, str) else payload
    as_text = isinstance(payload, str) if text is None else text
    return bytes(Frame(Opcode.TEXT if as_text else Opcode.BINARY, data).serialize(mask=False, extensions=[]))


class Connection:
    """A client. Reading is done by the thread that owns the connection, writing by a thread of its own.

    At most `limit` bytes wait to be written; who lets them pile up is cut off. Answers to what the client itself said
    have a limit of their own: a ping in the middle of what is more than the limit alone is no slowness.
    """

    def __init__(self, sock: socket.socket, limit: int) -> None:
        self.filter = Filter("")
        self.method, self.body = "GET", b""
        """What came with the request."""
        self.address = _address_of(sock)
        self._head = bytearray()
        self._sock = sock
        self._limit = limit
        self._protocol = ServerProtocol()
        self._protocol_lock = threading.RLock()
        self._queue: deque[bytes] = deque()
        self._waiting = self._answering = 0
        self._state = threading.Condition()
        self._muted = self._ending = self._hanging_up = self._dead = False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._writer = threading.Thread(target=self._write, name="simulator-writer", daemon=True)
        self._writer.start()

    # --- the reading thread ---------------------------------------------------------------------------------------

    def read_request(self) -> Request | None:
        """The client's HTTP request; None when it sends nothing of the kind. Its body is in `body`."""
        self._sock.settimeout(_HANDSHAKE_SECONDS)
        while (data := self._receive()) is not None:
            if data.startswith(_TLS) and not self._head:  # who waits for an answer in TLS would wait for long
                self.respond(http.HTTPStatus.BAD_REQUEST, b"this port speaks no TLS", {})
                break
            if data and not (data := self._without_body(data)):
                continue
            for event in self._digest(data):
                if isinstance(event, Request):
                    return event
            if not data or self._ending:
                break
        return None

    def _without_body(self, data: bytes) -> bytes:
        """The head of a request as that of a handshake: its method goes to `method`, and what follows it to `body`.

        A body that is too long is left where it is, and refused with the request. Nothing while the head is not whole.
        """
        self._head += data
        at = self._head.find(b"\r\n\r\n")
        if at < 0:
            return b"" if len(self._head) < _LONGEST_HEAD else self._take_head()
        length = _CONTENT_LENGTH.search(self._head, 0, at + 2)
        if length is not None and (size := int(length[1])) <= _LONGEST_BODY:
            body = self._head[at + 4 :]
            while len(body) < size and (piece := self._receive()):
                body += piece
            self.body = bytes(body[:size])
            self._head = self._head[: length.start()] + self._head[length.end() - 2 : at + 4] + body[size:]
        return self._take_head()

    def _take_head(self) -> bytes:
        method, _, rest = bytes(self._head).partition(b" ")
        self._head = bytearray()
        if not method.isalpha():
            return method + b" " + rest
        self.method = method.decode()
        return b"GET " + rest

    def accept(self, request: Request) -> bool:
        """Open the websocket; answers the request itself when it is not a handshake, and returns False."""
        with self._protocol_lock:
            response = self._protocol.accept(request)
            self._protocol.send_response(response)
            self._flush()
        if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS:
            self._sock.settimeout(None)
            return True
        self._await_end()
        return False

    def respond(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Answer the request with plain HTTP, and end the connection."""
        fields = Headers({"Date": email.utils.formatdate(usegmt=True), "Connection": "close"})
        fields["Content-Length"] = str(len(body))
        for name, value in headers.items():
            fields[name] = value
        with self._protocol_lock:
            self._protocol.send_response(Response(status, http.HTTPStatus(status).phrase, fields, body))
            self._flush()
        self._await_end()

    def read_frames(self) -> None:
        """Answer pings and closing until the connection ends; what else a client says is ignored."""
        while data := self._receive():
            self._digest(data)
        self._digest(b"")

    def finish(self) -> None:
        """Release the socket and the writing thread."""
        with self._state:
            self._dead = True
            self._state.notify_all()
        with contextlib.suppress(OSError):
            # Wakes up a writer that is stuck in a full socket, and says nothing to the client.
            self._sock.shutdown(socket.SHUT_RD if self._resets() else socket.SHUT_RDWR)
        self._writer.join(1.0)
        if self._writer.is_alive():
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
            self._writer.join()
        self._sock.close()

    def _await_end(self) -> None:
        self._sock.settimeout(_LINGER_SECONDS)
        while self._receive():
            pass

    def _receive(self) -> bytes | None:
        try:
            return self._sock.recv(65536)
        except OSError:
            return None

    def _digest(self, data: bytes) -> list[object]:
        with self._protocol_lock:
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            events: list[object] = list(self._protocol.events_received())
            self._flush()
        return events

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._answer(data)
            else:
                with self._state:
                    self._ending = True
                    self._state.notify_all()

    def _answer(self, data: bytes) -> None:
        with self._state:
            if not self._queue or self._answering + len(data) <= self._limit:
                self._answering += len(data)
                self._put(data)
                return
        self.abort()

    # --- any thread -----------------------------------------------------------------------------------------------

    def offer(self, data: bytes, patience: float = 0.0) -> bool:
        """Queue raw bytes for the client, waiting up to `patience` seconds for room; False: it is or was cut off.

        Bytes that alone exceed the limit are taken when nothing else waits.
        """

        def room() -> bool:
            return self._dead or self._muted or not self._waiting or self._waiting + len(data) <= self._limit

        with self._state:
            if self._state.wait_for(room, patience):
                if self._dead or self._ending:
                    return False
                self._put(data)
                return True
        self.abort()
        return False

    def _put(self, data: bytes) -> None:
        if not (self._muted or self._dead or self._ending):
            self._queue.append(data)
            self._waiting += len(data)
            self._state.notify_all()

    @property
    def muted(self) -> bool:
        """True when the client will never hear anything again."""
        return self._muted

    def mute(self) -> None:
        """Say nothing any more, not even pong; what was queued is still written."""
        with self._state:
            self._muted = True
            self._state.notify_all()

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame; the connection ends when the client answers it."""
        with self._protocol_lock:
            if self._protocol.state is OPEN:
                self._protocol.send_close(code, reason)
                self._flush()

    def hang_up(self) -> None:
        """End the connection without a close frame, after what was queued."""
        with self._state:
            self._ending = self._hanging_up = True
            self._state.notify_all()

    def abort(self, *, reset: bool = False) -> None:
        """End the connection at once, without a close frame: with a FIN, or with a TCP reset."""
        with self._state:
            self._dead = True
            self._state.notify_all()
        with contextlib.suppress(OSError):
            if reset:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Either wakes up the reading thread, which then closes; a shut reading side alone is not seen by the peer.
            self._sock.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)

    def _resets(self) -> bool:
        try:
            return self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)[:4] != bytes(4)
        except OSError:
            return False

    # --- the writing thread ---------------------------------------------------------------------------------------

    def _write(self) -> None:
        while (data := self._next()) is not None:
            try:
                self._sock.sendall(data)
            except OSError:
                self.abort()
                return
            with self._state:
                self._waiting -= len(data)
                self._state.notify_all()
        if not self._dead:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR if self._hanging_up else socket.SHUT_WR)

    def _next(self) -> bytes | None:
        with self._state:
            self._state.wait_for(lambda: self._dead or self._ending or self._queue)
            if self._dead or not self._queue:
                return None
            data = b"".join(self._queue)
            self._queue.clear()
            self._answering = 0
            return data

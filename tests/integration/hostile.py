"""A raw WebSocket server on loopback that does to its client whatever a test wants."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(payload: bytes, opcode: int = TEXT, *, fin: int = 1, rsv: int = 0, length: int | None = None) -> bytes:
    """A server's frame; `length` may lie."""
    size = len(payload) if length is None else length
    first = bytes([fin << 7 | rsv << 4 | opcode])
    if size < 126:
        return first + bytes([size]) + payload
    if size < 1 << 16:
        return first + b"\x7e" + size.to_bytes(2) + payload
    return first + b"\x7f" + size.to_bytes(8) + payload


class Peer:
    """One accepted connection, as the script of a test sees it."""

    def __init__(self, sock: socket.socket, server: Hostile) -> None:
        self.sock = sock
        self.server = server
        self.request = b""

    def read_request(self) -> bytes:
        while b"\r\n\r\n" not in self.request:
            chunk = self.sock.recv(4096)
            if not chunk:
                break
            self.request += chunk
        self.server.requests.append(self.request)
        return self.request

    def accept(self, extra: bytes = b"", header: str = "") -> Peer:
        """Read the request, unless that was done, and answer with 101, `extra` in the same write."""
        lines = (self.request or self.read_request()).split(b"\r\n")
        key = next(line.split(b": ")[1] for line in lines if line.lower().startswith(b"sec-websocket-key"))
        digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        self.sock.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Set-Cookie: tracker=1; Domain=127.0.0.1\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + f"\r\n{header}\r\n".encode() + extra
        )
        return self

    def answer(self, status: str, body: bytes = b"", header: str = "") -> None:
        self.read_request()
        self.send(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{header}\r\n".encode() + body)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def frame(self, payload: bytes, opcode: int = TEXT, *, fin: int = 1, rsv: int = 0) -> None:
        self.send(frame(payload, opcode, fin=fin, rsv=rsv))

    def pong(self) -> bytes:
        """Wait for a ping and answer it; what it said."""
        while (head := self._exactly(2))[0] & 0x0F != PING:
            self._exactly(4 + (head[1] & 0x7F))
        mask, said = self._exactly(4), self._exactly(head[1] & 0x7F)
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(said))
        self.frame(payload, PONG)
        return payload

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            piece = self.sock.recv(size - len(found))
            if not piece:
                raise ConnectionResetError("the client is gone")
            found += piece
        return found

    def drain(self) -> bytes:
        """Everything the client still sends, until it closes."""
        received = b""
        while chunk := self.sock.recv(65536):
            received += chunk
        return received

    def hold(self) -> None:
        """Keep the connection open and silent until the test is over, reading nothing."""
        self.server.over.wait()

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.sock.close()


class Hostile:
    """Runs one script a connection; the last one again and again."""

    def __init__(self, *scripts: Callable[[Peer], object], context: ssl.SSLContext | None = None) -> None:
        self.scripts = scripts
        self.context = context
        self.over = threading.Event()
        self.requests: list[bytes] = []
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def url(self) -> str:
        return f"{'wss' if self.context else 'ws'}://127.0.0.1:{self.port}/v1/events"

    def __enter__(self) -> Hostile:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, _: TracebackType | None) -> None:
        self.over.set()
        for sock in [self._socket, *self._open]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join()
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self.over.is_set():
                sock, _ = self._socket.accept()
                self._open.append(sock)
                script = self.scripts[min(self.connections, len(self.scripts) - 1)]
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(sock, script))
                self._threads.append(thread)
                thread.start()

    def _serve(self, sock: socket.socket, script: Callable[[Peer], object]) -> None:
        with sock, contextlib.suppress(OSError, StopIteration):
            if self.context is None:
                script(Peer(sock, self))
                return
            with self.context.wrap_socket(sock, server_side=True) as tls:
                script(Peer(tls, self))

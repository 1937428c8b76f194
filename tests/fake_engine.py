"""A Docker Engine that does what a test says: remembers, tells, forgets, falls silent, hangs up."""

from __future__ import annotations

import json
import queue
import socketserver
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

SECOND = 1_000_000_000
START = 1_795_426_054 * SECOND
HANG_UP = None


def message(
    number: int, kind: str = "container", action: str = "start", id: str = "c1", **attributes: str
) -> dict[str, Any]:
    """A message as an engine words it, `number` seconds after the start."""
    scope = "swarm" if kind in ("service", "node", "secret", "config") else "local"
    at = START + number * SECOND
    actor = {"ID": id, "Attributes": attributes}
    return {"Type": kind, "Action": action, "Actor": actor, "scope": scope, "time": at // SECOND, "timeNano": at}


class FakeEngine:
    """The engine behind the HTTP interface; `answers` are its objects by path."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "/info": {
                "ID": "ENGINE",
                "Name": "vm",
                "SystemTime": "2026-11-23T18:57:18.881734648Z",
                "ServerVersion": "20.10",
                "Swarm": {
                    "NodeID": "node1",
                    "LocalNodeState": "active",
                    "ControlAvailable": True,
                    "Cluster": {"ID": "swarm1", "Spec": {"Name": "default"}},
                },
            },
            "/_ping": "OK",
            "/containers/json?all=1": [],
            "/nodes": [],
            "/services": [],
            "/secrets": [],
            "/configs": [],
            "/networks": [],
            "/images/json": [],
            "/volumes": {"Volumes": None},
        }
        self.silent = threading.Event()
        self.hangs: set[str] = set()
        self.released = threading.Event()
        self.asked: list[str] = []
        self._remembered: deque[bytes] = deque(maxlen=256)
        self._listeners: list[queue.SimpleQueue[bytes | None]] = []
        self._lock = threading.Lock()

    def tell(self, told: dict[str, Any] | bytes) -> None:
        line = told if isinstance(told, bytes) else json.dumps(told, separators=(",", ":")).encode()
        with self._lock:
            self._remembered.append(line + b"\n")
            for listener in self._listeners:
                listener.put(line + b"\n")

    def forget(self) -> None:
        with self._lock:
            self._remembered.clear()

    def hang_up(self) -> None:
        """End every stream."""
        with self._lock:
            for listener in self._listeners:
                listener.put(HANG_UP)
            self._listeners.clear()

    def listen(self) -> tuple[list[bytes], queue.SimpleQueue[bytes | None]]:
        with self._lock:
            listener: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
            self._listeners.append(listener)
            return list(self._remembered), listener

    def remembered(self) -> bytes:
        with self._lock:
            return b"".join(self._remembered)

    @contextmanager
    def on_socket(self, path: Path) -> Iterator[str]:
        """Serves at a Unix socket; the engine's URL."""
        with self._served(_UnixServer(str(path), _handler(self))):
            yield f"unix://{path}"

    @contextmanager
    def on_tcp(self, tls: ssl.SSLContext | None = None) -> Iterator[str]:
        """Serves at a TCP port; the engine's URL."""
        server = _TcpServer(("127.0.0.1", 0), _handler(self))
        port = server.server_address[1]
        server.tls = tls
        with self._served(server):
            yield f"tcp://localhost:{port}"

    @contextmanager
    def _served(self, server: socketserver.BaseServer) -> Iterator[None]:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield
        finally:
            self.released.set()
            self.hang_up()
            server.shutdown()
            thread.join()
            server.server_close()


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class _TcpServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake belongs to the connection's own thread.
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        with suppress(OSError):
            request = self.tls.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
        request.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    engine: FakeEngine

    def log_message(self, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.engine.asked.append(self.path)
        with suppress(OSError):  # the other side has gone
            self._serve()

    def _serve(self) -> None:
        silent = self.engine.silent.is_set() and self.path != "/events?since=0"
        if silent or self.path in self.engine.hangs:
            self.engine.released.wait(30)
            self.close_connection = True
        elif self.path == "/events?since=0":
            self._stream()
        elif self.path.startswith("/events"):
            self._answer(200, self.engine.remembered())
        elif self.path in self.engine.answers:
            self._answer(200, json.dumps(self.engine.answers[self.path]).encode())
        else:
            self._answer(404, b'{"message":"no such object"}')

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        past, listener = self.engine.listen()
        for line in past:
            self._chunk(line)
        while (told := listener.get()) is not HANG_UP:
            self._chunk(told)

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


def _handler(engine: FakeEngine) -> type[_Handler]:
    return type("Handler", (_Handler,), {"engine": engine})

"""A Docker Engine that does what a test says: remembers, tells, forgets, falls silent, hangs up, and worse."""

from __future__ import annotations

import json
import queue
import re
import socketserver
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from uuid import uuid4

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


_OF_SWARM = ("/nodes", "/services", "/secrets", "/configs")


class FakeEngine:
    """The engine behind the HTTP interface; `answers` are its objects by path.

    `skew` seconds its clock is ahead; `forbidden` are statuses by patterns of paths; `only` is a pattern of the paths
    that a proxy lets through; one that holds the stream back until there are so many bytes has a `buffer`; an engine
    `ignores_until` when it streams on where it should end; `separator` stands after each message; `spell` writes one.
    """

    def __init__(self) -> None:
        self.skew = 0.0
        self.forbidden: dict[str, int] = {}
        self.only: str | None = None
        self.buffer = 0
        self.ignores_until = False
        self.ends_at_once = False
        self.forgets_to_answer = False
        """Whether it never says what it remembers, asked for that alone."""
        self.separator = b"\n"
        self.spell: Callable[[bytes], bytes] = lambda line: line
        self.headers: dict[str, str] = {}
        self.content_type = ""
        self.moved = ""
        """What a path without a version is redirected to: this, and the path."""
        self.keeps_connections = True
        self.drops_connections = False
        """Whether it ends each after an answer, and does not say that it will."""
        self.is_podman = False
        self.hosts: list[str | None] = []
        self.answers: dict[str, Any] = {
            "/info": {
                "ID": "ENGINE",
                "Name": "vm",
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
        self.slow: dict[str, float] = {}
        """Seconds between reading an object and telling of it, by path."""
        self.released = threading.Event()
        self.asked: list[str] = []
        self._remembered: deque[bytes] = deque(maxlen=256)
        self._listeners: list[queue.SimpleQueue[bytes | None]] = []
        self._lock = threading.Lock()

    def as_podman(self) -> None:
        """From now on answers as Podman does: by another ID each time, and out of a log that it cuts at its end."""
        self.is_podman = True
        self.headers["Libpod-Api-Version"] = "5.4.2"
        self.answers["/info"] = {"Name": "vm", "BuildahVersion": "1.39", "DockerRootDir": "/storage", "Swarm": {}}
        self.answers = {path: found for path, found in self.answers.items() if path not in _OF_SWARM}
        self._remembered = deque()

    def tell(self, told: dict[str, Any] | bytes, *, dropped: bool = False) -> None:
        """Says something; what is `dropped` it only remembers, as an engine does for a listener that is too slow."""
        line = told if isinstance(told, bytes) else json.dumps(told, separators=(",", ":")).encode()
        with self._lock:
            self._remembered.append(line)
            for listener in () if dropped else self._listeners:
                listener.put(line)

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

    def written(self, line: bytes) -> bytes:
        return self.spell(line) + self.separator

    def remembered(self) -> bytes:
        with self._lock:
            return b"".join(map(self.written, self._remembered))

    def answer(self, path: str) -> tuple[int, bytes]:
        if path not in self.answers:
            return 404, b'{"message":"no such object"}'
        found = self.answers[path]
        if path == "/info" and type(found) is dict and "SystemTime" not in found:
            clock = datetime.fromtimestamp(time.time() + self.skew, UTC)
            found = {**found, "SystemTime": f"{clock:%Y-%m-%dT%H:%M:%S.%f}734Z"}
        if path == "/info" and self.is_podman:
            found = {**found, "ID": str(uuid4())}
        return 200, json.dumps(found).encode()

    def told_now(self, *, dropped: bool = False, **what: Any) -> dict[str, Any]:
        """Tells a message with the engine's own time."""
        told = message(0, **what)
        told["timeNano"] = round((time.time() + self.skew) * 1_000_000) * 1000
        told["time"] = told["timeNano"] // SECOND
        self.tell(told, dropped=dropped)
        return told

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
        self.engine.hosts.append(self.headers["Host"])
        with suppress(OSError):  # the other side has gone
            self._serve()

    def _serve(self) -> None:
        engine = self.engine
        if engine.only is not None and not re.fullmatch(engine.only, self.path.partition("?")[0]):
            self._answer(403, b"<html>Forbidden</html>")
            return
        if engine.moved and not self.path.startswith("/v"):
            self._answer(307, b"", Location=engine.moved + self.path)
            return
        path = re.sub(r"^/v\d+\.\d+(?=/)", "", self.path)
        if status := next((status for pattern, status in engine.forbidden.items() if re.search(pattern, path)), None):
            self._answer(status, b"<html>Forbidden</html>")
        elif (engine.silent.is_set() and path != "/events?since=0") or path in engine.hangs or self._forgets(path):
            engine.released.wait(30)
            self.close_connection = True
        elif engine.is_podman and path.startswith("/events"):
            if "until=" in path:
                self._answer(200, engine.remembered().partition(b"\n")[0])
            else:
                self._stream(0, int(path.removeprefix("/events?since=")))
        elif path == "/events?since=0" or (path.startswith("/events") and engine.ignores_until):
            self._stream(engine.buffer if path == "/events?since=0" else 0)
        elif path.startswith("/events"):
            self._answer(200, engine.remembered())
        else:
            answer = engine.answer(path)
            engine.released.wait(engine.slow.get(path, 0))
            self._answer(*answer)

    def _forgets(self, path: str) -> bool:
        return self.engine.forgets_to_answer and path.startswith("/events") and path != "/events?since=0"

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response_only(status)
        if not self.engine.keeps_connections:
            self.send_header("Connection", "close")
        for name, value in (self.engine.headers | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.close_connection or self.engine.drops_connections

    def _stream(self, buffer: int, since: int = 0) -> None:
        self.close_connection = True
        self.send_response_only(200)
        for name, value in self.engine.headers.items() if self.engine.is_podman else ():
            self.send_header(name, value)
        if self.engine.content_type:
            self.send_header("Content-Type", self.engine.content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        past, listener = self.engine.listen()
        waiting, held = deque(line for line in past if not since or json.loads(line)["time"] >= since), b""
        while True:
            told = waiting.popleft() if waiting else HANG_UP if self.engine.ends_at_once else listener.get()
            if told is HANG_UP:
                return
            held += self.engine.written(told)
            if len(held) >= buffer:
                self._chunk(held)
                held = b""

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


def _handler(engine: FakeEngine) -> type[_Handler]:
    return type("Handler", (_Handler,), {"engine": engine})

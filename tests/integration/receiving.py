"""A server that takes what is posted to it, or does not, as a test tells it."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver(ThreadingHTTPServer):
    """What it was told stands in `taken`, and each try, taken or not, in `tries`."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.scheme = "http" if context is None else "https"
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.status = 200
        self.headers: Mapping[str, str] = {}
        self.answer = b""
        self.tries: list[tuple[str, dict[str, str], Any]] = []
        self.taken: list[Any] = []
        self.wants: Callable[[Any], bool] = lambda _: True
        """What is not wanted is answered with 400."""
        self.hangs = threading.Event()
        """Set: whoever asks gets no answer."""
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}/services/secretpath?token=secretquery"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        value = json.loads(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
        self.server.tries.append((self.path, dict(self.headers), value))
        if self.server.hangs.is_set():
            self.server.over.wait(60)
            return
        status = self.server.status if self.server.wants(value) else 400
        if status < 300:
            self.server.taken.append(value)
        self.send_response(status)
        for name, text in self.server.headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    with Receiver(context) as receiver:
        threading.Thread(target=receiver.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield receiver
        finally:
            receiver.over.set()
            receiver.shutdown()

"""The way between daemon and platform, which somebody may block, slow down, or let only one side through."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Traffic = Literal["open", "blocked", "dripping"]


class Way:
    """A TCP proxy; what is `traffic` counts for connections that are there as for new ones."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._over = False
        self.traffic: Traffic = "open"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where to connect to."""
        port: int = self._server.getsockname()[1]
        return port

    def close(self) -> None:
        """Takes no more connections."""
        self._over = True
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self.connections += 1
                behind = socket.create_connection(self._target)
                for pair in ((client, behind), (behind, client)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                for start in range(0, len(data), step := 1 if self.traffic == "dripping" else len(data)):
                    while self.traffic == "blocked" and not self._over:
                        time.sleep(0.02)
                    sink.sendall(data[start : start + step])
                    if step == 1:
                        time.sleep(0.5)
                    if self.traffic == "open" and step == 1:
                        sink.sendall(data[start + step :])
                        break
        for side in (source, sink):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


@contextmanager
def way_to(url: str) -> Iterator[tuple[str, Way]]:
    """The URL of a stream by way of a new proxy."""
    scheme, _, rest = url.partition("://")
    place, _, path = rest.partition("/")
    host, _, port = place.partition(":")
    way = Way(host, int(port))
    try:
        yield f"{scheme}://127.0.0.1:{way.port}/{path}", way
    finally:
        way.close()

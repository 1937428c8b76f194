"""A small proxy in front of PostgreSQL that cuts the connection exactly at a COMMIT."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import make_url


@contextmanager
def commit_cut(url: str, *, before: bool) -> Iterator[tuple[str, threading.Event]]:
    """Yields the proxy's URL, and the event that arms it; it cuts the first COMMIT after that, and no other.

    `before`: the server never sees the COMMIT; else it has done it, and only its answer is lost.
    """
    target, armed = make_url(url), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(server, target, armed, before))
        thread.start()
        host, port = server.getsockname()
        proxied = target.set(host=host, port=port, query={})
        try:
            yield proxied.render_as_string(hide_password=False), armed
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(server: socket.socket, target: object, armed: threading.Event, before: bool) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            with client, _dial(target) as behind:
                _serve(client, behind, armed, before)


def _dial(url: object) -> socket.socket:
    folder = url.query.get("host") or url.host  # type: ignore[attr-defined]
    port = url.port or 5432  # type: ignore[attr-defined]
    if str(folder).startswith("/"):
        behind = socket.socket(socket.AF_UNIX)
        behind.connect(f"{folder}/.s.PGSQL.{port}")
        return behind
    return socket.create_connection((folder, port))


def _serve(client: socket.socket, behind: socket.socket, armed: threading.Event, before: bool) -> None:
    back = threading.Thread(target=_copy, args=(behind, client))
    back.start()
    with suppress(OSError):
        while data := client.recv(65536):
            if armed.is_set() and b"COMMIT" in data:
                armed.clear()
                client.shutdown(socket.SHUT_RDWR)
                if before:
                    break
            behind.sendall(data)
    with suppress(OSError):
        behind.shutdown(socket.SHUT_WR)  # the server ends what it was sent, and then its side
    back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            with suppress(OSError):
                sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)

"""A small proxy in front of PostgreSQL that cuts the connection exactly at a COMMIT, or leaves that undecided."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import make_url

from archiver.storage.database import turns

Turned = Callable[[bytes], bytes]
"""What the server gets in the place of what a client sent."""

_COMMIT = b"Q\0\0\0\x0bCOMMIT\0"
"""As a client says it (PostgreSQL manual, "Message Formats": Query)."""


@contextmanager
def commit_cut(url: str, *, before: bool) -> Iterator[tuple[str, threading.Event]]:
    """Yields the proxy's URL, and the event that arms it; it cuts the first COMMIT after that, and no other.

    `before`: the server never sees the COMMIT; else it has done it, and only its answer is lost.
    """
    with _proxy(url, (lambda _: b"") if before else (lambda data: data)) as found:
        yield found


@contextmanager
def commit_undecided(url: str, name: str, *, elsewhere: bool = False) -> Iterator[tuple[str, threading.Event]]:
    """The same; but the server prepares the transaction under a name, and nobody commits it or rolls it back.

    `elsewhere`: as on one node of several, the lock that writers take turns by is none that the others ask for.
    """
    query = f"PREPARE TRANSACTION '{name}'\0".encode()
    prepare = b"Q" + (len(query) + 4).to_bytes(4, "big") + query
    lock, other = (str(number).encode() for number in (turns.LOCK, turns.LOCK - 1))
    with _proxy(url, lambda data: data.replace(_COMMIT, prepare), (lock, other) if elsewhere else (b"", b"")) as found:
        yield found


@contextmanager
def _proxy(
    url: str, turned: Turned, renamed: tuple[bytes, bytes] = (b"", b"")
) -> Iterator[tuple[str, threading.Event]]:
    target, armed = make_url(url), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(server, target, armed, turned, renamed))
        thread.start()
        host, port = server.getsockname()
        proxied = target.set(host=host, port=port, query={})
        try:
            yield proxied.render_as_string(hide_password=False), armed
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(server: socket.socket, target: object, *how: Any) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            with client, _dial(target) as behind:
                _serve(client, behind, *how)


def _dial(url: object) -> socket.socket:
    folder = url.query.get("host") or url.host  # type: ignore[attr-defined]
    port = url.port or 5432  # type: ignore[attr-defined]
    if str(folder).startswith("/"):
        behind = socket.socket(socket.AF_UNIX)
        behind.connect(f"{folder}/.s.PGSQL.{port}")
        return behind
    return socket.create_connection((folder, port))


def _serve(
    client: socket.socket, behind: socket.socket, armed: threading.Event, turned: Turned, renamed: tuple[bytes, bytes]
) -> None:
    back = threading.Thread(target=_copy, args=(behind, client))
    back.start()
    with suppress(OSError):
        while data := client.recv(65536):
            data = data.replace(*renamed) if renamed[0] else data
            if armed.is_set() and _COMMIT in data:
                armed.clear()
                client.shutdown(socket.SHUT_RDWR)
                data = turned(data)
                if not data:
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

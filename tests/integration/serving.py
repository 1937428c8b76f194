"""What the tests of `archiver serve` share: a server in a thread, and clients of it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from archiver.cli import times
from archiver.report.serve import Server
from archiver.report.site import Site


@contextmanager
def serving(url: str, names: tuple[str, ...] = ()) -> Iterator[Server]:
    def fail(error: Exception) -> None:
        failures.append(error)

    failures: list[Exception] = []
    site = Site(url, lambda since, until: times.parse_range(since, until, utc=True), names)
    with Server(("127.0.0.1", 0), site, fail) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
    assert failures == []


class Got(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def get(server: Server, path: str, method: str = "GET", **headers: str) -> Got:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=60)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    got = Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    connection.close()
    return got


def connected(server: Server, request: bytes, *, receive: int | None = None) -> socket.socket:
    client = socket.socket()
    client.settimeout(60)
    if receive is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    client.connect(server.server_address[:2])
    client.sendall(request)
    return client


def raw(server: Server, request: bytes) -> bytes:
    """All that is answered to some bytes."""
    with connected(server, request) as client, client.makefile("rb") as answer:
        return answer.read()

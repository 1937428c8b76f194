"""One request over HTTP, within bounds of time and size, dialled as a websocket is: by proxy, TLS and all addresses."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import NamedTuple
from urllib.parse import urlsplit

from websocket import WebSocketException

from archiver.platforms.wire.connect import AddressInfo
from archiver.platforms.wire.deadline import Deadline
from archiver.platforms.wire.dial import line_to
from archiver.platforms.wire.proxy import Proxy
from archiver.platforms.wire.tls import secure_context
from archiver.version import __version__

FAILURES = (OSError, HTTPException, WebSocketException, ValueError)
"""What a request may raise; `deadline.TooSlow` and `Interrupted` are among them."""
_PIECE = 64 << 10
_TRUSTED_FOR = 60.0


class TooLong(ValueError):
    """The body has more bytes than are taken."""


class Fetched(NamedTuple):
    """An answer."""

    status: int
    fields: Mapping[str, str]
    """The header's fields, by their names in small letters."""
    body: bytes


class _Connection(HTTPConnection):
    """A connection that is dialled as those of websockets are."""

    def __init__(self, fetcher: Fetcher, deadline: Deadline) -> None:
        super().__init__(fetcher.host, fetcher.port)
        self._fetcher, self._deadline = fetcher, deadline

    def connect(self) -> None:
        fetcher = self._fetcher
        context = fetcher.context if fetcher.is_secure else None
        self.sock, fetcher.last = line_to(
            fetcher.host, fetcher.port, self._deadline, proxy=fetcher.proxy, context=context, last=fetcher.last
        )


class Fetcher:
    """Asks one origin, or tells it something. No redirection is followed, and no cookie is kept."""

    def __init__(
        self,
        origin: str,
        header: Mapping[str, str],
        *,
        proxy: Proxy | None = None,
        context: Callable[[], ssl.SSLContext] = secure_context,
        most: int = 1 << 20,
    ) -> None:
        """`origin` is http[s]://host[:port]; at most so many bytes of a body are taken."""
        parts = urlsplit(origin)
        self.is_secure = parts.scheme == "https"
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if self.is_secure else 80)
        self.proxy, self._make_context = proxy, context
        self._context: tuple[float, ssl.SSLContext] | None = None
        self.last: AddressInfo | None = None
        """The address that worked last time."""
        self._header = {"Accept": "application/json", "User-Agent": f"archiver/{__version__}", **header}
        self._most = most

    def context(self) -> ssl.SSLContext:
        """What TLS trusts; made anew from time to time, for certificates are renewed, and making it is dear."""
        now = time.monotonic()
        if self._context is None or now - self._context[0] > _TRUSTED_FOR:
            self._context = now, self._make_context()
        return self._context[1]

    def get(self, target: str, seconds: float, interrupted: Callable[[], bool]) -> Fetched:
        """The answer at a path with its query, whole within so many seconds. Raises TooLong and other `FAILURES`."""
        with Deadline(seconds, interrupted) as deadline, self._answer("GET", target, deadline) as response:
            body = self._beginning(response, deadline)
            if len(body) > self._most:
                raise TooLong(f"more than {self._most >> 10} KiB")
            if response.length:
                raise ConnectionError("the connection ended within the answer")
            return _fetched(response, body)

    def post(self, target: str, data: bytes, seconds: float, interrupted: Callable[[], bool]) -> Fetched:
        """What is answered to some data, or the beginning of it. Raises `FAILURES`."""
        with Deadline(seconds, interrupted) as deadline, self._answer("POST", target, deadline, data) as response:
            return _fetched(response, self._beginning(response, deadline)[: self._most])

    @contextmanager
    def _answer(
        self, method: str, target: str, deadline: Deadline, data: bytes | None = None
    ) -> Iterator[HTTPResponse]:
        with closing(_Connection(self, deadline)) as connection:
            try:
                connection.request(method, target, data, dict(self._header))
                response = connection.getresponse()
            except HTTPException:
                deadline.left()  # what was shut down in the middle of a line is no HTTP
                raise
            with response:
                yield response

    def _beginning(self, response: HTTPResponse, deadline: Deadline) -> bytes:
        """The body, as far as it shows whether it is longer than may be."""
        body = bytearray()
        while len(body) <= self._most and (piece := response.read1(_PIECE)):
            deadline.left()
            body += piece
        deadline.left()  # what was shut down at the deadline ends as if it were whole
        return bytes(body)


def _fetched(response: HTTPResponse, body: bytes) -> Fetched:
    return Fetched(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

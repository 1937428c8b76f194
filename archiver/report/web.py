"""A small HTTP server that only gives: GET and HEAD, one request a connection, bounded in whatever a client does.

The standard library's own reads heads without an end, and holds a thread for as long as a reader likes.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from itertools import chain
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from archiver.version import __version__

HEAD_BYTES = 16_384
"""Of the head of a request, with its target."""
HEAD_SECONDS = 10.0
"""Until it must be whole, however slowly it comes."""
HEADERS, PARAMETERS = 100, 50
BLOCKED_SECONDS = 20.0
"""A reader may let an answer wait so long, in all."""
_PIECE = 65_536

_REQUEST = re.compile(r"([A-Z]{1,20}) ([!-~]+) HTTP/1\.([01])").fullmatch
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*").fullmatch

ALWAYS = {
    "Server": f"archiver/{__version__}",
    "Connection": "close",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
NO_SCRIPT = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What a browser may do with an answer that is only to be read."""


class Request(NamedTuple):
    """A request for something: the path and the query are decoded, names of headers are in small letters."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    minor: int = 1
    """1 for HTTP/1.1, 0 for HTTP/1.0."""


class Answer(NamedTuple):
    """What is given: the body comes in pieces, as long as the reader takes them."""

    body: Iterable[bytes]
    kind: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = {}
    endless: bool = False
    """It goes on for as long as the reader stays."""


class Refused(Exception):
    """A request that is not answered as it was meant, with the status that says why."""

    def __init__(self, status: int, reason: str, hint: str = "", **headers: str) -> None:
        super().__init__(reason)
        self.status, self.reason, self.hint, self.headers = status, reason, hint, headers


# --- reading --------------------------------------------------------------------------------------------------------


def read_request(connection: socket.socket) -> Request | None:
    """The request of a connection; None: it was closed without any. Raises Refused, and OSError when it breaks."""
    head = _head(connection)
    return None if head is None else _parsed(head)


def _head(connection: socket.socket) -> str | None:
    deadline, read = time.monotonic() + HEAD_SECONDS, b""
    while b"\r\n\r\n" not in read:
        if re.search(rb"(?<!\r)\n", read):
            raise Refused(400, "a line of the head does not end with CR LF")
        if len(read) >= HEAD_BYTES:
            raise Refused(431, f"the head of the request is longer than {HEAD_BYTES} bytes")
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            piece = connection.recv(HEAD_BYTES)
        except TimeoutError as error:
            raise Refused(408, f"the head of the request was not whole within {HEAD_SECONDS:g} seconds") from error
        if not piece:
            if not read:
                return None
            raise Refused(400, "the head of the request is not whole")
        read += piece
    return read.partition(b"\r\n\r\n")[0].decode("latin-1")


def _parsed(head: str) -> Request:
    first, *lines = head.split("\r\n")
    found = _REQUEST(first)
    if found is None:
        raise Refused(400, "this is no request of HTTP/1.1")
    method, target, minor = found[1], found[2], int(found[3])
    headers = _headers(lines)
    if method not in ("GET", "HEAD"):
        raise Refused(405, f"{method} is not for here: everything is only to be read", Allow="GET, HEAD")
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise Refused(400, "a request for something has no body")
    if not target.startswith("/"):
        raise Refused(400, "the target of a request begins with /")
    path, _, query = target.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=PARAMETERS, errors="strict")
        return Request(method, unquote(path, errors="strict"), tuple(pairs), headers, minor)
    except ValueError as error:
        raise Refused(400, "the target of the request cannot be read") from error


def _headers(lines: list[str]) -> dict[str, str]:
    if len(lines) > HEADERS:
        raise Refused(431, f"the request has more than {HEADERS} headers")
    headers: dict[str, str] = {}
    for line in lines:
        found = _HEADER(line)
        if found is None:
            raise Refused(400, "a header of the request cannot be read")
        name = found[1].lower()
        if name in headers and name in ("host", "content-length"):
            raise Refused(400, f"the request has two headers {name}")
        headers[name] = found[2]
    return headers


# --- writing --------------------------------------------------------------------------------------------------------


class Writer:
    """Writes to a reader who may be slow: raises TimeoutError when he has let us wait too long, in all."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._patience = connection, BLOCKED_SECONDS
        self.forgives = False
        """Of an endless answer it counts how long a single piece waited."""
        self.begun = False
        """Whether anything was written."""

    def write(self, data: bytes) -> None:
        """Hands over all of it."""
        self.begun = True
        began = time.monotonic()
        self._connection.settimeout(max(0.001, self._patience))
        self._connection.sendall(data)
        if not self.forgives:
            self._patience -= time.monotonic() - began


def write_answer(writer: Writer, request: Request | None, answer: Answer) -> None:
    """Writes an answer, of which the first piece is made before anything is said: then it can still be an error."""
    pieces = _in_bulk(answer.body)
    first = next(pieces, b"")
    chunked = request is not None and request.minor == 1
    headers = {"Date": formatdate(usegmt=True), **ALWAYS, "Content-Type": answer.kind, **answer.headers}
    headers.setdefault("Content-Security-Policy", NO_SCRIPT)
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    if request is not None and request.method == "HEAD":
        return
    writer.forgives = answer.endless
    for piece in chain([first], pieces):
        if piece:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
    if chunked:
        writer.write(b"0\r\n\r\n")  # a reader that misses this knows that the answer is not whole


def _in_bulk(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held, size = [], 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE or piece == b"":  # nothing: so far, now
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def hang_up(connection: socket.socket) -> None:
    """Closes a connection so that the answer arrives, also where the client said more than was read."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(0.5)
        for _ in range(8):
            if not connection.recv(_PIECE):
                break
    connection.close()

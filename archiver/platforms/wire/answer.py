"""A server's or a proxy's HTTP answer to a request to connect, read within bounds."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from websocket import WebSocketException

LONGEST_ANSWER = 64 * 1024
LONGEST_BODY = 2048
LONGEST_PHRASE = 80
"""How many characters of the words beside the status are shown."""
BODY_SECONDS = 1.0
SWITCHING = 101
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: ([^\r\n]*))?\r?\n")
_END = re.compile(rb"\r?\n\r?\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r?\n")


_TLS_ALERT = b"\x15\x03"


class Refused(WebSocketException):
    """The server answered, and not with what was asked for."""

    def __init__(self, answer: Answer, body: str) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.status = answer.status
        self.phrase = answer.phrase
        self.location = answer.field("Location")
        self.body = body
        self.retry_after = answer.field("Retry-After")
        """When to come back, as the server wrote it: seconds or a date; empty when it did not say."""

    def told(self, safe: Callable[[str], str]) -> str:
        """What it says, each part made safe to show before anything is cut; not yet escaped."""
        text = f"HTTP {self.status} {safe(self.phrase)[:LONGEST_PHRASE]}".strip()
        if self.location:
            text += f", moved to {safe(_shown(self.location))} (not followed)"
        return text + (f": {safe(self.body)}" if self.body else "")


class Answer(NamedTuple):
    """The head of an answer, and what came along behind it."""

    status: int
    phrase: str
    head: bytes
    rest: bytes

    def field(self, name: str) -> str:
        """The values of a header field, joined by commas; empty when there is none."""
        pattern = rb"(?im)^" + re.escape(name.encode()) + rb":[ \t]*([^\r\n]*?)[ \t]*\r?$"
        return ", ".join(value.decode("latin-1") for value in re.findall(pattern, self.head))

    def tokens(self, name: str) -> set[str]:
        """The same in small letters, cut at the commas."""
        return {token.strip().lower() for token in self.field(name).split(",")}


def read_answer(sock: socket.socket) -> Answer:
    """The answer's head; interim answers before it are skipped (RFC 9110, 15.2)."""
    received = bytearray()
    start, seen = 0, 0
    while True:
        while (end := _END.search(received, max(start, seen - 4))) is None:
            if len(received) > LONGEST_ANSWER:
                raise WebSocketException(f"the answer's header exceeds {LONGEST_ANSWER} bytes")
            seen = len(received)
            chunk = sock.recv(4096)
            if not chunk:
                told = "the server closed the connection without an answer"
                raise WebSocketException(told + _perhaps_tls(sock, received))
            received += chunk
            if received.startswith(_TLS_ALERT):
                raise WebSocketException("the server speaks TLS at this port: it is wss:// or https://")
        head = bytes(received[start : end.end()])
        status = _STATUS.match(head)
        if status is None:
            raise WebSocketException("the server does not speak HTTP")
        number = int(status[1])
        start = seen = end.end()
        if number >= 200 or number == SWITCHING:
            phrase = (status[2] or b"").decode("utf-8", "replace")
            return Answer(number, phrase, head, bytes(received[start:]))


def _perhaps_tls(sock: socket.socket, received: bytearray) -> str:
    """What to add where a server that waited for a TLS handshake would have done the same."""
    plain = not received and not isinstance(sock, ssl.SSLSocket)
    return " (if it speaks TLS at this port, it is wss:// or https://)" if plain else ""


def refusal(sock: socket.socket, answer: Answer) -> Refused:
    """The answer as a refusal, with the beginning of its body as far as it comes at once."""
    chunked = "chunked" in answer.tokens("Transfer-Encoding")
    length = answer.field("Content-Length")
    told = not chunked and length.isdecimal() and len(length) < 10
    wanted = min(LONGEST_BODY, int(length)) if told else LONGEST_BODY
    body = answer.rest
    until = time.monotonic() + BODY_SECONDS
    with contextlib.suppress(OSError):
        while len(body) < wanted and not (chunked and body.endswith(b"0\r\n\r\n")):
            if (left := until - time.monotonic()) <= 0:
                break
            sock.settimeout(left)
            piece = sock.recv(wanted - len(body))
            if not piece:
                break
            body += piece
    body = _without_chunks(body) if chunked else body[:wanted]
    return Refused(answer, body.decode("utf-8", "replace"))


def _without_chunks(body: bytes) -> bytes:
    """What of a chunked body is there."""
    plain, at = b"", 0
    while (size := _CHUNK.match(body, at)) is not None and int(size[1], 16):
        at = size.end() + int(size[1], 16)
        plain += body[size.end() : at]
        at += 2
    return plain


def _shown(location: str) -> str:
    """Where a redirection leads, without what may be a credential."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "what is no URL"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

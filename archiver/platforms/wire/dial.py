"""Opens a WebSocket: name, TCP, proxy, TLS and HTTP under one deadline; no redirection, no cookie, no Origin."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from urllib.parse import SplitResult, urlsplit

from websocket import WebSocketException

from archiver.platforms.wire.answer import SWITCHING, Answer, read_answer, refusal
from archiver.platforms.wire.connect import AddressInfo, connect
from archiver.platforms.wire.connection import Connection
from archiver.platforms.wire.deadline import Deadline
from archiver.platforms.wire.proxy import Proxy
from archiver.platforms.wire.tls import secure_context, spoken_plainly
from archiver.version import __version__

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What a server answers with the client's key to (RFC 6455, 1.3)."""


class Dialer:
    """Opens connections to one URL, one after another, beginning with the address that worked last time."""

    def __init__(
        self,
        url: str,
        header: Sequence[str] = (),
        *,
        proxy: Proxy | None = None,
        context: Callable[[], ssl.SSLContext] = secure_context,
        make: Callable[[], Connection] = Connection,
    ) -> None:
        """`context` makes what each TLS connection trusts anew: certificates are renewed in a daemon's life."""
        self._parts = urlsplit(url)
        self._header = header
        self._proxy = proxy
        self._context = context
        self._make = make
        self._last: AddressInfo | None = None

    def dial(self, seconds: float, interrupted: Callable[[], bool]) -> Connection:
        """An open connection within `seconds`.

        Raises Refused, ProxyRefused, TooSlow, Interrupted, another WebSocketException, or OSError; no socket is left
        open then.
        """
        host, port = self._parts.hostname or "", self._parts.port or (443 if self._parts.scheme == "wss" else 80)
        with Deadline(seconds, interrupted) as deadline:
            context = self._context if self._parts.scheme == "wss" else None
            sock, address = line_to(host, port, deadline, proxy=self._proxy, context=context, last=self._last)
            try:
                connection = self._shake_hands(sock, deadline)
            except BaseException:
                sock.close()
                raise
            self._last = address
            return connection

    def _shake_hands(self, sock: socket.socket, deadline: Deadline) -> Connection:
        key = base64.b64encode(os.urandom(16))
        answer = _ask(sock, _request(self._parts, self._header, key.decode()))
        if answer.status != SWITCHING:
            raise refusal(sock, answer)
        if fault := _fault(answer, key):
            raise WebSocketException(f"the answer is no websocket handshake: {fault}")
        deadline.left()
        connection = self._make()
        connection.adopt(sock, answer.rest)
        return connection


def line_to(
    host: str,
    port: int,
    deadline: Deadline,
    *,
    proxy: Proxy | None,
    context: Callable[[], ssl.SSLContext] | None,
    last: AddressInfo | None,
) -> tuple[socket.socket, AddressInfo]:
    """A connection to a host, with TLS where `context` makes what that trusts, and the address it has.

    `last` is the address that worked last time. Raises as `Dialer.dial` does; no socket is left open then.
    """
    first = (host, port) if proxy is None else (proxy.host, proxy.port)
    sock, address = connect(*first, deadline, last)
    try:
        if proxy is not None:
            proxy.tunnel(sock, host, port)
        return sock if context is None else _secured(sock, host, context(), deadline), address
    except BaseException:
        sock.close()
        raise


def _secured(sock: socket.socket, host: str, context: ssl.SSLContext, deadline: Deadline) -> ssl.SSLSocket:
    """The connection with TLS over it, which the deadline guards from now on."""
    tls = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        deadline.guard(tls)
        tls.do_handshake()
    except ssl.SSLError as exc:
        tls.close()
        if (fault := spoken_plainly(exc)) is None:
            raise
        raise fault from exc
    except BaseException:
        tls.close()
        raise
    return tls


def _ask(sock: socket.socket, request: bytes) -> Answer:
    """The answer to a request. A server that hung up before it was sent may have said why."""
    try:
        sock.sendall(request)
    except OSError:
        with contextlib.suppress(WebSocketException):
            return read_answer(sock)
        raise
    return read_answer(sock)


def _request(parts: SplitResult, header: Sequence[str], key: str) -> bytes:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    if parts.port not in (None, 443 if parts.scheme == "wss" else 80):
        host += f":{parts.port}"
    lines = [
        f"GET {parts.path or '/'}{'?' if parts.query else ''}{parts.query} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        f"User-Agent: archiver/{__version__}",
        *header,
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _fault(answer: Answer, key: bytes) -> str:
    """What keeps an answer 101 from opening a connection (RFC 6455, 4.1); empty when nothing does."""
    if "websocket" not in answer.tokens("Upgrade"):
        return "it has no 'Upgrade: websocket'"
    if "upgrade" not in answer.tokens("Connection"):
        return "it has no 'Connection: Upgrade'"
    if answer.field("Sec-WebSocket-Accept") != base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode():
        return "its Sec-WebSocket-Accept does not fit"
    if extensions := answer.field("Sec-WebSocket-Extensions"):
        return f"it switches on what nobody offered, {extensions}"
    return ""

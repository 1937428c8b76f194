"""Opens a WebSocket: name, TCP, TLS and HTTP under one deadline, no redirect, no proxy, no cookie."""

from __future__ import annotations

import contextlib
import functools
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any
from urllib.parse import SplitResult, urlsplit

from websocket import WebSocketException

from archiver.platforms.wire.connection import CappedWebSocket
from archiver.version import __version__

LONGEST_ANSWER = 64 * 1024
LONGEST_BODY = 2048
BODY_SECONDS = 1.0
PEEK = 0.1
TCP_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", 18)
SOCKET_OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 20_000),
)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: ([^\r\n]*))?\r?\n")
_END = re.compile(rb"\r?\n\r?\n")
_COOKIES = re.compile(rb"(?im)^set-cookie2?:.*\n")
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d{1,9})[ \t]*\r?$")


class Refused(WebSocketException):
    """The server answered, and not with 101."""

    def __init__(self, status: int, phrase: str, body: str) -> None:
        super().__init__(f"HTTP {status} {phrase}".strip() + (f": {body}" if body else ""))
        self.status = status
        self.body = body


class TooSlow(WebSocketException):
    """The connection was not open when the deadline came."""


class Interrupted(WebSocketException):
    """The caller lost interest while the connection was being opened."""


def secure_context() -> ssl.SSLContext:
    """Certificates and host names are verified, TLS 1.2 is the least, and no environment variable logs the keys."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.keylog_filename = None  # type: ignore[assignment]  # typeshed knows only str
    return context


def dial(
    url: str,
    header: list[str],
    *,
    seconds: float,
    interrupted: Callable[[], bool],
    make: Callable[[], CappedWebSocket] = CappedWebSocket,
    context: ssl.SSLContext | None = None,
) -> CappedWebSocket:
    """An open connection to `url` within `seconds`.

    Raises Refused, TooSlow, Interrupted, another WebSocketException, or OSError; no socket is left open then.
    """
    parts = urlsplit(url)
    with _Watch(seconds, interrupted) as watch:
        sock = _connect(parts, watch)
        try:
            if parts.scheme == "wss":
                sock = _secure(sock, parts.hostname or "", context or secure_context(), watch)
            return _shake_hands(sock, url, header, make, watch)
        except BaseException:
            sock.close()
            raise


class _Watch:
    """Shuts the socket down when the deadline comes or the caller loses interest, whatever the socket is doing."""

    def __init__(self, seconds: float, interrupted: Callable[[], bool]) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._interrupted = interrupted
        self._done = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="dial-deadline", daemon=True)
        self._broken: WebSocketException | None = None

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, _: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()
        self._socket = None
        if self._broken is not None and isinstance(exc, (OSError, WebSocketException)):
            raise self._broken from exc

    def left(self) -> float:
        """Seconds until the deadline; raises when it has come or the caller lost interest."""
        if self._interrupted():
            raise Interrupted("stopped")
        left = self._until - time.monotonic()
        if left <= 0:
            raise TooSlow(f"not connected after {self._seconds:g} s")
        return left

    def guard(self, sock: socket.socket) -> None:
        """From now on this is the socket to shut down."""
        self._socket = sock

    def _run(self) -> None:
        while not self._done.wait(PEEK):
            try:
                self.left()
            except WebSocketException as exc:
                self._broken = exc
                self._shut()

    def _shut(self) -> None:
        # The base class's method: the one of SSLSocket first drops the encryption, and a concurrent send would go out
        # in the clear.
        if self._socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _resolve(host: str, port: int, watch: _Watch) -> list[tuple[Any, ...]]:
    """The host's addresses; in a thread of its own, for getaddrinfo knows no deadline."""
    answers: queue.SimpleQueue[list[tuple[Any, ...]] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except OSError as exc:
            answers.put(exc)
        except UnicodeError:
            answers.put(socket.gaierror(socket.EAI_NONAME, "not a host name"))

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    while True:
        with contextlib.suppress(queue.Empty):
            answer = answers.get(timeout=min(PEEK, watch.left()))
            if isinstance(answer, OSError):
                raise answer
            return answer


def _connect(parts: SplitResult, watch: _Watch) -> socket.socket:
    """A TCP connection to the first address that takes one; each gets its share of the time."""
    addresses = _resolve(parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80), watch)
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for index, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            watch.guard(sock)
            for option in SOCKET_OPTIONS:
                sock.setsockopt(*option)
            sock.settimeout(watch.left() / (len(addresses) - index))
            sock.connect(address)
            # From here on the watch decides; the socket's own time-out must not come first.
            sock.settimeout(watch.left() + 1)
            return sock
        except OSError as exc:
            sock.close()
            watch.left()
            failure = exc
        except BaseException:
            sock.close()
            raise
    raise failure


def _secure(sock: socket.socket, host: str, context: ssl.SSLContext, watch: _Watch) -> ssl.SSLSocket:
    tls = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        watch.guard(tls)
        tls.do_handshake()
    except BaseException:
        tls.close()
        raise
    return tls


def _shake_hands(
    sock: socket.socket, url: str, header: list[str], make: Callable[[], CappedWebSocket], watch: _Watch
) -> CappedWebSocket:
    answer = _Answer(sock)
    ws = make()
    ws.connect(  # type: ignore[no-untyped-call]
        url,
        socket=answer,
        header=[f"User-Agent: archiver/{__version__}", *header],
        redirect_limit=0,
        timeout=watch.left() + 1,
    )
    watch.left()
    ws.adopt(sock, answer.rest())
    return ws


class _Answer:
    """The socket as websocket-client's handshake sees it: one bounded answer, status 101, without cookies."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._head = b""
        self._at = 0
        self._rest = b""
        self.gettimeout = sock.gettimeout
        self.send = functools.partial(_send_all, sock)
        self.close = sock.close

    def recv(self, size: int) -> bytes:
        """The next bytes of the answer's head; never reads beyond the head on behalf of the caller."""
        if not self._head:
            self._head = self._read_head()
        piece = self._head[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def rest(self) -> bytes:
        """What came after the head: the first frames."""
        return self._rest

    def _read_head(self) -> bytes:
        received = bytearray()
        while (end := _END.search(received, max(0, len(received) - 4096 - 4))) is None:
            if len(received) > LONGEST_ANSWER:
                raise WebSocketException(f"the answer's header exceeds {LONGEST_ANSWER} bytes")
            chunk = self._socket.recv(4096)
            if not chunk:
                raise WebSocketException("the server closed the connection without an answer")
            received += chunk
        head, self._rest = bytes(received[: end.end()]), bytes(received[end.end() :])
        status = _STATUS.match(head)
        if status is None:
            raise WebSocketException("the server does not speak HTTP")
        if int(status[1]) != 101:
            phrase = (status[2] or b"").decode("utf-8", "replace")[:80]
            raise Refused(int(status[1]), phrase, self._body(head).decode("utf-8", "replace"))
        return _COOKIES.sub(b"", head)

    def _body(self, head: bytes) -> bytes:
        """The beginning of the body, as far as it comes at once."""
        declared = _LENGTH.search(head)
        wanted = min(LONGEST_BODY, int(declared[1]) if declared else LONGEST_BODY)
        body = self._rest
        until = time.monotonic() + BODY_SECONDS
        with contextlib.suppress(OSError):
            while len(body) < wanted and (left := until - time.monotonic()) > 0:
                self._socket.settimeout(left)
                chunk = self._socket.recv(wanted - len(body))
                if not chunk:
                    break
                body += chunk
        return body[:wanted]


def _send_all(sock: socket.socket, data: bytes) -> int:
    sock.sendall(data)
    return len(data)

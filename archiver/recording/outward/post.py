"""Posts to a server over HTTP, within one deadline; follows no redirect, and tells no secret of the URL."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from archiver.errors import ConfigurationWrong
from archiver.model.hooks import require_url, shown_place
from archiver.platforms.wire.proxy import Proxy, proxy_for
from archiver.platforms.wire.tls import secure_context, tls_hint
from archiver.version import __version__

MOST_OF_ANSWER = 64 << 10
"""Bytes of an answer that are read."""
_LONGEST_WAIT = 3600.0
_LONGEST_URL = 8192


class NotTaken(Exception):
    """It was not delivered, in words; `wait`: the server says when to come again, in seconds; `status`: its answer."""

    def __init__(self, reason: str, wait: float | None = None, status: int = 0) -> None:
        super().__init__(reason)
        self.wait, self.status = wait, status


class Target(NamedTuple):
    """A server, and where on it."""

    secure: bool
    host: str
    port: int
    path: str
    login: str
    """The Authorization header; empty: none."""
    proxy: Proxy | None
    shown: str
    """As it may stand in a log."""

    def forms(self) -> set[str]:
        """All of it that is secret, in the forms in which it travels."""
        pieces = [piece for piece in self.path.replace("?", "/").split("/") if len(piece) >= 8]
        login = self.login.partition(" ")[2]
        plain = base64.b64decode(login).decode("utf-8", "replace").partition(":")[2] if login else ""
        return {self.path, login, plain, *pieces} - {"", "/"} | (self.proxy.forms() if self.proxy else set())


def target_of(url: str, setting: str, origin: str, environ: Mapping[str, str] = os.environ) -> Target:
    """The server that a URL means, or the file that holds it (`@FILE`). Raises ConfigurationWrong."""
    shown = shown_place(url)
    try:
        if url.startswith("@"):
            url = _first_line(Path(url[1:]))
            shown = shown_place(url)
        require_url(url)
    except (OSError, UnicodeDecodeError) as error:
        reason = f"{shown} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}"
        raise ConfigurationWrong(setting=setting, reason=reason, origin=origin) from error
    except ValueError as error:
        raise ConfigurationWrong(setting=setting, reason=str(error), origin=origin) from None
    parts = urlsplit(url)
    assert parts.hostname is not None
    secure = parts.scheme == "https"
    login = ""
    if parts.username is not None or parts.password is not None:
        if not secure and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            reason = "http:// to another machine would send the password in the clear; use https://"
            raise ConfigurationWrong(setting=setting, reason=reason, origin=origin)
        pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        login = "Basic " + base64.b64encode(pair.encode()).decode()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    wire = parts._replace(scheme="wss" if secure else "ws").geturl()  # as the other connections find their proxy
    port = parts.port or (443 if secure else 80)
    return Target(secure, parts.hostname, port, path, login, proxy_for(wire, environ), shown)


def _first_line(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LONGEST_URL).decode().strip().partition("\n")[0].strip()


def post(
    target: Target, body: bytes, headers: Mapping[str, str], seconds: float, ended: Callable[[], bool]
) -> tuple[int, bytes]:
    """The status and the beginning of the answer to it, of those from 200 to 299. Raises NotTaken."""
    deadline = _Deadline(seconds, ended)
    try:
        with deadline:
            return _exchange(target, body, headers, deadline)
    except NotTaken:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotTaken(_in_words(error, deadline)) from error
    except Exception as error:  # what a proxy says is an error of the websocket client
        raise NotTaken(str(error) or type(error).__name__) from error


def _in_words(error: Exception, deadline: _Deadline) -> str:
    if deadline.is_over or isinstance(error, TimeoutError):
        return f"no answer within {deadline.seconds:g} s"
    said = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
    return f"{said or type(error).__name__}{tls_hint(error)}"


def _exchange(target: Target, body: bytes, headers: Mapping[str, str], deadline: _Deadline) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(target.host, target.port)
    try:
        connection.sock = _dialed(target, deadline)
        own = {"User-Agent": f"archiver/{__version__}", "Accept": "*/*", "Connection": "close", **headers}
        if target.login:
            own["Authorization"] = target.login
        connection.request("POST", target.path, body, own)
        answer = connection.getresponse()
        said = answer.read(MOST_OF_ANSWER)
        if deadline.is_over:  # what was cut off there looks as if it had ended
            raise TimeoutError
        if 200 <= answer.status < 300:
            return answer.status, said
        moved = " (redirects are not followed: give the URL that it leads to)" if 300 <= answer.status < 400 else ""
        raise NotTaken(f"HTTP {answer.status}{moved}", retry_after(answer.getheader("Retry-After")), answer.status)
    finally:
        connection.close()


def _dialed(target: Target, deadline: _Deadline) -> socket.socket:
    via = (target.host, target.port) if target.proxy is None else (target.proxy.host, target.proxy.port)
    line = deadline.guard(socket.create_connection(via, deadline.left()))
    if target.proxy is not None:
        target.proxy.tunnel(line, target.host, target.port)
    if not target.secure:
        return line
    return deadline.guard(secure_context().wrap_socket(line, server_hostname=target.host))


def retry_after(header: str | None) -> float | None:
    """Seconds until a server wants to be asked again: a number of them, or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WAIT)
    with suppress(ValueError, TypeError, OverflowError):
        return min(max(0.0, parsedate_to_datetime(text).timestamp() - time.time()), _LONGEST_WAIT)
    return None


class _Deadline:
    """Ends whatever the connection waits for when the time is over, or the daemon ends."""

    def __init__(self, seconds: float, ended: Callable[[], bool]) -> None:
        self.seconds = seconds
        self.is_over = False
        self._until = time.monotonic() + seconds
        self._ended = ended
        self._done = threading.Event()
        self._line: socket.socket | None = None
        self._thread = threading.Thread(target=self._watch, name="post-deadline", daemon=True)

    def __enter__(self) -> _Deadline:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._done.set()

    def left(self) -> float:
        """Seconds that are left."""
        return max(0.01, self._until - time.monotonic())

    def guard(self, line: socket.socket) -> socket.socket:
        """From now on this is the one to shut down."""
        line.settimeout(self.left())
        self._line = line
        return line

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            self.is_over = time.monotonic() >= self._until
            if (self.is_over or self._ended()) and self._line is not None:
                with suppress(OSError):  # of an SSLSocket, too, without a word to the other end
                    socket.socket.shutdown(self._line, socket.SHUT_RDWR)

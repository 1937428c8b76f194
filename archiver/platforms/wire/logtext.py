"""Words for reasons and log lines: on one line, short, and nothing a terminal acts on."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import PurePath

from websocket import WebSocketConnectionClosedException

from archiver.codec.secrets import blanked_text

LONGEST_REASON = 500
WINDOW = 60.0
LINES_PER_WINDOW = 10


def plain(text: str, limit: int = LONGEST_REASON) -> str:
    """The text on one line, control, bidirectional and zero-width characters escaped, cut to `limit` characters.

    Credentials in URLs and headers are blanked before anything is cut: half a secret is found by nobody.
    """
    text = blanked_text(text)
    escaped = "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode("ascii")
        for char in text[:limit]
    )
    return escaped if len(escaped) <= limit and len(text) <= limit else escaped[: limit - 1] + "…"


def why(exc: BaseException) -> str:
    """What a failure of the network or of the protocol means, in plain words; not yet escaped."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"the server's certificate is not valid: {exc.verify_message}"
    if isinstance(exc, ssl.SSLError):
        return f"TLS failure: {exc.reason or 'the connection was cut'}"
    if isinstance(exc, socket.gaierror):
        return f"the host name cannot be resolved: {exc.strerror}"
    if isinstance(exc, (ConnectionResetError, BrokenPipeError)):
        return "connection reset"
    if isinstance(exc, ConnectionRefusedError):
        return "connection refused"
    if isinstance(exc, WebSocketConnectionClosedException):
        return "the connection ended without a close frame"
    if isinstance(exc, TimeoutError):
        return "no answer in time"
    if isinstance(exc, OSError):
        return exc.strerror or type(exc).__name__
    return str(exc) or type(exc).__name__


def unexpected(exc: Exception) -> str:
    """What a failure that nobody has thought of was, and where in the code, for a report; not yet escaped."""
    last = exc.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f" in {PurePath(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last is not None else ""
    return f"unexpected {type(exc).__name__}{place}: {exc}"


class QuietLog:
    """Warnings of which a minute shows ten of a kind; what was left out is counted and told with the next."""

    def __init__(self, logger: logging.Logger, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._monotonic = monotonic
        self._kinds: dict[str, list[float]] = {}
        self._hidden: dict[str, int] = {}

    def warning(self, kind: str, text: str) -> None:
        """Log the text, escaped and cut, unless the last minute already had its share of this kind."""
        now = self._monotonic()
        shown = [at for at in self._kinds.get(kind, []) if now - at < WINDOW]
        if len(shown) >= LINES_PER_WINDOW:
            self._hidden[kind] = self._hidden.get(kind, 0) + 1
            self._kinds[kind] = shown
            return
        hidden = self._hidden.pop(kind, 0)
        more = f" ({hidden} more like this were not shown)" if hidden else ""
        self._logger.warning("%s%s", plain(text), more)
        self._kinds[kind] = [*shown, now]

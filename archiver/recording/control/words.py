"""What is said over the socket: one line of JSON each way, of bounded length, and before the answer empty lines."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

MOST_BYTES = 32 << 10
"""Of a request, and of an answer."""


class NotUnderstood(Exception):
    """What was said is no request, in words."""


def encoded(value: dict[str, Any]) -> bytes:
    """The line of a request or an answer."""
    return json.dumps(value).encode() + b"\n"


class TooLong(NotUnderstood):
    """Nobody reads a request that is so long."""

    def __init__(self) -> None:
        super().__init__(f"a request has at most {MOST_BYTES} bytes")


def first_line(said: bytearray, *, ended: bool) -> bytes | None:
    """The first line that is not empty, without its end; None while it is not whole, unless it has `ended` so.

    Empty lines before it are taken out of what was said. Raises TooLong.
    """
    del said[: len(said) - len(said.lstrip(b"\n"))]
    if len(said) > MOST_BYTES:
        raise TooLong
    return bytes(said.partition(b"\n")[0]) if ended or b"\n" in said else None


def read_line(line: socket.socket, seconds: float, *, alive: bool = False) -> bytes:
    """The next line that is not empty, without its end; what was said if the other end hangs up within it.

    It may take so long; `alive`: so long without a sign, of which an empty line is one.
    Raises NotUnderstood when it is too long, TimeoutError, OSError.
    """
    said = bytearray()
    deadline = time.monotonic() + seconds
    while True:
        left = seconds if alive else deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        line.settimeout(left)
        piece = line.recv(4096)
        said += piece
        if (whole := first_line(said, ended=not piece)) is not None:
            return whole


def decoded(line: bytes) -> dict[str, Any]:
    """The object in a line. Raises NotUnderstood."""
    try:
        value = json.loads(line.decode())
    except (ValueError, RecursionError):
        raise NotUnderstood("a request is a line of JSON in UTF-8") from None
    if type(value) is not dict:
        raise NotUnderstood("a request is a JSON object")
    return value

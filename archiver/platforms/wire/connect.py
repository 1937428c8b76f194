"""A TCP connection to whichever of a host's addresses takes one first.

A dead address costs a quarter of a second and not its share of the deadline ("Happy Eyeballs", RFC 8305).
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import selectors
import socket
import threading
import time
from collections.abc import Iterable
from itertools import chain, zip_longest
from typing import Any

from archiver.platforms.wire.deadline import PEEK, Deadline

STAGGER = 0.25
"""After so many seconds without an answer the next address is tried as well (RFC 8305, section 5)."""
TCP_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", 18)
SOCKET_OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 20_000),
)

AddressInfo = tuple[Any, ...]
"""What getaddrinfo says of one address: family, type, protocol, canonical name, address."""


def connect(host: str, port: int, deadline: Deadline, last: AddressInfo | None) -> tuple[socket.socket, AddressInfo]:
    """A connection, and the address it has; `last` is the one that worked last time, and is tried first.

    Raises OSError when no address takes one, and what `deadline` raises; no socket is left open then.
    """
    found = ordered(_resolve(host, port, deadline), last)
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, "no address")
    with contextlib.closing(_Race(deadline)) as race:
        sock, address = race.run(found)
    try:
        deadline.guard(sock)
        # From here on the deadline decides; the socket's own time-out must not come first.
        sock.settimeout(deadline.left() + 1)
    except BaseException:
        sock.close()
        raise
    return sock, address


def ordered(addresses: Iterable[AddressInfo], last: AddressInfo | None) -> list[AddressInfo]:
    """Each address once, families by turns, the one that worked last time first."""
    families: dict[int, list[AddressInfo]] = {}
    for address in dict.fromkeys(addresses):
        families.setdefault(address[0], []).append(address)
    found = [address for address in chain.from_iterable(zip_longest(*families.values())) if address is not None]
    return sorted(found, key=lambda address: address != last)


def _resolve(host: str, port: int, deadline: Deadline) -> list[AddressInfo]:
    """The host's addresses; in a thread of its own, for getaddrinfo knows no deadline."""
    answers: queue.SimpleQueue[list[AddressInfo] | OSError] = queue.SimpleQueue()

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
            answer = answers.get(timeout=min(PEEK, deadline.left()))
            if isinstance(answer, OSError):
                raise answer
            return answer


class _Race:
    """Connections under way, of which the first to be open is kept."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._selector = selectors.DefaultSelector()
        self._failure = OSError("no address")

    def close(self) -> None:
        """Ends all connections but the winner."""
        for key in list(self._selector.get_map().values()):
            self._drop(key.fileobj)
        self._selector.close()

    def run(self, addresses: list[AddressInfo]) -> tuple[socket.socket, AddressInfo]:
        """The winner; raises the last failure when there is none."""
        waiting, next_at = iter(addresses), 0.0
        more = True
        while more or self._selector.get_map():
            self._deadline.left()
            if more and (not self._selector.get_map() or time.monotonic() >= next_at):
                address = next(waiting, None)
                more = address is not None
                if address is not None:
                    self._start(address)
                    next_at = time.monotonic() + STAGGER
                continue
            for key, _ in self._selector.select(min(PEEK, max(0.0, next_at - time.monotonic())) if more else PEEK):
                if (winner := self._judge(key)) is not None:
                    return winner
                next_at = 0.0
        raise self._failure

    def _start(self, address: AddressInfo) -> None:
        try:
            sock = socket.socket(*address[:3])
        except OSError as exc:  # a family that this machine does not have
            self._failure = exc
            return
        try:
            for option in SOCKET_OPTIONS:
                sock.setsockopt(*option)
            sock.setblocking(False)
            code = sock.connect_ex(address[4])
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
            self._selector.register(sock, selectors.EVENT_WRITE, address)
        except OSError as exc:
            sock.close()
            self._failure = exc
        except BaseException:
            sock.close()
            raise

    def _judge(self, key: selectors.SelectorKey) -> tuple[socket.socket, AddressInfo] | None:
        """The connection when it is open; one that failed is dropped."""
        sock: socket.socket = key.fileobj  # type: ignore[assignment]
        if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._failure = OSError(code, os.strerror(code))
            self._drop(sock)
            return None
        self._selector.unregister(sock)
        return sock, key.data

    def _drop(self, sock: Any) -> None:
        self._selector.unregister(sock)
        sock.close()

"""The server of `archiver serve`: a thread for each connection, of which there are only so many."""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from archiver.report.site import Site, refusal
from archiver.report.web import Answer, Refused, Request, Writer, hang_up, read_request, write_answer

CONNECTIONS = 400
"""At once; who comes beyond is told to come again."""
FOLLOWERS = 300
"""Of these, who may stay."""
QUESTIONS = 16
"""Answered at once; the next wait."""
WAIT_SECONDS = 10.0
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n"
_SEND_BUFFER = 65_536


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Gives a site to whoever asks at an address."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], site: Site, complain: Callable[[Exception], None]) -> None:
        """Raises OSError when nothing can be served there. `complain` is told of what should not have happened."""
        self.address_family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
        self.site, self.complain = site, complain
        self.connections = threading.BoundedSemaphore(CONNECTIONS)
        self.followers = threading.BoundedSemaphore(FOLLOWERS)
        self.questions = threading.BoundedSemaphore(QUESTIONS)
        super().__init__(address, _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hands a connection to a thread of its own, where there is one left."""
        if self.connections.acquire(blocking=False):
            try:
                super().process_request(request, client_address)
            except RuntimeError:  # the system gives no more threads
                self.connections.release()
                self._send_away(request)
        else:
            self._send_away(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answers, and makes room for the next."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.release()

    def shutdown_request(self, request: Any) -> None:
        """The connection was closed by who answered."""
        request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever went away needs no line in a log; what should not have happened is told."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.complain(error)

    def _send_away(self, connection: socket.socket) -> None:
        with suppress(OSError):
            connection.setblocking(False)
            connection.send(_BUSY)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(_SEND_BUFFER)
        connection.close()


class _Connection(socketserver.BaseRequestHandler):
    """One request, and its answer."""

    server: Server
    request: socket.socket

    def handle(self) -> None:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        writer = Writer(self.request)
        with suppress(OSError):  # a reader that went away, or let us wait for too long
            try:
                asked = read_request(self.request)
                if asked is not None:
                    self._give(writer, asked)
            except Refused as refused:
                write_answer(writer, None, refusal(refused))
            finally:
                hang_up(self.request)

    def _give(self, writer: Writer, asked: Request) -> None:
        try:
            with _room(self.server.questions, WAIT_SECONDS):
                answer = self.server.site.answer(asked)
                if not answer.endless:
                    self._write(writer, asked, answer)
                    return
            with _room(self.server.followers, 0):
                self._write(writer, asked, answer)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, who asks gets an answer
            self._refuse(writer, asked, error)

    def _write(self, writer: Writer, asked: Request, answer: Answer) -> None:
        try:
            write_answer(writer, asked, answer)
        finally:
            if hasattr(answer.body, "close"):
                answer.body.close()

    def _refuse(self, writer: Writer, asked: Request, error: Exception) -> None:
        answer = refusal(error, asked.path)
        if answer.status == 500:
            self.server.complain(error)
        if not writer.begun:  # else the answer breaks off, which its reader notices
            write_answer(writer, asked, answer)


@contextmanager
def _room(slots: threading.BoundedSemaphore, seconds: float) -> Iterator[None]:
    """One of so many, for which is waited so long. Raises Refused."""
    if not slots.acquire(timeout=seconds):
        raise Refused(503, "too many ask at once", "ask again in a while")
    try:
        yield
    finally:
        slots.release()

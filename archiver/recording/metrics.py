"""Serves what a monitor asks of the daemon, on a port; whoever asks, and however slowly, the archive does not wait."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from archiver.api.archive import Archive
from archiver.api.metrics import Counted, of_status
from archiver.codec.prometheus import CONTENT_TYPE, Family, exposition
from archiver.errors import ArchiverError, CannotServe

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
"""Between two looks into the archive."""
_SHARE = 40
"""A look may take one part in so many of the time: it shares the processor with who archives."""
_SCRAPERS = 8
"""At once; who comes beyond is hung up on."""
_NOTICED = 0.2
"""Seconds until the end is noticed."""
_PATIENCE = 5.0
"""Seconds in which a scraper says what it wants, and takes it."""


class Metrics:
    """A page of numbers at `/metrics`; those of the archive are as old as the last look into it.

    `of_daemon` gives the numbers of this process at once, and waits for nothing. Raises CannotServe when nothing can
    be served at the address.
    """

    def __init__(
        self,
        address: tuple[str, int],
        url: str,
        of_daemon: Callable[[], Iterable[Family]],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._url = url
        self._of_daemon = of_daemon
        self._look_seconds = look_seconds
        self._of_archive = ""
        self._over = threading.Event()
        try:
            self._server = _Server(address, self.text)
        except (OSError, OverflowError) as error:
            shown = f"{address[0]}:{address[1]}"
            raise CannotServe(address=shown, reason=getattr(error, "strerror", None) or str(error)) from error

    @property
    def port(self) -> int:
        """Where it is served."""
        return int(self._server.server_address[1])

    def text(self) -> str:
        """All numbers as they are known now."""
        return exposition(self._of_daemon()) + self._of_archive

    def __enter__(self) -> Self:
        for name, target in (("metrics", self._serve), ("metrics-look", self._look)):
            threading.Thread(target=target, name=name, daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _serve(self) -> None:
        self._server.serve_forever(_NOTICED)

    def _look(self) -> None:
        counted = Counted()
        while not self._over.is_set():
            began = time.monotonic()
            try:
                with closing(Archive.open(self._url)) as archive:
                    families = [*of_status(archive.status()), *counted.families(archive, datetime.now(UTC))]
                self._of_archive = exposition(families)
            except ArchiverError:  # the daemon says what is the matter with it, here too
                self._of_archive = ""
            except Exception:
                self._of_archive = ""
                log.exception("the numbers of the archive could not be read")
            self._over.wait(max(self._look_seconds, _SHARE * (time.monotonic() - began)))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], text: Callable[[], str]) -> None:
        self.address_family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
        self.text = text
        self._room = threading.BoundedSemaphore(_SCRAPERS)
        super().__init__(address, _Page)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the system gives no more threads
            self._room.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        # One deadline for all of it: who sends a letter every few seconds, or takes none, keeps no place.
        line = threading.Timer(_PATIENCE, _hang_up, (request,))
        line.daemon = True
        try:
            line.start()
            super().process_request_thread(request, client_address)
        finally:
            line.cancel()
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who went away needs no line in a log."""


def _hang_up(request: socket.socket) -> None:
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


class _Page(BaseHTTPRequestHandler):
    server: _Server
    server_version = "archiver"
    sys_version = ""

    def do_GET(self) -> None:
        found = self.path.partition("?")[0] == "/metrics"
        body = self.server.text().encode() if found else b"see /metrics\n"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """A look every few seconds needs no line in a log."""

"""The stream for Python users: an iterator of events, or callbacks as the old clients had them."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from archiver.codec.text import parse
from archiver.errors import BadInput, StreamUnreachable
from archiver.model import Closed, Event, Item, Message, Opened, Reject
from archiver.platforms.decoders import decode
from archiver.platforms.open import open_source
from archiver.platforms.protocol import Source
from archiver.platforms.tutum.credentials import Credentials
from archiver.platforms.tutum.source import WebsocketSource
from archiver.platforms.wire.address import AuthWay
from archiver.platforms.wire.proxy import proxy_for
from archiver.platforms.wire.tls import ClientCertificate

_log = logging.getLogger(__name__)


class Stream:
    """The events of a stream, across reconnections: `ws(s)://` of Tutum or Docker Cloud, `unix://` of a Docker Engine.

        for event in Stream("wss://stream.example.org/v1/events", Credentials(key, user)):
            ...

    or, as with python-tutum and python-dockercloud, `on_message(handler)` and then `run_forever()`. Use one of the
    two, and once. Both raise CredentialsRefused when the platform refuses the credentials, and end after `close()`.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials | None = None,
        *,
        auth: AuthWay = "header",
        allow_plaintext: bool = False,
        source: Source | None = None,
    ) -> None:
        """Without `credentials`, they are looked for where `archiver run` looks, as in any case a proxy and a client
        certificate are. With `source`, events come from there.

        Raises ConfigurationWrong for a URL, credentials, a proxy or a certificate that cannot be used.
        """
        certificate, key = map(_path_of, ("ARCHIVER_CLIENT_CERT", "ARCHIVER_CLIENT_KEY"))
        options: dict[str, Any] = {"auth": auth, "allow_plaintext": allow_plaintext, "give_up_on_refusal": True}
        if source is not None:
            self._source = source
        elif credentials is not None:
            own = ClientCertificate(certificate, key) if certificate is not None else None
            proxy = proxy_for(url, os.environ)
            self._source = WebsocketSource(url, credentials, proxy=proxy, certificate=own, **options)
        else:
            from archiver.config.loading import home_folder

            options |= {"client_cert": certificate, "client_key": key, "api": "none"}
            self._source = open_source(url, os.environ, home_folder(), **options)
        self._stop = threading.Event()
        self._open_handler: Callable[[], object] | None = None
        self._message_handler: Callable[[Any], object] | None = None
        self._error_handler: Callable[[Exception], object] | None = None
        self._close_handler: Callable[[], object] | None = None

    def __iter__(self) -> Iterator[Event]:
        """Every event as it comes. A message that is no event goes to the `on_error` handler, else to the log."""
        for item in self._items():
            if isinstance(item, Message):
                found = decode(item)
                if isinstance(found, Event):
                    yield found
                else:
                    self._rejected(found)

    def on_open(self, handler: Callable[[], object]) -> None:
        """Call `handler()` whenever a connection is open."""
        self._open_handler = handler

    def on_message(self, handler: Callable[[Any], object]) -> None:
        """Call `handler(event)` with each event, the JSON object as a dict; not with the greeting of type `auth`."""
        self._message_handler = handler

    def on_error(self, handler: Callable[[Exception], object]) -> None:
        """Call `handler(error)` for a connection lost by a fault and for a message that is no event."""
        self._error_handler = handler

    def on_close(self, handler: Callable[[], object]) -> None:
        """Call `handler()` whenever a connection has ended."""
        self._close_handler = handler

    def run_forever(self, *args: object, **kwargs: object) -> None:
        """Call the handlers until `close()`; what a handler raises, this raises.

        The arguments the old clients took (`ping_interval` and others) are accepted and not needed.
        """
        for item in self._items():
            if isinstance(item, Message):
                self._dispatch(item)

    def close(self) -> None:
        """End the iteration or `run_forever` within about a second; from any thread, a handler included."""
        self._stop.set()

    def _items(self) -> Iterator[Item]:
        for item in self._source.items(self._stop):
            if isinstance(item, Opened) and self._open_handler is not None:
                self._open_handler()
            if isinstance(item, Closed):
                self._closed(item)
            if not self._stop.is_set():
                yield item

    def _closed(self, item: Closed) -> None:
        in_order = item.kind == "stopped" or (item.kind == "lost" and item.farewell)
        if self._error_handler is not None and not in_order:
            self._error_handler(StreamUnreachable(stream=item.stream, reason=item.reason))
        if self._close_handler is not None:
            self._close_handler()

    def _dispatch(self, message: Message) -> None:
        found = decode(message)
        if isinstance(found, Reject):
            self._rejected(found)
        elif found.type != "auth" and self._message_handler is not None:
            self._message_handler(parse(message.payload.decode().strip()))

    def _rejected(self, reject: Reject) -> None:
        if self._error_handler is not None:
            self._error_handler(BadInput(source=f"a message of {self._source.stream}", reason=reject.reason))
        else:
            _log.warning("a message of %s is no event: %s", self._source.stream, reject.reason)


def _path_of(variable: str) -> Path | None:
    return Path(value) if (value := os.environ.get(variable)) else None

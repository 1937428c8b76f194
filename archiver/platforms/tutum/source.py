"""The stream of Tutum and Docker Cloud, kept open for ever: connect, listen, connect again."""

from __future__ import annotations

import logging
import secrets
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from websocket import WebSocketException

from archiver.errors import CredentialsRefused
from archiver.model import Item
from archiver.platforms.tutum.credentials import Credentials, credentials_of_url
from archiver.platforms.tutum.session import BROKEN, End, Ending, Pace, Session, is_throttling
from archiver.platforms.wire.address import AuthWay, check_url, without_credentials
from archiver.platforms.wire.backoff import Backoff
from archiver.platforms.wire.connection import CappedWebSocket
from archiver.platforms.wire.dial import Interrupted, Refused, dial, secure_context
from archiver.platforms.wire.logtext import QuietLog, plain, why

HEALTHY_SECONDS = 60.0
REFUSING = frozenset({401, 403})
THROTTLING = frozenset({429})
LONGEST_ANSWER = 250

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retry:
    """How long to wait between tries, in seconds; a refused login waits far longer, for the platform locks accounts."""

    first: float = 0.5
    most: float = 60.0
    slow_first: float = 60.0
    slow_most: float = 3600.0
    healthy_after: float = HEALTHY_SECONDS
    """A session must have lasted this long before the waits begin again from the first."""
    seed: int | None = None


class WebsocketSource:
    """One stream of Tutum or Docker Cloud (see `archiver.platforms.protocol.Source`).

    The URL may carry credentials as the old clients wrote them (`?user=&token=`, `?auth=`, `user:key@`); they are taken
    out of it, and `credentials` goes before them. Raises ConfigurationWrong for a URL that cannot be used.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials | None = None,
        *,
        auth: AuthWay = "header",
        allow_plaintext: bool = False,
        give_up_on_refusal: bool = False,
        pace: Pace | None = None,
        retry: Retry | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        check_url(url, allow_plaintext)
        self._stream = without_credentials(url)
        self._credentials = credentials or credentials_of_url(url)
        self._target = self._stream
        self._header: list[str] = []
        if self._credentials is not None:
            self._target, self._header = self._credentials.applied(self._stream, auth)
        self._give_up = give_up_on_refusal
        self._pace = pace or Pace()
        self._retry = retry or Retry()
        self._context = context or (secure_context() if urlsplit(url).scheme == "wss" else None)
        self._quiet = QuietLog(_log, self._pace.monotonic)

    @property
    def stream(self) -> str:
        """The URL without credentials; what the archive calls this stream."""
        return self._stream

    def items(self, stop: threading.Event) -> Iterator[Item]:
        """Everything that happens on the stream, across reconnections, until `stop` is set.

        Raises CredentialsRefused when told to give up on that, and nothing else of the network or the platform.
        """
        retry = self._retry
        quick = Backoff(retry.first, retry.most, seed=retry.seed)
        slow = Backoff(retry.slow_first, retry.slow_most, low=1.0, high=1.25, seed=retry.seed)
        while not stop.is_set():
            opened = self._open(stop)
            if isinstance(opened, End):
                end = opened
                if end.ending is not Ending.STOPPED:
                    self._quiet.warning(end.ending.name, self._safe(f"cannot open {self._stream}: {end.reason}"))
            else:
                began = self._pace.monotonic()
                session = Session(opened, self._stream, secrets.token_hex(8), self._pace, self._safe)
                end = yield from session.items(stop)
                if end.ending in BROKEN and self._pace.monotonic() - began >= retry.healthy_after:
                    quick.reset()
                    slow.reset()
            if end.ending is Ending.STOPPED:
                return
            self._give_up_if_refused(end)
            delay = (quick if end.ending in BROKEN else slow).next()
            _log.info("%s: %s; next try in %.1f s", self._stream, plain(self._safe(end.reason)), delay)
            stop.wait(delay)

    def _open(self, stop: threading.Event) -> CappedWebSocket | End:
        """A connection that passed its handshake, or why there is none."""
        pace = self._pace
        make = partial(CappedWebSocket, pace.cap, tick=pace.tick, wall=pace.wall, monotonic=pace.monotonic)
        try:
            return dial(
                self._target,
                self._header,
                seconds=pace.handshake_deadline,
                interrupted=stop.is_set,
                make=make,
                context=self._context,
            )
        except Interrupted:
            return End(Ending.STOPPED, "stopped")
        except Refused as exc:
            return self._judged(exc)
        except (OSError, WebSocketException) as exc:
            return End(Ending.LOST, why(exc))

    def _judged(self, exc: Refused) -> End:
        """What it means that the server answered with another status than 101."""
        reason = self._safe(plain(str(exc), LONGEST_ANSWER))
        if exc.status in THROTTLING or is_throttling(exc.body):
            return End(Ending.THROTTLED, f"no more logins for now: {reason}")
        if exc.status in REFUSING:
            return End(Ending.REFUSED, f"credentials refused: {reason}")
        return End(Ending.LOST, reason)

    def _give_up_if_refused(self, end: End) -> None:
        if end.ending is not Ending.REFUSED:
            return
        if self._give_up:
            reason = plain(self._safe(end.reason)).removeprefix("credentials refused: ")
            raise CredentialsRefused(stream=self._stream, reason=reason)
        origin = self._credentials.origin if self._credentials is not None else ""
        used = f"those of {origin}" if origin else "none were given" if self._credentials is None else "those given"
        self._quiet.warning("login", f"{self._stream} refuses the credentials ({used}); trying again slowly")

    def _safe(self, text: str) -> str:
        return text if self._credentials is None else self._credentials.hidden_in(text)

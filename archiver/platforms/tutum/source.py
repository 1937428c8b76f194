"""The stream of Tutum and Docker Cloud, kept open for ever: connect, listen, connect again."""

from __future__ import annotations

import logging
import secrets
import ssl
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from websocket import WebSocketException

from archiver.errors import ConfigurationWrong, CredentialsRefused
from archiver.model import Condition, Item
from archiver.platforms.protocol import Notes
from archiver.platforms.tutum.api import Api
from archiver.platforms.tutum.asking import Asker
from archiver.platforms.tutum.beside import Beside, BesidePace
from archiver.platforms.tutum.credentials import Credentials, credentials_of_url, hidden, stream_name, unmistakable
from archiver.platforms.tutum.endings import BROKEN, FORBIDDEN, TOO_MANY, UNAUTHORIZED, End, Ending, is_throttling
from archiver.platforms.tutum.rest import Rest
from archiver.platforms.tutum.session import Pace, Session
from archiver.platforms.wire.address import AuthWay, check_url, secrets_in, to_connect
from archiver.platforms.wire.answer import Refused
from archiver.platforms.wire.backoff import Backoff
from archiver.platforms.wire.connection import Connection
from archiver.platforms.wire.deadline import Interrupted
from archiver.platforms.wire.dial import Dialer
from archiver.platforms.wire.logtext import QuietLog, plain, unexpected, why
from archiver.platforms.wire.proxy import LOGIN_WANTED, Proxy, ProxyRefused
from archiver.platforms.wire.retry_after import seconds_of
from archiver.platforms.wire.tls import ClientCertificate, secure_context, tls_hint

HEALTHY_SECONDS = 60.0
LONGEST_ANSWER = 250
LONGEST_WAIT = 3600.0
"""However long a platform asks to be left alone, in seconds."""
TELL_AGAIN = 60.0
"""How often, in seconds, the archive is told of a trouble that lasts."""

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
    useful_after: float = 2.0
    """A session that brought messages, and lasted this long, is followed by another one ..."""
    soon: float = 1.0
    """... within this time: a platform that hangs up every few seconds can be listened to between."""
    seed: int | None = None


_TRUSTED = 3
"""So often a server that has answered a ping may be silent from the opening on: then another one may stand behind its
name, which knows no ping."""


class WebsocketSource:
    """One stream of Tutum or Docker Cloud (see `archiver.platforms.protocol.Source`).

    The URL may carry credentials as the old clients wrote them (`?user=&token=`, `?auth=`, `user:key@`); they are taken
    out of it, and `credentials` goes before them. `proxy` is the one on the way, `certificate` proves who we are to a
    server that asks for more than credentials; `context` replaces what TLS trusts. Where `api` is known, stock is taken
    beside the stream, by way of `api_proxy`, and `notes` keeps up to when. Raises ConfigurationWrong for a URL or a
    certificate that cannot be used.
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
        proxy: Proxy | None = None,
        certificate: ClientCertificate | None = None,
        context: ssl.SSLContext | None = None,
        api: Api | None = None,
        api_proxy: Proxy | None = None,
        notes: Notes | None = None,
        beside: BesidePace | None = None,
    ) -> None:
        check_url(url, allow_plaintext)
        self._credentials = credentials or credentials_of_url(url)
        self._stream = stream_name(url, self._credentials)
        target, header = to_connect(url), list[str]()
        if self._credentials is not None:
            target, header = self._credentials.applied(target, auth)
        self._give_up = give_up_on_refusal
        self._pace = pace or Pace()
        self._retry = retry or Retry()
        self._context, self._certificate = context, certificate
        self._secrets = secrets_in(url) | (proxy.forms() if proxy is not None else set())
        self._secrets |= self._credentials.forms() if self._credentials is not None else set()
        self._never_kept = unmistakable(self._secrets)
        self._quiet = QuietLog(_log, self._pace.monotonic)
        self._trouble: tuple[str, float] | None = None
        self._useful = False
        self._trusted = 0
        """On so many connections that the server leaves without a sign of life it still counts as one that answers."""
        if target.startswith("wss"):
            self._trust()  # a certificate that cannot be used is refused now
        self._dialer = Dialer(target, header, proxy=proxy, context=self._trust, make=self._connection)
        self._beside: Beside | None = None
        if api is not None:
            never = frozenset(self._secrets | (api_proxy.forms() if api_proxy is not None else set()))
            rest = Rest(api, self._credentials, proxy=api_proxy, context=self._trust, secrets=never)
            self._beside = Beside(Asker(self._stream, rest), notes, beside, unproven=api.is_guessed)

    @property
    def stream(self) -> str:
        """The URL with the user, as far as he is known, and without any secret; what the archive calls this stream."""
        return self._stream

    @property
    def asker(self) -> Asker | None:
        """Who asks the platform what there is; None where its REST API is not known."""
        return None if self._beside is None else self._beside.asker

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
                end, refused = opened, True
            else:
                began = self._pace.monotonic()
                end = yield from self._session(opened, stop)
                refused = end.ending not in BROKEN
                lasted = self._pace.monotonic() - began
                if not refused and lasted >= retry.healthy_after:
                    quick.reset()
                    slow.reset()
                elif self._useful and lasted >= retry.useful_after:
                    quick.lower(retry.soon)
            if end.ending is Ending.STOPPED:
                return
            if refused:
                yield from self._told(end)
            self._give_up_if_refused(end)
            if stop.is_set():  # who heard why there is no connection has had enough
                return
            delay = max((quick if end.ending in BROKEN else slow).next(), min(end.wait, LONGEST_WAIT))
            self._log_end(end, delay, refused)
            stop.wait(delay)

    def _trust(self) -> ssl.SSLContext:
        return self._context or secure_context(self._certificate)

    def _connection(self) -> Connection:
        pace = self._pace
        return Connection(
            pace.cap,
            tick=pace.tick,
            unwatched=pace.unwatched,
            patience=pace.ping_interval,
            wall=pace.wall,
            monotonic=pace.monotonic,
        )

    def _open(self, stop: threading.Event) -> Connection | End:
        """A connection that passed its handshake, or why there is none."""
        try:
            return self._dialer.dial(self._pace.handshake_deadline, stop.is_set)
        except Interrupted:
            return End(Ending.STOPPED, "stopped")
        except Refused as exc:
            return self._judged(exc)
        except ProxyRefused as exc:
            # Companies lock accounts as well.
            wait = self._retry.slow_first if exc.status == LOGIN_WANTED else 0.0
            return End(Ending.LOST, plain(self._safe(str(exc)), LONGEST_ANSWER), wait)
        except ConfigurationWrong as exc:  # the certificate's files have changed
            return End(Ending.LOST, str(exc))
        except (OSError, WebSocketException) as exc:
            return End(Ending.LOST, plain(self._safe(why(exc) + tls_hint(exc))))
        except Exception as exc:  # noqa: BLE001 - what nobody has thought of ends one try, and not the archiver
            return End(Ending.LOST, plain(self._safe(unexpected(exc))))

    def _session(self, connection: Connection, stop: threading.Event) -> Generator[Item, None, End]:
        self._trouble = None
        key, beside = secrets.token_hex(8), self._beside
        session = Session(
            connection, self._stream, key, self._pace, self._safe, self._never_kept, beside, answers=self._trusted > 0
        )
        if beside is not None:
            beside.begin(key, connection.read_at)
        try:
            end = yield from session.items(stop)
        finally:
            if beside is not None:
                beside.end()
        self._useful = session.heard
        if connection.life.ponged:
            self._trusted = _TRUSTED
        elif end.ending is Ending.SILENT:
            self._trusted = max(0, self._trusted - 1)
        if session.heartbeats:
            _log.info("%s: %d messages were heartbeats", self._stream, session.heartbeats)
        return end

    def _judged(self, exc: Refused) -> End:
        """What it means that the server answered with another status than 101."""
        reason = plain(exc.told(self._safe), LONGEST_ANSWER)
        wait = seconds_of(exc.retry_after, self._pace.wall())
        if exc.status == TOO_MANY or is_throttling(exc.body):
            return End(Ending.THROTTLED, f"no more logins for now: {reason}", wait)
        # Who showed no credentials may be forbidden for many other reasons.
        if exc.status == UNAUTHORIZED or (exc.status == FORBIDDEN and self._credentials is not None):
            return End(Ending.REFUSED, f"credentials refused: {reason}", wait)
        return End(Ending.LOST, reason, wait)

    def _told(self, end: End) -> Iterator[Condition]:
        """Tells the archive why there is no connection: when the reason is a new one, and then now and again."""
        now, reason = self._pace.monotonic(), plain(self._safe(end.reason))
        if self._trouble is None or self._trouble[0] != reason or now - self._trouble[1] >= TELL_AGAIN:
            self._trouble = reason, now
            yield Condition(self._stream, "tutum", self._pace.wall(), "trouble", reason)

    def _give_up_if_refused(self, end: End) -> None:
        if end.ending is Ending.REFUSED and self._give_up:
            reason = plain(self._safe(end.reason)).removeprefix("credentials refused: ")
            raise CredentialsRefused(stream=self._stream, reason=reason)

    def _log_end(self, end: End, delay: float, refused: bool) -> None:
        """One line about a try, what went wrong first."""
        if not refused:
            _log.info("next try %s: %s", _when(delay), self._stream)
            return
        used = f" ({self._used()})" if end.ending is Ending.REFUSED else ""
        reason = plain(self._safe(end.reason), LONGEST_ANSWER + 50)
        self._quiet.warning(end.ending.name, f"{reason}{used}: cannot open {self._stream}, next try {_when(delay)}")

    def _used(self) -> str:
        if self._credentials is None:
            return "none were given"
        return f"those of {self._credentials.origin}" if self._credentials.origin else "those given"

    def _safe(self, text: str) -> str:
        """The text without any secret. What is shown is cut after this: half a secret is found by nobody."""
        return hidden(text, self._secrets)


def _when(delay: float) -> str:
    return f"in {delay:.1f} s" if delay >= 0.05 else "at once"

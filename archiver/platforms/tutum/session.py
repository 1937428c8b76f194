"""One connection to a stream, from its opening to its close."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass

from websocket import ABNF, WebSocketException, WebSocketTimeoutException

from archiver.model import Alive, Closed, Item, Message, Micros, Opened, now_micros
from archiver.platforms.tutum.beside import Beside
from archiver.platforms.tutum.credentials import HIDDEN
from archiver.platforms.tutum.endings import BROKEN, End, Ending, farewell, refusal
from archiver.platforms.tutum.pieces import LONGEST_HEARTBEAT, is_heartbeat, is_ordinary, pieces
from archiver.platforms.wire.connection import DEFAULT_CAP, UNWATCHED, Connection, NotTaking
from archiver.platforms.wire.frames import TOO_BIG, Violation
from archiver.platforms.wire.liveness import elapsed
from archiver.platforms.wire.logtext import plain, unexpected, why
from archiver.platforms.wire.tls import tls_hint

CLOSE_SECONDS = 0.9
SLOW_CONSUMER = 1.0
NORMAL = 1000
MOST_REMAINS = 64 * 1024 * 1024
"""More than that, in bytes, no socket holds."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """The times of a connection in seconds, its cap in bytes, and the clocks it goes by."""

    ping_interval: float = 10.0
    first_ping: float = 1.0
    """The first goes out sooner: who has answered one is known to be dead by its silence, and not only mute."""
    dead_after: float = 30.0
    """Without any byte for so long the server counts as dead."""
    mute_after: float = 300.0
    """The same for a server that has never answered a ping: not all know how to."""
    unwatched: float = UNWATCHED
    """Longer than this between two looks at the socket, and nobody watched it meanwhile."""
    frame_deadline: float = 30.0
    handshake_deadline: float = 15.0
    alive_every: float = 5.0
    last_words: float = 1.5
    """After being told to stop: for so long what had arrived by then is read."""
    tick: float = 0.5
    cap: int = DEFAULT_CAP
    wall: Callable[[], Micros] = now_micros
    monotonic: Callable[[], float] = elapsed


class _Over(Exception):
    """Ends a session from within: the server is silent or too slow."""

    def __init__(self, ending: Ending, reason: str, code: int = NORMAL) -> None:
        super().__init__(reason)
        self.end = End(ending, reason)
        self.code = code


class Session:
    """Hands on what one open connection delivers, keeps it alive, and says how it ended."""

    def __init__(
        self,
        ws: Connection,
        stream: str,
        identity: str,
        pace: Pace,
        safe: Callable[[str], str] = str,
        secrets: Collection[bytes] = (),
        beside: Beside | None = None,
        *,
        answers: bool = False,
    ) -> None:
        """`safe` takes our credentials out of a reason; no message that repeats one of the `secrets` keeps it.

        `beside` learns by asking, and hears of what is told. `answers`: the server is known to answer pings.
        """
        self._ws = ws
        self._secrets = secrets
        self._safe = safe
        self._beside = beside
        self._answers = answers
        self._stream = stream
        self._identity = identity
        self._pace = pace
        self._opened_at = ws.read_at
        self._checked = ws.read_tick
        self._resumed = self._told = pace.monotonic()
        self._pinged = self._resumed - max(0.0, pace.ping_interval - pace.first_ping)
        self._stopping_at: float | None = None
        self._left_unread = False
        self.heard = False
        """Whether any message has come."""
        self.heartbeats = 0
        """How many messages said nothing but that the server is there; they are handed on to nobody."""

    def items(self, stop: threading.Event) -> Generator[Item, None, End]:
        """Everything that happens, from Opened to Closed; the socket is freed whatever happens."""
        try:
            yield Opened(self._stream, self._identity, "tutum", self._opened_at, self._opened_at)
            self._resumed = self._pace.monotonic()
            end, code = yield from self._until_over(stop)
            # What comes while we say good-bye is heard by nobody.
            life, left_unread = self._ws.life, self._left_unread
            at, reason = min(life.at, life.heard_to) if left_unread else life.at, plain(self._safe(end.reason))
            at = max(self._opened_at, at)
            self._ws.end(code, 0.0 if left_unread else CLOSE_SECONDS)
            yield Closed(self._stream, self._identity, at, reason, end.kind, end.farewell)
            return end
        finally:
            self._ws.end(NORMAL, 0.0)

    def _until_over(self, stop: threading.Event) -> Generator[Item, None, tuple[End, int]]:
        code, kept = NORMAL, b""
        try:
            end = yield from self._listen(stop)
        except _Over as exc:
            end, code = exc.end, exc.code
        except Violation as exc:
            end, code, kept = End(Ending.LOST, f"the server broke the protocol: {exc.reason}"), exc.code, exc.kept
        except (OSError, WebSocketException) as exc:
            end = End(Ending.LOST, why(exc) + tls_hint(exc))
            end = (yield from self._remains(taking=not isinstance(exc, NotTaking))) or end
        except Exception as exc:  # noqa: BLE001 - what nobody has thought of ends this connection, and not the archiver
            _log.warning("%s: %s", self._stream, plain(self._safe(unexpected(exc))))
            end = End(Ending.LOST, unexpected(exc))
        if (end.ending in BROKEN or self._left_unread) and (kept := kept or self._ws.unfinished()):
            reason = plain(f"not a whole message: {self._safe(end.reason)}; the first {len(kept)} bytes are kept")
            yield self._message(kept, reason)
        return end, code

    def _listen(self, stop: threading.Event) -> Generator[Item, None, End]:
        ws, monotonic = self._ws, self._pace.monotonic
        while not (stop.is_set() and self._is_over()):
            try:
                opcode, payload, refused = ws.receive()
            except WebSocketTimeoutException:
                yield from self._look_around()
                continue
            if len(payload) > LONGEST_HEARTBEAT and opcode <= ABNF.OPCODE_BINARY and opcode and is_ordinary(payload):
                yield self._message(payload, refused)
                self.heard = True
                self._resumed = self._told = monotonic()
            elif (end := (yield from self._odd(opcode, payload, refused))) is not None:
                return end
            if ws.read_tick != self._checked:
                yield from self._look_around()
        return End(Ending.STOPPED, "stopped")

    def _is_over(self) -> bool:
        """Told to stop: whether what had arrived by then is read, or the time for that is over."""
        ws, now = self._ws, self._pace.monotonic()
        if self._stopping_at is None:
            self._stopping_at = now
        waits = ws.frames.ready() or ws.halfway() or ws.waits()
        self._left_unread = waits and now - self._stopping_at > self._pace.last_words
        return not waits or self._left_unread

    def _odd(self, opcode: int, payload: bytes, refused: str | None) -> Generator[Item, None, End | None]:
        """What is not plainly one event; the end when it is the end."""
        if opcode == ABNF.OPCODE_CLOSE:
            return farewell(payload, heard=self.heard)
        if opcode != ABNF.OPCODE_TEXT and opcode != ABNF.OPCODE_BINARY:
            return None
        for message in self._messages(payload, refused):
            yield message
            self._resumed = self._told = self._pace.monotonic()
        self.heard = True
        return refusal(payload)

    def _remains(self, taking: bool) -> Generator[Item, None, End | None]:
        """What had arrived when sending failed; the end when it holds the platform's own word on it.

        Who takes nothing may send for ever: of that, what was read already.
        """
        ws, taken = self._ws, 0
        ws.muted = True
        try:
            while (taking and taken < MOST_REMAINS) or ws.frames.ready():
                received = ws.receive()
                taken += len(received.payload)
                if (end := (yield from self._odd(*received))) is not None:
                    return end
        except (OSError, WebSocketException):
            pass
        return None

    def _messages(self, payload: bytes, refused: str | None) -> Iterator[Message]:
        """The messages in what is not plainly one event: none in a heartbeat, several in a list."""
        if refused is not None:
            yield self._message(payload, refused)
            return
        for piece in (payload,) if is_heartbeat(payload) else pieces(payload):
            if is_heartbeat(piece):
                self.heartbeats += 1
            else:
                yield self._message(piece, None)

    def _message(self, payload: bytes, refused: str | None) -> Message:
        for secret in self._secrets:
            if secret in payload:
                payload = payload.replace(secret, HIDDEN.encode())
        if self._beside is not None:
            self._beside.heard(payload)
        return Message(self._stream, self._identity, "tutum", self._ws.read_at, payload, None, refused)

    def _look_around(self) -> Iterator[Item]:
        """What is due now and then: judge the server's silence, ping, tell that the stream lives and what was asked."""
        ws, pace = self._ws, self._pace
        now = pace.monotonic()
        self._checked = ws.read_tick
        awake = max(ws.life.awake_since, self._resumed)
        answers = self._answers or ws.life.ponged
        silent_after = pace.dead_after if answers else max(pace.dead_after, pace.mute_after)
        if now - max(ws.read_tick, awake) > silent_after:
            raise _Over(Ending.SILENT, f"no answer for {silent_after:g} s")
        if ws.halfway_since is not None and now - max(ws.halfway_since, awake) > pace.frame_deadline:
            raise _Over(Ending.LOST, f"a message was not complete after {pace.frame_deadline:g} s", TOO_BIG)
        ws.pay()
        if ws.life.must_ask(now) or (now - self._pinged >= pace.ping_interval and ws.life.may_send(now)):
            self._pinged = now
            ws.ask()
        if ws.life.tick > self._told and now - self._told >= pace.alive_every:
            self._told = now
            yield Alive(self._stream, self._identity, ws.life.at)
        if self._beside is not None:
            yield from self._beside.items()
        resumed = pace.monotonic()
        if resumed - now > SLOW_CONSUMER:
            self._resumed = resumed

"""One connection to a stream, from its opening to its close."""

from __future__ import annotations

import enum
import json
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from websocket import ABNF, WebSocketException, WebSocketTimeoutException

from archiver.model import Alive, Closed, EndKind, Item, Message, Micros, Opened, now_micros
from archiver.platforms.wire.connection import DEFAULT_CAP, CappedWebSocket
from archiver.platforms.wire.frames import TOO_BIG, Violation
from archiver.platforms.wire.logtext import plain, why

LONGEST_ERROR = 4096
CLOSE_SECONDS = 0.9
SLOW_CONSUMER = 1.0
NORMAL = 1000


@dataclass(frozen=True, slots=True)
class Pace:
    """The times of a connection in seconds, its cap in bytes, and the clocks it goes by."""

    ping_interval: float = 10.0
    dead_after: float = 30.0
    """Without any byte for so long the server counts as dead."""
    frame_deadline: float = 30.0
    handshake_deadline: float = 15.0
    alive_every: float = 5.0
    tick: float = 0.5
    cap: int = DEFAULT_CAP
    wall: Callable[[], Micros] = now_micros
    monotonic: Callable[[], float] = time.monotonic


class Ending(enum.Enum):
    """What the end of a session means for the next one."""

    STOPPED = "we stopped"
    LOST = "the connection is gone"
    SILENT = "the platform gives no sign of life"
    REFUSED = "the platform does not take our credentials"
    THROTTLED = "the platform takes no more logins for a while"


_KINDS: dict[Ending, EndKind] = {
    Ending.STOPPED: "stopped",
    Ending.LOST: "lost",
    Ending.SILENT: "silent",
    Ending.REFUSED: "refused",
    Ending.THROTTLED: "refused",
}


BROKEN = (Ending.LOST, Ending.SILENT)
"""Ends after which the next connection is tried soon."""


class End(NamedTuple):
    """How a session ended, in a plain word for the code and in plain words for the reader."""

    ending: Ending
    reason: str

    @property
    def kind(self) -> EndKind:
        """The kind of end that the archive keeps."""
        return _KINDS[self.ending]


class _Over(Exception):
    """Ends a session from within: the server is silent or too slow."""

    def __init__(self, ending: Ending, reason: str, code: int = NORMAL) -> None:
        super().__init__(reason)
        self.end = End(ending, reason)
        self.code = code


class Session:
    """Hands on what one open connection delivers, keeps it alive, and says how it ended."""

    def __init__(
        self, ws: CappedWebSocket, stream: str, identity: str, pace: Pace, safe: Callable[[str], str] = str
    ) -> None:
        self._ws = ws
        self._safe = safe
        self._stream = stream
        self._identity = identity
        self._pace = pace
        self._opened_at = self._alive_at = ws.read_at
        self._alive_tick = self._checked = ws.read_tick
        self._resumed = self._pinged = self._told = pace.monotonic()

    def items(self, stop: threading.Event) -> Generator[Item, None, End]:
        """Everything that happens, from Opened to Closed; the socket is freed whatever happens."""
        try:
            yield Opened(self._stream, self._identity, "tutum", self._opened_at, self._opened_at)
            self._resumed = self._pace.monotonic()
            end, code = yield from self._until_over(stop)
            self._ws.end(code, CLOSE_SECONDS)
            at, reason = max(self._opened_at, self._alive_at), plain(self._safe(end.reason))
            yield Closed(self._stream, self._identity, at, reason, end.kind)
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
            end = End(Ending.LOST, why(exc))
        if end.ending in BROKEN and (kept := kept or self._ws.unfinished()):
            reason = plain(f"not a whole message: {self._safe(end.reason)}; the first {len(kept)} bytes are kept")
            yield self._message(kept, reason)
        return end, code

    def _listen(self, stop: threading.Event) -> Generator[Item, None, End]:
        ws, monotonic = self._ws, self._pace.monotonic
        while not stop.is_set() or ws.frames.ready():
            try:
                opcode, payload, refused = ws.receive()
            except WebSocketTimeoutException:
                yield from self._look_around()
                continue
            self._alive_at, self._alive_tick = ws.read_at, ws.read_tick
            if opcode == ABNF.OPCODE_TEXT or opcode == ABNF.OPCODE_BINARY:
                yield self._message(payload, refused)
                self._resumed = self._told = monotonic()
                if (refusal := _refusal(payload)) is not None:
                    return refusal
            elif opcode == ABNF.OPCODE_CLOSE:
                return End(Ending.LOST, _farewell(payload))
            if ws.read_tick != self._checked:
                yield from self._look_around()
        return End(Ending.STOPPED, "stopped")

    def _message(self, payload: bytes, refused: str | None) -> Message:
        return Message(self._stream, self._identity, "tutum", self._ws.read_at, payload, None, refused)

    def _look_around(self) -> Iterator[Alive]:
        """What is due now and then: judge the server's silence, send a ping, tell that the stream is alive."""
        ws, pace = self._ws, self._pace
        now = pace.monotonic()
        self._checked = ws.read_tick
        if now - max(ws.read_tick, self._resumed) > pace.dead_after:
            raise _Over(Ending.SILENT, f"no answer for {pace.dead_after:g} s")
        if ws.halfway_since is not None and now - max(ws.halfway_since, self._resumed) > pace.frame_deadline:
            raise _Over(Ending.LOST, f"a message was not complete after {pace.frame_deadline:g} s", TOO_BIG)
        if now - self._pinged >= pace.ping_interval:
            self._pinged = now
            ws.ping()
        if self._alive_tick > self._told and now - self._told >= pace.alive_every:
            self._told = now
            yield Alive(self._stream, self._identity, self._alive_at)
            resumed = pace.monotonic()
            if resumed - now > SLOW_CONSUMER:
                self._resumed = resumed


def _refusal(payload: bytes) -> End | None:
    """The old way of Tutum to refuse: connect first, then say so in a message (python-tutum, `events.py`)."""
    if b"errorMessage" not in payload or len(payload) > LONGEST_ERROR:
        return None
    try:
        value = json.loads(payload)
        text = str(value["data"]["errorMessage"]) if value["type"] == "error" else ""
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    if text.upper() == "UNAUTHORIZED":
        return End(Ending.REFUSED, "credentials refused: UNAUTHORIZED")
    if is_throttling(text):
        return End(Ending.THROTTLED, f"no more logins for now: {plain(text, 100)}")
    return None


def is_throttling(text: str) -> bool:
    """True for the words Docker Cloud locked an account with."""
    return "too many login attempts" in text.lower()


def _farewell(payload: bytes) -> str:
    """The server's close frame in words: its code and its reason."""
    if len(payload) < 2:
        return "closed by the server"
    return f"closed by the server: {int.from_bytes(payload[:2])} {payload[2:].decode('utf-8', 'replace')}".rstrip()

"""The events of a Docker Engine across reconnections, with what it still remembers of the time between."""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archiver.codec.text import parse
from archiver.errors import StreamUnreachable
from archiver.model import Alive, Closed, Item, Message, Micros, Observed, Opened, now_micros, to_micros
from archiver.platforms.docker.endpoint import resolve
from archiver.platforms.docker.facts import identity, text
from archiver.platforms.docker.http import FAILURES, Api, Arrival, Feed, describe
from archiver.platforms.docker.inspect import Finding
from archiver.platforms.docker.inventory import Ask, Inventory
from archiver.platforms.wire.backoff import Backoff
from archiver.platforms.wire.logtext import QuietLog, plain

STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class DockerPace:
    """The times of a connection to an engine, in seconds."""

    patience: float = 10.0
    alive_every: float = 5.0
    dead_after: float = 20.0
    healthy_after: float = 60.0
    replay_deadline: float = 15.0
    first_delay: float = 0.5
    longest_delay: float = 60.0
    longest_local_delay: float = 1.0
    """An engine that starts tells more than it remembers within seconds, and to knock at a socket costs nothing."""
    monotonic: Callable[[], float] = time.monotonic


class DockerSource:
    """One engine's events, in the order in which the engine tells them.

    An engine remembers 256 messages, and none over its own restart. All of them are read at each connection. When the
    last message that was delivered is among them, nothing was missed, and what follows it is delivered as if it came
    now; when it is not, the engine had forgotten, and `Opened.covered_from` is the time of the first message of its
    own that it remembers.
    """

    def __init__(
        self,
        url: str,
        *,
        resume: str | Callable[[str], str | None] | None = None,
        environ: Mapping[str, str] = os.environ,
        pace: DockerPace | None = None,
    ) -> None:
        """`url` is as `docker_endpoint.resolve` takes it; `resume` is that of the last message, or knows it by stream.

        Raises `ConfigurationWrong`.
        """
        self._endpoint = resolve(url, environ)
        self._resume = resume(self.stream) if callable(resume) else resume
        self._pace = pace or DockerPace()
        self._inventory = Inventory()
        self._open: list[Api | Feed] = []
        self._trouble = ""
        self._log = QuietLog(logging.getLogger(__name__))

    @property
    def stream(self) -> str:
        """The engine's URL, without any credential."""
        return self._endpoint.url

    def items(self, stop: threading.Event) -> Iterator[Item]:
        """Everything that happens until `stop` is set; see `Source.items`. A tcp or ssh connection that is just being
        opened may take its ten seconds before it notices."""
        threading.Thread(target=self._hang_up_on, args=(stop,), name="docker-stop", daemon=True).start()
        backoff = self._backoff()
        while not stop.is_set():
            began = self._pace.monotonic()
            try:
                patience = self._pace.patience
                with closing(Feed(self._endpoint, patience)) as feed, closing(Api(self._endpoint, patience)) as api:
                    self._open = [feed, api]
                    if stop.is_set():
                        return
                    yield from self._session(feed, api, stop)
            except FAILURES as exc:
                if not stop.is_set():
                    self._complain(f"cannot reach the stream {self.stream}: {describe(exc)}")
            finally:
                self._open = []
            if self._pace.monotonic() - began >= self._pace.healthy_after:
                backoff.reset()
            stop.wait(backoff.next())

    def _backoff(self) -> Backoff:
        local = self.stream.startswith("unix:")
        longest = min(self._pace.longest_delay, self._pace.longest_local_delay) if local else self._pace.longest_delay
        return Backoff(self._pace.first_delay, longest)

    def _complain(self, trouble: str) -> None:
        """Says what is wrong, and not again before it is something else."""
        if trouble != self._trouble:
            self._log.warning("trouble", trouble)
        self._trouble = trouble

    def _hang_up_on(self, stop: threading.Event) -> None:
        """Ends whatever waits for the engine when it is time to stop."""
        stop.wait()
        for connection in self._open:
            connection.hang_up()

    def _session(self, feed: Feed, api: Api, stop: threading.Event) -> Iterator[Item]:
        info = json.loads(api.need("/info"))
        past = self._past(feed, api, info)
        fresh, covered_from = self._continue(past)
        self._trouble = ""
        session, at = secrets.token_hex(16), now_micros()
        alive, reason = at, STOPPED
        yield Opened(self.stream, session, "docker", at, min(at, covered_from or at))
        try:
            for item in self._deliver(feed, api, session, info, fresh):
                if isinstance(item, (Alive, Observed)):
                    alive = max(alive, item.at)
                elif isinstance(item, Message):
                    alive = max(alive, item.received_at)
                yield item
        except FAILURES as exc:
            reason = STOPPED if stop.is_set() else describe(exc)
        if reason != STOPPED:
            self._complain(f"lost the stream {self.stream}: {reason}")
        yield Closed(self.stream, session, alive, plain(reason), "stopped" if reason == STOPPED else "lost")

    # --- what the engine remembers ---------------------------------------------------------------------------------

    def _past(self, feed: Feed, api: Api, info: Mapping[str, Any]) -> list[Arrival]:
        """What the engine tells first: everything up to the last message that it remembered when it was asked.

        The stream itself does not show where memory ends and the present begins, so the memory is asked for once more,
        by itself: the stream has been open since before, so the last message of that answer comes in it too.
        """
        now = to_micros(datetime.fromisoformat(text(info, "SystemTime")))
        remembered = api.need(f"/events?since=0&until={now // 1_000_000}.{now % 1_000_000:06d}000").strip(b"\n")
        last = remembered[remembered.rfind(b"\n") + 1 :]
        past: list[Arrival] = []
        deadline = self._pace.monotonic() + self._pace.replay_deadline
        while last and not (past and _is(past[-1], last)):
            arrival = feed.next(deadline - self._pace.monotonic())
            if arrival is None:
                raise StreamUnreachable(stream=self.stream, reason="the engine did not tell what it remembers")
            past.append(arrival)
        return past

    def _continue(self, past: list[Arrival]) -> tuple[list[Arrival], Micros | None]:
        """What of the past is new, and from when on nothing is missing; None: only from now on."""
        heard = [_read(arrival) for arrival in past]
        for position in reversed(range(len(past))):
            message = heard[position]
            if message is not None and self._resume == _resume(message):
                return past[position + 1 :], _moment(message)
        # A message of the swarm carries the time of the change, and an engine that has just started may tell of changes
        # from before its end. One of the engine's own carries the time at which it was told: that proves something.
        own = (message for message in heard if message is not None and message.get("scope") == "local")
        first = next(own, None)
        return past, _moment(first) if first else None

    # --- what happens now ------------------------------------------------------------------------------------------

    def _deliver(
        self, feed: Feed, api: Api, session: str, info: Mapping[str, Any], fresh: list[Arrival]
    ) -> Iterator[Item]:
        # First the stock: it says which of the execs to come are health checks, and what belongs to which stack.
        yield from self._observed(session, self._inventory.take_stock(api.ask, info))
        for arrival in fresh:
            yield from self._message(None, session, arrival)
        yield from self._observed(session, self._inventory.vanished())
        heard = asked = self._pace.monotonic()
        while True:
            later = feed.next(asked + self._pace.alive_every - self._pace.monotonic())
            now = self._pace.monotonic()
            if later is not None:
                heard = now
                yield from self._message(api.ask, session, later)
            if now - asked >= self._pace.alive_every:
                asked = now
                if self._answers(api, heard):
                    heard = self._pace.monotonic()
                    yield Alive(self.stream, session, now_micros())

    def _answers(self, api: Api, heard: float) -> bool:
        """Whether the engine answers. An engine that is being stopped does not, and still has events to tell."""
        try:
            api.need("/_ping")
        except FAILURES as exc:
            silence = self._pace.monotonic() - heard
            if silence < self._pace.dead_after:
                return False
            reason = f"nothing was heard for {silence:.0f} s, and asked for an answer: {describe(exc)}"
            raise StreamUnreachable(stream=self.stream, reason=reason) from exc
        return True

    def _message(self, ask: Ask | None, session: str, arrival: Arrival) -> Iterator[Item]:
        """One message, after what it makes worth asking; of the past there is nothing to ask that the stock lacks."""
        message = _read(arrival)
        payload = arrival.line
        if message is not None:
            yield from self._observed(session, self._inventory.about(ask, message))
            payload = _wrap(self._inventory.envelope(message), payload)
            self._resume = _resume(message)
        yield Message(self.stream, session, "docker", arrival.at, payload, self._resume, arrival.refused)

    def _observed(self, session: str, findings: Iterable[Finding]) -> Iterator[Item]:
        # The instant before the question: what happens while it is answered comes after it, whichever way it went.
        at = now_micros()
        for finding in findings:
            yield Observed(self.stream, session, "docker", at, json.dumps(finding.payload()).encode())
            at = now_micros()


def _is(arrival: Arrival, line: bytes) -> bool:
    return arrival.line == line or (arrival.refused is not None and line.startswith(arrival.line))


def _read(arrival: Arrival) -> dict[str, Any] | None:
    """A line as JSON; None for what the decoder is to reject."""
    if arrival.refused is not None:
        return None
    try:
        found = parse(arrival.line.decode())
    except (ValueError, RecursionError):
        return None
    return found if type(found) is dict else None


def _wrap(facts: Mapping[str, Any], line: bytes) -> bytes:
    """The line, as it came, in the envelope of `decoder.docker`."""
    return b"%s,%s" % (json.dumps(facts).encode()[:-1], b'"message":' + line.strip() + b"}") if facts else line


def _resume(message: Mapping[str, Any]) -> str:
    return f"{message.get('timeNano')}:{identity(message)}"


def _moment(message: Mapping[str, Any]) -> Micros | None:
    found = message.get("timeNano")
    return found // 1000 if type(found) is int else None

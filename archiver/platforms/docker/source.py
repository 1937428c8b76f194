"""The events of a Docker Engine, kept coming for ever: connect, listen, connect again."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

from archiver.model import Closed, Condition, Item, Opened, now_micros
from archiver.platforms.docker.endpoint import resolve
from archiver.platforms.docker.http import FAILURES, Limits, describe
from archiver.platforms.docker.knowledge import Knowledge
from archiver.platforms.docker.lapses import LOOK, Lapses
from archiver.platforms.docker.pace import DockerPace
from archiver.platforms.docker.session import Session
from archiver.platforms.docker.whose import ENGINES, Engines, Whose
from archiver.platforms.docker.wires import Wires
from archiver.platforms.protocol import Notes
from archiver.platforms.wire.backoff import Backoff
from archiver.platforms.wire.logtext import QuietLog, plain, unexpected


class DockerSource:
    """One engine's events, in the order in which the engine tells them (see `archiver.platforms.protocol.Source`).

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
        limits: Limits | None = None,
        engines: Engines = ENGINES,
        notes: Notes | None = None,
    ) -> None:
        """`url` is as `endpoint.resolve` takes it; `resume` is that of the last message, or knows it by stream.

        `notes` keeps what is known of the engine from one run to the next; `engines` is shared by the sources that are
        to tell cloned machines apart. Raises `ConfigurationWrong`.
        """
        endpoint, self._pace = resolve(url, environ), pace or DockerPace()
        log = QuietLog(logging.getLogger(__name__), self._pace.monotonic)
        whose = Whose(endpoint.url, engines)
        self._know = Knowledge(endpoint, self._pace, limits or Limits(), log, whose, Lapses(self._pace.unwatched))
        self._know.resume = resume(endpoint.url) if callable(resume) else resume
        self._know.notes = notes
        self._know.recall()
        self._wires: Wires | None = None
        self._trouble, self._told_at = "", 0.0
        self._held: Closed | None = None
        """An end that is told together with the next beginning, if there is one at once."""

    @property
    def stream(self) -> str:
        """The engine's URL, without any credential."""
        return self._know.stream

    def items(self, stop: threading.Event) -> Iterator[Item]:
        """Everything that happens until `stop` is set; see `Source.items`. A tcp or ssh connection that is just being
        opened may take its ten seconds before it notices.

        Proxies cut what is quiet. What an engine remembers closes such a gap, so the next connection is tried at once,
        and the end of the last one waits to be told with its beginning: nobody who asks in between is told of a gap.
        """
        threading.Thread(target=self._hang_up_on, args=(stop,), name="docker-stop", daemon=True).start()
        backoff = self._backoff()
        while not stop.is_set():
            began = self._pace.monotonic()
            yield from self._connection(stop)
            lasted = self._pace.monotonic() - began
            if lasted >= self._pace.healthy_after:
                backoff.reset()
            if self._held is None or lasted < self._pace.useful_after:
                yield from self._farewell()
                stop.wait(backoff.next())
        yield from self._farewell()

    def _connection(self, stop: threading.Event) -> Iterator[Item]:
        """One connection, or why there is none."""
        self._wires = Wires(self._know)
        try:
            with closing(self._wires) as wires:
                if stop.is_set():
                    return
                for item in Session(self._know, wires).items(stop):
                    if type(item) is Opened:
                        self._trouble = ""
                        yield from self._farewell()
                    elif type(item) is Closed and item.kind not in ("stopped", "skipped"):
                        self._complain(f"lost the stream {self.stream}: {item.reason}")
                        if item.kind == "lost":
                            self._held = item
                            continue
                    yield item
        except FAILURES as exc:
            if not stop.is_set():
                self._know.unbroken_since = None
                yield from self._failed(describe(exc))
        except Exception as exc:  # noqa: BLE001 - what nobody has thought of ends one try, and not the archiver
            self._know.unbroken_since = None
            yield from self._failed(plain(unexpected(exc)))
        finally:
            self._wires = None

    def _farewell(self) -> Iterator[Item]:
        """The end that was not yet told."""
        if (held := self._held) is not None:
            self._held = None
            yield held

    def _backoff(self) -> Backoff:
        local = self.stream.startswith("unix:")
        longest = min(self._pace.longest_delay, self._pace.longest_local_delay) if local else self._pace.longest_delay
        return Backoff(self._pace.first_delay, longest)

    def _failed(self, reason: str) -> Iterator[Item]:
        """Tells that there is no connection: when it has another reason than before, and from time to time."""
        yield from self._farewell()
        now = self._pace.monotonic()
        trouble = f"cannot reach the stream {self.stream}: {reason}"
        if trouble != self._trouble or now - self._told_at >= self._pace.trouble_every:
            self._told_at = now
            yield Condition(self.stream, "docker", now_micros(), "trouble", reason)
        self._complain(trouble)

    def _complain(self, trouble: str) -> None:
        """Says what is wrong, and not again before it is something else."""
        if trouble != self._trouble:
            self._know.log.warning("trouble", trouble)
        self._trouble = trouble

    def _hang_up_on(self, stop: threading.Event) -> None:
        """Ends whatever waits for the engine when it is time to stop; looks until then whether anybody listens."""
        while not stop.wait(LOOK):
            self._know.lapses.look()
        self._know.lapses.look()
        if (wires := self._wires) is not None:
            wires.hear_out()

"""The simulated platform on a port: the event stream as a websocket, the REST API beside it.

Needs the library `websockets` (extra `demo`).
"""

from __future__ import annotations

import logging
import socket
import socketserver
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from types import TracebackType
from typing import Any, Final, Self

from archiver.simulator.service import logs, misbehaviour, rest, writing
from archiver.simulator.service.access import Admission
from archiver.simulator.service.audience import Audience, text_of
from archiver.simulator.service.connection import Connection, frame
from archiver.simulator.service.driver import STILL, Driver, Pacing
from archiver.simulator.service.lying import Lying
from archiver.simulator.service.routes import Router
from archiver.simulator.world.living import live_in
from archiver.simulator.world.platform import World

__all__ = ["STILL", "Admission", "Listening", "Lying", "Pacing", "Simulator", "World", "serve"]

_log = logging.getLogger(__name__)

_BATCH: Final = 256
_GRACE_SECONDS: Final = 0.5


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handle: Callable[[socket.socket], None]) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self._handle = handle
        super().__init__(address, socketserver.BaseRequestHandler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        self._handle(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.exception("a connection of the simulator failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the simulator listens, and how it serves who is let in.

    A client for which more than `queue_bytes` wait to be written is cut off: at once while the platform lives in
    real time, after `patience` seconds at full speed and for what `send` pushes. `record_sent` keeps what was sent.
    `oldest_first` turns the REST API's list of actions round.
    """

    host: str = "127.0.0.1"
    port: int = 0
    greet: bool = True
    oldest_first: bool = False
    record_sent: bool = False
    queue_bytes: int = 4 << 20
    patience: float = 5.0


class Simulator:
    """A server with a platform behind it, in threads of this process; a context manager.

    At the pace of life, events are dated by the wall clock, or from the world's `start` on in virtual time; at full
    speed always in virtual time, so that the same seed gives the same texts.
    """

    def __init__(
        self,
        *,
        world: World = World(),
        pacing: Pacing = Pacing(),
        admission: Admission = Admission(),
        listening: Listening = Listening(),
    ) -> None:
        self._address = (listening.host, listening.port)
        by_the_clock = bool(pacing.speed) and world.start is None
        self.platform = live_in(replace(world, pace=pacing.speed if by_the_clock else 1.0))
        self._audience = Audience(record=listening.record_sent, greet=listening.greet)
        self._live = pacing.live
        self._oldest_first = listening.oldest_first
        self._queue_bytes, self._patience = listening.queue_bytes, listening.patience
        audit = f"/api/audit/v1/{_segment(world.namespace)}events"
        self._stream_path = "/v1/events" if world.flavour == "tutum" else audit
        self._changed = self._audience.changed
        self._connections: set[Connection] = set()
        self._stopping = threading.Event()
        self._router = Router(admission, self._ask, self._obey, self._audience.enter, self._recite, self._stopping.wait)
        self._driver = Driver(
            self.platform,
            self._audience,
            self._stopping,
            pacing,
            by_the_clock=by_the_clock,
            patience=listening.patience,
            misbehave=self.misbehave,
        )
        self.finished = self._driver.finished
        """Set when the platform has come to its limit."""
        self._listener: _Listener | None = None
        self._threads: list[threading.Thread] = []

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen and begin to live. Raises OSError when the port cannot be had."""
        self._driver.anchor()
        self._listener = listener = _Listener(self._address, self._handle)
        self._address = (self._address[0], listener.server_address[1])
        self._threads = [threading.Thread(target=listener.serve_forever, args=(0.05,), name="simulator", daemon=True)]
        if self._live:
            self._threads.append(threading.Thread(target=self._driver.run, name="simulator-platform", daemon=True))
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Close every connection (1001, and by force half a second later) and release the port."""
        if self._listener is None:
            return
        self._stopping.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._listener = None
        with self._changed:
            self._changed.notify_all()
            for connection in self._connections:
                if connection.muted:
                    connection.abort()
                connection.close(1001, "going away")
            if not self._changed.wait_for(lambda: not self._connections, _GRACE_SECONDS):
                for connection in self._connections:
                    connection.abort()
                self._changed.wait_for(lambda: not self._connections, 5.0)
        for thread in self._threads:
            thread.join(5.0)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._address[1]

    @property
    def stream_url(self) -> str:
        """Where the event stream is, without credentials."""
        return f"ws://{self._netloc()}{self._stream_path}"

    @property
    def rest_url(self) -> str:
        """The REST API's root, without a trailing slash: append `/api/...`."""
        return f"http://{self._netloc()}"

    @property
    def clients(self) -> int:
        """How many clients hear the stream now."""
        return len(self._audience)

    @property
    def sent(self) -> int:
        """How many events and given texts were sent to at least one client."""
        return self._audience.sent

    @property
    def sent_texts(self) -> list[str]:
        """With `record_sent`: those texts, in order."""
        return self._audience.texts

    @property
    def handshakes(self) -> int:
        """How many clients asked for the stream, admitted or not."""
        return self._router.handshakes

    def wait_for_clients(self, number: int = 1, timeout: float = 60.0) -> bool:
        """Wait until exactly `number` clients hear the stream; False: it did not come to that in time."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._audience) == number, timeout)

    def wait_sent(self, number: int, timeout: float = 60.0) -> bool:
        """Wait until at least `number` messages were sent; False: it did not come to that in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self.sent >= number, timeout)

    def _netloc(self) -> str:
        host, port = self._address
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    # --- what a test does with it -----------------------------------------------------------------------------------

    def send(self, message: str | bytes | Mapping[str, Any]) -> None:
        """Push a text, a binary message (bytes) or an event to every client."""
        if isinstance(message, bytes):
            self.send_raw(frame(message))
        elif isinstance(message, str):
            self._audience.broadcast([(message, None)], self._patience)
        else:
            self._audience.broadcast([(text_of(message), message)], self._patience)

    def send_all(self, texts: Iterable[str]) -> None:
        """Push prepared texts as fast as the clients read them; stream filters do not look into them."""
        pending = iter(texts)
        while batch := [(text, None) for text in islice(pending, _BATCH)]:
            self._audience.broadcast([*batch], self._patience)

    def send_raw(self, data: bytes) -> None:
        """Write bytes to every client's socket as they are."""
        self._audience.write(data, self._patience)

    def misbehave(
        self,
        kind: misbehaviour.Kind,
        *,
        times: int | None = 1,
        status: int = 500,
        location: str = "",
        megabytes: float = 2.0,
    ) -> None:
        """Fail the clients in one of the ways of `misbehaviour`. Raises ValueError for a way that is not there."""
        if kind == "well":
            self._router.faults.clear()
        elif kind in misbehaviour.DOORSTEPS:
            self._router.faults[kind] = misbehaviour.Fault(status, location, times)
        elif kind in misbehaviour.ENDINGS:
            self._audience.dismiss(lambda client: misbehaviour.end(client, kind))
        elif kind == "duplicate":
            self._audience.repeat(self._patience)
        elif kind in misbehaviour.NOISES:
            self.send_raw(misbehaviour.noise(kind, megabytes))
        else:
            raise ValueError(f"no such misbehaviour: {kind}")

    def stand_still(self) -> None:
        """Nothing happens by itself any more; what is asked is answered, and what is ordered is done."""
        self._driver.stand_still()

    def lie(self, *lies: Lying) -> None:
        """Answer the REST API's requests so from now on; without any, honestly. Of several that fit, the first."""
        self._router.liar.lies = deque(lies)

    @property
    def asked(self) -> list[str]:
        """The paths, with their queries, of the GET requests to the REST API so far."""
        return self._router.liar.asked

    # --- connections ------------------------------------------------------------------------------------------------

    def _ask(self, path: str, query: str) -> rest.Answer:
        with self._changed:
            return rest.answer(self.platform, path, query, oldest_first=self._oldest_first)

    def _recite(self, path: str, query: str) -> tuple[list[str], bool] | None:
        with self._changed:
            return logs.recite(self.platform, path, query)

    def _obey(self, request: writing.Request) -> writing.Told:
        with self._changed:
            told = writing.obey(self.platform, request, lambda: self._driver.now)
            self._changed.notify_all()
        return told

    def _handle(self, sock: socket.socket) -> None:
        connection = Connection(sock, self._queue_bytes)
        with self._changed:
            self._connections.add(connection)
        try:
            request = None if self._stopping.is_set() else connection.read_request()
            if request is not None:
                self._router.receive(connection, request)
        finally:
            self._audience.leave(connection)
            connection.finish()
            with self._changed:
                self._connections.discard(connection)
                self._changed.notify_all()


def serve(simulator: Simulator, stop: threading.Event, ready: Callable[[Simulator], None] | None = None) -> None:
    """Run a simulator until `stop` is set; `ready` is called when it listens.

    Raises OSError when the port cannot be had.
    """
    with simulator:
        if ready is not None:
            ready(simulator)
        stop.wait()


def _segment(namespace: str | None) -> str:
    return f"{namespace}/" if namespace else ""

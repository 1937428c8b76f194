"""Once a session was well, the next try comes as soon as if nothing had ever gone wrong."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

from archiver.model import Opened
from archiver.platforms.docker.source import DockerPace, DockerSource
from archiver.platforms.protocol import Source
from archiver.platforms.tutum.source import Retry, WebsocketSource

from ..fake_engine import FakeEngine
from .hostile import CLOSE, Hostile, Peer

ENOUGH = 12
"""So many doublings of the first wait are longer than a test may take."""


def sessions(source: Source, seconds: float) -> Iterator[int]:
    """Counts the sessions as they are opened, until there are enough of them or the time is over."""
    stop = threading.Event()
    limit = threading.Timer(seconds, stop.set)
    limit.start()
    opened = 0
    for item in source.items(stop):
        if isinstance(item, Opened):
            opened += 1
            yield opened
            if opened == ENOUGH:
                stop.set()
    limit.cancel()
    limit.join()


def test_a_websocket_that_was_well_is_opened_again_at_once_also_after_a_refusal() -> None:
    refused = itertools.cycle((True, False))

    def script(peer: Peer) -> None:
        if next(refused):
            peer.answer("401 Unauthorized")
        else:
            peer.accept().frame(b"", CLOSE)

    retry = Retry(first=0.02, most=60, slow_first=0.02, slow_most=60, healthy_after=0, seed=1)
    with Hostile(script) as server:
        assert list(sessions(WebsocketSource(server.url, retry=retry), 8))[-1] == ENOUGH


def test_an_engine_that_was_well_is_asked_again_at_once(tmp_path: Path) -> None:
    engine = FakeEngine()
    pace = DockerPace(first_delay=0.02, longest_delay=60, longest_local_delay=60, healthy_after=0)
    opened = 0
    with engine.on_socket(tmp_path / "s") as url:
        for number in sessions(DockerSource(url, pace=pace), 8):
            opened = number
            engine.hang_up()

    assert opened == ENOUGH

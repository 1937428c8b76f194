"""A consumer that takes its time, such as a full disk, is not taken for a server that is dead."""

from __future__ import annotations

import threading
import time

from archiver.model import Alive, Closed, Item
from archiver.platforms.tutum.session import SLOW_CONSUMER, Pace
from archiver.platforms.tutum.source import WebsocketSource

from .hostile import PONG, Hostile, Peer


def test_a_consumer_that_is_slow_to_take_a_sign_of_life_does_not_make_the_server_dead() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        while peer.sock.recv(4096):
            peer.frame(b"", PONG)

    pace = Pace(ping_interval=0.1, dead_after=0.4, alive_every=0.05, tick=0.05)
    stop = threading.Event()
    items: list[Item] = []
    with Hostile(script) as server:
        for item in WebsocketSource(server.url, pace=pace).items(stop):
            items.append(item)
            if isinstance(item, Alive) and sum(isinstance(item, Alive) for item in items) == 1:
                time.sleep(SLOW_CONSUMER + 0.1)
                threading.Timer(0.6, stop.set).start()

    assert [item.kind for item in items if isinstance(item, Closed)] == ["stopped"]

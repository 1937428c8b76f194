"""Stretches in which nobody reads: what the source says of them afterwards."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from websocket import ABNF

from archiver.model import Alive, Closed, Item, Message, Micros, Opened, now_micros
from archiver.platforms.tutum.session import Pace
from archiver.platforms.tutum.source import WebsocketSource
from tests.integration.hostile import CLOSE, PING, Hostile, Peer, frame
from tests.integration.test_tutum_source import PROMPT, closed, closings, collect, messages

PACE = Pace(ping_interval=0.2, alive_every=0.1, tick=0.05, unwatched=0.3)
EVENT = b'{"type":"stack","resource_uri":"/api/v1/stack/%d/","note":"' + b"x" * 200 + b'"}'


def has_closed(items: list[Item]) -> bool:
    return isinstance(items[-1], Closed)


def stalling(
    source: WebsocketSource, seconds: float, enough: Callable[[list[Item]], bool]
) -> tuple[list[Item], Micros]:
    """What a consumer gets that waits after the first message; and when it began to wait."""
    items: list[Item] = []
    stop, began = threading.Event(), 0
    for item in source.items(stop):
        items.append(item)
        if isinstance(item, Message) and not began:
            began = now_micros()
            time.sleep(seconds)
        if enough(items):
            stop.set()
    return items, began


def test_who_left_while_nobody_read_was_not_watched_and_what_he_said_is_delivered_once() -> None:
    sent = [EVENT % number for number in range(5)]

    def script(peer: Peer) -> None:
        peer.accept()
        peer.frame(sent[0])
        time.sleep(0.5)
        for payload in sent[1:]:
            peer.frame(payload)
        peer.frame(b"\x03\xe9", CLOSE)

    with Hostile(script, Peer.hold) as server:
        items, began = stalling(WebsocketSource(server.url, pace=PACE, retry=PROMPT), 1.5, closings(1))
    assert [m.payload for m in messages(items)] == sent
    assert closed(items).at <= began + 300_000


def test_what_the_server_s_host_had_still_to_deliver_is_not_lost_for_a_ping_or_pong_of_ours() -> None:
    sent = 0

    def script(peer: Peer) -> None:
        """Sends until nobody takes any more, pings now and then, and is gone."""
        nonlocal sent
        peer.accept()
        peer.sock.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            while True:
                peer.send(frame(EVENT % sent))
                sent += 1
                if sent % 100 == 0:
                    peer.send(frame(b"?", PING))

    pace = Pace(ping_interval=0.2, tick=0.5, unwatched=1.0)
    with Hostile(script, Peer.hold) as server:
        items, began = stalling(WebsocketSource(server.url, pace=pace, retry=PROMPT), 2.0, has_closed)
    payloads = [m.payload for m in messages(items) if m.refused is None]
    assert payloads == [EVENT % number for number in range(len(payloads))]
    assert len(payloads) >= sent
    assert closed(items).at <= began + 300_000


def test_a_server_that_is_still_there_was_watched_all_the_time() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.frame(EVENT % 0)
        peer.frame(EVENT % 1)
        while True:
            peer.pong()

    with Hostile(script) as server:
        source = WebsocketSource(server.url, pace=PACE)
        items, began = stalling(source, 1.0, lambda items: any(isinstance(item, Alive) for item in items))
    alive = next(item for item in items if isinstance(item, Alive))
    assert alive.at >= began + 1_000_000
    assert [type(item) for item in items if not isinstance(item, Alive)] == [Opened, Message, Message, Closed]


def test_after_such_a_stretch_a_ping_goes_out_at_once() -> None:
    asked: list[float] = []

    def script(peer: Peer) -> None:
        peer.accept()
        peer.frame(EVENT % 0)
        peer.pong()
        asked.append(time.monotonic())
        peer.hold()

    pace = Pace(ping_interval=60.0, tick=0.05, unwatched=0.3)
    with Hostile(script) as server:
        began = time.monotonic()
        stalling(WebsocketSource(server.url, pace=pace), 0.6, lambda _: bool(asked) or time.monotonic() - began > 5)
    assert 0.5 < asked[0] - began < 2


def test_a_machine_that_slept_was_not_watching() -> None:
    """Both clocks jump by an hour, as they do when a machine sleeps; what came meanwhile waits."""
    jump, sent, stop = [0.0], threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        peer.frame(b"", CLOSE)
        sent.set()
        peer.drain()

    pace = Pace(
        ping_interval=60.0,
        tick=0.05,
        wall=lambda: now_micros() + round(jump[0] * 1e6),
        monotonic=lambda: time.monotonic() + jump[0],
    )
    items = []
    with Hostile(script, Peer.hold) as server:
        for item in WebsocketSource(server.url, pace=pace, retry=PROMPT).items(stop):
            items.append(item)
            if isinstance(item, Opened):
                assert sent.wait(20)
                jump[0] = 3600.0
            elif isinstance(item, Closed):
                stop.set()
    assert isinstance(items[0], Opened)
    assert closed(items).at < items[0].at + 1_000_000


def test_a_server_that_never_answers_a_ping_is_not_dead_by_that() -> None:
    def script(peer: Peer) -> None:
        peer.accept(extra=frame(b"only"))
        peer.hold()

    pace = Pace(ping_interval=0.1, dead_after=0.3, mute_after=1.5, tick=0.05)
    with Hostile(script, Peer.hold) as server:
        began = time.monotonic()
        items = collect(WebsocketSource(server.url, pace=pace, retry=PROMPT), closings(1))
    assert time.monotonic() - began > 1.4
    assert closed(items).reason == "no answer for 1.5 s"
    assert closed(items).kind == "silent"
    assert closed(items).at == messages(items)[0].received_at


def test_a_server_that_dies_soon_after_the_opening_is_known_to_be_dead_and_not_mute() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.pong()
        peer.hold()

    pace = Pace(ping_interval=60.0, first_ping=0.1, dead_after=0.5, mute_after=60.0, tick=0.05)
    with Hostile(script, Peer.hold) as server:
        items = collect(WebsocketSource(server.url, pace=pace, retry=PROMPT), closings(1))
    assert closed(items).reason == "no answer for 0.5 s"


def test_a_server_that_has_answered_before_is_dead_when_it_falls_silent_at_an_opening_but_thrice() -> None:
    def answering(peer: Peer) -> None:
        peer.accept()
        peer.pong()
        peer.frame(b"", ABNF.OPCODE_CLOSE)
        peer.drain()

    def mute(peer: Peer) -> None:
        peer.accept()
        peer.hold()

    pace = Pace(ping_interval=60.0, first_ping=0.1, dead_after=0.3, mute_after=1.2, tick=0.05)
    with Hostile(answering, *[mute] * 4) as server:
        items = collect(WebsocketSource(server.url, pace=pace, retry=PROMPT), closings(5))
    reasons = [item.reason for item in items if isinstance(item, Closed)]
    assert reasons[1:] == [*["no answer for 0.3 s"] * 3, "no answer for 1.2 s"]


def test_every_ping_has_another_number() -> None:
    said: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.accept()
        said.extend(peer.pong() for _ in range(3))
        peer.frame(b"", ABNF.OPCODE_CLOSE)
        peer.drain()

    with Hostile(script, Peer.hold) as server:
        collect(WebsocketSource(server.url, pace=PACE, retry=PROMPT), closings(1))
    assert said == [b"1", b"2", b"3"]

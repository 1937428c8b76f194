"""A source is told to stop while its reader is behind: what has arrived is read, and no more is said to be watched."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from archiver.model import Closed, Item, Message, Micros, Opened, now_micros
from archiver.platforms.docker.pace import DockerPace
from archiver.platforms.docker.source import DockerSource
from archiver.platforms.protocol import Source
from archiver.platforms.tutum.session import CLOSE_SECONDS, Pace
from archiver.platforms.tutum.source import WebsocketSource
from archiver.recording.daemon import DaemonPace
from tests.fake_engine import FakeEngine, message
from tests.integration.docker_items import QUICK, messages, raw
from tests.integration.hostile import Hostile, Peer, frame

EVENT = b'{"type":"stack","resource_uri":"/api/v1/stack/%d/","note":"' + b"x" * 200 + b'"}'

BEHIND = 400_000
"""Microseconds; a reader that is twice as much behind does not claim even once as much too much."""


def stopped_behind(source: Source, arrived: threading.Event, each: float = 0.0) -> list[Item]:
    """What a consumer gets that stands still after the first message until more has `arrived`, and stops then.

    `each`: the seconds that it takes from then on for a message.
    """
    items: list[Item] = []
    stop = threading.Event()
    for item in source.items(stop):
        items.append(item)
        if isinstance(item, Message):
            if not stop.is_set():
                assert arrived.wait(30)
                stop.set()
            time.sleep(each)
    return items


def closed(items: list[Item]) -> Closed:
    found = items[-1]
    assert isinstance(found, Closed)
    assert found.kind == "stopped"
    return found


def test_what_a_platform_had_sent_by_then_is_delivered() -> None:
    sent = [EVENT % number for number in range(1500)]
    arrived = threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        peer.frame(sent[0])
        peer.send(b"".join(map(frame, sent[1:])))
        arrived.set()
        peer.drain()

    with Hostile(script) as server:
        items = stopped_behind(WebsocketSource(server.url), arrived)
    assert [item.payload for item in messages(items)] == sent
    closed(items)


def test_a_message_that_has_half_arrived_is_waited_for() -> None:
    arrived = threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        peer.frame(EVENT % 0)
        whole = frame(EVENT % 1)
        peer.send(whole[:100])
        arrived.set()
        time.sleep(0.3)
        peer.send(whole[100:])
        peer.drain()

    with Hostile(script) as server:
        items = stopped_behind(WebsocketSource(server.url), arrived)
    assert [item.payload for item in messages(items)] == [EVENT % 0, EVENT % 1]


def test_of_a_message_that_never_ends_what_there_is_of_it_is_kept() -> None:
    arrived = threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        peer.frame(EVENT % 0)
        peer.send(frame(EVENT % 1)[:100])
        arrived.set()
        peer.drain()

    with Hostile(script) as server:
        items = stopped_behind(WebsocketSource(server.url, pace=Pace(last_words=0.2, tick=0.05)), arrived)
    assert [(item.payload, item.refused is None) for item in messages(items)] == [
        (EVENT % 0, True),
        ((EVENT % 1)[:96], False),
    ]
    closed(items)


def test_of_a_platform_that_never_pauses_no_more_is_watched_than_was_read() -> None:
    sent_at: list[Micros] = []
    arrived = threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        peer.sock.settimeout(0.05)
        while True:
            sent_at.append(now_micros())
            data = frame(EVENT % (len(sent_at) - 1))
            while data:
                try:
                    data = data[peer.sock.send(data) :]
                except TimeoutError:  # there is no more room
                    if now_micros() - sent_at[0] > 2 * BEHIND:
                        arrived.set()

    with Hostile(script) as server:
        items = stopped_behind(WebsocketSource(server.url, pace=Pace(last_words=0.3)), arrived, each=0.002)
    assert len(messages(items)) < len(sent_at)
    assert closed(items).at <= sent_at[len(messages(items))] + BEHIND


def test_what_an_engine_tells_while_it_is_read_out_is_delivered(engine: FakeEngine, url: str) -> None:
    told = [message(number) for number in range(400)]
    stop = threading.Event()
    got: list[Item] = []
    engine.tell(told[0])
    for item in DockerSource(url, pace=replace(QUICK, quiet=0.5)).items(stop):
        got.append(item)
        if isinstance(item, Message) and not stop.is_set():
            for one in told[1:]:
                engine.tell(one)
            stop.set()
    assert raw(got) == told
    closed(got)


def test_of_an_engine_that_never_pauses_no_more_is_watched_than_was_read(engine: FakeEngine, url: str) -> None:
    told_at: list[int] = []
    over = threading.Event()

    def flood() -> None:
        while not over.is_set():
            told_at.append(engine.told_now(id=f"{len(told_at):064x}")["timeNano"] // 1000)

    flooding = threading.Thread(target=flood)
    stop = threading.Event()
    got: list[Item] = []
    try:
        for item in DockerSource(url, pace=replace(QUICK, last_words=0.3)).items(stop):
            got.append(item)
            if isinstance(item, Opened):
                flooding.start()
            elif len(got) == 500:
                stop.set()
    finally:
        over.set()
        flooding.join()
    heard = {int(one["Actor"]["ID"], 16) for one in raw(got)}
    unheard = next(number for number in range(len(told_at)) if number not in heard)
    assert closed(got).at <= told_at[unheard]


def test_the_last_words_and_the_good_bye_fit_into_what_the_daemon_waits_for_them() -> None:
    assert Pace().last_words + CLOSE_SECONDS < DaemonPace().sources
    assert DockerPace().last_words + CLOSE_SECONDS < DaemonPace().sources

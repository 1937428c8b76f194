"""The source against servers that want to harm it: floods, lies, drips, broken frames."""

from __future__ import annotations

import hashlib
import resource
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from archiver.codec.oversize import KEPT
from archiver.model import Closed, Condition, Item, Opened
from archiver.platforms.tutum.session import Pace
from archiver.platforms.tutum.source import WebsocketSource
from tests.integration.hostile import BINARY, CLOSE, PING, PONG, TEXT, Hostile, Peer, frame
from tests.integration.test_tutum_source import PROMPT, closed, closings, collect, messages

MIB = 1024 * 1024
HASTY = Pace(frame_deadline=0.5, handshake_deadline=0.5, ping_interval=0.1, tick=0.05)


def one_session(server: Hostile, pace: Pace | None = None) -> list[Item]:
    return collect(WebsocketSource(server.url, pace=pace, retry=PROMPT), closings(1))


def then(*parts: bytes) -> Callable[[Peer], object]:
    """Accept, send, read on until the client goes."""

    def script(peer: Peer) -> None:
        peer.accept()
        for part in parts:
            peer.send(part)
        peer.drain()

    return script


# --- messages over the cap --------------------------------------------------------------------------------------------


def test_a_message_at_the_cap_is_taken_whole() -> None:
    payload = bytes(range(256)) * 4096
    with Hostile(then(frame(payload), frame(b"", CLOSE)), Peer.hold) as server:
        items = one_session(server)
    assert [(m.payload, m.refused) for m in messages(items)] == [(payload, None)]


@pytest.mark.parametrize("fragments", [1, 7])
def test_a_message_over_the_cap_is_cut_and_the_stream_goes_on(fragments: int) -> None:
    payload = bytes(range(251)) * 20_000
    step = -(-len(payload) // fragments)
    parts = [payload[at : at + step] for at in range(0, len(payload), step)]
    sent = [frame(part, TEXT if i == 0 else 0, fin=i == len(parts) - 1) for i, part in enumerate(parts)]
    with Hostile(then(*sent, frame(b"next"), frame(b"", CLOSE)), Peer.hold) as server:
        first, second = messages(one_session(server))
    assert first.payload == payload[:KEPT]
    assert first.refused == (
        f"message of {len(payload)} bytes exceeds the cap of {MIB}; the first {KEPT} bytes are kept, "
        f"sha256 {hashlib.sha256(payload).hexdigest()}"
    )
    assert (second.payload, second.refused) == (b"next", None)


def test_the_cap_is_a_setting_and_holds_for_short_messages_too() -> None:
    with Hostile(then(frame(b"12345"), frame(b"123456"), frame(b"", CLOSE)), Peer.hold) as server:
        first, second = messages(one_session(server, Pace(cap=5)))
    assert first.refused is None
    assert second.refused is not None
    assert second.refused.startswith("message of 6 bytes exceeds the cap of 5")


def test_a_hundred_megabytes_pass_through_in_little_memory() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(frame(b"", length=100 * MIB))
        for _ in range(100):
            peer.send(b"z" * MIB)
        peer.frame(b"next")
        peer.frame(b"", CLOSE)
        peer.drain()

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Hostile(script, Peer.hold) as server:
        first, second = messages(one_session(server))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024
    assert first.refused is not None
    assert first.refused.startswith(f"message of {100 * MIB} bytes")
    assert second.payload == b"next"


@pytest.mark.parametrize("length", [1 << 40, (1 << 64) - 1])
def test_an_absurd_length_ends_the_connection_at_once_and_keeps_the_beginning(length: int) -> None:
    answers: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(frame(b"beginning", length=length))
        answers.append(peer.drain())

    began = time.monotonic()
    with Hostile(script, Peer.hold) as server:
        items = one_session(server)
    assert time.monotonic() - began < 3
    assert messages(items)[0].payload == b"beginning"
    assert str(length) in str(messages(items)[0].refused)
    assert close_code(answers[0]) == 1009


@pytest.mark.parametrize(("opcode", "length"), [(TEXT, 1 << 40), (PONG, 20 * MIB)])
def test_what_still_comes_after_a_refused_frame_is_thrown_away(opcode: int, length: int) -> None:
    sent: list[int] = []

    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(frame(b"beginning", opcode, length=length))
        for number in range(200):
            sent.append(number)
            peer.send(b"z" * MIB)

    tracemalloc.start()
    try:
        with Hostile(script, Peer.hold) as server:
            one_session(server)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(sent) > 10
    assert most < 10 * MIB


def close_code(sent: bytes) -> int:
    """The code of the masked close frame at the end of what the client sent."""
    assert sent[-8] == 0x80 | CLOSE
    return int.from_bytes(bytes(byte ^ mask for byte, mask in zip(sent[-2:], sent[-6:-4], strict=True)))


@pytest.mark.parametrize("piece", [b"", b"x"])
def test_a_flood_of_fragments_is_ended(piece: bytes) -> None:
    flood = frame(piece, fin=0) + frame(piece, 0, fin=0) * 20_000
    with Hostile(then(flood), Peer.hold) as server:
        items = one_session(server)
    assert "fragments" in closed(items).reason
    assert all(m.refused and len(m.payload) <= KEPT for m in messages(items))


# --- broken frames ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (frame(b"x", 3), "invalid opcode 3"),
        (frame(b"x", 11), "invalid opcode 11"),
        (frame(b"x", rsv=4), "a reserved bit is set"),
        (b"\x81\x83mask123", "a frame of the server is masked"),
        (frame(b"x" * 126, PING), "control frame of 126 bytes"),
        (frame(b"", PONG, length=20 * MIB), "control frame of 20971520 bytes"),
        (frame(b"p", PING, fin=0), "a control frame is fragmented"),
        (frame(b"x", 0), "a fragment without a beginning"),
        (frame(b"a", fin=0) + frame(b"b"), "a message within a message"),
        (frame(b"a", BINARY, fin=0) + frame(b"b", 1, fin=0), "a message within a message"),
        (frame(b"x", CLOSE), "Invalid close frame."),
        (frame(b"\x00\x05", CLOSE), "Invalid close opcode 5"),
    ],
)
def test_a_broken_frame_ends_the_connection_with_1002_and_is_kept(sent: bytes, reason: str) -> None:
    answers: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.accept(extra=frame(b"good"))
        peer.send(sent)
        answers.append(peer.drain())

    with Hostile(script, Peer.hold) as server:
        items = one_session(server)
    assert closed(items).reason == f"the server broke the protocol: {reason}"
    assert messages(items)[0].payload == b"good"
    assert all(m.refused for m in messages(items)[1:])
    assert close_code(answers[0]) == 1002


def test_the_bytes_of_a_broken_frame_are_kept() -> None:
    with Hostile(then(frame(b"evidence", 5)), Peer.hold) as server:
        (kept,) = messages(one_session(server))
    assert kept.payload == frame(b"evidence", 5)


def test_garbage_instead_of_frames_is_survived() -> None:
    garbage = hashlib.shake_128(b"seed").digest(200_000)
    with Hostile(then(b"\xc3" + garbage), Peer.hold) as server:
        items = one_session(server)
    assert closed(items).reason.startswith("the server broke the protocol")


def test_a_close_reason_cannot_act_on_a_terminal() -> None:
    with Hostile(then(frame(b"\x03\xe8\x1b[2J\xff\xe2\x80\xae" + b"x" * 50, CLOSE)), Peer.hold) as server:
        reason = closed(one_session(server)).reason
    assert reason.isprintable()
    assert reason.startswith("closed by the server: 1000 \\x1b[2J")


# --- slowness ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "beginning",
    [frame(b"half", length=100), frame(b"half", length=70_000), frame(b"half", fin=0), b"\x81", b"\x81\x7f\x00"],
)
def test_half_a_message_and_then_silence_is_given_up(beginning: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.accept(extra=frame(b"good") + beginning)
        peer.hold()

    with Hostile(script, Peer.hold) as server:
        items = one_session(server, HASTY)
    assert closed(items).reason == "a message was not complete after 0.5 s"
    assert closed(items).at == messages(items)[0].received_at or b"half" in beginning
    assert [m.payload for m in messages(items)[1:]] == ([b"half"] if b"half" in beginning else [])


def test_a_frame_that_drips_is_given_up() -> None:
    def script(peer: Peer) -> None:
        peer.accept(extra=frame(b"", length=1000))
        while not peer.server.over.wait(0.02):
            peer.send(b".")

    with Hostile(script, Peer.hold) as server:
        items = one_session(server, HASTY)
    assert closed(items).reason == "a message was not complete after 0.5 s"
    assert set(messages(items)[0].payload) == set(b".")


def test_fragments_that_drip_are_given_up_though_pongs_come() -> None:
    def script(peer: Peer) -> None:
        peer.accept(extra=frame(b".", fin=0))
        while not peer.server.over.wait(0.02):
            peer.send(frame(b".", 0, fin=0) + frame(b"", PONG))

    with Hostile(script, Peer.hold) as server:
        items = one_session(server, HASTY)
    assert closed(items).reason == "a message was not complete after 0.5 s"


def test_a_dripping_frame_does_not_delay_the_stop() -> None:
    def script(peer: Peer) -> None:
        peer.accept(extra=frame(b"", length=100_000))
        while not peer.server.over.wait(0.02):
            peer.send(b".")

    with Hostile(script) as server:
        began = time.monotonic()
        items = collect(WebsocketSource(server.url), lambda items: isinstance(items[0], Opened))
    assert time.monotonic() - began < 3
    assert closed(items).reason == "stopped"


def test_a_frame_in_many_small_packets_arrives_whole() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        for byte in frame(b"x" * 300):
            peer.send(bytes([byte]))
        peer.frame(b"", CLOSE)
        peer.drain()

    with Hostile(script, Peer.hold) as server:
        assert [m.payload for m in messages(one_session(server, Pace(tick=0.01)))] == [b"x" * 300]


def test_a_server_that_reads_nothing_is_dropped() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        flood = frame(b"p" * 125, PING) * 500
        while True:
            peer.send(flood)

    with Hostile(script, Peer.hold) as server:
        items = one_session(server)
    assert closed(items).reason == "the server takes no data"


# --- the handshake ----------------------------------------------------------------------------------------------------


def failures(server: Hostile, caplog: pytest.LogCaptureFixture, pace: Pace | None = None, **how: Any) -> str:
    """What is logged of one try that failed: why; the archive is told the same, and nothing else is yielded."""
    stop = threading.Event()
    source = WebsocketSource(server.url, pace=pace, **how)
    items = until_logged(source, stop, caplog)
    reason, _, rest = caplog.records[0].getMessage().partition(f": cannot open {source.stream}, next try ")
    assert rest == "at once" or rest.startswith("in ")
    assert all(isinstance(item, Condition) for item in items)
    assert reason == items[0].value
    return reason


def until_logged(source: WebsocketSource, stop: threading.Event, caplog: pytest.LogCaptureFixture) -> list[Item]:
    def watch() -> None:
        until = time.monotonic() + 10
        while not caplog.records and time.monotonic() < until:
            time.sleep(0.02)
        stop.set()

    threading.Thread(target=watch).start()
    return list(source.items(stop))


def test_a_dripped_handshake_meets_the_deadline(caplog: pytest.LogCaptureFixture) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\nX: ")
        while not peer.server.over.wait(0.02):
            peer.send(b"x")

    with Hostile(script) as server:
        assert failures(server, caplog, HASTY).endswith("not connected after 0.5 s")


def test_an_endless_header_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\n" + b"X-Filler: " + b"x" * 200_000)
        peer.hold()

    with Hostile(script) as server:
        assert failures(server, caplog).endswith("the answer's header exceeds 65536 bytes")


def test_a_huge_body_of_a_refusal_is_not_read(caplog: pytest.LogCaptureFixture) -> None:
    began = time.monotonic()
    with Hostile(lambda peer: peer.answer("503 Busy", b"\x1b]0;title\x07" * 500_000)) as server:
        line = failures(server, caplog)
    assert time.monotonic() - began < 3
    assert "HTTP 503 Busy" in line
    assert len(line) < 600
    assert line.isprintable()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "the server does not speak HTTP"),
        (b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\n\r\n", "it has no 'Upgrade: websocket'"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n", "it has no 'Connection: Upgrade'"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "Accept does not fit"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP 200 OK: hi"),
        (
            b"",
            "the server closed the connection without an answer (if it speaks TLS at this port, it is wss:// or https://)",
        ),
    ],
)
def test_a_wrong_answer_is_told(answer: bytes, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(lambda peer: (peer.read_request(), peer.send(answer))) as server:
        assert failures(server, caplog).endswith(reason)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(Peer.hold) as other:
        location = f"Location: {other.url}\r\n"
        with Hostile(lambda peer: peer.answer(f"{status} Moved", header=location)) as server:
            assert f"HTTP {status} Moved" in failures(server, caplog)
        assert other.connections == 0


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hostile(Peer.hold) as proxy, Hostile(lambda peer: (peer.accept(), peer.hold())) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        collect(WebsocketSource(server.url), lambda items: True)
        assert proxy.connections == 0


def test_a_closed_port_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(Peer.hold) as server:
        pass
    assert failures(server, caplog).endswith("connection refused")


def test_sessions_never_overlap() -> None:
    with Hostile(then(frame(b"x", 3)), then(frame(b"y", 4)), then(frame(b"z", 5))) as server:
        items = collect(WebsocketSource(server.url, retry=PROMPT), closings(3))
    kinds = [type(item) for item in items if isinstance(item, (Opened, Closed))]
    assert kinds[:6] == [Opened, Closed] * 3


# --- names and addresses ----------------------------------------------------------------------------------------------


def test_the_second_address_is_tried_when_the_first_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hostile(Peer.hold) as gone:
        pass
    with Hostile(lambda peer: (peer.accept(), peer.hold())) as server:
        addresses = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in (gone.port, server.port)
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
        items = collect(WebsocketSource("ws://localhost:1/v1/events"), lambda items: True)
    assert isinstance(items[0], Opened)


def test_a_name_that_is_never_resolved_meets_the_deadline(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Hostile(Peer.hold) as server:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: server.over.wait() and [])
        assert failures(server, caplog, HASTY).endswith("not connected after 0.5 s")


def test_an_unknown_name_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with Hostile(Peer.hold) as server:
        assert failures(server, caplog).endswith("cannot be resolved: Name or service not known")

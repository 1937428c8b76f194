"""The source against real sockets and servers that mean no harm, or only half of it."""

from __future__ import annotations

import base64
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable

import pytest
from websocket import ABNF

from archiver.errors import ConfigurationWrong, CredentialsRefused
from archiver.model import Alive, Closed, Condition, Item, Message, Opened
from archiver.platforms.tutum.credentials import Credentials
from archiver.platforms.tutum.session import Pace
from archiver.platforms.tutum.source import Retry, WebsocketSource
from tests.integration.hostile import CLOSE, PING, PONG, Hostile, Peer, frame

PROMPT = Retry(first=0.01, most=0.02, slow_first=0.01, slow_most=0.02, seed=1)


def collect(source: WebsocketSource, enough: Callable[[list[Item]], bool], seconds: float = 20.0) -> list[Item]:
    """What the source yields until there is enough of it, and what it still yields after being stopped."""
    stop = threading.Event()
    limit = threading.Timer(seconds, stop.set)
    limit.start()
    items: list[Item] = []
    for item in source.items(stop):
        items.append(item)
        if enough(items):
            stop.set()
    limit.cancel()
    limit.join()
    assert enough(items), items
    return items


def closings(count: int) -> Callable[[list[Item]], bool]:
    return lambda items: sum(isinstance(item, Closed) for item in items) >= count


def messages(items: list[Item]) -> list[Message]:
    return [item for item in items if isinstance(item, Message)]


def troubles(items: Iterable[Item]) -> list[str | None]:
    """What the archive is told of tries that failed; nothing else may have happened."""
    found = list(items)
    assert all(isinstance(item, Condition) and item.of == "trouble" for item in found), found
    return [item.value for item in found if isinstance(item, Condition)]


def closed(items: list[Item]) -> Closed:
    return next(item for item in items if isinstance(item, Closed))


def test_a_session_is_opened_delivers_and_closes() -> None:
    def script(peer: Peer) -> None:
        peer.accept(extra=frame(b"came with the handshake"))
        peer.frame(b'{"type":"auth"}')
        peer.frame(b"\xff\x00\x1b[31m", ABNF.OPCODE_BINARY)
        peer.frame(b"\x03\xe9going away", CLOSE)
        peer.drain()

    with Hostile(script, Peer.hold) as server:
        items = collect(WebsocketSource(server.url, retry=PROMPT), closings(1))
    opened = items[0]
    assert isinstance(opened, Opened)
    assert opened.covered_from == opened.at
    assert [m.payload for m in messages(items)] == [b"came with the handshake", b'{"type":"auth"}', b"\xff\x00\x1b[31m"]
    assert closed(items).reason == "closed by the server: 1001 going away"
    assert opened.at <= messages(items)[0].received_at <= closed(items).at
    assert {item.session for item in items} == {opened.session}


def test_fragments_are_joined_around_a_ping() -> None:
    answers: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.accept()
        peer.frame(b"one ", fin=0)
        peer.frame(b"are you there", PING)
        peer.frame(b"message", 0)
        peer.frame(b"", CLOSE)
        answers.append(peer.drain())

    with Hostile(script, Peer.hold) as server:
        items = collect(WebsocketSource(server.url, retry=PROMPT), closings(1))
    assert [m.payload for m in messages(items)] == [b"one message"]
    assert answers[0][0] == 0x80 | PONG
    assert closed(items).reason == "closed by the server"


@pytest.mark.parametrize(
    ("farewell", "reason"),
    [
        (lambda peer: peer.frame(b"\x03\xe8", CLOSE), "closed by the server: 1000"),
        (Peer.reset, "connection reset"),
        (lambda peer: peer.sock.close(), "the connection ended without a close frame"),
    ],
)
def test_every_loss_is_followed_by_a_new_session_within_two_seconds(
    farewell: Callable[[Peer], object], reason: str
) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        farewell(peer)

    began = time.monotonic()
    with Hostile(script, lambda peer: (peer.accept(), peer.hold())) as server:
        items = collect(WebsocketSource(server.url), lambda items: sum(isinstance(i, Opened) for i in items) == 2)
    assert time.monotonic() - began < 3
    assert [type(item) for item in items] == [Opened, Closed, Opened, Closed]
    assert [item.reason for item in items if isinstance(item, Closed)] == [reason, "stopped"]


def test_stop_ends_within_a_second_while_nothing_comes() -> None:
    with Hostile(lambda peer: (peer.accept(), peer.hold())) as server:
        source = WebsocketSource(server.url)
        began = time.monotonic()
        items = collect(source, lambda items: isinstance(items[0], Opened))
    assert time.monotonic() - began < 2
    assert [type(item) for item in items] == [Opened, Closed]


def test_stop_hands_over_what_was_already_read() -> None:
    with Hostile(lambda peer: (peer.accept(extra=frame(b"x") * 500), peer.hold())) as server:
        items = collect(WebsocketSource(server.url), lambda items: len(items) > 1)
    assert len(messages(items)) == 500
    assert closed(items).reason == "stopped"


def test_stop_interrupts_a_handshake_that_never_ends() -> None:
    stop = threading.Event()
    with Hostile(lambda peer: (peer.read_request(), stop.set(), peer.hold())) as server:
        began = time.monotonic()
        assert list(WebsocketSource(server.url).items(stop)) == []
    assert time.monotonic() - began < 2


def test_no_socket_stays_open() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.frame(b"\x03\xe8", CLOSE)
        peer.drain()

    with Hostile(script) as server:
        collect(WebsocketSource(server.url, retry=PROMPT), closings(2))
        before = len(os.listdir("/proc/self/fd"))
        collect(WebsocketSource(server.url, retry=PROMPT), closings(20))
        # The server's own end of a connection may be still closing.
        assert len(os.listdir("/proc/self/fd")) <= before + 2
        assert threading.active_count() < 12


def test_a_generator_that_is_thrown_away_frees_its_socket() -> None:
    gone = threading.Event()
    with Hostile(lambda peer: (peer.accept(), peer.drain(), gone.set())) as server:
        items = WebsocketSource(server.url).items(threading.Event())
        next(iter(items))
        items.close()  # type: ignore[attr-defined]
        assert gone.wait(5)


def test_pings_are_sent_and_pongs_show_that_the_stream_is_alive() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        while peer.sock.recv(4096):
            peer.frame(b"", PONG)

    pace = Pace(ping_interval=0.1, alive_every=0.2, dead_after=5, tick=0.05)
    with Hostile(script) as server:
        items = collect(WebsocketSource(server.url, pace=pace), lambda items: len(items) >= 3)
    alive = [item for item in items if isinstance(item, Alive)]
    assert len(alive) >= 2
    assert alive[1].at - alive[0].at >= 150_000
    assert closed(items).at >= alive[-1].at


def test_a_silent_server_is_given_up_and_the_coverage_ends_with_its_last_byte() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.pong()
        peer.frame(b"last")
        peer.hold()

    pace = Pace(ping_interval=0.1, dead_after=0.5, tick=0.05)
    with Hostile(script) as server:
        items = collect(WebsocketSource(server.url, pace=pace, retry=PROMPT), closings(1))
    assert closed(items).reason == "no answer for 0.5 s"
    assert closed(items).at == messages(items)[0].received_at


def test_a_slow_consumer_does_not_make_the_server_dead() -> None:
    def script(peer: Peer) -> None:
        peer.accept(extra=frame(b"1") + frame(b"2"))
        while peer.sock.recv(4096):
            peer.frame(b"", PONG)

    pace = Pace(ping_interval=0.1, dead_after=0.4, tick=0.05)
    stop = threading.Event()
    with Hostile(script) as server:
        seen: list[Item] = []
        for item in WebsocketSource(server.url, pace=pace).items(stop):
            seen.append(item)
            if isinstance(item, Message):
                time.sleep(0.6)
            if len(messages(seen)) == 2 and not stop.is_set():
                threading.Timer(0.6, stop.set).start()
    assert closed(seen).reason == "stopped"


def test_a_step_of_the_wall_clock_disturbs_nothing() -> None:
    times = itertools.chain([5_000_000_000, 6_000_000_000], itertools.repeat(1_000_000_000))
    with Hostile(lambda peer: (peer.accept(), peer.frame(b"x"), peer.frame(b"", CLOSE)), Peer.hold) as server:
        source = WebsocketSource(server.url, pace=Pace(wall=lambda: next(times)), retry=PROMPT)
        items = collect(source, closings(1))
    assert isinstance(items[0], Opened)
    assert closed(items).at >= items[0].at


# --- credentials ------------------------------------------------------------------------------------------------------


def test_credentials_in_the_url_travel_in_the_header_and_only_the_user_is_in_the_name_of_the_stream() -> None:
    with Hostile(lambda peer: (peer.accept(), peer.hold())) as server:
        source = WebsocketSource(f"{server.url}?type=container&user=bob&token=s3cret")
        collect(source, lambda items: True)
    assert source.stream == f"{server.url.replace('//', '//bob@')}?type=container"
    assert server.requests[0].startswith(b"GET /v1/events?type=container HTTP/1.1")
    assert b"Authorization: Basic " + base64.b64encode(b"bob:s3cret") in server.requests[0]
    assert b"Cookie" not in server.requests[0]


@pytest.mark.parametrize(
    ("way", "target"),
    [("query", b"/v1/events?user=bob&token=s3+cret"), ("query-auth", b"/v1/events?auth=Basic%20Ym9iOnMzIGNyZXQ%3D")],
)
def test_credentials_can_travel_in_the_query(way: str, target: bytes) -> None:
    with Hostile(lambda peer: (peer.accept(), peer.hold())) as server:
        credentials = Credentials("s3 cret", "bob")
        collect(WebsocketSource(server.url, credentials, auth=way), lambda items: True)  # type: ignore[arg-type]
    assert server.requests[0].split(b" ")[1] == target
    assert b"Authorization" not in server.requests[0]


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_refused_credentials_wait_long_and_are_never_logged(status: str, caplog: pytest.LogCaptureFixture) -> None:
    token = "c4nary-t0ken"
    secret = base64.b64encode(f"bob:{token}".encode())
    stop = threading.Event()
    answered = threading.Event()

    def script(peer: Peer) -> None:
        peer.answer(status, b'{"detail": "no \x1b[31m ' + secret + b" " + token.encode() + b'"}')
        answered.set()

    with caplog.at_level(logging.DEBUG), Hostile(script) as server:
        source = WebsocketSource(server.url, Credentials(token, "bob"))
        threading.Thread(target=lambda: (answered.wait(), time.sleep(1.5), stop.set())).start()
        (reason,) = troubles(source.items(stop))
        assert str(reason).startswith(f"credentials refused: HTTP {status}")
        assert server.connections == 1
    assert "credentials refused: HTTP " + status in caplog.text
    assert token not in caplog.text
    assert secret.decode() not in caplog.text
    assert "\x1b" not in caplog.text


def test_a_source_told_so_gives_up_on_a_refusal() -> None:
    with Hostile(lambda peer: peer.answer("401 Unauthorized")) as server:
        source = WebsocketSource(server.url, Credentials("k", "u"), give_up_on_refusal=True)
        with pytest.raises(CredentialsRefused, match="HTTP 401"):
            list(source.items(threading.Event()))


def test_a_refusal_within_the_stream_is_delivered_and_ends_the_session() -> None:
    refusal = b'{"type":"error","data":{"errorMessage":"UNAUTHORIZED"}}'
    with Hostile(lambda peer: (peer.accept(extra=frame(refusal)), peer.hold())) as server:
        source = WebsocketSource(server.url, Credentials("k", "u"), give_up_on_refusal=True)
        items: list[Item] = []
        with pytest.raises(CredentialsRefused):
            items.extend(source.items(threading.Event()))
    assert [type(item) for item in items] == [Opened, Message, Closed, Condition]
    assert closed(items).reason == "credentials refused: UNAUTHORIZED"


@pytest.mark.parametrize(
    ("status", "body"),
    [("429 Too Many Requests", b""), ("400 Bad Request", b'{"detail":"Too many login attempts."}')],
)
def test_a_throttled_login_waits_long_and_is_not_a_refusal(status: str, body: bytes) -> None:
    stop = threading.Event()
    with Hostile(lambda peer: (peer.answer(status, body), stop.wait(1.0), stop.set())) as server:
        source = WebsocketSource(server.url, retry=Retry(first=0.01, most=0.01), give_up_on_refusal=True)
        assert len(troubles(source.items(stop))) == 1
        assert server.connections == 1


def test_accepting_and_closing_for_ever_makes_the_waits_grow() -> None:
    with Hostile(lambda peer: (peer.accept(), peer.frame(b"", CLOSE))) as server:
        stop = threading.Event()
        threading.Timer(1.5, stop.set).start()
        items = list(WebsocketSource(server.url, retry=Retry(first=0.2, most=60, seed=3)).items(stop))
    assert 2 <= sum(isinstance(item, Opened) for item in items) <= 12


def test_a_failure_is_logged_at_most_ten_times_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    stop = threading.Event()
    tries = itertools.count(1)
    with Hostile(lambda peer: (peer.answer("500 Oops"), next(tries) >= 25 and stop.set())) as server:
        assert troubles(WebsocketSource(server.url, retry=PROMPT).items(stop)) == ["HTTP 500 Oops"]
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 10
    assert "HTTP 500 Oops" in warnings[0].getMessage()


@pytest.mark.parametrize(
    "url",
    [
        "ws://stream.example.org/v1/events",
        "http://x/",
        "wss://",
        "wss://a b/",
        "wss://a/\r\nX: y",
        "wss://a:99999/",
        "",
    ],
)
def test_an_unusable_url_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(ConfigurationWrong):
        WebsocketSource(url)


def test_plain_text_is_possible_on_request() -> None:
    assert WebsocketSource("ws://stream.example.org/x", allow_plaintext=True).stream == "ws://stream.example.org/x"

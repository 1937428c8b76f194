"""Getting in: proxies, addresses that are dead, what a server answers before it opens, and what it asks for."""

from __future__ import annotations

import base64
import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from archiver.model import Alive, Closed, Condition, Item, Message, Micros, Opened
from archiver.platforms.tutum.api import find_api
from archiver.platforms.tutum.beside import BesidePace
from archiver.platforms.tutum.credentials import Credentials
from archiver.platforms.tutum.session import Pace, Session
from archiver.platforms.tutum.source import Retry, WebsocketSource, seconds_of
from archiver.platforms.wire.connect import ordered
from archiver.platforms.wire.connection import Connection
from archiver.platforms.wire.deadline import Deadline
from archiver.platforms.wire.dial import Dialer
from archiver.platforms.wire.proxy import Proxy
from tests.integration.hostile import CLOSE, Hostile, Peer, frame
from tests.integration.test_tutum_source import PROMPT, closed, closings, collect, messages, troubles
from tests.integration.test_tutum_source_hostile import failures

EVENT = b'{"type":"stack","state":"Running","resource_uri":"/api/v1/stack/%d/"}'


def opened(items: list[Item]) -> bool:
    return any(isinstance(item, Opened) for item in items)


def greeting(peer: Peer) -> None:
    peer.accept()
    peer.hold()


# --- proxies ----------------------------------------------------------------------------------------------------------


def proxying(target: int, *, wanted: str = "") -> Callable[[Peer], object]:
    """A proxy that connects whoever asks, by the right name, to a port of this machine."""

    def script(peer: Peer) -> None:
        request = peer.read_request()
        if wanted and base64.b64encode(wanted.encode()) not in request:
            peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", target)) as onward:
            peer.send(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n")
            threading.Thread(target=pour, args=(onward, peer.sock)).start()
            pour(peer.sock, onward)

    return script


def pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


def test_a_proxy_connects_to_a_host_that_only_it_knows() -> None:
    with Hostile(greeting) as server, Hostile(proxying(server.port, wanted="bob:s3cret")) as proxy:
        through = Proxy("127.0.0.1", proxy.port, "bob", "s3cret")
        source = WebsocketSource("ws://stream.invalid:8080/v1/events", allow_plaintext=True, proxy=through)
        collect(source, opened)
    assert proxy.requests[0].startswith(b"CONNECT stream.invalid:8080 HTTP/1.1\r\nHost: stream.invalid:8080\r\n")
    assert b"Host: stream.invalid:8080\r\n" in server.requests[0]
    assert b"Proxy-Authorization" not in server.requests[0]


def test_a_proxy_that_refuses_is_named_and_its_password_is_not(caplog: pytest.LogCaptureFixture) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 407 no, s3cret " + base64.b64encode(b"bob:s3cret") + b"\r\n\r\n")

    with caplog.at_level(logging.DEBUG), Hostile(script) as proxy:
        reason = failures(proxy, caplog, proxy=Proxy("127.0.0.1", proxy.port, "bob", "s3cret"))
    assert reason == f"the proxy 127.0.0.1:{proxy.port} refused: HTTP 407 no, *** ***"
    assert "s3cret" not in caplog.text
    assert "next try in 60.0 s" in caplog.text


def test_a_proxy_that_is_none_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(lambda peer: (peer.read_request(), peer.send(b"SSH-2.0-OpenSSH\r\n\r\n"))) as proxy:
        reason = failures(proxy, caplog, proxy=Proxy("127.0.0.1", proxy.port))
    assert reason == f"the proxy 127.0.0.1:{proxy.port} gave no answer: the server does not speak HTTP"


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port of 127.0.0.1 that answers nothing to whoever connects: its backlog is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def address(port: int, family: int = socket.AF_INET) -> tuple[int, int, int, str, tuple[str, int]]:
    return (family, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))


def test_a_dead_address_costs_a_quarter_of_a_second_once(dead_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    times: list[float] = []

    def script(peer: Peer) -> None:
        times.append(time.monotonic())
        peer.accept()
        peer.frame(b"", CLOSE)
        times.append(time.monotonic())
        peer.drain()

    with Hostile(script) as server:
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda *_, **__: [address(dead_port), address(dead_port), address(server.port)]
        )
        began = time.monotonic()
        collect(WebsocketSource("ws://localhost:1/v1/events", retry=PROMPT), closings(2))
    assert 0.2 < times[0] - began < 1.5
    assert times[2] - times[1] < 0.2


def test_families_take_turns_and_the_address_that_worked_goes_first() -> None:
    six, four = socket.AF_INET6, socket.AF_INET
    found = [address(1, six), address(2, six), address(3, six), address(4, four), address(5, four), address(1, six)]
    order = [a[4][1] for a in ordered(found, None)]
    assert order == [1, 4, 2, 5, 3]
    assert [a[4][1] for a in ordered(found, address(5, four))] == [5, 1, 4, 2, 3]


def test_an_address_that_no_longer_works_is_not_clung_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hostile(lambda peer: (peer.accept(), peer.frame(b"", CLOSE))) as first:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address(first.port)])
        source = WebsocketSource("ws://localhost:1/v1/events", retry=PROMPT)
        collect(source, closings(1))
    with Hostile(greeting) as second:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address(first.port), address(second.port)])
        collect(source, opened)


# --- the handshake ----------------------------------------------------------------------------------------------------


def test_interim_answers_are_skipped_and_no_origin_is_claimed() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        peer.accept(extra=frame(EVENT % 1))
        peer.hold()

    with Hostile(script) as server:
        items = collect(WebsocketSource(server.url), lambda items: bool(messages(items)))
    assert messages(items)[0].payload == EVENT % 1
    assert b"origin" not in server.requests[0].lower()


def test_a_redirect_names_where_it_leads_without_credentials(caplog: pytest.LogCaptureFixture) -> None:
    location = "Location: wss://bob:s3cret@other.example/v1/events/?token=s3cret\x1b[31m\r\n"
    with Hostile(lambda peer: peer.answer("301 Moved Permanently", header=location)) as server:
        reason = failures(server, caplog)
    assert reason == "HTTP 301 Moved Permanently, moved to wss://other.example/v1/events/ (not followed)"


def test_compression_that_nobody_offered_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(lambda peer: peer.accept(header="Sec-WebSocket-Extensions: permessage-deflate\r\n")) as server:
        reason = failures(server, caplog)
    assert reason.endswith("it switches on what nobody offered, permessage-deflate")


def test_a_chunked_refusal_is_readable(caplog: pytest.LogCaptureFixture) -> None:
    chunks = b'11;x=y\r\n{"detail":"Too ma\r\n8\r\nny login\r\n0\r\n\r\n'

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 429 Too Many Requests\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
        peer.hold()

    with Hostile(script) as server:
        reason = failures(server, caplog)
    assert reason == 'no more logins for now: HTTP 429 Too Many Requests: {"detail":"Too many login'


def test_who_is_forbidden_without_credentials_is_not_told_that_they_are_wrong(caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(lambda peer: peer.answer("403 Forbidden", b"Origin not allowed")) as server:
        assert failures(server, caplog) == "HTTP 403 Forbidden: Origin not allowed"


# --- when to come back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20", 20),
        (" 0 ", 0),
        ("Tue, 01 Jan 2030 00:01:00 GMT", 60),
        ("Mon, 31 Dec 2029 23:00:00 GMT", 0),
        ("soon", 0),
        ("-5", 0),
        ("9" * 50, 0),
        ("", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float) -> None:
    new_year: Micros = 1_893_456_000_000_000
    assert seconds_of(text, new_year) == seconds


@pytest.mark.parametrize("status", ["503 Service Unavailable", "429 Too Many Requests", "401 Unauthorized"])
def test_a_server_that_asks_to_be_left_alone_is(status: str, caplog: pytest.LogCaptureFixture) -> None:
    times: list[float] = []

    def script(peer: Peer) -> None:
        times.append(time.monotonic())
        peer.answer(status, header="Retry-After: 1\r\n")

    stop = threading.Event()
    with Hostile(script) as server:
        threading.Timer(1.6, stop.set).start()
        troubles(WebsocketSource(server.url, retry=PROMPT).items(stop))
    assert len(times) == 2
    assert times[1] - times[0] >= 1


def test_no_server_is_left_alone_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(lambda peer: peer.answer("503 Busy", header="Retry-After: 999999999\r\n")) as server:
        failures(server, caplog)
    assert "next try in 3600.0 s" in caplog.text


def test_a_session_that_was_of_use_is_followed_by_the_next_one_soon() -> None:
    def script(peer: Peer) -> None:
        peer.accept(extra=frame(EVENT % 1))
        time.sleep(0.2)
        peer.frame(b"\x03\xe9", CLOSE)
        peer.drain()

    retry = Retry(first=0.01, most=60, useful_after=0.1, soon=0.01, seed=5)
    with Hostile(script) as server:
        began = time.monotonic()
        collect(WebsocketSource(server.url, retry=retry), closings(12))
    assert time.monotonic() - began < 12 * 0.6


# --- what the archive is told -----------------------------------------------------------------------------------------


def test_a_try_that_fails_is_one_line_and_known_to_the_archive_until_it_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    busy, gone = (lambda peer: peer.answer("503 Busy")), (lambda peer: peer.answer("404 Gone"))
    with caplog.at_level(logging.INFO), Hostile(busy, busy, busy, gone, greeting) as server:
        items = collect(WebsocketSource(server.url, retry=PROMPT), opened)
    assert [item.value for item in items if isinstance(item, Condition)] == ["HTTP 503 Busy", "HTTP 404 Gone"]
    assert len(caplog.records) == 4
    assert caplog.messages[0].startswith("HTTP 503 Busy: cannot open ws://")
    assert all(isinstance(item, (Opened, Closed)) for item in items[2:])


def test_a_trouble_that_lasts_is_told_again_after_a_minute() -> None:
    minutes = iter(range(0, 100_000, 61))
    stop, tries = threading.Event(), iter(range(5))

    def script(peer: Peer) -> None:
        peer.answer("503 Busy")
        if next(tries, None) is None:
            stop.set()

    with Hostile(script) as server:
        source = WebsocketSource(server.url, pace=Pace(monotonic=lambda: float(next(minutes))), retry=PROMPT)
        assert len(troubles(source.items(stop))) >= 5


def test_a_refusal_by_closing_waits_long_and_is_known_to_the_archive(caplog: pytest.LogCaptureFixture) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.frame(b"\x03\xf0invalid token", CLOSE)
        peer.drain()

    stop = threading.Event()
    with Hostile(script) as server:
        threading.Timer(1.0, stop.set).start()
        source = WebsocketSource(server.url, Credentials("s3cret", "bob", "here"), retry=Retry(first=0.01))
        items = list(source.items(stop))
        assert server.connections == 1
    assert [type(item) for item in items] == [Opened, Closed, Condition]
    assert closed(items).kind == "refused"
    assert "credentials refused: closed by the server: 1008 invalid token (those of here): cannot open" in caplog.text


# --- what comes -------------------------------------------------------------------------------------------------------


def test_several_events_in_a_frame_are_several_messages() -> None:
    one, two = EVENT % 1, EVENT % 2
    payloads = [one, one + b"\n" + two, b"[" + one + b"," + two + b"]", b"\xef\xbb\xbf" + one, one + b"\nbroken"]
    with Hostile(lambda peer: (peer.accept(extra=b"".join(map(frame, payloads))), peer.hold())) as server:
        items = collect(WebsocketSource(server.url), lambda items: len(messages(items)) == 8)
    assert [m.payload for m in messages(items)] == [one, one, two, one, two, one, one, b"broken"]


@pytest.mark.parametrize("greets", [False, True])
def test_what_may_be_no_platform_is_asked_nothing_before_it_greets_as_one(greets: bool) -> None:
    """Many servers speak websocket; some serve one connection at a time, or lock out who asks for what is not there."""
    asked: list[bool] = []

    def wait_for_a_question(peer: Peer) -> None:
        peer.accept()
        peer.frame(b'{"type":"auth"}' if greets else b'{"type":"container","state":"Running"}')
        until = time.monotonic() + (15 if greets else 0.5)
        while server.connections == 1 and time.monotonic() < until:
            time.sleep(0.02)
        asked.append(server.connections > 1)
        peer.frame(b"", CLOSE)

    with Hostile(wait_for_a_question, Peer.hold) as server:
        api, beside = find_api(server.url, {}), BesidePace(look=0.02)
        collect(WebsocketSource(server.url, retry=PROMPT, api=api, beside=beside), closings(1))

    assert asked == [greets]


def test_heartbeats_are_signs_of_life_and_nothing_else() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        while not peer.server.over.wait(0.05):
            peer.frame(b'{"type":"ping"}')
            peer.frame(b"h")

    pace = Pace(ping_interval=60, alive_every=0.2, dead_after=0.5, tick=0.05)
    with Hostile(script) as server:
        items = collect(WebsocketSource(server.url, pace=pace), lambda items: len(items) >= 4)
    assert {type(item) for item in items} == {Opened, Alive, Closed}
    assert not any(isinstance(item, Message) for item in items)


# --- what nobody has thought of ---------------------------------------------------------------------------------------


def test_a_length_of_thousands_of_digits_is_no_length(caplog: pytest.LogCaptureFixture) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 503 Busy\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nlater")

    with Hostile(script) as server:
        assert failures(server, caplog) == "HTTP 503 Busy: later"


def test_a_failure_that_nobody_has_thought_of_ends_one_try_only(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = iter([LookupError("odd"), LookupError("odd")])
    shake_hands = Dialer._shake_hands  # noqa: SLF001

    def fail_first(dialer: Dialer, sock: socket.socket, deadline: Deadline) -> Connection:
        for fault in faults:
            raise fault
        return shake_hands(dialer, sock, deadline)

    monkeypatch.setattr(Dialer, "_shake_hands", fail_first)
    with Hostile(greeting) as server:
        items = collect(WebsocketSource(server.url, retry=PROMPT), opened)
    assert [item.value for item in items if isinstance(item, Condition)] == [
        caplog.messages[0].partition(": cannot")[0]
    ]
    assert caplog.messages[0].startswith("unexpected LookupError in test_tutum_source_opening.py:")


def test_a_failure_in_the_middle_of_a_session_closes_it_and_the_next_is_opened(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "_odd", lambda *_: 1 / 0)
    with Hostile(lambda peer: (peer.accept(extra=frame(b"odd")), peer.hold())) as server:
        items = collect(WebsocketSource(server.url, retry=PROMPT), closings(2))
    assert closed(items).kind == "lost"
    assert closed(items).reason.startswith("unexpected ZeroDivisionError")

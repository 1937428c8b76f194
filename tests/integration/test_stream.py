"""The stream as Python users have it: iterated, or with the old clients' callbacks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from archiver.api.stream import Stream
from archiver.errors import CredentialsRefused
from archiver.platforms.tutum.credentials import Credentials
from tests.integration.hostile import CLOSE, Hostile, Peer, frame
from tests.integration.test_tutum_source_opening import proxying

EVENT = b'{"type":"stack","action":"update","parents":[],"resource_uri":"/api/v1/stack/7/","state":"Running"}'


def sending(*payloads: bytes) -> Callable[[Peer], object]:
    return lambda peer: (peer.accept(extra=b"".join(map(frame, payloads))), peer.frame(b"", CLOSE), peer.drain())


def test_events_are_iterated_until_close() -> None:
    seen = []
    with Hostile(sending(EVENT, b"not json", EVENT)) as server:
        stream = Stream(server.url)
        for event in stream:
            seen.append(event)
            if len(seen) == 2:
                stream.close()
    assert [(event.type, event.state, event.resource_uri) for event in seen] == [
        ("stack", "Running", "/api/v1/stack/7/")
    ] * 2


def test_the_old_clients_callbacks_work() -> None:
    calls: list[Any] = []
    with Hostile(sending(b'{"type":"auth"}', EVENT, b"not json")) as server:
        stream = Stream(server.url)
        stream.on_open(lambda: calls.append("open"))
        stream.on_message(calls.append)
        stream.on_error(lambda error: calls.append(type(error).__name__))
        stream.on_close(lambda: (calls.append("close"), stream.close()))
        stream.run_forever(ping_interval=5, ping_timeout=5)
    assert calls[0] == "open"
    assert calls[1] == {
        "type": "stack",
        "action": "update",
        "parents": [],
        "resource_uri": "/api/v1/stack/7/",
        "state": "Running",
    }
    assert calls[2:] == ["BadInput", "close"]


@pytest.mark.parametrize(
    ("farewell", "errors"),
    [
        (lambda peer: peer.frame(b"\x03\xe9going away", CLOSE), []),
        (Peer.reset, ["StreamUnreachable"]),
        (lambda peer: peer.send(frame(b"x", 3)), ["BadInput", "StreamUnreachable"]),
    ],
)
def test_on_error_is_called_for_a_fault_and_not_for_a_good_bye(
    farewell: Callable[[Peer], object], errors: list[str]
) -> None:
    seen: list[str] = []
    with Hostile(lambda peer: (peer.accept(), farewell(peer), peer.drain())) as server:
        stream = Stream(server.url)
        stream.on_error(lambda error: seen.append(type(error).__name__))
        stream.on_close(stream.close)
        stream.run_forever()
    assert seen == errors


def test_close_from_another_thread_ends_it() -> None:
    with Hostile(lambda peer: (peer.accept(), peer.hold())) as server:
        stream = Stream(server.url)
        threading.Timer(0.2, stream.close).start()
        assert list(stream) == []


def test_what_a_handler_raises_is_raised() -> None:
    def fail(event: object) -> None:
        raise LookupError("mine")

    with Hostile(sending(EVENT)) as server:
        stream = Stream(server.url)
        stream.on_message(fail)
        with pytest.raises(LookupError, match="mine"):
            stream.run_forever()


def test_a_proxy_is_found_where_run_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with Hostile(sending(EVENT)) as server, Hostile(proxying(server.port)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        stream = Stream("ws://stream.invalid/v1/events", Credentials("k", "u"), allow_plaintext=True)
        stream.on_message(lambda event: stream.close())
        stream.run_forever()
    assert proxy.requests[0].startswith(b"CONNECT stream.invalid:80 ")


def test_refused_credentials_are_raised() -> None:
    with Hostile(lambda peer: peer.answer("401 Unauthorized")) as server, pytest.raises(CredentialsRefused):
        Stream(server.url, Credentials("k", "u")).run_forever()

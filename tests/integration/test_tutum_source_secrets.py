"""No part of a secret is shown, wherever the answer that repeats it is cut."""

from __future__ import annotations

import base64
import threading

import pytest

from archiver.model import Condition
from archiver.platforms.tutum.credentials import Credentials
from archiver.platforms.tutum.source import WebsocketSource
from archiver.platforms.wire.proxy import Proxy
from tests.integration.hostile import Hostile, Peer
from tests.integration.test_tutum_source_hostile import failures, until_logged

CREDENTIALS = Credentials("0123456789abcdef" * 4, "bob")
HEADER = f"Authorization: {CREDENTIALS.authorization()}"
BASIC = HEADER.rpartition(" ")[2]


def refused(server: Hostile, caplog: pytest.LogCaptureFixture) -> str:
    """What the archive is told of a try that was refused."""
    (condition, *_) = list(until_logged(WebsocketSource(server.url, CREDENTIALS), threading.Event(), caplog))
    assert isinstance(condition, Condition)
    return condition.value or ""


def shows_part_of(secret: str, text: str) -> bool:
    return any(secret[at : at + 8] in text for at in range(len(secret) - 7))


@pytest.mark.parametrize("before", [0, 100, 170, 200, 1990, 2030])
def test_a_body_that_repeats_the_header_across_a_cut_shows_none_of_it(
    before: int, caplog: pytest.LogCaptureFixture
) -> None:
    body = b"x" * before + HEADER.encode()
    with Hostile(lambda peer: peer.answer("401 Unauthorized", body)) as server:
        reason = refused(server, caplog)
    assert not shows_part_of(BASIC, reason + caplog.text)


def test_a_body_that_is_all_secrets_shows_none_where_it_was_cut(caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(lambda peer: peer.answer("401 Unauthorized", HEADER.encode() * 40)) as server:
        reason = refused(server, caplog)
    assert not shows_part_of(BASIC, reason + caplog.text)


@pytest.mark.parametrize("before", [0, 20, 40])
def test_a_phrase_that_repeats_the_header_shows_none_of_it(before: int, caplog: pytest.LogCaptureFixture) -> None:
    with Hostile(lambda peer: peer.answer("401 " + "x" * before + HEADER, b"why")) as server:
        reason = refused(server, caplog)
    assert not shows_part_of(BASIC, reason + caplog.text)
    assert reason.startswith("credentials refused: HTTP 401 ")
    assert ": why" in reason


def test_an_extension_that_repeats_the_header_shows_none_of_it(caplog: pytest.LogCaptureFixture) -> None:
    header = f"Sec-WebSocket-Extensions: {'x' * 50}{BASIC}\r\n"
    with Hostile(lambda peer: peer.accept(header=header)) as server:
        reason = failures(server, caplog, credentials=CREDENTIALS)
    assert not shows_part_of(BASIC, reason + caplog.text)


def test_a_proxys_phrase_that_repeats_the_password_shows_none_of_it(caplog: pytest.LogCaptureFixture) -> None:
    password = base64.b32encode(b"the password of bob at the proxy").decode()
    basic = base64.b64encode(f"bob:{password}".encode())

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 407 no, " + b"x" * 20 + basic + b"\r\n\r\n")

    with Hostile(script) as proxy:
        reason = failures(proxy, caplog, proxy=Proxy("127.0.0.1", proxy.port, "bob", password))
    assert not shows_part_of(basic.decode(), reason + caplog.text)

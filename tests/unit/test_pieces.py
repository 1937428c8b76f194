"""What a frame brings: one event byte for byte, several, or none."""

from __future__ import annotations

import pytest

from archiver.platforms.tutum.pieces import is_heartbeat, is_ordinary, pieces

A, B = b'{"type":"stack","state":"Running"}', b'{"type": "node", "x": {"y": [{}]}}'


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (A, [A]),
        (b" " + A + b"\r\n", [b" " + A + b"\r\n"]),
        (A + b"\n" + B, [A, B]),
        (A + b"\r\n\r\n" + B + b"\r\n", [A, B]),
        (A + B, [A, B]),
        (b"\x1e" + A + b"\n\x1e" + B + b"\n", [A, B]),
        (b"[" + A + b", " + B + b"]", [A, B]),
        (b"[" + A + b"]", [A]),
        (b"\xef\xbb\xbf" + A, [A]),
        (b"\xef\xbb\xbf[" + A + b",\n" + A + b"]\n", [A, A]),
        (A + b"\nbroken\n" + B, [A, b"broken", B]),
        (b"[" + A + b"," + B, [A, B]),
        ('{"a":"é"}{"a":"🐳"}'.encode(), ['{"a":"é"}'.encode(), '{"a":"🐳"}'.encode()]),
    ],
)
def test_each_object_is_a_piece_byte_for_byte(payload: bytes, found: list[bytes]) -> None:
    assert list(pieces(payload)) == found


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not json",
        b"[]",
        b"\xff" + A + A,
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"7",
    ],
)
def test_what_holds_no_object_stays_whole(payload: bytes) -> None:
    assert list(pieces(payload)) == [payload]


@pytest.mark.parametrize("payload", [A, b'{"text":"}"}'])
def test_a_flat_object_is_seen_at_a_glance(payload: bytes) -> None:
    assert is_ordinary(payload)


@pytest.mark.parametrize("payload", [B, A + A, A + b"\n" + B, b"[" + A + b"]", b" " + A, b"", b"x"])
def test_what_may_be_more_is_looked_at(payload: bytes) -> None:
    assert not is_ordinary(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b" \n",
        b"ping",
        b"PING\n",
        b'"pong"',
        b"h",
        b"heartbeat",
        b"keep-alive",
        b"{}",
        b"[]",
        b"{}\x1e",
        b'{"type":"ping"}',
        b'{"type": "ping", "message": 1449460861}',
        b'{"id": 7, "type": "pong"}',
        b'{"type":"ka"}',
        b'{"event":"pusher:ping","data":{}}',
        b'{"op":"heartbeat"}',
        b'{"ping": 1449460861}',
    ],
)
def test_a_message_that_says_nothing_is_a_heartbeat(payload: bytes) -> None:
    assert is_heartbeat(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"type":"auth"}',
        b'{"type":"error","data":{"errorMessage":"UNAUTHORIZED"}}',
        b'{"type":"container","action":"ping"}',
        b'{"type":"ping","state":"Running"}',
        b'{"type":"ping","resource_uri":"/api/v1/stack/1/"}',
        b'{"type":"service"}',
        b'{"type":1}',
        b'{"type":',
        b"7",
        b"x",
        b"ping pong",
        b"ping" * 100,
    ],
)
def test_whatever_says_anything_is_kept(payload: bytes) -> None:
    assert not is_heartbeat(payload)

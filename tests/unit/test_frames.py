"""Frames and messages, whatever pieces the bytes come in."""

from __future__ import annotations

import socket

from hypothesis import given, settings
from hypothesis import strategies as st
from websocket import ABNF, WebSocketConnectionClosedException

from archiver.platforms.wire.connection import Connection, Received
from archiver.platforms.wire.frames import Violation
from tests.integration.hostile import PONG, TEXT, frame

PAYLOADS = st.binary(max_size=400) | st.integers(0, 200_000).map(bytes)


def received(chunks: list[bytes], cap: int) -> tuple[list[Received], str]:
    """What a connection hands out for these bytes, read in these chunks, and how it ends."""
    ws = Connection(cap)
    ours, theirs = socket.socketpair()
    ws.adopt(ours, b"")
    waiting = iter(chunks)
    ws.frames.recv = lambda size: next(waiting, None) or _gone()
    out: list[Received] = []
    with ours, theirs:
        try:
            while True:
                out.append(ws.receive())
        except Violation:
            return out, "violation"
        except WebSocketConnectionClosedException:
            return out, "gone"


def _gone() -> bytes:
    raise WebSocketConnectionClosedException("no more")


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    chunks, at = [], 0
    for size in sizes:
        chunks.append(data[at : at + size])
        at += size
    return [chunk for chunk in [*chunks, data[at:]] if chunk]


@settings(max_examples=150)
@given(st.lists(st.tuples(PAYLOADS, st.integers(1, 4)), max_size=6), st.lists(st.integers(1, 70_000), max_size=12))
def test_the_messages_do_not_depend_on_how_the_bytes_are_cut(sent: list[tuple[bytes, int]], sizes: list[int]) -> None:
    stream = b""
    for payload, parts in sent:
        step = len(payload) // parts + 1
        pieces = [payload[at : at + step] for at in range(0, len(payload), step)] or [b""]
        for index, piece in enumerate(pieces):
            stream += frame(piece, 0 if index else TEXT, fin=index == len(pieces) - 1) + frame(b"", PONG)
    items, end = received(cut(stream, sizes), 100_000)
    whole = [item for item in items if item.opcode == TEXT]
    assert end == "gone"
    assert [item.payload for item in whole] == [
        payload if len(payload) <= 100_000 else payload[:65536] for payload, _ in sent
    ]
    assert [item.refused is None for item in whole] == [len(payload) <= 100_000 for payload, _ in sent]


@settings(max_examples=300)
@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8))
def test_any_bytes_end_in_messages_or_a_violation_and_nothing_else(chunks: list[bytes]) -> None:
    items, end = received(chunks, 1000)
    assert end in ("violation", "gone")
    assert all(len(item.payload) <= 1000 or item.refused for item in items if item.opcode != ABNF.OPCODE_CONT)

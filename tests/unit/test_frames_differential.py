"""Frames against another implementation of the protocol; `make differential` compares far more of them."""

from __future__ import annotations

import pytest

from tests.differential import Heard, differs, ours
from tests.integration.hostile import BINARY, PING, TEXT, frame


@pytest.mark.parametrize("start", range(0, 400, 100))
def test_the_same_bytes_are_the_same_messages_kinds_and_pongs(start: int) -> None:
    assert [found for seed in range(start, start + 100) if (found := differs(seed))] == []


def test_a_small_binary_message_is_binary() -> None:
    data = frame(b"text") + frame(b"binary", BINARY) + frame(b"?", PING)
    assert ours([data]) == Heard([(TEXT, b"text"), (BINARY, b"binary")], [b"?"], "cut")


def test_a_large_frame_that_comes_slowly_is_one_message() -> None:
    payload = bytes(range(256)) * 300
    data = frame(payload)
    assert ours([data[:10], data[10:20_000], data[20_000:]], interrupted=True).messages == [(TEXT, payload)]

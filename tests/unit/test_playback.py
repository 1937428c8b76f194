"""A recorded stream."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from archiver.codec.oversize import KEPT
from archiver.errors import BadInput
from archiver.model import Closed, Item, Message, Opened
from archiver.platforms.playback import PlaybackSource


def played(path: Path, content: bytes, cap: int = 1 << 20) -> list[Item]:
    path.write_bytes(content)
    return list(PlaybackSource(path, cap=cap).items(threading.Event()))


def test_each_line_is_a_message_of_one_session(tmp_path: Path) -> None:
    items = played(tmp_path / "day.jsonl", b'{"a":1}\r\n\n{"b":2}\n\xff\x00')
    assert [type(item) for item in items] == [Opened, Message, Message, Message, Closed]
    assert [item.payload for item in items if isinstance(item, Message)] == [b'{"a":1}', b'{"b":2}', b"\xff\x00"]
    assert {item.stream for item in items} == {"file:day.jsonl"}
    assert len({item.session for item in items}) == 1


@pytest.mark.parametrize("end", [b"\nnext\n", b"\nnext"])
def test_a_line_over_the_cap_is_cut_and_the_next_is_whole(end: bytes, tmp_path: Path) -> None:
    long = b"l" * 300_000
    items = played(tmp_path / "x", long + end, cap=1000)
    first, second = (item for item in items if isinstance(item, Message))
    assert first.payload == long[:KEPT]
    assert first.refused == (
        "message of 300000 bytes exceeds the cap of 1000; the first 65536 bytes are kept, "
        f"sha256 {hashlib.sha256(long).hexdigest()}"
    )
    assert (second.payload, second.refused) == (b"next", None)


def test_a_line_at_the_cap_is_whole(tmp_path: Path) -> None:
    items = played(tmp_path / "x", b"12345\n12345", cap=5)
    assert [item.refused for item in items if isinstance(item, Message)] == [None, None]


def test_stop_ends_it_with_a_close(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1\n2\n3\n")
    stop = threading.Event()
    items = []
    for item in PlaybackSource(tmp_path / "x").items(stop):
        items.append(item)
        if isinstance(item, Message):
            stop.set()
    assert [type(item) for item in items] == [Opened, Message, Closed]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        list(PlaybackSource(tmp_path / "nowhere").items(threading.Event()))

"""JSON objects out of a stream of bytes: each once, whole, wherever it is cut."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.codec.framing import MAX_BETWEEN, JsonObjects
from archiver.codec.oversize import KEPT

ONE, TWO = b'{"Type":"container","Actor":{"ID":"1"}}', b'{"type":"a","parents":[{"x":"}{"},[]]}'
PRETTY = json.dumps({"a": [{"b": {}}, {"c": "\n"}], "d": {"e": '"'}}, indent=2).encode()
FLAT = json.dumps({"a": [{"b": {}}, {"c": 1}], "d": {"e": 2}}, indent=0).encode()


def framed(pieces: Iterable[bytes], cap: int = 1 << 20) -> list[tuple[bytes, str | None]]:
    objects = JsonObjects(cap)
    found = [item for piece in pieces for item in objects.feed(piece)]
    return [*found, *objects.end()]


def payloads(data: bytes, cap: int = 1 << 20) -> list[bytes]:
    return [payload for payload, _ in framed([data], cap)]


@pytest.mark.parametrize(
    "data",
    [
        ONE + b"\n" + TWO + b"\n",
        ONE + b"\n" + TWO,
        ONE + b"\r\n\r\n" + TWO + b"\r\n",
        ONE + TWO,
        ONE + b" \t" + TWO,
        b"[" + ONE + b"," + TWO + b"]\n",
        b"[\n  " + ONE + b",\n  " + TWO + b"\n]",
        b"[" + ONE + b"]\n[" + TWO + b"]\n[]\n",
        b"\x1e" + ONE + b"\n\x1e" + TWO + b"\n",
        b"\xef\xbb\xbf" + ONE + b"\n\xef\xbb\xbf" + TWO,
    ],
    ids=["lines", "no-end", "crlf", "glued", "blanks", "list", "list-lines", "lists", "record-marks", "bom"],
)
def test_two_objects_are_two_however_they_are_set_apart(data: bytes) -> None:
    assert framed([data]) == [(ONE, None), (TWO, None)]


@pytest.mark.parametrize("data", [PRETTY, FLAT])
def test_an_object_over_many_lines_is_one(data: bytes) -> None:
    assert payloads(data + data + b"\n" + data) == [data] * 3


def test_an_object_is_there_with_its_last_brace() -> None:
    objects = JsonObjects(100)

    assert list(objects.feed(b'{"a":{}')) == []
    assert list(objects.feed(b"}")) == [(b'{"a":{}}', None)]


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b'[INFO] {"a":1} and so on',
        b"{u'a': u'}', u'b': {u'c': u'{'}}",
        b"[1,2]",
        b"null",
        b'"text"',
        b"\xef\xbbx",
        b"{,}",
        b'{"a":]}',
        b'{"a":"no end}',
        b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}",
    ],
)
def test_a_line_that_is_no_object_is_given_whole_and_the_next_is_read(line: bytes) -> None:
    assert framed([line + b"\r\n" + ONE + b"\n" + line]) == [(line, None), (ONE, None), (line, None)]


@pytest.mark.parametrize("cut", [b'{"a":1', b'{"a":{"b":1', b'{"a":"b', b'{"a":"b\\', b'{"a":[{"c":2}', b'{"a":{}'])
def test_an_object_that_was_never_finished_ends_where_the_next_begins(cut: bytes) -> None:
    assert payloads(cut + b"\n" + ONE + b"\n" + TWO) == [cut, ONE, TWO]
    assert payloads(cut + b"\x1e" + ONE + b"\n\x1e" + TWO) == [cut, ONE, TWO]
    assert payloads(ONE + b"\n" + cut) == [ONE, cut]


def test_what_is_longer_than_the_cap_keeps_its_beginning_and_says_so() -> None:
    long, cap = b'{"a":"' + b"x" * 200_000 + b'"}', 100_000
    pieces = [long[at : at + 999] for at in range(0, len(long), 999)]
    reason = f"message of {len(long)} bytes exceeds the cap of {cap}; the first {KEPT} bytes are kept, sha256 "
    reason += hashlib.sha256(long).hexdigest()
    expected = [(ONE, None), (long[:KEPT], reason), (TWO, None)]

    assert framed([ONE + long + TWO], cap) == expected
    assert framed([ONE, *pieces, TWO], cap) == expected


@pytest.mark.parametrize("many", [499, 500, 501, 1300])
def test_however_many_strings_and_escapes_an_object_has_it_is_read_wherever_it_is_cut(many: int) -> None:
    strings = json.dumps({f"{n}\n": {"}": n} for n in range(many)}).encode()
    escapes = json.dumps({"a": '"{' * many, "b": {}}).encode()
    for written in (strings, escapes):
        for size in (997, len(written)):
            pieces = [written[at : at + size] for at in range(0, len(written), size)]
            assert framed([ONE, *pieces, TWO]) == [(ONE, None), (written, None), (TWO, None)]


def test_endless_noise_does_not_fill_the_memory() -> None:
    for noise in (b"x", b"[", b"{ ", b'{"a":[', b'{"a":"', b"\\", b"\xef\xbb\xbf"):
        objects = JsonObjects(1000)
        for _ in range(2000):
            assert not list(objects.feed(noise * 10))
            assert objects.held <= MAX_BETWEEN + 30, noise


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='{}[]",:\\\n\x1eaé', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='a{"', max_size=2), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(alphabet='a}"', max_size=2), VALUES, max_size=3)
GAPS = st.sampled_from(
    [b"", b"\n", b"\r\n", b"\n\n", b" ", b",", b"\n,\n", b"\x1e", b"\n\x1e", b"][", b"\n\xef\xbb\xbf"]
)
CUTS = st.lists(st.integers(0, 400), max_size=8)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = sorted({0, len(data), *(place for place in places if place < len(data))})
    return [data[start:end] for start, end in pairwise(at)]


@given(st.lists(st.tuples(OBJECTS, st.sampled_from([None, 0, 2]), GAPS), max_size=5), st.booleans(), CUTS)
def test_whatever_is_written_is_read_wherever_it_is_cut(
    written: list[tuple[dict[str, Any], int | None, bytes]], ascii_only: bool, places: list[int]
) -> None:
    texts = [json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode() for value, indent, _ in written]
    data = b"".join(text + gap for text, (_, _, gap) in zip(texts, written, strict=True))

    assert framed(cut(data, places)) == [(text, None) for text in texts]


NOISE = st.lists(st.sampled_from([bytes([byte]) for byte in b'{}[]",:\\\n\r \x1ea\xef'] + [b'{"a"', b"\xef\xbb\xbf"]))


@given(NOISE.map(b"".join), CUTS, st.integers(1, 30))
def test_where_noise_is_cut_makes_no_difference(noise: bytes, places: list[int], cap: int) -> None:
    assert framed(cut(noise, places), cap) == framed([noise], cap)

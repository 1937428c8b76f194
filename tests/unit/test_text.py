"""A JSON text of which nothing would be lost is parsed, and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.codec.text import parse, parse_whole
from archiver.model import Message, Reject
from archiver.platforms.decoders import decode

BLANKS = st.sampled_from(["", " ", "\n", "\t", "\r", "  "])
WORDS = st.sampled_from(["a", "b", "c", 'a":1', "x :", "", "http://a:1", "\n:"])
VALUES = st.recursive(
    st.none() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(WORDS, inner), max_size=4).map(tuple),
    max_leaves=12,
)
"""Of which tuples are objects: pairs in their order."""


def written(value: Any, blank: str) -> str:
    if isinstance(value, tuple):
        return "{" + ",".join(f"{json.dumps(key)}{blank}:{blank}{written(each, blank)}" for key, each in value) + "}"
    if isinstance(value, list):
        return "[" + f",{blank}".join(written(each, blank) for each in value) + "]"
    return json.dumps(value)


def repeats(value: Any) -> bool:
    if isinstance(value, tuple):
        keys = [key for key, _ in value]
        return len(set(keys)) < len(keys) or any(repeats(each) for _, each in value)
    return isinstance(value, list) and any(map(repeats, value))


@given(VALUES, BLANKS)
def test_it_is_refused_exactly_when_a_key_is_there_twice(value: Any, blank: str) -> None:
    text = written(value, blank)
    if repeats(value):
        with pytest.raises(ValueError, match="is there twice"):
            parse_whole(text)
    else:
        assert parse_whole(text) == parse(text)


@pytest.mark.parametrize(
    ("dialect", "said"),
    [
        ("tutum", '{"type":"container","state":"Stopped","state":"Running"}'),
        ("tutum", '{"type":"container","extra":{"x" : 1, "x" : 2}}'),
        ("docker", '{"Type":"container","Action":"start","Actor":{"ID":"a","Attributes":{"l":"1","l":"2"}},"time":1}'),
    ],
)
def test_a_message_that_says_two_things_in_one_place_is_kept_as_it_is(dialect: Any, said: str) -> None:
    found = decode(Message("ws://stream.example", "session", dialect, 1, said.encode()))

    assert isinstance(found, Reject)
    assert found.payload == said.encode()
    assert "is there twice" in found.reason


def test_a_hostile_object_of_many_keys_costs_no_more_than_another() -> None:
    many = ",".join(f'"{number}":0' for number in range(100_000))

    with pytest.raises(ValueError, match="'99999' is there twice"):
        parse_whole("{" + many + ',"99999":0}')

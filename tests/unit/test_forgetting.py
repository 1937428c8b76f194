"""What is taken out of a text when something is to be forgotten, in every form in which it may stand there."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.codec.forgetting import FORGOTTEN, LEAST, Pattern

SECRET = 'p/w "ü\\42'


def test_all_forms_of_a_secret_are_found() -> None:
    pattern = Pattern(SECRET)
    for text in (
        SECRET,
        json.dumps(SECRET),
        json.dumps({"a": json.dumps({"b": SECRET})}),
        json.dumps(SECRET, ensure_ascii=False),
        f"https://a/{quote(SECRET)}?b={quote(SECRET, safe='')}",
        quote(SECRET, safe="").lower(),
    ):
        found = pattern.in_value(text)
        assert found.times, text
        assert pattern.in_value(found.text).times == 0
        assert "42" not in found.text


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("pa&ss<wd>12", '{"a":"pa\\u0026ss\\u003cwd\\u003e12"'),  # cut off, as an engine writes it
        ("pa&ss<wd>12", json.dumps({"spec": '{"a":"pa\\u0026ss\\u003cwd\\u003E12"}'})),
        ("pa&s*", json.dumps({"spec": '{"a":"pa\\u0026ss\\u0026wd12"}'})),
        ("ab?cd*ef12", "https://a/?b=ab%3Fcd%2Aef12"),
        ("p w+d/12", "b=p+w%2Bd%2F12"),
        ("p w+d/12", '{"s": "p w+d\\/12'),
    ],
)
def test_other_spellings_of_a_secret_are_found_whole(secret: str, text: str) -> None:
    found = Pattern(secret).in_value(text)
    assert found.times == 1
    assert "12" not in found.text


@settings(max_examples=25)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_stays_json_and_what_does_not_fit_stays_as_it_is(value: object) -> None:
    text = json.dumps({"kept": value, "secret": "ghp_0123456789", "number": 471147114711})
    found = Pattern("ghp_*").in_json(text)
    again = json.loads(found.text)
    assert again["secret"] == FORGOTTEN
    assert again["number"] == 471147114711
    if "ghp_" not in text.replace("ghp_0123456789", ""):
        assert again["kept"] == value
    assert json.loads(Pattern("471147*").in_json(text).text)["number"] == FORGOTTEN


def test_escapes_that_a_stream_chose_hide_nothing() -> None:
    data = b'{"a": "\\u0067hp_secret", "b": [1.50, true]}'
    assert Pattern("ghp_secret").in_bytes(data) == (b'{"a": "__forgotten__", "b": [1.50, true]}', 1)


@pytest.mark.parametrize("data", [b"\xff ghp_secret {", b'{"a": ghp_secret', b"\xef\xbb\xbfghp_secret"])
def test_what_is_no_json_is_looked_through_all_the_same(data: bytes) -> None:
    found, times = Pattern("ghp_secret").in_bytes(data)
    assert times == 1
    assert b"ghp_secret" not in found


def test_a_star_is_the_rest_of_a_word() -> None:
    pattern = Pattern("ghp_*")
    assert pattern.in_text("a ghp_123, and 'ghp_x'").text == "a __forgotten__ and '__forgotten__'"
    assert Pattern("k?y=ab*").in_text("?key=abc&d key=xab").text == "?__forgotten__ key=xab"


def test_a_long_text_takes_no_long_time() -> None:
    began = time.process_time()
    assert Pattern("*abcd*").in_bytes(b"x" * 100_000) == (b"x" * 100_000, 0)
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    "text",
    ["", "abc", "*" * 20, "a?b*c", "x" * 2001, "ab\0cd", FORGOTTEN, "__forg", "cont*", "/api/", "ser?i*", "unning"],
)
def test_a_pattern_that_would_fit_everything_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError) as raised:
        Pattern(text)
    assert not text or len(text) < LEAST or text not in str(raised.value)

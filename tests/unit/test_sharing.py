"""What many texts repeat is taken out of them, and put together again they are what they were, whatever they say."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from archiver.codec.sharing import FIRST, LEAST, SECOND, divided, united
from archiver.codec.text import dump

LONG = "v" * LEAST
_awkward = st.sampled_from(
    ["*", "**", "", "\\", '"', '\\"', "{", "},{", "[", ":", ",", '":"', "execID", "\u00e9", "\0", LONG]
)
_texts = st.lists(_awkward, max_size=3).map("".join)
_values = st.one_of(_texts, _texts, st.sampled_from([1, None, True, [], ["x", LONG]]))
_objects = st.dictionaries(_texts, st.one_of(_values, st.dictionaries(_texts, _values, max_size=3)), max_size=4)


def message(attributes: dict[str, Any]) -> str:
    return dump(
        {"message": {"Action": "die", "Actor": {"ID": "c", "Attributes": attributes}, "time": 1}, "engine": "e"}
    )


@settings(max_examples=100)
@given(st.dictionaries(_texts, st.one_of(_values, _objects), max_size=3))
@example({"a": {"*": [], "b": LONG}})
@example({"a": {"b": f"{FIRST}{LONG}"}})
@example({"a": {"**": [], "b": LONG}})
@example({"a": ["x", ":", "y" + LONG]})
def test_a_text_is_put_together_byte_for_byte_and_what_is_kept_of_it_says_the_rest(value: dict[str, Any]) -> None:
    text = dump(value)
    found = divided(text)
    if found is None:
        return
    assert united(found.kept, *found.shared) == text
    assert found.kept.count(FIRST) == 1
    assert found.kept.count(SECOND) == len(found.shared) - 1
    for piece in found.shared:
        assert all(type(told) is str for told in json.loads(f"{{{piece}}}").values())
    kept = json.loads(found.kept)
    assert all(
        kept.get(key) == told for key, told in value.items() if type(told) is not dict and type(told) is not list
    )


def test_events_of_one_container_share_its_labels_and_keep_what_varies() -> None:
    labels = {"com.a": LONG, "com.b": "1"}
    more = {"org.a": LONG}
    told = [
        {**labels, "image": "i", "name": "n", **more},
        {**labels, "execDuration": "5", "exitCode": "0", "image": "i", "name": "n", **more},
        {**labels, "execID": "4f", "image": "i", "name": "n", **more},
        {**labels, "image": "i", "name": "n", **more, "signal": "15"},
    ]
    found = [divided(message(attributes)) for attributes in told]
    assert len({parts.shared for parts in found if parts is not None}) == 1
    assert [len(parts.shared) for parts in found if parts is not None] == [2, 2, 2, 2]
    kept = [json.loads(parts.kept)["message"]["Actor"]["Attributes"] for parts in found if parts is not None]
    assert [set(attributes) - {"*", "**", "image", "name"} for attributes in kept] == [
        set(),
        {"execDuration", "exitCode"},
        {"execID"},
        {"signal"},
    ]


def test_what_the_outermost_object_says_stays_and_so_does_what_is_short_or_cannot_be_told_apart() -> None:
    assert divided(dump({"text": LONG, "user": "ada", "seen": LONG})) is None
    assert divided(message({"com.a": "1", "com.b": "2"})) is None
    assert divided(message({"com.a": LONG, "*": []})) is None
    assert divided(message({"com.a": LONG, "**": []})) is None


def test_a_text_of_many_runs_takes_no_longer_than_its_length() -> None:
    """Two megabytes by somebody who knows how it works; each run looked at from the beginning would take a minute."""
    hostile = message({f"{n}{suffix}": told for n in range(8000) for suffix, told in (("a", LONG), ("b", 1))})
    found = divided(hostile)
    assert found is not None
    assert united(found.kept, *found.shared) == hostile

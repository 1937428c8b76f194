"""The decoder of Tutum and Docker Cloud: real captures, edge cases, garbage, and that nothing is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.codec.events import rebuild
from archiver.codec.text import MAX_DEPTH, MAX_PARENTS, MAX_URI
from archiver.model import Event, Message, Reject, iso
from archiver.platforms.decoders import decode

NOW = 1_455_000_000_000_000

CAPTURED = {
    "action": "update",
    "type": "action",
    "state": "Success",
    "parents": [
        "/api/v1/container/0fc9f01d-a726-48c7-a9c2-9e34918ddf4a/",
        "/api/v1/service/3a3e9cd9-8d95-4a7e-9e86-4b2360152332/",
    ],
    "resource_uri": "/api/v1/action/1256fc42-1e77-47e0-96cb-4d9e246629bb/",
    "uuid": "526d474c-45cf-4e5b-9768-5a21a9850848",
    "date": "2015-12-07T04:01:01+00:00",
}


def decoded(payload: bytes) -> Event | Reject:
    return decode(Message("ws://stream.example", "session", "tutum", NOW, payload))


def event(value: Any) -> Event:
    found = decoded(json.dumps(value).encode())
    assert isinstance(found, Event), found
    return found


def rebuilt(found: Event) -> dict[str, Any]:
    return rebuild(
        found.type,
        found.action,
        found.state,
        found.resource_uri,
        found.parents,
        found.occurred_at,
        found.time_source,
        found.uuid,
        found.extra,
    )


def test_a_captured_event_fills_the_columns_and_leaves_nothing() -> None:
    found = event(CAPTURED)

    assert (found.type, found.action, found.state) == ("action", "update", "Success")
    assert (found.resource_uri, found.uuid) == (CAPTURED["resource_uri"], CAPTURED["uuid"])
    assert found.parents == tuple(CAPTURED["parents"])
    assert (iso(found.occurred_at), found.time_source) == ("2015-12-07T04:01:01.000000Z", "date")
    assert (found.extra, found.session, found.received_at) == (None, "session", NOW)


def test_the_time_of_docker_cloud_is_datetime() -> None:
    found = event({"type": "action", "datetime": "2016-02-01T16:47:28Z", "date": "2015-12-07T04:01:01+00:00"})

    assert (iso(found.occurred_at), found.time_source) == ("2016-02-01T16:47:28.000000Z", "datetime")
    assert json.loads(found.extra or "") == {"date": "2015-12-07T04:01:01+00:00"}


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "Mon, 13 Oct 2014 11:01:43 +0000", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+05:00"],
)
def test_a_time_that_cannot_be_read_is_kept_and_the_receive_time_taken(text: str) -> None:
    found = event({"type": "x", "datetime": text})

    assert (found.occurred_at, found.time_source) == (NOW, "received")
    assert json.loads(found.extra or "") == {"datetime": text}


@pytest.mark.parametrize(
    "text",
    [
        "2015-W50-1T04:01:01Z", "2015-12-07T04:01:01.5Z", "2015-12-07 04:01:01Z", "2015-12-07T04:01:01+00:00",
        "2015-12-07T04:01:01", "2015-12-07T05:01:01+01:00",
    ],
)  # fmt: skip
def test_a_time_of_another_spelling_is_read_and_the_spelling_kept(text: str) -> None:
    found = event({"type": "x", "datetime": text})

    assert iso(found.occurred_at)[:19] == "2015-12-07T04:01:01"
    assert json.loads(found.extra or "") == {"datetime": text}


@pytest.mark.parametrize(
    "text", ["2015-02-29T04:01:01Z", "2015-12-07T24:01:01Z", "2015-12-07T04:60:01Z", "٢015-12-07T04:01:01Z"]
)
def test_no_day_and_no_clock_has_that_time(text: str) -> None:
    assert event({"type": "x", "datetime": text}).time_source == "received"


def test_duplicate_parents_and_unknown_states_are_kept() -> None:
    found = event({"type": "service", "parents": ["/svc/b/", "/svc/b/"], "state": "Started", "new": {"a": [1]}})

    assert (found.parents, found.state, found.extra) == (("/svc/b/", "/svc/b/"), "Started", '{"new":{"a":[1]}}')


@pytest.mark.parametrize("kind", ["auth", "error", "user-notifications", "nobody knows"])
def test_a_message_of_any_type_is_an_event(kind: str) -> None:
    assert event({"type": kind, "data": {"errorMessage": "UNAUTHORIZED"}}).resource_uri is None


GARBAGE = {
    "text": b"connected",
    "nothing": b"",
    "null": b"null",
    "list": b'[{"type":"x"}]',
    "number": b"17",
    "string": b'"type"',
    "no type": b'{"state":"Success","parents":[]}',
    "empty type": b'{"type":""}',
    "type is no text": b'{"type":5}',
    "two values": b'{"type":"x"}{"type":"y"}',
    "half a value": b'{"type":"x"',
    "not UTF-8": b'{"type":"\xff"}',
    "surrogate in UTF-8": b'{"type":"\xed\xa0\x80"}',
    "raw NUL": b'{"type":"a\x00b"}',
    "NaN": b'{"type":"x","n":NaN}',
    "Infinity": b'{"type":"x","n":-Infinity}',
    "1e400": b'{"type":"x","n":1e400}',
    "1e400 among parents": b'{"type":"x","parents":[1e400]}',
    "long number": b'{"type":"x","n":' + b"9" * 5000 + b"}",
    "too deep": b'{"type":"x","n":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep for a later reader": b'{"type":"x","n":' + b"[" * 500 + b"]" * 500 + b"}",
}


@pytest.mark.parametrize("payload", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_is_no_event_is_a_reject_with_its_bytes(payload: bytes) -> None:
    found = decoded(payload)

    assert isinstance(found, Reject)
    assert (found.payload, found.received_at, found.session) == (payload, NOW, "session")
    assert found.reason


def test_nesting_up_to_the_limit_is_kept() -> None:
    nested: Any = "[{"
    for _ in range(MAX_DEPTH - 1):
        nested = [nested]

    assert rebuilt(event({"type": "x", "n": nested}))["n"] == nested


@pytest.mark.parametrize("odd", ["a\0b", "\ud800", "", "x" * 256, "\U0001f600" * 64, 5, None, ["Running"]])
def test_a_state_that_no_column_takes_is_kept_aside(odd: Any) -> None:
    found = event({"type": "x", "state": odd})

    assert found.state is None
    assert rebuilt(found) == {"type": "x", "state": odd}


def test_a_uri_is_measured_in_bytes() -> None:
    """PostgreSQL cannot index more than 2,704 of them."""
    found = event({"type": "x", "resource_uri": "\u20ac" * 1000, "parents": ["\u20ac" * 1000, "/p/"]})

    assert found.resource_uri is None
    assert found.parents == ("/p/",)


def test_escaped_text_is_text() -> None:
    assert decoded(b'{"type":"\\u0063ontainer","state":"\\u00fc"}')[:3] == ("container", None, "\u00fc")


@pytest.mark.parametrize("parents", [["/p/"] * 1_000_000, ["p"] * (MAX_PARENTS + 1), ["/" + "p" * MAX_URI, 1, "/q/"]])
def test_too_many_or_odd_parents_are_capped_and_kept_aside(parents: list[Any]) -> None:
    found = event({"type": "x", "parents": parents})

    assert len(found.parents) <= MAX_PARENTS
    assert rebuilt(found)["parents"] == parents


TEXTS = st.text(st.characters(exclude_categories=[]), max_size=300)
TIMES = st.datetimes().map(lambda moment: moment.isoformat() + "Z") | st.datetimes().map(lambda moment: str(moment))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.fixed_dictionaries(
    {"type": st.text(min_size=1, max_size=20).filter(lambda kind: "\0" not in kind)},
    optional={key: TEXTS | JSON for key in ("action", "state", "resource_uri", "uuid")}
    | {"parents": st.lists(TEXTS, max_size=4) | JSON, "date": TIMES | JSON, "datetime": TIMES | JSON, "more": JSON},
)


@given(EVENTS)
def test_the_json_value_can_always_be_rebuilt(value: dict[str, Any]) -> None:
    assert json.dumps(rebuilt(event(value)), sort_keys=True) == json.dumps(value, sort_keys=True)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_event_or_a_reject(payload: bytes) -> None:
    assert isinstance(decoded(payload), (Event, Reject))

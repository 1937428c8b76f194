"""Observations: what a source found by asking, and that no answer of a platform can break anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.codec.observation import observe
from archiver.model import Observation, Observed, Reject


def observed(payload: bytes) -> Observation | Reject:
    return observe(Observed("stream", "session", "docker", 17, payload))


def test_an_answer_is_an_observation() -> None:
    value = {"uri": "/docker/v1/container/a/", "state": "running", "name": "web", "parents": ["/docker/v1/node/n/"]}

    assert observed(json.dumps({**value, "extra": {"image": "x"}}).encode()) == Observation(
        value["uri"], "running", "web", ("/docker/v1/node/n/",), 17, '{"image":"x"}', "session"
    )


@pytest.mark.parametrize("payload", [b"", b"\xff", b"null", b"[]", b"{}", b'{"uri":5}', b'{"uri":"/u","parents":5}'])
def test_what_is_none_is_a_reject_with_its_bytes(payload: bytes) -> None:
    found = observed(payload)

    assert isinstance(found, Reject)
    assert (found.payload, found.session) == (payload, "session")


@given(st.binary() | st.dictionaries(st.sampled_from(["uri", "state", "name", "parents", "extra"]), st.text()).map(str))
def test_any_bytes_are_an_observation_or_a_reject(found: Any) -> None:
    payload = found if isinstance(found, bytes) else found.encode("utf-8", "replace")

    assert isinstance(observed(payload), (Observation, Reject))

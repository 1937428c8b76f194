"""Duplicates are known by time and uuid and never by content, on both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.model import Message, Record
from archiver.platforms.decoders import decode
from archiver.storage.recorder import Recorder

from .archives import SECOND, START, event, record, rejected, wire


def counts(url: str) -> list[tuple[Any, ...]]:
    with Archive.open(url) as archive:
        return [(archive.status().events, archive.status().rejects)]


@pytest.mark.parametrize("batches", [1, 2])
def test_the_same_event_again_is_left_out(database_url: str, batches: int) -> None:
    told = event("container/1", "Running", 1, ["stack/1"], uuid="u")
    with Recorder(database_url) as recorder:
        done = [recorder.record(batch) for batch in ([[told, told]] if batches == 1 else [[told], [told]])]

    assert sum(one.duplicates for one in done) == 1
    assert counts(database_url) == [(1, 0)]


@pytest.mark.parametrize(
    "other",
    [
        {"state": "Stopped"},
        {"parents": ["stack/2"]},
        {"more": True},
    ],
)
@pytest.mark.parametrize("batches", [1, 2])
def test_the_same_uuid_with_other_content_is_a_reject(database_url: str, other: dict[str, Any], batches: int) -> None:
    first: dict[str, Any] = {"state": "Running", "second": 1, "parents": ["stack/1"], "uuid": "u", "more": 1}
    told, conflicting = event("container/1", **first), event("container/1", **first | other)
    with Recorder(database_url) as recorder:
        for batch in [[told, conflicting]] if batches == 1 else [[told], [conflicting]]:
            recorder.record(batch)

    ((_, payload),) = rejected(database_url)
    assert json.loads(payload) == json.loads(wire("container/1", **first | other))
    assert counts(database_url) == [(1, 1)]


def test_the_same_uuid_at_another_time_is_an_event_of_its_own(database_url: str) -> None:
    record(database_url, *(event("container/1", "Running", n, uuid="u") for n in (1, 2)))

    assert counts(database_url) == [(2, 0)]


def test_the_same_event_is_known_whatever_the_spelling_seen_first(database_url: str) -> None:
    record(database_url, event("container/1"))
    told = event("container/1", "Running", 1, uuid="u", resource_uri="/api/app/v1/ns/container/1/")

    assert [record(database_url, told).duplicates for _ in range(2)] == [0, 1]
    assert counts(database_url) == [(2, 0)]


def test_equal_events_without_uuid_are_both_kept(database_url: str) -> None:
    told = event("container/1", "Running", 1)

    record(database_url, told, told)

    assert counts(database_url) == [(2, 0)]


def test_the_others_of_a_batch_with_a_duplicate_are_archived(database_url: str) -> None:
    record(database_url, event("container/1", uuid="u"))

    done = record(database_url, event("container/2"), event("container/1", uuid="u"), event("container/3", uuid="v"))

    assert (done.events, done.duplicates) == (2, 1)


def told_by(node: str, signal: str) -> Record:
    """What a Docker Engine said, with what the source adds beside it."""
    said = {"Type": "container", "Action": "kill", "Actor": {"ID": "c1", "Attributes": {"signal": signal}}}
    said |= {"scope": "local", "time": START // SECOND, "timeNano": START * 1000}
    payload = json.dumps({"engine": "ENGINE", "node": node, "message": said}).encode()
    return decode(Message("unix:///run/docker.sock", None, "docker", START, payload))


def test_of_a_docker_engine_its_own_words_count_not_what_stands_beside_them(database_url: str) -> None:
    """The same message comes again after the engine joined a swarm: its identity is that of the message."""
    done = [record(database_url, told_by(node, "15")) for node in ("node1", "node2")]

    assert [one.duplicates for one in done] == [0, 1]
    assert counts(database_url) == [(1, 0)]


def test_an_event_that_says_less_and_nothing_else_is_the_same(database_url: str) -> None:
    """As a listing of it does."""
    told = event("container/1", "Running", 1, ["stack/1"], uuid="u", more=1)

    done = [record(database_url, one).duplicates for one in (told, told._replace(extra=None))]

    assert done == [0, 1]
    assert counts(database_url) == [(1, 0)]

"""What an engine and the REST APIs answer about a life is what tells it from the next."""

from __future__ import annotations

import json
from typing import Any

import pytest

from archiver.codec.text import keep
from archiver.model import Observation
from archiver.platforms.docker.facts import Engine
from archiver.platforms.docker.inspect import READERS, Finding
from archiver.platforms.tutum.api import Api
from archiver.platforms.tutum.showing import show
from archiver.storage.marks import mark_of

ENGINE = Engine("ENGINE", "node1", "swarm1")
CONTAINER: dict[str, Any] = {
    "Id": "c1",
    "Name": "/web",
    "Created": "2026-11-23T18:00:00Z",
    "RestartCount": 0,
    "State": {"Status": "running", "StartedAt": "2026-11-23T18:00:01.1Z", "FinishedAt": "0001-01-01T00:00:00Z"},
    "Config": {"Image": "bb:1", "Labels": {}},
}
NODE = {"ID": "n1", "CreatedAt": "2026-11-01T00:00:00Z", "UpdatedAt": "2026-11-02T00:00:00Z"}
NODE |= {"Status": {"State": "ready"}}
API = Api("https://dashboard.tutum.co", is_docker_cloud=False)
SHOWN = {
    "uuid": "c1",
    "resource_uri": "/api/v1/container/c1/",
    "state": "Running",
    "started_datetime": "Mon, 13 Oct 2014 11:01:43 +0000",
}


def inspected(kind: str, answer: dict[str, Any]) -> int | None:
    return mark(READERS[kind](answer, ENGINE))


def mark(found: Finding) -> int | None:
    told = found.payload()
    return mark_of(Observation(found.uri, found.state, found.name, (), 0, keep(told["extra"])))


def shown(row: dict[str, Any]) -> int | None:
    told = show(API, "container", "c1", row)
    return mark_of(Observation(told["uri"], told["state"], told["name"], (), 0, keep(told["extra"])))


def with_state(**changes: Any) -> dict[str, Any]:
    return CONTAINER | {"State": CONTAINER["State"] | changes}


@pytest.mark.parametrize(
    "other",
    [
        CONTAINER | {"RestartCount": 1},
        with_state(StartedAt="2026-11-23T19:00:00Z"),
        with_state(FinishedAt="2026-11-23T18:59:00Z"),
        with_state(Status="paused"),
    ],
)
def test_another_life_or_state_of_a_container_has_another_mark(other: dict[str, Any]) -> None:
    assert inspected("container", CONTAINER) not in (None, inspected("container", other))


def test_what_changes_no_life_changes_no_mark() -> None:
    renamed = CONTAINER | {"Name": "/other", "Config": {"Image": "bb:2", "Labels": {"com.docker.compose.project": "p"}}}

    assert inspected("container", renamed) == inspected("container", CONTAINER)


def test_a_node_that_was_away_for_a_while_has_another_mark() -> None:
    assert inspected("node", NODE) not in (None, inspected("node", NODE | {"UpdatedAt": "2026-11-03T00:00:00Z"}))


def test_a_container_that_was_restarted_is_known_by_what_the_rest_api_shows() -> None:
    assert shown(SHOWN) == shown(SHOWN | {"name": "other"})
    assert shown(SHOWN) not in (None, shown(SHOWN | {"started_datetime": "Mon, 13 Oct 2014 11:02:00 +0000"}))


@pytest.mark.parametrize("extra", [None, "{}", '{"started":""}', '{"started":null,"restarts":1}', "[]", "no JSON"])
def test_what_does_not_tell_the_life_has_no_mark(extra: str | None) -> None:
    assert mark_of(Observation("/docker/v1/container/c1/", "running", None, (), 0, extra)) is None


def test_what_gives_no_state_has_no_mark() -> None:
    extra = json.dumps({"started": "2026-11-23T18:00:01Z"})

    assert mark_of(Observation("/docker/v1/container/c1/", None, None, (), 0, extra)) is None

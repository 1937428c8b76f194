"""The simulated platform lives by the documented rules, and the same seed lives the same life."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from archiver.simulator.world.living import generate, live_in
from archiver.simulator.world.platform import World
from archiver.simulator.world.states import TRANSITIONS

COUNT = 20_000


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    return list(generate(7, COUNT, stacks=10, nodes=4))


def kind(uri: str) -> str:
    return uri.rstrip("/").split("/")[-2]


def test_the_same_seed_gives_the_same_texts() -> None:
    once = [json.dumps(event) for event in generate(3, 2000)]
    again = [json.dumps(event) for event in generate(3, 2000)]

    assert once == again


def test_another_seed_gives_another_life() -> None:
    assert list(generate(3, 100)) != list(generate(4, 100))


def test_every_object_goes_from_state_to_state_as_allowed(events: list[dict[str, Any]]) -> None:
    states: dict[str, str] = {}
    for event in events:
        uri, state = event["resource_uri"], event["state"]
        assert state in TRANSITIONS[event["type"]][states.get(uri)], (event, states.get(uri))
        states[uri] = state


def test_every_state_of_the_tables_is_reached_but_those_that_somebody_has_to_tell() -> None:
    seen = {(event["type"], event["state"]) for event in generate(1, 60_000, churn=1.0)}

    every = {(type_, state) for type_, table in TRANSITIONS.items() for state in table if state is not None}
    assert seen >= every - {("nodecluster", told) for told in ("Empty cluster", "Terminating", "Terminated")}


def test_an_object_is_created_once_updated_and_deleted_at_its_end(events: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for event in events:
        first = event["resource_uri"] not in seen
        wanted = "create" if first else "delete" if event["state"] == "Terminated" else "update"
        assert event["action"] == wanted
        seen.add(event["resource_uri"])


def test_parents_are_those_documented_for_the_type(events: list[dict[str, Any]]) -> None:
    documented = {
        "stack": [],
        "nodecluster": [],
        "service": ["stack"],
        "node": ["nodecluster"],
        "container": ["service", "node", "stack", "nodecluster"],
    }
    for event in events:
        if event["type"] != "action":
            assert [kind(uri) for uri in event["parents"]] == documented[event["type"]]


def test_an_action_carries_its_object_and_all_that_is_above(events: list[dict[str, Any]]) -> None:
    parents = {event["resource_uri"]: event["parents"] for event in events if event["type"] != "action"}
    actions = [event for event in events if event["type"] == "action"]

    assert actions
    for event in actions:
        target, *rest = event["parents"]
        assert rest == parents[target]


def test_parents_never_change(events: list[dict[str, Any]]) -> None:
    parents: dict[str, list[str]] = {}
    for event in events:
        assert parents.setdefault(event["resource_uri"], event["parents"]) == event["parents"]


def test_a_restart_after_a_crash_is_no_action() -> None:
    late = list(generate(1, 3000, churn=0.0))[1000:]

    assert {event["type"] for event in late} <= {"container", "service", "stack", "node"}


def test_without_churn_no_new_objects_appear() -> None:
    life = list(generate(1, 40_000, stacks=50, churn=0.0))
    early = {event["resource_uri"] for event in life[:10_000]}

    assert {event["resource_uri"] for event in life[10_000:]} <= early


def test_the_mix_has_about_three_parents_an_event(events: list[dict[str, Any]]) -> None:
    assert 2.2 < sum(len(event["parents"]) for event in events) / len(events) < 3.3


def test_tutum_events_have_the_captured_shape(events: list[dict[str, Any]]) -> None:
    event = events[-1]

    assert list(event) == ["state", "parents", "action", "type", "resource_uri", "uuid", "date"]
    assert re.fullmatch(r"/api/v1/[a-z]+/[0-9a-f-]{36}/", event["resource_uri"])
    assert re.fullmatch(r"2015-12-\d\dT\d\d:\d\d:\d\d\+00:00", event["date"])


def test_dockercloud_events_have_the_documented_shape() -> None:
    events = list(generate(1, 3000, flavour="dockercloud", namespace="acme"))
    uris = {event["type"]: event["resource_uri"] for event in events}

    assert list(events[0]) == ["type", "action", "parents", "resource_uri", "state", "uuid", "datetime"]
    assert re.fullmatch(r"2016-02-01T\d\d:\d\d:\d\dZ", events[0]["datetime"])
    assert uris["container"].startswith("/api/app/v1/acme/container/")
    assert uris["node"].startswith("/api/infra/v1/acme/node/")
    assert uris["action"].startswith("/api/audit/v1/action/")


def test_early_tutum_had_neither_uuid_nor_time() -> None:
    assert {key for event in generate(1, 200, bare=True) for key in event} == {
        "state",
        "parents",
        "action",
        "type",
        "resource_uri",
    }


def test_event_times_never_go_back(events: list[dict[str, Any]]) -> None:
    dates = [event["date"] for event in events]

    assert dates == sorted(dates)


def test_event_uuids_are_unique(events: list[dict[str, Any]]) -> None:
    assert Counter(event["uuid"] for event in events).most_common(1)[0][1] == 1


def test_pace_keeps_a_fast_life_on_the_calendar() -> None:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    platform = live_in(World(start=start, pace=60.0))
    at, event = list(islice(platform.events(), 1000))[-1]

    assert at > 300
    assert (datetime.fromisoformat(event["date"]) - start).total_seconds() == int(at / 60)


def test_what_is_terminated_is_listed_for_a_while_and_then_forgotten() -> None:
    platform = live_in(World(churn=1.0, memory=50))
    gone = []
    for _, event in islice(platform.events(), 30_000):
        if event["state"] == "Terminated":
            gone.append((event["type"], event["resource_uri"].split("/")[-2]))

    listed = [platform.find(*ref) is not None for ref in gone]

    assert len(gone) > 500
    assert listed == [False] * (len(gone) - 50) + [True] * 50
    assert len(platform.objects("action")) < 60


def test_what_is_terminated_is_forgotten_by_age_too() -> None:
    platform = live_in(World(churn=1.0, memory_seconds=60.0))
    for _ in islice(platform.events(), 5000):
        pass

    ended = [thing.stopped for thing in platform.objects("action") if thing.stopped is not None]

    assert min(ended) > platform.now - 300


def test_a_settled_platform_begins_with_its_population() -> None:
    platform = live_in(World(stacks=4, settled=600))

    assert platform.now > 500
    assert len([stack for stack in platform.objects("stack") if stack.state != "Terminated"]) >= 3


def test_a_platform_without_incidents_comes_to_rest() -> None:
    assert len(list(generate(1, rate=0.0))) < 500


def test_senseless_populations_are_refused() -> None:
    with pytest.raises(ValueError, match="nodes >= 1"):
        World(nodes=0)

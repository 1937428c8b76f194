"""The simulated platform does what its REST API is told, as the original clients tell it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from archiver.simulator.service.rest import answer
from archiver.simulator.service.writing import Request, Told, obey
from archiver.simulator.world.living import live_in
from archiver.simulator.world.objects import Service
from archiver.simulator.world.platform import Platform, World
from archiver.simulator.world.states import PENDING_ACTION, TRANSITIONS

CALLER = ("bob", "127.0.0.1", "", "tutum/0.21.1", True)


@pytest.fixture
def platform() -> Platform:
    """Stacks that run, and to which nothing happens by itself any more."""
    return live_in(World(rate=0, settled=300))


def tell(platform: Platform, method: str, path: str, body: object = None) -> Told:
    given = b"" if body is None else json.dumps(body).encode()
    return obey(platform, Request(method, path, given, CALLER), lambda: platform.now)


def done(platform: Platform, method: str, path: str, body: object = None) -> list[dict[str, Any]]:
    """What happens when the platform is told something: all events up to the end."""
    told = tell(platform, method, path, body)
    assert told.status == 202, told
    return [event for _, event in platform.events()]


def shown(platform: Platform, uri: str) -> dict[str, Any]:
    return answer(platform, uri)[1]


def first(platform: Platform, type_: str) -> str:
    return platform.objects(type_)[0].uri


def states(events: list[dict[str, Any]], uri: str) -> list[str]:
    return [event["state"] for event in events if event["resource_uri"] == uri]


@pytest.mark.parametrize(
    ("type_", "stopping", "starting"),
    [
        ("stack", ["Stopping", "Stopped"], ["Starting", "Running"]),
        ("service", ["Stopping", "Stopped"], ["Starting", "Running"]),
        ("container", ["Stopping", "Stopped"], ["Starting", "Running"]),
    ],
)
def test_what_is_told_to_stop_and_to_start_does(
    platform: Platform, type_: str, stopping: list[str], starting: list[str]
) -> None:
    uri = first(platform, type_)

    assert states(done(platform, "POST", f"{uri}stop"), uri) == stopping
    assert states(done(platform, "POST", f"{uri}start/"), uri) == starting


@pytest.mark.parametrize("type_", ["stack", "service", "container"])
def test_what_is_deleted_terminates_and_all_that_is_in_it(platform: Platform, type_: str) -> None:
    uri = first(platform, type_)

    events = done(platform, "DELETE", uri)

    assert states(events, uri)[-1] == "Terminated"
    under = {event["resource_uri"] for event in events if uri in event["parents"] and event["type"] != "action"}
    assert all(states(events, one)[-1] == "Terminated" for one in under)
    assert shown(platform, uri)["state"] == "Terminated"


def test_a_service_is_told_a_number_and_then_to_scale(platform: Platform) -> None:
    uri = first(platform, "service")

    assert tell(platform, "PATCH", uri, {"target_num_containers": 6}).status == 200
    events = done(platform, "POST", f"{uri}scale/")

    assert states(events, uri) == ["Scaling", "Running"]
    service = shown(platform, uri)
    assert service["target_num_containers"] == service["running_num_containers"] == len(service["containers"]) == 6


def test_a_service_that_is_redeployed_has_new_containers(platform: Platform) -> None:
    uri = first(platform, "service")
    before = set(shown(platform, uri)["containers"])

    done(platform, "POST", f"{uri}redeploy")

    after = set(shown(platform, uri)["containers"])
    assert len(after) == len(before)
    assert not after & before


def test_a_container_that_is_redeployed_is_another_one(platform: Platform) -> None:
    uri = first(platform, "container")
    service = shown(platform, uri)["service"]
    size = len(shown(platform, service)["containers"])

    done(platform, "POST", f"{uri}redeploy")

    assert shown(platform, uri)["state"] == "Terminated"
    assert len(shown(platform, service)["containers"]) == size


@pytest.mark.parametrize(
    ("flavour", "name"), [("tutum", "X-Tutum-Action-URI"), ("dockercloud", "X-DockerCloud-Action-URI")]
)
def test_the_answer_names_the_action_and_the_action_who_told_it(flavour: Any, name: str) -> None:
    platform = live_in(World(rate=0, settled=300, flavour=flavour))
    uri = first(platform, "service")

    told = tell(platform, "POST", f"{uri}stop")

    action = shown(platform, told.fields[name])
    assert (action["state"], action["action"], action["object"]) == ("Pending", "Service Stop", uri)
    assert (action["ip"], action["user_agent"], action["path"]) == ("127.0.0.1", "tutum/0.21.1", f"{uri}stop/")
    assert told.body["resource_uri"] == uri
    events = [event for _, event in platform.events()]
    assert states(events, told.fields[name]) == ["Pending", "In progress", "Success"]


def test_what_is_under_way_is_brought_to_an_end_first(platform: Platform) -> None:
    uri = first(platform, "service")
    tell(platform, "POST", f"{uri}stop")
    platform.step()
    tell(platform, "POST", f"{uri}redeploy")

    events = [event for _, event in platform.events()]

    assert states(events, uri) == ["Stopping", "Stopped", "Redeploying", "Running"]


def test_an_action_that_has_become_impossible_meanwhile_fails(platform: Platform) -> None:
    uri = first(platform, "service")
    tell(platform, "DELETE", uri)
    platform.step()
    late = tell(platform, "POST", f"{uri}stop").fields["X-Tutum-Action-URI"]

    events = [event for _, event in platform.events()]

    assert states(events, late)[-1] == "Failed"


def test_nobody_undoes_by_himself_what_was_told_from_outside() -> None:
    platform = live_in(World(rate=60, churn=0.9, settled=300, stacks=1))
    for service in platform.stacks[0].services:
        tell(platform, "DELETE", service.uri)
    for _ in range(3000):
        if platform.next_at is None:
            break
        platform.step()
    assert {s.state for s in platform.objects("service") if isinstance(s, Service)} == {"Terminated"}


def test_states_follow_each_other_as_they_may_whatever_is_told() -> None:
    platform = live_in(World(rate=20, churn=0.5, settled=300, seed=7))
    last: dict[str, str] = {one.uri: one.state or "" for type_ in TRANSITIONS for one in platform.objects(type_)}
    verbs = ["stop", "start", "redeploy", "scale", "docker-upgrade", "deploy", "health-check"]
    types = ["stack", "service", "container", "node", "nodecluster"]
    for turn in range(6000):
        if turn % 7 == 0 and (pending := [one for one in platform.objects("action") if one.state in PENDING_ACTION]):
            tell(platform, "POST", f"{platform.choose(pending).uri}cancel/")
        if turn % 40 == 0:
            uri = platform.choose(platform.objects(types[turn // 40 % 5])).uri
            if turn % 1000 == 920:
                tell(platform, "PATCH", uri, {"target_num_nodes": turn // 1000})
            elif turn % 400 == 0:
                tell(platform, "DELETE", uri)
            else:
                tell(platform, "POST", f"{uri}{platform.choose(verbs)}/")
        for event in platform.step():
            before = last.get(event["resource_uri"])
            assert event["state"] in TRANSITIONS[event["type"]][before], (event, before)
            last[event["resource_uri"]] = event["state"]


@pytest.mark.parametrize(
    ("method", "tail", "body", "status"),
    [
        ("POST", "start/", None, 409),
        ("POST", "explode/", None, 405),
        ("POST", "terminate/", None, 405),
        ("PUT", "", None, 405),
        ("PATCH", "", {"target_num_containers": 0}, 400),
        ("PATCH", "", {"target_num_containers": "3"}, 400),
        ("PATCH", "", {"colour": 5}, 400),
        ("PATCH", "", {"tags": ["x"]}, 400),
        ("PATCH", "", {"container_envvars": [1]}, 400),
        ("PATCH", "", {"container_ports": [{"inner_port": "x"}]}, 400),
        ("PATCH", "", [1], 400),
        ("PATCH", "stop/", {}, 405),
    ],
)
def test_what_cannot_be_done_is_refused(platform: Platform, method: str, tail: str, body: object, status: int) -> None:
    told = tell(platform, method, first(platform, "service") + tail, body)

    assert told.status == status
    assert told.body["error"]
    assert list(platform.events()) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/service/no-such/start/", 404), ("/api/v1/node/", 405), ("/api/v1/container/", 405), ("/", 405)],
)
def test_what_is_not_there_cannot_be_told_anything(platform: Platform, path: str, status: int) -> None:
    assert tell(platform, "POST", path).status == status

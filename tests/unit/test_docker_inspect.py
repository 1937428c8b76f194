"""What an engine answers about its objects, in shapes in which none should."""

from __future__ import annotations

import json
from typing import Any

import pytest

from archiver.model import Observation, Observed
from archiver.platforms.docker.decoder import StreamDecoder
from archiver.platforms.docker.facts import Engine
from archiver.platforms.docker.inspect import READERS, probe
from archiver.platforms.docker.inventory import Inventory

ENGINE = Engine("ENGINE", "node1", "swarm1")
DEEP: Any = json.loads("[" * 900 + "]" * 900)
ODD = [5, -1.5, True, "text", ["a"], [{}], [[]], {"a": 1}, {"exitCode": []}, DEEP]
PATHS = {
    "container": ["Id", "Name", "Config", "Config.Labels", "Config.Healthcheck", "RestartCount", "State"],
    "container's state": ["State.ExitCode", "State.OOMKilled", "State.Health"],
    "service": ["Spec", "Spec.Labels", "Spec.Mode", "Spec.Mode.Replicated.Replicas", "UpdateStatus"],
    "node": ["ManagerStatus.Leader", "Spec.Labels", "Description.Engine"],
    "network": ["Labels", "Scope", "Name"],
    "volume": ["Labels", "Name"],
    "image": ["RepoTags", "Created", "Size", "Id"],
}


def odd(path: str, value: object) -> dict[str, Any]:
    """An answer in which this stands at a path."""
    found: Any = value
    for key in reversed(path.split(".")):
        found = {key: found}
    if type(config := found.setdefault("Config", {})) is dict:
        config.setdefault("Healthcheck", {"Test": ["CMD-SHELL", "check"]})
    return {"Id": "c1", **found}


@pytest.mark.parametrize(("kind", "path"), [(kind, path) for kind, paths in PATHS.items() for path in paths])
def test_no_shape_of_an_answer_is_more_than_can_be_told(kind: str, path: str) -> None:
    for value in ODD:
        found = READERS[kind.partition("'")[0]](odd(path, value), ENGINE)
        assert len(json.dumps(found.payload())) < 500
        assert probe(odd(path, value)) in (None, "exec_create: /bin/sh -c check")


@pytest.mark.parametrize("labels", ODD)
def test_a_list_with_labels_that_are_none_is_taken_in(labels: object) -> None:
    _, questions = Inventory().listed("container", [{"Id": "c1", "Labels": labels}, {"Id": "c2"}], 17)

    assert [question.key for question in questions] == ["c1", "c2"]


def test_numbers_of_a_container_are_told() -> None:
    found = {"Id": "c1", "State": {"Status": "exited", "ExitCode": 137, "OOMKilled": True}, "RestartCount": 2}

    extra = READERS["container"](found, ENGINE).extra

    assert (extra["exit_code"], extra["oom_killed"], extra["restarts"]) == (137, True, 2)


@pytest.mark.parametrize("shell", [7, "sh", [7], DEEP])
def test_a_shell_that_is_none_is_the_usual_one(shell: object) -> None:
    found = {"Config": {"Healthcheck": {"Test": ["CMD-SHELL", "check"]}, "Shell": shell}}

    assert probe(found) == "exec_create: /bin/sh -c check"


@pytest.mark.parametrize("update", [{}, {"UpdateStatus": {}}, {"UpdateStatus": {"State": ""}}, {"UpdateStatus": None}])
def test_a_service_that_tells_of_no_update_tells_no_state(update: dict[str, Any]) -> None:
    found = READERS["service"]({"ID": "s1", "Spec": {"Name": "shop_web"}, **update}, ENGINE)
    payload = json.dumps(found.payload()).encode()

    observation = StreamDecoder().observe(Observed("unix:///run/docker.sock", "s", "docker", 1, payload))

    assert isinstance(observation, Observation)
    assert (observation.name, observation.state) == ("shop_web", None)

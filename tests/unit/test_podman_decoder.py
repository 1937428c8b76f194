"""Podman's messages, which are Docker's but for what is told here."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from archiver.model import Event, Message, Reject, Together
from archiver.platforms.docker.decoder import StreamDecoder, decode
from archiver.platforms.docker.podman import is_podmans

RECORDED = (Path(__file__).parents[1] / "data" / "podman-events.jsonl").read_bytes().splitlines()
C, POD, IMAGE = "c1" * 32, "b0" * 32, "ab" * 32
START = 1_795_000_000


def told(
    action: str, id: str = C, *, kind: str = "container", at: float = 0.0, health: str = "", **words: str
) -> dict[str, Any]:
    attributes = {"image": "localhost/bb:1", "name": "web", "podId": "", **words}
    message: dict[str, Any] = {"Type": kind, "Action": action, "Actor": {"ID": id, "Attributes": attributes}}
    message |= {"scope": "local", "timeNano": int((START + at) * 10**9)}
    return message | ({"HealthStatus": health} if health else {})


def events(*messages: dict[str, Any] | bytes, session: str | None = None) -> list[Event]:
    decoder, found = StreamDecoder(), []
    for message in messages:
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        decoded = decoder.decode(Message("unix:///run/podman/podman.sock", session, "docker", START, payload))
        parts = decoded.records if isinstance(decoded, Together) else (decoded,)
        found += [part for part in parts if isinstance(part, Event)]
        assert not isinstance(decoded, Reject)
    return found


def event(message: dict[str, Any]) -> Event:
    return events(message)[0]


# --- the recorded stream ----------------------------------------------------------------------------------------------


def test_every_recorded_message_is_podmans_and_is_kept_whole() -> None:
    originals = [json.loads(line) for line in RECORDED]
    kept = {json.dumps(json.loads(found.extra or "")["message"]) for found in events(*RECORDED)}

    assert all(map(is_podmans, originals))
    assert kept == {json.dumps(message) for message in originals}


def test_every_event_of_the_recorded_messages_has_an_identity_of_its_own() -> None:
    found = events(*RECORDED)

    # A pod that is stopped is both a state of the pod and what somebody did.
    assert len(found) == len({one.uuid for one in found}) == len(RECORDED) + 1


def test_the_recorded_events_are_of_these_kinds() -> None:
    assert Counter((found.type, found.action, found.state) for found in events(*RECORDED)) == {
        ("action", "attach", "Success"): 2,
        ("action", "commit", "Success"): 1,
        ("action", "exec", "Failed"): 1,
        ("action", "exec", "In progress"): 2,
        ("action", "exec", "Success"): 1,
        ("action", "kill", "Success"): 1,
        ("action", "rename", "Success"): 1,
        ("action", "restart", "Success"): 1,
        ("action", "stop", "Success"): 3,
        ("action", "update", "Success"): 1,
        ("container", "cleanup", None): 4,
        ("container", "create", "created"): 5,
        ("container", "destroy", "removed"): 5,
        ("container", "die", "exited (0)"): 1,
        ("container", "die", "exited (137)"): 5,
        ("container", "die", "exited (3)"): 1,
        ("container", "health_status", "running (healthy)"): 1,
        ("container", "init", None): 7,
        ("container", "pause", "paused"): 1,
        ("container", "start", "running"): 7,
        ("container", "unpause", "running"): 1,
        ("image", "build", "created"): 1,
        ("image", "delete", "removed"): 1,
        ("image", "pull", "created"): 5,
        ("image", "tag", None): 2,
        ("image", "untag", None): 1,
        ("network", "create", "created"): 1,
        ("network", "remove", "removed"): 1,
        ("pod", "create", "created"): 1,
        ("pod", "remove", "removed"): 1,
        ("pod", "stop", "exited"): 1,
        ("system", "refresh", None): 1,
        ("volume", "create", "created"): 1,
        ("volume", "remove", "removed"): 1,
    }


def test_a_recorded_container_lives_as_podman_ps_shows_it() -> None:
    me = "/docker/v1/container/7e727ee44820f306ddafee733a730f3e17647f06f016c06bfe6a1d698aa6a107/"

    assert [found.state for found in events(*RECORDED) if found.resource_uri == me and found.state] == [
        "created",
        "running",
        "exited (137)",
        "running",
        "exited (137)",
        "running",
        "paused",
        "running",
        "exited (137)",
        "removed",
    ]


def test_all_that_a_recorded_container_tells_is_under_its_pod() -> None:
    pod = "/docker/v1/pod/b497cfca3e5f2b3af7a8a89694ea5169765340f4cbb32488ae5278118e5f220e/"

    under = [found.action for found in events(*RECORDED) if pod in found.parents]

    assert under == ["create", "init", "start", "stop", "die", "cleanup", "destroy"]


# --- whose a message is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dockers",
    [
        told("start", podId="a label"),
        told("destroy"),
        told("die", exitCode="3"),
        told("exec_create: sh", execID="e1" * 32),
        told("tag", f"sha256:{IMAGE}", kind="image"),
        {"Type": "container", "Action": "start", "Actor": {"ID": C, "Attributes": {"image": "x", "name": "web"}}},
        {"Type": "container", "Action": "start", "Actor": None},
        {},
    ],
)
def test_what_docker_tells_is_not_taken_for_podmans(dockers: dict[str, Any]) -> None:
    assert not is_podmans(dockers)


def test_a_message_of_docker_with_a_label_of_podmans_keeps_its_exec() -> None:
    found = event(told("exec_start: sh", execID="e1" * 32))

    assert found.resource_uri == f"/docker/v1/action/{'e1' * 32}/"


def test_what_podmans_own_command_prints_is_rejected_with_words() -> None:
    line = {"ID": C, "Image": "web:3", "Name": "web", "Status": "start", "Time": "2026-11-18T12:06:40+01:00"}
    line |= {"Type": "container", "Attributes": {"podId": ""}}

    found = decode(Message("file:events", None, "docker", START, json.dumps(line).encode()))

    assert isinstance(found, Reject)
    assert "no Type or no Action" in found.reason


# --- containers -------------------------------------------------------------------------------------------------------


def test_each_exec_ends_by_its_own_code() -> None:
    first, end_of_first, second, end_of_second = events(
        told("exec", at=1),
        told("exec_died", at=2, containerExitCode="0"),
        told("exec", at=3),
        told("exec_died", at=4, containerExitCode="126"),
    )

    assert (first.resource_uri, second.resource_uri) == (end_of_first.resource_uri, end_of_second.resource_uri)
    assert first.resource_uri != second.resource_uri
    assert [found.state for found in (first, end_of_first, end_of_second)] == ["In progress", "Success", "Failed"]


def test_an_end_that_is_told_twice_ends_one_exec() -> None:
    began, ended, again = events(
        told("exec", at=1),
        told("exec_died", at=2, containerExitCode="1"),
        told("exec_died", at=2.004, containerExitCode="1"),
    )

    assert began.resource_uri == ended.resource_uri == again.resource_uri
    assert ended.uuid != again.uuid


def test_the_exec_of_a_probe_is_a_health_check_and_ends_no_other() -> None:
    began, _, probe, ended = events(
        told("exec", at=1, containerExitCode="0"),
        told("health_status", at=2, health="healthy", containerExitCode="0"),  # so does Podman 4
        told("exec_died", at=2.04, containerExitCode="0"),
        told("exec_died", at=2.5, containerExitCode="1"),
    )

    assert (probe.action, probe.state) == ("healthcheck", "Success")
    assert (ended.action, ended.state, ended.resource_uri) == ("exec", "Failed", began.resource_uri)


def test_an_exec_that_ends_after_a_word_of_health_is_no_probe() -> None:
    began, _, ended = events(
        told("exec", at=1),
        told("health_status", at=2, health="healthy"),  # so does Podman 5
        told("exec_died", at=2.04, containerExitCode="0"),
    )

    assert (ended.action, ended.resource_uri) == ("exec", began.resource_uri)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("healthy", "running (healthy)"),
        ("unhealthy", "running (unhealthy)"),
        ("starting", "running (health: starting)"),
        ("", "running"),
    ],
)
def test_the_word_of_health_is_read(word: str, state: str) -> None:
    assert event(told("health_status", health=word)).state == state


def test_a_label_is_never_an_exit_code() -> None:
    states = events(
        told("start", exitCode="7", execID="x", at=1), told("die", exitCode="3", containerExitCode="3", at=2)
    )

    assert states[-1].state == "exited (3)"


def test_a_network_is_connected_to_a_container() -> None:
    found = event(told("connect", kind="network", network="n1"))

    assert (found.type, found.action, found.parents) == ("action", "connect", (f"/docker/v1/container/{C}/",))


# --- all else ---------------------------------------------------------------------------------------------------------


def test_what_has_only_a_name_is_a_resource_by_its_name() -> None:
    envelope = {"engine": "vm.1", "message": told("create", "", kind="volume", name="data", image="")}

    found = event(envelope)

    assert (found.resource_uri, found.name) == ("/docker/v1/volume/vm.1.data/", "data")


def test_an_image_is_one_whether_its_digest_or_its_tag_is_told() -> None:
    found = events(
        told("tag", IMAGE, kind="image", name="localhost/bb:1", image="", at=1),
        told("pull", "", kind="image", name="bb:1", image="", at=2),  # Podman 4
        told("build", "", kind="image", name=IMAGE, image="", at=3),
    )

    assert {one.resource_uri for one in found} == {f"/docker/v1/image/sha256:{IMAGE}/"}
    assert [one.state for one in found] == [None, "created", "created"]


@pytest.mark.parametrize(
    ("action", "told_as"),
    [
        ("start", [("pod", "running")]),
        ("stop", [("pod", "exited"), ("action", "Success")]),
        ("restart", [("pod", "running"), ("action", "Success")]),
        ("kill", [("action", "Success")]),
        ("remove", [("pod", "removed")]),
    ],
)
def test_what_is_done_to_a_pod_tells_its_state(action: str, told_as: list[tuple[str, str]]) -> None:
    found = events(told(action, POD, kind="pod", name="shop"))

    assert [(one.type, one.state) for one in found] == told_as
    assert all(f"/docker/v1/pod/{POD}/" in (one.resource_uri, *one.parents) for one in found)

"""The source, on an engine that answers as Podman does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.model import Alive, Item, Message, Opened, Together
from archiver.platforms.decoders import Decoder
from archiver.platforms.docker.source import DockerSource
from archiver.platforms.docker.whose import Engines

from ..fake_engine import SECOND, FakeEngine
from .docker_items import QUICK, both, conditions, count, messages, observed, opened, raw, sees, watch

RECORDED = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "podman-events.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.fixture
def podman(engine: FakeEngine) -> FakeEngine:
    engine.as_podman()
    return engine


def told(number: int, action: str = "create", *, kind: str = "volume", id: str = "", **words: str) -> dict[str, Any]:
    """Something that Podman tells, a minute after what it told before."""
    attributes = {"image": "", "name": f"v{number}", "podId": "", **words}
    seconds = 1_795_000_000 + 60 * number
    message = {"Type": kind, "Action": action, "Actor": {"ID": id, "Attributes": attributes}, "scope": "local"}
    return message | {"time": seconds, "timeNano": seconds * SECOND}


def uris(got: list[Item]) -> list[str | None]:
    decoder, found = Decoder(), []
    for message in messages(got):
        event = decoder.decode(message)
        found += event.records if isinstance(event, Together) else [event]
    return [getattr(event, "resource_uri", None) for event in found]


def test_the_recorded_stream_is_heard_once_from_beginning_to_end(podman: FakeEngine, url: str) -> None:
    for message in RECORDED:
        podman.tell(message)

    got = watch(DockerSource(url, pace=QUICK), both(count(Message, len(RECORDED)), count(Alive, 3)))

    assert raw(got) == RECORDED


def test_its_objects_have_one_key_though_its_id_is_another_each_time(podman: FakeEngine, url: str) -> None:
    podman.tell(told(1))
    first = watch(DockerSource(url, pace=QUICK, engines=Engines()), count(Message, 1))
    again = watch(DockerSource(url, pace=QUICK, engines=Engines()), count(Message, 1))

    assert uris(first) == uris(again)
    assert [uri is not None and uri.endswith(".v1/") for uri in uris(first)] == [True]


def test_a_new_id_is_no_new_engine_and_nothing_to_speak_of(
    podman: FakeEngine, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    podman.answers["/volumes"] = {"Volumes": [{"Name": "v1"}]}

    def connect_again(item: Item) -> None:
        if isinstance(item, Alive):
            podman.hang_up()

    got = watch(DockerSource(url, pace=QUICK), count(Opened, 3), connect_again)

    assert not any(found.get("state") == "removed" for found in observed(got).values())
    assert "ID" not in caplog.text
    assert len({json.loads(found or "{}")["id"] for found in conditions(got, "identity")}) == 1


def test_another_storage_is_another_engine(podman: FakeEngine, url: str) -> None:
    podman.tell(told(1))
    one = uris(watch(DockerSource(url, pace=QUICK, engines=Engines()), count(Message, 1)))
    podman.answers["/info"]["DockerRootDir"] = "/home/ops/.local/share/containers/storage"
    other = uris(watch(DockerSource(url, pace=QUICK, engines=Engines()), count(Message, 1)))

    assert one != other


def test_what_was_told_in_between_is_read_on_from_the_last_message(podman: FakeEngine, url: str) -> None:
    for number in range(400):
        podman.tell(told(number))
    resume = messages(watch(DockerSource(url, pace=QUICK), count(Message, 400)))[-1].resume
    for number in range(400, 403):
        podman.tell(told(number))

    got = watch(DockerSource(url, pace=QUICK, resume=resume), both(count(Message, 3), count(Alive, 2)))

    assert raw(got) == [told(number) for number in range(400, 403)]
    assert opened(got)[0].covered_from == told(399)["time"] * 1_000_000
    assert "/events?since=1795023930" in podman.asked


def test_what_is_asked_of_its_memory_has_no_end(podman: FakeEngine, url: str) -> None:
    podman.tell(told(1))

    watch(DockerSource(url, pace=QUICK), both(count(Message, 1), count(Alive, 3)))

    assert not [path for path in podman.asked if "until" in path]


def test_what_its_log_no_longer_holds_is_a_gap(podman: FakeEngine, url: str) -> None:
    podman.tell(told(9))

    got = watch(DockerSource(url, pace=QUICK, resume=f"{told(1)['timeNano']}:lost"), count(Message, 1))

    assert opened(got)[0].covered_from == told(9)["time"] * 1_000_000


def test_a_removed_container_is_not_missed_in_the_list(podman: FakeEngine, url: str) -> None:
    container = {"Id": "c1" * 32, "Name": "/web", "State": {"Status": "running"}, "Config": {}}
    podman.answers["/containers/json?all=1"] = [{"Id": "c1" * 32, "Names": ["/web"], "State": "running"}]
    podman.answers[f"/containers/{'c1' * 32}/json"] = container

    def remove(item: Item) -> None:
        if f"/docker/v1/container/{'c1' * 32}/" in observed([item]):
            podman.answers["/containers/json?all=1"] = []
            podman.tell(told(1, "remove", kind="container", id="c1" * 32))

    got = watch(DockerSource(url, pace=QUICK), both(sees(f"container/{'c1' * 32}"), count(Message, 1)), remove)

    assert observed(got)[f"/docker/v1/container/{'c1' * 32}/"]["state"] == "running"

"""Whose clock and whose identity an engine has, and what becomes of what it tells when they are not what they seem."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.model import Alive, Item, Message, now_micros
from archiver.platforms.docker.source import DockerSource
from archiver.platforms.docker.whose import Engines

from ..fake_engine import FakeEngine
from .docker_items import QUICK, both, conditions, count, events, observed, opened, sees, watch

SECOND = 1_000_000


def once_open(do: Callable[[], None]) -> Callable[[Item], None]:
    """Does something as soon as the connection is open."""
    done: list[bool] = []

    def look(item: Item) -> None:
        if isinstance(item, Alive) and not done:
            done.append(True)
            do()

    return look


@pytest.mark.parametrize("skew", [0, -3600, 3600, -90, 90])
def test_events_are_found_when_they_were_heard_whatever_the_engine_s_clock_shows(
    engine: FakeEngine, url: str, skew: int
) -> None:
    engine.skew = skew
    engine.told_now(action="create")
    began = now_micros()

    got = watch(DockerSource(url, pace=QUICK), count(Message, 2), once_open(lambda: engine.told_now(action="start")))

    first, second = (event.occurred_at for event in events(got))
    assert began - SECOND < first <= second <= now_micros() + SECOND
    assert abs(opened(got)[0].covered_from - first) < SECOND
    assert abs(int(conditions(got, "clock")[0] or "") - skew * SECOND) < SECOND


def test_a_clock_that_is_wrong_is_said_so(engine: FakeEngine, url: str, caplog: pytest.LogCaptureFixture) -> None:
    engine.skew = -3600

    watch(DockerSource(url, pace=QUICK), count(Alive, 3))

    assert caplog.text.count("is 3600 s behind ours") == 1


def test_a_clock_that_is_set_back_does_not_turn_the_order_round(engine: FakeEngine, url: str) -> None:
    def live() -> None:
        engine.told_now(action="create")
        engine.skew = -3600
        engine.told_now(action="start")
        engine.told_now(action="pause")

    got = watch(DockerSource(url, pace=QUICK), count(Message, 3), once_open(live))

    by_time = sorted(events(got), key=lambda event: event.occurred_at)
    assert [event.action for event in by_time] == ["create", "start", "pause"]


def test_a_clock_that_was_set_is_compared_again(engine: FakeEngine, url: str) -> None:
    engine.forbidden = {"^/_ping": 200}
    engine.headers["Date"] = "Mon, 23 Nov 2026 10:00:00 GMT"

    def differs(got: list[Item]) -> bool:
        return len(conditions(got, "clock")) > 1

    assert watch(DockerSource(url, pace=QUICK), differs)


def test_observations_are_dated_as_events_are(engine: FakeEngine, url: str) -> None:
    engine.skew = -3600
    engine.answers["/networks"] = [{"Id": "n1", "Name": "net", "Scope": "local", "Created": "2026-01-01T00:00:00Z"}]
    began = now_micros()

    got = watch(DockerSource(url, pace=QUICK), sees("network/n1"))

    at = next(item.at for item in got if getattr(item, "payload", b"").startswith(b'{"uri": "/docker/v1/network'))
    assert began - SECOND <= at <= now_micros()


# --- who it is --------------------------------------------------------------------------------------------------------


def test_an_engine_says_who_it_is(engine: FakeEngine, url: str) -> None:
    got = watch(DockerSource(url, pace=QUICK), count(Alive, 1))

    told = {"engine": "ENGINE", "id": "ENGINE", "node": "node1", "swarm": "swarm1", "host": "vm"}
    assert [json.loads(value or "") for value in conditions(got, "identity")] == [told]


def on_host(engine: FakeEngine, name: str) -> FakeEngine:
    """An engine without a swarm, with a volume."""
    engine.answers["/info"] |= {"Name": name, "Swarm": {}}
    engine.answers["/volumes"] = {"Volumes": [{"Name": "data"}]}
    return engine


def test_machines_made_from_one_template_are_two_engines(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engines, found = Engines(), []
    for host in ("a", "b"):
        with on_host(FakeEngine(), host).on_socket(tmp_path / host) as url:
            found.append(watch(DockerSource(url, pace=QUICK, engines=engines), count(Alive, 5)))

    first, second = (observed(got).keys() for got in found)
    assert {"/docker/v1/node/ENGINE/", "/docker/v1/volume/ENGINE.data/"} <= first
    assert {"/docker/v1/node/ENGINE-b/", "/docker/v1/volume/ENGINE-b.data/"} <= second
    assert "has the same ID as that at" in caplog.text
    assert "has the same ID as that at" in str(conditions(found[1], "trouble"))


def test_one_engine_by_two_ways_is_one(tmp_path: Path) -> None:
    engines = Engines()
    engine = on_host(FakeEngine(), "a")
    with engine.on_socket(tmp_path / "s") as one, engine.on_tcp() as other:
        found = [watch(DockerSource(way, pace=QUICK, engines=engines), count(Alive, 5)) for way in (one, other)]

    assert observed(found[0]).keys() == observed(found[1]).keys()


def test_an_id_that_is_new_at_every_call_makes_nothing_vanish_and_nothing_double(engine: FakeEngine, url: str) -> None:
    on_host(engine, "a")

    def change() -> None:
        engine.answers["/info"]["ID"] = "OTHER"
        engine.hang_up()

    def again(got: list[Item]) -> bool:
        return len(opened(got)) == 2 and count(Alive, 10)(got)

    got = watch(DockerSource(url, pace=QUICK, engines=Engines()), again, once_open(change))

    assert observed(got).keys() == {"/docker/v1/node/ENGINE/", "/docker/v1/volume/ENGINE.data/"}
    assert {found["state"] for found in observed(got).values()} == {"ready", "created"}


def test_another_engine_at_the_same_url_does_not_end_what_the_first_had(engine: FakeEngine, url: str) -> None:
    on_host(engine, "a")

    def replace() -> None:
        engine.answers["/info"] |= {"ID": "OTHER", "Name": "b"}
        engine.hang_up()

    done = both(sees("volume/OTHER.data"), count(Alive, 10))
    got = watch(DockerSource(url, pace=QUICK, engines=Engines()), done, once_open(replace))

    assert {found["state"] for found in observed(got).values()} == {"ready", "created"}

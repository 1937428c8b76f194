"""What a Docker source learns by asking, beside the stream and never before it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest

from archiver.model import Alive, Event, Item, Message, Observed, Opened, iso, now_micros, to_micros
from archiver.platforms.decoders import decode
from archiver.platforms.docker.decoder import StreamDecoder
from archiver.platforms.docker.inspect import READERS
from archiver.platforms.docker.questions import about
from archiver.platforms.docker.source import DockerSource
from archiver.platforms.docker.stock import Stock
from archiver.platforms.docker.whose import Engines
from archiver.recording.spool.queue import Spool

from ..fake_engine import FakeEngine, message
from .docker_items import QUICK, Done, both, count, events, messages, observed, opened, raw, sees, watch


def somebody_is_gone(got: list[Item]) -> bool:
    """Whether something was observed to be there no more."""
    return any(found["state"] == "removed" for found in observed(got).values())


CONTAINER: dict[str, Any] = {
    "Id": "c1",
    "Name": "/shop_web.1.t1",
    "Created": "2026-11-23T18:00:00Z",
    "State": {"Status": "running", "ExitCode": 0, "Health": {"Status": "healthy", "Log": [{"Output": "CANARY"}]}},
    "Config": {
        "Image": "bb:1",
        "Env": ["PASSWORD=CANARY"],
        "Cmd": ["run", "--token=CANARY"],
        "Healthcheck": {"Test": ["CMD", "/bin/check", "CANARY"]},
        "Labels": {
            "com.docker.stack.namespace": "shop",
            "com.docker.swarm.service.id": "s1",
            "com.docker.swarm.service.name": "shop_web",
            "com.docker.swarm.node.id": "node1",
            "secret": "CANARY",
        },
    },
}
SERVICE = {
    "ID": "s1",
    "Spec": {
        "Name": "shop_web",
        "Labels": {"com.docker.stack.namespace": "shop", "secret": "CANARY"},
        "Mode": {"Replicated": {"Replicas": 2}},
        "TaskTemplate": {"ContainerSpec": {"Image": "bb:1", "Env": ["PASSWORD=CANARY"]}},
    },
}


@pytest.fixture
def busy(engine: FakeEngine) -> FakeEngine:
    """An engine on which a stack runs."""
    engine.answers |= {
        "/containers/json?all=1": [{"Id": "c1"}],
        "/containers/c1/json": CONTAINER,
        "/services": [SERVICE],
        "/services/s1": SERVICE,
        "/nodes": [{"ID": "node1", "Description": {"Hostname": "vm"}, "Status": {"State": "ready"}}],
        "/configs": [{"ID": "k1", "Spec": {"Name": "conf", "Data": "CANARY", "Labels": {}}}],
        "/networks": [{"Id": "n1", "Name": "host", "Scope": "local", "Labels": {}, "Options": {"x": "CANARY"}}],
        "/volumes": {"Volumes": [{"Name": "data", "Labels": None, "Options": {"password": "CANARY"}}]},
        "/images/json": [{"Id": "sha256:aa", "RepoTags": ["bb:1"], "Labels": {"x": "CANARY"}}],
    }
    return engine


def test_objects_that_are_quiet_are_observed(busy: FakeEngine, url: str) -> None:
    found = observed(watch(DockerSource(url, pace=QUICK), sees("container/c1")))

    container = found["/docker/v1/container/c1/"]
    assert (container["name"], container["state"]) == ("shop_web.1.t1", "running (healthy)")
    assert container["parents"] == [
        "/docker/v1/service/s1/",
        "/docker/v1/stack/swarm1.shop/",
        "/docker/v1/node/node1/",
        "/docker/v1/nodecluster/swarm1/",
    ]
    assert {uri: item["name"] for uri, item in found.items()} == {
        "/docker/v1/nodecluster/swarm1/": "default",
        "/docker/v1/node/node1/": "vm",
        "/docker/v1/stack/swarm1.shop/": "shop",
        "/docker/v1/service/s1/": "shop_web",
        "/docker/v1/config/k1/": "conf",
        "/docker/v1/network/n1/": "host",
        "/docker/v1/volume/ENGINE.data/": "data",
        "/docker/v1/image/ENGINE.sha256:aa/": "bb:1",
        "/docker/v1/container/c1/": "shop_web.1.t1",
    }


IMAGE = {
    "Id": "sha256:cc",
    "RepoTags": ["shop/web:3"],
    "Created": "2026-11-18T07:06:40.5Z",
    "Size": 10,
    "Config": {"Env": ["PASSWORD=CANARY"]},
}


@pytest.mark.parametrize("images", [[], [{"Id": "sha256:aa", "RepoTags": ["bb:1"]}]])
def test_a_tag_that_is_pulled_is_tied_to_its_image_at_once(engine: FakeEngine, url: str, images: list[Any]) -> None:
    engine.answers |= {"/images/json": images, "/images/shop/web:3/json": IMAGE}

    def pull() -> None:
        engine.told_now(kind="image", action="pull", id="shop/web:3", name="shop/web")

    listed = "/images/json"
    got = watch(
        DockerSource(url, pace=QUICK),
        sees("image/ENGINE.sha256:cc"),
        once(pull, lambda got: listed in engine.asked and count(Alive, 3)(got)),
    )

    found = observed(got)["/docker/v1/image/ENGINE.sha256:cc/"]
    assert (found["name"], found["state"], found["extra"]["tags"]) == ("shop/web:3", "created", ["shop/web:3"])
    decoder = StreamDecoder()
    events = [decoder.decode(item) for item in messages(got)]
    assert [(event.type, event.state) for event in events if isinstance(event, Event)] == [("image", None)]
    assert "CANARY" not in repr(got)


def test_an_image_of_several_tags_goes_on_by_the_one_that_was_named_last(engine: FakeEngine, url: str) -> None:
    engine.answers |= {
        "/images/json": [{"Id": "sha256:cc", "RepoTags": ["shop/web:2"]}],
        "/images/shop/web:3/json": {**IMAGE, "RepoTags": ["shop/web:2", "shop/web:3"]},
    }

    def pull() -> None:
        engine.told_now(kind="image", action="pull", id="shop/web:3", name="shop/web")
        engine.answers["/images/json"] = [{"Id": "sha256:cc", "RepoTags": ["shop/web:3", "shop/web:2"], "Size": 2}]

    got = watch(
        DockerSource(url, pace=replace(QUICK, containers_every=0.1, stock_every=0.1)),
        lambda got: "/images/shop/web:3/json" in engine.asked and engine.asked.count("/images/json") > 9,
        once(pull, sees("image/ENGINE.sha256:cc")),
    )

    told = [json.loads(item.payload) for item in got if isinstance(item, Observed)]
    names = [item["name"] for item in told if item["uri"] == "/docker/v1/image/ENGINE.sha256:cc/"]
    assert names[0] == "shop/web:2"
    assert set(names[names.index("shop/web:3") :]) == {"shop/web:3"}


def test_what_a_list_says_of_an_image_that_was_asked_about_is_no_news(engine: FakeEngine, url: str) -> None:
    listed = {"Id": "sha256:cc", "RepoTags": ["shop/web:3"], "Created": 1795500400, "Size": 12}
    engine.answers |= {"/images/json": [], "/images/shop/web:3/json": {**IMAGE, "Created": "2026-11-24T06:06:40.5Z"}}

    def pull() -> None:
        engine.told_now(kind="image", action="pull", id="shop/web:3")
        engine.answers["/images/json"] = [listed]

    pace = replace(QUICK, containers_every=0.1, stock_every=0.1)
    got = watch(
        DockerSource(url, pace=pace),
        both(sees("image/ENGINE.sha256:cc"), lambda got: engine.asked.count("/images/json") > 8),
        once(pull, count(Alive, 3)),
    )

    told = [json.loads(item.payload)["uri"] for item in got if isinstance(item, Observed)]
    assert told.count("/docker/v1/image/ENGINE.sha256:cc/") == 1


def test_no_secret_of_an_object_is_taken(busy: FakeEngine, url: str) -> None:
    busy.tell(message(1, action="create"))

    got = watch(DockerSource(url, pace=QUICK), sees("container/c1"))

    assert "CANARY" not in repr(got)


def test_an_engine_without_a_swarm_is_a_node(busy: FakeEngine, url: str) -> None:
    busy.answers["/info"]["Swarm"] = {"NodeID": "", "LocalNodeState": "inactive", "ControlAvailable": False}

    found = observed(watch(DockerSource(url, pace=QUICK), sees("container/c1")))

    assert found["/docker/v1/node/ENGINE/"]["name"] == "vm"
    assert found["/docker/v1/volume/ENGINE.data/"]["parents"] == ["/docker/v1/node/ENGINE/"]


def once(do: Callable[[], None], when: Done) -> Callable[[Item], None]:
    """Does something as soon as the source has yielded this."""
    got: list[Item] = []

    def look(item: Item) -> None:
        got.append(item)
        if when(got) and not done:
            done.append(True)
            do()

    done: list[bool] = []
    return look


def test_a_new_service_is_asked_for_its_stack(engine: FakeEngine, url: str) -> None:
    def deploy() -> None:
        # In the list as well: what the list misses is soon observed as gone.
        engine.answers |= {"/services": [SERVICE], "/services/s1": SERVICE}
        engine.told_now(kind="service", action="create", id="s1", name="shop_web")

    source = DockerSource(url, pace=QUICK)
    got = watch(source, both(count(Message, 1), sees("service/s1")), once(deploy, count(Alive, 1)))

    assert observed(got)["/docker/v1/service/s1/"]["extra"]["replicas"] == 2
    assert observed(got)["/docker/v1/service/s1/"]["parents"][0] == "/docker/v1/stack/swarm1.shop/"


def test_the_removal_of_a_service_still_knows_its_stack(busy: FakeEngine, url: str) -> None:
    def remove() -> None:
        busy.told_now(kind="service", action="remove", id="s1", name="shop_web")

    got = watch(DockerSource(url, pace=QUICK), count(Message, 1), once(remove, sees("service/s1")))

    assert events(got)[0].parents == ("/docker/v1/stack/swarm1.shop/", "/docker/v1/nodecluster/swarm1/")


def test_an_exec_of_the_health_check_is_told_from_that_of_a_person(busy: FakeEngine, url: str) -> None:
    def probe() -> None:
        for execution, command in [("e1", "/bin/check CANARY"), ("e2", "sh")]:
            busy.told_now(action=f"exec_create: {command}", execID=execution)
            busy.told_now(action=f"exec_start: {command}", execID=execution)
            busy.told_now(action="exec_die", execID=execution, exitCode="0")

    got = watch(DockerSource(url, pace=QUICK), count(Message, 6), once(probe, sees("container/c1")))

    assert [event.action for event in events(got)] == ["healthcheck"] * 3 + ["exec"] * 3


def test_what_vanished_while_nobody_watched_is_observed_as_removed(busy: FakeEngine, url: str) -> None:
    def vanish() -> None:
        busy.answers["/containers/json?all=1"] = []
        busy.hang_up()

    got = watch(
        DockerSource(url, pace=QUICK), both(somebody_is_gone, count(Opened, 2)), once(vanish, sees("container/c1"))
    )

    assert observed(got)["/docker/v1/container/c1/"]["state"] == "removed"


def test_an_end_that_was_never_told_is_seen_in_the_next_list(busy: FakeEngine, url: str) -> None:
    def vanish() -> None:
        busy.answers["/containers/json?all=1"] = []

    source = DockerSource(url, pace=replace(QUICK, containers_every=0.2))
    got = watch(source, somebody_is_gone, once(vanish, sees("container/c1")))

    assert len(opened(got)) == 1


def test_a_beginning_that_was_never_told_is_seen_in_the_next_list(busy: FakeEngine, url: str) -> None:
    def appear() -> None:
        busy.answers["/containers/json?all=1"] = [{"Id": "c1"}, {"Id": "c2"}]
        busy.answers["/containers/c2/json"] = {**CONTAINER, "Id": "c2"}

    source = DockerSource(url, pace=replace(QUICK, containers_every=0.2))

    watch(source, sees("container/c2"), once(appear, sees("container/c1")))


def test_a_container_that_a_message_told_to_live_and_no_list_shows_is_gone(engine: FakeEngine, url: str) -> None:
    engine.tell(message(1, action="start"))

    watch(DockerSource(url, pace=QUICK), somebody_is_gone)


def test_what_a_list_says_again_is_observed_once(busy: FakeEngine, url: str) -> None:
    source = DockerSource(url, pace=replace(QUICK, containers_every=0.1, stock_every=0.1))

    got = watch(source, lambda _: busy.asked.count("/networks") > 5)

    uris = [json.loads(item.payload)["uri"] for item in got if isinstance(item, Observed)]
    assert len(uris) == len(set(uris))
    assert busy.asked.count("/containers/c1/json") == 1


def test_the_end_of_a_container_that_is_told_is_not_observed_as_well(busy: FakeEngine, url: str) -> None:
    def destroy() -> None:
        busy.answers["/containers/json?all=1"] = []
        busy.told_now(action="destroy")

    source = DockerSource(url, pace=replace(QUICK, containers_every=0.1))
    lists = lambda _: busy.asked.count("/containers/json?all=1") > 5  # noqa: E731
    got = watch(source, both(count(Message, 1), lists), once(destroy, sees("container/c1")))

    assert not somebody_is_gone(got)


@pytest.mark.parametrize("manager", [True, False])
def test_only_a_manager_knows_that_a_network_of_the_swarm_is_gone(busy: FakeEngine, url: str, manager: bool) -> None:
    """A worker lists only those that it uses."""
    busy.answers["/info"]["Swarm"]["ControlAvailable"] = manager
    busy.answers["/networks"] = [
        {"Id": "n1", "Name": "net1", "Scope": "local", "Labels": {}},
        {"Id": "n2", "Name": "net2", "Scope": "swarm", "Labels": {}},
    ]

    def unused() -> None:
        busy.answers["/networks"] = []

    source = DockerSource(url, pace=replace(QUICK, containers_every=0.1, stock_every=0.1))
    done = both(somebody_is_gone, lambda _: busy.asked.count("/networks") > 5)
    got = watch(source, done, once(unused, sees("network/n1", "network/n2")))

    assert observed(got)["/docker/v1/network/n1/"]["state"] == "removed"
    assert (observed(got)["/docker/v1/network/n2/"]["state"] == "removed") is manager


def test_a_new_name_is_observed(busy: FakeEngine, url: str) -> None:
    def rename() -> None:
        busy.answers["/containers/c1/json"] = {**CONTAINER, "Name": "/renamed"}
        busy.told_now(action="rename", oldName="/shop_web.1.t1", name="renamed")

    def renamed(got: list[Item]) -> bool:
        return observed(got).get("/docker/v1/container/c1/", {}).get("name") == "renamed"

    assert watch(DockerSource(url, pace=QUICK), renamed, once(rename, sees("container/c1")))


def test_containers_that_hang_do_not_keep_the_others_out(busy: FakeEngine, url: str) -> None:
    """Real engines answer everything but the question about one stuck container."""
    names = [f"c{number}" for number in range(40)]
    busy.answers["/containers/json?all=1"] = [{"Id": name, "Names": [f"/{name}"], "State": "running"} for name in names]
    busy.answers |= {f"/containers/{name}/json": {**CONTAINER, "Id": name} for name in names}
    busy.hangs |= {f"/containers/c{number}/json" for number in (3, 4, 5)}

    got = watch(DockerSource(url, pace=QUICK), sees(*(f"container/{name}" for name in names)))

    assert observed(got)["/docker/v1/container/c4/"]["extra"] == {"id": "c4"}  # what the list says of it
    assert observed(got)["/docker/v1/container/c39/"]["extra"]["image"] == "bb:1"


def test_a_container_that_hung_is_asked_about_again(busy: FakeEngine, url: str) -> None:
    busy.hangs.add("/containers/c1/json")
    source = DockerSource(url, pace=replace(QUICK, ask_again=0.1))

    def is_known(got: list[Item]) -> bool:
        return "image" in observed(got).get("/docker/v1/container/c1/", {}).get("extra", {})

    assert watch(source, is_known, once(busy.hangs.clear, sees("container/c1")))


def test_the_first_event_waits_for_no_container(engine: FakeEngine, url: str) -> None:
    """However many there are: counted in questions, not in seconds."""
    names = [f"c{number}" for number in range(2000)]
    engine.answers["/containers/json?all=1"] = [{"Id": name} for name in names]
    engine.answers |= {f"/containers/{name}/json": {**CONTAINER, "Id": name} for name in names[3:]}
    engine.hangs |= {f"/containers/{name}/json" for name in names[:3]}
    engine.tell(message(1))
    asked: list[str] = []

    def look(item: Item) -> None:
        if isinstance(item, Message) and not asked:
            asked.extend(engine.asked)

    got = watch(DockerSource(url, pace=QUICK), count(Message, 1), look)

    assert {path.partition("&")[0] for path in asked} <= {"/events?since=0", "/info", "/_ping"}
    first = next(at for at, item in enumerate(got) if isinstance(item, Message))
    assert "/docker/v1/container/" not in str(got[:first])


def test_an_event_that_comes_while_stock_is_taken_waits_for_no_container(busy: FakeEngine, url: str) -> None:
    busy.hangs.add("/containers/c1/json")
    pace = replace(QUICK, question=5, patience=5)
    asked = lambda _: "/containers/c1/json" in busy.asked  # noqa: E731
    began = time.monotonic()

    got = watch(DockerSource(url, pace=pace), count(Message, 1), once(lambda: busy.tell(message(1)), asked))

    assert raw(got) == [message(1)]
    assert time.monotonic() - began < 4


LIST = "/containers/json?all=1"
PATIENT = replace(QUICK, question=2)


def while_asked(engine: FakeEngine, path: str, do: Callable[[], None]) -> Callable[[Item], None]:
    """Does something while the engine, which has looked already, is slow to answer."""
    engine.slow[path] = 0.2
    return once(do, lambda _: path in engine.asked)


def test_an_answer_that_was_asked_for_before_an_event_does_not_undo_it(engine: FakeEngine, url: str) -> None:
    """The container dies while it is asked about: it was running when the engine looked."""
    engine.answers[LIST] = [{"Id": "c1"}]
    engine.answers["/containers/c1/json"] = CONTAINER

    def die() -> None:
        engine.told_now(action="die", exitCode="1")
        engine.answers["/containers/c1/json"] = {**CONTAINER, "State": {"Status": "exited", "ExitCode": 1}}

    def ended(got: list[Item]) -> bool:
        return observed(got).get("/docker/v1/container/c1/", {}).get("state") == "exited (1)"

    got = watch(DockerSource(url, pace=PATIENT), ended, while_asked(engine, "/containers/c1/json", die))

    answer = next(item for item in got if isinstance(item, Observed) and b"container/c1" in item.payload)
    assert json.loads(answer.payload)["state"] is None
    assert answer.at < events(got)[0].occurred_at


def test_what_began_after_a_list_was_asked_for_is_not_gone_because_it_is_not_in_it(
    engine: FakeEngine, url: str
) -> None:
    begin = while_asked(engine, LIST, lambda: engine.told_now(action="start"))

    got = watch(DockerSource(url, pace=PATIENT), both(count(Message, 1), count(Alive, 12)), begin)

    assert not somebody_is_gone(got)


def test_what_ended_after_a_list_was_asked_for_is_not_there_because_it_is_in_it(busy: FakeEngine, url: str) -> None:
    end = while_asked(busy, LIST, lambda: busy.told_now(action="destroy"))

    got = watch(DockerSource(url, pace=PATIENT), both(count(Message, 1), count(Alive, 12)), end)

    assert "/docker/v1/container/c1/" not in observed(got)


@pytest.mark.parametrize(("forgets", "times"), [(False, 1), (True, 2)])
def test_what_is_there_is_observed_again_when_something_may_have_been_missed(
    busy: FakeEngine, url: str, forgets: bool, times: int
) -> None:
    busy.tell(message(1, action="top"))

    def cut() -> None:
        if forgets:
            busy.forget()
        busy.hang_up()

    done = both(count(Opened, 2), lambda got: count(Alive, 5)(got[got.index(opened(got)[1]) :]))
    got = watch(DockerSource(url, pace=QUICK), done, once(cut, sees("container/c1")))

    assert sum(b"container/c1" in item.payload for item in got if isinstance(item, Observed)) == times


@pytest.mark.parametrize("unheard", [True, False])
def test_what_ended_while_nobody_listened_is_observed_as_of_its_end(busy: FakeEngine, url: str, unheard: bool) -> None:
    ended: list[int] = []

    def cut() -> None:
        busy.forget()
        ended.append(now_micros() if unheard else to_micros(datetime(2026, 11, 1, tzinfo=UTC)))
        state = {"Status": "exited", "ExitCode": 3, "FinishedAt": iso(ended[0])}
        busy.answers["/containers/c1/json"] = {**CONTAINER, "State": state}
        busy.hang_up()

    busy.told_now(action="top")
    found = '"exited (3)"'
    done = both(count(Opened, 2), lambda got: any(found.encode() in item.payload for item in asked(got)))
    got = watch(DockerSource(url, pace=QUICK), both(done, count_of_last_alive), once(cut, sees("container/c1")))

    dates = [item.at for item in asked(got) if found.encode() in item.payload]
    assert [at for at in dates if at == ended[0]] == ended * unheard
    assert dates[-1] > opened(got)[1].at


def asked(got: list[Item]) -> list[Observed]:
    return [item for item in got if isinstance(item, Observed)]


def count_of_last_alive(got: list[Item]) -> bool:
    """Whether the second session has shown twice that it is there."""
    return count(Alive, 2)(got[got.index(opened(got)[1]) :])


def test_what_two_managers_tell_of_their_swarm_is_one_event(tmp_path: Path) -> None:
    told = []
    for number in range(2):
        manager = FakeEngine()
        manager.answers["/info"] |= {"ID": f"ENGINE{number}"}
        manager.answers["/info"]["Swarm"]["NodeID"] = f"node{number}"
        manager.tell(message(1, "service", "create", "s1", name="shop_web"))
        with manager.on_socket(tmp_path / f"s{number}") as url:
            told += messages(watch(DockerSource(url, pace=QUICK), count(Message, 1)))

    first, second = (decode(item) for item in told)
    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert (first.uuid, first.extra) == (second.uuid, second.extra)


def test_an_observation_is_of_the_instant_of_the_question(busy: FakeEngine, url: str) -> None:
    began = now_micros()
    got = watch(DockerSource(url, pace=QUICK), sees("container/c1"))

    times = [item.at for item in got if isinstance(item, Observed)]
    assert began <= min(times) <= max(times) <= now_micros()


# --- over a restart of the archiver -----------------------------------------------------------------------------------


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool.db") as spool:
        yield spool


def test_what_vanished_while_no_archiver_ran_is_observed_as_removed(busy: FakeEngine, url: str, spool: Spool) -> None:
    watch(DockerSource(url, pace=QUICK, notes=spool), sees("container/c1", "volume/ENGINE.data"))
    busy.answers["/containers/json?all=1"] = []
    busy.answers["/volumes"] = {"Volumes": None}

    def gone(got: list[Item]) -> set[str]:
        return {uri for uri, found in observed(got).items() if found["state"] == "removed"}

    wanted = {"/docker/v1/container/c1/", "/docker/v1/volume/ENGINE.data/"}
    watch(DockerSource(url, pace=QUICK, notes=spool), lambda got: gone(got) == wanted)


def test_a_probe_is_known_again_after_a_restart(busy: FakeEngine, url: str, spool: Spool) -> None:
    watch(DockerSource(url, pace=QUICK, notes=spool), sees("container/c1"))
    busy.hangs.add("/containers/c1/json")
    busy.told_now(action="exec_create: /bin/check CANARY", execID="e1")

    got = watch(DockerSource(url, pace=QUICK, notes=spool), count(Message, 1))

    assert [event.action for event in events(got)] == ["healthcheck"]
    assert "CANARY" not in str(spool.noted(url))


def test_an_engine_with_a_new_id_after_a_restart_is_the_one_it_was(busy: FakeEngine, url: str, spool: Spool) -> None:
    busy.answers["/info"]["Swarm"] = {}
    watch(DockerSource(url, pace=QUICK, notes=spool, engines=Engines()), sees("volume/ENGINE.data"))
    busy.answers["/info"]["ID"] = "OTHER"

    got = watch(DockerSource(url, pace=QUICK, notes=spool, engines=Engines()), sees("volume/ENGINE.data"))

    assert not any("OTHER" in uri for uri in observed(got))


@pytest.mark.parametrize("note", ["", "nonsense", "[]", '{"there": 3}', '{"there": {}, "probes": {}, "engine": {}}'])
def test_a_note_that_cannot_be_read_says_nothing(busy: FakeEngine, url: str, spool: Spool, note: str) -> None:
    spool.note(url, note)

    watch(DockerSource(url, pace=QUICK, notes=spool), sees("container/c1"))


def test_a_probe_that_the_engine_remembers_is_asked_about_before_it_is_told(busy: FakeEngine, url: str) -> None:
    busy.tell(message(1, action="exec_create: /bin/check CANARY", execID="e1"))

    got = watch(DockerSource(url, pace=QUICK), count(Message, 1))

    assert [event.action for event in events(got)] == ["healthcheck"]


def test_a_probe_that_begins_before_its_container_is_known_is_called_one_afterwards(busy: FakeEngine, url: str) -> None:
    busy.hangs.add("/containers/c1/json")
    early, late = "e" * 64, "f" * 64

    def probe() -> None:
        for execution in (early, late):
            busy.told_now(action="exec_create: /bin/check CANARY", execID=execution)
        busy.told_now(action="exec_die", execID=early, exitCode="0")
        busy.told_now(action="exec_create: sh", execID="a" * 64)

    def answer() -> None:
        busy.hangs.clear()

    def end() -> None:
        busy.told_now(action="exec_die", execID=late, exitCode="0")
        busy.told_now(action="exec_die", execID="a" * 64, exitCode="0")

    acts = [
        once(probe, sees("volume/ENGINE.data")),
        once(answer, count(Message, 4)),
        once(end, sees(f"action/{early}")),
    ]

    def act(item: Item) -> None:
        for one in acts:
            one(item)

    done = both(count(Message, 6), sees(f"action/{early}", f"action/{late}"))
    got = watch(DockerSource(url, pace=QUICK), done, act)

    assert [event.action for event in events(got)[-2:]] == ["healthcheck", "exec"]
    named = {uri: found["name"] for uri, found in observed(got).items() if "/action/" in uri}
    assert named == {f"/docker/v1/action/{key}/": "healthcheck" for key in (early, late)}
    assert all("CANARY" not in str(found) for found in observed(got).values())


def test_an_exec_in_a_container_that_hangs_is_waited_for_no_longer_than_a_moment(busy: FakeEngine, url: str) -> None:
    busy.hangs.add("/containers/c1/json")
    busy.tell(message(1, action="exec_create: sh", execID="e1"))
    began = time.monotonic()

    got = watch(DockerSource(url, pace=replace(QUICK, question=8)), count(Message, 1))

    assert [event.action for event in events(got)] == ["exec"]
    assert time.monotonic() - began < 3


def test_what_the_engine_remembers_to_have_begun_is_asked_about_at_once(busy: FakeEngine, url: str) -> None:
    """Or the first probe of its health would be taken for what a person does."""
    busy.tell(message(1, action="create"))
    busy.tell(message(2, action="create", id="c2"))
    busy.tell(message(3, action="destroy", id="c2"))

    watch(DockerSource(url, pace=replace(QUICK, stock_after=60)), sees("container/c1"))

    assert "/containers/c2/json" not in busy.asked


def test_a_container_is_asked_about_when_an_exec_shows_that_it_is_not_known(busy: FakeEngine, url: str) -> None:
    def run() -> None:
        busy.told_now(action="exec_create: sh", execID="e1")

    source = DockerSource(url, pace=replace(QUICK, stock_after=60))

    watch(source, sees("container/c1"), once(run, count(Alive, 1)))


def test_an_answer_that_cannot_be_read_is_passed_over_with_a_warning(
    busy: FakeEngine, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(found: object, engine: object) -> NoReturn:
        raise RecursionError("too deep")

    monkeypatch.setitem(READERS, "network", fail)

    got = watch(DockerSource(url, pace=QUICK), sees("container/c1"))

    assert len(opened(got)) == 1
    assert "answered to /networks is passed over: unexpected RecursionError in test_docker_stock.py" in caplog.text


def test_answers_of_other_types_do_not_end_the_stream(busy: FakeEngine, url: str) -> None:
    busy.answers["/containers/json?all=1"] = [{"Id": "c1", "Labels": 5}, {"Id": "c2"}]
    busy.answers["/containers/c1/json"] = {**CONTAINER, "Config": {**CONTAINER["Config"], "Labels": [{}], "Shell": 7}}
    busy.answers["/containers/c2/json"] = {**CONTAINER, "Id": "c2", "RestartCount": json.loads("[" * 900 + "]" * 900)}

    got = watch(DockerSource(url, pace=QUICK), sees("container/c1", "container/c2"))

    assert len(opened(got)) == 1


def test_of_what_comes_and_goes_while_a_question_hangs_nothing_waits(
    engine: FakeEngine, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.hangs.add("/containers/c0/json")
    made: list[Stock] = []
    begin = Stock.start
    monkeypatch.setattr(Stock, "start", lambda stock: (made.append(stock), begin(stock)))

    def come_and_go() -> None:
        engine.told_now(action="create", id="c0")
        for number in range(1, 200):
            engine.told_now(action="create", id=f"c{number}")
            engine.told_now(action="destroy", id=f"c{number}")

    waiting: list[str] = []

    def look(item: Item) -> None:
        begin_all(item)
        if isinstance(item, Message) and b'"c199"' in item.payload and b"destroy" in item.payload:
            waiting.extend(key for key in map("c{}".format, range(1, 200)) if made[-1].waits(about("container", key)))

    begin_all = once(come_and_go, count(Alive, 1))
    watch(DockerSource(url, pace=replace(QUICK, question=2)), count(Message, 399), look)

    assert waiting == []

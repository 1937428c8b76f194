"""The Docker source against an engine that does what the test says, over real sockets."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.model import Alive, Closed, Event, Item, Message, Observed, Opened
from archiver.platforms.decoders import decode
from archiver.platforms.docker import http
from archiver.platforms.docker.source import STOPPED, DockerPace, DockerSource

from ..fake_engine import START, FakeEngine, message

QUICK = DockerPace(patience=2, alive_every=0.05, dead_after=0.3, first_delay=0.02, longest_delay=0.02)
Done = Callable[[list[Item]], bool]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def url(engine: FakeEngine, tmp_path: Path) -> Iterator[str]:
    with engine.on_socket(tmp_path / "s") as url:
        yield url


def watch(source: DockerSource, done: Done, do: Callable[[Item], None] = lambda item: None) -> list[Item]:
    """All that the source yields; stops it as soon as `done` holds."""
    stop, got = threading.Event(), []
    limit = time.monotonic() + 20
    for item in source.items(stop):
        got.append(item)
        do(item)
        if done(got) or time.monotonic() > limit:
            stop.set()
    assert done(got), got
    return got


def messages(got: list[Item]) -> list[Message]:
    return [item for item in got if isinstance(item, Message)]


def raw(got: list[Item]) -> list[dict[str, Any]]:
    return [json.loads(item.payload)["message"] for item in messages(got)]


def events(got: list[Item]) -> list[Event]:
    found = [decode(item) for item in messages(got)]
    assert all(isinstance(event, Event) for event in found)
    return [event for event in found if isinstance(event, Event)]


def observed(got: list[Item]) -> dict[str, dict[str, Any]]:
    found = [json.loads(item.payload) for item in got if isinstance(item, Observed)]
    return {item["uri"]: item for item in found}


def count(kind: type, number: int) -> Done:
    return lambda got: sum(isinstance(item, kind) for item in got) >= number


def opened(got: list[Item]) -> list[Opened]:
    return [item for item in got if isinstance(item, Opened)]


# --- what the engine remembers ----------------------------------------------------------------------------------------


def test_the_first_connection_brings_what_the_engine_remembers_and_then_what_happens(
    engine: FakeEngine, url: str
) -> None:
    told = [message(number) for number in range(5)]
    for one in told[:3]:
        engine.tell(one)

    def go_on(item: Item) -> None:
        if isinstance(item, Message) and json.loads(item.payload)["message"] == told[2]:
            engine.tell(told[3])
            engine.tell(told[4])

    got = watch(DockerSource(url, pace=QUICK), count(Message, 5), go_on)

    assert raw(got) == told
    assert opened(got)[0].covered_from == START // 1000


def test_an_engine_that_remembers_nothing_is_covered_from_the_connection_on(engine: FakeEngine, url: str) -> None:
    got = watch(DockerSource(url, pace=QUICK), count(Alive, 1))

    assert opened(got)[0].covered_from == opened(got)[0].at


def test_what_was_delivered_before_is_not_delivered_again(engine: FakeEngine, url: str) -> None:
    for number in range(3):
        engine.tell(message(number))
    first = watch(DockerSource(url, pace=QUICK), count(Message, 3))
    engine.tell(message(3))

    again = watch(DockerSource(url, pace=QUICK, resume=messages(first)[1].resume), count(Message, 2))

    assert raw(again) == [message(2), message(3)]
    assert opened(again)[0].covered_from == START // 1000 + 1_000_000


def test_messages_out_of_the_order_of_time_are_all_delivered(engine: FakeEngine, url: str) -> None:
    engine.tell(message(5))
    first = watch(DockerSource(url, pace=QUICK), count(Message, 1))
    late = message(2, "service", "update", "s1")
    engine.tell(late)
    engine.tell(message(6))

    again = watch(DockerSource(url, pace=QUICK, resume=messages(first)[0].resume), count(Message, 2))

    assert raw(again) == [late, message(6)]


def test_two_messages_of_one_instant_are_two(engine: FakeEngine, url: str) -> None:
    engine.tell(message(1, id="a"))
    first = watch(DockerSource(url, pace=QUICK), count(Message, 1))
    engine.tell(message(1, id="b"))

    again = watch(DockerSource(url, pace=QUICK, resume=messages(first)[0].resume), count(Message, 1))

    assert raw(again) == [message(1, id="b")]


def test_an_engine_that_had_forgotten_covers_only_what_it_remembers(engine: FakeEngine, url: str) -> None:
    engine.tell(message(1))
    first = watch(DockerSource(url, pace=QUICK), count(Message, 1))
    engine.forget()
    engine.tell(message(7, "node", "update", "node1"))
    engine.tell(message(8))

    again = watch(DockerSource(url, pace=QUICK, resume=messages(first)[0].resume), count(Message, 2))

    assert len(raw(again)) == 2
    assert opened(again)[0].covered_from == START // 1000 + 8_000_000


def test_an_old_change_of_the_swarm_told_after_a_restart_proves_nothing(engine: FakeEngine, url: str) -> None:
    engine.tell(message(5))
    first = watch(DockerSource(url, pace=QUICK), count(Message, 1))
    engine.forget()
    engine.tell(message(3, "service", "update", "s1"))

    again = watch(DockerSource(url, pace=QUICK, resume=messages(first)[0].resume), count(Message, 1))

    assert opened(again)[0].covered_from == opened(again)[0].at


def test_after_a_lost_connection_nothing_is_missing_and_nothing_comes_twice(engine: FakeEngine, url: str) -> None:
    told = [message(number) for number in range(40)]
    waiting = iter(told)

    def live(item: Item) -> None:
        if isinstance(item, (Alive, Message)) and (one := next(waiting, None)):
            engine.tell(one)
            if one["time"] % 10 == 0:
                engine.hang_up()

    got = watch(DockerSource(url, pace=QUICK), count(Message, 40), live)

    assert raw(got) == told
    assert sum(isinstance(item, Closed) for item in got) == len(opened(got)) > 3
    assert opened(got)[1].covered_from <= next(item.at for item in got if isinstance(item, Closed))


# --- liveness ---------------------------------------------------------------------------------------------------------


def test_a_quiet_engine_is_asked_whether_it_is_there(engine: FakeEngine, url: str) -> None:
    got = watch(DockerSource(url, pace=QUICK), count(Alive, 3))

    closed = got[-1]
    assert isinstance(closed, Closed)
    assert (closed.reason, closed.at) == (STOPPED, max(item.at for item in got if isinstance(item, Alive)))


def test_an_engine_that_does_not_answer_any_more_is_lost(engine: FakeEngine, url: str) -> None:
    pace = DockerPace(patience=0.2, alive_every=0.05, dead_after=0.3, first_delay=0.02, longest_delay=0.02)

    got = watch(
        DockerSource(url, pace=pace),
        count(Closed, 1),
        lambda item: engine.silent.set() if isinstance(item, Alive) else None,
    )

    assert "nothing was heard" in next(item.reason for item in got if isinstance(item, Closed))


def test_an_engine_that_answers_nothing_but_still_tells_is_listened_to(engine: FakeEngine, url: str) -> None:
    pace = DockerPace(patience=0.05, alive_every=0.05, dead_after=5, first_delay=0.02, longest_delay=0.02)

    def last_words(item: Item) -> None:
        if isinstance(item, Alive) and not engine.silent.is_set():
            engine.silent.set()
            for number in range(5):
                engine.tell(message(number, action="create", id=f"c{number}"))
            engine.hang_up()

    got = watch(DockerSource(url, pace=pace), count(Message, 5), last_words)

    assert len(raw(got)) == 5


def test_stop_ends_a_question_that_hangs(engine: FakeEngine, url: str) -> None:
    engine.silent.set()
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()

    assert list(DockerSource(url, pace=DockerPace(patience=10)).items(stop)) == []

    assert time.monotonic() - began < 2


def test_an_engine_that_is_not_there_is_waited_for(engine: FakeEngine, tmp_path: Path) -> None:
    source = DockerSource(f"unix://{tmp_path}/s", pace=QUICK)
    stop, got = threading.Event(), []

    def listen() -> None:
        for item in source.items(stop):
            got.append(item)
            stop.set()

    listener = threading.Thread(target=listen)
    listener.start()
    with engine.on_socket(tmp_path / "s"):
        listener.join(10)

    assert (type(got[0]), type(got[-1])) == (Opened, Closed)


def test_a_reader_that_is_too_slow_loses_the_connection_not_the_messages(
    engine: FakeEngine, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_WAITING", 3000)
    told = [message(number) for number in range(100)]

    def flood(item: Item) -> None:
        if isinstance(item, Alive) and (waiting := told[len(flooded) : len(flooded) + 50]):
            flooded.extend(waiting)
            for one in waiting:
                engine.tell(one)
            time.sleep(0.1)

    flooded: list[dict[str, Any]] = []
    got = watch(DockerSource(url, pace=QUICK), count(Message, 100), flood)

    assert raw(got) == told
    assert any("waiting to be stored" in item.reason for item in got if isinstance(item, Closed))


# --- lines that are no messages ---------------------------------------------------------------------------------------


def test_a_line_that_is_too_long_is_refused_and_the_next_is_read(engine: FakeEngine, url: str) -> None:
    engine.tell(b'{"Type":"' + b"x" * (http.MAX_LINE + 10) + b'"}')
    engine.tell(message(1))

    refused, after = messages(watch(DockerSource(url, pace=QUICK), count(Message, 2)))

    assert refused.refused is not None
    assert "sha256" in refused.refused
    assert after.refused is None


def test_a_line_that_is_too_long_may_be_the_last_that_the_engine_remembers(engine: FakeEngine, url: str) -> None:
    engine.tell(message(1))
    engine.tell(b"x" * (http.MAX_LINE + 10))

    assert watch(DockerSource(url, pace=QUICK), count(Message, 2))


def test_garbage_is_delivered_as_it_came_and_does_not_move_the_place_to_resume(engine: FakeEngine, url: str) -> None:
    engine.tell(message(1))
    engine.tell(b"\xff{nonsense")

    first, garbage = messages(watch(DockerSource(url, pace=QUICK), count(Message, 2)))

    assert (garbage.payload, garbage.resume) == (b"\xff{nonsense", first.resume)


# --- asking -----------------------------------------------------------------------------------------------------------

CONTAINER = {
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
    found = observed(watch(DockerSource(url, pace=QUICK), count(Alive, 1)))

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


def test_no_secret_of_an_object_is_taken(busy: FakeEngine, url: str) -> None:
    busy.tell(message(1, action="create"))

    got = watch(DockerSource(url, pace=QUICK), count(Alive, 1))

    assert "CANARY" not in repr(got)


def test_an_engine_without_a_swarm_is_a_node(busy: FakeEngine, url: str) -> None:
    busy.answers["/info"]["Swarm"] = {"NodeID": "", "LocalNodeState": "inactive", "ControlAvailable": False}

    found = observed(watch(DockerSource(url, pace=QUICK), count(Alive, 1)))

    assert found["/docker/v1/node/ENGINE/"]["name"] == "vm"
    assert found["/docker/v1/volume/ENGINE.data/"]["parents"] == ["/docker/v1/node/ENGINE/"]


def test_a_new_service_is_asked_for_its_stack(engine: FakeEngine, url: str) -> None:
    def deploy(item: Item) -> None:
        if isinstance(item, Alive) and "/services/s1" not in engine.asked:
            engine.answers["/services/s1"] = SERVICE
            engine.tell(message(1, "service", "create", "s1", name="shop_web"))

    got = watch(DockerSource(url, pace=QUICK), count(Message, 1), deploy)

    assert observed(got)["/docker/v1/service/s1/"]["extra"]["replicas"] == 2
    assert events(got)[0].parents == ("/docker/v1/stack/swarm1.shop/", "/docker/v1/nodecluster/swarm1/")


def test_the_removal_of_a_service_still_knows_its_stack(busy: FakeEngine, url: str) -> None:
    busy.tell(message(1, "service", "remove", "s1", name="shop_web"))

    removed = events(watch(DockerSource(url, pace=QUICK), count(Message, 1)))[0]

    assert removed.parents == ("/docker/v1/stack/swarm1.shop/", "/docker/v1/nodecluster/swarm1/")


def test_an_exec_of_the_health_check_is_told_from_that_of_a_person(busy: FakeEngine, url: str) -> None:
    for number, (execution, command) in enumerate([("e1", "/bin/check CANARY"), ("e2", "sh")]):
        busy.tell(message(number, action=f"exec_create: {command}", execID=execution))
        busy.tell(message(number, action=f"exec_start: {command}", execID=execution))
        busy.tell(message(number, action="exec_die", execID=execution, exitCode="0"))

    got = events(watch(DockerSource(url, pace=QUICK), count(Message, 6)))

    assert [event.action for event in got] == ["healthcheck"] * 3 + ["exec"] * 3


def test_what_vanished_while_nobody_watched_is_observed_as_removed(busy: FakeEngine, url: str) -> None:
    def vanish(item: Item) -> None:
        if isinstance(item, Alive) and busy.answers["/containers/json?all=1"]:
            busy.answers["/containers/json?all=1"] = []
            busy.hang_up()

    got = watch(DockerSource(url, pace=QUICK), lambda got: count(Alive, 2)(got) and len(opened(got)) > 1, vanish)

    assert observed(got)["/docker/v1/container/c1/"]["state"] == "removed"


def test_a_new_name_is_observed(busy: FakeEngine, url: str) -> None:
    def rename(item: Item) -> None:
        if isinstance(item, Alive) and CONTAINER is busy.answers["/containers/c1/json"]:
            busy.answers["/containers/c1/json"] = {**CONTAINER, "Name": "/renamed"}
            busy.tell(message(1, action="rename", oldName="/shop_web.1.t1", name="renamed"))

    got = watch(DockerSource(url, pace=QUICK), count(Message, 1), rename)

    assert observed(got)["/docker/v1/container/c1/"]["name"] == "renamed"


def test_a_question_that_hangs_does_not_keep_events_back(busy: FakeEngine, url: str) -> None:
    """Real engines answer everything but the question about one stuck container."""
    busy.hangs.add("/containers/c1/json")
    busy.tell(message(1))
    pace = DockerPace(patience=0.1, alive_every=0.05, first_delay=0.02, longest_delay=0.02)

    got = watch(DockerSource(url, pace=pace), count(Alive, 1))

    assert raw(got) == [message(1)]
    assert "/docker/v1/service/s1/" in observed(got)


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


def test_the_observation_is_of_the_instant_before_the_question(busy: FakeEngine, url: str) -> None:
    got = watch(DockerSource(url, pace=QUICK), count(Alive, 1))

    times = [item.at for item in got if isinstance(item, (Observed, Alive))]
    assert times == sorted(times)


# --- ways to an engine ------------------------------------------------------------------------------------------------


def test_ssh_runs_the_docker_command_of_the_other_side(engine: FakeEngine, url: str, tmp_path: Path) -> None:
    """A program called ssh that checks how it is called, and joins its input and output to the socket."""
    program = tmp_path / "ssh"
    program.write_text(
        f"#!{sys.executable}\n"
        "import os, socket, sys, threading\n"
        "assert sys.argv[-5:] == ['--', 'far.example', 'docker', 'system', 'dial-stdio'], sys.argv\n"
        "assert sys.argv[sys.argv.index('-l') + 1] == 'ops'\n"
        f"s = socket.socket(socket.AF_UNIX); s.connect({url.removeprefix('unix://')!r})\n"
        "def out():\n"
        "    while data := s.recv(65536): os.write(1, data)\n"
        "    os._exit(0)\n"
        "threading.Thread(target=out, daemon=True).start()\n"
        "while data := os.read(0, 65536): s.sendall(data)\n"
    )
    program.chmod(0o755)
    engine.tell(message(1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path), prepend=":")
        source = DockerSource("ssh://ops:hidden@far.example", pace=DockerPace(patience=5, alive_every=0.1))
        got = watch(source, count(Alive, 1))

    assert raw(got) == [message(1)]
    assert source.stream == "ssh://ops@far.example"


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """An authority, and a certificate for localhost that serves both sides."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificates of this test")
    folder = tmp_path / "certificates"
    folder.mkdir()
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    options = ["-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *options], cwd=folder, check=True, capture_output=True)
    shutil.copy(folder / "cert.pem", folder / "ca.pem")
    return folder


def test_tcp_with_tls_shows_and_checks_certificates(engine: FakeEngine, certificates: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(certificates / "ca.pem"))
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    engine.tell(message(1))
    environ = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates)}
    with engine.on_tcp(context) as url:
        got = watch(DockerSource(url, environ=environ, pace=QUICK), lambda got: count(Alive, 1)(got))

    assert raw(got) == [message(1)]

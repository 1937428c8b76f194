"""Engines and proxies that forbid, hang, hold back or write in their own way: what is said is recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from archiver.model import Alive, Closed, Condition, Item, Message, Opened
from archiver.platforms.docker.source import DockerSource

from ..fake_engine import START, FakeEngine, message
from .docker_items import QUICK, conditions, count, messages, opened, raw, sees, watch

Do = Callable[[Item], None]


def tell_more(engine: FakeEngine, number: int) -> Do:
    """Tells one more message when the connection is open."""
    told: list[bool] = []

    def do(item: Item) -> None:
        if isinstance(item, Alive) and not told:
            told.append(True)
            engine.tell(message(number))

    return do


def test_a_proxy_that_allows_only_the_events_is_enough(
    engine: FakeEngine, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine.forbidden["^/(?!events|_ping)"] = 403
    engine.tell(message(1))

    got = watch(DockerSource(url, pace=QUICK), count(Message, 2), tell_more(engine, 2))

    assert raw(got) == [message(1), message(2)]
    assert opened(got)[0].covered_from == START // 1000 + 1_000_000
    assert caplog.text.count("/info was refused (403)") == 1


def test_a_path_that_is_refused_is_named_once_for_all_connections(
    engine: FakeEngine, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine.forbidden["^/info"] = 403

    def cut(item: Item) -> None:
        if isinstance(item, Alive):
            engine.hang_up()

    watch(DockerSource(url, pace=QUICK), count(Opened, 3), cut)

    assert caplog.text.count("was refused") == 1


@pytest.mark.parametrize("ping", [403, 404, 500])
def test_any_status_is_a_sign_of_life(engine: FakeEngine, url: str, ping: int) -> None:
    engine.forbidden["^/_ping"] = ping

    got = watch(DockerSource(url, pace=QUICK), count(Alive, 10))

    assert len(opened(got)) == 1


@pytest.mark.parametrize("status", [403, 404])
def test_a_proxy_that_allows_only_paths_with_a_version_is_asked_by_them(
    engine: FakeEngine, url: str, status: int
) -> None:
    engine.only = r"/v1\.\d+/.*"
    engine.tell(message(1))

    got = watch(DockerSource(url, pace=QUICK), sees("nodecluster/swarm1"))

    assert raw(got) == [message(1)]


def test_the_version_is_the_one_that_the_engine_names(engine: FakeEngine, url: str) -> None:
    engine.only = r"/_ping|/v1\.37/events"
    engine.headers["Api-Version"] = "1.37"
    engine.tell(message(1))

    assert raw(watch(DockerSource(url, pace=QUICK), count(Message, 1))) == [message(1)]


def test_an_engine_that_does_not_say_who_it_is_costs_a_moment(engine: FakeEngine, url: str) -> None:
    engine.hangs.add("/info")
    engine.tell(message(1))
    began = time.monotonic()

    got = watch(DockerSource(url, pace=replace(QUICK, introduction=10)), count(Message, 1))

    assert time.monotonic() - began < 2
    assert raw(got) == [message(1)]


def test_an_engine_that_does_not_say_what_it_remembers_costs_nothing_when_it_tells(
    engine: FakeEngine, url: str
) -> None:
    engine.forgets_to_answer = True
    engine.tell(message(1))
    began = time.monotonic()

    got = watch(DockerSource(url, pace=replace(QUICK, hold=5)), count(Message, 1))

    assert time.monotonic() - began < 3
    assert raw(got) == [message(1)]


def test_who_it_is_is_learnt_when_it_says_so_later(engine: FakeEngine, url: str) -> None:
    engine.hangs.add("/info")

    def heal(item: Item) -> None:
        if isinstance(item, Alive):
            engine.hangs.clear()

    got = watch(DockerSource(url, pace=replace(QUICK, introduce_again=0.1)), sees("nodecluster/swarm1"), heal)

    assert len(opened(got)) == 1


def test_an_engine_that_knows_no_end_of_its_memory_is_recorded(engine: FakeEngine, url: str) -> None:
    engine.ignores_until = True
    engine.tell(message(1))

    got = watch(DockerSource(url, pace=QUICK), count(Message, 2), tell_more(engine, 2))

    assert raw(got) == [message(1), message(2)]
    assert len(opened(got)) == 1


def test_such_an_engine_that_has_forgotten_has_told_all_after_a_silence(engine: FakeEngine, url: str) -> None:
    engine.ignores_until = True
    engine.tell(message(3))

    got = watch(DockerSource(url, pace=QUICK, resume="1:gone"), count(Message, 1))

    assert opened(got)[0].covered_from == START // 1000 + 3_000_000


@pytest.mark.parametrize("separator", [b"", b"\r\n", b"\n\n\x1e", b","])
def test_messages_are_objects_not_lines(engine: FakeEngine, url: str, separator: bytes) -> None:
    engine.separator = separator
    for number in range(3):
        engine.tell(message(number, note="}{\n"))

    got = watch(DockerSource(url, pace=QUICK), count(Message, 3))

    assert raw(got) == [message(number, note="}{\n") for number in range(3)]


def other_way_round(line: bytes) -> bytes:
    """The same message with its keys in another order."""
    value = json.loads(line)
    return json.dumps({key: value[key] for key in reversed(value)}, indent=1).encode()


def test_a_message_is_known_again_in_another_spelling(engine: FakeEngine, url: str) -> None:
    for number in range(3):
        engine.tell(message(number))
    first = watch(DockerSource(url, pace=QUICK), count(Message, 3))
    engine.spell = other_way_round

    again = watch(DockerSource(url, pace=QUICK, resume=messages(first)[1].resume), count(Message, 1))

    assert raw(again) == [message(2)]


def test_what_a_proxy_holds_back_is_taken_from_the_memory(
    engine: FakeEngine, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine.buffer = 100_000
    engine.tell(message(1))

    pace = replace(QUICK, proof_every=0.2)
    got = watch(DockerSource(url, pace=pace), count(Message, 2), tell_more(engine, 2))

    assert raw(got) == [message(1), message(2)]
    assert "buffering" in caplog.text


def test_what_was_held_back_and_comes_at_last_is_delivered_once(engine: FakeEngine, url: str) -> None:
    engine.buffer = len(json.dumps(message(1))) + 10
    engine.tell(message(1))

    got = watch(DockerSource(url, pace=QUICK), count(Message, 2), tell_more(engine, 2))

    assert raw(got) == [message(1), message(2)]


def test_a_quiet_stream_that_is_cut_at_once_has_no_gap(engine: FakeEngine, url: str) -> None:
    """Proxies cut what is silent; the engine has told nothing since it began, so nothing can be missing."""

    def cut(item: Item) -> None:
        if isinstance(item, Alive):
            engine.hang_up()

    got = watch(DockerSource(url, pace=QUICK), count(Opened, 3), cut)

    ends = [item.at for item in got if isinstance(item, Closed)]
    assert all(later.covered_from <= end for end, later in zip(ends, opened(got)[1:], strict=False))


def test_an_engine_that_could_not_be_reached_meanwhile_may_have_forgotten(engine: FakeEngine, url: str) -> None:
    def cut(item: Item) -> None:
        if isinstance(item, Alive) and not engine.forbidden:
            engine.forbidden["^/events"] = 503
            engine.hang_up()
        elif conditions([item], "trouble"):
            engine.forbidden.clear()
            engine.forbidden["^/nothing"] = 503

    got = watch(DockerSource(url, pace=QUICK), count(Opened, 2), cut)

    assert opened(got)[1].covered_from == opened(got)[1].at


def test_an_engine_that_accepts_and_hangs_up_is_in_trouble_not_open(engine: FakeEngine, url: str) -> None:
    engine.ends_at_once = True

    def begin(item: Item) -> None:
        engine.ends_at_once = False

    got = watch(DockerSource(url, pace=QUICK), count(Opened, 1), begin)

    assert conditions(got, "trouble") == ["closed by the engine"]


def test_a_page_instead_of_the_events_is_no_stream(engine: FakeEngine, url: str) -> None:
    engine.headers["Content-Type"] = "text/html"
    engine.forbidden["^/events"] = 200

    assert conditions(watch(DockerSource(url, pace=QUICK), count(Condition, 1)), "trouble")


@pytest.mark.parametrize(
    "poison",
    [
        b'{"Type":"container","Action":"create","Actor":{"ID":"\\ud800"},"timeNano":1}',
        b'{"Type":"container","Action":"create","Actor":{"ID":"x"},"timeNano":1e400}',
        b'{"Type":[],"Action":{},"Actor":[],"scope":3,"timeNano":{}}',
        b'{"Type":' + b"[" * 900 + b"]" * 900 + b"}",
    ],
)
def test_no_message_ends_the_connection(engine: FakeEngine, url: str, poison: bytes) -> None:
    engine.tell(poison)
    engine.tell(message(1))

    got = watch(DockerSource(url, pace=QUICK), count(Message, 3), tell_more(engine, 2))

    assert raw(got)[-2:] == [message(1), message(2)]
    assert len(opened(got)) == 1


@pytest.mark.parametrize("nonsense", [None, 3, [], {}, [3, None, {"Id": 3, "Names": {}, "State": []}], {"Volumes": 7}])
def test_no_answer_ends_the_connection(engine: FakeEngine, url: str, nonsense: Any) -> None:
    for path in engine.answers:
        engine.answers[path] = nonsense

    got = watch(DockerSource(url, pace=QUICK), count(Alive, 10))

    assert len(opened(got)) == 1


def test_a_proxy_that_keeps_no_connection_is_asked_again_and_again(engine: FakeEngine, url: str) -> None:
    engine.keeps_connections = False

    got = watch(DockerSource(url, pace=QUICK), count(Alive, 5))

    assert [item.kind for item in got if isinstance(item, Closed)] == ["stopped"]


def test_a_redirect_to_a_path_with_a_version_tells_the_version(engine: FakeEngine, url: str) -> None:
    engine.moved = "/v1.41"
    engine.tell(message(1))

    got = watch(DockerSource(url, pace=QUICK), count(Message, 1))

    assert raw(got) == [message(1)]


def test_the_marks_of_server_sent_events_are_no_messages(engine: FakeEngine, url: str) -> None:
    engine.content_type = "text/event-stream"
    engine.spell = lambda line: b": still here\nid: 7\nevent: message\ndata: " + line + b"\n"
    for number in range(3):
        engine.tell(message(number))

    got = watch(DockerSource(url, pace=QUICK), count(Message, 3))

    assert raw(got) == [message(number) for number in range(3)]

"""The Docker source against an engine that does what the test says, over real sockets."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archiver.codec.framing import JsonObjects
from archiver.model import Alive, Closed, Condition, Item, Message, Opened
from archiver.platforms.docker.beginning import Beginning
from archiver.platforms.docker.http import Limits
from archiver.platforms.docker.inbox import held
from archiver.platforms.docker.pace import DockerPace
from archiver.platforms.docker.pulse import Pulses
from archiver.platforms.docker.session import STOPPED, Session
from archiver.platforms.docker.source import DockerSource

from ..fake_engine import START, FakeEngine, message
from .docker_items import QUICK, Done, both, conditions, count, messages, opened, raw, watch

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


def hearing(source: DockerSource, done: Done, do: Callable[[Item], None]) -> list[tuple[Item, float]]:
    """What the source yields until `done`, each with the moment it came."""
    heard: list[tuple[Item, float]] = []

    def note(item: Item) -> None:
        heard.append((item, time.monotonic()))
        do(item)

    watch(source, done, note)
    return heard


def test_a_connection_that_is_cut_ends_for_the_archive_when_the_next_one_begins(engine: FakeEngine, url: str) -> None:
    engine.slow["/info"] = 0.2
    pace = replace(QUICK, introduction=1, useful_after=0.0, first_delay=5.0, longest_delay=5.0, longest_local_delay=5.0)

    heard = hearing(
        DockerSource(url, pace=pace),
        both(count(Opened, 2), count(Alive, 1)),
        lambda item: engine.hang_up() if isinstance(item, Alive) else None,
    )

    (_, closed), (begin, reopened) = next(pair for pair in itertools.pairwise(heard) if isinstance(pair[0][0], Closed))
    assert isinstance(begin, Opened)
    assert reopened - closed < 0.1
    assert heard[-1][1] - heard[0][1] < 4, "the next try did not wait"


def test_a_connection_that_is_cut_for_good_ends_as_soon_as_that_is_known(tmp_path: Path, engine: FakeEngine) -> None:
    pace = replace(QUICK, useful_after=0.0)

    def go(item: Item) -> None:
        if isinstance(item, Alive):
            (tmp_path / "gone.sock").unlink(missing_ok=True)
            engine.hang_up()

    with engine.on_socket(tmp_path / "gone.sock") as url:
        got = watch(DockerSource(url, pace=pace), lambda got: bool(conditions(got, "trouble")), go)

    assert [type(item) for item in got if not isinstance(item, Alive)][-2:] == [Closed, Condition]


def test_an_end_that_waits_for_the_next_beginning_is_told_when_it_is_time_to_stop(engine: FakeEngine, url: str) -> None:
    pace = replace(QUICK, useful_after=0.0)
    stop, got = threading.Event(), []
    for item in DockerSource(url, pace=pace).items(stop):
        got.append(item)
        if isinstance(item, Alive) and not stop.is_set():
            engine.silent.set()
            engine.hangs.add("/events?since=0")
            engine.hang_up()
            threading.Timer(0.5, stop.set).start()

    assert [type(item) for item in got if isinstance(item, (Opened, Closed))] == [Opened, Closed]


# --- liveness ---------------------------------------------------------------------------------------------------------


def test_a_quiet_engine_is_asked_whether_it_is_there(engine: FakeEngine, url: str) -> None:
    got = watch(DockerSource(url, pace=QUICK), count(Alive, 3))

    closed = got[-1]
    assert isinstance(closed, Closed)
    assert (closed.reason, closed.at) == (STOPPED, max(item.at for item in got if isinstance(item, Alive)))


def test_an_engine_that_does_not_answer_any_more_is_lost(engine: FakeEngine, url: str) -> None:
    pace = replace(QUICK, patience=0.2)

    got = watch(
        DockerSource(url, pace=pace),
        count(Closed, 1),
        lambda item: engine.silent.set() if isinstance(item, Alive) else None,
    )

    assert "nothing was heard" in next(item.reason for item in got if isinstance(item, Closed))


def test_an_engine_that_answers_nothing_but_still_tells_is_listened_to(engine: FakeEngine, url: str) -> None:
    pace = replace(QUICK, patience=0.05, dead_after=5)

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


def test_an_engine_that_is_not_there_is_waited_for_and_told_once(engine: FakeEngine, tmp_path: Path) -> None:
    got: list[Item] = []
    source = DockerSource(f"unix://{tmp_path}/s", pace=QUICK)
    listener = threading.Thread(target=lambda: got.extend(watch(source, count(Opened, 1))))
    listener.start()
    time.sleep(0.2)
    with engine.on_socket(tmp_path / "s"):
        listener.join(10)

    assert conditions(got, "trouble").count("No such file or directory") == 1
    assert type(got[-1]) is Closed


def test_a_trouble_that_stays_is_told_again_from_time_to_time(tmp_path: Path) -> None:
    source = DockerSource(f"unix://{tmp_path}/s", pace=replace(QUICK, trouble_every=0.05))

    got = watch(source, count(Condition, 3))

    assert set(conditions(got, "trouble")) == {"No such file or directory"}


def test_no_thread_of_a_connection_outlives_it(engine: FakeEngine, url: str) -> None:
    engine.hangs |= {"/info", "/networks"}

    def cut(item: Item) -> None:
        if isinstance(item, Alive):
            engine.hang_up()

    watch(DockerSource(url, pace=QUICK), count(Opened, 5), cut)

    limit = time.monotonic() + 5
    while any(thread.name.startswith("docker-") for thread in threading.enumerate()):
        assert time.monotonic() < limit, threading.enumerate()
        time.sleep(0.01)


def test_a_reader_that_is_too_slow_loses_the_connection_not_the_messages(engine: FakeEngine, url: str) -> None:
    told = [message(number) for number in range(100)]
    flooded: list[dict[str, Any]] = []

    def flood(item: Item) -> None:
        if isinstance(item, Alive) and not flooded:
            flooded.extend(told)
            for one in told:
                engine.tell(one)
            time.sleep(0.5)

    # So much is read before the cut that what is left fits, however slowly it is taken then.
    waiting = sum(held(str(one).encode()) for one in told) * 7 // 10
    source = DockerSource(url, pace=QUICK, limits=Limits(waiting=waiting))
    got = watch(source, lambda got: bool(messages(got)) and raw(got)[-1] == told[-1], flood)

    assert sorted({one["time"] for one in raw(got)}) == [one["time"] for one in told]
    assert any("waiting to be stored" in item.reason for item in got if isinstance(item, Closed))


# --- lines that are no messages ---------------------------------------------------------------------------------------


def test_a_line_that_is_too_long_is_refused_and_the_next_is_read(engine: FakeEngine, url: str) -> None:
    engine.tell(b'{"Type":"' + b"x" * (Limits().message + 10) + b'"}')
    engine.tell(message(1))

    refused, after = messages(watch(DockerSource(url, pace=QUICK), count(Message, 2)))

    assert refused.refused is not None
    assert "sha256" in refused.refused
    assert after.refused is None


def test_a_line_that_is_too_long_may_be_the_last_that_the_engine_remembers(engine: FakeEngine, url: str) -> None:
    engine.tell(message(1))
    engine.tell(b"x" * (Limits().message + 10))

    assert watch(DockerSource(url, pace=QUICK), count(Message, 2))


def test_garbage_is_delivered_as_it_came_and_does_not_move_the_place_to_resume(engine: FakeEngine, url: str) -> None:
    engine.tell(message(1))
    engine.tell(b"\xff{nonsense")

    first, garbage = messages(watch(DockerSource(url, pace=QUICK), count(Message, 2)))

    assert (garbage.payload, garbage.resume) == (b"\xff{nonsense", first.resume)


# --- what nobody has thought of ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "name"), [(Session, "_take"), (Beginning, "gather"), (JsonObjects, "feed"), (Pulses, "_pulse")]
)
def test_a_failure_that_nobody_has_thought_of_ends_one_connection_only(
    where: type, name: str, engine: FakeEngine, url: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    engine.tell(message(1))
    right, faults = getattr(where, name), iter([LookupError("odd")])

    def fail_first(*of: Any) -> Any:
        for fault in faults:
            raise fault
        return right(*of)

    monkeypatch.setattr(where, name, fail_first)

    watch(DockerSource(url, pace=QUICK), both(count(Alive, 3), count(Message, 1)))

    assert next(faults, None) is None
    assert sum("unexpected LookupError in test_docker_source.py" in line for line in caplog.messages) == 1


def test_a_time_of_thousands_of_digits_does_not_end_the_stream(engine: FakeEngine, url: str) -> None:
    told = {**message(1), "time": int("9" * 4299)}
    del told["timeNano"]

    def tell(item: Item) -> None:
        if isinstance(item, Alive):
            engine.tell(told)

    got = watch(DockerSource(url, pace=QUICK), both(count(Message, 1), count(Alive, 3)), tell)

    assert sum(isinstance(item, Opened) for item in got) == 1

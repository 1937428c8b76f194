"""How often a platform is asked beside its stream: soon where something is new, and never in a storm."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from archiver.model import Observed
from archiver.platforms.asked import Asked
from archiver.platforms.tutum.api import Api
from archiver.platforms.tutum.asking import Asker
from archiver.platforms.tutum.beside import Beside, BesidePace
from archiver.platforms.tutum.rest import Rest, RestPace
from archiver.simulator.service.server import STILL, Lying, Simulator, World

OPENED = 1_000_000 * 1_700_000_000
"""At the beginning of a second: the first question comes a second later."""


class Clock:
    """Stands still until it is told to go on, and knows how often the thread that asks has looked at it."""

    def __init__(self) -> None:
        self.now, self.looks = 0.0, 0

    def __call__(self) -> float:
        self.looks += threading.current_thread() is not threading.main_thread()
        return self.now


class SlowAsker(Asker):
    """To ask everything takes so many seconds of the clock of a test."""

    clock: Clock
    seconds: float

    def ask(self, since: int, known_from: int, stop: threading.Event) -> Iterator[Observed]:
        answers = super().ask(since, known_from, stop)
        self.clock.now += self.seconds
        yield from answers


class OneAnswer(Asker):
    """One answer, for which the platform takes three seconds."""

    looks = 5
    """At the clock: before and after the answer, when it begins to wait, before and after the end."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("ws://127.0.0.1/v1/events", Rest(Api("http://127.0.0.1:9", False)))
        self._clock = clock

    def ask(self, since: int, known_from: int, stop: threading.Event) -> Iterator[Observed]:
        self._clock.now += 3
        yield Observed(self.stream, "", "tutum", 0, b"{}")


class Asking:
    """What is asked of a simulator, second by second of a clock of its own."""

    def __init__(self, simulator: Simulator, seconds: float = 0.0, unproven: bool = False) -> None:
        """`seconds`: how long it takes to ask everything."""
        self._clock = Clock()
        self._made = json.dumps(
            simulator.platform.spelling.event("stack", "create", "/api/v1/stack/a/", "Starting", [], "u", 1.0)
        ).encode()
        asker = SlowAsker(
            "ws://127.0.0.1/v1/events", Rest(Api(simulator.rest_url, False), pace=RestPace(first_wait=0.001))
        )
        asker.clock, asker.seconds = self._clock, seconds
        pace = BesidePace(settle=0.0, look=0.001, monotonic=self._clock)
        self._beside = Beside(asker, pace=pace, unproven=unproven)
        self.connect()

    def connect(self) -> None:
        self._beside.begin("s", OPENED)

    def disconnect(self) -> None:
        self._beside.end()

    def told_of_something_new(self) -> None:
        self._beside.heard(self._made)

    def told_of_a_change(self) -> None:
        self._beside.heard(self._made.replace(b'"create"', b'"update"'))

    def during(self, seconds: int, *, made_each_second: bool = False) -> list[float]:
        """The instants at which somebody began to ask, while so much time passes."""
        began = list[float]()
        until = self._clock.now + seconds
        while self._clock.now < until:
            if made_each_second:
                self.told_of_something_new()
            self._clock.now += 1
            now = self._clock.now
            if self._is_asked():
                began.append(now)
                self._until(lambda: not self._beside.asker.asking.locked())
        return began

    def _is_asked(self) -> bool:
        """Whether somebody begins to ask at this instant."""
        looks, questions = self._clock.looks, self._beside.asker.questions
        self._until(lambda: self._clock.looks > looks + 2 or self._beside.asker.questions > questions)
        if self._beside.asker.asking.locked():
            self._until(lambda: self._beside.asker.questions > questions or not self._beside.asker.asking.locked())
        return self._beside.asker.questions > questions

    def _until(self, so: Callable[[], bool]) -> None:
        limit = time.monotonic() + 30
        while not so():
            assert time.monotonic() < limit
            list(self._beside.items())
            time.sleep(0.0005)


@pytest.fixture(scope="module")
def shared() -> Iterator[Simulator]:
    with Simulator(world=World(seed=3, stacks=2, settled=900.0), pacing=STILL) as simulator:
        yield simulator


@pytest.fixture
def simulator(shared: Simulator) -> Simulator:
    shared.lie()
    return shared


@pytest.fixture
def asking(simulator: Simulator) -> Iterator[Asking]:
    asking = Asking(simulator)
    yield asking
    asking.disconnect()


def test_what_is_made_on_a_quiet_connection_is_asked_about_in_a_quarter_of_a_minute(asking: Asking) -> None:
    assert asking.during(200) == [1, 62]

    asking.told_of_something_new()

    assert asking.during(500) == [215, 276]  # the second time since the first answers may have been of before


def test_what_only_changes_is_asked_about_no_sooner(asking: Asking) -> None:
    asking.during(200)

    asking.told_of_a_change()

    assert asking.during(400) == []


def test_what_is_made_just_behind_a_question_is_asked_about_until_the_answers_know_of_it(asking: Asking) -> None:
    asking.during(200)
    asking.told_of_something_new()
    asking.during(20)

    asking.told_of_something_new()

    assert asking.during(400) == [275, 336]


def test_a_deployment_that_makes_something_each_second_is_asked_about_once_a_minute(asking: Asking) -> None:
    began = asking.during(600, made_each_second=True)

    assert began == [1 + 60 * n for n in range(10)]


def test_a_platform_that_takes_long_to_answer_is_asked_a_tenth_of_the_time(simulator: Simulator) -> None:
    asking = Asking(simulator, seconds=30)

    began = asking.during(1000, made_each_second=True)

    asking.disconnect()
    assert began == [1, 301, 601, 901]


def test_what_an_answer_waits_for_to_be_taken_is_no_load_on_the_platform() -> None:
    clock = Clock()
    asker = OneAnswer(clock)
    round_of_questions = Asked(settle=2.0, look=0.001, monotonic=clock)
    busy = list[float]()
    thread = threading.Thread(target=lambda: busy.append(round_of_questions.ask(asker, 0, 0)), daemon=True)
    thread.start()
    limit = time.monotonic() + 30
    while clock.looks < asker.looks:  # it has looked for the last time, and waits
        assert time.monotonic() < limit
        time.sleep(0.0005)

    clock.now += 100

    assert round_of_questions.next() is not None
    thread.join(30)
    assert busy == [3.0]


def test_a_platform_that_does_not_answer_is_left_alone_whatever_is_made(simulator: Simulator) -> None:
    simulator.lie(Lying("status", "/container/", status=500, times=None))
    asking = Asking(simulator)

    began = asking.during(1300, made_each_second=True)

    asking.disconnect()
    assert began == [1, 1201]


def test_a_list_that_changes_while_it_is_read_is_an_answer_and_asked_for_again(simulator: Simulator) -> None:
    simulator.lie(Lying("total", "/container/", times=3))
    asking = Asking(simulator)

    began = asking.during(130, made_each_second=True)

    asking.disconnect()
    assert began == [1, 61, 121]


def test_a_server_that_has_not_greeted_is_asked_nothing_whatever_is_made(simulator: Simulator) -> None:
    asking = Asking(simulator, unproven=True)

    assert asking.during(200, made_each_second=True) == []

    asking.disconnect()


def test_after_a_new_connection_everything_is_asked_for_at_once_and_once_a_minute_at_most(asking: Asking) -> None:
    asking.during(200)
    asking.disconnect()
    asking.connect()
    assert asking.during(10) == [201]
    asking.disconnect()
    asking.connect()
    assert asking.during(60) == [261]

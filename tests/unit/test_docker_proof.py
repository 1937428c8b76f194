"""What a comparison of the engine's memory with what was heard proves."""

from __future__ import annotations

import json
from dataclasses import dataclass

from archiver.platforms.docker.inbox import Arrival, Recalled
from archiver.platforms.docker.lapses import Lapses
from archiver.platforms.docker.memory import key_of
from archiver.platforms.docker.pace import DockerPace
from archiver.platforms.docker.proof import WHOLE, Proof

from ..fake_engine import message


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def _lines(first: int, number: int) -> list[bytes]:
    return [json.dumps(message(one)).encode() for one in range(first, first + number)]


def _heard(proof: Proof, lines: list[bytes]) -> None:
    for line in lines:
        proof.delivered(key_of(line), line)


def test_what_was_all_heard_is_proven_though_the_memory_does_not_reach_back() -> None:
    clock = Clock()
    proof = Proof(DockerPace(monotonic=clock))
    proof.begin([Arrival(0, line) for line in _lines(0, 1)], 0)
    _heard(proof, _lines(1, 1000))
    clock.now = 60

    proof.recalled(Recalled(_lines(700, WHOLE), 60_000_000))

    assert list(proof.due(clock.now + 10)) == []


def test_after_a_long_time_without_comparison_it_proves_nothing_of_what_lies_between() -> None:
    clock = Clock()
    proof = Proof(DockerPace(monotonic=clock))
    proof.begin([Arrival(0, line) for line in _lines(0, 1)], 5)
    _heard(proof, _lines(1, 1000))
    clock.now = 600

    proof.recalled(Recalled(_lines(700, WHOLE), 600_000_000))

    (shown,) = proof.due(clock.now + 10)
    assert (shown.proven_to, shown.missing) == (5, [])
    assert shown.again == message(700)["timeNano"] // 1000


def test_what_the_stream_still_brings_is_waited_for() -> None:
    clock = Clock()
    proof = Proof(DockerPace(monotonic=clock))
    proof.begin([], 0)
    lines = _lines(1, WHOLE)
    proof.recalled(Recalled(lines, 1))
    for line in lines:
        clock.now += 0.9
        proof.told(clock.now)
        proof.delivered(key_of(line), line)
        assert list(proof.due(clock.now)) == []


def test_a_stream_that_has_gone_past_a_message_brings_it_no_more() -> None:
    clock = Clock()
    proof = Proof(DockerPace(monotonic=clock))
    proof.begin([], 0)
    proof.recalled(Recalled(_lines(1, 3), 1))
    clock.now = 2
    proof.told(clock.now)
    _heard(proof, _lines(9, 1))

    (shown,) = proof.due(clock.now)

    assert shown.missing == _lines(1, 3)


def _after_a_lapse(clock: Clock) -> Proof:
    proof = Proof(DockerPace(monotonic=clock))
    proof.begin([Arrival(0, line) for line in _lines(0, 1)], 5)
    _heard(proof, _lines(1, 10))
    proof.lapsed(11, 20, "resume")
    return proof


def test_what_an_engine_remembers_from_before_a_lapse_on_leaves_nothing_doubtful() -> None:
    clock = Clock()
    proof = _after_a_lapse(clock)
    _heard(proof, _lines(11, 1))

    proof.recalled(Recalled(_lines(0, 12), 21))

    assert list(proof.due(clock.now + 10)) == []
    assert proof.doubt is None


def test_where_its_memory_does_not_reach_back_before_a_lapse_something_may_have_been_left_out() -> None:
    clock = Clock()
    proof = _after_a_lapse(clock)
    _heard(proof, _lines(500, WHOLE))

    proof.recalled(Recalled(_lines(500, WHOLE), 21))

    (shown,) = proof.due(clock.now + 10)
    assert (shown.proven_to, shown.missing) == (5, [])
    assert proof.doubt is None


def test_what_was_asked_before_a_lapse_was_noticed_ends_no_doubt_and_the_first_lapse_counts() -> None:
    clock = Clock()
    proof = _after_a_lapse(clock)
    proof.lapsed(30, 40, "later")

    proof.recalled(Recalled(_lines(0, 11), 35))
    list(proof.due(clock.now + 10))

    assert proof.doubt is not None
    assert (proof.doubt.since, proof.doubt.resume) == (11, "resume")


def test_a_lapse_is_a_stretch_in_which_no_thread_looked() -> None:
    clock, wall = Clock(), Clock()
    lapses = Lapses(3.0, clock, lambda: round(wall.now))
    clock.now, wall.now = 2.9, 100
    assert lapses.taken() is None
    clock.now, wall.now = 6.0, 200
    lapses.look()
    clock.now, wall.now = 6.5, 300
    assert (lapses.taken(), lapses.taken()) == (100, None)

"""What a comparison of the engine's memory with what was heard proves."""

from __future__ import annotations

import json
from dataclasses import dataclass

from archiver.platforms.docker.inbox import Arrival, Recalled
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

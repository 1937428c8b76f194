"""Whose clock dates what an engine says."""

from __future__ import annotations

import pytest

from archiver.platforms.docker.clock import SECOND, TOLERATED, Clock
from archiver.platforms.docker.inspect import Finding
from archiver.platforms.docker.observing import dated

NOW = 1_795_426_054 * SECOND
HOUR = 3600 * SECOND


def clock(offset: int, error: int = 0) -> Clock:
    found = Clock()
    found.compare(NOW + offset, NOW - error, NOW + error)
    return found


@pytest.mark.parametrize("offset", [0, TOLERATED - 1, 1 - TOLERATED])
def test_a_clock_that_is_nearly_right_is_taken_at_its_word(offset: int) -> None:
    assert clock(offset).ours(NOW) == NOW


@pytest.mark.parametrize("offset", [HOUR, -HOUR])
def test_times_of_a_clock_that_is_wrong_are_corrected(offset: int) -> None:
    assert clock(offset).ours(NOW + offset) == NOW
    assert NOW + offset - clock(offset).ahead_of(NOW + offset, NOW) == NOW


def test_the_offset_is_that_of_the_middle_of_the_question() -> None:
    found = Clock()
    found.compare(NOW, NOW - 3, NOW + 1)

    assert found.offset == 1


def test_a_time_of_whole_seconds_shows_no_smaller_difference() -> None:
    found = Clock()
    found.compare(NOW, NOW + SECOND - 1, NOW + SECOND - 1, SECOND)

    assert found.offset == 0


def test_a_time_of_whole_seconds_shows_a_larger_one() -> None:
    found = Clock()
    found.compare(NOW - HOUR, NOW, NOW, SECOND)

    assert abs((found.offset or 0) + HOUR) <= SECOND


def dates(found: Clock, *told_received: tuple[int, int]) -> list[int]:
    return [told - found.ahead_of(told, received) for told, received in told_received]


def test_messages_keep_their_order_when_the_clock_is_set_back() -> None:
    told = [(NOW, NOW), (NOW - HOUR + SECOND, NOW + SECOND), (NOW - HOUR + 2 * SECOND, NOW + 2 * SECOND)]

    assert dates(clock(0), *told) == [NOW, NOW + SECOND, NOW + 2 * SECOND]


def test_messages_keep_their_order_when_the_clock_is_set_back_by_little() -> None:
    told = [(NOW + SECOND, NOW), (NOW + SECOND // 2, NOW + 1), (NOW + SECOND // 2 + 1, NOW + 2)]

    found = dates(clock(SECOND), *told)

    assert found == sorted(found)
    assert len(set(found)) == 3


def test_a_message_from_the_future_is_dated_when_it_came() -> None:
    assert dates(clock(0), (NOW + HOUR, NOW)) == [NOW]


def test_a_message_that_comes_late_keeps_its_time() -> None:
    assert dates(clock(0), (NOW - HOUR, NOW), (NOW - HOUR + 1, NOW)) == [NOW - HOUR, NOW - HOUR + 1]


def test_messages_that_change_places_keep_their_times() -> None:
    assert dates(clock(0), (NOW, NOW), (NOW - SECOND // 100, NOW)) == [NOW, NOW - SECOND // 100]


def finding(**extra: str) -> Finding:
    return Finding("/docker/v1/container/c1/", "running", None, (), dict(extra))


def test_an_observation_is_of_the_instant_of_the_question_by_the_engine_s_clock() -> None:
    assert dated(finding(), NOW, NOW + SECOND, clock(-SECOND, 1000)) == NOW - SECOND - 1000


def test_an_observation_is_not_before_what_it_says() -> None:
    started = finding(started="2026-11-23T09:27:34.500000Z", finished="0001-01-01T00:00:00Z")

    assert dated(started, NOW, NOW + SECOND, clock(0)) == NOW + SECOND // 2


@pytest.mark.parametrize("nonsense", ["2099-01-01T00:00:00Z", "soon", "2026-11-23T09:27:34", ""])
def test_an_observation_is_not_after_the_answer(nonsense: str) -> None:
    assert NOW <= dated(finding(started=nonsense), NOW, NOW + SECOND, clock(0)) <= NOW + SECOND

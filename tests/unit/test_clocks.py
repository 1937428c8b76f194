"""A session ends where the clock was set, and another one begins by the new clock: nobody watched what lies between."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from archiver.errors import SpoolError
from archiver.model import Alive, Closed, Item, Message, Opened
from archiver.recording.clocks import Clock, split_at_steps

SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
NOON = 1_700_000_000_000_000


class Clocks(Clock):
    """Two clocks that go together until one is set."""

    def __init__(self) -> None:
        self.since_boot = 0
        self.set_to = NOON
        self.boot = "b"

    def read(self) -> tuple[int, int]:
        return self.set_to + self.since_boot, self.since_boot

    @property
    def now(self) -> int:
        return self.read()[0]

    def go(self, seconds: float) -> int:
        self.since_boot += int(seconds * SECOND)
        return self.now


def message(at: int, text: bytes = b"{}") -> Message:
    return Message("s", "a", "tutum", at, text)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def told(clocks: Clocks, items: Iterator[Item]) -> list[Item]:
    return list(split_at_steps(items, clocks))


@pytest.mark.parametrize("step", [HOUR, DAY, 5 * SECOND])
def test_a_clock_that_is_set_forward_leaves_a_gap_as_long_as_the_step(clocks: Clocks, step: int) -> None:
    def items() -> Iterator[Item]:
        yield Opened("s", "a", "tutum", clocks.now, clocks.now)
        yield message(clocks.go(1))
        clocks.set_to += step
        yield message(clocks.go(2), b"later")
        yield Alive("s", "a", clocks.go(5))
        yield Closed("s", "a", clocks.go(1), "bye", "lost")

    _, _, ended, begun, second, alive, closed = told(clocks, items())

    assert isinstance(ended, Closed)
    assert (ended.session, ended.at, ended.kind) == ("a", NOON + 3 * SECOND, "clock")
    assert ended.reason.startswith("the clock was set forward by ")
    assert isinstance(begun, Opened)
    assert begun.covered_from == begun.at == NOON + step + 3 * SECOND
    assert begun.session not in ("", "a")
    assert second == message(begun.at, b"later")._replace(session=begun.session)
    assert {item.session for item in (alive, closed) if isinstance(item, (Alive, Closed))} == {begun.session}


def test_a_clock_that_is_set_back_ends_the_session_where_the_next_one_begins(clocks: Clocks) -> None:
    def items() -> Iterator[Item]:
        yield Opened("s", "a", "tutum", clocks.now, clocks.now)
        yield message(clocks.go(2 * HOUR / SECOND))
        clocks.set_to -= HOUR
        yield Alive("s", "a", clocks.go(5))
        yield Closed("s", "a", clocks.go(1), "bye", "lost")

    _, _, ended, begun, _, closed = told(clocks, items())

    assert isinstance(ended, Closed)
    assert isinstance(begun, Opened)
    assert ended.at == begun.covered_from == NOON + HOUR + 5 * SECOND
    assert ended.reason.startswith("the clock was set back by 1h")
    assert isinstance(closed, Closed)
    assert closed.at == NOON + HOUR + 6 * SECOND


def test_a_clock_that_is_set_back_behind_the_beginning_ends_the_session_there(clocks: Clocks) -> None:
    def items() -> Iterator[Item]:
        yield Opened("s", "a", "tutum", clocks.now, clocks.now)
        yield message(clocks.go(10))
        clocks.set_to -= DAY
        yield Alive("s", "a", clocks.go(5))

    _, _, ended, begun, _ = told(clocks, items())

    assert isinstance(ended, Closed)
    assert isinstance(begun, Opened)
    assert ended.at == begun.covered_from == NOON - DAY + 15 * SECOND


def test_what_was_stamped_before_the_step_is_of_the_session_before(clocks: Clocks) -> None:
    def items() -> Iterator[Item]:
        yield Opened("s", "a", "tutum", clocks.now, clocks.now)
        yield message(clocks.go(1))
        at = clocks.go(1)
        clocks.set_to += HOUR
        yield message(at, b"old")
        yield message(clocks.go(0), b"new")

    *_, old, ended, begun, new = told(clocks, items())

    assert old == message(NOON + 2 * SECOND, b"old")
    assert isinstance(ended, Closed)
    assert isinstance(begun, Opened)
    assert isinstance(new, Message)
    assert new.session == begun.session


def test_a_machine_that_sleeps_a_queue_that_is_late_and_a_clock_that_is_slewed_are_no_steps(clocks: Clocks) -> None:
    def items() -> Iterator[Item]:
        yield Opened("s", "a", "tutum", clocks.now, clocks.now)
        yield message(clocks.go(8 * HOUR / SECOND))
        yield message(clocks.now - 60 * SECOND)
        for _ in range(1000):
            clocks.set_to += SECOND // 400  # 500 ppm over five seconds
            yield Alive("s", "a", clocks.go(5))

    assert len(told(clocks, items())) == 1003


def test_steps_at_random_leave_parts_that_follow_on_each_other(clocks: Clocks) -> None:
    dice = random.Random(21)

    def items() -> Iterator[Item]:
        yield Opened("s", "a", "tutum", clocks.now, clocks.now)
        for _ in range(100):
            clocks.set_to += dice.choice((-1, 1)) * dice.randrange(2 * SECOND, DAY)
            yield message(clocks.go(dice.uniform(0, 10)))

    found = told(clocks, items())
    opened = [item for item in found if isinstance(item, Opened)]
    closed = [item for item in found if isinstance(item, Closed)]
    messages = [item for item in found if isinstance(item, Message)]
    assert [part.session for part in opened[:-1]] == [part.session for part in closed]
    assert [part.session for part in opened[1:]] == [item.session for item in messages]
    assert all(ended.at <= begun.at for ended, begun in zip(closed, opened[1:], strict=True))


class Kept(dict[str, str]):
    """Notes of a spool."""

    def note(self, stream: str, text: str) -> None:
        self[stream] = text

    def noted(self, stream: str) -> str | None:
        return self.get(stream)


def session(clocks: Clocks, key: str) -> Iterator[Item]:
    yield Opened("s", key, "tutum", clocks.now, clocks.now)
    yield Message("s", key, "tutum", clocks.go(10), b"{}")
    yield Closed("s", key, clocks.now, "bye", "stopped")


@pytest.mark.parametrize("restarted", [False, True])
def test_a_clock_that_is_set_back_between_two_sessions_ends_the_first_by_the_new_clock(
    clocks: Clocks, restarted: bool
) -> None:
    def items() -> Iterator[Item]:
        yield from session(clocks, "a")
        clocks.set_to -= HOUR
        clocks.go(60)
        yield from session(clocks, "b")

    kept = Kept()
    if restarted:
        list(split_at_steps(session(clocks, "a"), clocks, kept))
        clocks.set_to -= HOUR
        clocks.go(60)
        ended, begun, *_ = split_at_steps(session(clocks, "b"), clocks, kept)
    else:
        _, _, _, ended, begun, *_ = split_at_steps(items(), clocks, kept)

    assert ended == Closed("s", "a", NOON - HOUR + 10 * SECOND, "the clock was set back by 1h", "clock")
    assert isinstance(begun, Opened)
    assert begun.at == NOON - HOUR + 70 * SECOND


@pytest.mark.parametrize("boot", ["another", ""])
def test_of_a_machine_that_was_started_anew_nothing_is_known(clocks: Clocks, boot: str) -> None:
    kept = Kept()
    list(split_at_steps(session(clocks, "a"), clocks, kept))
    clocks.set_to, clocks.boot = NOON - HOUR, boot

    first = next(split_at_steps(session(clocks, "b"), clocks, kept))

    assert isinstance(first, Opened)


def test_a_spool_that_takes_no_notes_ends_nothing(clocks: Clocks) -> None:
    class Full(Kept):
        def note(self, stream: str, text: str) -> None:
            raise SpoolError(path=stream, reason="full")

    assert len(list(split_at_steps(session(clocks, "a"), clocks, Full(s="nonsense")))) == 3

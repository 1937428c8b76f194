"""Until when a server is known to have been there, whatever happened to whoever listened."""

from __future__ import annotations

import pytest

from archiver.platforms.wire.liveness import Liveness

SECOND = 1_000_000


class Watched:
    """A liveness by a clock that the test moves; both clocks begin at 0."""

    def __init__(self) -> None:
        self.now = 0.0
        self.life = Liveness(0.0, 0, unwatched=1.5, patience=10.0)

    @property
    def proven(self) -> float:
        return self.life.at / SECOND

    @property
    def must_ask(self) -> bool:
        return self.life.must_ask(self.now)

    def at(self, now: float) -> Watched:
        self.now = now
        return self

    def read(self, *, drained: bool = True) -> None:
        self.life.read(self.now, round(self.now * SECOND), drained=drained)

    def silent(self) -> None:
        self.life.silent(self.now, round(self.now * SECOND))

    def ping(self) -> bytes:
        return self.life.pinged(self.now, round(self.now * SECOND))

    def watch_until(self, end: float) -> Watched:
        while self.now < end:
            self.at(self.now + 0.5).silent()
        return self


def test_what_is_read_while_somebody_watches_proves_life_now() -> None:
    watched = Watched().watch_until(30)
    watched.at(30.2).read()
    assert watched.proven == 30.2
    assert not watched.must_ask


def test_silence_proves_nothing() -> None:
    assert Watched().watch_until(30).proven == 0


def test_what_waited_while_nobody_watched_proves_nothing_and_a_ping_is_due() -> None:
    watched = Watched().watch_until(10)
    watched.at(10.1).read()
    watched.at(55).read()
    watched.at(55.01).read()
    watched.at(55.02).read()
    assert watched.proven == 10.1
    watched.at(55.52).silent()
    assert watched.must_ask
    assert watched.proven == 10.1


def test_what_waited_is_read_before_anything_is_sent_but_not_for_ever() -> None:
    watched = Watched()
    watched.at(45).read(drained=False)
    assert not watched.life.may_send(45)
    while not watched.must_ask:
        assert watched.now < 51
        watched.at(watched.now + 1).read(drained=False)
    assert watched.now > 50


def test_a_pong_to_a_ping_sent_afterwards_proves_life_when_it_was_sent() -> None:
    watched = Watched()
    watched.at(45).read()
    number = watched.at(45.1).ping()
    assert not watched.must_ask
    watched.at(45.4).read()
    watched.life.pong(number)
    assert watched.proven == 45.1
    watched.at(45.5).read()
    assert watched.proven == 45.5


def test_a_pong_to_a_ping_sent_before_proves_no_more_than_that() -> None:
    watched = Watched()
    number = watched.at(0.5).ping()
    watched.at(45).read()
    watched.life.pong(number)
    assert watched.proven == 0.5
    watched.at(45.5).silent()
    assert watched.must_ask


@pytest.mark.parametrize("payload", [b"", b"7", b"x", b"-1", b"9" * 30, "²".encode()])
def test_a_pong_to_no_ping_of_ours_proves_nothing(payload: bytes) -> None:
    watched = Watched()
    watched.at(45).read()
    watched.ping()
    watched.life.pong(payload)
    assert watched.proven == 0
    assert not watched.life.ponged


def test_after_a_sleep_a_look_that_found_nothing_proves_nothing_of_what_comes_then() -> None:
    """Of a machine that wakes up the network is there later: what was said before, or during the sleep, comes then."""
    watched = Watched()
    watched.at(45).silent()
    watched.at(45.5).silent()
    watched.at(45.7).read()
    assert watched.proven == 0
    number = watched.ping()
    watched.at(45.8).read()
    watched.life.pong(number)
    watched.at(46).read()
    assert watched.proven == 46


def test_reading_that_never_catches_up_proves_no_more_than_the_pongs() -> None:
    watched = Watched()
    number = b""
    while watched.now < 20:
        watched.at(watched.now + 0.5).read(drained=False)
        if watched.must_ask:
            number = watched.ping()
    assert watched.proven <= 1.5
    watched.life.pong(number)
    assert watched.proven == pytest.approx(7.5)


def test_a_server_that_talks_and_knows_no_pong_is_believed_after_a_while() -> None:
    watched = Watched()
    watched.at(45).read()
    watched.ping()
    while watched.now < 58:
        watched.at(watched.now + 0.1).read()
    assert watched.proven == pytest.approx(58)


def test_pings_are_forgotten_in_the_end() -> None:
    watched = Watched()
    numbers = [watched.ping() for _ in range(1000)]
    watched.life.pong(numbers[0])
    assert not watched.life.ponged
    watched.life.pong(numbers[-1])
    assert watched.life.ponged

"""The waits between tries."""

from __future__ import annotations

from archiver.platforms.wire.backoff import Backoff


def test_the_ceiling_doubles_up_to_the_longest_wait() -> None:
    backoff = Backoff(0.5, 4, low=1.0)
    assert [backoff.next() for _ in range(5)] == [0.5, 1, 2, 4, 4]


def test_full_jitter_draws_between_nothing_and_the_ceiling() -> None:
    backoff = Backoff(60, 60, seed=1)
    waits = [backoff.next() for _ in range(500)]
    assert min(waits) < 2
    assert max(waits) > 58
    assert 25 < sum(waits) / 500 < 35


def test_no_wait_is_longer_than_the_longest() -> None:
    backoff = Backoff(60, 3600, low=1.0, high=1.25, seed=2)
    waits = [backoff.next() for _ in range(20)]
    assert 60 <= waits[0] <= 75
    assert max(waits) == 3600


def test_a_reset_begins_again_with_short_waits() -> None:
    backoff = Backoff(1, 64, low=1.0)
    for _ in range(5):
        backoff.next()
    backoff.reset()
    assert backoff.next() == 1


def test_the_same_seed_gives_the_same_waits() -> None:
    one, two = Backoff(1, 60, seed=7), Backoff(1, 60, seed=7)
    assert [one.next() for _ in range(9)] == [two.next() for _ in range(9)]

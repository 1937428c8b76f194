"""What an answer says of how well it was watched, and of why it is empty."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from archiver.model import Coverage, Gap, TimeRange
from archiver.model.empty import IN_WORDS, Empty
from archiver.queries.emptiness import Extent, why_empty
from archiver.queries.unchanged import proven


def at(hour: float | None) -> datetime | None:
    return None if hour is None else datetime(2026, 11, 20, int(hour), int(hour % 1 * 60), tzinfo=UTC)


def gap(since: float | None, until: float | None, stream: str | None = "ws://x") -> Gap:
    return Gap(stream, at(since), at(until), "cut", "lost")


@pytest.mark.parametrize(
    ("since", "seen_to", "gaps", "complete"),
    [
        (8, 12, [], True),
        (None, 12, [], True),
        (8, 12, [gap(12, None)], True),  # up to the last sign of life
        (8, 12, [gap(9, 10)], False),
        (8, 12, [gap(9, 10), gap(12, None)], False),
        (None, 12, [gap(None, 9)], False),
        (13, 12, [gap(13, None)], False),  # nothing of it was watched
        (12, 12, [gap(12, None)], False),
        (None, None, [gap(None, None, None)], False),  # imported
    ],
)
def test_complete_is_judged_up_to_the_last_sign_of_life(
    since: float | None, seen_to: float | None, gaps: list[Gap], complete: bool
) -> None:
    assert Coverage(tuple(gaps), at(seen_to), at(since)).complete is complete


@pytest.mark.parametrize(
    ("since", "until", "seen_to", "gaps", "extent", "why"),
    [
        (8, 12, 12, [], (6, 18), "nothing_happened"),
        (8, None, 18, [gap(18, None)], (6, 18), "nothing_happened"),
        (17, None, 18, [], (6, 18), "nothing_happened"),
        (18.5, None, 18, [], (6, 18), "nothing_happened"),  # a stream that is alive; its last sign was a moment ago
        (8, 12, 12, [gap(9, 10)], (6, 18), "gap"),
        (4, 12, 12, [gap(4, 6)], (6, 18), "gap"),
        (4, 5, 5, [gap(4, 5)], (6, 18), "before_archive"),
        (None, 6, 6, [gap(None, 6)], (6, 18), "before_archive"),
        (19, 20, 18, [gap(19, 20)], (6, 18), "after_archive"),
        (18, None, 18, [gap(18, None)], (6, 18), "after_archive"),
        (8, 12, None, [gap(8, 12, None)], (6, 18), "never_recorded"),  # imported
        (4, 5, None, [gap(4, 5, None)], (6, 18), "before_archive"),
        (None, None, None, [gap(None, None, None)], (None, None), "never_recorded"),
    ],
)
def test_an_empty_answer_says_why(
    since: float | None,
    until: float | None,
    seen_to: float | None,
    gaps: list[Gap],
    extent: tuple[float | None, float | None],
    why: Empty,
) -> None:
    coverage = Coverage(tuple(gaps), at(seen_to), at(since))

    assert why_empty(TimeRange(at(since), at(until)), coverage, Extent(*map(at, extent))) == why
    assert IN_WORDS[why]


@pytest.mark.parametrize(
    ("stretch", "expected"),
    [
        ((0, 6), [(1, 5, True)]),
        ((0, 5), [(1, 5, True)]),  # it was found the same when the gap ended
        ((2, 5), [(1, 2, False), (2, 5, True)]),
        ((0, 4), [(1, 5, False)]),
    ],
)
def test_a_gap_is_proven_by_what_stood_still_until_it_ended(
    stretch: tuple[float, float], expected: list[tuple[float, float, bool]]
) -> None:
    begin, end = map(at, stretch)
    assert begin is not None
    assert end is not None

    found = proven([gap(1, 5)], [(begin, end)])

    assert [(one.since, one.until, one.proven) for one in found] == [(at(a), at(b), sure) for a, b, sure in expected]

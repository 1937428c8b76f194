"""The interval tree: what holds at an instant is found at one of the nodes on the way there, and at no other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from archiver.storage.intervals import node, way_to
from archiver.storage.words import OPEN

INSTANTS = st.integers(-10, 40) | st.integers(0, 1 << 61)


@given(INSTANTS, INSTANTS | st.just(OPEN), INSTANTS)
def test_an_interval_is_found_by_what_it_holds_and_only_once(one: int, other: int, at: int) -> None:
    since, until = min(one, other), max(one, other) + 1
    place, way = node(since, until), way_to(at)

    found = [place in way.before and until > at, place in way.after and since <= at]

    assert (since <= at < until) == any(found) or at < 0
    assert set(way.before).isdisjoint(way.after)
    assert len(way.before) + len(way.after) <= 64


def test_what_still_holds_is_at_the_end_of_the_tree() -> None:
    assert node(5, OPEN) == OPEN
    assert OPEN in way_to(5).after

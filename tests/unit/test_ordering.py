"""Names in the order in which people look for them."""

from __future__ import annotations

import random

from archiver.codec.ordering import by_name


def test_numbers_in_names_are_numbers_and_what_has_no_name_is_last() -> None:
    names = ["db", "web", "web-1", "web-2", "web-2b", "web-10", "web-10-1", "web-10-2", "web-10-11", "web-a", None]
    shuffled = random.Random(3).sample(names, len(names))
    assert sorted(shuffled, key=by_name) == names


def test_a_number_of_any_length_is_one() -> None:
    names = ["a007", "a7", "a" + "9" * 9_000, "a" + "1" * 9_001]
    assert sorted(reversed(names), key=by_name) == names

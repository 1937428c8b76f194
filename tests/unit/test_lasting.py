"""Classes of lives: what lived at an instant is looked for where it is, and little else is looked at."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from archiver.model import to_micros
from archiver.storage.lasting import CLASSES, LIVES, SHORTEST, lasted
from archiver.storage.words import OPEN

EVER = to_micros(datetime.min.replace(tzinfo=UTC)), to_micros(datetime.max.replace(tzinfo=UTC))
INSTANTS = st.integers(-10, 40) | st.integers(*EVER)
LASTS = {int(number): int(most) for number, most in re.findall(r"\((\d+), (\d+)\)", CLASSES)}


@given(INSTANTS, INSTANTS, st.floats(0, 1))
def test_what_lived_began_no_longer_ago_than_its_class_lasts(one: int, other: int, part: float) -> None:
    first, gone = min(one, other), max(one, other)
    at = first + int((gone - first) * part)

    most = LASTS[lasted(first, gone)]

    assert first > min(at, gone) - most
    assert most <= 2 * (gone - first) or most == 1 << SHORTEST


def test_what_lives_lived_from_its_first_instant_on() -> None:
    assert lasted(5, None) == LIVES
    assert EVER[0] > EVER[1] - LASTS[LIVES]


def test_no_bound_is_less_than_a_database_can_count() -> None:
    assert -OPEN - max(LASTS.values()) >= -(1 << 63)

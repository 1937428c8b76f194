"""Numbers come in their order, however many of them are held at once."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from archiver.model import numbers_of
from archiver.transfer.ordered import Ordered


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 5_000])
def test_numbers_come_in_their_order_each_with_its_platform(count: int) -> None:
    numbers = [numbers_of(number % 3)(number) for number in range(count)]
    shuffled = Random(count).sample(numbers, count)

    with closing(Ordered(shuffled, part=10 if count < 100 else 1_000)) as ordered:
        assert [(number, number.platform) for number in ordered] == [(number, number.platform) for number in numbers]


def test_nothing_of_them_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with closing(Ordered([numbers_of(1)(1)])):
        pass

    assert list(tmp_path.iterdir()) == []

"""What repeats in a table is one row, and hides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice

from archiver.cli.listing.columns import Column
from archiver.cli.listing.folding import HELD, NEAR, SHOWN, fold, folded
from archiver.cli.listing.tables import table_lines
from archiver.cli.presentation import Presentation

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def rows(words: Iterable[str]) -> list[tuple[str, int]]:
    numbered = enumerate(words)
    return [(row.record[1], row.times) for row in fold(numbered, lambda record: record[1], lambda record: NOON)]


def test_what_comes_a_few_times_stands_as_it_is() -> None:
    assert rows(["kill"] * SHOWN) == [("kill", 1)] * SHOWN


def test_one_kill_stands_out_among_thousands_of_polls() -> None:
    found = rows(["top"] * 2500 + ["kill"] + ["top"] * 2500)

    assert found == [("top", 1)] * (SHOWN - 1) + [("top", 5000 - SHOWN + 1), ("kill", 1)]


def test_two_that_take_turns_are_folded_each() -> None:
    found = rows(islice(cycle(["top a", "top b"]), 2000))

    assert len(found) == 2 * SHOWN
    assert sum(times for _, times in found) == 2000


def test_what_comes_again_after_much_else_is_no_repetition() -> None:
    words = [word for number in range(10) for word in ["deploy", *(f"{number} {other}" for other in range(NEAR))]]

    assert [times for word, times in rows(words) if word == "deploy"] == [1] * 10


def test_a_poll_that_never_ends_holds_no_more_than_some_rows_back() -> None:
    words = (word for number in range(3 * HELD) for word in ("top", f"other {number}"))
    read = 0

    def reading() -> Iterable[tuple[int, str]]:
        nonlocal read
        for record in enumerate(words):
            read += 1
            yield record

    found = fold(reading(), lambda record: record[1], lambda record: NOON)
    for _ in range(2 * SHOWN):
        next(found)

    assert read < 2 * HELD + 4 * SHOWN


def test_each_record_is_a_row_or_counted_in_one() -> None:
    words = [f"{number * number % 7}" for number in range(5000)]

    assert sum(times for _, times in rows(words)) == 5000


def test_the_row_says_how_often_and_until_when() -> None:
    columns: list[Column[int]] = [Column("at", lambda number: NOON), Column("action", lambda number: "top")]
    polls = fold(range(100), lambda number: "top", lambda number: NOON + timedelta(seconds=number))
    presentation = Presentation("table", now=NOON)

    last = list(table_lines(presentation, folded(columns, "action"), polls))[-1]

    assert last.endswith("top (96 times until 12:01:39 UTC)")

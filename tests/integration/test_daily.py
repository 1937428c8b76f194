"""What the views say day by day, on both databases."""

from __future__ import annotations

from typing import Any

from .archives import STREAM, closed, opened, record, rows

HOUR = 3600


def coverage(url: str, day: str) -> list[Any]:
    query = "SELECT watched_seconds, unwatched_seconds, gaps, longest_seconds FROM coverage_daily"
    return rows(url, f"{query} WHERE stream = '{STREAM}' AND day = '{day}'")


def test_a_day_says_how_long_somebody_was_watching(database_url: str) -> None:
    """From noon on the first day, with two gaps; a session over midnight; then nobody."""
    told = [("a", 0, HOUR), ("b", 2 * HOUR, 3 * HOUR), ("c", 6 * HOUR, 14 * HOUR)]
    record(database_url, *[item for key, since, until in told for item in (opened(key, since), closed(key, until))])

    assert coverage(database_url, "2016-02-01") == [(8 * HOUR, 4 * HOUR, 2, 3 * HOUR)]
    assert coverage(database_url, "2016-02-02") == [(2 * HOUR, 22 * HOUR, 1, 22 * HOUR)]
    assert coverage(database_url, "2016-02-03") == [(0, 24 * HOUR, 1, 24 * HOUR)]
    assert coverage(database_url, "2016-01-31") == []


def test_a_gap_over_midnight_is_of_both_days(database_url: str) -> None:
    told = [("a", 0, 11 * HOUR), ("b", 13 * HOUR, 36 * HOUR)]
    record(database_url, *[item for key, since, until in told for item in (opened(key, since), closed(key, until))])

    assert coverage(database_url, "2016-02-01") == [(11 * HOUR, HOUR, 1, HOUR)]
    assert coverage(database_url, "2016-02-02") == [(23 * HOUR, HOUR, 1, HOUR)]


def test_who_watches_meanwhile_leaves_no_gap(database_url: str) -> None:
    told = [("a", 0, 36 * HOUR), ("b", HOUR, 2 * HOUR), ("c", 3 * HOUR, 4 * HOUR)]
    record(database_url, *[item for key, since, until in told for item in (opened(key, since), closed(key, until))])

    assert coverage(database_url, "2016-02-01") == [(12 * HOUR, 0, 0, 0)]


def test_the_last_day_is_today(database_url: str) -> None:
    record(database_url, opened("a", 0), closed("a", HOUR))

    query = "SELECT max(day) FROM coverage_daily WHERE day >= '2026-01-01'"
    assert rows(database_url, query)[0][0] >= "2026"

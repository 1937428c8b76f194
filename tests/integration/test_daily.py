"""What the views say day by day, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.model import Event, TimeRange

from .archives import STREAM, closed, event, opened, record, rows
from .growth import analysed, cost_of_sql
from .test_availability import World

HOUR = 3600


class Unslotted(World):
    """Of what fills no slot, the report reckons each by itself, as the view does."""

    def records(self) -> Iterator[Any]:
        for each in super().records():
            yield each._replace(slot=None) if isinstance(each, Event) else each


@pytest.mark.parametrize("seed", range(2))
def test_a_day_of_a_container_is_as_available_as_the_report_says(database_url: str, seed: int) -> None:
    record(database_url, *Unslotted(seed).records())

    query = "SELECT uri, day, up_seconds, down_seconds, planned_seconds, unknown_seconds, availability, worst, best"
    found = [tuple(row) for row in rows(database_url, f"{query} FROM availability_daily WHERE day < '2016-02-03'")]

    assert sorted(found) == sorted(reported(database_url)) != []
    days = {day for _, day, *_ in found}
    with Archive.open(database_url) as archive:
        doubtful = {day: sum(each.seconds for each in archive.unknown(date.fromisoformat(day))) for day in days}
    assert doubtful == pytest.approx({of: sum(row[5] for row in found if row[1] == of) for of in days})


def test_a_loop_of_crashes_is_looked_for_once_a_day_and_not_for_each_of_its_starts(database_url: str) -> None:
    crashes = 40
    words = [("Running", 1), ("Stopped", 50)]
    told = [event("container/1", state, 60 * each + at, [], "a") for each in range(crashes) for state, at in words]
    record(database_url, opened("a", 0), *told)
    day = "SELECT up_seconds, down_seconds FROM availability_daily WHERE day = '2016-02-01'"

    cost = cost_of_sql(analysed(database_url), day, by_index=True)

    assert rows(database_url, day) == [(49, 60 * (crashes - 1))]
    assert cost < {"sqlite": 10_000_000, "postgresql": 200_000}[database_url.partition("+")[0].partition(":")[0]]


def reported(url: str) -> Iterator[tuple[Any, ...]]:
    until = TimeRange(None, datetime(2016, 2, 3, tzinfo=UTC))
    with Archive.open(url) as archive:
        for (uri,) in rows(url, "SELECT uri FROM inventory WHERE type = 'container'"):
            for row in archive.report("availability", uri, until, per="day", zone=UTC).rows:
                yield uri, row.day, *row[2:], row.availability, row.worst, row.best


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

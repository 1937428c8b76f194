"""Times as people write and read them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.cli import times
from archiver.errors import TimeNotUnderstood, UsageError

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 9, 25, tzinfo=UTC)


def read(text: str) -> str:
    return times.machine(times.parse_time(text, now=NOW, zone=BERLIN))


@pytest.mark.parametrize(
    "text", ["2h", "-2h", "2h ago", "2 hours ago", "120min", "1h 60m", "2H", " 2  hours  ago ", "7200s"]
)
def test_a_span_is_before_now(text: str) -> None:
    assert read(text) == "2026-11-23T07:25:00Z"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1h30m", "2026-11-23T07:55:00Z"),
        ("1.5h", "2026-11-23T07:55:00Z"),
        ("3d", "2026-11-20T09:25:00Z"),
        ("1 week ago", "2026-11-16T09:25:00Z"),
        ("now", "2026-11-23T09:25:00Z"),
        ("today", "2026-11-22T23:00:00Z"),
        ("Yesterday", "2026-11-21T23:00:00Z"),
        ("tomorrow", "2026-11-23T23:00:00Z"),
        ("14:00", "2026-11-23T13:00:00Z"),
        ("yesterday 14:00:30", "2026-11-22T13:00:30Z"),
        ("2026-11-20", "2026-11-19T23:00:00Z"),
        ("2026-07-01 14:00", "2026-07-01T12:00:00Z"),
        ("2026-11-20T14:00:00Z", "2026-11-20T14:00:00Z"),
        ("2026-11-20 14:00:00.250Z", "2026-11-20T14:00:00.250000Z"),
        ("2026-11-20T14:00:00+02:00", "2026-11-20T12:00:00Z"),
        ("2026-11-20 14:00:00-0500", "2026-11-20T19:00:00Z"),
        ("@1764000000", "2025-11-24T16:00:00Z"),
        ("@1764000000.5", "2025-11-24T16:00:00.500000Z"),
    ],
)
def test_the_grammar(text: str, moment: str) -> None:
    assert read(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "10/11/2026", "2026-11", "2026", "20261120", "1764000000", "2hh", "2", "1h30", "", " ", "ago", "-", "2 months",
        "in 2h", "-2h ago", "25:00", "14:60", "2026-13-01", "2026-11-20T25:00", "99999999999999d", "yesterday 2h", "٢h",
        "@999999999999", "1e3h", "2026-11-20T14", "\x1b[2J",
    ],
)  # fmt: skip
def test_what_could_mean_two_things_or_nothing_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(TimeNotUnderstood) as caught:
        read(text)

    assert "2 hours ago" in caught.value.next_step


def test_a_time_that_the_clock_showed_twice_needs_its_offset() -> None:
    with pytest.raises(UsageError, match="twice"):
        read("2026-10-25 02:30")

    assert read("2026-10-25 02:30+02:00") == "2026-10-25T00:30:00Z"


def test_a_time_that_the_clock_skipped_is_refused() -> None:
    with pytest.raises(UsageError, match="at no time"):
        read("2026-03-29 02:30")


def test_a_day_is_a_calendar_day_also_when_the_clock_changes() -> None:
    after_the_change = datetime(2026, 10, 25, 12, tzinfo=UTC)

    assert times.machine(times.parse_time("today", now=after_the_change, zone=BERLIN)) == "2026-10-24T22:00:00Z"


def test_without_utc_the_local_zone_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert times.machine(times.parse_time("2026-11-20 14:00", now=NOW)) == "2026-11-20T05:00:00Z"
        assert times.human(NOW) == "2026-11-23 18:25:00+09:00"
        assert times.clock(NOW, NOW) == "18:25:00 JST"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_range_is_open_where_nothing_was_said() -> None:
    span = times.parse_range("2026-11-20", None, utc=True)

    assert (span.since, span.until) == (datetime(2026, 11, 20, tzinfo=UTC), None)


def test_a_range_that_holds_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="is not before --until"):
        times.parse_range("1h", "2h", now=NOW)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert times.parse_time(text, now=NOW, zone=UTC).tzinfo is UTC


@given(st.datetimes(min_value=datetime(1970, 1, 2), timezones=st.just(UTC)))
def test_what_is_written_can_be_read_back(moment: datetime) -> None:
    assert times.parse_time(times.machine(moment), now=NOW, zone=BERLIN) == moment
    assert times.parse_time(times.human(moment.replace(microsecond=0), BERLIN), now=NOW) == moment.replace(
        microsecond=0
    )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"), (0.113, "113ms"), (45, "45s"), (60, "1m"), (312, "5m12s"), (3600, "1h"), (11520, "3h12m"),
        (7_205, "2h"), (273_600, "3d4h"), (86_400 * 400, "400d"), (-5, "-5s"),
    ],
)  # fmt: skip
def test_a_duration_has_its_two_largest_units(seconds: float, shown: str) -> None:
    assert times.duration(timedelta(seconds=seconds)) == shown


def test_seconds_are_whole_where_they_can_be() -> None:
    assert repr(times.seconds(timedelta(seconds=5))) == "5"
    assert repr(times.seconds(timedelta(milliseconds=1500))) == "1.5"


def test_an_instant_for_people_names_its_zone() -> None:
    moment = datetime(2026, 7, 1, 12, 0, 0, 250_999, tzinfo=UTC)

    assert times.human(moment, BERLIN) == "2026-07-01 14:00:00.250+02:00"
    assert times.human(moment, UTC) == "2026-07-01 12:00:00.250Z"

"""Times as people write and read them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.cli import times
from archiver.cli.times import zones
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
        ("1764000000", "2025-11-24T16:00:00Z"),
        ("1764000000.123456789", "2025-11-24T16:00:00.123456Z"),
        ("1764000000123", "2025-11-24T16:00:00.123000Z"),
        ("1764000000123456789", "2025-11-24T16:00:00.123456Z"),
        ("2 months ago", "2026-09-23T08:25:00Z"),
        ("1 year 1d", "2025-11-22T09:25:00Z"),
        ("a week ago", "2026-11-16T09:25:00Z"),
        ("250ms", "2026-11-23T09:24:59.750000Z"),
        ("monday", "2026-11-22T23:00:00Z"),
        ("last monday", "2026-11-15T23:00:00Z"),
        ("Tue", "2026-11-16T23:00:00Z"),
        ("friday 17:30", "2026-11-20T16:30:00Z"),
        ("noon yesterday", "2026-11-22T11:00:00Z"),
        ("yesterday at 2pm", "2026-11-22T13:00:00Z"),
        ("2pm", "2026-11-23T13:00:00Z"),
        ("2 pm", "2026-11-23T13:00:00Z"),
        ("11am", "2026-11-23T10:00:00Z"),
        ("9 AM", "2026-11-23T08:00:00Z"),
        ("2pm UTC", "2026-11-23T14:00:00Z"),
        ("12:30 am", "2026-11-22T23:30:00Z"),
        ("noon", "2026-11-23T11:00:00Z"),
        ("midnight", "2026-11-22T23:00:00Z"),
        ("this month", "2026-10-31T23:00:00Z"),
        ("last month", "2026-09-30T22:00:00Z"),
        ("last week", "2026-11-15T23:00:00Z"),
        ("last year", "2024-12-31T23:00:00Z"),
        ("09:00 UTC", "2026-11-23T09:00:00Z"),
        ("10:00 CET", "2026-11-23T09:00:00Z"),
        ("2026-07-01 14:00 CET", "2026-07-01T13:00:00Z"),
        ("2026-07-01 14:00 CEST", "2026-07-01T12:00:00Z"),
        ("2026-07-01 14:00 America/New_York", "2026-07-01T18:00:00Z"),
        ("14:00 asia/tokyo", "2026-11-23T05:00:00Z"),
        ("yesterday Asia/Tokyo", "2026-11-21T15:00:00Z"),
        ("14:00 UTC+3", "2026-11-23T11:00:00Z"),
        ("2016-12-31t23:59:59z", "2016-12-31T23:59:59Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999999Z"),
        ("2017-01-01 00:59:60+01:00", "2016-12-31T23:59:59.999999Z"),
        ("Fri, 20 Nov 2015 10:00:00 +0000", "2015-11-20T10:00:00Z"),
        ("8 Dec 2015 10:00:00 GMT", "2015-12-08T10:00:00Z"),
        ("Thu Nov 19 15:29:29 UTC 2026", "2026-11-19T15:29:29Z"),
        ("2026-11-20 14:00:00.123456789 +0100 CET", "2026-11-20T13:00:00.123456Z"),
        ("20 November 2026", "2026-11-19T23:00:00Z"),
        ("2026/11/20 14:00:00", "2026-11-20T13:00:00Z"),
    ],
)
def test_the_grammar(text: str, moment: str) -> None:
    assert read(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "10/11/2026", "2026-11", "2026", "20261120", "17640000", "2hh", "2", "1h30", "", " ", "ago", "-", "1.5 months",
        "in 2h", "-2h ago", "25:00", "14:60", "2026-13-01", "2026-11-20T25:00", "99999999999999d", "yesterday 2h", "٢h",
        "@999999999999", "1e3h", "2026-11-20T14", "\x1b[2J", "2026/11-20",
        "Mon, 20 Nov 2026 10:00:00 +0000", "30 Feb 2026", "2016-12-31T22:59:60Z", "13pm", "0am", "14:00:61",
        "noon 14:00", "20 Nov", "last", "2 fortnights ago", "17640000001", "1764000000123.5", "2026-11-20 -05:00",
    ],
)  # fmt: skip
def test_what_could_mean_two_things_or_nothing_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(TimeNotUnderstood) as caught:
        read(text)

    assert "2 hours ago" in caught.value.next_step


@pytest.mark.parametrize("text", ["6M", "1 M", "1h 6M", "6M ago"])
def test_months_or_minutes_are_not_guessed(text: str) -> None:
    with pytest.raises(UsageError, match="months or minutes"):
        read(text)


def test_months_are_of_the_calendar_and_end_with_the_month() -> None:
    last_of_march = datetime(2026, 3, 31, 12, tzinfo=UTC)

    assert times.parse_time("1 month ago", now=last_of_march, zone=UTC) == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert times.parse_time("4 months ago", now=last_of_march, zone=UTC) == datetime(2025, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", ["CST", "Foo", "Europe/Nowhere", "Europe/Berlin/x"])
def test_a_zone_that_is_none_or_several_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="zone"):
        read(f"2026-11-20 14:00 {name}")


def test_a_zone_is_no_path() -> None:
    with pytest.raises(UsageError, match="zone"):
        zones.named("Europe/../../../etc/passwd")


def test_the_readers_own_zone_may_be_called_what_others_call_theirs() -> None:
    chicago = ZoneInfo("America/Chicago")

    assert times.parse_time("14:00 CST", now=NOW, zone=chicago) == datetime(2026, 11, 23, 20, tzinfo=UTC)


def test_a_time_that_the_clock_showed_twice_needs_its_offset_or_the_name_of_its_zone() -> None:
    with pytest.raises(UsageError, match="twice"):
        read("2026-10-25 02:30")

    assert read("2026-10-25 02:30+02:00") == "2026-10-25T00:30:00Z"
    assert read("2026-10-25 02:30 CEST") == "2026-10-25T00:30:00Z"
    assert read("2026-10-25 02:30 CET") == "2026-10-25T01:30:00Z"


SKIPPED_MIDNIGHTS = [
    ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"),
    ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"),
    ("America/Havana", "2026-03-08", "2026-03-08T05:00:00Z"),
    ("Atlantic/Azores", "2026-03-29", "2026-03-29T01:00:00Z"),
    ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z"),
    ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z"),  # from 23:30 to 00:30
]


@pytest.mark.parametrize(("zone", "day", "began"), SKIPPED_MIDNIGHTS)
def test_a_day_without_a_midnight_begins_when_its_clock_first_shows_it(zone: str, day: str, began: str) -> None:
    noon = datetime.fromisoformat(f"{day}T16:00:00Z")
    words = [("today", noon), ("yesterday", noon + timedelta(days=1)), (day, noon), (f"{day} {zone}", noon)]

    for text, now in words:
        assert times.machine(times.parse_time(text, now=now, zone=ZoneInfo(zone))) == began


@pytest.mark.parametrize(("zone", "day", "began"), SKIPPED_MIDNIGHTS)
def test_also_where_the_zone_is_that_of_the_system(
    zone: str, day: str, began: str, system_zone: Callable[[str], None]
) -> None:
    system_zone(zone)

    assert times.machine(times.parse_time(day, now=NOW)) == began


def test_a_day_that_was_left_out_is_refused() -> None:
    with pytest.raises(UsageError, match="there was no 2011-12-30"):
        times.parse_time("2011-12-30", now=NOW, zone=ZoneInfo("Pacific/Apia"))


def test_a_midnight_that_comes_twice_begins_its_day_once() -> None:
    havana = ZoneInfo("America/Havana")  # 2026-11-01: from 01:00 back to 00:00

    assert times.machine(times.parse_time("2026-11-01", now=NOW, zone=havana)) == "2026-11-01T04:00:00Z"


def test_a_time_that_the_clock_skipped_is_refused() -> None:
    with pytest.raises(UsageError, match="at no time"):
        read("2026-03-29 02:30")


def test_a_day_is_a_calendar_day_also_when_the_clock_changes() -> None:
    after_the_change = datetime(2026, 10, 25, 12, tzinfo=UTC)

    assert times.machine(times.parse_time("today", now=after_the_change, zone=BERLIN)) == "2026-10-24T22:00:00Z"


@pytest.fixture
def system_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Makes a zone that of the system, for one test."""

    def put(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield put
    monkeypatch.undo()
    time.tzset()


def test_without_utc_the_local_zone_is_meant(system_zone: Callable[[str], None]) -> None:
    system_zone("Asia/Tokyo")

    assert times.machine(times.parse_time("2026-11-20 14:00", now=NOW)) == "2026-11-20T05:00:00Z"
    assert times.human(NOW) == "2026-11-23 18:25:00+09:00"
    assert times.clock(NOW, NOW) == "18:25:00 JST"


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Chicago", "America/Sao_Paulo", "UTC+3", "Europe/Nowhere"])
def test_the_time_of_day_that_is_shown_can_be_given_back(zone: str, system_zone: Callable[[str], None]) -> None:
    system_zone(zone)

    assert times.parse_time(times.clock(NOW, NOW), now=NOW) == NOW


def test_utc_is_utc_also_where_the_system_calls_another_zone_so(system_zone: Callable[[str], None]) -> None:
    system_zone("UTC+3")

    assert times.machine(times.parse_time("06:00 UTC", now=NOW)) == "2026-11-23T06:00:00Z"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [("UTC+3", "06:25:00-03:00"), ("Europe/Nowhere", "09:25:00+00:00"), ("America/Chicago", "03:25:00-06:00")],
)
def test_a_zone_is_not_called_what_it_is_not(zone: str, shown: str, system_zone: Callable[[str], None]) -> None:
    system_zone(zone)

    assert times.clock(NOW, NOW) == shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", None),
        ("Europe/Berlin", None),
        (":Europe/Berlin", None),
        ("CET-1CEST,M3.5.0,M10.5.0/3", None),
        ("<-03>3", None),
        ("Europe/Nowhere", "no time zone that this machine knows"),
        ("Berlin", "no time zone"),
        ("/nowhere/at/all", "no time zone"),
        ("UTC+3", "3 hours west of UTC (what others call UTC-3)"),
        ("GMT-2", "2 hours east of UTC (what others call UTC+2)"),
    ],
)
def test_a_wrong_zone_is_said(text: str, said: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", text)
    found = zones.trouble()

    assert found is None if said is None else said in str(found)


def test_a_range_is_open_where_nothing_was_said() -> None:
    span = times.parse_range("2026-11-20", None, utc=True)

    assert (span.since, span.until) == (datetime(2026, 11, 20, tzinfo=UTC), None)


def test_a_range_that_holds_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="is not before --until"):
        times.parse_range("1h", "2h", now=NOW)


@pytest.mark.parametrize(
    ("since", "hint"), [("14:00", "give the day too"), ("tomorrow", "a time before now"), ("2027-01-01", "before now")]
)
def test_of_a_beginning_in_the_future_the_hint_fits_what_was_given(since: str, hint: str) -> None:
    with pytest.raises(UsageError, match="lies in the future") as caught:
        times.parse_range(since, None, utc=True, now=NOW)

    assert hint in caught.value.next_step


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

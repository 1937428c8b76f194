"""Instants as text: what is written is what the standard library would write, from the year 1 to 9999."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.model import iso, to_datetime, to_micros

MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS)
def test_an_instant_is_written_to_the_microsecond(moment: datetime) -> None:
    written = iso(to_micros(moment))

    assert written == moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert datetime.fromisoformat(written) == moment == to_datetime(to_micros(moment))


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (86_400_000_000, "1970-01-02T00:00:00.000000Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_where_days_and_years_begin(moment: int, written: str) -> None:
    assert iso(moment) == written

"""Instants: whole microseconds on the way in, `datetime` in answers, ISO 8601 text in the archive; always UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

Micros = int
"""An instant: microseconds since 1970-01-01T00:00:00 UTC."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def now_micros() -> Micros:
    """The wall clock, in microseconds UTC."""
    return time.time_ns() // 1000


def to_micros(moment: datetime) -> Micros:
    """An aware datetime as microseconds UTC, exactly."""
    return (moment - EPOCH) // MICROSECOND


def to_datetime(moment: Micros) -> datetime:
    """Microseconds UTC as an aware datetime, exactly."""
    return EPOCH + timedelta(microseconds=moment)


def rfc3339(moment: datetime) -> str:
    """An aware datetime as answers for programs have it: RFC 3339 in UTC; microseconds only when there are any."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def seconds(length: timedelta) -> int | float:
    """A length in seconds, a whole number where it is one."""
    whole, rest = divmod(length, timedelta(seconds=1))
    return length.total_seconds() if rest else whole


_TWO_DIGITS = [f"{number:02d}" for number in range(60)]
_MINUTES = [f"T{hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60)]
_MINUTES_A_DAY = len(_MINUTES)


@lru_cache(maxsize=4096)
def _day(day: int) -> str:
    whole = EPOCH + timedelta(days=day)
    return f"{whole.year:04d}{whole:-%m-%d}"


@lru_cache(maxsize=4096)
def iso(moment: Micros) -> str:
    """Microseconds UTC as fixed-width ISO 8601, ``2026-11-23T18:35:17.000000Z``: sorts as text, and SQL reads it.

    Put together from tables, and remembers its last answers: every event passes here, messages come in bursts, and most
    platforms date them by the second.
    """
    seconds, micros = divmod(moment, 1_000_000)
    minutes, second = divmod(seconds, 60)
    day, minute = divmod(minutes, _MINUTES_A_DAY)
    return f"{_day(day)}{_MINUTES[minute]}{_TWO_DIGITS[second]}.{micros:06d}Z"


def duration(length: timedelta) -> str:
    """A length in the two largest units: `45s`, `5m12s`, `3h12m`, `3d4h`, `400d`."""
    if length < timedelta(0):
        return "-" + duration(-length)
    whole = length // timedelta(seconds=1)
    if whole == 0:
        return f"{length // timedelta(milliseconds=1)}ms" if length else "0s"
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    if days >= 100:
        return f"{days}d"
    units = ((days, "d"), (hours, "h"), (minutes, "m"), (left, "s"))
    for (large, name), (small, lesser) in pairwise(units):
        if large:
            return f"{large}{name}{small}{lesser}" if small else f"{large}{name}"
    return f"{left}s"

"""Instants: whole microseconds on the way in, `datetime` in answers, ISO 8601 text in the archive; always UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

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


@lru_cache(maxsize=4096)
def _second(moment: int) -> str:
    whole = EPOCH + timedelta(seconds=moment)
    return f"{whole.year:04d}{whole:-%m-%dT%H:%M:%S}"


@lru_cache(maxsize=4096)
def iso(moment: Micros) -> str:
    """Microseconds UTC as fixed-width ISO 8601, ``2026-11-23T18:35:17.000000Z``: sorts as text, and SQL reads it.

    Remembers its last answers, since messages come in bursts and most platforms date them by the second.
    """
    second, micros = divmod(moment, 1_000_000)
    return f"{_second(second)}.{micros:06d}Z"

"""Reads instants as the writers of recordings have put them down: ISO 8601, RFC 2822, numbers since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from archiver.model import Micros, to_micros

_LONGEST = 64
_YEAR_1 = -62_135_596_800 * 1_000_000
_YEAR_10000 = 253_402_300_800 * 1_000_000
_NUMBER = re.compile(r"\d{9,20}(?:\.\d+)?").fullmatch
# A number says by its size what it counts: seconds up to the year 5138, then milliseconds, microseconds, nanoseconds.
_COUNTS = ((10**11, 10**6), (10**14, 10**3), (10**17, 1))
_ISO = re.compile(
    r"(?P<day>\d{4}-?\d\d-?\d\d)[T ]+(?P<clock>\d\d:?\d\d)(?P<second>:?\d\d)?(?:[.,](?P<fraction>\d+))?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d(?: [A-Z]{3,5})?|[+-]\d\d)?"
).fullmatch
_LEAP = re.compile(r"(?<=\d\d:\d\d:)60\b")


def read_moment(value: Any) -> Micros | None:
    """The instant, in microseconds UTC, that a number or a text means; without a zone it is UTC. None: not readable."""
    if type(value) is str:
        return _read_text(value)
    if type(value) is int or (type(value) is float and abs(value) < 1e20):
        return _count(Decimal(repr(value)))
    return None


def _count(number: Decimal) -> Micros | None:
    if number <= 0:
        return None
    scale = next((Decimal(scale) for limit, scale in _COUNTS if number < limit), Decimal("0.001"))
    micros = int(number * scale)
    return micros if micros < _YEAR_10000 else None


@lru_cache(maxsize=4096)
def _read_text(text: str) -> Micros | None:
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if _NUMBER(text):
        return _count(Decimal(text))
    try:
        read = _at(datetime.fromisoformat(text)) if len(text) == 10 else _read_iso(text.upper())
        moment = _read_mail(text) if read is None else read
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return moment if _YEAR_1 <= moment < _YEAR_10000 else None


def _read_iso(text: str) -> Micros | None:
    found = _ISO(text)
    if found is None:
        return None
    zone = (found["zone"] or "Z").split(" ")[0]
    zone = "+00:00" if zone.isalpha() else zone
    second, leap = (found["second"] or ":00")[-2:], 0
    if second == "60":  # told as the second after 59, which is how everybody's clock counts it
        second, leap = "59", 1_000_000
    day, clock = found["day"].replace("-", ""), found["clock"].replace(":", "")
    fraction = (found["fraction"] or "")[:6].ljust(6, "0")
    return _at(datetime.fromisoformat(f"{day}T{clock}{second}.{fraction}{zone}")) + leap


def _read_mail(text: str) -> Micros:
    from email.utils import parsedate_to_datetime

    usual = _LEAP.sub("59", text)
    return _at(parsedate_to_datetime(usual)) + (1_000_000 if usual != text else 0)


def _at(moment: datetime) -> Micros:
    return to_micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))

"""Times as people write and read them: ranges, instants, durations."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from archiver.cli.times import zones
from archiver.cli.times.time_words import parse_time as parse_time
from archiver.errors import UsageError
from archiver.model.moments import duration as duration
from archiver.model.moments import rfc3339
from archiver.model.moments import seconds as seconds

if TYPE_CHECKING:
    from archiver.model import TimeRange


def parse_range(since: str | None, until: str | None, *, utc: bool = False, now: datetime | None = None) -> TimeRange:
    """The range from `since` (inclusive) to `until` (exclusive), read in the local zone or in UTC; None is open.

    Raises `TimeNotUnderstood` for a time outside the grammar, `UsageError` for a range that holds nothing.
    """
    now = now or datetime.now(UTC)
    zone = UTC if utc else None
    start = None if since is None else parse_time(since, now=now, zone=zone)
    end = None if until is None else parse_time(until, now=now, zone=zone)
    if start is not None:
        require_past(start, "--since", now, zone)
    if start is not None and end is not None and start >= end:
        raise UsageError(
            reason=f"--since ({machine(start)}) is not before --until ({machine(end)})",
            hint="since is the earlier end and counts, until is the later end and does not",
        )
    from archiver.model import TimeRange  # which TAB never needs

    return TimeRange(start, end)


def require_past(moment: datetime, called: str, now: datetime, zone: tzinfo | None) -> None:
    """Raises UsageError for an instant of which nothing can be known yet; `zone` says which day is today."""
    if moment > now:
        hint = past_hint(moment, now, zone)
        raise UsageError(reason=f"{called} ({machine(moment)}) lies in the future", hint=hint)


def past_hint(moment: datetime, now: datetime, zone: tzinfo | None) -> str:
    """What to write instead of an instant that is yet to come."""
    is_today = moment.astimezone(zone).date() == now.astimezone(zone).date()
    return "give the day too, as in 'yesterday 14:00'" if is_today else "give a time before now, as in 2h or today"


_LENGTH = r"(?i)(\d{1,9}(?:\.\d{1,6})?)\s*(s|sec|m|min|h|d|w)?"
_UNITS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse_length(text: str) -> timedelta:
    """A length of time: 90, 90s, 5m, 2h, 1d; without a unit it is in seconds. Raises UsageError."""
    found = re.fullmatch(_LENGTH, text.strip())
    if found is None:
        raise UsageError(reason=f"cannot read {text!r} as a length of time", hint="try 90s, 5m, 2h or 1d")
    return timedelta(seconds=float(found[1]) * _UNITS[(found[2] or "").lower()])


# --- rendering ------------------------------------------------------------------------------------------------------


machine = rfc3339


def human(moment: datetime, zone: tzinfo | None = None) -> str:
    """Date, time and offset in a zone (None: the local one); milliseconds only when there are any."""
    local = moment.astimezone(zone)
    millis = f".{local.microsecond // 1000:03d}" if local.microsecond >= 1000 else ""
    return f"{local:%Y-%m-%d %H:%M:%S}{millis}{_offset(local)}"


def age(since: datetime, now: datetime) -> str:
    """How long something has been so; of what a clock that is ahead dates later than now, no time."""
    return duration(max(now - since, timedelta(0)))


def clock(moment: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """The time of day when it is of today, else the whole instant as `human`."""
    local = moment.astimezone(zone)
    if local.date() != now.astimezone(zone).date():
        return human(moment, zone)
    name = zones.abbreviation(local)
    return f"{local:%H:%M:%S} {name}" if name else f"{local:%H:%M:%S}{_offset(local)}"


def _offset(local: datetime) -> str:
    text = local.isoformat(timespec="seconds")[19:]
    return "Z" if local.tzname() == "UTC" and text == "+00:00" else text

"""Times as people write and read them: the grammar of `--since` and `--until`, instants, durations.

The grammar is strict: what could be read in two ways is refused with an example, never guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from archiver.errors import TimeNotUnderstood, UsageError
from archiver.model import TimeRange

_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "week", "weeks"), 604_800),
}
_DAYS = {"today": 0, "yesterday": -1, "tomorrow": 1}
_SPAN = r"(?:[0-9]+(?:\.[0-9]+)?\s*[a-z]+\s*)+"
# Patterns are compiled when a time is read: most commands are called without one.
_PART = r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)"
_BEFORE = rf"-\s*({_SPAN})|({_SPAN})ago|({_SPAN})"
_CLOCK = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
_DAY_CLOCK = rf"(?P<day>today|yesterday|tomorrow)|(?:(?P<of>today|yesterday|tomorrow)\s+)?{_CLOCK}"
_ISO = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[t ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:\s?(?:z|utc|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
_EPOCH = r"@([0-9]{1,11})(?:\.([0-9]{1,6}))?"


def parse_range(since: str | None, until: str | None, *, utc: bool = False, now: datetime | None = None) -> TimeRange:
    """The range from `since` (inclusive) to `until` (exclusive), read in the local zone or in UTC; None is open.

    Raises `TimeNotUnderstood` for a time outside the grammar, `UsageError` for a range that holds nothing.
    """
    now = now or datetime.now(UTC)
    zone = UTC if utc else None
    start = None if since is None else parse_time(since, now=now, zone=zone)
    end = None if until is None else parse_time(until, now=now, zone=zone)
    if start is not None and start > now:
        raise UsageError(reason=f"--since ({machine(start)}) lies in the future", hint="nothing is known of it yet")
    if start is not None and end is not None and start >= end:
        raise UsageError(
            reason=f"--since ({machine(start)}) is not before --until ({machine(end)})",
            hint="since is the earlier end and counts, until is the later end and does not",
        )
    return TimeRange(start, end)


def parse_time(text: str, *, now: datetime, zone: tzinfo | None = None) -> datetime:
    """One instant in UTC from what a person wrote; `zone` None is the local zone.

    Understood: `2h`, `-2h`, `2h ago`, `2 hours ago`, `1h30m` (all before now); `now`, `today`, `yesterday`, `tomorrow`,
    `14:00`, `yesterday 14:00`; an ISO 8601 date or date and time, with or without offset; `@` and seconds since 1970.
    Raises `TimeNotUnderstood`, and `UsageError` where the clock was put forward or back at that time.
    """
    words = " ".join(text.lower().split())
    try:
        moment = _read(words, now, zone)
    except (ValueError, OverflowError, OSError) as exc:
        raise TimeNotUnderstood(text) from exc
    if moment is None:
        raise TimeNotUnderstood(text)
    return moment.astimezone(UTC)


def _read(words: str, now: datetime, zone: tzinfo | None) -> datetime | None:
    if words == "now":
        return now
    if found := re.fullmatch(_BEFORE, words):
        return now - _length(next(part for part in found.groups() if part))
    if found := re.fullmatch(_DAY_CLOCK, words):
        return _on_day(found, now, zone)
    if found := re.fullmatch(_EPOCH, words):
        micros = int((found[2] or "").ljust(6, "0"))
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(found[1]), microseconds=micros)
    if re.fullmatch(_ISO, words):
        moment = datetime.fromisoformat(re.sub(r"\s?(z|utc)$", "+00:00", words.replace(",", ".")).replace(" +", "+"))
        return moment if moment.tzinfo else _localize(moment, zone, exact=len(words) > len("2026-11-20"))
    return None


def _length(span: str) -> timedelta:
    parts = re.findall(_PART, span)
    if any(unit not in _UNITS for _, unit in parts):
        raise ValueError(span)
    return timedelta(seconds=sum(float(count) * _UNITS[unit] for count, unit in parts))


def _on_day(found: re.Match[str], now: datetime, zone: tzinfo | None) -> datetime:
    day = found["day"] or found["of"] or "today"
    local: date = now.astimezone(zone).date() + timedelta(days=_DAYS[day])
    if found["day"]:
        return _localize(datetime.combine(local, time()), zone, exact=False)
    clock = time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0))
    return _localize(datetime.combine(local, clock), zone, exact=True)


def _localize(wall: datetime, zone: tzinfo | None, *, exact: bool) -> datetime:
    """The instant of a wall clock; `exact`: refuse one that the clock showed twice or never, else take the first."""
    first, second = (_attach(wall.replace(fold=fold), zone) for fold in (0, 1))
    if exact and first.utcoffset() != second.utcoffset():
        shown = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == wall
        times = "twice" if shown else "at no time"
        raise UsageError(
            reason=f"the clock showed {wall:%Y-%m-%d %H:%M} {times}, as it was changed then",
            hint=f"give the offset, as in {first.isoformat(timespec='minutes')}",
        )
    return first


def _attach(wall: datetime, zone: tzinfo | None) -> datetime:
    return wall.astimezone() if zone is None else wall.replace(tzinfo=zone)


# --- rendering ------------------------------------------------------------------------------------------------------


def machine(moment: datetime) -> str:
    """RFC 3339 in UTC; microseconds only when there are any."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def human(moment: datetime, zone: tzinfo | None = None) -> str:
    """Date, time and offset in a zone (None: the local one); milliseconds only when there are any."""
    local = moment.astimezone(zone)
    millis = f".{local.microsecond // 1000:03d}" if local.microsecond >= 1000 else ""
    return f"{local:%Y-%m-%d %H:%M:%S}{millis}{_offset(local)}"


def clock(moment: datetime, now: datetime, zone: tzinfo | None = None) -> str:
    """The time of day when it is of today, else the whole instant as `human`."""
    local = moment.astimezone(zone)
    if local.date() != now.astimezone(zone).date():
        return human(moment, zone)
    return f"{local:%H:%M:%S} {local.tzname() or _offset(local)}"


def _offset(local: datetime) -> str:
    text = local.isoformat(timespec="seconds")[19:]
    return "Z" if local.tzinfo is UTC else text


def seconds(length: timedelta) -> int | float:
    """A length in seconds, a whole number where it is one."""
    whole, rest = divmod(length, timedelta(seconds=1))
    return length.total_seconds() if rest else whole


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

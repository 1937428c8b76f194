"""Wall clocks and instants: which instants a clock in a zone showed as a time, when a day began, what zones are called.

A zone is a `tzinfo`; None is the local one, as the system has it (TZ, /etc/localtime).
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path

from archiver.errors import UsageError

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)

# RFC 2822 and common usage. Those that mean different zones in different places (CST, IST, BST, AST) are left out.
_HOURS = {
    **dict.fromkeys(("UTC", "GMT", "UT", "Z", "WET"), 0),
    **dict.fromkeys(("CET", "MET", "WEST"), 1),
    **dict.fromkeys(("CEST", "MEST", "EET", "SAST"), 2),
    **dict.fromkeys(("EEST", "MSK"), 3),
    **dict.fromkeys(("JST", "KST"), 9),
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
    "EDT": -4,
    "EST": -5,
    "CDT": -5,
    "MDT": -6,
    "MST": -7,
    "PDT": -7,
    "PST": -8,
    "AKDT": -8,
    "AKST": -9,
    "HST": -10,
}
_POSIX = r"(?P<name><[A-Za-z0-9+-]{3,}>|[A-Za-z]{3,})(?P<hours>[+-]?[0-9]{1,2})(?::[0-9]{2}){0,2}(?:[A-Z<].*)?"


def wall(moment: datetime, zone: tzinfo | None) -> datetime:
    """What the clock showed at an instant, without a zone."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def instants(shown: datetime, zone: tzinfo | None) -> list[datetime]:
    """The instants at which the clock showed a time: one; two where it was put back, none where it was put forward."""
    if isinstance(zone, timezone):
        return [shown.replace(tzinfo=zone).astimezone(UTC)]
    return [moment for moment in _candidates(shown, zone) if wall(moment, zone) == shown]


def beginning(shown: datetime, zone: tzinfo | None) -> datetime:
    """The first instant at which the clock showed a time or a later one: so a day begins whose midnight was skipped."""
    if found := instants(shown, zone):
        return found[0]
    # The clock was put forward between the two: the one takes it as still to come, the other as done.
    before, after = _candidates(shown, zone)
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if wall(middle, zone) < shown:
            before = middle
        else:
            after = middle
    return after


def _candidates(shown: datetime, zone: tzinfo | None) -> list[datetime]:
    """A time as an instant, with the offsets that hold a day before and a day after, the earlier instant first."""
    plain = shown.replace(tzinfo=UTC)
    offsets = {moment.astimezone(zone).utcoffset() or timedelta(0) for moment in (plain - _DAY, plain + _DAY)}
    return sorted(plain - offset for offset in offsets)


def abbreviation(moment: datetime) -> str | None:
    """What a zone is called at an instant (of that zone), where everybody understands the same by it: `CET`."""
    name = moment.tzname() or ""
    return name if name in _HOURS and timedelta(hours=_HOURS[name]) == moment.utcoffset() else None


def is_called(moment: datetime, name: str) -> bool:
    """Whether a zone has this name at an instant (of that zone), and nobody understands another zone by it."""
    return moment.tzname() == name and (name not in _HOURS or abbreviation(moment) == name)


def named(name: str) -> tzinfo:
    """The zone of a name such as `Europe/Berlin` or `CET`. Raises `UsageError` for a name of none, or of several."""
    if name.upper() in _HOURS:
        hours = _HOURS[name.upper()]
        return timezone(timedelta(hours=hours), name.upper()) if hours else UTC
    if "/" not in name:
        hint = "give the offset, as in 14:00+02:00, or the zone, as in 14:00 Europe/Berlin"
        raise UsageError(reason=f"{name!r} is not the name of one time zone", hint=hint)
    from zoneinfo import ZoneInfo, available_timezones  # most times are without a zone

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        for known in available_timezones():
            if known.lower() == name.lower():
                return ZoneInfo(known)
    raise UsageError(reason=f"{name!r} is no time zone that this machine knows", hint="as in 14:00 Europe/Berlin")


def trouble() -> str | None:
    """What is wrong with TZ, which the C library takes in silence for UTC or for the opposite; None: nothing is."""
    text = os.environ.get("TZ", "")
    name = text.removeprefix(":")
    if not name or _is_known(name):
        return None
    posix = re.fullmatch(_POSIX, name)
    if posix is None:
        return f"TZ is {text!r}, which is no time zone that this machine knows: local times are in UTC"
    hours = int(posix["hours"])
    if posix["name"].strip("<>").upper() in ("UTC", "GMT") and hours:
        side, other = ("west", f"UTC-{hours}") if hours > 0 else ("east", f"UTC+{-hours}")
        return f"TZ is {text!r}, which is {abs(hours)} hours {side} of UTC (what others call {other}), as POSIX has it"
    return None


def _is_known(name: str) -> bool:
    from zoneinfo import ZoneInfo

    if name.startswith("/"):
        return Path(name).is_file()
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True

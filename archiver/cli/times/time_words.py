"""Reads an instant as people write it: a span before now, a day and a time of day, a date, an epoch.

The grammar is strict: what could be read in two ways is refused with an example, never guessed.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from archiver.cli.times import zones
from archiver.errors import TimeNotUnderstood, UsageError

_SECONDS = {
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "week", "weeks"), 604_800),
}
_MONTHS = {**dict.fromkeys(("mo", "month", "months"), 1), **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 12)}
_DAYS = {"today": 0, "yesterday": -1, "tomorrow": 1}
_NAMES_OF_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAMES_OF_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_EPOCH_UNITS = {9: 1, 10: 1, 12: 10**3, 13: 10**3, 15: 10**6, 16: 10**6, 18: 10**9, 19: 10**9}
"""By the number of digits: how many of the unit are a second. Whoever gives so many digits means 1973 or later."""

# Patterns are compiled when a time is read: most commands are called without one. All of them ignore case.
_PART = r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)"
_SPAN = r"(?:[0-9]+(?:\.[0-9]+)?\s*[a-z]+\s*)+"
_BEFORE = rf"-\s*({_SPAN})|({_SPAN})ago|({_SPAN})"
_EPOCH = r"(@?)([0-9]+)(?:\.([0-9]{1,9}))?"
_WEEKDAY = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _NAMES_OF_DAYS)
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _NAMES_OF_MONTHS)
_DAY = (
    r"(?P<near>today|yesterday|tomorrow)"
    r"|(?P<which>this|last) (?P<period>week|month|year)"
    r"|(?P<iso>[0-9]{4}(?P<mark>[-/])[0-9]{2}(?P=mark)[0-9]{2})"
    rf"|(?:(?P<of>{_WEEKDAY}),? )?(?P<day>[0-9]{{1,2}}) (?P<month>{_MONTH}) (?P<year>[0-9]{{4}})"
    rf"|(?P<past>last )?(?P<weekday>{_WEEKDAY})"
)
_CLOCK = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"|(?P<hour12>[0-9]{1,2})(?::(?P<minute12>[0-9]{2}))? ?(?P<half>am|pm)"
    r"|(?P<word>noon|midnight)"
)
_MOMENTS = (
    rf"(?:{_DAY})",
    rf"(?:{_CLOCK})",
    rf"(?:{_DAY})(?:t|,? at |,? )(?:{_CLOCK})",
    rf"(?:{_CLOCK}) (?:on )?(?:{_DAY})",
)
# What the program `date` prints: Thu Nov 26 15:29:29 UTC 2026.
_AS_DATE_PRINTS = rf"({_WEEKDAY}) ({_MONTH}) ([0-9]{{1,2}}) ([0-9:]+)( [a-z0-9+-]+)? ([0-9]{{4}})"
# Docker and mails add a name to the offset, which says the same again: +0100 CET, +0100 (CET).
_OFFSET = r"(.+?) ?(?:utc|gmt)?([+-])([0-9]{1,2})(?::?([0-9]{2}))?(?: [a-z]+| \([a-z ]+\))?"
_ZONE = r"(.+) ([a-z][a-z0-9_+/-]*)|(.+[0-9])(z|utc|gmt)"


def parse_time(text: str, *, now: datetime, zone: tzinfo | None = None) -> datetime:
    """One instant in UTC from what a person wrote; `zone` None is the local zone.

    Understood: `2h`, `-2h`, `2 hours ago`, `1h30m`, `2 months ago` (all before now); `now`; a day (`today`,
    `yesterday`, `monday`, `last month`, `2026-11-20`, `20 Nov 2026`), a time of day (`14:00`, `2pm`, `noon`), or both,
    each with or without a zone (`Z`, `+01:00`, `CET`, `Europe/Berlin`); ISO 8601, RFC 3339 and RFC 2822 are among
    these; seconds since 1970, with or without `@`, or as many digits as milli-, micro- or nanoseconds have.

    Raises `TimeNotUnderstood` for anything else; `UsageError` where the clock was changed at that time, where a name
    stands for several zones, or `M` for months or minutes.
    """
    words = " ".join(text.split())
    try:
        moment = _read(words, now, zone)
    except (ValueError, OverflowError, OSError) as exc:
        raise TimeNotUnderstood(text) from exc
    if moment is None:
        raise TimeNotUnderstood(text)
    return moment.astimezone(UTC)


def _match(pattern: str, words: str) -> re.Match[str] | None:
    return re.fullmatch(pattern, words, re.IGNORECASE | re.ASCII)


def _read(words: str, now: datetime, zone: tzinfo | None) -> datetime | None:
    if words.lower() == "now":
        return now
    if _match(_CLOCK, words):  # 2pm is no span of a unit that is called pm
        return _civil(words, now, zone)
    if found := _match(_BEFORE, words):
        return _before(next(part for part in found.groups() if part), now, zone)
    if found := _match(r"an? ([a-z]+)(?: ago)?", words):
        return _before(f"1 {found[1]}", now, zone)
    if found := _match(_EPOCH, words):
        return _epoch(*found.groups())
    if found := _match(_AS_DATE_PRINTS, words):
        weekday, month, day, clock, name, year = found.groups()
        words = f"{weekday} {day} {month} {year} {clock}{name or ''}"
    return _civil(words, now, zone)


def _before(span: str, now: datetime, zone: tzinfo | None) -> datetime:
    """The instant a span before now; months and years go by the calendar and the clock on the wall."""
    if re.search(r"[0-9]\s*M(?![A-Za-z])", span):
        raise UsageError(reason=f"M in {span!r} could be months or minutes", hint="write '6 months', or 6m for minutes")
    months, seconds = 0, 0.0
    for count, unit in re.findall(_PART, span.lower()):
        if unit in _MONTHS:
            months += int(count) * _MONTHS[unit]
        elif unit in _SECONDS:
            seconds += float(count) * _SECONDS[unit]
        else:
            raise ValueError(span)
    start = now
    if months:
        from calendar import monthrange  # hardly anybody asks so

        shown = zones.wall(now, zone)
        year, month = divmod(shown.year * 12 + shown.month - 1 - months, 12)
        last_day = monthrange(year, month + 1)[1]
        shown = shown.replace(year=year, month=month + 1, day=min(shown.day, last_day))
        start = zones.beginning(shown, zone)
    return start - timedelta(seconds=seconds)


def _epoch(at: str, whole: str, rest: str | None) -> datetime | None:
    """Seconds since 1970 behind an @; without it, also finer units, told by the number of digits."""
    per_second = 1 if at and len(whole) <= 11 else _EPOCH_UNITS.get(len(whole)) if not at else None
    if per_second is None or (rest and per_second != 1):
        return None
    micros = int((rest or "").ljust(6, "0")[:6])
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(whole) * 10**6 // per_second + micros)


# --- a day and a time of day ----------------------------------------------------------------------------------------


def _civil(words: str, now: datetime, zone: tzinfo | None) -> datetime | None:
    """The instant of a day, a time of day or both, in the zone they name or else in the reader's."""
    if found := _moment(words):
        return _instant(found, now, zone)
    if (offset := _match(_OFFSET, words)) and (found := _moment(offset[1])) and "hour" in found:
        length = timedelta(hours=int(offset[3]), minutes=int(offset[4] or 0))
        return _instant(found, now, timezone(-length if offset[2] == "-" else length))
    if named := _match(_ZONE, words):
        rest, name = named[1] or named[3], named[2] or named[4]
        if found := _moment(rest):
            return _by_own_name(found, now, zone, name) or _instant(found, now, zones.named(name))
    return None


def _moment(words: str) -> dict[str, str] | None:
    """What is said, by the names of the groups; None when it is neither a day nor a time of day."""
    for pattern in _MOMENTS:
        if found := _match(pattern, words):
            said = {name: text.lower() for name, text in found.groupdict().items() if text}
            if not {"hour12", "word"}.isdisjoint(said):
                said["hour"] = said.get("hour12", "")
            return said
    return None


def _by_own_name(said: dict[str, str], now: datetime, zone: tzinfo | None, name: str) -> datetime | None:
    """The instant in the reader's zone, when that is what the name means there (CST): also in an hour shown twice."""
    shown = _shown(said, zones.wall(now, zone).date())
    moments = zones.instants(shown, zone) if "hour" in said else [zones.beginning(shown, zone)]
    return next((each for each in moments if zones.is_called(each.astimezone(zone), name.upper())), None)


def _instant(said: dict[str, str], now: datetime, zone: tzinfo | None) -> datetime:
    shown = _shown(said, zones.wall(now, zone).date())
    if "hour" not in said or said.get("word") == "midnight":
        began = zones.beginning(shown, zone)
        if zones.wall(began, zone).date() != shown.date():
            raise UsageError(
                reason=f"there was no {shown:%Y-%m-%d} in that zone", hint="give the day before or after it"
            )
        return began
    found = zones.instants(shown, zone)
    if len(found) != 1:
        example = zones.beginning(shown, zone).astimezone(zone)
        often = "twice" if found else "at no time"
        raise UsageError(
            reason=f"the clock showed {shown:%Y-%m-%d %H:%M} {often}, as it was changed then",
            hint=f"give the offset, as in {example.isoformat(timespec='minutes')}",
        )
    if said.get("second") == "60" and f"{found[0]:%H:%M}" != "23:59":
        raise ValueError("a leap second is the last one of a day in UTC")
    return found[0]


def _shown(said: dict[str, str], today: date) -> datetime:
    """The date and time that are said, without a zone."""
    day = _day(said, today)
    if "hour" not in said or said.get("word") == "midnight":
        return datetime.combine(day, time())
    if said.get("word") == "noon":
        return datetime.combine(day, time(12))
    if "half" in said:
        hour = int(said["hour12"])
        if not 1 <= hour <= 12:
            raise ValueError("the clock has 12 hours before noon and 12 after it")
        return datetime.combine(day, time(hour % 12 + 12 * (said["half"] == "pm"), int(said.get("minute12", "0"))))
    if said.get("second") == "60":
        return datetime.combine(day, time(int(said["hour"]), int(said["minute"]), 59, 999_999))
    micros = int(said.get("fraction", "").ljust(6, "0")[:6])
    return datetime.combine(day, time(int(said["hour"]), int(said["minute"]), int(said.get("second", "0")), micros))


def _day(said: dict[str, str], today: date) -> date:
    """The day that is said; a weekday is the last one that has begun; a week, month or year is its first day."""
    if "iso" in said:
        return date.fromisoformat(said["iso"].replace("/", "-"))
    if "weekday" in said:
        back = (today.weekday() - _weekday(said["weekday"])) % 7
        return today - timedelta(days=back or 7 * ("past" in said))
    if "period" in said:
        return _first_of(said["period"], today, before=said["which"] == "last")
    if "day" in said:
        month = [name[:3] for name in _NAMES_OF_MONTHS].index(said["month"][:3]) + 1
        day = date(int(said["year"]), month, int(said["day"]))
        if "of" in said and day.weekday() != _weekday(said["of"]):
            raise ValueError("that day was another day of the week")
        return day
    return today + timedelta(days=_DAYS[said.get("near", "today")])


def _weekday(name: str) -> int:
    return [each[:3] for each in _NAMES_OF_DAYS].index(name[:3])


def _first_of(period: str, today: date, *, before: bool) -> date:
    if period == "week":
        return today - timedelta(days=today.weekday() + 7 * before)
    if period == "year":
        return date(today.year - before, 1, 1)
    first = today.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1) if before else first

"""An event as a JSON object of the archive's own form, and back: what decoding took apart can be rebuilt."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from sys import intern
from typing import Any

from archiver.codec.text import MAX_PARENTS, MAX_URI, MAX_WORD, fits, keep, parse
from archiver.model import Event, Message, Micros, Reject, TimeSource, iso, to_micros

_TIME_KEYS: tuple[TimeSource, ...] = ("datetime", "date")
_ABSENT: Any = object()
NO_PARENTS = '{"parents":[]}'
"""What the columns do not hold of an event that names its parents, and there are none."""


def decode_object(value: dict[str, Any], message: Message, *, clean: bool) -> Event | Reject:
    """The event in a JSON object, which is used up; `clean`: all text in it is ASCII without NUL."""
    try:
        # Every event passes here, so each field is looked at in line; what is odd goes the slow way.
        pop = value.pop
        kind = pop("type", _ABSENT)
        if type(kind) is not str or not clean or not 0 < len(kind) <= MAX_WORD:
            kind = _odd(value, "type", kind, MAX_WORD)
            if kind is None:
                return Reject.of(message, "not an event: no type")
        action = pop("action", _ABSENT)
        if type(action) is not str or not clean or not 0 < len(action) <= MAX_WORD:
            action = _odd(value, "action", action, MAX_WORD)
        state = pop("state", _ABSENT)
        if type(state) is not str or not clean or not 0 < len(state) <= MAX_WORD:
            state = _odd(value, "state", state, MAX_WORD)
        uri = pop("resource_uri", _ABSENT)
        if type(uri) is not str or not clean or not 0 < len(uri) <= MAX_URI:
            uri = _odd(value, "resource_uri", uri, MAX_URI)
        uuid = pop("uuid", _ABSENT)
        if type(uuid) is not str or not clean or not 0 < len(uuid) <= MAX_WORD:
            uuid = _odd(value, "uuid", uuid, MAX_WORD)
        parents = _take_parents(value, clean) if "parents" in value else ()
        received_at = message.received_at
        occurred_at, time_source = _take_time(value, received_at)
        extra = _dump_rest(value) if value else None
    except RecursionError:
        return Reject.of(message, "not readable: JSON nested too deep")
    except ValueError as exc:
        return Reject.of(message, f"not readable: {exc}")
    return Event(kind, action, state, uri, parents, occurred_at, time_source, received_at, uuid, extra, message.session)


def _odd(value: dict[str, Any], key: str, found: Any, limit: int) -> str | None:
    """The text just taken out of the value when a column can hold it; else it is put back."""
    if found is _ABSENT:
        return None
    if type(found) is str and fits(found, limit):
        return found
    value[key] = found
    return None


def _dump_rest(value: dict[str, Any]) -> str:
    return NO_PARENTS if len(value) == 1 and value.get("parents") == [] else keep(value)


def _take_parents(value: dict[str, Any], clean: bool) -> tuple[str, ...]:
    found = value["parents"]
    if type(found) is not list:
        return ()
    if clean and _all_usable(found):
        del value["parents"]
        return tuple(map(intern, found))  # thousands of events name them: whoever keeps some keeps each once
    usable = [uri for uri in found if type(uri) is str and fits(uri, MAX_URI)]
    if usable and len(usable) == len(found) <= MAX_PARENTS:
        del value["parents"]
    return tuple(usable[:MAX_PARENTS])


def _all_usable(found: list[Any]) -> bool:
    """Whether all are short texts; a quick look that may say no to what a close one accepts."""
    try:
        return 0 < len("".join(found)) <= MAX_URI and len(found) <= MAX_PARENTS and "" not in found
    except TypeError:
        return False


def _take_time(value: dict[str, Any], received_at: Micros) -> tuple[Micros, TimeSource]:
    """The event's own time: `datetime`, else `date`, else when it was received."""
    for key in _TIME_KEYS:
        found = value.get(key)
        if type(found) is str:
            moment = _read_usual(found, key)
            if moment is not None:
                del value[key]
                return moment, key
            moment, usual = _read_time(found, key)
            if moment is not None:
                if usual:
                    del value[key]
                return moment, key
    return received_at, "received"


_ENDS = {"datetime": "Z", "date": "+00:00"}
_CLOCK = {f"T{hour:02d}:{minute:02d}:": (hour * 60 + minute) * 60_000_000 for hour in range(24) for minute in range(60)}
_SECOND = {f"{second:02d}": second * 1_000_000 for second in range(60)}


def _read_usual(text: str, key: str) -> Micros | None:
    """The instant that a text means where it has the shape that nearly all have; None for any other."""
    clock, second = _CLOCK.get(text[10:17]), _SECOND.get(text[17:19])
    if clock is None or second is None or text[19:] != _ENDS[key]:
        return None
    day = _read_day(text[:10])
    return None if day is None else day + clock + second


@lru_cache(maxsize=4096)
def _read_day(text: str) -> Micros | None:
    """The instant at which a day begins, written as 2026-11-23; None for what is written otherwise."""
    try:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
    instant = to_micros(moment)
    return instant if iso(instant).startswith(text) else None


@lru_cache(maxsize=4096)
def _read_time(text: str, key: str) -> tuple[Micros | None, bool]:
    """The instant that a text means, and whether the text is the usual spelling of it."""
    if not 10 <= len(text) <= 40:
        return None, False
    try:
        moment = datetime.fromisoformat(text)
        instant = to_micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        return instant, text == write_time(instant, key)
    except (ValueError, OverflowError):  # an offset can lead out of the years 1 to 9999
        return None, False


def write_time(moment: Micros, key: str) -> str:
    """The usual spelling: Docker Cloud's `datetime` ends in Z, Tutum's `date` in +00:00."""
    text = iso(moment).removesuffix("Z").removesuffix(".000000")
    return text + ("Z" if key == "datetime" else "+00:00")


def rebuild(
    kind: str,
    action: str | None,
    state: str | None,
    resource_uri: str | None,
    parents: tuple[str, ...],
    occurred_at: Micros,
    time_source: str,
    uuid: str | None,
    extra: str | None,
) -> dict[str, Any]:
    """The JSON value that `decode` was given (key order apart)."""
    texts = {"type": kind, "action": action, "state": state, "resource_uri": resource_uri, "uuid": uuid}
    value: dict[str, Any] = {key: text for key, text in texts.items() if text is not None}
    if parents:
        value["parents"] = list(parents)
    if time_source != "received":
        key = time_source if time_source in _TIME_KEYS else "datetime"
        value[key] = write_time(occurred_at, key)
    if extra is not None:
        value.update(parse(extra))
    return value

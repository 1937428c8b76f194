"""Decodes the JSON of Tutum and Docker Cloud, and rebuilds it from what was kept."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from archiver.decoder.text import MAX_PARENTS, MAX_URI, MAX_WORD, dump, is_clean, parse
from archiver.model import Event, Message, Micros, Reject, TimeSource, iso, to_micros

_NO_PARENTS = '{"parents":[]}'


def decode(message: Message) -> Event | Reject:
    """The event in a message.

    What a field of the event cannot take as it is stays in `extra`, verbatim: unknown fields, values of another JSON
    type, null, texts with NUL or lone surrogates, texts and lists beyond their limits. So nothing is lost, and a
    platform may add to its vocabulary at any time.
    """
    payload = message.payload
    try:
        text = payload.decode().strip()
        value = parse(text)
    except UnicodeDecodeError as exc:
        return _reject(message, f"not UTF-8: {exc.reason} at byte {exc.start}")
    except RecursionError:
        return _reject(message, "not readable: JSON nested too deep")
    except ValueError as exc:
        return _reject(message, f"not JSON: {exc}")
    if type(value) is not dict:
        return _reject(message, f"not an event: a JSON {_json_type(value)}, not an object")
    # Only an escape can bring a NUL or a lone surrogate into a JSON string; without one no field needs a look.
    return decode_object(value, message, clean="\\u" not in text)


def decode_object(value: dict[str, Any], message: Message, *, clean: bool) -> Event | Reject:
    """The event in a JSON object, which is used up; `clean`: no text in it has a NUL or a lone surrogate."""
    kind = _take(value, "type", MAX_WORD, clean)
    if not kind:
        return _reject(message, "not an event: no type")
    try:
        return _event(message, kind, value, clean)
    except RecursionError:
        return _reject(message, "not readable: JSON nested too deep")
    except ValueError as exc:
        return _reject(message, f"not readable: {exc}")


def _event(message: Message, kind: str, value: dict[str, Any], clean: bool) -> Event:
    action = _take(value, "action", MAX_WORD, clean)
    state = _take(value, "state", MAX_WORD, clean)
    uri = _take(value, "resource_uri", MAX_URI, clean)
    uuid = _take(value, "uuid", MAX_WORD, clean) or None
    parents = _take_parents(value, clean) if "parents" in value else ()
    received_at = message.received_at
    occurred_at, time_source = _take_time(value, received_at)
    if not value:
        extra = None
    elif len(value) == 1 and value.get("parents") == []:
        extra = _NO_PARENTS
    else:
        extra = dump(value)
    return Event(
        kind, action, state, uri, parents, occurred_at, time_source, received_at, uuid, extra, message.session
    )


def _take(value: dict[str, Any], key: str, limit: int, clean: bool) -> str | None:
    """The text under a key, taken out of the value; left in there when it cannot be a column's text."""
    found = value.get(key)
    if type(found) is str and found and len(found) <= limit and (clean or is_clean(found)):
        del value[key]
        return found
    return None


def _take_parents(value: dict[str, Any], clean: bool) -> tuple[str, ...]:
    found = value["parents"]
    if type(found) is not list:
        return ()
    usable = tuple([uri for uri in found if type(uri) is str and 0 < len(uri) <= MAX_URI])
    if not clean:
        usable = tuple([uri for uri in usable if is_clean(uri)])
    if usable and len(usable) == len(found) <= MAX_PARENTS:
        del value["parents"]
    return usable[:MAX_PARENTS]


def _take_time(value: dict[str, Any], received_at: Micros) -> tuple[Micros, TimeSource]:
    """The event's own time: `datetime`, else `date`, else when it was received."""
    for key in ("datetime", "date"):
        found = value.get(key)
        if type(found) is str:
            moment = _read_time(found)
            if moment is not None:
                if found == _write_time(moment, key):
                    del value[key]
                return moment, key
    return received_at, "received"


@lru_cache(maxsize=4096)
def _read_time(text: str) -> Micros | None:
    if not 10 <= len(text) <= 40:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return to_micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=4096)
def _write_time(moment: Micros, key: str) -> str:
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
        value[time_source] = _write_time(occurred_at, time_source)
    if extra is not None:
        value.update(parse(extra))
    return value


def _json_type(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def _reject(message: Message, reason: str) -> Reject:
    return Reject(message.payload, reason, message.received_at, message.session)

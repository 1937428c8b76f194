"""Understands recordings: finds the message of a platform in what somebody's tools have made of it.

Pure: one framed object or line in, the messages in it out, each as the platform's decoder reads it, or the reason why
it is none. What needs no help, an event as on the wire, never comes here.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from archiver.codec.events import write_time
from archiver.codec.text import MAX_DEPTH, MAX_NAME, dump, fits, parse, parse_from, parse_whole, repeated
from archiver.codec.times import read_moment
from archiver.model import Micros, TimeSource, iso
from archiver.platforms.docker.facts import DOCKER
from archiver.platforms.docker.recorded import read_compose, read_line

MAX_LITERAL = 256 * 1024
"""Longest Python literal that is read, in bytes."""
MAX_TRIES = 16
"""In how many places of a line an object is looked for."""

_TIMES = ("datetime", "date", "timestamp", "@timestamp", "time", "created")
_DOCKER_TIMES = ("timeNano", "time", "timestamp", "created")
_LISTED_TEXTS = ("type", "action", "state", "resource_uri", "uuid")
_LISTED = frozenset(("id", "parents", "occurred_at", "received_at", *_LISTED_TEXTS))
_LISTS = ("events", "objects", "items", "results", "records")
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_SSE_FIELD = re.compile(r"(?:(?:event|id|retry)(?::[^{]*)?|:.*)").fullmatch
_OBJECT = re.compile(r'\{\s*"|"\{')
_LITERAL = re.compile(r"\{u?['\"]|b['\"]\{")
_PRINTED = re.compile(r"\{(?:u['\"]|')")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:[.,]\d+)?\s?(?:[Zz]|[+-]\d\d:?\d\d)(?![\w:])")
_PODMAN_LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* [+-]\d{4} \S+ (?:container|image|pod|volume|system|network) "
)
_NO_JSON = "not JSON, and no JSON object stands in it"


class Said(NamedTuple):
    """One message of a recording."""

    payload: bytes
    at: Micros | None = None
    """When whoever recorded it received it, as they wrote beside it."""
    reason: str | None = None
    """Why it is no message; None when the decoder is to say."""
    dated: bytes | None = None
    """The same with its time where the decoder looks for it: for when the decoder finds none in `payload`."""
    unreadable: str | None = None
    """Why that cannot be given, though a time is there."""
    name: str | None = None
    """The name of the event's object, where it stands beside the message."""
    time_source: TimeSource | None = None
    """Where the event's time is from, where the message does not show it."""


def understand(payload: bytes, at: Micros | None = None, depth: int = 0) -> list[Said]:
    """The messages in an object or a line; none in what only sets others apart. Never raises."""
    try:
        return _understand(payload, at, depth)
    except (ValueError, RecursionError):  # not UTF-8, numbers beyond JSON
        return [Said(payload, at)]


def _understand(payload: bytes, at: Micros | None, depth: int) -> list[Said]:
    text = payload.decode().strip()
    if "\x1b" in text:  # colours of a terminal
        text = _ESCAPES.sub("", text).strip()
        payload = text.encode()
    value = _json(text)
    if type(value) is dict:
        return _of_object(value, payload, at, depth)
    if value is not None and type(value) is not str:
        return [Said(payload, at)]
    return _of_line(text, payload, at, depth)


# --- an object -------------------------------------------------------------------------------------------------------


def _of_object(value: dict[str, Any], payload: bytes, at: Micros | None, depth: int) -> list[Said]:
    if depth < 3:
        if inner := _logged(value):
            return understand(inner[0].encode(errors="replace"), inner[1] or at, depth + 1)
        if listed := _listed(value):
            return [said for item in listed for said in _of_object(item, dump(item).encode(), at, depth + 1)]
    if own := _listed_event(value):
        return [own]
    if foreign := _foreign(value):
        return [Said(payload, at, foreign)]
    return [_with_time(value, payload, at)]


def _logged(value: Mapping[str, Any]) -> tuple[str, Micros | None] | None:
    """What a program wrote and when, out of a line of Docker's json-file log or of journald's export."""
    if type(value.get("log")) is str and "type" not in value:
        return value["log"], read_moment(value.get("time"))
    message = value.get("MESSAGE")
    if type(message) is list and all(type(byte) is int and 0 <= byte < 256 for byte in message):
        message = bytes(message).decode(errors="replace")  # so journald writes what holds control characters
    return (message, read_moment(value.get("__REALTIME_TIMESTAMP"))) if type(message) is str else None


def _listed(value: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The objects of an answer that is a list of events in an object."""
    if "type" in value or "Type" in value:
        return None
    found = next((value[key] for key in _LISTS if type(value.get(key)) is list), None)
    return found if found and all(type(item) is dict for item in found) else None


def _listed_event(value: Mapping[str, Any]) -> Said | None:
    """An event as `archiver events -o json` and `jsonl` list it, as it was on the wire but for what they leave out."""
    if not value.keys() >= _LISTED or type(value["type"]) is not str:
        return None
    occurred_at, received_at = read_moment(value["occurred_at"]), read_moment(value["received_at"])
    if occurred_at is None or received_at is None:
        return None
    event = {key: value[key] for key in _LISTED_TEXTS if value.get(key) is not None}
    if value["parents"]:
        event["parents"] = value["parents"]
    source = value.get("time_source", "datetime")  # 0.1.0 did not say
    if source == "datetime" and str(value["resource_uri"]).startswith(DOCKER):
        source = "engine"
    anew: TimeSource | None = source if source in ("told", "engine") else None
    key = "datetime" if anew else source
    if key in ("datetime", "date"):
        event[key] = write_time(occurred_at, key)
    name = value.get("name")
    named = name if type(name) is str and fits(name, MAX_NAME) else None
    return Said(dump(event).encode(), received_at, name=named, time_source=anew)


def _foreign(value: Mapping[str, Any]) -> str | None:
    """What an object looks like when it is known, and not read."""
    if "type" in value and "metadata" in value and value.get("type") in ("lifecycle", "operation", "logging"):
        return "it looks like an event of Incus or LXD, which is not read"
    inner = value.get("object")
    if ("kind" in value and "apiVersion" in value) or (type(inner) is dict and "kind" in inner):
        return "it looks like an object of Kubernetes, which is not read"
    if "type" in value or type(value.get("message")) is dict or "Action" in value:
        return None
    if "Type" in value and "Status" in value:
        return "it looks like `podman events --format json`, which is not read; the stream of podman system service is"
    if "{" in str(value.get("message")):
        return "the message stands in the text of another object (as fluent-bit writes it); cut it out: jq -r .message"
    if "@timestamp" in value:
        return "it looks like a document of Elasticsearch or Logstash; cut the message out, as in: jq -c .docker.event"
    return None


def _with_time(value: dict[str, Any], payload: bytes, at: Micros | None) -> Said:
    """The object, and the object with its time where the decoder looks for it."""
    compose = read_compose(value)
    if compose is not None:
        return Said(dump(compose).encode(), at)
    inner = value.get("message")
    enveloped = type(inner) is dict and "Type" in inner
    message: Any = inner if enveloped else value
    docker = "Type" in message and "Action" in message
    moment, unreadable = _time(message, _DOCKER_TIMES if docker else _TIMES)
    if moment is None or (docker and _is_dated(message)):
        return Said(payload, at, unreadable=unreadable)
    dated = {**message, **({"timeNano": moment * 1000} if docker else {"datetime": iso(moment)})}
    return Said(payload, at, dated=dump({**value, "message": dated} if enveloped else dated).encode())


def _is_dated(message: Mapping[str, Any]) -> bool:
    """Whether Docker's decoder finds the time by itself."""
    nanos, seconds = message.get("timeNano"), message.get("time")
    return (type(nanos) is int and nanos > 10**17) or (type(seconds) is int and 0 < seconds < 10**11)


def _time(value: Mapping[str, Any], keys: Iterable[str]) -> tuple[Micros | None, str | None]:
    """The first time that can be read; else why one that is there cannot."""
    unreadable = None
    for key in keys:
        found = value.get(key)
        if found is None or found == "":
            continue
        moment = read_moment(found)
        if moment is not None:
            return moment, None
        unreadable = unreadable or f"its time cannot be read: {key} is {dump(found)[:80]}"
    return None, unreadable


# --- a line ----------------------------------------------------------------------------------------------------------


def _of_line(text: str, payload: bytes, at: Micros | None, depth: int) -> list[Said]:
    if _SSE_FIELD(text):
        return []
    message = read_line(text)
    if message is not None:
        return [Said(dump(message).encode(), at)]
    if _PODMAN_LINE.match(text):
        return [Said(payload, at, "it looks like `podman events`, which is not read")]
    if text.startswith("{") and not _PRINTED.match(text):
        return [Said(payload, at)]  # an object that is broken: what stands inside it is no message of its own
    found = list(_objects(text)) if depth < 3 else []
    if not found:
        return [Said(payload, at, _NO_JSON)]
    start, inner = next((item for item in found if _promises(item[1])), found[0])
    stamp = _STAMP.search(text, 0, start)
    at = (read_moment(stamp[0]) if stamp else None) or at
    if isinstance(inner, str):
        return understand(inner.encode(errors="replace"), at, depth + 1)
    if fault := repeated(text, start):
        return [Said(payload, at, f"not JSON: {fault}")]
    return _of_object(inner, dump(inner).encode(), at, depth + 1)


def _objects(text: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """The objects in a line, and where each begins: as JSON, as JSON in a JSON string, or as Python prints them."""
    end = tries = 0
    for found in _OBJECT.finditer(text):
        if found.start() < end:
            continue
        tries += 1
        if tries > MAX_TRIES:
            break
        try:
            value, end = parse_from(text, found.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, (dict, str)):
            yield found.start(), value
    if not end and (printed := _LITERAL.search(text)):
        literal = _literal(text[printed.start() :].rstrip())
        if literal is not None:
            yield printed.start(), literal


def _promises(found: dict[str, Any] | str) -> bool:
    return isinstance(found, str) or not found.keys().isdisjoint(("type", "Type", "log", "MESSAGE", "archiver"))


def _literal(text: str) -> dict[str, Any] | str | None:
    """The dict, or the text, that Python (2 or 3) has printed like this."""
    brackets = text.count("{") + text.count("[") + text.count("(")
    if len(text) > MAX_LITERAL or brackets > MAX_LITERAL // 64 or _nested(text) > MAX_DEPTH:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python would not have written
            value = ast.literal_eval(text[: text.rindex("}") + 1] if text[0] == "{" else text.rstrip())
        if isinstance(value, bytes):
            return value.decode(errors="replace")
        return parse(dump(value)) if type(value) is dict else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _nested(text: str) -> int:
    """How deep brackets are nested at most, quoted or not."""
    depth = deepest = 0
    for char in text:
        if char in "{[(":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "}])":
            depth -= 1
    return deepest


def _json(text: str) -> Any:
    try:
        return parse_whole(text)
    except (ValueError, RecursionError):
        return None

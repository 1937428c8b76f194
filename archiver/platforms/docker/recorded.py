"""Makes an engine's message again out of what its command line tools print of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from archiver.codec.text import dump, parse_whole
from archiver.codec.times import read_moment

_TYPES = "builder|checkpoint|config|container|daemon|image|network|node|plugin|secret|service|volume"
_OF_SWARM = frozenset({"config", "node", "secret", "service"})
_TIME = r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*)"
_HEX = "(?:sha256:)?[0-9a-f]{64}"
# An exec's action is a command line, in which anything may stand: the id that is surely one is looked for first.
_LINES = [
    re.compile(
        rf"{_TIME} (?P<type>{_TYPES}) (?P<action>.+?) (?P<id>{key})(?: \((?P<attributes>.*)\))?", re.DOTALL
    ).fullmatch
    for key in (_HEX, r"\S+")
]
_BETWEEN_ATTRIBUTES = re.compile(r", (?=[\w./-]+=)")
_FRACTION = re.compile(r"[.,](\d{1,9})")


def read_line(line: str) -> dict[str, Any] | None:
    """The message in a line of `docker events` or `docker compose events`; None for any other line.

    ``2026-11-18T07:06:40.125000000Z container die 3f0c... (exitCode=1, image=web:3, name=web)``
    (moby cli/command/system/events.go, compose cmd/compose/events.go)
    """
    found = next(filter(None, (read(line) for read in _LINES)), None)
    nanos = _nanos(found["time"]) if found else None
    if found is None or nanos is None:
        return None
    pairs = (part.partition("=") for part in _BETWEEN_ATTRIBUTES.split(found["attributes"] or "") if part)
    return _message(found["type"], found["action"], found["id"], {key: value for key, _, value in pairs}, nanos)


def read_compose(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """The message, in its envelope, in a line of `docker compose events --json`; None for any other object.

    ``{"action":"die","attributes":{...},"id":"3f0c...","service":"web","time":"2026-11-18T07:06:49Z","type":"container"}``
    """
    kind, action, id_, service = (value.get(key) for key in ("type", "action", "id", "service"))
    attributes, time = value.get("attributes"), value.get("time")
    nanos = _nanos(time) if type(time) is str else None
    if not (type(kind) is type(action) is type(id_) is type(service) is str) or type(attributes) is not dict:
        return None
    if nanos is None or "resource_uri" in value:
        return None
    rest = {key: found for key, found in value.items() if key not in ("type", "action", "id", "attributes", "time")}
    return {**rest, "message": _message(kind, action, id_, attributes, nanos)}


def _message(kind: str, action: str, id: str, attributes: Mapping[str, Any], nanos: int) -> dict[str, Any]:
    swarm = kind in _OF_SWARM or (kind == "network" and attributes.get("type") == "overlay")
    actor = {"ID": id, "Attributes": dict(attributes)}
    scope = "swarm" if swarm else "local"
    return {"Type": kind, "Action": action, "Actor": actor, "scope": scope, "timeNano": nanos}


def _nanos(text: str) -> int | None:
    """Nanoseconds since 1970: all digits count, since a message is known again by them."""
    moment = read_moment(text)
    if moment is None:
        return None
    fraction = _FRACTION.search(text)
    return moment // 1_000_000 * 1_000_000_000 + int((fraction[1] if fraction else "0").ljust(9, "0"))


def in_envelope(payload: bytes, facts: Mapping[str, str]) -> bytes:
    """A recorded message, with what a source knows of its engine (`engine`, `node`, `swarm`) put round it.

    What says already which engine it is from stays as it is.
    """
    try:
        value = parse_whole(payload.decode())
    except (ValueError, RecursionError):
        return payload
    if type(value) is not dict or not value.keys().isdisjoint(facts):
        return payload
    enveloped = type(value.get("message")) is dict
    message = value["message"] if enveloped else value
    # All managers of a swarm tell of it; so that they say the same, nothing of one engine is added.
    known = {key: facts[key] for key in facts if key == "swarm"} if message.get("scope") == "swarm" else facts
    return dump({**known, **(value if enveloped else {"message": value})}).encode() if known else payload

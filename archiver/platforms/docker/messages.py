"""Reads what a message of a Docker Engine says, in any of the forms in which engines and their clients wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from archiver.codec.text import MAX_WORD, fits
from archiver.model import Micros, TimeSource
from archiver.platforms.docker.facts import (
    DOCKER,
    Engine,
    has_identity,
    identity,
    is_dated_anew,
    received_message,
    text,
)
from archiver.platforms.docker.podman import as_dockers, is_podmans

_YEAR_10000 = 253_402_300_800
_IMAGE_STATUSES = frozenset({"pull", "push", "tag", "untag", "delete", "import", "load", "save"})
_NUMBER = re.compile(r"-?\d{1,10}", re.ASCII)
_ID = re.compile(r"[0-9a-f]{64}")


class Said(NamedTuple):
    """What a message says, with what the source and earlier messages add to it."""

    kind: str
    verb: str
    detail: str
    id: str
    attributes: Mapping[str, Any]
    scope: str
    at: Micros
    time_source: TimeSource
    engine: Engine
    stack: str
    probe: bool
    identity: str
    timed: bool
    """Whether the message has a time, without which it is the same as any other of its words."""
    labels: frozenset[str] = frozenset()
    """Those of the engine's words that are known to be labels of the container, and so say nothing."""
    execution: str = ""
    """The key of the action that a message about an exec belongs to, where its own id does not tell."""
    digest: str = ""
    """What an image's tag stands for, where that is known."""
    podmans: bool = False
    """Whether Podman said it."""

    @property
    def exit_code(self) -> str | None:
        """The exit code; None when the message has none, or only a label of that name."""
        found = self.attributes.get("exitCode")
        if "exitCode" in self.labels or type(found) not in (int, str):
            return None
        return str(int(str(found))) if _NUMBER.fullmatch(str(found)) else None


def read(envelope: Mapping[str, Any], received_at: Micros) -> Said | None:
    """What the message in an envelope says; None when it is no event of an engine."""
    told = raw = normal(envelope["message"])
    if podmans := is_podmans(told):
        raw = as_dockers(told)
    kind, action = text(raw, "Type").lower(), text(raw, "Action")
    if not fits(kind, MAX_WORD) or not action:
        return None
    actor = raw.get("Actor")
    attributes = actor.get("Attributes") if type(actor) is dict else None
    verb, _, detail = action.partition(": ")
    at, time_source = _time(raw, received_at)
    ahead = envelope.get("ahead")
    if type(ahead) is int and time_source != "received" and 0 < at - ahead < _YEAR_10000 * 10**6:
        at -= ahead
    return Said(
        kind,
        verb,
        detail,
        text(actor, "ID"),
        attributes if type(attributes) is dict else {},
        text(raw, "scope") or "local",
        at,
        time_source,
        Engine(*(text(envelope, key) for key in ("engine", "node", "swarm"))),
        text(envelope, "stack"),
        envelope.get("probe") is True,
        identity(told),
        has_identity(told),
        podmans=podmans,
    )


def normal(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message in the form that engines have had since 1.10; any other value as it is.

    Before, status, id, from and the time were all there was.
    """
    status, key, image = (text(raw, name) for name in ("status", "id", "from"))
    if "Type" in raw or "Action" in raw or not status or not (image or is_id(key)) or type(raw.get("time")) is not int:
        return raw
    actor = {"ID": key, "Attributes": {"image": image} if image else {}}
    kind = "image" if status in _IMAGE_STATUSES else "container"
    times = {name: raw[name] for name in ("time", "timeNano") if name in raw}
    return {"Type": kind, "Action": status, "Actor": actor, **times}


def is_id(word: str) -> bool:
    """Whether a word looks like an id that an engine gives: 64 hexadecimal digits."""
    return _ID.fullmatch(word) is not None


def _time(raw: Mapping[str, Any], received_at: Micros) -> tuple[Micros, TimeSource]:
    for key, per_second in (("timeNano", 1_000_000_000), ("time", 1)):
        found = raw.get(key)
        if type(found) is int and 0 < found < _YEAR_10000 * per_second:
            return found * 1_000_000 // per_second, _source(raw)
    return received_at, "received"


def _source(raw: Mapping[str, Any]) -> TimeSource:
    """Where the time of a message that has one is from."""
    return "told" if is_dated_anew(raw) else "engine"


def kept_source(found: TimeSource, resource_uri: str | None, extra: str | None) -> TimeSource:
    """Where the time of an event is from, of which `extra` keeps as JSON all but what stands beside it.

    Neither an export nor version 0.1.0 says it of an engine's messages: there their times look like any platform's.
    """
    if found != "datetime" or extra is None or not (resource_uri or DOCKER).startswith(DOCKER):
        return found
    kept = received_message(resource_uri or DOCKER, json.loads(extra))
    message = normal(kept) if kept is not None else {}
    if not text(message, "Type") or not text(message, "Action"):
        return found
    return _source(as_dockers(message) if is_podmans(message) else message)

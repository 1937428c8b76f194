"""Reads what the REST API shows of an object, by a list of what may be kept: no environment, no body, no key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from archiver.codec.text import MAX_NAME, MAX_URI, MAX_WORD, fits
from archiver.codec.times import read_moment
from archiver.codec.uris import parse
from archiver.model import Micros, iso
from archiver.platforms.tutum.api import OBJECTS, Api
from archiver.platforms.tutum.facts import UNSETTLED

Finding = dict[str, Any]
"""What an observation is made of: uri, state, name, image, parents, extra, at (where it is not that of the answer)."""

_ABOVE = {
    "container": {"service": "service", "node": "node"},
    "service": {"stack": "stack"},
    "node": {"node_cluster": "nodecluster"},
}
"""The fields that name what an object is under, and its type."""
_DATES = {
    "deployed_datetime": "deployed",
    "started_datetime": "started",
    "stopped_datetime": "finished",
    "destroyed_datetime": "destroyed",
}
_COUNTS = ("exit_code", "target_num_containers", "current_num_containers", "target_num_nodes", "current_num_nodes")
_WORDS = ("docker_version",)
_MOST_TAGS = 1000
_OF_ACTIONS = ("user", "method")
_KEY = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}").fullmatch


def key_of(kind: str, row: Any) -> str | None:
    """The key of the object in a row of a list; None when it is not of the type, or says two things about itself."""
    if type(row) is not dict:
        return None
    uri = _text(row, "resource_uri", MAX_URI)
    told = parse(uri) if uri is not None else None
    key = _text(row, "uuid", MAX_WORD) or (told.key if told is not None else "")
    if not _KEY(key) or (told is not None and (told.type, told.key.lower()) != (kind, key.lower())):
        return None
    return parse(f"/api/v1/{kind}/{key}/").key


def show(api: Api, kind: str, key: str, row: Mapping[str, Any]) -> Finding:
    """What is kept of an object."""
    extra: dict[str, Any] = {name: row[name] for name in _COUNTS if _is_small(row.get(name))}
    extra |= {name: text for name in _WORDS if (text := _text(row, name, MAX_WORD)) is not None}
    extra |= {name: iso(at) for field, name in _DATES.items() if (at := read_moment(row.get(field))) is not None}
    if type(tags := row.get("tags")) is list:
        names = [_text(tag, "name", MAX_WORD) for tag in tags[:_MOST_TAGS] if type(tag) is dict]
        extra["tags"] = [name for name in names if name is not None]
    parents = [_uri(api, row, field, above) for field, above in _ABOVE.get(kind, {}).items()]
    return {
        "uri": api.path(kind, key),
        "state": _text(row, "state", MAX_WORD),
        "name": _text(row, "name", MAX_NAME) or _text(row, "nickname", MAX_NAME),
        "image": _text(row, "image_name", MAX_NAME),
        "parents": [uri for uri in parents if uri is not None],
        "extra": extra,
    }


def show_action(api: Api, key: str, row: Mapping[str, Any], now: Micros) -> list[Finding]:
    """What is kept of an action: that it began, and how it stands or ended, each dated by what it says itself."""
    began = read_moment(row.get("start_date")) or read_moment(row.get("created"))
    ended = read_moment(row.get("end_date"))
    uri, state = api.path("action", key), _text(row, "state", MAX_WORD)
    is_over = state is not None and state.lower() not in UNSETTLED
    beginning = min(now, ended or now, began or ended or now)
    extra: dict[str, Any] = {name: text for name in _OF_ACTIONS if (text := _text(row, name, MAX_WORD)) is not None}
    if type(by_user := row.get("is_user_action")) is bool:
        extra["is_user_action"] = by_user
    target = _target(api, row)
    first: Finding = {
        "uri": uri,
        "name": _text(row, "action", MAX_NAME),
        "parents": [] if target is None else [target],
        "extra": extra,
        "at": beginning,
    }
    at = now if ended is None or not is_over else min(now, ended)
    return [first] if state is None else [first, {"uri": uri, "state": state, "at": at}]


def ended_before(row: Mapping[str, Any], since: Micros) -> bool:
    """Whether an action had ended before an instant: nobody asked for those."""
    ended = read_moment(row.get("end_date"))
    return ended is not None and ended < since


def _uri(api: Api, row: Mapping[str, Any], field: str, kind: str) -> str | None:
    """The URI of what a field refers to, which must be of a type; spelled as all others are."""
    uri = _text(row, field, MAX_URI)
    told = parse(uri) if uri is not None else None
    return api.path(kind, told.key) if told is not None and told.type == kind and _KEY(told.key) else None


def _target(api: Api, row: Mapping[str, Any]) -> str | None:
    uri = _text(row, "object", MAX_URI)
    told = parse(uri) if uri is not None else None
    return api.path(*told) if told is not None and told.type in OBJECTS and _KEY(told.key) else uri


def _is_small(value: Any) -> bool:
    return type(value) is int and abs(value) < 1 << 31


def _text(row: Mapping[str, Any], name: str, limit: int) -> str | None:
    value = row.get(name)
    return value if type(value) is str and value and fits(value, limit) else None

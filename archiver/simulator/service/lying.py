"""The ways in which the REST API of the simulated server can be slow, wrong, hostile, or not there at all."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Lie = Literal[
    "status",
    "slow",
    "text",
    "cut",
    "huge",
    "no_list",
    "blind",
    "wrong_page",
    "empty_page",
    "repeats",
    "total",
    "alien",
    "other",
    "lagging",
]
"""What becomes of an answer. status: another one, with Retry-After. slow: it comes `seconds` later. text: no JSON.
cut: half of it. huge: megabytes of padding in every object. no_list: without the envelope. blind: it does not say
whether there is more. wrong_page: of another place than was asked for. empty_page: nothing on it, and more to come.
repeats: the first page again and again. total: it says that there are more. alien: `resource_uri` and `next` lead to
another host. other: objects of another type. lagging: what the same question was answered before, as a copy does that
has not heard of what happened since."""


_MOST_REMEMBERED = 1000


@dataclass(slots=True)
class Lying:
    """One lie that is still to be told: `times` times (None: for ever), after so many honest answers; at paths that
    have `path` in them."""

    lie: Lie
    path: str = ""
    after: int = 0
    times: int | None = 1
    status: int = 500
    retry_after: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class Told:
    """An answer as it goes out."""

    status: int
    body: bytes
    fields: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    """How much later it comes."""


class Liar:
    """Decides what becomes of each answer."""

    def __init__(self) -> None:
        self.lies: deque[Lying] = deque()
        self._before: dict[str, str] = {}
        self.asked: list[str] = []
        """The paths, with their queries, of all GET requests to the REST API."""

    def tell(self, path: str, query: str, status: int, body: Mapping[str, Any]) -> Told:
        """What goes out in the place of an honest answer."""
        question = f"{path}?{query}" if query else path
        if len(self.asked) < 100_000:
            self.asked.append(question)
        lying = next((one for one in self.lies if one.path in path), None)
        if lying is None:
            self._before[question if len(self._before) < _MOST_REMEMBERED else ""] = json.dumps(body)
            return Told(status, json.dumps(body).encode())
        if lying.after > 0:
            lying.after -= 1
            return Told(status, json.dumps(body).encode())
        if lying.times is not None:
            lying.times -= 1
            if lying.times <= 0:
                self.lies.remove(lying)
        if lying.lie == "lagging":
            return Told(status, self._before.get(question, json.dumps(body)).encode())
        return _told(lying, status, json.loads(json.dumps(body)))


def _told(lying: Lying, status: int, body: dict[str, Any]) -> Told:
    if lying.lie == "status":
        fields = {"Retry-After": lying.retry_after} if lying.retry_after else {}
        return Told(lying.status, b'{"error": "not now"}', fields)
    if lying.lie == "slow":
        return Told(status, json.dumps(body).encode(), seconds=lying.seconds)
    if lying.lie == "text":
        return Told(200, b"<html>It works!</html>", {"Content-Type": "text/html"})
    if lying.lie == "cut":
        whole = json.dumps(body).encode()
        return Told(status, whole[: len(whole) // 2])
    if lying.lie == "blind":
        body["meta"] = {}
    elif "objects" in body:
        _twist(lying.lie, body)
    return Told(status, json.dumps(body).encode())


def _twist(lie: str, body: dict[str, Any]) -> None:
    """Makes a list wrong: in what it says of itself, and in its objects."""
    meta, objects = body["meta"], body["objects"]
    if lie == "no_list":
        del body["meta"]
    elif lie == "wrong_page":
        meta["offset"] += 1
    elif lie == "empty_page":
        objects.clear()
        meta["next"] = "/api/v1/container/?offset=1000"
    elif lie == "repeats":
        meta["next"] = "/api/v1/container/?offset=0"
    elif lie == "total":
        meta["total_count"] += 10
    elif lie == "alien":
        meta["next"] = meta["next"] and "http://127.0.0.1:9/api/v1/container/"
    for each in objects:
        _twist_object(lie, each)


def _twist_object(lie: str, each: dict[str, Any]) -> None:
    if lie == "huge":
        each["container_envvars"] = "x" * 300_000
    elif lie == "alien":
        each["resource_uri"] = "http://127.0.0.1:9" + each["resource_uri"]
    elif lie == "other":
        each["resource_uri"] = f"/api/v1/repository/{each['uuid']}/"

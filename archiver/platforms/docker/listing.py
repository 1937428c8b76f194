"""Reads the short form in which a list tells of a container, for those of which no more can be learnt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from archiver.platforms.docker.facts import text

_CODE = re.compile(r"^(?:Exited|Restarting) \((\d{1,10})\)")
_HEALTH = re.compile(r"\((?:health: )?(healthy|unhealthy|starting)\)$")


def summary(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    """What of a container in a list shows that it has changed: its name, its state and its health."""
    health = _HEALTH.search(text(entry, "Status"))
    return _name(entry), text(entry, "State"), health[1] if health else ""


def as_inspected(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The same in the shape of an answer to the question about the container itself."""
    status = text(entry, "Status")
    code, health = _CODE.match(status), _HEALTH.search(status)
    state: dict[str, Any] = {"Status": text(entry, "State")}
    if code:
        state["ExitCode"] = int(code[1])
    elif state["Status"] in ("exited", "restarting"):
        state["Status"] = ""  # with which code is not told
    if health:
        state["Health"] = {"Status": health[1]}
    config = {"Image": text(entry, "Image"), "Labels": entry.get("Labels")}
    return {"Id": text(entry, "Id"), "Name": _name(entry), "State": state, "Config": config}


def _name(entry: Mapping[str, Any]) -> str:
    """The shortest of its names is its own; the others come of links to it."""
    names = entry.get("Names")
    found = [name for name in names if type(name) is str] if type(names) is list else []
    return min(found, key=lambda name: name.count("/"), default="")

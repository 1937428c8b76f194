"""What stands in the logs of the platform's objects, as the stream API tells it: what became of them."""

from __future__ import annotations

import json
import re
from typing import Final
from urllib.parse import parse_qs

from archiver.simulator.world.objects import Action, Container, Resource, Service
from archiver.simulator.world.platform import Platform

LOG_PATH: Final = re.compile(
    r"/(?:v1|api/(?:app|audit)/v1(?:/[^/]+)?)/(service|container|action)/([^/]+)/(logs|exec)/?", re.ASCII
)
"""Where the stream API tells the log of an object, or runs a command in a container: type, uuid, which of the two."""
_TAIL: Final = 300


def recite(platform: Platform, path: str, query: str) -> tuple[list[str], bool] | None:
    """The messages that a client of such a path hears first, and whether there it waits for more; None: nobody is."""
    match = LOG_PATH.fullmatch(path)
    resource = platform.find(match[1], match[2]) if match is not None else None
    if match is None or resource is None or (match[3] == "exec" and not isinstance(resource, Container)):
        return None
    if match[3] == "exec":
        return [
            json.dumps({"type": "exec", "streamType": "stderr", "output": "No program runs on this platform.\r\n"})
        ], False
    fields = parse_qs(query)
    tail = fields.get("tail", [""])[0]
    lines = sorted(_lines(resource))[-(int(tail[:6]) if tail.isdecimal() else _TAIL) :]
    return [_message(platform, *line) for line in lines], fields.get("follow", ["true"])[0] != "false"


def _lines(resource: Resource) -> list[tuple[float, str, str]]:
    """Virtual time, source and text of what happened to an object, or to the containers of a service."""
    if isinstance(resource, Service):
        return [line for container in resource.containers for line in _lines(container)]
    source = resource.name if isinstance(resource, Container) else ""
    told = {"deployed": resource.deployed, "started": resource.started, "stopped": resource.stopped}
    if isinstance(resource, Action):
        told = {"called": resource.created, "in progress": resource.started, f"{resource.state}": resource.stopped}
    return [(at, source, f"{resource.name}: {what}\n") for what, at in told.items() if at is not None]


def _message(platform: Platform, at: float, source: str, text: str) -> str:
    shown = {"type": "log", "log": text, "timestamp": int(platform.spelling.moment(at).timestamp())}
    return json.dumps(shown | ({"source": source, "streamType": "stdout"} if source else {}))

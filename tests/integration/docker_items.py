"""Runs a Docker source until a test has seen enough, and reads what it yielded."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from archiver.model import Condition, Event, Item, Message, Observed, Opened
from archiver.platforms.decoders import decode
from archiver.platforms.docker.pace import DockerPace
from archiver.platforms.docker.source import DockerSource

QUICK = DockerPace(
    patience=2,
    hold=0.5,
    quiet=0.1,
    introduction=0.3,
    question=0.2,
    settle=0.05,
    stock_after=0,
    alive_every=0.05,
    dead_after=0.3,
    first_delay=0.02,
    longest_delay=0.02,
)
Done = Callable[[list[Item]], bool]


def watch(source: DockerSource, done: Done, do: Callable[[Item], None] = lambda item: None) -> list[Item]:
    """All that the source yields; stops it as soon as `done` holds."""
    stop, got = threading.Event(), []
    limit = time.monotonic() + 20
    for item in source.items(stop):
        got.append(item)
        do(item)
        if done(got) or time.monotonic() > limit:
            stop.set()
    assert done(got), got
    return got


def messages(got: list[Item]) -> list[Message]:
    return [item for item in got if isinstance(item, Message)]


def raw(got: list[Item]) -> list[dict[str, Any]]:
    """The engine's own messages, out of the envelopes."""
    found = [json.loads(item.payload) for item in messages(got)]
    return [item.get("message", item) for item in found]


def events(got: list[Item]) -> list[Event]:
    found = [decode(item) for item in messages(got)]
    assert all(isinstance(event, Event) for event in found)
    return [event for event in found if isinstance(event, Event)]


def observed(got: list[Item]) -> dict[str, dict[str, Any]]:
    """The last observation of each object."""
    found = [json.loads(item.payload) for item in got if isinstance(item, Observed)]
    return {item["uri"]: item for item in found}


def opened(got: list[Item]) -> list[Opened]:
    return [item for item in got if isinstance(item, Opened)]


def conditions(got: list[Item], of: str) -> list[str | None]:
    return [item.value for item in got if isinstance(item, Condition) and item.of == of]


def count(kind: type, number: int) -> Done:
    return lambda got: sum(isinstance(item, kind) for item in got) >= number


def both(*all_of: Done) -> Done:
    return lambda got: all(done(got) for done in all_of)


def sees(*uris: str) -> Done:
    """Whether these objects have been observed."""
    return lambda got: observed(got).keys() >= {f"/docker/v1/{uri}/" for uri in uris}

"""What the questions are about: objects and times of which a short archive of a fleet knows as much as a long one."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from archiver.model import TimeRange
from bench.workshop import Lines


@dataclass(frozen=True, slots=True)
class Subjects:
    """URIs, and ranges of time."""

    cluster: str
    """Everything is under it."""
    busy: str
    """The stack whose containers are replaced most often: most of what was ever under it is gone."""
    quiet: str
    """Of the stacks that are told of in that hour, the one of which least is told in all."""
    container: str
    """A container that is gone, of which was told most."""
    action: str
    """The last action that is done."""
    hour: TimeRange
    day: TimeRange

    @classmethod
    def of(cls, lines: Lines) -> Subjects:
        """Of the last hour and the last day of these lines."""
        stacks: Counter[str] = Counter()
        last_told: dict[str, str] = {}
        containers: Counter[str] = Counter()
        gone: set[str] = set()
        action = ""
        with open(lines.path) as source:
            for event in map(json.loads, source):
                if event["type"] == "container":
                    stack = event["parents"][2]
                    stacks[stack] += 1
                    last_told[stack] = event["date"]
                    containers[event["resource_uri"]] += 1
                    if event["state"] == "Terminated":
                        gone.add(event["resource_uri"])
                elif event["state"] == "Success":
                    action = event["resource_uri"]
        last: dict[str, Any] = event
        until = datetime.fromisoformat(last["date"])
        since = until - timedelta(hours=1)
        return cls(
            cluster=next(uri for uri in _parents(lines) if "/nodecluster/" in uri),
            busy=stacks.most_common(1)[0][0],
            quiet=min((uri for uri in stacks if last_told[uri] >= since.isoformat()), key=stacks.__getitem__),
            container=next(uri for uri, _ in containers.most_common() if uri in gone),
            action=action,
            hour=TimeRange(since, until),
            day=TimeRange(until - timedelta(days=1), until),
        )


def _parents(lines: Lines) -> list[str]:
    with open(lines.path) as source:
        first: dict[str, Any] = json.loads(next(source))
    return list(first["parents"])

"""Tells the execs of health checks, which an engine runs by itself, from those of people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from archiver.platforms.docker.facts import text
from archiver.platforms.docker.inspect import probe

_MAX_EXECS = 4096


class Probes:
    """The health checks of containers, and those of their execs that have not ended."""

    def __init__(self) -> None:
        self.by_container: dict[str, str] = {}
        """A mark of the action that announces the health check; empty for a container that has none."""
        self._execs: dict[str, None] = {}

    def learn(self, found: Mapping[str, Any]) -> None:
        """Takes in what was answered about a container."""
        self.by_container[text(found, "Id")] = _mark(probe(found))

    def forget(self, container: str) -> None:
        """The container is no more."""
        self.by_container.pop(container, None)

    def is_unknown(self, container: str, message: Mapping[str, Any]) -> bool:
        """Whether a message begins an exec of a container about which nothing was answered yet."""
        return container not in self.by_container and text(message, "Action").startswith("exec_create: ")

    def tell(self, container: str, message: Mapping[str, Any]) -> bool:
        """Whether a message is about an exec of the health check. Only its first has the command; the rest its id."""
        action, actor = text(message, "Action"), message.get("Actor")
        if not action.startswith("exec_") or type(actor) is not dict or type(actor.get("Attributes")) is not dict:
            return False
        execution = text(actor["Attributes"], "execID")
        if action.startswith("exec_create: ") and self.by_container.get(container) == _mark(action):
            self._execs[execution] = None
            if len(self._execs) > _MAX_EXECS:
                del self._execs[next(iter(self._execs))]
        known = execution in self._execs
        if known and action == "exec_die":
            del self._execs[execution]
        return known


def _mark(action: str | None) -> str:
    """Known again, and not to be read: a command may hold a secret."""
    return hashlib.sha256(action.encode(errors="replace")).hexdigest()[:16] if action else ""

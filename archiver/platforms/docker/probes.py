"""Tells the execs of health checks, which an engine runs by itself, from those of people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from archiver.platforms.docker.facts import text
from archiver.platforms.docker.inspect import probe
from archiver.platforms.docker.messages import is_id

_MAX_EXECS = 4096

V = TypeVar("V")


@dataclass(slots=True)
class _Doubtful:
    """An exec of a container about which nothing was answered when it began."""

    container: str
    mark: str
    ended: bool = False


class Probes:
    """The health checks of containers, and those of their execs that have not ended."""

    def __init__(self) -> None:
        self.by_container: dict[str, str] = {}
        """A mark of the action that announces the health check; empty for a container that has none."""
        self._execs: dict[str, None] = {}
        self._doubtful: dict[str, _Doubtful] = {}

    def learn(self, found: Mapping[str, Any]) -> list[str]:
        """Takes in what was answered about a container; which execs, told of as anybody's, were its probes."""
        container = text(found, "Id")
        known = self.by_container[container] = _mark(probe(found))
        begun = {key: one for key, one in self._doubtful.items() if one.container == container}
        for execution, one in begun.items():
            del self._doubtful[execution]
            if one.mark == known and not one.ended:
                _remember(self._execs, execution, None)
        return [execution for execution, one in begun.items() if one.mark == known and is_id(execution)]

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
        if self.is_unknown(container, message):
            _remember(self._doubtful, execution, _Doubtful(container, _mark(action)))
        elif action.startswith("exec_create: ") and self.by_container.get(container) == _mark(action):
            _remember(self._execs, execution, None)
        known = execution in self._execs
        if action == "exec_die":
            self._execs.pop(execution, None)
            if execution in self._doubtful:
                self._doubtful[execution].ended = True
        return known


def _remember(memory: dict[str, V], key: str, value: V) -> None:
    memory[key] = value
    if len(memory) > _MAX_EXECS:
        del memory[next(iter(memory))]


def _mark(action: str | None) -> str:
    """Known again, and not to be read: a command may hold a secret."""
    return hashlib.sha256(action.encode(errors="replace")).hexdigest()[:16] if action else ""

"""What a source has learnt by asking an engine: who it is, what is there, what belongs to a stack, what is a probe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from time import monotonic
from typing import Any
from urllib.parse import quote

from archiver.platforms.docker import inspect
from archiver.platforms.docker.facts import REMOVED, Engine, Named, scoped, service_of, stack_of, text
from archiver.platforms.docker.facts import uri as docker_uri
from archiver.platforms.docker.http import FAILURES
from archiver.platforms.docker.inspect import Finding

Ask = Callable[[str], Any | None]
"""Asks the engine for the JSON at a path; None when it has none to give."""

_LISTS = {"network": "/networks", "volume": "/volumes", "image": "/images/json", "container": "/containers/json?all=1"}
_LISTS_OF_MANAGER = {"node": "/nodes", "service": "/services", "secret": "/secrets", "config": "/configs"}
_ASKED_ON = {
    "container": frozenset({"create", "rename"}),
    "network": frozenset({"create"}),
    "volume": frozenset({"create"}),
    "node": frozenset({"create", "update"}),
    "service": frozenset({"create", "update"}),
    "secret": frozenset({"create", "update"}),
    "config": frozenset({"create", "update"}),
}
_GOING = frozenset({"destroy", "remove", "delete"})
_PATIENCE = 3
_REST = 60.0
_MAX_EXECS = 4096


class Inventory:
    """Knowledge about one engine that no single message carries; outlives a connection."""

    def __init__(self) -> None:
        self.engine = Engine()
        self._manager = False
        self._there: dict[str, set[str]] = {}
        self._gone: set[str] = set()
        self._stacks: dict[str, str] = {}
        self._named: set[str] = set()
        self._probes: dict[str, str] = {}
        self._execs: dict[str, None] = {}
        self._failed = 0
        self._resting_until = 0.0

    # --- asking ------------------------------------------------------------------------------------------------------

    def take_stock(self, ask: Ask, info: Mapping[str, Any]) -> Iterator[Finding]:
        """Everything that is there now."""
        self._failed, self._resting_until = 0, 0.0
        self._gone = set()
        yield from self._know_engine(info)
        for kind, path in {**(_LISTS_OF_MANAGER if self._manager else {}), **_LISTS}.items():
            yield from self._list(ask, kind, path)

    def vanished(self) -> Iterator[Finding]:
        """What was there before the last stock-taking, is not there now, and no message told of its end."""
        for uri in sorted(self._gone):
            yield Finding(uri, REMOVED, None, (), {})
        self._gone = set()

    def about(self, ask: Ask | None, message: Mapping[str, Any]) -> Iterator[Finding]:
        """What a message tells of new names, and what it makes worth asking: new objects, the swarm just joined."""
        kind, verb = text(message, "Type"), text(message, "Action")
        actor = message.get("Actor")
        key = text(actor, "ID") if type(actor) is dict else ""
        attributes = actor.get("Attributes") if type(actor) is dict else None
        if type(attributes) is dict and kind == "container":
            yield from self._name(
                filter(None, (stack_of(attributes, self.engine), service_of(attributes, self.engine)))
            )
        if ask and text(message, "scope") == "swarm" and not self.engine.swarm:
            info = self._ask(ask, "/info")
            yield from self._know_engine(info) if type(info) is dict else ()
        if verb in _GOING:
            self._forget(kind, key)
        elif ask and key and verb in _ASKED_ON.get(kind, ()):
            yield from self._inspect(ask, kind, key)

    def _know_engine(self, info: Mapping[str, Any]) -> Iterator[Finding]:
        self.engine = inspect.engine_of(info)
        self._manager = inspect.is_manager(info)
        yield from inspect.host(info, self.engine)

    def _list(self, ask: Ask, kind: str, path: str) -> Iterator[Finding]:
        found = self._ask(ask, path)
        listed = found.get("Volumes") or [] if type(found) is dict else found
        if type(listed) is not list:
            return
        before = self._there.get(kind, set())
        self._there[kind] = set()
        for item in listed:
            if kind == "container":
                yield from self._inspect(ask, kind, text(item, "Id"))
            else:
                yield from self._found(kind, item)
        if kind != "network" or self._manager:  # elsewhere an engine lists only those networks that it uses
            self._gone |= before - self._there[kind]

    def _inspect(self, ask: Ask, kind: str, key: str) -> Iterator[Finding]:
        if kind == "container":
            self._there.setdefault(kind, set()).add(docker_uri(kind, key))
            found = self._ask(ask, f"/containers/{quote(key, safe='')}/json")
        else:
            found = self._ask(ask, f"/{kind}s/{quote(key, safe='')}")
        yield from self._found(kind, found)

    def _found(self, kind: str, found: Any) -> Iterator[Finding]:
        if type(found) is not dict:
            return
        finding = inspect.READERS[kind](found, self.engine)
        yield from self._name(finding.groups)
        self._there.setdefault(kind, set()).add(finding.uri)
        if finding.stack and kind != "container":
            self._stacks[finding.uri] = finding.stack
        if kind == "container" and (probe := inspect.probe(found)):
            self._probes[text(found, "Id")] = probe
        if kind == "service":
            self._named.add(finding.uri)
        yield finding

    def _name(self, groups: Iterable[Named]) -> Iterator[Finding]:
        """Stacks and services that containers speak of: nothing else tells their names."""
        for group in groups:
            if group.uri not in self._named:
                self._named.add(group.uri)
                yield Finding(group.uri, None, group.name, group.parents, {})

    def _ask(self, ask: Ask, path: str) -> Any | None:
        """An answer, or None: events matter more. Some questions hang in an engine that is otherwise well."""
        if monotonic() < self._resting_until:
            return None
        try:
            answer = ask(path)
        except FAILURES:
            self._failed += 1
            if self._failed >= _PATIENCE:
                self._failed, self._resting_until = 0, monotonic() + _REST
            return None
        self._failed = 0
        return answer

    def _forget(self, kind: str, key: str) -> None:
        uri = docker_uri(kind, scoped(self.engine.id, key) if kind in ("volume", "image") else key)
        self._there.get(kind, set()).discard(uri)
        self._gone.discard(uri)
        self._probes.pop(key, None)

    # --- telling -----------------------------------------------------------------------------------------------------

    def envelope(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """What the decoder cannot know from the message alone."""
        # All managers of a swarm tell of it; so that they say the same, nothing of one engine is added.
        here = Engine(swarm=self.engine.swarm) if text(message, "scope") == "swarm" else self.engine
        facts: dict[str, Any] = dict(zip(("engine", "node", "swarm"), here, strict=True))
        kind, actor = text(message, "Type"), message.get("Actor")
        key = text(actor, "ID") if type(actor) is dict else ""
        if kind == "container":
            facts["probe"] = self._is_probe(key, text(message, "Action"), actor)
        else:
            uri = docker_uri(kind, scoped(self.engine.id, key) if kind == "volume" else key)
            going = text(message, "Action") in _GOING
            facts["stack"] = self._stacks.pop(uri, "") if going else self._stacks.get(uri, "")
        return {name: fact for name, fact in facts.items() if fact}

    def _is_probe(self, container: str, action: str, actor: Any) -> bool:
        """Whether an exec is the container's health check. Only its first message has the command; the rest its id."""
        if not action.startswith("exec_") or type(actor) is not dict or type(actor.get("Attributes")) is not dict:
            return False
        execution = text(actor["Attributes"], "execID")
        if action.startswith("exec_create: ") and action == self._probes.get(container):
            self._execs[execution] = None
            if len(self._execs) > _MAX_EXECS:
                del self._execs[next(iter(self._execs))]
        known = execution in self._execs
        if known and action == "exec_die":
            del self._execs[execution]
        return known

"""What the objects of a Docker Engine are called in the archive: URIs, names and parents, learnt from labels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID, uuid5

from archiver.codec.text import dump

STACK = "com.docker.stack.namespace"
SERVICE = "com.docker.swarm.service.id"
SERVICE_NAME = "com.docker.swarm.service.name"
NODE = "com.docker.swarm.node.id"
PROJECT = "com.docker.compose.project"
PROJECT_SERVICE = "com.docker.compose.service"
RELATIONS = (
    STACK,
    SERVICE,
    SERVICE_NAME,
    NODE,
    "com.docker.swarm.task.id",
    "com.docker.swarm.task.name",
    PROJECT,
    PROJECT_SERVICE,
    "com.docker.compose.container-number",
    "com.docker.compose.oneoff",
)
"""The labels that say where an object belongs, and the only ones that are ever copied."""

REMOVED = "removed"
"""The state of whatever is there no more."""

GONE = frozenset({REMOVED, "destroyed", "deleted", "die", "destroy"})
"""States, in lower case, after which a resource is no more: ours, and the words of others who recorded an engine."""

HEALTHCHECK = "healthcheck"
"""The action of an exec that the engine ran by itself to probe a container, which it does by the hour."""

_MESSAGES = UUID("7c0f4a0e-5d43-5b3e-9a51-0b8f0c7f5a11")


class Engine(NamedTuple):
    """Where a message came from; an empty text where that is not known."""

    id: str = ""
    """The engine's own identity."""
    node: str = ""
    """Its identity as a node of a swarm."""
    swarm: str = ""
    """The identity of that swarm; only a manager knows it."""

    @property
    def host(self) -> tuple[str, ...]:
        """The URIs of the node that the engine is, and of the swarm."""
        key = self.node or self.id
        return (*((uri("node", key),) if key else ()), *self.cluster)

    @property
    def cluster(self) -> tuple[str, ...]:
        """The URI of the swarm."""
        return (uri("nodecluster", self.swarm),) if self.swarm else ()


class Named(NamedTuple):
    """An object that is known only because others belong to it."""

    uri: str
    name: str
    parents: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def uri(kind: str, key: str) -> str:
    """The URI of an object; nothing in the key can end the segment."""
    return f"/docker/v1/{quote(kind, safe='', errors='replace')}/{quote(key, safe=':', errors='replace')}/"


def scoped(scope: str, name: str) -> str:
    """The key of what only has a name, unique among all engines: names repeat from one to the next."""
    return f"{scope}.{name}" if scope else name


def stack_key(labels: Mapping[str, Any], engine: Engine) -> str | None:
    """The key of the stack, or of the Compose project, that an object with these labels belongs to."""
    if stack := label(labels, STACK):
        return scoped(engine.swarm or engine.node, stack)
    if project := label(labels, PROJECT):
        return scoped(engine.id, project)
    return None


def stack_of(labels: Mapping[str, Any], engine: Engine) -> Named | None:
    """The stack, or the Compose project, that an object with these labels belongs to."""
    key = stack_key(labels, engine)
    return Named(uri("stack", key), label(labels, STACK) or label(labels, PROJECT) or key) if key else None


def service_of(labels: Mapping[str, Any], engine: Engine) -> Named | None:
    """The service, of a swarm or of Compose, that a container with these labels belongs to."""
    stack = stack_of(labels, engine)
    above = (stack.uri,) if stack else ()
    if service := label(labels, SERVICE):
        return Named(uri("service", service), label(labels, SERVICE_NAME) or service, above + engine.cluster)
    project, service = label(labels, PROJECT), label(labels, PROJECT_SERVICE)
    if project and service:
        key = scoped(engine.id, f"{project}.{service}")
        return Named(uri("service", key), f"{project}-{service}", above + engine.host)
    return None


def container_parents(labels: Mapping[str, Any], engine: Engine) -> tuple[str, ...]:
    """Service, stack, node and swarm of a container with these labels."""
    service, stack = service_of(labels, engine), stack_of(labels, engine)
    if not engine.node and (node := label(labels, NODE)):
        engine = engine._replace(node=node)
    return tuple(found.uri for found in (service, stack) if found) + engine.host


def label(labels: Mapping[str, Any], name: str) -> str:
    """The text of a label; empty when there is none."""
    found = labels.get(name)
    return found if type(found) is str else ""


def identity(message: Mapping[str, Any]) -> str:
    """The same for every delivery of a message, and for no other message.

    Swarm managers all tell of one change with one time, so theirs are one message as well.
    """
    actor = message.get("Actor")
    parts = [message.get(key) for key in ("timeNano", "Type", "Action", "scope")]
    parts.append(actor.get("ID") if type(actor) is dict else None)
    return str(uuid5(_MESSAGES, dump(parts if parts[0] is not None else message)))

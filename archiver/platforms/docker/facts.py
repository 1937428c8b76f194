"""What the objects of a Docker Engine are called in the archive: URIs, names and parents, learnt from labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID, uuid5

DOCKER = "/docker/v1/"
"""How the URI of everything of an engine begins."""

STACK = "com.docker.stack.namespace"
SERVICE = "com.docker.swarm.service.id"
SERVICE_NAME = "com.docker.swarm.service.name"
NODE = "com.docker.swarm.node.id"
TASK = "com.docker.swarm.task.id"
PROJECT = "com.docker.compose.project"
PROJECT_SERVICE = "com.docker.compose.service"
TASK_NAME = "com.docker.swarm.task.name"
PLACE_IN_SERVICE = "com.docker.compose.container-number"
ONE_OFF = "com.docker.compose.oneoff"
COMPOSE_HASH, COMPOSE_IMAGE = "com.docker.compose.config-hash", "com.docker.compose.image"
"""By these Compose knows again whether a container is of today's configuration, and of today's image."""
_PLACES_IN_PROJECT = (
    PLACE_IN_SERVICE,
    ONE_OFF,
    COMPOSE_HASH,
    "com.docker.compose.network",
    "com.docker.compose.volume",
)
"""What Compose calls an object within its project, or says of its configuration; each has one of them. An image that
Compose built bears the project's name as well, and hands it down to every container that anybody runs from it; these it
does not."""
RELATIONS = (
    STACK,
    SERVICE,
    SERVICE_NAME,
    NODE,
    TASK,
    TASK_NAME,
    PROJECT,
    PROJECT_SERVICE,
    *_PLACES_IN_PROJECT,
)
"""The labels that say where an object belongs, and the only ones that are ever copied."""

REMOVED = "removed"
"""The state of whatever is there no more."""

GONE = frozenset({REMOVED, "destroyed", "deleted", "die", "destroy"})
"""States, in lower case, after which a resource is no more: ours, and the words of others who recorded an engine."""

KINDS = {
    "created": "starting",
    "running": "up",
    "running (starting)": "starting",
    "running (unhealthy)": "down",
    "paused": "down",
    "exited": "down",
    "restarting": "down",
    "removing": "down",
    "dead": "down",
    **dict.fromkeys(GONE, "gone"),
    # A node of a swarm.
    "ready": "up",
    "down": "down",
    "unknown": "down",
    "disconnected": "down",
    # Of a service is told how its update goes; what it had runs on meanwhile.
    **dict.fromkeys(
        (
            "service created",
            "updating",
            "service paused",
            "completed",
            "rollback_started",
            "rollback_paused",
            "rollback_completed",
        ),
        "up",
    ),
    # What does not run is there once it is made.
    **dict.fromkeys((f"{kind} created" for kind in ("network", "volume", "image", "secret", "config")), "up"),
    "enabled": "up",
    "disabled": "down",
}
"""Of what kind a state is, in lower case: up, down, starting or gone; of one type alone with that before it. The exit
code and the health in brackets count where they are named here. Actions have no kind."""

OOM = "oom"
"""The action by which an engine tells that the kernel killed a process of a container for want of memory."""
OOM_KILLED = '"oom_killed":true'
"""How an observation says so of a container that was found killed."""

ENGINE_WORDS = frozenset({"exitCode", "execID"})
"""Attributes by which an engine says what happened. It copies a container's labels over them (moby's
daemon/events.go): under a label of such a name, what the engine had to say is lost."""

DEADLY = frozenset({"2", "3", "9", "15"})
"""Signals that are sent to end a process; of any other the exit code says whether it did (128 and its number)."""
SIGNAL = '"signal":"'
"""Stands in the JSON that is kept of a `kill`, before the number of the signal."""
ENDED = frozenset({"exited", "dead"})
"""States, in lower case and without a code, of a container that is there and does not run."""
NEW_IMAGE = "image.new"
"""The attribute by which a manager tells of another image of a service."""

HEALTHCHECK = "healthcheck"
"""The action of an exec that the engine ran by itself to probe a container, which it does by the hour."""

_encode = json.JSONEncoder(sort_keys=True).encode
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


def identities(told: str) -> tuple[list[str], str]:
    """By what a platform is known of which an engine said who it is, what decides first, and what people call it.

    `told` is the JSON of `whose.described`. A swarm counts before its engine: an engine that is in one belongs to it.
    Which swarm a worker is in only its managers can say: so it names them.
    """
    try:
        value = json.loads(told)
    except (ValueError, RecursionError):
        return [], ""
    swarm, node, engine = (text(value, key) for key in ("swarm", "node", "engine"))
    managers = value.get("managers") if type(value) is dict else None
    nodes = [node, *(managers if type(managers) is list else ())]
    found = [f"docker:swarm:{swarm}"] if swarm else []
    found += [f"docker:node:{key}" for key in dict.fromkeys(nodes) if type(key) is str and key]
    found += [f"docker:engine:{engine}"] if engine else []
    return found, (f"swarm {swarm}" if swarm else text(value, "host") or engine or node)


def received_message(resource_uri: str | None, extra: Mapping[str, Any]) -> dict[str, Any] | None:
    """The engine's own message, out of what is kept of an event of Docker; None for any other platform's."""
    message = extra.get("message")
    return message if (resource_uri or "").startswith(DOCKER) and isinstance(message, dict) else None


@lru_cache(maxsize=4096)
def uri(kind: str, key: str) -> str:
    """The URI of an object; nothing in the key can end the segment."""
    return f"/docker/v1/{quote(kind, safe='', errors='replace')}/{quote(key, safe=':', errors='replace')}/"


def scoped(scope: str, name: str) -> str:
    """The key of what only has a name, unique among all engines: names repeat from one to the next."""
    return f"{scope}.{name}" if scope else name


def stack_key(labels: Mapping[str, Any], engine: Engine) -> str | None:
    """The key of the stack, or of the Compose project, that an object with these labels belongs to."""
    if stack := text(labels, STACK):
        return scoped(engine.swarm or engine.node, stack)
    if project := project_of(labels):
        return scoped(engine.id, project)
    return None


def project_of(labels: Mapping[str, Any]) -> str:
    """The Compose project that an object with these labels is a part of; empty where it is of none."""
    project = text(labels, PROJECT)
    return project if project and any(text(labels, place) for place in _PLACES_IN_PROJECT) else ""


def stack_of(labels: Mapping[str, Any], engine: Engine) -> Named | None:
    """The stack, or the Compose project, that an object with these labels belongs to."""
    key = stack_key(labels, engine)
    return Named(uri("stack", key), text(labels, STACK) or text(labels, PROJECT) or key) if key else None


def service_of(labels: Mapping[str, Any], engine: Engine) -> Named | None:
    """The service, of a swarm or of Compose, that a container with these labels belongs to."""
    stack = stack_of(labels, engine)
    above = (stack.uri,) if stack else ()
    if service := text(labels, SERVICE):
        return Named(uri("service", service), text(labels, SERVICE_NAME) or service, above + engine.cluster)
    project, service = project_of(labels), text(labels, PROJECT_SERVICE)
    if project and service:
        key = scoped(engine.id, f"{project}.{service}")
        return Named(uri("service", key), f"{project}-{service}", above + engine.host)
    return None


def is_compose_service(uri: str) -> bool:
    """Whether a service is one of Compose, whose name is unique in its project only; a swarm gives each an ID."""
    return uri.startswith(DOCKER) and "." in uri


def slot_of(labels: Mapping[str, Any]) -> str | None:
    """The slot of a container with these labels: what lives on when it is replaced, written as people know it.

    Of a swarm's task its name without the task's own id, ``shop_web.1`` (of a global service ``shop_agent.`` and the
    node); of Compose what it calls the container unless told otherwise, ``shop-web-1``. What is run once has none.
    """
    task, name = text(labels, TASK), text(labels, TASK_NAME)
    if task and name.endswith(f".{task}"):
        return name.removesuffix(f".{task}") or None
    project, service, number = project_of(labels), text(labels, PROJECT_SERVICE), text(labels, PLACE_IN_SERVICE)
    if project and service and number and text(labels, ONE_OFF).lower() != "true":
        return f"{project}-{service}-{number}"
    return None


def container_parents(labels: Mapping[str, Any], engine: Engine) -> tuple[str, ...]:
    """Service, stack, node and swarm of a container with these labels."""
    service, stack = service_of(labels, engine), stack_of(labels, engine)
    if not engine.node and (node := text(labels, NODE)):
        engine = engine._replace(node=node)
    return tuple(found.uri for found in (service, stack) if found) + engine.host


def text(found: object, *path: str) -> str:
    """The text at the end of a path of keys, of labels, attributes or an answer; empty when there is none."""
    for key in path:
        if type(found) is not dict:
            return ""
        found = found.get(key)
    return found if type(found) is str else ""


def essence(message: Mapping[str, Any]) -> str:
    """What makes a message of an engine the one it is, however it was spelled: type, action, actor, scope and time.

    An engine tells the same to a client of an older API with more keys, and in any order. Managers of a swarm tell of
    a removal each at its own time, of all else at the time of the change: so a removal has none here.
    """
    actor = message.get("Actor")
    actor = actor if type(actor) is dict else {}
    attributes = actor.get("Attributes")
    flat = {}
    if type(attributes) is dict:  # of texts, where nothing else is
        flat = {key: value for key, value in attributes.items() if type(value) not in (dict, list)}
    parts = [text(message, "Type"), text(message, "Action"), text(message, "scope") or "local"]
    at = None if is_dated_anew(message) else _time(message)
    return _encode([*parts, at, text(actor, "ID"), flat])


def is_dated_anew(message: Mapping[str, Any]) -> bool:
    """Whether every manager of a swarm gives a message a time of its own: that of telling, for want of any other.

    So it is with what a swarm removes (moby's daemon/cluster/convert and events: the store has no time for it).
    """
    return text(message, "Action") == "remove" and text(message, "scope") == "swarm"


def identity(message: Mapping[str, Any]) -> str:
    """The same for every delivery of a message, and for no other message."""
    return str(uuid5(_MESSAGES, essence(message)))


def has_identity(message: Mapping[str, Any]) -> bool:
    """Whether a message can be told from a later one that says the same: one without a time cannot."""
    return _time(message) is not None


def _time(message: Mapping[str, Any]) -> int | float | str | None:
    nanoseconds = message.get("timeNano")
    found = message.get("time") if nanoseconds is None else nanoseconds
    return found if type(found) in (int, float, str) else None

"""Reads what an engine says about an object; copies what is on a list, and never an environment or another secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from archiver.platforms.docker.clock import SECOND, moment
from archiver.platforms.docker.facts import (
    ENGINE_WORDS,
    RELATIONS,
    Engine,
    Named,
    container_parents,
    scoped,
    service_of,
    stack_key,
    stack_of,
    text,
    uri,
)
from archiver.platforms.docker.podman import engine_id

_MOST_MANAGERS = 20


class Finding(NamedTuple):
    """What asking about one object brought, as long as it is with the source.

    Its JSON is spooled as an `Observed`, from which an `Observation` is decoded and archived.
    """

    uri: str
    state: str | None
    name: str | None
    parents: tuple[str, ...]
    extra: dict[str, Any]
    stack: str | None = None
    """The key of the stack it belongs to."""
    groups: tuple[Named, ...] = ()
    """The stack and the service that it belongs to."""

    def unmeasured(self) -> Finding:
        """Without the size, which an engine counts in another way in a list: a change of that alone is no news."""
        return self._replace(extra={key: value for key, value in self.extra.items() if key != "size"})

    def payload(self) -> dict[str, Any]:
        """The JSON of the observation."""
        return {
            "uri": self.uri,
            "state": self.state,
            "name": self.name,
            "parents": list(self.parents),
            "extra": {key: value for key, value in self.extra.items() if value not in (None, "", {}, [])},
        }


def engine_of(info: Mapping[str, Any]) -> Engine:
    """Who the engine is, from its own /info."""
    return Engine(engine_id(info), text(info, "Swarm", "NodeID"), text(info, "Swarm", "Cluster", "ID"))


def managers_of(info: Mapping[str, Any]) -> list[str]:
    """The nodes that manage the swarm an engine is in; every node of a swarm knows them."""
    swarm = info.get("Swarm")
    told = swarm.get("RemoteManagers") if type(swarm) is dict else None
    found = [text(manager, "NodeID") for manager in told] if type(told) is list else []
    return sorted(filter(None, found))[:_MOST_MANAGERS]


def host(info: Mapping[str, Any], engine: Engine) -> list[Finding]:
    """The node that the engine is, and its swarm."""
    found = []
    if engine.swarm:
        extra = {"id": engine.swarm, "created": text(info, "Swarm", "Cluster", "CreatedAt")}
        name = text(info, "Swarm", "Cluster", "Spec", "Name")
        state = text(info, "Swarm", "LocalNodeState") or None
        found.append(Finding(engine.cluster[0], state, name, (), extra))
    if engine.host and not is_manager(info):
        extra = {"id": engine.node or engine.id, "engine": engine.id, "version": text(info, "ServerVersion")}
        found.append(Finding(engine.host[0], "ready", text(info, "Name"), engine.cluster, extra))
    return found


def is_manager(info: Mapping[str, Any]) -> bool:
    """Whether the engine can answer questions about its swarm."""
    return _at(info, "Swarm", "ControlAvailable") is True


def container(found: Mapping[str, Any], engine: Engine) -> Finding:
    labels, all_labels = _labels(found, "Config", "Labels"), _at(found, "Config", "Labels")
    extra = {
        "id": text(found, "Id"),
        "image": text(found, "Config", "Image"),
        "labels": labels,
        "labelled": sorted(ENGINE_WORDS.intersection(all_labels)) if type(all_labels) is dict else [],
        "created": text(found, "Created"),
        "started": text(found, "State", "StartedAt"),
        "finished": text(found, "State", "FinishedAt"),
        "exit_code": _number(found, "State", "ExitCode"),
        "oom_killed": _number(found, "State", "OOMKilled"),
        "restarts": _number(found, "RestartCount"),
    }
    groups = tuple(group for group in (stack_of(labels, engine), service_of(labels, engine)) if group)
    me, name = uri("container", text(found, "Id")), text(found, "Name").removeprefix("/")
    above = container_parents(labels, engine)
    return Finding(me, _container_state(found), name, above, extra, stack_key(labels, engine), groups)


def _container_state(found: Mapping[str, Any]) -> str | None:
    """As `docker ps` words it."""
    state, code = text(found, "State", "Status"), _at(found, "State", "ExitCode")
    if state in ("exited", "restarting") and type(code) is int:
        return f"{state} ({code})"
    health = text(found, "State", "Health", "Status")
    if state == "running" and health not in ("", "none"):
        return "running (health: starting)" if health == "starting" else f"running ({health})"
    return state or None


def probe(found: Mapping[str, Any]) -> str | None:
    """The action by which the engine announces the health check of a container; None when it has none."""
    test = _texts(found, "Config", "Healthcheck", "Test")
    if len(test) < 2:
        return None
    shell = _texts(found, "Config", "Shell") or ["/bin/sh", "-c"]
    command = [*shell, *test[1:]] if test[0] == "CMD-SHELL" else test[1:]
    return f"exec_create: {command[0]} {' '.join(command[1:])}"


def service(found: Mapping[str, Any], engine: Engine) -> Finding:
    extra = {
        "image": text(found, "Spec", "TaskTemplate", "ContainerSpec", "Image"),
        "replicas": _number(found, "Spec", "Mode", "Replicated", "Replicas"),
        "update_started": text(found, "UpdateStatus", "StartedAt"),
        "update_completed": text(found, "UpdateStatus", "CompletedAt"),
    }
    # Without an update there is no state to tell; that it is there is no news of its having been created.
    return _of_swarm("service", found, engine, text(found, "UpdateStatus", "State"), extra)


def node(found: Mapping[str, Any], engine: Engine) -> Finding:
    extra = {
        "role": text(found, "Spec", "Role"),
        "availability": text(found, "Spec", "Availability"),
        "version": text(found, "Description", "Engine", "EngineVersion"),
        "leader": _number(found, "ManagerStatus", "Leader"),
    }
    told = _of_swarm("node", found, engine, text(found, "Status", "State"), extra)
    return told._replace(name=told.name or text(found, "Description", "Hostname"))


def secret(found: Mapping[str, Any], engine: Engine) -> Finding:
    return _of_swarm("secret", found, engine, "created", {})


def config(found: Mapping[str, Any], engine: Engine) -> Finding:
    return _of_swarm("config", found, engine, "created", {})


def _of_swarm(kind: str, found: Mapping[str, Any], engine: Engine, state: str, extra: dict[str, Any]) -> Finding:
    labels = _labels(found, "Spec", "Labels")
    common = {"id": text(found, "ID"), "labels": labels}
    common |= {"created": text(found, "CreatedAt"), "updated": text(found, "UpdatedAt")}
    name = text(found, "Spec", "Name")
    return _in_stack(kind, text(found, "ID"), name, state, labels, engine, engine.cluster, common | extra)


def network(found: Mapping[str, Any], engine: Engine) -> Finding:
    labels = _labels(found, "Labels")
    above = engine.cluster if text(found, "Scope") == "swarm" else engine.host
    extra = {"id": text(found, "Id"), "labels": labels, "created": text(found, "Created")}
    extra |= {"driver": text(found, "Driver"), "scope": text(found, "Scope")}
    return _in_stack("network", text(found, "Id"), text(found, "Name"), "created", labels, engine, above, extra)


def volume(found: Mapping[str, Any], engine: Engine) -> Finding:
    labels, name = _labels(found, "Labels"), text(found, "Name")
    extra = {"labels": labels, "created": text(found, "CreatedAt"), "driver": text(found, "Driver")}
    return _in_stack("volume", scoped(engine.id, name), name, "created", labels, engine, engine.host, extra)


def image(found: Mapping[str, Any], engine: Engine) -> Finding:
    tags = _at(found, "RepoTags")
    # A list and an answer about the image itself say the same in another order, and write the time otherwise.
    named = sorted(tag for tag in tags if type(tag) is str and tag != "<none>:<none>") if type(tags) is list else []
    told = moment(text(found, "Created"))
    created = _number(found, "Created") if told is None else told // SECOND
    extra = {"id": text(found, "Id"), "created": created, "size": _number(found, "Size"), "tags": named}
    me = uri("image", scoped(engine.id, text(found, "Id")))
    return Finding(me, "created", named[0] if named else None, engine.host, extra)


def _in_stack(
    kind: str,
    key: str,
    name: str,
    state: str,
    labels: Mapping[str, str],
    engine: Engine,
    above: tuple[str, ...],
    extra: dict[str, Any],
) -> Finding:
    stack = stack_of(labels, engine)
    parents = ((stack.uri,) if stack else ()) + above
    groups = (stack,) if stack else ()
    return Finding(uri(kind, key), state or None, name or None, parents, extra, stack_key(labels, engine), groups)


READERS: dict[str, Callable[[Mapping[str, Any], Engine], Finding]] = {
    "node": node,
    "service": service,
    "secret": secret,
    "config": config,
    "network": network,
    "volume": volume,
    "image": image,
    "container": container,
}
"""How each type of object is read."""


def _labels(found: Mapping[str, Any], *path: str) -> dict[str, str]:
    labels = _at(found, *path)
    if type(labels) is not dict:
        return {}
    return {key: labels[key] for key in RELATIONS if type(labels.get(key)) is str}


def _texts(found: Mapping[str, Any], *path: str) -> list[str]:
    """A list of texts; empty for anything else."""
    texts = _at(found, *path)
    return texts if type(texts) is list and all(type(one) is str for one in texts) else []


def _number(found: Mapping[str, Any], *path: str) -> int | None:
    """A whole number, or whether something is so; None for anything else, which may be as deep as JSON goes."""
    number = _at(found, *path)
    return number if type(number) in (int, bool) else None


def _at(found: object, *path: str) -> Any:
    for key in path:
        if type(found) is not dict:
            return None
        found = found.get(key)
    return found

"""What a message of a Docker Engine means as events, by the type of its object; `docs/docker.md` has it as tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from archiver.platforms.docker.facts import (
    HEALTHCHECK,
    NEW_IMAGE,
    OOM,
    REMOVED,
    container_parents,
    scoped,
    slot_of,
    text,
    uri,
)
from archiver.platforms.docker.messages import Said, is_id
from archiver.platforms.docker.podman import NOBODYS, pod_of

_CONTAINER_STATES = {"create": "created", "start": "running", "pause": "paused", "unpause": "running"}
_OTHER_STATES = {
    "create": "created",
    "build": "created",
    "import": "created",
    "load": "created",
    "pull": "created",
    "enable": "enabled",
    "disable": "disabled",
    "delete": REMOVED,
    "destroy": REMOVED,
    "remove": REMOVED,
}
_NAMES_REPEAT = frozenset({"volume", "image", "plugin"})
"""Types whose identity is unique on one engine only."""
_CHANGES_OF_A_SPEC = (NEW_IMAGE, "replicas.new")
"""What a service is told to be; when it changes together with the state of its update, somebody rolls it back."""


class Meaning(NamedTuple):
    """What a message says, as an event."""

    type: str
    uri: str | None
    action: str
    state: str | None
    parents: tuple[str, ...]
    name: str | None = None
    image: str | None = None
    slot: str | None = None


def meanings(said: Said) -> list[Meaning]:
    """The one event that nearly every message is, or the two of a message that tells of two objects."""
    return _MEANINGS.get(said.kind, _other)(said)


def digest(said: Said) -> str:
    """The digest of the image that a message is about; empty where only a tag is known."""
    return said.digest or (said.id if said.id.startswith("sha256:") else "")


def _action(said: Said, verb: str, parents: tuple[str, ...], state: str = "Success", key: str = "") -> Meaning:
    """What a person or a program did, as an event of its own resource: `parents` is the object, then what is above."""
    return Meaning("action", uri("action", key or _key(said)), verb, state, parents, verb)


def _key(said: Said) -> str:
    return said.identity if said.timed else str(uuid5(UUID(said.identity), str(said.at)))


def _container(said: Said) -> list[Meaning]:
    me, above = uri("container", said.id), container_parents(said.attributes, said.engine)
    if said.podmans:
        above = (*pod_of(said.attributes), *above)
    if said.verb == "prune":
        return _prune(said)
    if said.verb.startswith("exec_"):
        return [_exec(said, (me, *above))]
    state = _container_state(said)
    if state is None and said.verb != OOM and not (said.podmans and said.verb in NOBODYS):
        return [_action(said, said.verb, (me, *above))]
    name, image = text(said.attributes, "name"), text(said.attributes, "image")
    return [Meaning("container", me, said.verb, state, above, name, image, slot_of(said.attributes))]


def _container_state(said: Said) -> str | None:
    """The state as `docker ps` words it; None for a verb that leaves the state to other messages.

    `oom` does: the kernel has killed some process of the container, which may run on; when it does not, it `die`s.
    """
    match said.verb:
        case "die":
            return f"exited ({said.exit_code})" if said.exit_code is not None else "exited"
        case "health_status":
            return f"running ({said.detail})" if said.detail else "running"
        case "destroy":
            return REMOVED
        case verb:
            return _CONTAINER_STATES.get(verb)


def _exec(said: Said, parents: tuple[str, ...]) -> Meaning:
    """One action for all messages of one exec: it starts, and it ends by its exit code."""
    state = {"exec_create": "Pending", "exec_die": _END_OF_EXEC.get(said.exit_code, "Failed")}
    verb = HEALTHCHECK if said.probe else "exec"
    return _action(said, verb, parents, state.get(said.verb, "In progress"), said.execution or _exec_key(said))


_END_OF_EXEC = {"0": "Success", None: "Finished"}
"""How an exec ended, by its code: without one, nobody knows how."""


def _exec_key(said: Said) -> str:
    """The exec's own id, which no other has; what is none may be a label: it tells the execs of one container only."""
    found = text(said.attributes, "execID")
    return found if is_id(found) or not found else str(uuid5(NAMESPACE_URL, f"{uri('container', said.id)}{found!a}"))


def _service(said: Said) -> list[Meaning]:
    me, above = uri("service", said.id), _stack(said) + said.engine.cluster
    name, new = text(said.attributes, "name"), text(said.attributes, "updatestate.new")
    changes = [key for key in _CHANGES_OF_A_SPEC if key in said.attributes]
    meanings = []
    if said.verb != "update" or new:
        state, image = new or _OTHER_STATES.get(said.verb), text(said.attributes, NEW_IMAGE)
        meanings.append(Meaning("service", me, said.verb, state, above, name, image))
    if said.verb == "update" and (changes or not new):
        verb = "rollback" if new.startswith("rollback") else "scale" if changes == ["replicas.new"] else "update"
        meanings.append(_action(said, verb, (me, *above)))
    return meanings


def _node(said: Said) -> list[Meaning]:
    me, above = uri("node", said.id), said.engine.cluster
    state, availability, role = (text(said.attributes, f"{key}.new") for key in ("state", "availability", "role"))
    meanings = []
    if said.verb != "update" or state or not (availability or role):
        state = state or _OTHER_STATES.get(said.verb, "")
        meanings.append(Meaning("node", me, said.verb, state, above, text(said.attributes, "name")))
    if said.verb == "update" and (availability or role):
        verb = availability or ("promote" if role == "manager" else "demote")
        meanings.append(_action(said, verb, (me, *above)))
    return meanings


_POD_STATES = {"create": "created", "start": "running", "restart": "running", "pause": "paused", "unpause": "running"}
_POD_STATES |= {"stop": "exited", "remove": REMOVED}


def _pod(said: Said) -> list[Meaning]:
    """A pod of Podman's: no message but that of what somebody did to it tells its state."""
    me, above, state = uri("pod", said.id), said.engine.host, _POD_STATES.get(said.verb)
    done = [_action(said, said.verb, (me, *above))] if said.verb in ("kill", "stop", "restart") else []
    if done and state is None:
        return done
    return [Meaning("pod", me, said.verb, state, above, text(said.attributes, "name")), *done]


def _system(said: Said) -> list[Meaning]:
    """Podman sees to itself: nobody's action, and no object but the engine."""
    return [Meaning("system", None, said.verb, None, said.engine.host)]


def _daemon(said: Said) -> list[Meaning]:
    return [_action(said, said.verb, said.engine.host)]


def _prune(said: Said) -> list[Meaning]:
    """Pruning has no object: it is done to the engine."""
    return [_action(said, f"{said.kind} prune", said.engine.host)]


def _image(said: Said) -> list[Meaning]:
    """By the digest, where that is known: to pull and to push name the tag."""
    by_digest = said.id.startswith("sha256:")
    name = text(said.attributes, "name") if by_digest else said.id
    return _other(said._replace(id=digest(said) or said.id), "" if said.verb == "untag" else name)


def _other(said: Said, name: str | None = None) -> list[Meaning]:
    """Networks, volumes, images, secrets, configs, plugins, and whatever Docker may add."""
    if said.verb == "prune":
        return _prune(said)
    key = scoped(said.engine.id, said.id) if said.kind in _NAMES_REPEAT else said.id
    me = uri(said.kind, key) if said.id else None
    above = _stack(said) + (said.engine.cluster if said.scope == "swarm" else said.engine.host)
    if name is None:
        name = said.id if said.kind == "volume" else text(said.attributes, "name")
    if name.startswith("sha256:"):
        name = ""  # an image without a tag: its digest is its key already
    return [Meaning(said.kind, me, said.verb, _OTHER_STATES.get(said.verb), above, name)]


def _stack(said: Said) -> tuple[str, ...]:
    return (uri("stack", said.stack),) if said.stack else ()


_MEANINGS: dict[str, Callable[[Said], list[Meaning]]] = {
    "container": _container,
    "service": _service,
    "node": _node,
    "daemon": _daemon,
    "image": _image,
    "pod": _pod,
    "system": _system,
}

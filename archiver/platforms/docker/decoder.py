"""Decodes the messages of a Docker Engine; `docs/docker.md` has the mapping as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from archiver.codec.text import MAX_URI, MAX_WORD, fits, keep, parse
from archiver.model import Event, Message, Micros, Reject, TimeSource
from archiver.platforms.docker.facts import (
    HEALTHCHECK,
    REMOVED,
    Engine,
    container_parents,
    identity,
    label,
    scoped,
    uri,
)

_CONTAINER_STATES = {"create": "created", "start": "running", "pause": "paused", "unpause": "running", "oom": "oom"}
_OTHER_STATES = {
    "create": "created",
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
_YEAR_10000 = 253_402_300_800


class _Said(NamedTuple):
    """What a message says, with what the source added to it."""

    kind: str
    verb: str
    detail: str
    id: str
    attributes: Mapping[str, Any]
    scope: str
    engine: Engine
    stack: str
    probe: bool
    identity: str


class _Meaning(NamedTuple):
    """What that is as an event."""

    type: str
    uri: str | None
    action: str
    state: str | None
    parents: tuple[str, ...]
    name: str | None = None


def decode(message: Message) -> Event | Reject:
    """The one event in a message: the engine's own JSON, alone or in the envelope that the source puts round it.

    The envelope is ``{"engine": id, "node": id, "swarm": id, "stack": key, "probe": true, "message": {...}}``, each key
    but the last only where it is known; `extra` keeps it, and with it the engine's JSON, whole.
    """
    try:
        value = parse(message.payload.decode().strip())
        return _event(message, value)
    except UnicodeDecodeError as exc:
        return Reject.of(message, f"not UTF-8: {exc.reason} at byte {exc.start}")
    except RecursionError:
        return Reject.of(message, "not readable: JSON nested too deep")
    except ValueError as exc:
        return Reject.of(message, f"not JSON: {exc}")


def speaks_docker(line: bytes) -> bool:
    """Whether a line of JSON, of which nobody knows the stream, looks like a message of an engine or its envelope."""
    return b'"Type":' in line and b'"Action":' in line


def _event(message: Message, value: Any) -> Event | Reject:
    if type(value) is not dict:
        return Reject.of(message, "not an event: no JSON object")
    envelope = value if type(value.get("message")) is dict else {"message": value}
    said = _said(envelope)
    if said is None:
        return Reject.of(message, "not an event of Docker: no Type or no Action")
    meaning = _MEANINGS.get(said.kind, _other)(said)
    occurred_at, time_source = _time(envelope["message"], message.received_at)
    return Event(
        type=meaning.type,
        action=_word(meaning.action),
        state=_word(meaning.state),
        resource_uri=_fitting(meaning.uri, MAX_URI),
        parents=tuple(dict.fromkeys(found for found in meaning.parents if len(found) <= MAX_URI)),
        occurred_at=occurred_at,
        time_source=time_source,
        received_at=message.received_at,
        uuid=said.identity,
        extra=keep(envelope),
        session=message.session,
        name=_word(meaning.name),
    )


def _said(envelope: Mapping[str, Any]) -> _Said | None:
    raw = envelope["message"]
    kind, action = label(raw, "Type").lower(), label(raw, "Action")
    if not _word(kind) or not action:
        return None
    actor = raw.get("Actor")
    actor = actor if type(actor) is dict else {}
    attributes = actor.get("Attributes")
    verb, _, detail = action.partition(": ")
    return _Said(
        kind,
        verb,
        detail,
        label(actor, "ID"),
        attributes if type(attributes) is dict else {},
        label(raw, "scope"),
        Engine(*(label(envelope, key) for key in ("engine", "node", "swarm"))),
        label(envelope, "stack"),
        envelope.get("probe") is True,
        identity(raw),
    )


def _time(raw: Mapping[str, Any], received_at: Micros) -> tuple[Micros, TimeSource]:
    for key, per_second in (("timeNano", 1_000_000_000), ("time", 1)):
        found = raw.get(key)
        if type(found) is int and 0 < found < _YEAR_10000 * per_second:
            return found * 1_000_000 // per_second, "datetime"
    return received_at, "received"


def _word(text: str | None) -> str | None:
    return _fitting(text, MAX_WORD)


def _fitting(text: str | None, limit: int) -> str | None:
    """The text if a column can take it as it is; the raw message keeps it anyhow."""
    return text if text and fits(text, limit) else None


# --- what the messages mean, by the type of their object -------------------------------------------------------------


def _action(said: _Said, verb: str, parents: tuple[str, ...], state: str = "Success", key: str = "") -> _Meaning:
    """What a person or a program did, as an event of its own resource: `parents` is the object, then what is above."""
    return _Meaning("action", uri("action", key or said.identity), verb, state, parents, verb)


def _container(said: _Said) -> _Meaning:
    me, above = uri("container", said.id), container_parents(said.attributes, said.engine)
    if said.verb == "prune":
        return _prune(said)
    if said.verb.startswith("exec_"):
        return _exec(said, (me, *above))
    state = _container_state(said)
    if state is None:
        return _action(said, said.verb, (me, *above))
    return _Meaning("container", me, said.verb, state, above, label(said.attributes, "name"))


def _container_state(said: _Said) -> str | None:
    """The state as `docker ps` words it; None for a verb that leaves the state to other messages."""
    match said.verb:
        case "die":
            code = label(said.attributes, "exitCode")
            return f"exited ({code})" if code else "exited"
        case "health_status":
            return f"running ({said.detail})" if said.detail else "running"
        case "destroy":
            return REMOVED
        case verb:
            return _CONTAINER_STATES.get(verb)


def _exec(said: _Said, parents: tuple[str, ...]) -> _Meaning:
    """One action for all messages of one exec: it starts, and it ends by its exit code."""
    code = label(said.attributes, "exitCode")
    state = {"exec_create": "Pending", "exec_die": "Failed" if code not in ("", "0") else "Success"}
    verb = HEALTHCHECK if said.probe else "exec"
    return _action(said, verb, parents, state.get(said.verb, "In progress"), label(said.attributes, "execID"))


def _service(said: _Said) -> _Meaning:
    me, above = uri("service", said.id), _stack(said) + said.engine.cluster
    name, new = label(said.attributes, "name"), label(said.attributes, "updatestate.new")
    if said.verb == "update" and not new:
        verb = "scale" if "replicas.new" in said.attributes and "image.new" not in said.attributes else "update"
        return _action(said, verb, (me, *above))
    return _Meaning("service", me, said.verb, new or _OTHER_STATES.get(said.verb), above, name)


def _node(said: _Said) -> _Meaning:
    me, above = uri("node", said.id), said.engine.cluster
    state, availability, role = (label(said.attributes, f"{key}.new") for key in ("state", "availability", "role"))
    if said.verb == "update" and not state and (availability or role):
        verb = availability or ("promote" if role == "manager" else "demote")
        return _action(said, verb, (me, *above))
    state = state or _OTHER_STATES.get(said.verb, "")
    return _Meaning("node", me, said.verb, state, above, label(said.attributes, "name"))


def _daemon(said: _Said) -> _Meaning:
    return _action(said, said.verb, said.engine.host)


def _prune(said: _Said) -> _Meaning:
    """Pruning has no object: it is done to the engine."""
    return _action(said, f"{said.kind} prune", said.engine.host)


def _other(said: _Said) -> _Meaning:
    """Networks, volumes, images, secrets, configs, plugins, and whatever Docker may add."""
    if said.verb == "prune":
        return _prune(said)
    key = scoped(said.engine.id, said.id) if said.kind in _NAMES_REPEAT else said.id
    me = uri(said.kind, key) if said.id else None
    above = _stack(said) + (said.engine.cluster if said.scope == "swarm" else said.engine.host)
    name = said.id if said.kind == "volume" else label(said.attributes, "name")
    if name.startswith("sha256:"):
        name = ""  # an image without a tag: its digest is its key already
    return _Meaning(said.kind, me, said.verb, _OTHER_STATES.get(said.verb), above, name)


def _stack(said: _Said) -> tuple[str, ...]:
    return (uri("stack", said.stack),) if said.stack else ()


_MEANINGS: dict[str, Callable[[_Said], _Meaning]] = {
    "container": _container,
    "service": _service,
    "node": _node,
    "daemon": _daemon,
}

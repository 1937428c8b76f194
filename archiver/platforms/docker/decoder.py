"""Decodes the messages of a Docker Engine; `docs/docker.md` has the mapping as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from archiver.codec.observation import observe
from archiver.codec.text import MAX_NAME, MAX_URI, MAX_WORD, fits, keep, parse
from archiver.model import Event, Message, Observation, Observed, Reject, Together
from archiver.platforms.docker.facts import HEALTHCHECK, REMOVED, container_parents, scoped, text, uri
from archiver.platforms.docker.lives import Limits, Lives
from archiver.platforms.docker.messages import Said, is_id, read

M = TypeVar("M")

_CONTAINER_STATES = {"create": "created", "start": "running", "pause": "paused", "unpause": "running"}
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
_CHANGES_OF_A_SPEC = ("image.new", "replicas.new")
"""What a service is told to be; when it changes together with the state of its update, somebody rolls it back."""


class _Meaning(NamedTuple):
    """What a message says, as an event."""

    type: str
    uri: str | None
    action: str
    state: str | None
    parents: tuple[str, ...]
    name: str | None = None


def decode(message: Message) -> Event | Reject:
    """The event in a message by itself: the engine's own JSON, alone or in the envelope that the source puts round it.

    The envelope is ``{"engine": id, "node": id, "swarm": id, "stack": key, "probe": true, "ahead": microseconds,
    "message": {...}}``, each key but the last only where it is known; `ahead` is what the engine's clock is ahead of
    ours. The event's `extra` keeps it, and with it the engine's JSON, whole.
    """
    return _guarded(message, lambda envelope, said: _events(message, envelope, said)[0])


class StreamDecoder:
    """Decodes what one stream says, in its order, each message as what it is after those before it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._lives = Lives(limits or Limits())

    def decode(self, message: Message) -> Event | Reject | Together:
        """What a message means after all that was decoded before. Never raises."""
        return _guarded(message, lambda envelope, said: self._followed(message, envelope, said))

    def observe(self, observed: Observed) -> Observation | Reject:
        """The observation in a source's JSON; what it says of words to come is remembered. Never raises."""
        found = observe(observed)
        return self._lives.observe(found) if isinstance(found, Observation) else found

    def _followed(self, message: Message, envelope: Mapping[str, Any], said: Said) -> Event | Together:
        said = self._lives.recall(said)
        events = [self._lives.follow(event, said) for event in _events(message, envelope, said)]
        if said.kind == "image" and said.verb == "pull" and self._lives.knows_images and not _digest(said):
            # What was pulled is observed by its digest in a moment; a tag by itself is there for ever.
            events[0] = events[0]._replace(state=None, name=None)
        if said.kind == "container" and said.verb == "rename":
            return Together((*events, *_renamed(said, events[0])))
        return events[0] if len(events) == 1 else Together(tuple(events))


def speaks_docker(line: bytes) -> bool:
    """Whether a line of JSON, of which nobody knows the stream, looks like a message of an engine or its envelope."""
    if b'"Type":' in line:
        return b'"Action":' in line
    return b'"status":' in line and b'"id":' in line and b'"time":' in line and b'"type":' not in line


# --- from bytes to events ---------------------------------------------------------------------------------------------


def _guarded(message: Message, made: Callable[[Mapping[str, Any], Said], M]) -> M | Reject:
    """What is made of a message that can be read; else the message with the reason why it cannot."""
    try:
        value = parse(message.payload.decode().strip())
        if type(value) is not dict:
            return Reject.of(message, "not an event: no JSON object")
        envelope = value if type(value.get("message")) is dict else {"message": value}
        said = read(envelope, message.received_at)
        if said is None:
            return Reject.of(message, "not an event of Docker: no Type or no Action")
        return made(envelope, said)
    except UnicodeDecodeError as exc:
        return Reject.of(message, f"not UTF-8: {exc.reason} at byte {exc.start}")
    except RecursionError:
        return Reject.of(message, "not readable: JSON nested too deep")
    except ValueError as exc:
        return Reject.of(message, f"not JSON: {exc}")


def _events(message: Message, envelope: Mapping[str, Any], said: Said) -> list[Event]:
    extra = keep(envelope)
    return [
        Event(
            type=meaning.type,
            action=_fitting(meaning.action, MAX_WORD),
            state=_fitting(meaning.state, MAX_WORD),
            resource_uri=_fitting(meaning.uri, MAX_URI),
            parents=tuple(dict.fromkeys(found for found in meaning.parents if len(found) <= MAX_URI)),
            occurred_at=said.at,
            time_source=said.time_source,
            received_at=message.received_at,
            uuid=_uuid(said, place),
            extra=extra,
            session=message.session,
            name=_fitting(meaning.name, MAX_NAME),
        )
        for place, meaning in enumerate(_MEANINGS.get(said.kind, _other)(said))
    ]


def _uuid(said: Said, place: int) -> str | None:
    """The identity of one of a message's events; a message that could be any other of its words has none."""
    if not said.timed:
        return None
    return said.identity if place == 0 else str(uuid5(UUID(said.identity), str(place)))


def _renamed(said: Said, event: Event) -> Iterator[Observation]:
    """What a container is called from now on: the message is about what was done to it, and this about itself."""
    name, before = text(said.attributes, "name"), text(said.attributes, "oldName").removeprefix("/")
    if fits(name, MAX_NAME) and said.id:
        me, extra = uri("container", said.id), keep({"renamed_from": before}) if before else None
        yield Observation(me, None, name, (), event.occurred_at, extra, event.session)


def _fitting(text: str | None, limit: int) -> str | None:
    """The text if a column can take it as it is; the raw message keeps it anyhow."""
    return text if text and fits(text, limit) else None


# --- what the messages mean, by the type of their object -------------------------------------------------------------


def _action(said: Said, verb: str, parents: tuple[str, ...], state: str = "Success", key: str = "") -> _Meaning:
    """What a person or a program did, as an event of its own resource: `parents` is the object, then what is above."""
    return _Meaning("action", uri("action", key or _key(said)), verb, state, parents, verb)


def _key(said: Said) -> str:
    return said.identity if said.timed else str(uuid5(UUID(said.identity), str(said.at)))


def _container(said: Said) -> list[_Meaning]:
    me, above = uri("container", said.id), container_parents(said.attributes, said.engine)
    if said.verb == "prune":
        return _prune(said)
    if said.verb.startswith("exec_"):
        return [_exec(said, (me, *above))]
    state = _container_state(said)
    if state is None and said.verb != "oom":
        return [_action(said, said.verb, (me, *above))]
    return [_Meaning("container", me, said.verb, state, above, text(said.attributes, "name"))]


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


def _exec(said: Said, parents: tuple[str, ...]) -> _Meaning:
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


def _service(said: Said) -> list[_Meaning]:
    me, above = uri("service", said.id), _stack(said) + said.engine.cluster
    name, new = text(said.attributes, "name"), text(said.attributes, "updatestate.new")
    changes = [key for key in _CHANGES_OF_A_SPEC if key in said.attributes]
    meanings = []
    if said.verb != "update" or new:
        meanings.append(_Meaning("service", me, said.verb, new or _OTHER_STATES.get(said.verb), above, name))
    if said.verb == "update" and (changes or not new):
        verb = "rollback" if new.startswith("rollback") else "scale" if changes == ["replicas.new"] else "update"
        meanings.append(_action(said, verb, (me, *above)))
    return meanings


def _node(said: Said) -> list[_Meaning]:
    me, above = uri("node", said.id), said.engine.cluster
    state, availability, role = (text(said.attributes, f"{key}.new") for key in ("state", "availability", "role"))
    meanings = []
    if said.verb != "update" or state or not (availability or role):
        state = state or _OTHER_STATES.get(said.verb, "")
        meanings.append(_Meaning("node", me, said.verb, state, above, text(said.attributes, "name")))
    if said.verb == "update" and (availability or role):
        verb = availability or ("promote" if role == "manager" else "demote")
        meanings.append(_action(said, verb, (me, *above)))
    return meanings


def _daemon(said: Said) -> list[_Meaning]:
    return [_action(said, said.verb, said.engine.host)]


def _prune(said: Said) -> list[_Meaning]:
    """Pruning has no object: it is done to the engine."""
    return [_action(said, f"{said.kind} prune", said.engine.host)]


def _image(said: Said) -> list[_Meaning]:
    """By the digest, where that is known: to pull and to push name the tag."""
    by_digest = said.id.startswith("sha256:")
    name = text(said.attributes, "name") if by_digest else said.id
    return _other(said._replace(id=_digest(said) or said.id), "" if said.verb == "untag" else name)


def _digest(said: Said) -> str:
    """The digest of the image that a message is about; empty where only a tag is known."""
    return said.digest or (said.id if said.id.startswith("sha256:") else "")


def _other(said: Said, name: str | None = None) -> list[_Meaning]:
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
    return [_Meaning(said.kind, me, said.verb, _OTHER_STATES.get(said.verb), above, name)]


def _stack(said: Said) -> tuple[str, ...]:
    return (uri("stack", said.stack),) if said.stack else ()


_MEANINGS: dict[str, Callable[[Said], list[_Meaning]]] = {
    "container": _container,
    "service": _service,
    "node": _node,
    "daemon": _daemon,
    "image": _image,
}

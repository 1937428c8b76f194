"""What is remembered of the objects of one stream, so that a message is read as what it follows; bounded in size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from archiver.codec.text import parse
from archiver.model import Event, Micros, Observation
from archiver.platforms.docker.facts import ENGINE_WORDS, text, uri
from archiver.platforms.docker.messages import Said, is_id
from archiver.platforms.docker.podman import AT_ONCE, EXEC_BEGINS, spellings, tells_probe
from archiver.platforms.docker.states import after, is_over

_MAX_OPEN = 64

V = TypeVar("V")


class Limits(NamedTuple):
    """How much is remembered of one stream."""

    objects: int = 16_384
    execs: int = 4_096
    """Actions that have more than one message, remembered apart: health checks come by the hour."""
    tags: int = 4_096


@dataclass(slots=True)
class _Life:
    """What is known of one object."""

    told: str | None = None
    told_at: Micros = 0
    heard_at: Micros = 0
    """When that was received, by our clock."""
    born_at: Micros = 0
    """When it was told to be created."""
    asked: str | None = None
    asked_at: Micros = 0
    labels: frozenset[str] = frozenset()
    """Words of the engine that are labels of this container."""
    execs: list[_Exec] = field(default_factory=list)
    """Those without an id of their own that have not ended."""
    pod: str = ""
    """The id of the pod it is in, which Podman does not tell with each message."""
    probed_at: Micros = 0
    """When Podman gave a word of health, until the exec of that probe is told to have ended."""
    ended: tuple[str, Micros] = ("", 0)
    """The one of Podman's that ended last, and when."""

    def known_at(self, at: Micros) -> str | None:
        """The state at an instant, as far as words from before it say."""
        return self.asked if self.asked is not None and self.told_at < self.asked_at <= at else self.told


@dataclass(slots=True)
class _Exec:
    key: str
    command: str
    started: bool = False


class Lives:
    """The objects of one stream that were heard of last."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._objects: dict[str, _Life] = {}
        self._execs: dict[str, _Life] = {}
        self._tags: dict[str, str] = {}
        self.knows_images = False
        """Whether the engine is asked about its images: then each is observed by its digest, with its tags."""

    # --- before a message is understood ------------------------------------------------------------------------------

    def recall(self, said: Said) -> Said:
        """The message with what is known of its object: which of the words are labels, which exec, which image."""
        if said.podmans:
            said = self._recall_podmans(said)
        if (
            said.kind == "image"
            and said.verb in ("pull", "push")
            and not (said.digest or said.id.startswith("sha256:"))
        ):
            return said._replace(digest=self._tags.get(said.id, ""))
        if said.kind != "container" or not said.id:
            return said
        me = uri("container", said.id)
        life = self._objects.get(me)
        if said.verb != "die" and not said.verb.startswith("exec_"):
            # Here an engine says none of these words: they are labels.
            if labels := ENGINE_WORDS.intersection(said.attributes):
                self._life(me).labels = labels
            return said
        labels = life.labels if life is not None and not said.podmans else frozenset()
        said = said._replace(labels=labels) if labels else said
        if said.execution or not said.verb.startswith("exec_"):
            return said
        return said._replace(execution=self._execution(me, said))

    def _recall_podmans(self, said: Said) -> Said:
        """A message of Podman's with what only its earlier messages tell: an image's digest, a container's pod."""
        name, pod = text(said.attributes, "name"), text(said.attributes, "podId")
        if said.kind == "image" and said.id.startswith("sha256:"):
            if name and said.verb not in ("untag", "delete"):
                _remember(self._tags, name, said.id, self._limits.tags)
        elif said.kind == "image":
            known = filter(None, map(self._tags.get, spellings(said.id)))
            return said._replace(digest=next(known, ""))
        elif said.kind == "container" and said.id:
            life = self._life(uri("container", said.id))
            life.pod = pod or life.pod
            if tells_probe(said.verb, said.attributes):
                life.probed_at = said.at
            elif said.verb == "exec_die" and 0 <= said.at - life.probed_at < AT_ONCE:
                life.probed_at = 0
                said = said._replace(probe=True, execution=said.identity)
            if life.pod != pod:
                return said._replace(attributes={**said.attributes, "podId": life.pod})
        return said

    def _execution(self, container: str, said: Said) -> str:
        """The key of an exec whose own id is not told: each that is created is another, whatever its id says."""
        if is_id(text(said.attributes, "execID")) and "execID" not in said.labels:
            return ""
        life = self._life(container)
        execs = life.execs
        if said.verb in ("exec_create", EXEC_BEGINS):
            if all(one.key != said.identity for one in execs):
                execs.append(_Exec(said.identity, said.detail, said.verb == EXEC_BEGINS))
                del execs[:-_MAX_OPEN]
            return said.identity
        found = next(_candidates(execs, said), None)
        if found is None:
            key, at = life.ended
            return key if said.podmans and abs(said.at - at) < AT_ONCE else said.identity
        found.started = True
        if said.verb == "exec_die":
            execs.remove(found)
            life.ended = found.key, said.at
        return found.key

    # --- after it is understood --------------------------------------------------------------------------------------

    def follow(self, event: Event, said: Said) -> Event:
        """The event as what it is after all that was told before: without a state when it changes none."""
        if event.state is None or event.resource_uri is None:
            return event
        if event.type == "action" and not said.verb.startswith("exec_"):
            return event  # all in one message
        life = self._life(event.resource_uri, event.type)
        at = self._in_order(life, event, said)
        if at != event.occurred_at:
            event = event._replace(occurred_at=at)
        if at < life.told_at:
            return event  # it comes late and stands, by its time, before what is known
        state = after(event.type, life.known_at(at), said.verb, event.state)
        if state is None:
            return event._replace(state=None)
        life.told, life.told_at, life.heard_at = state, at, max(life.heard_at, event.received_at)
        if said.verb == "create" and event.type == "container":
            life.born_at = at
        return event

    def _in_order(self, life: _Life, event: Event, said: Said) -> Micros:
        """When it happened, not before what the engine told of the object earlier: its clock may have been set back.

        What is read from a file may be in any order; but nothing happens to a container before it is created. Messages
        of a swarm are dated by the change, and may come late; a removal is dated by who tells of it.
        """
        at = event.occurred_at
        live = event.session is not None and (said.scope != "swarm" or said.verb == "remove")
        return max(at, life.told_at) if live or at < life.born_at else at

    def observe(self, observation: Observation) -> Observation:
        """The observation, without a state when it was asked for before the end was heard that it contradicts."""
        self._learn(observation)
        if observation.state is None:
            return observation
        life, at = self._life(observation.uri), observation.observed_at
        if is_over(life.told) and not is_over(observation.state) and life.told_at <= at <= life.heard_at:
            return observation._replace(state=None)
        if at >= life.asked_at:
            life.asked, life.asked_at = observation.state, at
        return observation

    def _learn(self, observation: Observation) -> None:
        """What an answer says of words to come: a container's labels, an image's tags."""
        image = observation.uri.startswith("/docker/v1/image/")
        if observation.extra is None or not (image or '"labelled":' in observation.extra):
            return
        extra = parse(observation.extra)
        if not image:
            found = extra.get("labelled")
            words = found if type(found) is list else []
            self._life(observation.uri).labels = ENGINE_WORDS.intersection(word for word in words if type(word) is str)
            return
        digest = text(extra, "id")
        self.knows_images = self.knows_images or bool(digest)
        for tag in extra.get("tags") or () if type(extra.get("tags")) is list else ():
            if type(tag) is str and digest:
                _remember(self._tags, tag, digest, self._limits.tags)

    # --- the memory itself -------------------------------------------------------------------------------------------

    def _life(self, me: str, kind: str = "") -> _Life:
        """What is remembered of an object, as the one heard of last."""
        is_exec, limits = kind == "action", self._limits
        lives, limit = (self._execs, limits.execs) if is_exec else (self._objects, limits.objects)
        life = lives.pop(me, None) or _Life()
        return _remember(lives, me, life, limit)


def _candidates(execs: list[_Exec], said: Said) -> Iterator[_Exec]:
    """The execs a message may be about, the most likely first: of the same command, or the first to have started."""
    if said.detail:
        yield from (one for one in execs if one.command == said.detail and not one.started)
        yield from (one for one in execs if one.command == said.detail)
        return
    yield from (one for one in execs if one.started)
    yield from execs


def _remember(memory: dict[str, V], key: str, value: V, limit: int) -> V:
    memory[key] = value
    if len(memory) > limit:
        del memory[next(iter(memory))]
    return value

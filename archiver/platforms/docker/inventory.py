"""What is known of one engine that no single message carries: what is there, in which stack, what is a probe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archiver.model import Micros
from archiver.platforms.docker import inspect
from archiver.platforms.docker.facts import HEALTHCHECK, REMOVED, Engine, Named, scoped, service_of, stack_of, text
from archiver.platforms.docker.facts import uri as docker_uri
from archiver.platforms.docker.inbox import Question
from archiver.platforms.docker.inspect import Finding
from archiver.platforms.docker.listing import as_inspected, summary
from archiver.platforms.docker.messages import is_id
from archiver.platforms.docker.probes import Probes
from archiver.platforms.docker.questions import ASKED_ON, CONTAINERS, LISTS, LISTS_OF_MANAGER, about

_CHANGES = frozenset(
    {"create", "start", "restart", "pause", "unpause", "die", "oom", "rename", "update", "health_status"}
)
"""What a container may be told of that makes an older answer about it wrong."""
_GOING = frozenset({"destroy", "remove", "delete"})
_NAMES_REPEAT = ("volume", "image")
_MAX_ENDED = 4096
_MAX_NAMED = 10_000
_MAX_THERE = 100_000
"""Containers that are known by messages alone."""


@dataclass(slots=True)
class _Seen:
    """An object that is there."""

    at: Micros
    """When it was last heard of, by our clock."""
    of_swarm: bool = False
    summary: tuple[str, ...] | None = None
    """What the list said of it when it was last asked about."""
    told: int | None = None
    """A mark of what was last observed of it."""
    action: str = ""
    """What a message last told of it."""
    name: str | None = None
    """What it was last called by."""
    listed: tuple[Micros, Finding] | None = None
    """What the list said, and when it was asked for, until it is known better."""


class Inventory:
    """Knowledge about one engine; outlives a connection. It asks nothing itself and knows no thread."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.manager: bool | None = None
        self._there: dict[str, dict[str, _Seen]] = {}
        self._hosts: dict[str, _Seen] = {}
        self._ended: dict[str, Micros] = {}
        self._missing: dict[str, Micros] = {}
        self._stacks: dict[str, str] = {}
        self._named: dict[str, None] = {}
        self._probes = Probes()
        self._unmasked: list[str] = []
        self._lists_images = False

    # --- what to ask -------------------------------------------------------------------------------------------------

    def lists(self) -> tuple[Question, ...]:
        """What to ask in order to know everything that is there; only a manager knows of its swarm."""
        return (*(LISTS_OF_MANAGER if self.manager is not False else ()), *LISTS, CONTAINERS)

    def about(self, message: Mapping[str, Any], at: Micros) -> tuple[Question | None, list[Finding]]:
        """Takes in a message; what it makes worth asking, and the new names that it tells."""
        kind, verb = text(message, "Type"), text(message, "Action").partition(": ")[0]
        actor = message.get("Actor")
        key = text(actor, "ID") if type(actor) is dict else ""
        attributes = actor.get("Attributes") if type(actor) is dict else None
        named: list[Finding] = []
        if type(attributes) is dict and kind == "container":
            groups = (stack_of(attributes, self.engine), service_of(attributes, self.engine))
            named = list(self._name(filter(None, groups)))
        if not key:
            return None, named
        uri = self._uri(kind, key)
        if verb in _GOING:
            self._forget(kind, key, uri, at)
            return None, named
        if kind != "container":
            self._ended.pop(uri, None)  # a name may come again
        elif verb in _CHANGES and uri not in self._ended:
            there = self._there.setdefault(kind, {})
            if len(there) < _MAX_THERE:  # the lists tell of the rest
                there.setdefault(uri, _Seen(at))
        if (seen := self._there.get(kind, {}).get(uri)) is not None:
            self._heard(seen, kind, text(message, "Action"), at)
            if kind == "image" and verb != "untag" and (name := text(attributes, "name")):
                seen.name = name
        is_news = verb in ASKED_ON.get(kind, ()) or (kind == "container" and self._probes.is_unknown(key, message))
        is_news = is_news and not (kind == "image" and (key.startswith("sha256:") or is_id(key)))  # Podman tells which
        return (about(kind, key) if is_news else None), named

    def _heard(self, seen: _Seen, kind: str, action: str, at: Micros) -> None:
        """What was known of an object may be true no more; of a probe that says the same again it is."""
        if kind == "container" and action.partition(":")[0] not in _CHANGES:
            return
        seen.at = at
        if action != seen.action:
            seen.action, seen.told, seen.summary = action, None, None

    def unknown_exec(self, message: Mapping[str, Any]) -> Question | None:
        """What must be asked to tell whether a message is about a probe or about what a person does."""
        actor = message.get("Actor")
        key = text(actor, "ID") if type(actor) is dict and text(message, "Type") == "container" else ""
        return about("container", key) if key and self._probes.is_unknown(key, message) else None

    @staticmethod
    def ended_by(message: Mapping[str, Any]) -> Question | None:
        """What need not be asked any more after a message that tells of an end."""
        actor = message.get("Actor")
        key = text(actor, "ID") if type(actor) is dict else ""
        gone = key and text(message, "Action").partition(": ")[0] in _GOING
        return about(text(message, "Type"), key) if gone else None

    # --- what was answered -------------------------------------------------------------------------------------------

    def introduce(self, engine: Engine, info: Mapping[str, Any]) -> list[Finding]:
        """Takes in who the engine is."""
        if engine.id != self.engine.id:
            for kind in _NAMES_REPEAT:  # they have other URIs from now on; that is no end
                self._there.pop(kind, None)
        self.engine, self.manager = engine, inspect.is_manager(info)
        hosts = inspect.host(info, engine)
        return [host for host in hosts if self._is_news(self._hosts.setdefault(host.uri, _Seen(0)), host)]

    def listed(self, kind: str, found: Any, asked: Micros) -> tuple[list[Finding], list[Question]]:
        """Takes in a list: what it tells that is new, and about which containers to ask."""
        items = (found.get("Volumes") or []) if type(found) is dict else found
        if type(items) is not list:
            return [], []
        self._lists_images = self._lists_images or kind == "image"
        findings: list[Finding] = []
        questions: list[Question] = []
        present: set[str] = set()
        for item in items:
            if type(item) is not dict:
                continue
            finding = inspect.READERS[kind](as_inspected(item) if kind == "container" else item, self.engine)
            present.add(finding.uri)
            if self._ended.get(finding.uri, 0) >= asked:
                continue
            self._missing.pop(finding.uri, None)
            if kind == "container":
                questions += self._to_inspect(finding, item, asked)
            else:
                findings += self._found(kind, item, self._as_named(kind, finding), asked)
        for uri, seen in self._there.get(kind, {}).items():
            elsewhere = kind == "network" and seen.of_swarm and not self.manager  # it lists only those that it uses
            if uri not in present and seen.at < asked and not elsewhere:
                self._missing.setdefault(uri, asked)
        return findings, questions

    def _as_named(self, kind: str, finding: Finding) -> Finding:
        """An image with several tags goes on by the one that it was last called by."""
        seen = self._there.get(kind, {}).get(finding.uri)
        named = kind == "image" and seen is not None and seen.name in finding.extra.get("tags", ())
        return finding._replace(name=seen.name) if named and seen is not None else finding

    def _to_inspect(self, finding: Finding, item: Mapping[str, Any], asked: Micros) -> Iterator[Question]:
        there = self._there.setdefault("container", {})
        seen = there.get(finding.uri)
        if seen is not None and (seen.summary == summary(item) or seen.at >= asked):
            return
        if seen is None:
            seen = there[finding.uri] = _Seen(asked)
        seen.summary, seen.listed = summary(item), (asked, finding)
        yield about("container", text(item, "Id"))

    def inspected(self, question: Question, found: Any, asked: Micros) -> list[Finding]:
        """Takes in what was answered about one object."""
        if type(found) is not dict:
            return []
        finding = inspect.READERS[question.kind](found, self.engine)
        if self._ended.get(finding.uri, 0) >= asked:
            return []
        if self.outdated(question, asked):
            finding = finding._replace(state=None)
        if question.kind == "image" and question.key in finding.extra.get("tags", ()):
            finding = finding._replace(name=question.key)  # of several tags the one that somebody has just named
        return list(self._found(question.kind, found, finding, asked))

    def unmasked(self) -> list[Finding]:
        """Execs that were told of before anybody knew whose they are, and have turned out to be probes since."""
        found, self._unmasked = self._unmasked, []
        return [Finding(docker_uri("action", execution), None, HEALTHCHECK, (), {}) for execution in found]

    def not_asked(self, question: Question) -> None:
        """Has the next list ask about an object, since nobody does now."""
        seen = self._there.get(question.kind, {}).get(self._uri(question.kind, question.key))
        if seen is not None:
            seen.summary = None

    def has_ended(self, question: Question) -> bool:
        """Whether a message told of the end of an object."""
        return self._uri(question.kind, question.key) in self._ended

    def outdated(self, question: Question, asked: Micros) -> bool:
        """Whether a message has come about an object since it was asked about: its state may be another by now."""
        seen = self._there.get(question.kind, {}).get(self._uri(question.kind, question.key))
        return seen is not None and seen.at >= asked

    def unanswered(self, question: Question) -> list[tuple[Micros, Finding]]:
        """What is known all the same, and since when, of an object that could not be asked about."""
        seen = self._there.get(question.kind, {}).get(self._uri(question.kind, question.key))
        if seen is None or seen.listed is None:
            return []
        asked, listed = seen.listed
        if seen.at > asked:
            return []
        return [(asked, finding) for finding in (*self._name(listed.groups), *self._tell(seen, listed))]

    def vanished(self, before: Micros) -> list[tuple[Micros, Finding]]:
        """What was there, is missing from a list asked for before an instant, and no message told of its end."""
        gone = sorted((asked, uri) for uri, asked in self._missing.items() if asked < before)
        for _, uri in gone:
            del self._missing[uri]
            for there in self._there.values():
                there.pop(uri, None)
        return [(asked, Finding(uri, REMOVED, None, (), {})) for asked, uri in gone]

    def remembered(self) -> tuple[dict[str, list[str]], dict[str, str]]:
        """What the next run should know: the URIs of all that is there, by type, and which execs are probes."""
        return {kind: sorted(there) for kind, there in self._there.items() if there}, self._probes.by_container

    def recall(self, engine: Engine, there: Mapping[str, Iterable[str]], probes: Mapping[str, str]) -> None:
        """Takes in what an earlier run knew."""
        self.engine = engine
        for kind, uris in there.items():
            # Whether a network is the swarm's is not noted; one that is not there may just be out of use.
            self._there[kind] = {uri: _Seen(0, of_swarm=kind == "network") for uri in uris}
        self._probes.by_container.update(probes)

    def observe_again(self) -> None:
        """Observes everything anew when it is next asked about: nobody knows what happened meanwhile."""
        for there in (self._hosts, *self._there.values()):
            for seen in there.values():
                seen.told = seen.summary = None

    def _found(self, kind: str, found: Mapping[str, Any], finding: Finding, asked: Micros) -> Iterator[Finding]:
        yield from self._name(finding.groups)
        seen = self._there.setdefault(kind, {}).setdefault(finding.uri, _Seen(asked))
        seen.listed = None
        seen.of_swarm = text(found, "Scope") == "swarm"
        seen.name = finding.name
        if finding.stack and kind != "container":
            self._stacks[finding.uri] = finding.stack
        if kind == "container":
            self._unmasked += self._probes.learn(found)
        if kind == "service":
            self._note_named(finding.uri)
        yield from self._tell(seen, finding)

    def _tell(self, seen: _Seen, finding: Finding) -> Iterator[Finding]:
        """An observation, unless it says what the last one said and no message has come since."""
        if self._is_news(seen, finding):
            yield finding

    def _is_news(self, seen: _Seen, finding: Finding) -> bool:
        mark, before = hash(repr(finding.unmeasured().payload())), seen.told
        seen.told = mark
        return mark != before

    def _name(self, groups: Iterable[Named]) -> Iterator[Finding]:
        """Stacks and services that containers speak of: nothing else tells their names."""
        for group in groups:
            if group.uri not in self._named:
                self._note_named(group.uri)
                yield Finding(group.uri, None, group.name, group.parents, {})

    def _note_named(self, uri: str) -> None:
        self._named[uri] = None
        if len(self._named) > _MAX_NAMED:
            del self._named[next(iter(self._named))]

    def _forget(self, kind: str, key: str, uri: str, at: Micros) -> None:
        self._there.get(kind, {}).pop(uri, None)
        self._missing.pop(uri, None)
        self._probes.forget(key)
        self._ended[uri] = at
        if len(self._ended) > _MAX_ENDED:
            del self._ended[next(iter(self._ended))]

    def _uri(self, kind: str, key: str) -> str:
        return docker_uri(kind, scoped(self.engine.id, key) if kind in _NAMES_REPEAT else key)

    # --- telling -----------------------------------------------------------------------------------------------------

    def envelope(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """What the decoder cannot know from the message alone."""
        # All managers of a swarm tell of it; so that they say the same, nothing of one engine is added.
        here = Engine(swarm=self.engine.swarm) if text(message, "scope") == "swarm" else self.engine
        facts: dict[str, Any] = dict(zip(("engine", "node", "swarm"), here, strict=True))
        kind, actor = text(message, "Type"), message.get("Actor")
        key = text(actor, "ID") if type(actor) is dict else ""
        if kind == "container":
            facts["probe"] = self._probes.tell(key, message)
        else:
            uri = docker_uri(kind, scoped(self.engine.id, key) if kind == "volume" else key)
            going = text(message, "Action") in _GOING
            facts["stack"] = self._stacks.pop(uri, "") if going else self._stacks.get(uri, "")
            facts["images"] = kind == "image" and self._lists_images
        return {name: fact for name, fact in facts.items() if fact}

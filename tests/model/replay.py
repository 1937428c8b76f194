"""Replays a history: what is archived of it, event by event, and what the semantics make of that."""

from __future__ import annotations

import json
from functools import cached_property
from typing import NamedTuple

from archiver.model import (
    Alive,
    Closed,
    Condition,
    Event,
    Micros,
    Observation,
    Opened,
    Record,
    Reject,
    ResourceRef,
)

from .histories import IMPORT_TO, Batch, History, parts
from .platforms import of_stream, of_uri, placed
from .semantics import (
    EVENT,
    OBSERVATION,
    Fact,
    Places,
    Ran,
    Told,
    Word,
    all_facts,
    ordered,
    resources,
    rule_7_ran,
    rule_10_mark,
    rule_11_tags,
)

_ANEW = {"received", "told", "engine"}
"""Where a time is from that is found anew whenever the event is told or heard."""


class Watch:
    """A session, as it is known in the end."""

    def __init__(self, opened: Opened, receiver: str | None, number: int) -> None:
        self.number, self.stream, self.receiver, self.key = number, opened.stream, receiver, opened.session
        self.covered_from, self.last_seen = opened.covered_from, opened.at
        self.closed_at: Micros | None = None
        self.reason: str | None = None
        self.kind: str | None = None

    @property
    def end(self) -> Micros:
        """The last instant known to be watched; nobody of these is alive today."""
        return self.last_seen if self.closed_at is None else self.closed_at


class Telling(NamedTuple):
    """Who else told of an event."""

    event: int
    session: str
    received_at: Micros


class Archived:
    """What is there after a history."""

    def __init__(self, history: History) -> None:
        self.events: dict[int, Event] = {}
        self.observations: dict[int, Observation] = {}
        self.rejects: list[Reject] = []
        self.conflicts: list[Event] = []
        self.duplicates = 0
        self.tellings: dict[tuple[int, str], Telling] = {}
        self.sessions: dict[str, Watch] = {}
        self.conditions: dict[tuple[str, str], Condition | Opened] = {}
        for batch in history:
            self._archive(batch)

    def _archive(self, batch: Batch) -> None:
        records = [part for record in batch.records for part in parts(record)]
        for record in records:
            if isinstance(record, Opened):
                self._open(record, batch.receiver)
        for record in records:
            self._keep(self._placed(record, batch.receiver))
        for record in records:
            if isinstance(record, Opened) and batch.receiver is not None:
                self._end_others(record, batch.receiver)

    def _placed(self, record: Record, receiver: str | None) -> Record:
        """A word with its platform: that of its session's stream, or what whoever imports it says."""
        if not isinstance(record, Event | Observation):
            return record
        uri = record.resource_uri if isinstance(record, Event) else record.uri
        if receiver is not None and receiver.startswith(IMPORT_TO):
            return record._replace(platform=int(receiver.removeprefix(IMPORT_TO)))
        session = self.sessions.get(record.session or "")
        return record._replace(platform=of_uri(uri) if session is None else of_stream(session.stream))

    def _open(self, opened: Opened, receiver: str | None) -> None:
        self.sessions.setdefault(opened.session, Watch(opened, receiver, len(self.sessions) + 1))

    def _keep(self, record: Record) -> None:
        if isinstance(record, Event):
            self._hear(record)
            self._see(record.session, record.received_at)
        elif isinstance(record, Observation):
            self.observations[len(self.observations) + 1] = record
        elif isinstance(record, Reject):
            self.rejects.append(record)
            self._see(record.session, record.received_at)
        elif isinstance(record, Alive):
            self._see(record.session, record.at)
        elif isinstance(record, Closed) and record.session in self.sessions:
            session = self.sessions[record.session]
            session.closed_at, session.reason, session.kind = record.at, record.reason, record.kind
        elif isinstance(record, Condition):
            self.conditions[record.stream, record.of] = record

    def _see(self, key: str | None, at: Micros) -> None:
        session = self.sessions.get(key or "")
        if session is not None:
            session.last_seen = max(session.last_seen, at)

    def _end_others(self, opened: Opened, receiver: str) -> None:
        """A receiver that opens a session anew never ended the ones before."""
        own = self.sessions[opened.session]
        for other in self.sessions.values():
            same = (other.stream, other.receiver) == (own.stream, receiver)
            if same and other.number < own.number and other.closed_at is None:
                other.closed_at, other.reason = other.last_seen, None

    def _hear(self, event: Event) -> None:
        """An event is new unless its uuid is known; else a reject if said otherwise, or a telling, or its session."""
        known = [number for number, other in self.events.items() if is_same(event, other)]
        if not known:
            self.events[len(self.events) + 1] = event
            return
        number = next((number for number in known if says_nothing_else(event, self.events[number])), None)
        if number is None:
            self.conflicts.append(event)
            return
        self.duplicates += 1
        session, known_of = self._known_session(event.session), self._known_session(self.events[number].session)
        if session is not None and known_of is None and event.received_at == self.events[number].received_at:
            # The very receipt, of which no session was known: what an export has that came after a part of it.
            self.events[number] = self.events[number]._replace(session=session)
            self.tellings.pop((number, session), None)
        elif session is not None and session != known_of:
            self.tellings.setdefault((number, session), Telling(number, session, event.received_at))

    def _known_session(self, key: str | None) -> str | None:
        return key if key in self.sessions else None

    # --- what the semantics make of it ---

    @cached_property
    def told(self) -> Told:
        """Every word, in the order of words."""
        return ordered([*map(event_word, self.events.items()), *map(observation_word, self.observations.items())])

    @cached_property
    def facts(self) -> set[Fact]:
        """Everything that was true of everything."""
        return all_facts(self.told)

    @cached_property
    def places(self) -> Places:
        """Who was under whom when."""
        return Places(self.facts)

    @cached_property
    def ran(self) -> list[Ran]:
        """All actions."""
        found = [rule_7_ran(self.told, ref) for ref in resources(self.told)]
        return [ran for ran in found if ran is not None]

    @cached_property
    def resources(self) -> set[ResourceRef]:
        """Whatever was told about or named."""
        return resources(self.told)


def event_word(numbered: tuple[int, Event]) -> Word:
    """What an event says of its resource."""
    number, event = numbered
    about = placed(event.resource_uri, event.platform) if event.resource_uri is not None else None
    parents = tuple([placed(parent, event.platform) for parent in event.parents])
    tags = rule_11_tags(about, json.loads(event.extra or "{}"))
    told = (event.state, event.name, parents, event.image, event.slot, tags)
    return Word(event.occurred_at, EVENT, number, about, *told)


def observation_word(numbered: tuple[int, Observation]) -> Word:
    """What an answer says of its resource."""
    number, seen = numbered
    parents = tuple([placed(parent, seen.platform) for parent in seen.parents])
    about = placed(seen.uri, seen.platform)
    more = json.loads(seen.extra or "{}")
    mark, tags = rule_10_mark(about.type, seen.state, more), rule_11_tags(about, more)
    told = (seen.state, seen.name, parents, seen.image, seen.slot, tags, mark)
    return Word(seen.observed_at, OBSERVATION, number, about, *told)


def is_same(event: Event, other: Event) -> bool:
    """Whether a uuid says that two tellings are of one event: with the time, where the event has a time of its own."""
    if event.uuid is None or (event.uuid, event.platform) != (other.uuid, other.platform):
        return False
    anew = {event.time_source, other.time_source} <= _ANEW
    return anew or event.occurred_at == other.occurred_at


def says_nothing_else(event: Event, known: Event) -> bool:
    """Whether it says what the known one says, or as much of it as a listing shows."""
    return _value(event) == _value(known) or (event.extra is None and _listed(event) == _listed(known))


def _value(event: Event) -> tuple[object, ...]:
    """What the platform said; of an engine its message, whatever stands beside it."""
    if event.time_source in ("told", "engine"):
        return "of an engine", event.extra
    return (*_listed(event), event.time_source, event.extra)


def _listed(event: Event) -> tuple[object, ...]:
    at = None if event.time_source in _ANEW else event.occurred_at
    return event.type, event.action, event.state, event.resource_uri, event.parents, at

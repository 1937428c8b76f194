"""Turns decoded records into rows, within the recorder's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, repeat

from sqlalchemy import Connection

from archiver.model import Alive, Closed, Event, Observation, Opened, Reject, iso, to_datetime
from archiver.storage import schema
from archiver.storage.bulk import Row, insert_rows
from archiver.storage.duplicates import drop_duplicates, has_repeated_uuid
from archiver.storage.lookups import Link, LinkKey, Lookups, next_id
from archiver.storage.sessions import Sessions

Record = Event | Reject | Observation | Opened | Alive | Closed
"""What the recorder takes: what a source said, decoded."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: numbers of rows, and of events recognised as already archived."""

    events: int = 0
    rejects: int = 0
    duplicates: int = 0


class Writer:
    """Writes batches through one connection; its caches are good as long as everything commits."""

    def __init__(self) -> None:
        self._lookups = Lookups()
        self._sessions = Sessions()

    def forget(self) -> None:
        """Empties the caches, after a rollback."""
        self._lookups.forget()
        self._sessions.forget()

    def write(
        self, connection: Connection, records: Sequence[Record], receiver_id: int | None, *, check_uuids: bool
    ) -> Recorded:
        """Writes everything a batch tells. Raises IntegrityError for a known uuid unless `check_uuids`."""
        events = [item for item in records if type(item) is Event]
        rejects = [item for item in records if type(item) is Reject]
        observations = [item for item in records if type(item) is Observation]
        duplicates = 0
        if check_uuids or has_repeated_uuid(events):
            events, conflicts, duplicates = drop_duplicates(connection, events)
            rejects += conflicts
        self._sessions.open(connection, [item for item in records if type(item) is Opened], receiver_id)
        keys = {event.session for event in events}
        keys |= {reject.session for reject in rejects} | {answer.session for answer in observations}
        self._sessions.learn(connection, keys)
        self._write_events(connection, events)
        self._write_observations(connection, observations)
        self._write_rejects(connection, rejects)
        self._sessions.touch(connection, records, events)
        return Recorded(len(events), len(rejects), duplicates)

    def _write_events(self, connection: Connection, events: list[Event]) -> None:
        if not events:
            return
        lookups = self._lookups
        first = next_id(connection, schema.events)
        keys = [(event.type, event.resource_uri, event.parents, event.name) for event in events]
        links = self._links(connection, keys, first)
        lookups.types.learn(connection, {event.type for event in events})
        lookups.actions.learn(connection, {event.action for event in events})
        lookups.states.learn(connection, {event.state for event in events})
        types, actions, states = lookups.types.ids, lookups.actions.ids, lookups.states.ids
        sessions = self._sessions.ids
        rows: list[Row] = []
        parents: list[Row] = []
        for number, event, link in zip(count(first), events, links, strict=False):
            kind, action, state, _, _, occurred_at, time_source, received_at, uuid, extra, session, _ = event
            received = iso(received_at)
            occurred = received if occurred_at == received_at else iso(occurred_at)
            rows.append(
                (
                    number,
                    sessions[session],
                    link.resource_id,
                    types[kind],
                    actions[action],
                    states[state],
                    occurred,
                    time_source,
                    received,
                    uuid,
                    extra,
                )
            )
            if link.parent_ids:
                parents.extend(zip(repeat(number), count(), link.parent_ids, strict=False))
        insert_rows(connection, schema.events, rows)
        insert_rows(connection, schema.event_parents, parents)

    def _links(
        self, connection: Connection, keys: Sequence[LinkKey], first: int | None
    ) -> list[Link]:
        """The row numbers behind every event's resource and parents; `first` is the first event's number."""
        numbers = repeat(None) if first is None else count(first)
        missing = self._lookups.missing_links(keys, numbers)
        if missing:
            self._lookups.learn_links(connection, missing)
        links = self._lookups.links
        return [links[key] for key in keys]

    def _write_observations(self, connection: Connection, observations: list[Observation]) -> None:
        if not observations:
            return
        keys = [("resource", item.uri, item.parents, item.name) for item in observations]
        links = self._links(connection, keys, None)
        self._lookups.states.learn(connection, {item.state for item in observations})
        states, sessions = self._lookups.states.ids, self._sessions.ids
        first = next_id(connection, schema.observations)
        rows: list[Row] = [
            (number, sessions[item.session], link.resource_id, states[item.state], iso(item.observed_at), item.extra)
            for number, item, link in zip(count(first), observations, links, strict=False)
        ]
        insert_rows(connection, schema.observations, rows)

    def _write_rejects(self, connection: Connection, rejects: list[Reject]) -> None:
        if not rejects:
            return
        first = next_id(connection, schema.rejects)
        rows = [
            {
                "id": number,
                "session_id": self._sessions.ids[item.session],
                "received_at": to_datetime(item.received_at),
                "reason": item.reason,
                "payload": item.payload,
            }
            for number, item in enumerate(rejects, first)
        ]
        connection.execute(schema.rejects.insert(), rows)

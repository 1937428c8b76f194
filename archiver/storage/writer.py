"""Turns decoded records into rows, within the recorder's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count, repeat

from sqlalchemy import Connection

from archiver.codec.text import MAX_PARENTS, dump, parse
from archiver.model import Alive, Batch, Closed, Condition, EventColumns, Observation, Opened, Reject, iso, to_datetime
from archiver.storage import schema
from archiver.storage.bulk import Row, insert_rows
from archiver.storage.duplicates import drop_duplicates, has_repeated_uuid
from archiver.storage.inventory import Inventory
from archiver.storage.limits import CacheLimits
from archiver.storage.lookups import Link, LinkKey, Lookups, next_id
from archiver.storage.sessions import Sessions
from archiver.storage.streams import note_conditions

_PLACES = range(MAX_PARENTS)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: numbers of rows, and of events recognised as already archived."""

    events: int = 0
    rejects: int = 0
    duplicates: int = 0


class Writer:
    """Writes batches through one connection; its caches are good as long as everything commits."""

    def __init__(self, limits: CacheLimits) -> None:
        self._lookups = Lookups(limits)
        self._sessions = Sessions()

    def forget(self) -> None:
        """Empties the caches, after a rollback."""
        self._lookups.forget()
        self._sessions.forget()

    def forget_changing(self) -> None:
        """Empties the caches of what another writer may have changed."""
        self._lookups.forget_changing()

    def write(
        self,
        connection: Connection,
        batch: Batch,
        receiver_id: int | None,
        *,
        check_uuids: bool,
        inventory: Inventory | None = None,
    ) -> Recorded:
        """Writes everything a batch tells, but what an `inventory` says is held already.

        Raises IntegrityError for a known uuid unless `check_uuids`.
        """
        columns, opened = batch.events, batch.of_kind(Opened)
        rejects, observations = batch.of_kind(Reject), batch.of_kind(Observation)
        duplicates = 0
        if check_uuids or has_repeated_uuid(columns):
            events, conflicts, duplicates = drop_duplicates(connection, columns.events())
            columns, rejects = EventColumns.of(events), [*rejects, *conflicts]
        if inventory is not None:
            sifted = inventory.sift(connection, self._lookups.known, columns, observations, rejects)
            columns, observations, rejects, held = sifted
            duplicates += held
        self._sessions.open(connection, opened, receiver_id)
        conditions = batch.of_kind(Condition)
        if conditions or opened:
            note_conditions(connection, conditions, opened)
        if columns.type:
            self._write_events(connection, columns)
        self._write_observations(connection, observations)
        self._write_rejects(connection, rejects)
        seen = [(item.session, item.received_at) for item in rejects]
        seen += [(item.session, item.at) for item in batch.of_kind(Alive)]
        self._sessions.touch(connection, columns, seen, batch.of_kind(Closed))
        if receiver_id is not None:
            self._sessions.close_left_open(connection, opened, receiver_id)
        return Recorded(len(columns.type), len(rejects), duplicates)

    def holds(self, connection: Connection, batch: Batch) -> bool:
        """Whether the archive has all that a batch tells; what is there twice in it need be there once."""
        sifted = drop_duplicates(connection, batch.events.events())
        rest = Inventory().sift(
            connection,
            self._lookups.known,
            EventColumns.of(sifted.events),
            batch.of_kind(Observation),
            [*batch.of_kind(Reject), *sifted.rejects],
        )
        return not (rest.events.type or rest.observations or rest.rejects)

    def _write_events(self, connection: Connection, events: EventColumns) -> None:
        first = next_id(connection, schema.events)
        keys = list(zip(events.type, events.resource_uri, events.parents, events.name, strict=True))
        links = self._links(connection, keys, first)
        resource_ids, parent_ids, spellings = zip(*links, strict=True)
        extras = list(map(_with_spelling, events.extra, spellings)) if any(spellings) else events.extra
        if any(events.name):
            self._lookups.learn_names(connection, zip(resource_ids, events.name, strict=True))
        numbers = range(first, first + len(keys))
        rows = zip(
            numbers,
            self._sessions.numbers(connection, events.session),
            resource_ids,
            self._lookups.types.numbers(connection, events.type),
            self._lookups.actions.numbers(connection, events.action),
            self._lookups.states.numbers(connection, events.state),
            map(iso, events.occurred_at),
            events.time_source,
            map(iso, events.received_at),
            events.uuid,
            extras,
            strict=True,
        )
        insert_rows(connection, schema.events, list(rows))
        above = map(zip, map(repeat, numbers), repeat(_PLACES), parent_ids)
        insert_rows(connection, schema.event_parents, list(chain.from_iterable(above)))

    def _links(self, connection: Connection, keys: Sequence[LinkKey], first: int | None) -> list[Link]:
        """The row numbers behind every event's resource and parents; `first` is the first event's number."""
        links = list(map(self._lookups.links.get, keys))
        if None in links:
            missing = self._lookups.missing_links(keys, repeat(None) if first is None else count(first))
            if missing:
                self._lookups.learn_links(connection, missing)
            links = list(map(self._lookups.links.get, keys))
        return links  # type: ignore[return-value]

    def _write_observations(self, connection: Connection, observations: Sequence[Observation]) -> None:
        if not observations:
            return
        keys = [("resource", item.uri, item.parents, item.name) for item in observations]
        links = self._links(connection, keys, None)
        named = zip([link.resource_id for link in links], [item.name for item in observations], strict=True)
        self._lookups.learn_names(connection, named)
        numbers = count(next_id(connection, schema.observations))
        rows: list[Row] = list(
            zip(
                numbers,
                self._sessions.numbers(connection, [item.session for item in observations]),
                [link.resource_id for link in links],
                self._lookups.states.numbers(connection, [item.state for item in observations]),
                [iso(item.observed_at) for item in observations],
                [item.extra for item in observations],
                strict=False,
            )
        )
        insert_rows(connection, schema.observations, rows)

    def _write_rejects(self, connection: Connection, rejects: Sequence[Reject]) -> None:
        if not rejects:
            return
        first = next_id(connection, schema.rejects)
        sessions = self._sessions.numbers(connection, [item.session for item in rejects])
        rows = [
            {
                "id": number,
                "session_id": session,
                "received_at": to_datetime(item.received_at),
                "reason": item.reason,
                "payload": item.payload,
            }
            for number, session, item in zip(count(first), sessions, rejects, strict=False)
        ]
        connection.execute(schema.rejects.insert(), rows)


def _with_spelling(extra: str | None, spelling: str | None) -> str | None:
    """What the columns do not hold, with the URIs as this event spells them."""
    if extra is None or spelling is None:
        return extra or spelling
    return dump({**parse(spelling), **parse(extra)})

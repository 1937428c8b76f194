"""Turns decoded records into rows, within the recorder's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import partial
from itertools import compress, count
from typing import NamedTuple

from sqlalchemy import Connection

from archiver.codec.text import dump, parse
from archiver.model import (
    Alive,
    Answers,
    Batch,
    Closed,
    Condition,
    EventColumns,
    Observation,
    Opened,
    Platform,
    Reject,
    Telling,
    iso,
)
from archiver.platforms.facts import TAGGED, tags_of
from archiver.storage import schema
from archiver.storage.bulk import Row, insert_rows
from archiver.storage.comparing import is_action, news
from archiver.storage.duplicates import ANEW, Original, Retold, drop_duplicates, has_repeated_uuid, rejects_of
from archiver.storage.facts.heard import Texts
from archiver.storage.facts.keeping import Facts
from archiver.storage.facts.keeping import Words as Told
from archiver.storage.inventory import Inventory, Received
from archiver.storage.limits import CacheLimits
from archiver.storage.lists import Lists
from archiver.storage.lookups import LinkKey, Lookups
from archiver.storage.marks import mark_of
from archiver.storage.numbers import Numbers
from archiver.storage.placing import Placing
from archiver.storage.platforms import Platforms
from archiver.storage.sessions import Sessions
from archiver.storage.shared_texts import SharedTexts
from archiver.storage.streams import note_conditions
from archiver.storage.tellings import give_sessions, keep_tellings, received_again, write_tellings
from archiver.storage.uuids import pack_all
from archiver.storage.vanishing import vanished

_TIME_SOURCES = {source: number for number, source in enumerate(schema.TIME_SOURCES)}
_NOTHING = Told()


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: numbers of rows, and of events recognised as already archived."""

    events: int = 0
    rejects: int = 0
    duplicates: int = 0
    observed: int = 0
    """Objects of which the platform's answers said what was not known."""
    gone: int = 0
    """Objects that were found to be there no more."""
    actions: int = 0
    """Actions of which the platform's answers said what was not known."""


class Whose(NamedTuple):
    """Of which platform a batch is, where that does not follow from its sessions."""

    platform: str | None = None
    """Its key, an identity or its name."""
    among_others: str | None = None
    """The same, of what came in no session."""
    together: bool = False
    """Whether streams that are met for the first time are all of one platform (see `Platforms.of_stream`)."""


class Writer:
    """Writes batches through one connection; its caches are good as long as everything commits."""

    def __init__(self, limits: CacheLimits, numbers: Numbers) -> None:
        self._numbers = numbers
        self._lists = Lists(limits, numbers)
        self._lookups = Lookups(limits, numbers, self._lists)
        self._shared = SharedTexts(limits, numbers)
        self._facts = Facts(limits, self._lists)
        self.platforms = Platforms(numbers)
        """Of which of them each stream tells."""
        self._placing = Placing(numbers, self.platforms)
        self._sessions = Sessions(numbers, self.platforms)

    def forget(self) -> None:
        """Empties the caches, after a rollback."""
        self._numbers.forget()
        self._lists.forget()
        self._shared.forget()
        self._lookups.forget()
        self._facts.forget()
        self._placing.forget()
        self._sessions.forget()

    def forget_changing(self) -> None:
        """Empties the caches of what another writer may have changed."""
        self._facts.forget_changing()
        self._placing.forget()

    def write(
        self,
        connection: Connection,
        batch: Batch,
        receiver_id: int | None,
        *,
        check_uuids: bool,
        inventory: Inventory | None = None,
        whose: Whose = Whose(),  # noqa: B008 - immutable
        original: Original | None = None,
    ) -> Recorded:
        """Writes everything a batch tells, but what an `inventory` says is held already.

        `original` gives the message of an event, to be kept where its uuid is known with other content.
        Raises IntegrityError for a known uuid unless `check_uuids`.
        """
        opened, conditions = batch.of_kind(Opened), batch.of_kind(Condition)
        if place := _named_behind_words(batch, conditions):
            parts = [
                self.write(
                    connection,
                    part,
                    receiver_id,
                    check_uuids=check_uuids,
                    inventory=inventory,
                    whose=whose,
                    original=original,
                )
                for part in (batch[:place], batch[place:])
            ]
            return Recorded(*map(sum, zip(*map(astuple, parts), strict=True)))
        for platform in batch.of_kind(Platform):
            self.platforms.restore(connection, platform)
        self._sessions.open(connection, opened, receiver_id, together=whose.together)
        if conditions or opened:
            note_conditions(
                connection,
                self._numbers,
                self.platforms,
                conditions,
                opened,
                receiver_id,
                together=whose.together,
            )
        if any(condition.of == "identity" for condition in conditions):
            self._placing.forget()
        events, observations = self._placed(connection, batch, whose)
        rejects = batch.of_kind(Reject)
        duplicates, unowned = 0, list[Received]()
        if inventory is not None:
            found = inventory.sift(connection, self._lookups.known, events, observations, rejects)
            events, observations, rejects, duplicates, unowned = found
        again: Sequence[Retold] = ()
        if check_uuids or has_repeated_uuid(events):
            events, others, again = drop_duplicates(connection, events)
            unowned += filter(None, map(received_again, again))
            conflicts = rejects_of(others, original)
            if inventory is not None:
                conflicts = inventory.sift(connection, self._lookups.known, EventColumns.of([]), [], conflicts).rejects
            rejects = [*rejects, *conflicts]
        numbers = self._write_words(connection, events, observations)
        answered = self._write_answers(connection, batch, whose)
        self._write_rejects(connection, rejects, whose)
        heard = [events]
        if unowned:
            give_sessions(connection, self._sessions, unowned)
        if again:
            heard.append(EventColumns.of([retold.event for retold in again]))
            told = [retold for retold in again if received_again(retold) is None]
            write_tellings(connection, self._sessions, told, zip(numbers, events.session, strict=True))
        if tellings := batch.of_kind(Telling):
            keep_tellings(connection, self._sessions, tellings, partial(self.platforms.known_as, connection))
        seen = [(item.session, item.received_at) for item in rejects]
        seen += [(item.session, item.at) for item in batch.of_kind(Alive)]
        self._sessions.touch(connection, heard, seen, batch.of_kind(Closed))
        if receiver_id is not None:
            self._sessions.close_left_open(connection, opened, receiver_id)
        return Recorded(len(events.type), len(rejects), duplicates + len(again), *answered)

    def go_on(self, connection: Connection, receiver_id: int, live: Sequence[Opened], *, cut_off: bool) -> None:
        """Has the sessions that go on in an archive which does not know them; `cut_off` those that it knows."""
        if cut_off:
            self._sessions.cut_off(connection, receiver_id)
        self._sessions.open(connection, live, receiver_id)

    def placed(self, connection: Connection, events: EventColumns) -> EventColumns:
        """The events with the platform of each, by their sessions."""
        return self._placing.placed(connection, events, [])[0]

    def _placed(self, connection: Connection, batch: Batch, whose: Whose) -> tuple[EventColumns, list[Observation]]:
        """The events and observations of a batch, each with its platform."""
        stated, among_others, together = whose
        words = batch.events, batch.of_kind(Observation)
        return self._placing.placed(connection, *words, stated, among_others, together=together)

    def _write_answers(self, connection: Connection, batch: Batch, whose: Whose) -> tuple[int, int, int]:
        """Writes what the archive does not know of what a platform answered; of how many objects and actions that is.

        To be called when all else that the batch says is written: it came before, or is newer.
        """
        observed, gone, acted = set[str](), 0, set[str]()
        for record in batch.asked():
            if isinstance(record, Answers):
                found = news(connection, record._replace(observations=tuple(self._asked(connection, record, whose))))
                acted |= {item.uri for item in found if is_action(item.uri)}
                observed |= {item.uri for item in found} - acted
            else:
                nobody = Observation("/api/v1/", None, None, (), record.at, None, record.session)
                (placed,) = self._asked(connection, Answers((nobody,), record.asked, 0), whose)
                found = vanished(connection, record, placed.platform or 0, whose.platform)
                gone += len(found)
            if found:
                self._write_words(connection, EventColumns.of([]), found)
        return len(observed), gone, len(acted)

    def _asked(self, connection: Connection, answers: Answers, whose: Whose) -> list[Observation]:
        """The observations, each with its platform."""
        return self._placed(connection, Batch(answers.observations), whose)[1]

    def holds(self, connection: Connection, batch: Batch, whose: Whose) -> bool:
        """Whether the archive has all that a batch tells; what is there twice in it need be there once."""
        events, observations = self._placed(connection, batch, whose)
        sifted = drop_duplicates(connection, events)
        rest = Inventory().sift(
            connection,
            self._lookups.known,
            sifted.events,
            observations,
            [*batch.of_kind(Reject), *rejects_of(sifted.conflicts, None)],
        )
        return not (rest.events.type or rest.observations or rest.rejects)

    def _write_words(
        self, connection: Connection, events: EventColumns, observations: Sequence[Observation]
    ) -> Sequence[int]:
        """Writes what is said of resources, and what follows from it; returns the numbers of the events."""
        told = self._write_events(connection, events) if events.type else _NOTHING
        found = self._write_observations(connection, observations) if observations else _NOTHING
        if events.type or observations:
            self._facts.learn(connection, told, found, self._lookups.take_fresh())
        return told.ids

    def _write_events(self, connection: Connection, events: EventColumns) -> Told:
        said = (events.resource_uri, events.parents, events.name, events.image, events.slot)
        keys: list[LinkKey] = list(zip(*said, events.platform, strict=True))
        links = zip(*self._lookups.links(connection, keys), strict=True)
        resource_ids, list_ids, name_ids, image_ids, slot_ids, texts, spellings = links
        extras = list(map(_with_spelling, events.extra, spellings)) if any(spellings) else events.extra
        tag_ids, told = self._tags(connection, events.resource_uri, extras, texts)
        kept = self._shared.divided(connection, events.platform, extras)
        first = self._numbers.take(connection, schema.events, len(keys))
        numbers = range(first, first + len(keys))
        state_ids = self._lookups.states.numbers(connection, events.state)
        uuids = pack_all(events.uuid)
        rows = zip(
            numbers,
            events.platform,
            self._sessions.numbers(connection, events.session),
            resource_ids,
            self._lookups.types.numbers(connection, events.type),
            self._lookups.actions.numbers(connection, events.action),
            state_ids,
            list_ids,
            name_ids,
            image_ids,
            slot_ids,
            tag_ids,
            map(iso, events.occurred_at),
            map(_TIME_SOURCES.__getitem__, events.time_source),
            events.received_at,
            uuids,
            *kept,
            strict=True,
        )
        insert_rows(connection, schema.events, list(rows))
        if not ANEW.isdisjoint(events.time_source):
            anew = map(ANEW.__contains__, events.time_source)
            found = compress(zip(events.platform, uuids, numbers, strict=True), anew)
            insert_rows(connection, schema.told_anew, [row for row in found if row[1] is not None])
        return Told(events.platform, resource_ids, events.occurred_at, numbers, state_ids, list_ids, told)

    def _write_observations(self, connection: Connection, observations: Sequence[Observation]) -> Told:
        platforms = [item.platform or 0 for item in observations]
        keys: list[LinkKey] = [
            (item.uri, item.parents, item.name, item.image, item.slot, platform)
            for item, platform in zip(observations, platforms, strict=True)
        ]
        links = zip(*self._lookups.links(connection, keys), strict=True)
        resource_ids, list_ids, name_ids, image_ids, slot_ids, texts, _ = links
        extras = [item.extra for item in observations]
        tag_ids, told = self._tags(connection, [item.uri for item in observations], extras, texts)
        first = self._numbers.take(connection, schema.observations, len(keys))
        numbers = range(first, first + len(keys))
        state_ids = self._lookups.states.numbers(connection, [item.state for item in observations])
        rows: list[Row] = list(
            zip(
                numbers,
                platforms,
                self._sessions.numbers(connection, [item.session for item in observations]),
                resource_ids,
                state_ids,
                list_ids,
                name_ids,
                image_ids,
                slot_ids,
                tag_ids,
                [iso(item.observed_at) for item in observations],
                *self._shared.divided(connection, platforms, extras),
                map(mark_of, observations),
                strict=True,
            )
        )
        insert_rows(connection, schema.observations, rows)
        at = [item.observed_at for item in observations]
        return Told(platforms, resource_ids, at, numbers, state_ids, list_ids, told)

    def _tags(
        self, connection: Connection, uris: Sequence[str | None], extras: Sequence[str | None], texts: Sequence[Texts]
    ) -> tuple[Sequence[int | None], Sequence[Texts]]:
        """The numbers of the tags that words tell, in their order, and what they tell as texts, with these."""
        found = {
            place: tags
            for place, extra in enumerate(extras)
            if extra is not None and TAGGED in extra and (tags := tags_of(uris[place], extra)) is not None
        }
        numbers: list[int | None] = [None] * len(extras)
        if not found:
            return numbers, texts
        whole = list(texts)
        for place, number in zip(found, self._lookups.texts.numbers(connection, list(found.values())), strict=True):
            assert number is not None
            numbers[place] = number
            whole[place] = (*whole[place], (schema.TAGS, number))
        return numbers, whole

    def _write_rejects(self, connection: Connection, rejects: Sequence[Reject], whose: Whose) -> None:
        if not rejects:
            return
        stated = None if whose.platform is None else self.platforms.named(connection, whose.platform)
        told_of = {} if stated else self._placing.told_of(connection, {item.session for item in rejects})
        first = self._numbers.take(connection, schema.rejects, len(rejects))
        sessions = self._sessions.numbers(connection, [item.session for item in rejects])
        rows = [
            {
                "id": number,
                "platform_id": stated or told_of.get(item.session, 0),
                "session_id": session,
                "received_at": item.received_at,
                "reason": item.reason,
                "payload": item.payload,
            }
            for number, session, item in zip(count(first), sessions, rejects, strict=False)
        ]
        connection.execute(schema.rejects.insert(), rows)


def _named_behind_words(batch: Batch, conditions: Sequence[Condition]) -> int:
    """Where in a batch a stream says whose it is behind words of before: those are of whom it told until then."""
    if not any(condition.of == "identity" for condition in conditions):
        return 0
    has_words = False
    for place, record in enumerate(batch):
        if isinstance(record, Condition):
            if has_words and record.of == "identity":
                return place
        elif not isinstance(record, (Alive, Closed, Opened)):
            has_words = True
    return 0


def _with_spelling(extra: str | None, spelling: str | None) -> str | None:
    """What the columns do not hold, with the URIs as this event spells them."""
    if extra is None or spelling is None:
        return extra or spelling
    return dump({**parse(spelling), **parse(extra)})

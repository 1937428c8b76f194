"""Writes the rows of events and observations, and what follows from them for the resources that they tell of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress

from sqlalchemy import Connection

from archiver.codec.text import dump, parse
from archiver.model import EventColumns, Observation, iso
from archiver.platforms.facts import TAGGED, tags_of
from archiver.storage import schema
from archiver.storage.bulk import Row, insert_rows
from archiver.storage.duplicates import ANEW
from archiver.storage.facts.heard import Texts
from archiver.storage.facts.keeping import Facts, Told
from archiver.storage.limits import CacheLimits
from archiver.storage.lists import Lists
from archiver.storage.lookups import LinkKey, Lookups
from archiver.storage.marks import mark_of
from archiver.storage.numbers import Numbers
from archiver.storage.sessions import Sessions
from archiver.storage.shared_texts import SharedTexts
from archiver.storage.uuids import pack_all

_TIME_SOURCES = {source: number for number, source in enumerate(schema.TIME_SOURCES)}
_NOTHING = Told()


class WordRows:
    """Writes words through one connection; its caches are good as long as everything commits."""

    def __init__(self, limits: CacheLimits, numbers: Numbers, sessions: Sessions) -> None:
        self._numbers = numbers
        self._sessions = sessions
        self._lists = Lists(limits, numbers)
        self._lookups = Lookups(limits, numbers, self._lists)
        self._shared = SharedTexts(limits, numbers)
        self._facts = Facts(limits, self._lists)

    def forget(self) -> None:
        """Empties the caches, after a rollback."""
        self._lists.forget()
        self._shared.forget()
        self._lookups.forget()
        self._facts.forget()

    def forget_changing(self) -> None:
        """Empties the caches of what another writer may have changed."""
        self._facts.forget_changing()

    def known(self, connection: Connection, asked: set[tuple[int, str]]) -> Mapping[tuple[int, str], int]:
        """The numbers of those resources, by platform and URI, that the archive has; makes none."""
        return self._lookups.known(connection, asked)

    def write(self, connection: Connection, events: EventColumns, observations: Sequence[Observation]) -> Sequence[int]:
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


def _with_spelling(extra: str | None, spelling: str | None) -> str | None:
    """What the columns do not hold, with the URIs as this event spells them."""
    if extra is None or spelling is None:
        return extra or spelling
    return dump({**parse(spelling), **parse(extra)})

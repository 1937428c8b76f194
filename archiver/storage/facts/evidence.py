"""Keeps `implied`: what the lists of others prove about a resource's place, as steps over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, exists, or_, select

from archiver.model import to_datetime, to_micros
from archiver.storage import schema
from archiver.storage.bulk import Row, chunks, delete_rows, insert_rows
from archiver.storage.facts.heard import Word
from archiver.storage.facts.lives import Standing
from archiver.storage.facts.places import Reading, proves
from archiver.storage.facts.standings import Standings
from archiver.storage.facts.steps import Step, put, says, steps_of
from archiver.storage.schema import BY_EVENT, BY_OBSERVATION, OPEN

Place = tuple[int, int]
"""A resource, and a type of parent that others say something of."""

_PAGE = 200
_KEY = ("platform_id", "resource_id", "type_id", "since")


class Said(NamedTuple):
    """That a word proves something of a place; they sort by the order of words."""

    at: int
    source: int
    number: int
    value: int

    @property
    def step(self) -> Step:
        """The step that it makes, if it makes one."""
        return Step(self.at, self.value, self.number)


class Evidence:
    """What the words of one batch prove of others than their resource, and what becomes of `implied` by that."""

    def __init__(self, connection: Connection, standings: Standings) -> None:
        self._connection = connection
        self._standings = standings
        self._counts: dict[int, bool] = {}
        self._words: dict[int, tuple[Reading, list[Word]]] = {}
        self._before: dict[Place, list[Step]] = {}
        self._steps: dict[Place, list[Step]] = {}

    def take(self, standing: Standing, words: Iterable[Word], *, all_heard: bool) -> None:
        """Keeps those words of a resource that may prove something which is not known yet.

        Unless it has heard them all, it is not known whether some of the lists name the resource itself.
        """
        plain, proved = all_heard and not standing.names_itself, self._standings.proved
        for word in words:
            list_id = word[4]
            if list_id is None or (plain and list_id in proved):
                continue
            reading = self._standings.reading(standing.number, list_id)
            if reading is not self._standings.readings[list_id] or self._may_count(list_id):
                self._words.setdefault(id(reading), (reading, []))[1].append(word)

    def _may_count(self, list_id: int) -> bool:
        """Whether a list proves something of somebody who never spoke for itself."""
        found = self._counts.get(list_id)
        if found is None:
            known, proofs = self._standings.known, self._standings.readings[list_id].proofs
            found = self._counts[list_id] = any(not known[proof.low].tells_of(proof.type_id) for proof in proofs)
            if not found:
                self._standings.proved.add(list_id)
        return found

    def settle(self) -> Iterator[tuple[Standing, bool]]:
        """Works out the steps; the resources for which they change anything, and whether that needs all their words."""
        said: dict[Place, list[tuple[int, list[Word]]]] = {}
        for reading, words in self._words.values():
            for low, type_id, high in reading.proofs:
                said.setdefault((low, type_id), []).append((high, words))
        for place, told in said.items():
            standing = self._standings.known[place[0]]
            if not standing.tells_of(place[1]):
                last = standing.implied.get(place[1])
                news = _news(last, told)
                if news and (steps := self._follow(place, last, news)):
                    yield standing, not _goes_on(standing, place[1], self._before[place], steps)

    def load(self, numbers: Iterable[int]) -> dict[int, dict[int, list[Step]]]:
        """All that is said of the places of these resources, by type."""
        found: dict[int, dict[int, list[Step]]] = {number: {} for number in numbers}
        c = schema.implied.c
        for part in chunks(found):
            rows = select(c.resource_id, c.type_id, c.since, c.value, c.told_by)
            rows = rows.where(c.platform_id == self._standings.platform_id, c.resource_id.in_(part))
            for number, type_id, *step in self._connection.execute(rows.order_by(c.resource_id, c.type_id, c.since)):
                found[number].setdefault(type_id, []).append(Step(*step))
        for (number, type_id), steps in self._steps.items():
            if number in found:
                found[number][type_id] = steps
        return found

    def drop(self, place: Place) -> None:
        """What others say of a place counts no more, since the resource speaks for itself."""
        if place not in self._before:
            self._before[place] = self._read(place)
        self._steps[place] = []

    def write(self) -> None:
        """Writes what has changed."""
        platform = self._standings.platform_id
        gone: list[Row] = []
        new: list[Row] = []
        for place, steps in self._steps.items():
            before, after = set(self._before[place]), set(steps)
            gone += [(platform, *place, step.since) for step in before - after]
            new += [(platform, *place, *step) for step in after - before]
        delete_rows(self._connection, schema.implied, _KEY, gone)
        insert_rows(self._connection, schema.implied, new)

    def _follow(self, place: Place, last: Step | None, told: list[tuple[int, list[Word]]]) -> list[Step]:
        """All steps of a place, where they change by what is told; else none."""
        before = [] if last is None else self._read(place)
        said = sorted(Said(word[0], word[1], word[2], high) for high, words in told for word in words)
        steps = self._put(place, before, said) if before else steps_of(one.step for one in said)
        if steps == before:
            return []
        self._before[place], self._steps[place] = before, steps
        return steps

    def _put(self, place: Place, steps: list[Step], said: list[Said]) -> list[Step]:
        # The latest first: what counts behind each is in the steps by then, and so what of it made none before.
        for one in reversed(said):
            if not says(steps, one.at, one.value):
                upto = next((step.since for step in steps if step.since > one.at), OPEN)
                steps = put(steps, *self._from(place, one.at, upto))
        return steps

    def _read(self, place: Place) -> list[Step]:
        c = schema.implied.c
        rows = select(c.since, c.value, c.told_by).where(c.platform_id == self._standings.platform_id)
        rows = rows.where(c.resource_id == place[0], c.type_id == place[1])
        return [Step(*row) for row in self._connection.execute(rows.order_by(c.since))]

    def _from(self, place: Place, at: int, upto: int) -> tuple[list[Step], Step | None]:
        """What is said of a place at an instant, in the order of words, and what counts at the next one."""
        by_instant = groupby(self._all_said(place, at, upto), key=lambda said: said.at)
        _, now = next(by_instant)
        now_steps = [said.step for said in now]
        _, later = next(by_instant, (0, ()))
        return now_steps, steps_of(said.step for said in later)[-1] if later else None

    def _all_said(self, place: Place, since: int, upto: int) -> Iterator[Said]:
        """All that is said of a place in a time, in the order of words, out of all words of that time."""
        e, o = schema.events.c, schema.observations.c
        told = self._words_naming(place[0], BY_EVENT, e.occurred_at, e, since, upto)
        asked = self._words_naming(place[0], BY_OBSERVATION, o.observed_at, o, since, upto)
        for at, source, number, resource_id, list_id in merge(told, asked):
            for low, type_id, high in self._standings.reading(resource_id, list_id).proofs:
                if (low, type_id) == place:
                    yield Said(at, source, number, high)

    def _words_naming(self, low: int, source: int, at: Any, c: Any, since: int, upto: int) -> Iterator[tuple[int, ...]]:
        """Words that may prove something of a resource; a page at a time, since the first of them mostly do."""
        r, m = schema.resources.c, schema.parent_list_members.c
        kinds = [number for number, kind in self._standings.kinds.names.items() if proves(kind)]
        own = and_(r.platform_id == c.platform_id, r.id == c.resource_id)
        words = select(at, c.id, c.resource_id, c.parent_list_id).join(schema.resources, own)
        named = and_(m.platform_id == c.platform_id, m.list_id == c.parent_list_id, m.resource_id == low)
        words = words.where(c.platform_id == self._standings.platform_id, r.type_id.in_(kinds), exists().where(named))
        words = words.order_by(at, c.id).limit(_PAGE)
        if upto < OPEN:
            words = words.where(at <= to_datetime(upto))
        further = at >= to_datetime(since)
        while True:
            page = self._connection.execute(words.where(further)).all()
            self._standings.learn_lists(self._connection, {row[3] for row in page})
            for instant, *word in page:
                yield (to_micros(instant), source, *word)
            if len(page) < _PAGE:
                return
            last = page[-1]
            further = or_(at > last[0], and_(at == last[0], c.id > last[1]))


def _news(last: Step | None, told: list[tuple[int, list[Word]]]) -> list[tuple[int, list[Word]]]:
    """What of all that is told of a place can change anything: when all of it says what holds, what is of before."""
    if last is None or any(high != last.value for high, _ in told):
        return told
    before = [(high, [word for word in words if word[0] <= last.since]) for high, words in told]
    return [(high, words) for high, words in before if words]


def _goes_on(standing: Standing, type_id: int, before: list[Step], steps: list[Step]) -> bool:
    """Lets a resource go on with the steps that are new; False when they are not the last, or it is not so easy."""
    known = len(before)
    if not (standing.has_one_life and standing.has_told_all and steps[:known] == before):
        return False
    for step in steps[known:]:
        standing.step(type_id, step)
    return True

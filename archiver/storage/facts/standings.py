"""Finds how resources stand: from a cache that is bounded, or from the archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from archiver.platforms.facts import GONE, UNSETTLED
from archiver.storage import schema
from archiver.storage.bulk import chunks
from archiver.storage.facts.heard import Fact, State, Texts
from archiver.storage.facts.lives import Standing
from archiver.storage.facts.outlived import follower
from archiver.storage.facts.places import KNOWN, NO_TARGET, UNSPECIFIC, Edges, Kinds, Reading, as_told_by, read
from archiver.storage.facts.runs import Run
from archiver.storage.facts.steps import NEVER, Step
from archiver.storage.limits import CacheLimits
from archiver.storage.lists import Lists, weight
from archiver.storage.schema import BY_EVENT, IMAGE, INFERRED, NAME, OPEN, PARENT, SLOT, TAGS, TARGET

_present, _facts, _implied = schema.present, schema.facts, schema.implied
_TEXTS = {NAME: "name_id", IMAGE: "image_id", SLOT: "slot_id", TAGS: "tags_id"}
"""Where the present row has what was told last."""


class Standings:
    """How resources stand, by number, and what is needed to hear their words: states, lists, types."""

    def __init__(self, limits: CacheLimits, lists: Lists) -> None:
        self._limits = limits
        self._lists = lists
        self.platform_id = 0
        """The platform that all questions are about."""
        self.kinds = Kinds({})
        self.states: dict[int, State] = {}
        self.readings: dict[int, Reading] = {}
        self.proved: set[int] = set()
        """Lists that will never be news: whoever they prove something of has spoken for itself."""
        self._weight = 0
        # Two generations: what is used moves to the young one, what is not used ages and goes.
        self.known: dict[int, Standing] = {}
        self._old: dict[int, Standing] = {}

    def forget(self) -> None:
        """Empties every cache: what it holds may never have been committed."""
        self.kinds = Kinds({})
        self.states.clear()
        self.readings.clear()
        self.proved.clear()
        self._weight = 0
        self.forget_changing()

    def forget_changing(self) -> None:
        """Empties the cache of what another writer may have changed."""
        self.known.clear()
        self._old.clear()

    def begin(self) -> None:
        """Makes room before a batch; within it everything that is found stays."""
        if len(self.states) > self._limits.words:
            self.states.clear()
            self.forget_changing()
        if self._weight > self._limits.readings:
            self.readings.clear()
            self.proved.clear()
            self._weight = 0
        if len(self.known) > self._limits.standing // 2:
            self.known, self._old = {}, self.known

    def learn_kinds(self, connection: Connection) -> None:
        """Makes sure that the numbers of the types that the platform's tables name are known, as far as there are."""
        if len(self.kinds.names) < len(KNOWN):
            c = schema.event_types.c
            known = connection.execute(select(c.id, c.text).where(c.text.in_(sorted(KNOWN))))
            names = {number: text for number, text in known}
            if names != self.kinds.names:
                self.kinds = Kinds(names)

    def learn_states(self, connection: Connection, state_ids: Iterable[int | None]) -> None:
        """Makes sure that these states are known."""
        missing = set(state_ids) - self.states.keys() - {None}
        c = schema.event_states.c
        for part in chunks(missing):
            for number, text in connection.execute(select(c.id, c.text).where(c.id.in_(part))):
                folded = text.lower()
                self.states[number] = State(folded, folded in GONE, folded not in UNSETTLED)

    def learn_lists(self, connection: Connection, list_ids: Iterable[int]) -> None:
        """Makes sure that these lists are read."""
        missing = set(list_ids) - self.readings.keys()
        if missing:
            members = self._lists.members(connection, self.platform_id, missing)
            types = self._types(connection, {number for found in members.values() for number in found})
            for list_id, found in members.items():
                self.readings[list_id] = read(found, tuple(map(types.__getitem__, found)), self.kinds)
                self._weight += weight(found)

    def learn(self, connection: Connection, numbers: Iterable[int], fresh: Mapping[int, int]) -> None:
        """Makes sure that it is known how these resources stand; `fresh` are new, each with its type."""
        known, old = self.known, self._old
        missing = []
        for number in [number for number in numbers if number not in known]:
            standing = old.pop(number, None)
            if standing is None and number in fresh:
                standing = self.blank(number, fresh[number])
            if standing is None:
                missing.append(number)
            else:
                known[number] = standing
        for part in chunks(missing):
            self._read(connection, part)

    def reading(self, number: int, list_id: int) -> Reading:
        """What a list says where this resource tells it."""
        return as_told_by(number, self.readings[list_id], self.kinds)

    def blank(self, number: int, type_id: int) -> Standing:
        """How a resource stands of which nothing was said yet."""
        kind = self.kinds.names.get(type_id)
        return follower(kind)(number, type_id, kind)

    def _types(self, connection: Connection, numbers: set[int]) -> dict[int, int]:
        types = {number: self.known[number].type_id for number in numbers if number in self.known}
        c = schema.resources.c
        for part in chunks(numbers - types.keys()):
            asked = select(c.id, c.type_id).where(c.platform_id == self.platform_id, c.id.in_(part))
            types.update((number, found) for number, found in connection.execute(asked))
        return types

    def _read(self, connection: Connection, part: Iterable[int]) -> None:
        numbers = list(part)
        asked = select(_present).where(_present.c.platform_id == self.platform_id, _present.c.resource_id.in_(numbers))
        rows = connection.execute(asked).all()
        self.learn_states(connection, [row.state_id for row in rows])
        self.learn_lists(connection, {row.list_id for row in rows if row.list_id is not None})
        last = {row.resource_id: _texts_of(row) for row in rows}
        open_facts, told = self._read_facts(connection, numbers, last)
        for row in rows:
            standing = _from_row(self.blank(row.resource_id, row.type_id), row)
            standing.resume_texts(last[standing.number])
            standing.stored = standing.seldom
            facts = open_facts.get(standing.number, [])
            if isinstance(standing, Run):
                self._resume_run(standing, facts, told.get(standing.number, {}))
            else:
                standing.resume(facts, told.get(standing.number, {}), self.last_edges(standing))
            self.known[standing.number] = standing
        for number, type_id, step in self._read_implied(connection, numbers):
            standing = self.known[number]
            standing.implied = {**standing.implied, type_id: step}

    def last_edges(self, standing: Standing) -> Edges:
        """What the last list of a resource says of its place."""
        if standing.list_id is None:
            return {}
        reading = self.reading(standing.number, standing.list_id)
        standing.names_itself = reading is not self.readings[standing.list_id]
        return reading.told if standing.proves else reading.named

    def _resume_run(self, run: Run, facts: list[Fact], told: Edges) -> None:
        for fact in facts:
            rank = self.kinds.ranks.get(next(iter(told), 0), UNSPECIFIC)
            run.resume_run(fact, rank if fact.value else NO_TARGET)

    def _read_facts(
        self, connection: Connection, numbers: list[int], last: Mapping[int, Texts]
    ) -> tuple[dict[int, list[Fact]], dict[int, dict[int, tuple[int, ...]]]]:
        """The facts that are open, and actions' targets; and by type what resources said of their place.

        `last` are the texts that they told last.
        """
        found: dict[int, list[Fact]] = {}
        told: dict[int, dict[int, tuple[int, ...]]] = {}
        c, v = _facts.c, schema.resources.c
        columns = (c.resource_id, c.what, c.value, c.since, c.until, c.told_by, c.how)
        there = (v.id == c.value) & (v.platform_id == c.platform_id)
        placed = select(*columns, v.type_id).outerjoin(schema.resources, there)
        placed = placed.where(c.platform_id == self.platform_id, c.resource_id.in_(numbers))
        placed = placed.where(c.what.in_((PARENT, TARGET)))
        placed = placed.where((c.until == OPEN) | (c.what == TARGET))
        for number, what, value, since, until, told_by, how, type_id in connection.execute(placed):
            found.setdefault(number, []).append(Fact(what, value, since, until, told_by, how))
            if how != INFERRED and type_id is not None:
                by_type = told.setdefault(number, {})
                by_type[type_id] = tuple(sorted((*by_type.get(type_id, ()), value)))
        for what in {what for texts in last.values() for what, _ in texts}:
            for number, *row in connection.execute(_holding(self.platform_id, what, numbers)):
                found.setdefault(number, []).append(Fact(*row))
        return found, told

    def _read_implied(self, connection: Connection, numbers: list[int]) -> list[tuple[int, int, Step]]:
        c = _implied.c
        rows = select(c.resource_id, c.type_id, c.since, c.value, c.told_by)
        rows = rows.where(c.platform_id == self.platform_id, c.resource_id.in_(numbers))
        found = connection.execute(rows.order_by(c.resource_id, c.type_id, c.since))
        return [(number, type_id, Step(*step)) for number, type_id, *step in found]


def _from_row(standing: Standing, row: Any) -> Standing:
    standing.first_at = row.first_at
    standing.last_at = NEVER if row.last_at is None else row.last_at
    standing.last_source = row.last_source or BY_EVENT
    standing.state_id, standing.state_since = row.state_id, row.state_since
    standing.state_at, standing.state_source = row.state_at, row.state_source
    standing.gone_at = row.gone_at
    standing.list_id, standing.heads = row.list_id, row.heads
    return standing


def _texts_of(row: Any) -> Texts:
    told = ((what, getattr(row, column)) for what, column in _TEXTS.items())
    return tuple([(what, value) for what, value in told if value is not None])


def _holding(platform: int, what: int, numbers: Iterable[int]) -> Any:
    """What holds of what resources told last; by the text itself: one renamed a thousand times has as many facts."""
    c, p = _facts.c, _present.c
    columns = (c.resource_id, c.what, c.value, c.since, c.until, c.told_by, c.how)
    is_told = (c.platform_id == p.platform_id) & (c.value == p[_TEXTS[what]]) & (c.resource_id == p.resource_id)
    holds = (c.what == what) & (c.node == OPEN) & (c.until == OPEN)
    asked = (p.platform_id == platform) & p.resource_id.in_(numbers)
    return select(*columns).select_from(_present.join(_facts, is_told & holds)).where(asked)

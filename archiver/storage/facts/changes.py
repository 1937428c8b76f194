"""Gathers what a batch changes of facts and present rows, and writes it: each resource's present row once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, exists, select

from archiver.storage import schema
from archiver.storage.bulk import Row, chunks, delete_rows, insert_rows, update_rows
from archiver.storage.facts.evidence import Evidence
from archiver.storage.facts.heard import Fact, Word
from archiver.storage.facts.late import hear_late
from archiver.storage.facts.lives import Standing
from archiver.storage.facts.retelling import hear_anew
from archiver.storage.facts.standings import Standings
from archiver.storage.facts.steps import NEVER
from archiver.storage.intervals import node
from archiver.storage.lasting import lasted
from archiver.storage.schema import PARENT

_FACT_KEY = ("platform_id", "resource_id", "what", "since", "value")
_PRESENT_KEY = ("platform_id", "resource_id")
_FACT = ("until", "node", "told_by", "how")
# Apart, so that the indexes of what seldom changes are not written with each word.
_SELDOM = ("first_at", "gone_at", "lasted", "name_id", "image_id", "slot_id", "tags_id", "list_id", "heads")
_OFTEN = ("last_at", "last_source", "state_id", "state_since", "state_at", "state_source")


class Changes:
    """What one batch changes."""

    def __init__(self, connection: Connection, standings: Standings) -> None:
        self._connection = connection
        self._known = standings
        self.standings: dict[int, Standing] = {}
        """Those that stand otherwise than the archive says."""
        self.anew: set[int] = set()
        """Those whose words must all be heard."""
        self.late: dict[int, Sequence[Word]] = {}
        """Those of which the first word is late, with all words of this batch in their order."""
        self.evidence = Evidence(connection, standings)
        self._gone: list[Row] = []
        self._changed: list[Row] = []
        self._new: list[Row] = []
        self._lost: set[int] = set()
        """Those under which something was, and is not said to have been any more."""

    def write(self) -> None:
        """Writes all of it."""
        for standing, needs_all in self.evidence.settle():
            self.standings[standing.number] = standing
            if needs_all:
                self.anew.add(standing.number)
        if self.late:
            self._hear_late()
        if self.anew:
            self._hear_anew()
        for standing in self.standings.values():
            if standing.touched:
                self._take(standing.number, standing.touched)
                standing.touched = []
        self.evidence.write()
        self._write_facts()
        self._set_heads()
        self._write_present()

    def _hear_late(self) -> None:
        late = {number: words for number, words in self.late.items() if number not in self.anew}
        heard = hear_late(self._connection, self._known, late)
        self.anew |= late.keys() - heard.keys()
        for number, (standing, gone) in heard.items():
            self.standings[number] = self._known.known[number] = standing
            for fact in gone:
                self._drop(number, fact)

    def _hear_anew(self) -> None:
        for standing, gone in hear_anew(self._connection, self._known, self.evidence, sorted(self.anew)):
            self.standings[standing.number] = standing
            for fact in gone:
                self._drop(standing.number, fact)

    def _take(self, number: int, facts: Iterable[Fact]) -> None:
        platform = self._known.platform_id
        for fact in dict.fromkeys(facts):
            if fact.dropped:
                if fact.stored:
                    self._drop(number, fact)
            elif fact.stored:
                self._changed.append(
                    (
                        fact.until,
                        node(fact.since, fact.until),
                        fact.told_by,
                        fact.how,
                        platform,
                        number,
                        fact.what,
                        fact.since,
                        fact.value,
                    )
                )
            else:
                self._new.append(
                    (
                        platform,
                        number,
                        fact.what,
                        fact.since,
                        fact.value,
                        fact.until,
                        node(fact.since, fact.until),
                        fact.told_by,
                        fact.how,
                    )
                )
                fact.stored = True

    def _drop(self, number: int, fact: Fact) -> None:
        self._gone.append((self._known.platform_id, number, fact.what, fact.since, fact.value))
        if fact.what == PARENT:
            self._lost.add(fact.value)

    def _write_facts(self) -> None:
        delete_rows(self._connection, schema.facts, _FACT_KEY, self._gone)
        update_rows(self._connection, schema.facts, _FACT_KEY, _FACT, self._changed)
        insert_rows(self._connection, schema.facts, self._new)

    def _set_heads(self) -> None:
        """Notes under what anything ever was."""
        heads = {row[4] for row in self._new if row[2] == PARENT}
        self._known.learn(self._connection, heads | self._lost, {})
        known = self._known.known
        for number in heads:
            if not known[number].heads:
                known[number].heads = 1
                self.standings[number] = known[number]
        lost = self._lost - heads
        for part in chunks(lost):
            for number in set(part) - self._still_heads(part):
                known[number].heads = 0
                self.standings[number] = known[number]

    def _still_heads(self, numbers: Iterable[int]) -> set[int]:
        r, f = schema.resources.c, schema.facts.c
        under = exists().where(f.platform_id == r.platform_id, f.what == PARENT, f.value == r.id)
        own = r.platform_id == self._known.platform_id
        rows = self._connection.execute(select(r.id).where(own, r.id.in_(list(numbers)), under))
        return {number for (number,) in rows}

    def _write_present(self) -> None:
        new: list[Row] = []
        often: list[Row] = []
        seldom: list[Row] = []
        platform = self._known.platform_id
        for number, standing in sorted(self.standings.items()):  # rows that lie side by side, one after the other
            rest = standing.seldom
            if standing.stored is None:
                first_at, *life = _life(standing)
                new.append((number, platform, standing.type_id, first_at, *_often(standing), *life, *rest[2:]))
            else:
                often.append((*_often(standing), platform, number))
                if rest != standing.stored:
                    seldom.append((*_life(standing), *rest[2:], platform, number))
            standing.stored = rest
            standing.trim()
        insert_rows(self._connection, schema.present, new)
        update_rows(self._connection, schema.present, _PRESENT_KEY, _OFTEN, often)
        update_rows(self._connection, schema.present, _PRESENT_KEY, _SELDOM, seldom)


def _life(standing: Standing) -> Row:
    return standing.first_at, standing.gone_at, lasted(standing.first_at, standing.gone_at)


def _often(standing: Standing) -> Row:
    spoke = standing.last_at != NEVER
    return (
        standing.last_at if spoke else None,
        standing.last_source if spoke else None,
        standing.state_id,
        standing.state_since,
        standing.state_at,
        standing.state_source,
    )

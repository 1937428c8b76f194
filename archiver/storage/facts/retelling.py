"""Hears all words of a resource anew, where the next one alone does not tell what changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import Connection, select

from archiver.model import to_micros
from archiver.storage import schema
from archiver.storage.bulk import chunks
from archiver.storage.facts.evidence import Evidence
from archiver.storage.facts.heard import Fact, Word
from archiver.storage.facts.lives import Standing
from archiver.storage.facts.standings import Standings
from archiver.storage.schema import BY_EVENT, BY_OBSERVATION, TEXTUAL

_PAGE = 1000

FactKey = tuple[int, int, int]
"""What it is about, since when, and its value: of a resource, the key of a fact."""


def hear_anew(
    connection: Connection, standings: Standings, evidence: Evidence, numbers: Iterable[int]
) -> Iterator[tuple[Standing, list[Fact]]]:
    """How these resources stand by all their words, what of it is not in the archive, and what of that is not so."""
    for part in chunks(numbers):
        standing = {number: _anew(standings, number) for number in part}
        _hear(connection, standings, standing)
        said = evidence.load(number for number in part if standing[number].proves)
        stored = _stored_facts(connection, standings.platform_id, part)
        for number, found in standing.items():
            if number in said:
                found.hear_others(said[number])
                for type_id in said[number]:
                    if found.tells_of(type_id):
                        evidence.drop((number, type_id))
            found.touched = list(different(found.touched, stored[number]))
            standings.known[number] = found
            yield found, list(stored[number].values())


def _anew(standings: Standings, number: int) -> Standing:
    before = standings.known[number]
    standing = standings.blank(number, before.type_id)
    standing.first_at = before.first_at
    standing.heads = before.heads
    standing.stored = before.stored
    return standing


def _hear(connection: Connection, standings: Standings, standing: dict[int, Standing]) -> None:
    e, o = schema.events.c, schema.observations.c
    told = _words(connection, standings.platform_id, BY_EVENT, e.occurred_at, e, standing)
    asked = _words(connection, standings.platform_id, BY_OBSERVATION, o.observed_at, o, standing)
    words = merge(told, asked)
    # A page at a time: one object may have a million words.
    while page := list(islice(words, _PAGE)):
        standings.learn_states(connection, [word[3] for _, word in page])
        standings.learn_lists(connection, {word[4] for _, word in page if word[4] is not None})
        for number, word in page:
            standing[number].hear(word, standings.states, standings.readings, standings.kinds)


def _words(
    connection: Connection, platform: int, source: int, at: Any, c: Any, numbers: Iterable[int]
) -> Iterator[tuple[int, Word]]:
    told = (c.name_id, c.image_id, c.slot_id, c.tags_id)
    words = select(c.resource_id, at, c.id, c.state_id, c.parent_list_id, *told)
    words = words.where(c.platform_id == platform, c.resource_id.in_(list(numbers)))
    words = words.order_by(c.resource_id, at, c.id)
    for row in connection.execute(words, execution_options={"yield_per": _PAGE}):
        yield row[0], word_of(source, row[1:])


def word_of(source: int, row: Sequence[Any]) -> Word:
    """The word in a row: its instant, number, state, list, and the `TEXTUAL`."""
    instant, number, state_id, list_id, *told = row
    texts = tuple([(what, value) for what, value in zip(TEXTUAL, told, strict=True) if value is not None])
    return to_micros(instant), source, number, state_id, list_id, texts


def _stored_facts(connection: Connection, platform: int, numbers: Sequence[int]) -> dict[int, dict[FactKey, Fact]]:
    c = schema.facts.c
    rows = select(c.resource_id, c.what, c.value, c.since, c.until, c.told_by, c.how)
    rows = rows.where(c.platform_id == platform, c.resource_id.in_(numbers))
    found: dict[int, dict[FactKey, Fact]] = {number: {} for number in numbers}
    for number, *row in connection.execute(rows):
        fact = Fact(*row)
        found[number][key_of(fact)] = fact
    return found


def different(facts: Iterable[Fact], stored: dict[FactKey, Fact]) -> Iterator[Fact]:
    """The facts that the archive has not, or not so; what is left of the stored ones afterwards is not so any more."""
    for fact in dict.fromkeys(facts):
        if not fact.dropped:
            row = stored.pop(key_of(fact), None)
            fact.stored = row is not None
            if row is None or (row.until, row.told_by, row.how) != (fact.until, fact.told_by, fact.how):
                yield fact


def key_of(fact: Fact) -> FactKey:
    """What tells a fact from all others of its resource."""
    return fact.what, fact.since, fact.value

"""Finds how resources stood just before an instant: out of their facts, and of the words on which they then stood."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from archiver.model import Micros, iso, to_micros
from archiver.storage import schema
from archiver.storage.bulk import chunks
from archiver.storage.facts.heard import Fact
from archiver.storage.facts.standings import Standings
from archiver.storage.schema import INFERRED, PARENT, TEXTUAL, TOLD


class Before(NamedTuple):
    """How a resource stood just before an instant."""

    state_id: int | None
    list_id: int | None
    facts: list[Fact]
    """What held then, as the archive has it."""
    types: dict[int, int]
    """The types of the resources that it was under."""


def stood_before(connection: Connection, standings: Standings, asked: Mapping[int, Micros]) -> dict[int, Before]:
    """How those resources stood just before an instant of each of which it can be told."""
    facts: dict[int, list[Fact]] = {number: [] for number in asked}
    types: dict[int, int] = {}
    platform = standings.platform_id
    held = ask(connection, _HELD.format(platform), _ASKED, _at(asked))
    for number, what, value, since, until, told_by, how, type_id in held:
        facts[number].append(Fact(what, value, since, until, told_by, how))
        types[value] = type_id
    unclear = _told_later(connection, platform, facts, asked)
    last = _last_words(connection, platform, {number: at for number, at in asked.items() if number not in unclear})
    standings.learn_states(connection, [state_id for state_id, _ in last.values()])
    standings.learn_lists(connection, {list_id for _, list_id in last.values() if list_id is not None})
    return {number: Before(*last[number], facts[number], types) for number in last}


def _told_later(
    connection: Connection, platform: int, facts: Mapping[int, list[Fact]], asked: Mapping[int, Micros]
) -> set[int]:
    """The resources of which something held then because it was told for the first time later."""
    told: dict[tuple[int, int | None], list[int]] = {}
    for number, found in facts.items():
        for fact in found:
            told.setdefault((fact.how, fact.told_by), []).append(number)
    later: set[int] = {number for (how, _), numbers in told.items() if how == INFERRED for number in numbers}
    e, o = schema.events.c, schema.observations.c
    for source, (at, c) in enumerate(((e.occurred_at, e), (o.observed_at, o)), TOLD):
        for part in chunks(told_by for how, told_by in told if how == source):
            words = select(c.id, at).where(c.platform_id == platform, c.id.in_(part))
            for word, instant in connection.execute(words):
                later.update(number for number in told[source, word] if to_micros(instant) >= asked[number])
    return later


def _last_words(
    connection: Connection, platform: int, asked: Mapping[int, Micros]
) -> dict[int, tuple[int | None, int | None]]:
    """State and list that each told last before its instant."""
    ids = {number: found for number, *found in ask(connection, _LAST.format(platform), _ASKED, _at(asked))}
    e, o = schema.events.c, schema.observations.c
    events = _rows(connection, platform, e, e.occurred_at, ids.values(), slice(0, 2))
    observations = _rows(connection, platform, o, o.observed_at, ids.values(), slice(2, 4))

    def latest(told: int | None, observed: int | None, column: int) -> int | None:
        # Of one instant the observation counts as the later.
        found = [observations[observed]] if observed is not None else []
        found += [events[told]] if told is not None else []
        last = max(found, key=lambda row: row[1], default=None)
        return None if last is None else int(last[column])

    return {
        number: (latest(state, observed_state, 2), latest(listed, observed_list, 3))
        for number, (state, listed, observed_state, observed_list) in ids.items()
    }


def _rows(
    connection: Connection, platform: int, c: Any, at: Any, ids: Iterable[Sequence[int | None]], part: slice
) -> dict[int, Any]:
    wanted = {number for found in ids for number in found[part] if number is not None}
    asked = select(c.id, at, c.state_id, c.parent_list_id).where(c.platform_id == platform)
    rows = (connection.execute(asked.where(c.id.in_(numbers))) for numbers in chunks(wanted))
    return {row[0]: row for row in chain.from_iterable(rows)}


def _at(asked: Mapping[int, Micros]) -> list[tuple[Any, ...]]:
    return [(number, iso(at), at) for number, at in asked.items()]


def ask(
    connection: Connection, query: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]]
) -> Iterator[Sequence[Any]]:
    """Puts a question about many things at once: rows of a table `asked` with these columns, each with its type."""
    names = ", ".join(columns)
    for part in chunks(rows):
        if connection.dialect.name == "postgresql":
            arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
            given = f"WITH asked ({names}) AS (SELECT * FROM unnest({arrays}) AS given ({names})) "
            found = connection.exec_driver_sql(given + query, tuple(map(list, zip(*part, strict=True))))
        else:
            row = f"({','.join('?' * len(columns))})"
            given = f"WITH asked ({names}) AS (VALUES {','.join([row] * len(part))}) "
            found = connection.exec_driver_sql(given + query, tuple(chain.from_iterable(part)))
        yield from found.all()


def moment(found: str | datetime) -> datetime:
    """An instant as either driver gives it."""
    return datetime.fromisoformat(found) if isinstance(found, str) else found


_ASKED = {"number": "bigint", "moment": "timestamptz", "at": "bigint"}
# `{0}` is the number of the platform.
_HELD = (
    "SELECT f.resource_id, f.what, f.value, f.since, f.until, f.told_by, f.how, v.type_id FROM asked"
    f" JOIN facts f ON f.platform_id = {{0}} AND f.resource_id = asked.number AND f.what IN {(PARENT, *TEXTUAL)}"
    " AND f.since < asked.at AND f.until >= asked.at"
    f" LEFT JOIN resources v ON v.platform_id = {{0}} AND v.id = f.value AND f.what = {PARENT}"
)
_LAST_OF = (
    "(SELECT w.id FROM {table} w WHERE w.platform_id = {{0}} AND w.resource_id = asked.number"
    " AND w.{at} < asked.moment AND w.{told} IS NOT NULL ORDER BY w.{at} DESC, w.id DESC LIMIT 1)"
)
_LAST = "SELECT asked.number, {} FROM asked".format(
    ", ".join(
        _LAST_OF.format(table=table, at=at, told=told)
        for table, at in (("events", "occurred_at"), ("observations", "observed_at"))
        for told in ("state_id", "parent_list_id")
    )
)

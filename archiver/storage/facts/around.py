"""Reads the words and the facts of resources from where late words fall in: of many at once, or of one to the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, not_, select

from archiver.model import Micros, iso, to_datetime
from archiver.storage import schema
from archiver.storage.facts.earlier import ask, moment
from archiver.storage.facts.heard import Fact, Word
from archiver.storage.facts.retelling import word_of
from archiver.storage.facts.standings import Standings
from archiver.storage.schema import BY_EVENT, BY_OBSERVATION, OPEN, PARENT, TEXTUAL

_PAGE = 8
"""Words that are read behind the late ones at first; of what goes on for longer ten times as many each time."""

Span = tuple[Micros, Micros]
"""From when to when, both included."""


def words_after(connection: Connection, standings: Standings, number: int, after: Micros) -> Iterator[Word]:
    """All words of a resource after an instant, in their order; some at a time, since mostly the first ones do."""
    told = (_words_of(connection, standings, number, source, after) for source in (BY_EVENT, BY_OBSERVATION))
    return merge(*told)


def _words_of(connection: Connection, standings: Standings, number: int, source: int, after: Micros) -> Iterator[Word]:
    at, last, most = to_datetime(after), OPEN, _PAGE
    while True:
        given = {"platform": standings.platform_id, "number": number, "at": at, "last": last, "most": most}
        rows = connection.execute(_WORDS[source], given).all()
        _learn(connection, standings, rows)
        for row in rows:
            yield word_of(source, row)
        if len(rows) < most:
            return
        at, last = rows[-1][:2]
        most = 10 * most


def _learn(connection: Connection, standings: Standings, rows: Sequence[Any]) -> None:
    """Makes sure that what words say is known; each row is a word's instant, number, state, list, and so on."""
    standings.learn_states(connection, [row[2] for row in rows])
    standings.learn_lists(connection, {row[3] for row in rows if row[3] is not None})


def _words_statement(at: Any, c: Any) -> Select[Any]:
    words = select(at, c.id, c.state_id, c.parent_list_id, c.name_id, c.image_id, c.slot_id, c.tags_id)
    words = words.where(c.platform_id == bindparam("platform"), c.resource_id == bindparam("number"))
    words = words.where(at >= bindparam("at"))
    words = words.where(not_(and_(at == bindparam("at"), c.id <= bindparam("last"))))
    return words.order_by(at, c.id).limit(bindparam("most"))


_WORDS = (  # of events and of observations, in the order of their sources
    _words_statement(schema.events.c.occurred_at, schema.events.c),
    _words_statement(schema.observations.c.observed_at, schema.observations.c),
)


def words_around(connection: Connection, standings: Standings, spans: Mapping[int, Span]) -> dict[int, list[Word]]:
    """The words of each from its first late one on, in their order, to the next event behind the last late one."""
    asked = [(number, iso(since), iso(upto)) for number, (since, upto) in spans.items()]
    platform = standings.platform_id
    events = ask(connection, _EVENTS_AROUND.format(platform), _INSTANTS, asked)
    found = _words_by_resource(connection, standings, BY_EVENT, events)
    ends = {number: iso(max(spans[number][1], words[-1][0])) for number, words in found.items()}
    within = [(number, since, ends.get(number, upto)) for number, since, upto in asked]
    observations = ask(connection, _OBSERVATIONS_WITHIN.format(platform), _INSTANTS, within)
    for number, words in _words_by_resource(connection, standings, BY_OBSERVATION, observations).items():
        found[number] = sorted([*found.get(number, ()), *words])
    return found


def _words_by_resource(
    connection: Connection, standings: Standings, source: int, rows: Iterable[Sequence[Any]]
) -> dict[int, list[Word]]:
    found: dict[int, list[Word]] = {}
    told = [(row[0], (moment(row[1]), *row[2:])) for row in rows]
    _learn(connection, standings, [row for _, row in told])
    for number, row in told:
        found.setdefault(number, []).append(word_of(source, row))
    for words in found.values():
        words.sort()
    return found


def facts_begun(connection: Connection, platform: int, spans: Mapping[int, Span]) -> dict[int, list[Fact]]:
    """The facts of each that begin where it heard."""
    found: dict[int, list[Fact]] = {number: [] for number in spans}
    columns = {"number": "bigint", "since": "bigint", "upto": "bigint"}
    asked = [(number, *span) for number, span in spans.items()]
    for number, *row in ask(connection, _FACTS_BEGUN.format(platform), columns, asked):
        found[number].append(Fact(*row))
    return found


_INSTANTS = {"number": "bigint", "since": "timestamptz", "upto": "timestamptz"}
_COLUMNS = "w.id, w.state_id, w.parent_list_id, w.name_id, w.image_id, w.slot_id, w.tags_id FROM asked"
# `{0}` is the number of the platform.
_EVENTS_AROUND = (
    f"SELECT w.resource_id, w.occurred_at, {_COLUMNS}"
    " JOIN events w ON w.platform_id = {0} AND w.resource_id = asked.number AND w.occurred_at >= asked.since"
    " AND w.occurred_at <= coalesce((SELECT n.occurred_at FROM events n"
    " WHERE n.platform_id = {0} AND n.resource_id = asked.number AND n.occurred_at > asked.upto"
    " ORDER BY n.occurred_at LIMIT 1), asked.upto)"
)
_OBSERVATIONS_WITHIN = (
    f"SELECT w.resource_id, w.observed_at, {_COLUMNS}"
    " JOIN observations w ON w.platform_id = {0} AND w.resource_id = asked.number"
    " AND w.observed_at >= asked.since AND w.observed_at <= asked.upto"
)
_FACTS_BEGUN = (
    "SELECT f.resource_id, f.what, f.value, f.since, f.until, f.told_by, f.how FROM asked"
    f" JOIN facts f ON f.platform_id = {{0}} AND f.resource_id = asked.number AND f.what IN {(PARENT, *TEXTUAL)}"
    " AND f.since >= asked.since AND f.since <= asked.upto"
)

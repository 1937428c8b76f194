"""What was archived behind a place and may wake somebody: states that began, with what they mean, and rejects."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from archiver.model import MICROSECOND, Cause, Number, Resource, TimeRange, numbers_of, to_datetime, to_micros
from archiver.model.reports import Subject
from archiver.queries import vocabulary
from archiver.queries.asked import Asked
from archiver.queries.availability import crashes, loops
from archiver.queries.causes import is_down
from archiver.queries.containers import CONTAINER, KindOf, Lived, kinds, lived
from archiver.queries.never_back import Stopped, Stops, of_slot
from archiver.queries.numbers import last_number
from archiver.queries.platforms import several
from archiver.queries.rejects import kind_of_reject
from archiver.queries.story import CRASHES, QUIET, WITHIN, earlier, is_crash, later
from archiver.queries.timelines import courses
from archiver.queries.windows import Window
from archiver.storage.causes import TOLD_AFTER
from archiver.storage.database.reading import Connection, instant
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.pages import Ask

Source = Literal["events", "observations"]

_MOST_OF_SLOT = 20
"""Containers that filled one slot shortly before: so many are looked at, the last ones."""
# Of an import the sessions have no receiver.
_RECEIVED = "EXISTS (SELECT 1 FROM sessions x WHERE x.id = {}.session_id AND x.receiver_id IS NOT NULL)"
# Nothing but the number may choose the rows: what follows on a place is read, and nothing else (+).
_WORDS = (
    "SELECT w.platform_id, w.id, w.resource_id, w.{at} AS at, s.text AS state FROM {table} w"
    " JOIN event_states s ON s.id = w.state_id"
    " WHERE w.id > :after AND w.id <= :upto AND +w.resource_id <> 0"
    f" AND +w.state_id IN {{states}} AND {_RECEIVED.format('w')} ORDER BY w.id LIMIT :most"
)
_COUNT = (
    "SELECT count(*) FROM (SELECT 1 FROM {table} w WHERE w.id > :after AND w.id <= :upto"
    f" AND +w.resource_id <> 0 AND +w.state_id IN {{states}} AND {_RECEIVED.format('w')} LIMIT :most) found"
)
_AT: dict[Source, str] = {"events": "occurred_at", "observations": "observed_at"}
_STATES = "SELECT s.id, s.text FROM event_states s"
_RESOURCES = (
    "SELECT r.id, r.uri, r.key, r.platform_id, t.text AS type, n.text AS name FROM resources r"
    " JOIN event_types t ON t.id = r.type_id"
    " LEFT JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE r.platform_id = :platform AND r.id IN :numbers"
)
_REJECTS = (
    "SELECT j.id, j.received_at, j.reason, t.url FROM rejects j JOIN sessions s ON s.id = j.session_id"
    " JOIN streams t ON t.id = s.stream_id"
    " WHERE j.id > :after AND j.id <= :upto AND s.receiver_id IS NOT NULL ORDER BY j.id LIMIT :most"
)
_BEFORE = "SELECT w.id FROM {} w WHERE w.received_at < :moment ORDER BY w.id DESC LIMIT 1"


class Place(NamedTuple):
    """How far somebody has come in the order of archiving: the last number of each table."""

    events: int = 0
    observations: int = 0
    rejects: int = 0


class Word(NamedTuple):
    """That something told of a resource, or found it, in a state."""

    source: Source
    id: int
    resource: Resource
    at: datetime
    state: str


class Change(NamedTuple):
    """A state that began, and what it means."""

    word: Word
    before: str | None
    cause: Cause | None
    """Why it stopped; None: it is no stop."""
    stack: Subject | None = None
    service: Subject | None = None
    slot: str | None = None
    loop: tuple[datetime, ...] = ()
    """The crashes that make a loop, where this one made it a loop; else none."""
    missing: Stopped | None = None
    """That it has not come back yet, itself or in its slot."""
    certain: bool | None = None


class Rejected(NamedTuple):
    """A message that could not become an event."""

    id: int
    stream: str
    received_at: datetime
    kind: str
    reason: str


def end(connection: Connection) -> Place:
    """The last numbers that there are."""
    return Place(*(last_number(connection, table) for table in Place._fields))


def end_before(connection: Connection, moment: datetime) -> Place:
    """The last numbers of what was received before an instant; of observations, of all."""
    values = {"moment": to_micros(moment)}
    events, rejects = (connection.scalar(statement(_BEFORE.format(table)), values) for table in ("events", "rejects"))
    return Place(events or 0, last_number(connection, "observations"), rejects or 0)


class States:
    """Which states are asked for."""

    def __init__(self, words: Collection[str], *, stops: bool) -> None:
        """Those that fit the words, and, for `stops`, all in which nothing runs."""
        self._words, self._stops = list(words), stops

    def numbers(self, connection: Connection) -> list[int]:
        """Their numbers."""
        return [row.id for row in connection.execute(_STATES) if self.has(row.text)]

    def has(self, state: str) -> bool:
        """Whether a state is among them."""
        return (self._stops and is_down(state)) or any(fits(word, state) for word in self._words)


def fits(wanted: str, state: str) -> bool:
    """Whether a state is one that a word means: with a `!`, any other."""
    if wanted.startswith(vocabulary.NOT):
        return not vocabulary.means(wanted.removeprefix(vocabulary.NOT).strip().lower(), state.lower())
    return vocabulary.means(wanted.lower(), state.lower())


def how_many(connection: Connection, source: Source, place: tuple[int, int], states: States, most: int) -> int:
    """How many words there are between two numbers; they are counted no further than this."""
    if not (numbers := states.numbers(connection)):
        return 0
    asked = statement(_COUNT.format(table=source, states=_list(numbers)))
    return int(connection.scalar(asked, {"after": place[0], "upto": place[1], "most": most}))


def words(connection: Connection, source: Source, place: tuple[int, int], states: States, most: int) -> list[Word]:
    """The first words between two numbers, the first not included, of what a daemon heard."""
    if place[0] >= place[1] or not (numbers := states.numbers(connection)):
        return []
    asked = statement(_WORDS.format(table=source, at=_AT[source], states=_list(numbers)))
    rows = connection.execute(asked, {"after": place[0], "upto": place[1], "most": most}).all()
    about = _resources(connection, {numbers_of(row.platform_id)(row.resource_id) for row in rows})
    return [Word(source, row.id, about[row.resource_id], instant(row.at), row.state) for row in rows]


def rejects(connection: Connection, place: tuple[int, int], most: int) -> list[Rejected]:
    """The first rejects between two numbers, the first not included, of what a daemon heard."""
    asked = connection.execute(statement(_REJECTS), {"after": place[0], "upto": place[1], "most": most})
    return [
        Rejected(row.id, row.url, to_datetime(row.received_at), kind_of_reject(row.reason), row.reason) for row in asked
    ]


def change(ask: Ask, word: Word, now: datetime) -> Change | None:
    """What a word means; None: it was so already, or something else is known by now."""
    if word.resource.type != CONTAINER:
        return _of_another(ask, word, now)
    kind = ask(kinds)
    around = TimeRange(word.at, word.at + MICROSECOND)
    for each in lived(ask, word.resource, around, now, kind):
        for place, span in enumerate(each.spans):
            if not _is_of(word, span.since, span.state):
                continue
            before = each.spans[place - 1].state if place else None
            stay = each.stays.at(word.at)
            found = Change(word, before, span.cause, stay.places.get("stack"), stay.places.get("service"), stay.slot)
            stack = stay.places.get("stack") or ask(_stack_of, word.resource.id, word.at)
            found = found._replace(stack=stack, certain=span.certain)
            if span.cause is None:
                return found
            loop = _loop(ask, each, stay.slot, word.at, now, kind) if is_crash(span) else ()
            return found._replace(loop=loop, missing=_missing(ask, each, around, now, kind))
    return None


def _of_another(ask: Ask, word: Word, now: datetime) -> Change | None:
    # A state that goes on is cut where the around begins, and must not look as if it began with the word.
    around = TimeRange(word.at - MICROSECOND, later(word.at, timedelta(microseconds=TOLD_AFTER)))
    before: str | None = None
    (found,) = courses(ask, [word.resource], around, now)
    for span in found.spans:
        if _is_of(word, span.since, span.state):
            return Change(word, before, span.cause, certain=span.certain)
        before = span.state
    return None


def _is_of(word: Word, since: datetime, state: str) -> bool:
    return since == word.at and state.lower() == word.state.lower()


def _loop(ask: Ask, each: Lived, slot: str | None, at: datetime, now: datetime, kind: KindOf) -> tuple[datetime, ...]:
    """The crashes of the loop that was none before the one at an instant."""
    unit = [each]
    if slot is not None:
        window = Window(to_micros(earlier(at, QUIET + WITHIN)), to_micros(at) + 1)
        for number in ask(of_slot, each.resource.id, slot, window)[-_MOST_OF_SLOT:]:
            (other,) = ask(_resources, [number]).values()
            unit += lived(ask, other, TimeRange(earlier(at, WITHIN), at + MICROSECOND), now, kind)
    known = [crash for crash in crashes(unit) if crash <= at]
    for first, _ in loops(known):
        place = known.index(first)
        if known[place + CRASHES - 1] == at:
            return tuple(known[place : place + CRASHES])
    return ()


def _missing(ask: Ask, each: Lived, range: TimeRange, now: datetime, kind: KindOf) -> Stopped | None:
    asked = Asked(each.resource, range, None, now, None)
    return next((stopped for stopped in Stops(ask, asked, kind).of(each) if stopped.is_missing), None)


def _stack_of(connection: Connection, number: Number, at: datetime) -> Subject | None:
    """The stack that something was in by way of what it was directly under."""
    from archiver.queries.under import ascend

    moment = to_micros(at) - 1
    above = ascend(connection, {(number, moment)})[number, moment]
    found = [each for each in _resources(connection, above).values() if each.type == "stack"]
    return Subject(found[0].uri, "stack", found[0].name) if found else None


def _resources(connection: Connection, numbers: Collection[Number]) -> dict[int, Resource]:
    names = several(connection)
    return {
        number: Resource(number, row.uri, row.type, row.key, row.name, platform=names.get(row.platform_id))
        for among in by_platform(sorted(numbers))
        for row in connection.execute(statement(_RESOURCES), among.values())
        for number in (among.of(row.id),)
    }


def _list(numbers: Sequence[int]) -> str:
    # Written into the statement: a stream may invent more words than a statement may have parameters.
    return f"({', '.join(map(str, numbers))})"

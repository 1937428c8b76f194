"""How resources stood at an instant: in which state, under which name, made of what, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from typing import Any, NamedTuple

from archiver.codec.text import parse
from archiver.model import Micros, Number, to_datetime, to_micros
from archiver.queries.causes import is_gone
from archiver.queries.last_words import LAST_OF, LAST_OTHER, States, Told, first_behind, last_of, last_turns, last_words
from archiver.queries.sureness import Heard, is_sure, streams_of
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import Among, by_platform, statement
from archiver.storage.words import OPEN, TEXTUAL


class Stood(NamedTuple):
    """How a resource stood."""

    id: Number
    uri: str
    type: str
    name: str | None
    state: str | None
    state_since: Micros | None
    gone_at: Micros | None
    """Since when it was no more; None: it lived."""
    image: str | None = None
    slot: str | None = None
    name_since: Micros | None = None
    image_since: Micros | None = None
    certain: bool | None = None
    """Whether somebody was watching since its state was told last; None: no state is known."""
    sessions: frozenset[int | None] = frozenset()
    """In which session its state was told last."""
    heard_at: Micros | None = None
    """When that was."""
    tags: tuple[str, ...] = ()
    tags_since: Micros | None = None


class Vocabulary(NamedTuple):
    """The states and the types of an archive; few, and looked up once rather than for each resource."""

    states: States
    types: Mapping[int, str]

    @classmethod
    def of(cls, connection: Connection) -> Vocabulary:
        """As they are now."""
        return cls(States(connection), dict(connection.execute("SELECT t.id, t.text FROM event_types t")))


def stood(
    connection: Connection, numbers: Iterable[Number], at: Micros, now: datetime, words: Vocabulary | None = None
) -> dict[Number, Stood]:
    """How those of some resources stood at an instant that had been heard of by then; what was gone, too."""
    found: dict[Number, Stood] = {}
    for among in by_platform(numbers):
        words = words or Vocabulary.of(connection)
        found |= _stood(connection, among, at, now, words)
    return found


def stood_later(
    connection: Connection,
    before: Mapping[Number, Stood],
    numbers: Set[Number],
    first: Micros,
    at: Micros,
    now: datetime,
    words: Vocabulary,
) -> dict[Number, Stood]:
    """As `stood`, of which it is known how those that had been heard of stood at an earlier instant.

    What told nothing since stands as it did; only how sure that is may be otherwise.
    """
    told: set[Number] = set()
    for among in by_platform(before):
        values = among.values(first=to_datetime(first), at=to_datetime(at))
        told.update(map(among.of, connection.scalars(statement(_TOLD_SINCE), values)))
    still = {number: each for number, each in before.items() if number not in told}
    heard = {
        number: Heard(each.heard_at, session)
        for number, each in still.items()
        for session in each.sessions
        if each.heard_at is not None
    }
    sure = is_sure(connection, heard, at, now)
    found = stood(connection, numbers - still.keys(), at, now, words)
    for number, each in still.items():
        certain = None if each.heard_at is None else each.gone_at is not None or number in sure
        found[number] = each._replace(certain=certain)
    return found


def _stood(connection: Connection, among: Among, at: Micros, now: datetime, words: Vocabulary) -> dict[Number, Stood]:
    states = words.states
    rows = {among.of(row.id): row for row in connection.execute(statement(_KNOWN), among.values(at=at))}
    still = [number for number, row in rows.items() if row.state_since is not None and row.state_since <= at]
    told, turned = last_turns(connection, rows.keys() - still, at, states)
    told |= last_words(connection, still, at)
    began = {number: told[number] for number in turned}
    began |= _began(connection, rows, {number: told[number] for number in told.keys() - turned}, states, at)
    worded = among._replace(numbers=[int(number) for number, row in rows.items() if row.worded is not None])
    texts = _texts(connection, worded, at) if worded.numbers else {}
    sure = is_sure(
        connection, {number: Heard(word.place[0], word.session_id) for number, word in told.items()}, at, now
    )
    found = {}
    for number, row in rows.items():
        word, first = told.get(number), began.get(number)
        state = states.text(first.state_id) if first else None
        since = first.place[0] if first else None
        gone = since if state is not None and is_gone(state) else None
        name, image, slot, tags = (texts.get((number, what), _UNKNOWN) for what in TEXTUAL)
        kind = words.types[row.type_id]
        if kind == "action":
            name = _Text(connection.scalar(statement(_NAME), {"name": row.name_id}), None)
        certain = None if word is None else gone is not None or number in sure
        heard = frozenset() if word is None else frozenset([word.session_id])
        told_of = (row.uri, kind, name.text, state, since, gone, image.text, slot.text, name.since, image.since)
        heard_at = None if word is None else word.place[0]
        found[number] = Stood(number, *told_of, certain, heard, heard_at, tags_in(tags.text), tags.since)
    return found


def standing_now(connection: Connection, numbers: Iterable[Number], now: datetime) -> dict[Number, Stood]:
    """How some resources stand now, by their present rows, what is gone, too; judged up to the last sign of life."""
    found: dict[Number, Stood] = {}
    for among in by_platform(numbers):
        told = last_words(connection, map(among.of, among.numbers), OPEN - 1)
        heard = {number: Heard(word.place[0], word.session_id) for number, word in told.items()}
        sure = is_sure(connection, heard, to_micros(now), now, lasting=False)
        for row in connection.execute(statement(_PRESENT), among.values()):
            number = among.of(row.id)
            word = told.get(number)
            certain = None if word is None else row.gone_at is not None or number in sure
            sessions = frozenset() if word is None else frozenset([word.session_id])
            told_of = (row.uri, row.type, row.name, row.state, row.state_since, row.gone_at, row.image, row.slot)
            found[number] = Stood(number, *told_of, certain=certain, sessions=sessions, tags=tags_in(row.tags))
    return found


def who_told(connection: Connection, stood: Iterable[Stood]) -> list[int] | None:
    """The streams that told how some resources stood: none, where all was imported; None, all: nothing is known."""
    sessions = {session for each in stood for session in each.sessions}
    return sorted(set(streams_of(connection, sessions).values())) if sessions else None


_PRESENT = (
    "SELECT r.id, r.uri, t.text AS type, n.text AS name, s.text AS state, p.state_since, p.gone_at,"
    " i.text AS image, o.text AS slot, (SELECT x.text FROM texts x WHERE x.id = p.tags_id) AS tags"
    " FROM resources r JOIN event_types t ON t.id = r.type_id"
    " LEFT JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id LEFT JOIN event_states s ON s.id = p.state_id"
    " LEFT JOIN texts i ON i.id = p.image_id LEFT JOIN texts o ON o.id = p.slot_id"
    " WHERE r.platform_id = :platform AND r.id IN :numbers"
)
_KNOWN = (
    "SELECT r.id, r.uri, r.type_id, p.name_id, p.state_id, p.state_since,"
    " coalesce(p.name_id, p.image_id, p.slot_id, p.tags_id) AS worded"
    " FROM resources r JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " WHERE r.platform_id = :platform AND r.id IN :numbers AND p.first_at <= :at"
)

_NAME = "SELECT n.text FROM texts n WHERE n.id = :name"
_TOLD_SINCE = (
    "SELECT r.id FROM resources r WHERE r.platform_id = :platform AND r.id IN :numbers AND ("
    "EXISTS (SELECT 1 FROM events e WHERE e.platform_id = r.platform_id AND e.resource_id = r.id"
    " AND e.occurred_at > :first AND e.occurred_at <= :at)"
    " OR EXISTS (SELECT 1 FROM observations o"
    " WHERE o.platform_id = r.platform_id AND o.resource_id = r.id"
    " AND o.observed_at > :first AND o.observed_at <= :at))"
)


def _began(
    connection: Connection, rows: Mapping[Number, Any], told: Mapping[Number, Told], states: States, at: Micros
) -> dict[Number, Told]:
    """Of the last states in a row that are the same, the first word of each resource."""
    found: dict[Number, Told] = {}
    apart: dict[str, list[Number]] = {}
    for number, word in told.items():
        row, folded = rows[number], states.folded(word.state_id)
        if row.state_since is not None and row.state_since <= at and states.folded(row.state_id) == folded:
            found[number] = Told((row.state_since, 0, 0), row.state_id, None)  # it stands so still
        else:
            apart.setdefault(folded, []).append(number)
    others: dict[Number, Told] = {}
    for folded, numbers in apart.items():
        others |= last_of(connection, numbers, at, LAST_OTHER, states.same(folded))
    found |= first_behind(connection, [number for some in apart.values() for number in some], others)
    return found


def began_to_live(connection: Connection, numbers: Iterable[Number], at: Micros) -> dict[Number, Micros]:
    """When the life of each resource began that it had at an instant: it was heard of first, or came back."""
    ended = last_of(connection, numbers, at, LAST_OF, States(connection).gone)
    found = {number: word.place[0] for number, word in first_behind(connection, ended, ended).items()}
    for among in by_platform(number for number in numbers if number not in found):
        rows = connection.execute(statement(_FIRST_HEARD), among.values())
        found.update((among.of(row.resource_id), row.first_at) for row in rows)
    return found


_FIRST_HEARD = (
    "SELECT p.resource_id, p.first_at FROM present p WHERE p.platform_id = :platform AND p.resource_id IN :numbers"
)


# --- names and images -----------------------------------------------------------------------------------------------


class _Text(NamedTuple):
    """A name, an image, a slot or all tags, and since when."""

    text: str | None
    since: Micros | None


_UNKNOWN = _Text(None, None)
_TEXTS = (
    "SELECT f.resource_id, f.what, n.text, f.since FROM facts f JOIN texts n ON n.id = f.value"
    f" WHERE f.platform_id = :platform AND f.resource_id IN :numbers AND f.what IN {TEXTUAL}"
    " AND f.since <= :at AND f.until > :at"
)


def tags_in(told: str | None) -> tuple[str, ...]:
    """The tags in a list as the archive has it; none where nobody told."""
    return () if told is None else tuple(parse(told))


def _texts(connection: Connection, among: Among, at: Micros) -> dict[tuple[int, int], _Text]:
    rows = connection.execute(statement(_TEXTS), among.values(at=at))
    return {(row.resource_id, row.what): _Text(row.text, row.since) for row in rows}

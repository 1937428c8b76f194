"""How resources stood at an instant: in which state, under which name, made of what, and how sure that is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from archiver.model import Micros, to_datetime, to_micros
from archiver.platforms.docker import facts as docker
from archiver.platforms.tutum import facts as tutum
from archiver.queries.sureness import Heard, is_sure, streams_of
from archiver.storage.reading import Connection, micros
from archiver.storage.statements import chunks, statement
from archiver.storage.words import BY_EVENT, BY_OBSERVATION, IMAGE, NAME, OPEN, SLOT

_GONE = tutum.GONE | docker.GONE
_NONE = 0
"""The number of no state."""

Place = tuple[Micros, int, int]
"""Where a word stands among all: its instant, its source, its number."""


class Stood(NamedTuple):
    """How a resource stood."""

    id: int
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


class _Told(NamedTuple):
    """A word that tells a state."""

    place: Place
    state_id: int
    session_id: int | None


def stood(connection: Connection, numbers: Iterable[int], at: Micros, now: datetime) -> dict[int, Stood]:
    """How those of some resources stood at an instant that had been heard of by then; what was gone, too."""
    found: dict[int, Stood] = {}
    for part in chunks(numbers):
        found |= _stood(connection, part, at, now)
    return found


def _stood(connection: Connection, numbers: Collection[int], at: Micros, now: datetime) -> dict[int, Stood]:
    rows = {row.id: row for row in connection.execute(statement(_KNOWN), {"numbers": numbers, "at": at})}
    told = last_words(connection, rows, at)
    states = _States(connection)
    began = _began(connection, rows, told, states, at)
    texts = _texts(connection, rows, at)
    sure = is_sure(
        connection, {number: Heard(word.place[0], word.session_id) for number, word in told.items()}, at, now
    )
    found = {}
    for number, row in rows.items():
        word, first = told.get(number), began.get(number)
        state = states.text(first.state_id) if first else None
        since = first.place[0] if first else None
        gone = since if state is not None and state.lower() in _GONE else None
        name, image, slot = (texts.get((number, what), _UNKNOWN) for what in (NAME, IMAGE, SLOT))
        if row.type == "action":
            name = _Text(row.name, None)
        certain = None if word is None else gone is not None or number in sure
        heard = frozenset() if word is None else frozenset([word.session_id])
        told_of = (row.uri, row.type, name.text, state, since, gone, image.text, slot.text, name.since, image.since)
        found[number] = Stood(number, *told_of, certain, heard)
    return found


def standing_now(connection: Connection, numbers: Iterable[int], now: datetime) -> dict[int, Stood]:
    """How some resources stand now, by their present rows, what is gone, too; judged up to the last sign of life."""
    found: dict[int, Stood] = {}
    for part in chunks(numbers):
        told = last_words(connection, part, OPEN - 1)
        heard = {number: Heard(word.place[0], word.session_id) for number, word in told.items()}
        sure = is_sure(connection, heard, to_micros(now), now, lasting=False)
        for row in connection.execute(statement(_PRESENT), {"numbers": part}):
            word = told.get(row.id)
            certain = None if word is None else row.gone_at is not None or row.id in sure
            sessions = frozenset() if word is None else frozenset([word.session_id])
            told_of = (row.uri, row.type, row.name, row.state, row.state_since, row.gone_at, row.image, row.slot)
            found[row.id] = Stood(row.id, *told_of, certain=certain, sessions=sessions)
    return found


def who_told(connection: Connection, stood: Iterable[Stood]) -> list[int] | None:
    """The streams that told how some resources stood: none, where all was imported; None, all: nothing is known."""
    sessions = {session for each in stood for session in each.sessions}
    return sorted(set(streams_of(connection, sessions).values())) if sessions else None


_PRESENT = (
    "SELECT r.id, r.uri, t.text AS type, n.text AS name, s.text AS state, p.state_since, p.gone_at,"
    " i.text AS image, o.text AS slot"
    " FROM resources r JOIN event_types t ON t.id = r.type_id LEFT JOIN present p ON p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id LEFT JOIN event_states s ON s.id = p.state_id"
    " LEFT JOIN texts i ON i.id = p.image_id LEFT JOIN texts o ON o.id = p.slot_id"
    " WHERE r.id IN :numbers"
)
_KNOWN = (
    "SELECT r.id, r.uri, t.text AS type, n.text AS name, p.state_id, p.state_since"
    " FROM resources r JOIN event_types t ON t.id = r.type_id JOIN present p ON p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE r.id IN :numbers AND p.first_at <= :at"
)

# --- what was told of states ----------------------------------------------------------------------------------------


def last_words(connection: Connection, numbers: Iterable[int], at: Micros) -> dict[int, _Told]:
    """The last word of each resource, at an instant or before it, that tells a state."""
    found: dict[int, _Told] = {}
    for part in chunks(numbers):
        rows = connection.execute(statement(_LAST), {"numbers": part, "at": _moment(at)}).all()
        words = _words(connection, rows)
        for row in rows:
            _keep(found, row.id, words, row, max)
    return found


def _began(
    connection: Connection, rows: Mapping[int, Any], told: Mapping[int, _Told], states: _States, at: Micros
) -> dict[int, _Told]:
    """Of the last states in a row that are the same, the first word of each resource."""
    found: dict[int, _Told] = {}
    apart: dict[str, list[int]] = {}
    for number, word in told.items():
        row, folded = rows[number], states.folded(word.state_id)
        if row.state_since is not None and row.state_since <= at and states.folded(row.state_id) == folded:
            found[number] = _Told((row.state_since, 0, 0), row.state_id, None)  # it stands so still
        else:
            apart.setdefault(folded, []).append(number)
    others: dict[int, _Told] = {}
    for folded, numbers in apart.items():
        others |= _last_of(connection, numbers, at, _LAST_OTHER, states.same(folded))
    found |= _first_behind(connection, [number for some in apart.values() for number in some], others)
    return found


def began_to_live(connection: Connection, numbers: Iterable[int], at: Micros) -> dict[int, Micros]:
    """When the life of each resource began that it had at an instant: it was heard of first, or came back."""
    ended = _last_of(connection, numbers, at, _LAST_END, _States(connection).gone)
    found = {number: word.place[0] for number, word in _first_behind(connection, ended, ended).items()}
    for part in chunks(number for number in numbers if number not in found):
        rows = connection.execute(statement(_FIRST_HEARD), {"numbers": part})
        found.update((row.resource_id, row.first_at) for row in rows)
    return found


def _last_of(
    connection: Connection, numbers: Iterable[int], at: Micros, text: str, state_ids: Sequence[int]
) -> dict[int, _Told]:
    """The last word of each resource, at an instant or before it, that tells one of some states, or any other."""
    found: dict[int, _Told] = {}
    for part in chunks(numbers):
        rows = connection.execute(statement(text), {"numbers": part, "at": _moment(at), "states": state_ids}).all()
        words = _words(connection, rows)
        for row in rows:
            _keep(found, row.id, words, row, max)
    return found


def _first_behind(connection: Connection, numbers: Iterable[int], others: Mapping[int, _Told]) -> dict[int, _Told]:
    """The first word of each resource that tells a state behind another of its words; behind none, the very first."""
    asked: dict[str, list[int]] = {_FIRST: [], _BEHIND_EVENT: [], _BEHIND_OBSERVATION: []}
    for number in numbers:
        other = others.get(number)
        if other is None:
            asked[_FIRST].append(number)
        else:
            asked[_BEHIND_EVENT if other.place[1] == BY_EVENT else _BEHIND_OBSERVATION].append(other.place[2])
    found: dict[int, _Told] = {}
    for text, some in asked.items():
        for part in chunks(some):
            rows = connection.execute(statement(text), {"numbers": part}).all()
            words = _words(connection, rows)
            for row in rows:
                _keep(found, row.id, words, row, min)
    return found


def _state_of(table: str, at: str, which: str, order: str) -> str:
    """The number of the first word of a resource in an order, of those that tell a state."""
    return (
        f"(SELECT w.id FROM {table} w WHERE w.resource_id = {{of}} AND w.state_id IS NOT NULL AND {which}"
        f" ORDER BY w.{at}{order}, w.id{order} LIMIT 1)"
    )


def _either(event: str, observation: str, order: str, of: str, source: str) -> str:
    told = _state_of("events", "occurred_at", event, order).format(of=of)
    asked = _state_of("observations", "observed_at", observation, order).format(of=of)
    return f"SELECT {of} AS id, {told} AS told, {asked} AS asked FROM {source} b WHERE b.id IN :numbers"


def _last(which: str) -> str:
    """The last words of resources at an instant or before it, of those that fulfil a condition."""
    told, asked = (f"w.{at} <= :at AND {which}" for at in ("occurred_at", "observed_at"))
    return _either(told, asked, " DESC", "b.id", "resources")


_LAST = _last("1 = 1")
_LAST_OTHER = _last("w.state_id NOT IN :states")
_LAST_END = _last("w.state_id IN :states")
_FIRST = _either("1 = 1", "1 = 1", "", "b.id", "resources")
_BEHIND_EVENT = _either(
    "w.occurred_at >= b.occurred_at AND (w.occurred_at > b.occurred_at OR w.id > b.id)",
    "w.observed_at >= b.occurred_at",
    "",
    "b.resource_id",
    "events",
)
_BEHIND_OBSERVATION = _either(
    "w.occurred_at > b.observed_at",
    "w.observed_at >= b.observed_at AND (w.observed_at > b.observed_at OR w.id > b.id)",
    "",
    "b.resource_id",
    "observations",
)
_FIRST_HEARD = "SELECT p.resource_id, p.first_at FROM present p WHERE p.resource_id IN :numbers"
_EVENTS = "SELECT e.id, e.occurred_at AS at, e.state_id, e.session_id FROM events e WHERE e.id IN :numbers"
_OBSERVATIONS = "SELECT o.id, o.observed_at AS at, o.state_id, o.session_id FROM observations o WHERE o.id IN :numbers"

_Words = Mapping[tuple[int, int], _Told]


def _words(connection: Connection, rows: Iterable[Any]) -> _Words:
    """What the words say that were found, by source and number."""
    found: dict[tuple[int, int], _Told] = {}
    numbers: tuple[list[int], list[int]] = ([], [])
    for row in rows:
        for source, number in ((BY_EVENT, row.told), (BY_OBSERVATION, row.asked)):
            if number is not None:
                numbers[source].append(number)
    for source, text in ((BY_EVENT, _EVENTS), (BY_OBSERVATION, _OBSERVATIONS)):
        for part in chunks(numbers[source]):
            for row in connection.execute(statement(text), {"numbers": part}):
                place = (micros(row.at), source, row.id)
                found[source, row.id] = _Told(place, row.state_id, row.session_id)
    return found


def _keep(found: dict[int, _Told], number: int, words: _Words, row: Any, pick: Any) -> None:
    said = [words[place] for place in ((BY_EVENT, row.told), (BY_OBSERVATION, row.asked)) if place[1] is not None]
    if said:
        found[number] = pick(said)


class _States:
    """The states of an archive, by number."""

    def __init__(self, connection: Connection) -> None:
        self._texts: dict[int, str] = {
            row.id: row.text for row in connection.execute("SELECT s.id, s.text FROM event_states s")
        }

    def text(self, number: int) -> str:
        """A state as the platform spells it."""
        return self._texts[number]

    def folded(self, number: int) -> str:
        """In lower case: what differs only in that is one state."""
        return self._texts[number].lower()

    def same(self, folded: str) -> list[int]:
        """All that are one state."""
        return [number for number, text in self._texts.items() if text.lower() == folded]

    @property
    def gone(self) -> list[int]:
        """Those in which a resource is no more."""
        return [number for number, text in self._texts.items() if text.lower() in _GONE] or [_NONE]


# --- names and images -----------------------------------------------------------------------------------------------


class _Text(NamedTuple):
    """A name, an image or a slot, and since when."""

    text: str | None
    since: Micros | None


_UNKNOWN = _Text(None, None)
_TEXTS = (
    "SELECT f.resource_id, f.what, n.text, f.since FROM facts f JOIN texts n ON n.id = f.value"
    f" WHERE f.resource_id IN :numbers AND f.what IN ({NAME}, {IMAGE}, {SLOT}) AND f.since <= :at AND f.until > :at"
)


def _texts(connection: Connection, numbers: Iterable[int], at: Micros) -> dict[tuple[int, int], _Text]:
    rows = connection.execute(statement(_TEXTS), {"numbers": list(numbers), "at": at})
    return {(row.resource_id, row.what): _Text(row.text, row.since) for row in rows}


def _moment(at: Micros) -> datetime:
    return _LATEST if at >= OPEN - 1 else to_datetime(at)


_LATEST = datetime.max.replace(tzinfo=UTC)

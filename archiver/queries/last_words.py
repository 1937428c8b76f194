"""The words that told states of many resources: the last at an instant or before it, and the first behind another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from archiver.model import Micros, Number, numbers_of, to_datetime
from archiver.queries.causes import is_gone
from archiver.storage.database.reading import Connection, micros
from archiver.storage.database.statements import Among, Statement, Values, by_platform, chunks, statement
from archiver.storage.words import BY_EVENT, BY_OBSERVATION, OPEN

_NONE = 0
"""The number of no state."""
_RUNNING = "running"
"""The state, on both platforms, in which a container runs; a detail in brackets may follow."""

Place = tuple[Micros, int, int]
"""Where a word stands among all: its instant, its source, its number."""


class Told(NamedTuple):
    """A word that tells a state."""

    place: Place
    state_id: int
    session_id: int | None


def is_running(state: str | None) -> bool:
    """Whether a container in that state runs."""
    return state is not None and state.lower().partition(" (")[0] == _RUNNING


def last_words(connection: Connection, numbers: Iterable[Number], at: Micros) -> dict[Number, Told]:
    """The last word of each resource, at an instant or before it, that tells a state."""
    found: dict[Number, Told] = {}
    for among in by_platform(numbers):
        _keep(connection, found, among, _LAST, among.values(at=_moment(at)), max)
    return found


def last_turns(
    connection: Connection, numbers: Iterable[Number], at: Micros, states: States
) -> tuple[dict[Number, Told], set[Number]]:
    """The last word of each resource as in `last_words`, and those of which the word before surely told another state.

    Of the others it may have: what was told and what was found last before it differ, or it was found itself.
    """
    found: dict[Number, Told] = {}
    turned: set[Number] = set()
    for among in by_platform(numbers):
        rows = connection.execute(_asked_of(connection, _LAST_TWO), among.values(at=_moment(at))).all()
        words = _words(connection, among.platform, rows)
        for row in rows:
            said = [words[BY_EVENT, row.told]] if row.told is not None else []
            said += [words[BY_OBSERVATION, row.asked]] if row.asked is not None else []
            if said:
                number = among.of(row.id)
                last = found[number] = max(said)
                before = [row.before, *(word.state_id for word in said if word is not last)]
                if last.place[1] == BY_EVENT and states.folded(last.state_id) not in _folded(before, states):
                    turned.add(number)
    return found, turned


def _folded(numbers: Iterable[int | None], states: States) -> list[str]:
    return [states.folded(number) for number in numbers if number is not None]


def last_of(
    connection: Connection, numbers: Iterable[Number], at: Micros, text: str, state_ids: Sequence[int]
) -> dict[Number, Told]:
    """The last word of each resource, at an instant or before it, that tells one of some states, or any other."""
    found: dict[Number, Told] = {}
    for among in by_platform(numbers):
        _keep(connection, found, among, text, among.values(at=_moment(at), states=state_ids), max)
    return found


def first_behind(
    connection: Connection, numbers: Iterable[Number], others: Mapping[Number, Told]
) -> dict[Number, Told]:
    """The first word of each resource that tells a state behind another of its words; behind none, the very first."""
    asked: dict[str, list[Number]] = {_FIRST: [], _BEHIND_EVENT: [], _BEHIND_OBSERVATION: []}
    for number in numbers:
        other = others.get(number)
        if other is None:
            asked[_FIRST].append(number)
        else:
            word = numbers_of(number.platform)(other.place[2])
            asked[_BEHIND_EVENT if other.place[1] == BY_EVENT else _BEHIND_OBSERVATION].append(word)
    found: dict[Number, Told] = {}
    for text, some in asked.items():
        for among in by_platform(some):
            _keep(connection, found, among, text, among.values(), min)
    return found


def _state_of(table: str, at: str, which: str, order: str, what: str = "w.id", behind: int = 0) -> str:
    """The number, or the state, of a word of a resource in an order, of those that tell a state: of the first."""
    return (
        f"(SELECT {what} FROM {table} w WHERE w.platform_id = b.platform_id AND w.resource_id = {{of}}"
        f" AND w.state_id IS NOT NULL AND {which}"
        f" ORDER BY w.{at}{order}, w.id{order} LIMIT 1{f' OFFSET {behind}' if behind else ''})"
    )


def _either(
    event: str, observation: str, order: str, of: str, source: str, *more: str, if_asked: str | None = None
) -> str:
    told = _state_of("events", "occurred_at", event, order).format(of=of)
    asked = _state_of("observations", "observed_at", observation, order).format(of=of)
    if if_asked is not None:
        asked = f"CASE WHEN {if_asked} THEN {asked} END"
    columns = ", ".join([f"{of} AS id", f"{told} AS told", f"{asked} AS asked", *more])
    return f"SELECT {columns} FROM {source} b WHERE b.platform_id = :platform AND b.id IN :numbers"


# Looked up once for all: before the first answer there is none of any resource. Only on SQLite, where no table is
# divided by platform.
_ANYBODY_ASKED = "(SELECT min(o.observed_at) FROM observations o) <= :at"


def _asked_of(connection: Connection, text: str) -> Statement:
    return statement(text if connection.dialect.name == "sqlite" else text.replace(_ANYBODY_ASKED, "true"))


def _last(which: str) -> str:
    """The last words of resources at an instant or before it, of those that fulfil a condition."""
    told, asked = (f"w.{at} <= :at AND {which}" for at in ("occurred_at", "observed_at"))
    return _either(told, asked, " DESC", "b.id", "resources", if_asked=_ANYBODY_ASKED)


_LAST = _last("1 = 1")
_LAST_TWO = _either(
    "w.occurred_at <= :at",
    "w.observed_at <= :at",
    " DESC",
    "b.id",
    "resources",
    _state_of("events", "occurred_at", "w.occurred_at <= :at", " DESC", "w.state_id", behind=1).format(of="b.id")
    + " AS before",
    if_asked=_ANYBODY_ASKED,
)
"""The last words of resources, and which state each told before."""
LAST_OTHER = _last("w.state_id NOT IN :states")
"""The last word that tells any but some states, for `last_of`."""
LAST_OF = _last("w.state_id IN :states")
"""The last word that tells one of some states, for `last_of`."""
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
_EVENTS, _OBSERVATIONS = (
    f"SELECT w.id, w.{at} AS at, w.state_id, w.session_id FROM {table} w"
    " WHERE w.platform_id = :platform AND w.id IN :numbers"
    for table, at in (("events", "occurred_at"), ("observations", "observed_at"))
)


def _keep(
    connection: Connection, found: dict[Number, Told], among: Among, text: str, values: Values, pick: Any
) -> None:
    """Puts a question about some resources, and keeps of the words that each has in the answer the one to `pick`."""
    rows = connection.execute(_asked_of(connection, text), values).all()
    words = _words(connection, among.platform, rows)
    for row in rows:
        places = ((BY_EVENT, row.told), (BY_OBSERVATION, row.asked))
        if said := [words[place] for place in places if place[1] is not None]:
            found[among.of(row.id)] = pick(said)


def _words(connection: Connection, platform: int, rows: Iterable[Any]) -> Mapping[tuple[int, int], Told]:
    """What the words of a platform say that were found, by source and number."""
    found: dict[tuple[int, int], Told] = {}
    numbers: tuple[list[int], list[int]] = ([], [])
    for row in rows:
        for source, number in ((BY_EVENT, row.told), (BY_OBSERVATION, row.asked)):
            if number is not None:
                numbers[source].append(number)
    for source, text in ((BY_EVENT, _EVENTS), (BY_OBSERVATION, _OBSERVATIONS)):
        for part in chunks(numbers[source]):
            for row in connection.execute(statement(text), {"platform": platform, "numbers": part}):
                place = (micros(row.at), source, row.id)
                found[source, row.id] = Told(place, row.state_id, row.session_id)
    return found


class States:
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
    def running(self) -> list[int]:
        """Those in which a container runs, whatever stands in brackets behind it."""
        running = (number for number, text in self._texts.items() if is_running(text))
        return list(running) or [_NONE]

    @property
    def gone(self) -> list[int]:
        """Those in which a resource is no more."""
        return [number for number, text in self._texts.items() if is_gone(text)] or [_NONE]


def _moment(at: Micros) -> datetime:
    return _LATEST if at >= OPEN - 1 else to_datetime(at)


_LATEST = datetime.max.replace(tzinfo=UTC)

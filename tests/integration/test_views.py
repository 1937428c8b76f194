"""What the published views show is what a reckoning by hand over the same rows gives, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from archiver.model import Micros, iso, to_datetime
from archiver.storage import migrate, schema
from archiver.storage.database.engine import reading_engine, writing_engine
from archiver.storage.intervals import node
from archiver.storage.lasting import LIVES
from archiver.storage.schema import OPEN, PARENT, TARGET
from archiver.storage.uuids import pack
from archiver.storage.views import VIEWS
from archiver.storage.views.subtree import subtree

from .archives import START, rows, uri

TYPES = ("nodecluster", "stack", "service", "container", "process", "action")
"""From the top down: each may be under any of those before it, which makes four levels above the lowest."""
ACTION = len(TYPES) - 1
Interval = tuple[Micros, Micros]

PLATFORM = [{"id": 1, "key": "p", "name": "p"}]


# --- what is under what ---------------------------------------------------------------------------------------------


class Places:
    """Random facts: who was under whom, and on whom actions ran."""

    def __init__(self, seed: int) -> None:
        self._random = random = Random(seed)
        self.kinds = [kind for kind in range(ACTION) for _ in range(2)] + [ACTION] * 6
        self.edges: dict[tuple[int, int], list[Interval]] = {}
        self.targets: dict[int, tuple[int, Interval]] = {}
        for number, kind in enumerate(self.kinds, 1):
            if kind == ACTION:
                since = random.randrange(20)
                until = random.choice([since, since + 3, OPEN])
                self.targets[number] = random.randint(0, 2 * ACTION), (since, until)
                continue
            for above in range(1, len(self.kinds) + 1):
                # Now and then a circle: what is below is above as well.
                if above != number and self.kinds[above - 1] != ACTION and random.random() < self._chance(kind, above):
                    self.edges[number, above] = list(self._stretches())

    def _chance(self, kind: int, above: int) -> float:
        distance = kind - self.kinds[above - 1]
        return {1: 0.8, 2: 0.4}.get(distance, 0.2 if distance > 0 else 0.0)

    def _stretches(self) -> Iterator[Interval]:
        at = self._random.randrange(6)
        while at < 20:
            until = at + self._random.randint(1, 8)
            yield at, OPEN if until > 18 else until
            at = until + self._random.randint(1, 4)

    def above(self, number: int, at: Micros) -> set[int]:
        """What a resource is under at an instant."""
        found: set[int] = set()
        frontier = {number}
        while frontier:
            frontier = {
                above
                for (below, above), stretches in self.edges.items()
                if below in frontier and any(since <= at < until for since, until in stretches)
            } - found
            found |= frontier
        return found - {number}

    def expected(self) -> set[tuple[int, int, Micros, Micros | None]]:
        """Every pair, and each stretch of time in which it was one."""
        found = set()
        for number, kind in enumerate(self.kinds, 1):
            if kind == ACTION:
                target, (since, until) = self.targets[number]
                above = {target, *self.above(target, since)} if target else set()
                found |= {(each, number, since, None if until == OPEN else until) for each in above}
                continue
            at: dict[int, Micros] = {}
            for now in range(41):
                held = self.above(number, now)
                for each in held - at.keys():
                    at[each] = now
                for each in at.keys() - held:
                    found.add((each, number, at.pop(each), now))
            found |= {(each, number, since, None) for each, since in at.items()}
        return found

    def write(self, connection: Connection) -> None:
        types = [{"id": kind + 1, "text": text} for kind, text in enumerate(TYPES)]
        connection.execute(insert(schema.event_types), types)
        connection.execute(insert(schema.platforms), PLATFORM)
        resources = [
            {"id": number, "platform_id": 1, "type_id": kind + 1, "key": str(number)}
            | {"uri": uri(f"{TYPES[kind]}/{number}")}
            for number, kind in enumerate(self.kinds, 1)
        ]
        connection.execute(insert(schema.resources), resources)
        facts = [
            _fact(below, PARENT, above, stretch)
            for (below, above), stretches in self.edges.items()
            for stretch in stretches
        ]
        facts += [_fact(action, TARGET, target, ran) for action, (target, ran) in self.targets.items()]
        connection.execute(insert(schema.facts), facts)


def _fact(resource: int, what: int, value: int, stretch: Interval) -> dict[str, Any]:
    since, until = (START + each if each < OPEN else OPEN for each in stretch)
    told = {"platform_id": 1, "resource_id": resource, "what": what, "value": value, "since": since, "until": until}
    return told | {"node": node(since, until), "told_by": 1, "how": (resource + value) % 3}


SEEDS = range(12)
HOLDS = list(subtree.columns).index("holds")


@pytest.mark.parametrize("seed", SEEDS)
def test_subtree_shows_when_what_was_under_what_each_stretch_once(database_url: str, seed: int) -> None:
    places = Places(seed)
    written(database_url, places.write)

    found = rows(database_url, "SELECT ancestor_uri, descendant_uri, since_us, until_us, holds FROM subtree")

    shown = [(_key(above), _key(below), since - START, _from_start(until)) for above, below, since, until, _ in found]
    assert sorted(map(str, shown)) == sorted(map(str, places.expected()))
    assert all((until is None and "/action/" not in below) == (holds == 1) for _, below, _, until, holds in found)


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_subtree_shows_the_same_from_above_from_below_and_by_what_holds(database_url: str, seed: int) -> None:
    places = Places(seed)
    written(database_url, places.write)
    engine = reading_engine(database_url)
    with engine.connect() as connection:  # one, since PostgreSQL then plans each question of many once
        everything = [tuple(row) for row in connection.execute(text("SELECT * FROM subtree"))]

        def shown(where: str, **values: str) -> list[str]:
            found = connection.execute(text(f"SELECT * FROM subtree WHERE {where}"), values)
            return sorted(str(tuple(row)) for row in found)

        for number, kind in enumerate(places.kinds, 1):
            one = uri(f"{TYPES[kind]}/{number}")
            for side, place in (("ancestor_uri", 0), ("descendant_uri", 1)):
                assert shown(f"{side} = :one", one=one) == sorted(str(row) for row in everything if row[place] == one)
        assert shown("holds = 1") == sorted(str(row) for row in everything if row[HOLDS] == 1)
    engine.dispose()


def _key(found: str) -> int:
    return int(found.split("/")[-2])


def _from_start(until: Micros | None) -> Micros | None:
    return None if until is None else until - START


# --- states ---------------------------------------------------------------------------------------------------------

STATES = ("Running", "running", "RUNNING", "Stopped", "Not running", "Not Running")
Word = tuple[Micros, int, int, int | None]
"""Instant, source, number, number of the state."""


def random_words(seed: int) -> dict[int, list[Word]]:
    """Words of three resources, many at the same instant, in no order."""
    random = Random(seed)
    words: dict[int, list[Word]] = {1: [], 2: [], 3: []}
    for source in (0, 1):
        for number in range(1, 40):
            state = random.choice([None, *range(1, len(STATES) + 1)])
            words[random.randint(1, 3)].append((START + random.randrange(25), source, number, state))
    return words


def expected_spans(words: dict[int, list[Word]]) -> Iterator[tuple[int, str, Micros, Micros | None, str]]:
    for resource, said in words.items():
        runs: list[tuple[str, Micros, int]] = []
        for at, source, _, state in sorted(said):
            if state is not None and (not runs or runs[-1][0].lower() != STATES[state - 1].lower()):
                runs.append((STATES[state - 1], at, source))
        for (state_text, since, source), following in zip(runs, [*runs[1:], None], strict=True):
            until = following[1] if following else None
            yield resource, state_text, since, until, ("event", "observation")[source]


def write_words(connection: Connection, words: dict[int, list[Word]]) -> None:
    connection.execute(insert(schema.platforms), PLATFORM)
    connection.execute(insert(schema.event_types), [{"id": 1, "text": "container"}])
    connection.execute(insert(schema.event_states), [{"id": n, "text": text} for n, text in enumerate(STATES, 1)])
    for resource, said in words.items():
        named: dict[str, object] = {"id": resource, "platform_id": 1, "type_id": 1, "key": str(resource)}
        named["uri"] = uri(f"container/{resource}")
        connection.execute(insert(schema.resources), [named])
        events = [
            {"id": number, "resource_id": resource, "type_id": 1, "state_id": state, "occurred_at": to_datetime(at)}
            | {"platform_id": 1, "time_source": 1, "received_at": at, "uuid": pack(f"{number}")}
            for at, source, number, state in said
            if source == 0
        ]
        connection.execute(insert(schema.events), events)
        found = [
            {"id": number, "platform_id": 1, "resource_id": resource, "state_id": state}
            | {"observed_at": to_datetime(at)}
            for at, source, number, state in said
            if source == 1
        ]
        connection.execute(insert(schema.observations), found)
        spans = [span for span in expected_spans({resource: said})]
        now = {"platform_id": 1, "resource_id": resource, "type_id": 1, "heads": 0, "lasted": LIVES}
        now |= {"first_at": min(said)[0], "state_since": spans[-1][2]}
        connection.execute(insert(schema.present), [now])


@pytest.mark.parametrize("seed", SEEDS)
def test_state_spans_shows_every_run_of_states_that_differ_in_more_than_case(database_url: str, seed: int) -> None:
    words = random_words(seed)
    written(database_url, lambda connection: write_words(connection, words))

    found = rows(database_url, "SELECT uri, state, since_us, until_us, source FROM state_spans")

    shown = [(_key(one), *row) for one, *row in found]
    assert sorted(map(str, shown)) == sorted(map(str, expected_spans(words)))


def test_seconds_and_microseconds_are_those_of_the_text(database_url: str) -> None:
    first, last = START + 1, START + 1_100_002
    words: dict[int, list[Word]] = {1: [(first, 0, 1, 1), (last, 1, 1, 4)]}
    written(database_url, lambda connection: write_words(connection, words))

    ((since, until, seconds, since_us, until_us),) = rows(
        database_url, "SELECT since, until, seconds, since_us, until_us FROM state_spans WHERE until IS NOT NULL"
    )

    assert (since_us, until_us, seconds) == (first, last, 1.100001)
    assert [_text(since), _text(until)] == [iso(first), iso(last)]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00.000001Z", "1969-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.5Z"])
def test_an_instant_of_any_year_is_shown_as_it_is(database_url: str, at: str) -> None:
    from datetime import datetime

    from archiver.model import to_micros

    moment = to_micros(datetime.fromisoformat(at))
    written(database_url, lambda connection: write_words(connection, {1: [(moment, 0, 1, 1), (moment + 1, 1, 1, 4)]}))

    ((occurred, occurred_us, received),) = rows(
        database_url, "SELECT occurred_at, occurred_us, received_at FROM event_log"
    )

    assert (_text(occurred), occurred_us, _text(received)) == (iso(moment), moment, iso(moment))


@pytest.mark.parametrize(
    "uuid",
    ["0f8fad5b-d9cb-469f-a165-70867728950e", "0F8FAD5B-D9CB-469F-A165-70867728950E", "sixteen letters!", "é", ""],
)
def test_a_uuid_is_shown_as_it_was(database_url: str, uuid: str) -> None:
    def write(connection: Connection) -> None:
        connection.execute(insert(schema.event_types), [{"id": 1, "text": "container"}])
        told = {
            "id": 1,
            "platform_id": 1,
            "resource_id": 0,
            "type_id": 1,
            "occurred_at": to_datetime(START),
            "time_source": 1,
            "received_at": START,
        }
        connection.execute(insert(schema.events), [told | {"uuid": pack(uuid)}])

    written(database_url, write)

    assert rows(database_url, "SELECT uuid FROM event_log") == [(uuid,)]


def test_to_prepare_a_question_to_a_view_is_no_work_of_its_own(sqlite_url: str) -> None:
    """SQLite writes out what a view names as often as it is named: of `restarts` once 385,000 instructions."""
    migrate.create(sqlite_url)

    longest = max(len(rows(sqlite_url, f"EXPLAIN SELECT * FROM {view.name}")) for view in VIEWS)

    assert longest < 40_000


def _text(instant: Any) -> str:
    from archiver.model import to_micros

    return instant if isinstance(instant, str) else iso(to_micros(instant))


def written(url: str, write: Any) -> None:
    """Rows that no recorder made."""
    engine = writing_engine(url)
    with engine.begin() as connection:
        write(connection)
    engine.dispose()

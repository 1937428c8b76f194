"""Spans are split where nobody was watching, as a reckoning by hand over the same words and sessions gives it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random
from time import time
from typing import Any, NamedTuple

import pytest

from archiver.model import Alive, Observation
from archiver.platforms.docker import facts as docker
from archiver.platforms.tutum import facts as tutum
from archiver.simulator.world.states import TRANSITIONS

from .archives import START, STREAM, closed, event, micros, opened, record, rows, seen, uri

NOW = 1 << 60
SPANS = (
    "SELECT uri, state, since_us, CASE holds WHEN 1 THEN {now} ELSE until_us END, certain, watched FROM watched_spans"
    " WHERE type = 'container' ORDER BY uri, since_us, until_us"
)


class Word(NamedTuple):
    at: int
    state: str
    session: str | None
    life: int = 0
    """Which life somebody found who asked; 0: it was told, or they were not told."""

    @property
    def mark(self) -> tuple[str, int] | None:
        return (self.state.lower(), self.life) if self.life else None


class World:
    """Random words of a few objects, and sessions of two streams that watch now and then, some at once."""

    def __init__(self, seed: int) -> None:
        self._random = random = Random(seed)
        self.sessions: dict[str, tuple[str, int, int]] = {}
        for stream in ("ws://one.example/", "ws://one.example/other/"):
            for number in range(random.randint(1, 6)):
                since = random.randrange(100)
                until = since + random.choice([1, 3, 10, 25])
                self.sessions[f"{stream}{number}"] = stream, since, until
        self.words = {str(number): sorted(self._words()) for number in range(8)}

    def _words(self) -> Iterator[Word]:
        keys = [*self.sessions, None]
        for at in self._random.sample(range(5, 130), self._random.randint(1, 8)):
            state = self._random.choice(["Running", "running", "Stopped"])
            yield Word(at, state, self._random.choice(keys), self._random.choice([0, 0, 1, 1, 2]))

    def records(self) -> Iterator[Any]:
        for key, (stream, since, until) in self.sessions.items():
            yield opened(key, since, stream=stream)
            yield closed(key, until, stream=stream)
        for number, words in self.words.items():
            for word in words:
                make = seen if word.life else self._random.choice([event, seen])
                record = make(f"container/{number}", word.state, word.at, session=word.session)
                yield record._replace(extra=f'{{"started":"{word.life}"}}') if word.life else record

    def expected(self) -> list[tuple[Any, ...]]:
        return [row for number in self.words for row in self._rows(number)]

    def _rows(self, number: str) -> Iterator[tuple[Any, ...]]:
        words = self.words[number]
        begins = [n for n, word in enumerate(words) if not n or word.state.lower() != words[n - 1].state.lower()]
        for begin, end in zip(begins, [*begins[1:], None], strict=True):
            until = 200 if end is None else words[end].at
            for since, upto, certain, watched in self._pieces(words[begin:end], until, list(_unchanged(words))):
                last = NOW if upto == 200 else micros(upto)
                yield uri(f"container/{number}"), words[begin].state, micros(since), last, certain, watched

    def _pieces(
        self, words: list[Word], until: int, unchanged: list[tuple[int, int]]
    ) -> Iterator[tuple[int, int, int, int | None]]:
        """The seconds of a span, each with how sure it is, those that are alike together."""
        first = words[0]
        if first.session is None:
            yield first.at, until, 0, None
            return
        stream = self.sessions[first.session][0]
        begun, before = first.at, None
        for second in range(first.at, until):
            told = max(word.at for word in words if word.at <= second)
            between = range(told, second + 1)
            sure = int(all(self._is_watched(stream, at) or self._is_proven(stream, at, unchanged) for at in between))
            found = sure, int(self._is_watched(stream, second))
            if before not in (None, found):
                yield begun, second, *before
                begun = second
            before = found
        assert before is not None
        yield begun, until, *before

    def _is_watched(self, stream: str, second: int) -> bool:
        """Whether anybody watched from this second to the next."""
        return any(of == stream and since <= second < until for of, since, until in self.sessions.values())

    def _is_proven(self, stream: str, second: int, unchanged: list[tuple[int, int]]) -> bool:
        """Whether the gap that a second is in lies between two answers that say the same."""
        own = [(since, until) for of, since, until in self.sessions.values() if of == stream]
        before = [until for since, until in own if since <= second]
        behind = [since for since, _ in own if since > second]
        if not before or not behind:
            return False
        return any(since <= second and since < min(behind) <= until for since, until in unchanged)


def _unchanged(words: list[Word]) -> Iterator[tuple[int, int]]:
    for one, then in pairwise(words):
        if one.mark and one.mark == then.mark:
            yield one.at, then.at


@pytest.mark.parametrize("seed", range(5))
def test_a_span_is_split_where_nobody_was_watching(database_url: str, seed: int) -> None:
    world = World(seed)
    record(database_url, *world.records())

    assert rows(database_url, SPANS.format(now=NOW)) == world.expected()


def test_a_session_that_is_alive_has_no_gap_behind_it(database_url: str) -> None:
    now = time() - START / 1_000_000
    record(database_url, opened("a", now - 100), event("container/1", "Running", now - 50, session="a"))
    record(database_url, Alive(STREAM, "a", micros(now + 1000)))

    assert rows(database_url, "SELECT certain, watched, holds FROM watched_spans") == [(1, 1, 1)]


def test_what_only_others_named_is_not_known(database_url: str) -> None:
    record(database_url, event("container/1", "Running", 10, ["service/web"]), event("service/web", "Running", 20))

    found = rows(
        database_url,
        "SELECT state, kind, since_us, until_us, certain FROM watched_spans WHERE type = 'service' ORDER BY 3",
    )

    assert found[0] == (None, None, micros(10), micros(20), None)
    assert [row[0] for row in found] == [None, "Running"]


def test_what_is_gone_is_not_doubted(database_url: str) -> None:
    records = [opened("a", 0), event("container/1", "Running", 5, session="a")]
    record(database_url, *records, event("container/1", "Terminated", 9, session="a"), closed("a", 50), opened("b", 80))

    assert rows(database_url, "SELECT state, certain FROM watched_spans ORDER BY since_us") == [
        ("Running", 1), ("Terminated", 1),
    ]  # fmt: skip


def test_a_name_and_a_place_stand_beside_the_uri_and_stay_when_the_object_is_gone(database_url: str) -> None:
    above = ("service/web", "stack/shop", "node/n")
    named = [
        Observation(uri(ref), "Running", name, (), micros(1), None) for ref, name in zip(above, "WSN", strict=True)
    ]
    container = Observation(uri("container/1"), "running", "shop-web-1", tuple(map(uri, above)), micros(10), None)
    container = container._replace(image="nginx:1.25", slot="shop_web.1")
    record(database_url, *named, container, event("container/1", "removed", 20))

    names = ("shop-web-1", "S", "W", "shop_web.1", "N", "nginx:1.25")
    query = "name, stack, service, slot, node, image FROM watched_spans WHERE type = 'container' ORDER BY since_us"
    assert rows(database_url, f"SELECT state, {query}") == [("running", *names), ("removed", *names)]


# --- kinds of states ------------------------------------------------------------------------------------------------

KIND = "SELECT kind FROM watched_spans WHERE uri = '{}'"


@pytest.mark.parametrize(
    ("ref", "state", "kind"),
    [
        ("container/1", "Running", "up"),
        ("container/1", "exited (137)", "down"),
        ("container/1", "running (healthy)", "up"),
        ("container/1", "running (unhealthy)", "down"),
        ("container/1", "created", "starting"),
        ("volume/1", "created", "up"),
        ("container/1", "REMOVED", "gone"),
        ("container/1", "invented", None),
    ],
)
def test_a_state_has_a_kind_by_itself_by_its_type_or_by_its_family(
    database_url: str, ref: str, state: str, kind: str | None
) -> None:
    record(database_url, event(ref, state, 10))

    assert rows(database_url, KIND.format(uri(ref))) == [(kind,)]


def test_a_kind_of_ones_own_counts(database_url: str) -> None:
    from sqlalchemy import text

    from archiver.storage.database.engine import writing_engine

    record(database_url, event("container/1", "Invented (3)", 10), event("container/2", "exited (0)", 10))
    engine = writing_engine(database_url)
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO state_kinds (state, kind) VALUES ('invented', 'up'), ('exited (0)', 'up')")
        )
    engine.dispose()

    assert rows(database_url, "SELECT kind FROM watched_spans") == [("up",), ("up",)]


def test_both_platforms_mean_the_same_by_a_word() -> None:
    assert {
        word for word in tutum.KINDS.keys() & docker.KINDS.keys() if tutum.KINDS[word] != docker.KINDS[word]
    } == set()


def test_every_state_that_the_simulator_knows_has_a_kind() -> None:
    states = {state for kind, ways in TRANSITIONS.items() if kind != "action" for state in ways if state}

    assert {state for state in states if state.lower() not in tutum.KINDS} == set()

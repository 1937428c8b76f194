"""How availability is reckoned: in parts that add up, each container where it was then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from archiver.api.archive import Archive
from archiver.model import Event, TimeRange
from archiver.model.reports import Available, Per, Report, Subject

from .archives import at, between, closed, event, opened, record, rows, seen, uri

SHOP = ["service/web", "stack/shop"]


def told(key: str, state: str | None, second: float, *, slot: str | None = None, **more: Any) -> Event:
    found = event(
        f"container/{key}", state, second, more.pop("parents", SHOP), session=more.pop("session", "a"), **more
    )
    return found._replace(name=key, slot=slot)


def available(url: str, since: float, until: float, per: Per | None = None, ref: str | None = None) -> Report:
    with Archive.open(url) as archive:
        return archive.report("availability", ref, between(since, until), per=per)


def parts(row: Available) -> tuple[float, ...]:
    return row.up_seconds, row.down_seconds, row.planned_seconds, row.unknown_seconds


class World:
    """Containers that run, pause, are told to stop and crash, move, fill each other's slots; watched now and then."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def records(self) -> Iterator[Any]:
        watched = sorted(self._random.sample(range(9000), 6))
        sessions = [(0, watched[0]), *zip(watched[1::2], watched[2::2], strict=False), (watched[5], 9000)]
        for number, (since, until) in enumerate(sessions):
            yield opened(f"s{number}", since)
            yield closed(f"s{number}", until)
        for key in range(6):
            yield from self._life(str(key), [number for number in range(len(sessions))], sessions)

    def _life(self, key: str, numbers: list[int], sessions: list[tuple[int, int]]) -> Iterator[Any]:
        chance, slot = self._random, f"shop_web.{int(key) % 3}" if key < "4" else None
        for second in sorted(chance.sample(range(10, 8000, 5), 24)):
            inside = [number for number in numbers if sessions[number][0] <= second < sessions[number][1]]
            if not inside:
                continue
            session, parents = f"s{inside[0]}", [*SHOP, f"node/{chance.randrange(2)}"]
            state = chance.choice(["Running"] * 4 + ["Stopped"] * 4 + ["Stopping", "paused", "Starting", "Terminated"])
            if chance.random() < 0.1:
                yield seen(f"container/{key}", state, second, parents, session=session)
            else:
                yield told(key, state, second, slot=slot, parents=parents, session=session)
        # A loop of crashes, for which no time of the day is too good.
        begin = chance.randrange(1000, 5000)
        for n in range(chance.randrange(2, 7)):
            when = begin + n * chance.choice([100, 200, 500])
            if any(since <= when and when + 30 < until for since, until in sessions):
                number = next(n for n, (since, until) in enumerate(sessions) if since <= when < until)
                yield told(key, "Running", when, slot=slot, session=f"s{number}")
                yield told(key, "Stopped", when + 30, slot=slot, session=f"s{number}")


@pytest.mark.parametrize("seed", range(2))
def test_the_whole_is_the_sum_of_its_parts(database_url: str, seed: int) -> None:
    record(database_url, *World(seed).records())
    cuts = [0, *sorted(Random(seed + 100).sample(range(1, 8999), 2)), 9000]

    ways: tuple[Per | None, ...] = (None, "slot", "node")
    for per in ways:
        whole = summed(available(database_url, 0, 9000, per))
        apart: Counter[tuple[str, int]] = Counter()
        for since, until in pairwise(cuts):
            apart.update(summed(available(database_url, since, until, per)))
        assert rounded(apart) == rounded(whole)


def rounded(seconds: Counter[tuple[str, int]]) -> dict[tuple[str, int], float]:
    return {key: round(count, 4) for key, count in seconds.items() if count}


def summed(found: Report) -> Counter[tuple[str, int]]:
    """The seconds of each part of each row."""
    seconds: Counter[tuple[str, int]] = Counter()
    for row in found.rows:
        name = row.day if row.subject is None else row.subject.uri or row.subject.name
        for place, part in enumerate(parts(row)):
            seconds[str(name), place] += part  # type: ignore[assignment]
    assert found.total is not None
    for place, part in enumerate(parts(found.total)):
        assert round(sum(count for (_, of), count in seconds.items() if of == place), 4) == round(part, 4)
    return seconds


def test_what_was_told_once_is_no_plan_for_what_comes_later(database_url: str) -> None:
    record(
        database_url,
        *(opened("a", 0), told("1", "Running", 0)),
        *(told("1", "Stopping", 100), told("1", "Stopped", 110), told("1", "Running", 120)),
        *(told("1", "paused", 500), told("1", "running (unhealthy)", 600), told("1", "Running", 700)),
        closed("a", 1000),
    )

    assert parts(available(database_url, 0, 1000).rows[0]) == (780, 200, 20, 0)
    assert parts(available(database_url, 550, 650).rows[0]) == (0, 100, 0, 0)
    assert parts(available(database_url, 112, 118).rows[0]) == (0, 0, 6, 0)


def test_a_loop_over_the_edge_of_a_range_is_one_and_is_said(database_url: str) -> None:
    record(database_url, opened("a", 0), told("1", "Running", 0))
    for crash in (100, 200, 300, 400, 500):
        record(database_url, told("1", "Stopped", crash), told("1", "Running", crash + 10))
    record(database_url, closed("a", 2000))

    whole, first, rest = (available(database_url, *ends) for ends in ((0, 1000), (0, 250), (250, 1000)))

    assert [parts(found.rows[0])[:2] for found in (whole, first, rest)] == [(590, 410), (100, 150), (490, 260)]
    assert "1 crashed again and again: 6m in which it ran count as down" in whole.notes


def test_a_life_begins_with_the_first_that_is_heard_of_it(database_url: str) -> None:
    record(
        database_url,
        *(opened("a", 0), told("1", None, 0), told("1", "Running", 400), told("2", None, 100), closed("a", 1000)),
    )

    assert [parts(row) for row in available(database_url, 0, 1000).rows] == [(600, 0, 0, 400), (0, 0, 0, 900)]


def test_each_is_reckoned_where_it_was_then(database_url: str) -> None:
    first, second = ([*SHOP, f"node/{n}"] for n in (1, 2))
    record(
        database_url,
        *(opened("a", 0), told("1", "Running", 0, parents=first)._replace(image="web:1")),
        told("1", "Running", 100, parents=second)._replace(image="web:2"),
        told("1", None, 600, parents=["service/other", "stack/other"]),
        closed("a", 1000),
    )

    by = {per: available(database_url, 50, 1000, per).rows for per in ("node", "image", "service")}

    assert [(row.subject.uri, row.up_seconds) for row in by["node"]] == [(uri("node/1"), 50), (uri("node/2"), 900)]
    assert [(row.subject.name, row.up_seconds) for row in by["image"]] == [("web:1", 50), ("web:2", 900)]
    assert [row.up_seconds for row in by["service"]] == [400, 550]
    assert available(database_url, 0, 1000, ref="stack/shop").total == Available(None, None, 600, 0, 0, 0)


def test_a_slot_was_nobodys_where_nothing_filled_it_for_long(database_url: str) -> None:
    record(database_url, opened("a", 0))
    for key, since, until in (("1", 0, 100), ("2", 150, 1000), ("3", 8000, 8500)):
        record(database_url, told(key, "Running", since, slot="shop_web.1"), told(key, "Terminated", until))
    record(database_url, closed("a", 9000))

    assert parts(available(database_url, 0, 9000, "slot").rows[0]) == (100 + 850 + 500, 50, 0, 0)
    assert parts(available(database_url, 120, 140, "slot").rows[0]) == (0, 20, 0, 0)


def test_two_platforms_with_the_same_slot_are_two_rows(database_url: str) -> None:
    other = "ws://other.example/v1/events"
    record(database_url, opened("a", 0), opened("b", 0, stream=other))
    record(database_url, *(told(key, "Running", 0, slot="shop_web.1", session=key) for key in ("a", "b")))
    record(database_url, told("a", "Stopped", 400), closed("a", 1000), closed("b", 1000, stream=other))

    found = available(database_url, 0, 1000, "slot")

    assert [(row.subject.name, row.up_seconds) for row in found.rows] in (
        [("shop_web.1", 400), ("shop_web.1", 1000)],
        [("shop_web.1", 1000), ("shop_web.1", 400)],
    )
    assert len({row.subject.platform for row in found.rows}) == 2
    assert found.total == Available(None, None, 1400, 600, 0, 0)


def test_what_crashed_and_never_came_back_stands_first(database_url: str) -> None:
    record(
        database_url,
        *(opened("a", 0), told("job", "running", 0), told("old", "Running", 0, slot="shop_web.1")),
        *(told("dead", "Running", 0), told("back", "Running", 0), told("scaled", "Running", 0)),
        *(told("job", "exited (0)", 50), told("old", "Stopping", 96), told("old", "Stopped", 100)),
        *(told("new", "Running", 105, slot="shop_web.1"), told("back", "Stopped", 200), told("back", "Running", 7000)),
        *(told("dead", "Stopped", 300), told("scaled", "Stopping", 400), told("scaled", "Terminated", 401)),
        *(told("new", "Stopped", 1000), told("third", "Running", 6000, slot="shop_web.1"), closed("a", 9000)),
    )
    with Archive.open(database_url) as archive:
        found = archive.report("restarts", None, between(0, 5000))
        counted = archive.report("restarts", None, between(0, 5000), per="container")

    assert [(row.subject.name, row.stopped_at, row.started_at) for row in found.rows] == [
        ("dead", at(300), None),
        ("new", at(1000), None),
        ("job", at(50), None),
        ("old", at(100), at(105)),
        ("back", at(200), at(7000)),
    ]
    assert counted.notes == (
        "dead crashed at 2016-02-01T12:05:00Z and has not come back",
        "new crashed at 2016-02-01T12:16:40Z and has not come back",
        "job ended by itself at 2016-02-01T12:00:50Z and has not come back",
    )
    assert [(row.subject.name, row.crash, row.restarts, row.not_back) for row in counted.rows][:2] == [
        ("back", 1, 1, 0),
        ("dead", 1, 0, 1),
    ]
    assert rows(database_url, "SELECT uri FROM restarts ORDER BY stopped_us") == [
        (row.subject.uri,) for row in sorted(found.rows, key=lambda row: row.stopped_at)
    ]


def test_days_are_called_by_their_zone_not_by_the_season_of_today(sqlite_url: str) -> None:
    record(sqlite_url, opened("a", 0), told("1", "Running", 0), closed("a", 1000))

    with Archive.open(sqlite_url) as archive:
        found = archive.report("availability", None, TimeRange(), per="day", zone=ZoneInfo("Europe/Berlin"))

    assert found.zone == "Europe/Berlin"


def test_same_named_rows_are_told_apart_in_a_table(sqlite_url: str) -> None:
    record(
        sqlite_url,
        *(opened("a", 0), told("1", "Running", 0)._replace(name="web"), told("2", "Running", 0)._replace(name="web")),
        closed("a", 1000),
    )

    assert [row.subject for row in available(sqlite_url, 0, 1000).rows] == [
        Subject(uri(f"container/{n}"), "container", "web") for n in (1, 2)
    ]

"""What the views cost whoever asks them in plain SQL with a client of his own, of which nothing is set for him.

PostgreSQL's planner decides then: it reads and hashes a whole table where that seems cheaper than looks into an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.model import iso
from archiver.storage import migrate
from archiver.storage.recorder import Recorder

from ..conftest import DATABASES, PostgresServer
from .archives import event, micros, uri
from .growth import analysed, answer_of_sql

HOUR = 3_600
FLEET, NODES, LAST = 6_000, 40, 120
"""Containers that came and went, one a minute; nodes; and how many words the last hour has, each of another one."""
TODAY = FLEET * 60


def told() -> Iterator[Any]:
    yield event("nodecluster/all", "Deployed", 0)
    for node in range(NODES):
        yield event(f"node/{node}", "Deployed", node, ["nodecluster/all"])
    for number in range(FLEET):
        above = [f"node/{number % NODES}", "nodecluster/all"]
        yield event(f"container/{number}", "Running", number * 60, above)
    for number in range(LAST):
        above = [f"node/{number * 7 % NODES}", "nodecluster/all"]
        yield event(f"container/{number * 7}", "Stopped", TODAY + number * 30, above)


@pytest.fixture(scope="module", params=DATABASES)
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield filled(f"sqlite:///{tmp_path_factory.mktemp('fleet') / Path('archive.db')}")
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.database() as url:
            yield filled(url)


def filled(url: str) -> str:
    migrate.create(url)
    with Recorder(url) as recorder:
        recorder.record(list(told()))
    return analysed(url)


LAST_HOUR = [iso(micros(TODAY)), iso(micros(TODAY + HOUR))]
ASKED = {
    "event_log of an hour": ("SELECT * FROM event_log WHERE occurred_at >= '{}' AND occurred_at < '{}'", LAST, 2),
    "current_states of a type": ("SELECT * FROM current_states WHERE type = 'node'", NODES, 2),
    "watched_spans of an hour": (
        "SELECT * FROM watched_spans WHERE state_since >= '{}' AND state_since < '{}'",
        LAST,
        9,
    ),
    "changes of an hour": ("SELECT * FROM changes WHERE at >= '{}' AND at < '{}'", LAST, 9),
}
"""Questions, how many rows they have, and how many times as much as so many raw rows they may cost."""


@pytest.mark.parametrize("asked", ASKED)
def test_an_answer_costs_what_it_holds(fleet: str, asked: str) -> None:
    statement, rows, times = ASKED[asked]
    answer = answer_of_sql(fleet, statement.format(*LAST_HOUR))
    raw = answer_of_sql(fleet, f"SELECT * FROM event_log LIMIT {rows}")

    assert answer.rows == raw.rows == rows
    assert answer.cost < times * raw.cost


def test_that_nothing_flaps_in_an_hour_costs_no_more_than_to_read_that_twice(fleet: str) -> None:
    since, until = LAST_HOUR
    answer = answer_of_sql(fleet, f"SELECT * FROM flaps WHERE since >= '{since}' AND since < '{until}'")
    raw = answer_of_sql(fleet, f"SELECT * FROM event_log LIMIT {LAST}")

    assert answer.rows == 0
    assert answer.cost < 2 * raw.cost


def test_what_was_under_something_in_a_range_costs_no_more_than_to_read_that_twice(fleet: str) -> None:
    since, until = LAST_HOUR
    under = f"u.ancestor_uri = '{uri('node/7')}' AND u.at >= '{since}' AND u.at < '{until}' AND u.source = 'event'"
    answer = answer_of_sql(fleet, f"SELECT e.* FROM words_under u JOIN event_log e ON e.id = u.id WHERE {under}")
    raw = answer_of_sql(fleet, ASKED["event_log of an hour"][0].format(*LAST_HOUR))

    assert answer.rows == LAST // NODES
    assert answer.cost < 2 * raw.cost


ALL = "SELECT state, count(*) FROM {} GROUP BY state"


@pytest.mark.parametrize("view", ["event_log", "current_states"])
def test_what_is_counted_over_everything_is_not_looked_up_row_by_row(fleet: str, view: str) -> None:
    answer = answer_of_sql(fleet, ALL.format(view))

    # Tables that are read once each; on SQLite some instructions for each row of those.
    assert answer.cost < 3 * FLEET * (100 if fleet.startswith("sqlite") else 1)

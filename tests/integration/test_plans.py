"""What a question costs depends on its answer and not on the size of the archive, on both databases.

Counted are SQLite's instructions, and the rows that PostgreSQL visits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.queries.events import Filter, last_events
from archiver.queries.reader import Reader
from archiver.storage import migrate
from archiver.storage.recorder import Recorder

from ..conftest import DATABASES, PostgresServer
from .archives import between, event, seen, uri
from .growth import analysed, cost_of, cost_of_sql, noted

STACKS, SERVICES, CONTAINERS, EVENTS = 40, 2, 5, 50
"""Per parent: 40 stacks, 400 containers, 20,000 events of containers."""


def told() -> Iterator[Any]:
    for stack in range(STACKS):
        for service in range(SERVICES):
            above = [f"service/{stack}.{service}", f"stack/{stack}", f"node/{stack % 4}"]
            for container in range(CONTAINERS):
                key = f"{stack}.{service}.{container}"
                for n in range(EVENTS):
                    yield event(f"container/{key}", f"state {n % 5}", n * 500 + stack, above)
                yield event(f"action/{key}", "Pending", stack, [f"container/{key}", *above])
                yield event(f"action/{key}", "Success", stack + 1, [f"container/{key}", *above])
                yield seen(f"container/{key}", "state 9", 30_000, above)


@pytest.fixture(scope="module", params=DATABASES)
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('large') / Path('archive.db')}"
        yield filled(url)
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.database() as url:
            yield filled(url)


def filled(url: str) -> str:
    migrate.upgrade(url)
    with Recorder(url) as recorder:
        recorder.record(list(told()))
    return analysed(url)


ONE = "container/7.1.3"
QUESTIONS: dict[str, tuple[Callable[[Archive], object], int]] = {
    "history": (lambda archive: archive.history(ONE), 60),
    "history of a range": (lambda archive: archive.history(ONE, between(5_000, 8_000)), 20),
    "actions of a container": (lambda archive: list(archive.actions(ONE)), 15),
    "actions of a stack": (lambda archive: list(archive.actions("stack/7")), 100),
    "last events": (lambda archive: list(archive.events(limit=50)), 50 * 4),
    "events of a range": (lambda archive: list(archive.events(range=between(0, 30), limit=0)), 900 * 4),
    "events of a container": (lambda archive: list(archive.events(under=ONE, limit=10)), 60 + 10 * 4),
    "events under a service": (lambda archive: list(archive.events(under="service/7.1", limit=10)), 260 + 10 * 4 + 100),
    "tree of a stack": (lambda archive: archive.tree("stack/7"), 150),
    "a reference": (lambda archive: archive.resolve("container/39.1.4"), 5),
    "a pattern": (lambda archive: archive.resolve_all(["container/7.1.*"]), 35),
    "actions of several": (lambda archive: list(archive.actions(["stack/7", ONE, "stack/8"])), 200),
    "events of several": (lambda archive: list(archive.events(under=["service/7.1", ONE], limit=10)), 330 + 10 * 4),
    "status": (lambda archive: archive.status(), 10),
}


WALKS_BACK = {"events under a service", "events of several"}
"""Look at the newest 1,000 events first, and at what each is under, however many there are."""


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_costs_as_much_as_its_answer(large: str, question: str) -> None:
    ask, rows = QUESTIONS[question]
    walked = 12 * 1_000 if question in WALKS_BACK and large.startswith("postgresql") else 0

    assert cost_of(large, ask) < allowed(large, rows) + walked


def test_a_later_block_of_a_listing_does_not_look_through_what_lies_before_it(large: str) -> None:
    reader = Reader(large)
    with noted() as statements:
        found = sum(1 for _ in last_events(reader.pages(), Filter(), 0, block=1000))
    reader.close()

    blocks = [each for each in statements if "ORDER BY found.occurred_at" in each[0]]
    assert len(blocks) == -(-found // 1000)
    # PostgreSQL may take what is left whole, and counts it twice; all that lies before is nearly twenty times as much.
    assert cost_of_sql(large, *blocks[-2]) < 4 * cost_of_sql(large, *blocks[1])


def test_a_later_page_of_what_is_followed_costs_as_much_as_its_answer(large: str) -> None:
    assert cost_of(large, lambda archive: list(archive.follow(after=20_700))) < allowed(large, 100 * 4)


VIEWS: dict[str, tuple[str, int]] = {
    "state_spans": (f"SELECT * FROM state_spans WHERE uri = '{uri(ONE)}'", 60),
    "current_states": (f"SELECT * FROM current_states WHERE uri = '{uri(ONE)}'", 5),
    "action_log by action": (f"SELECT * FROM action_log WHERE action = '{uri('action/7.1.3')}'", 10),
    "action_log by target": (f"SELECT * FROM action_log WHERE target = '{uri(ONE)}'", 10),
    "subtree by ancestor": (f"SELECT * FROM subtree WHERE ancestor_uri = '{uri('stack/7')}'", 40),
    "subtree by descendant": (f"SELECT * FROM subtree WHERE descendant_uri = '{uri(ONE)}'", 10),
    "event_log by uri": (f"SELECT * FROM event_log WHERE uri = '{uri(ONE)}'", 60),
    "event_log by id": ("SELECT * FROM event_log WHERE id = 77", 5),
    "the last of event_log": ("SELECT * FROM event_log ORDER BY occurred_at DESC LIMIT 20", 60),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_filtered_view_costs_as_much_as_its_answer(large: str, view: str) -> None:
    statement, rows = VIEWS[view]

    assert cost_of_sql(large, statement, by_index=True) < allowed(large, rows)


def allowed(url: str, rows: int) -> int:
    """A few visits a row; on SQLite some hundred instructions for each. All 20,000 events would cost far more.

    PostgreSQL may read the 900 resources of the test along one of their indexes, since they are so few.
    """
    return rows * 4 + 1500 if url.startswith("postgresql") else rows * 300 + 10_000

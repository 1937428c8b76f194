"""What lived at a moment costs what lived then, whatever lived before, ended since, or lives now; on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.storage import migrate
from archiver.storage.recorder import Recorder

from ..conftest import DATABASES, PostgresServer
from .archives import at, between, event, micros
from .growth import analysed, answer_of_sql, cost_of, grown

MINUTE, HOUR, DAY = 60, 3_600, 86_400
UNITS = 4, 20
EACH = 40


def then() -> Iterator[Any]:
    """What lived at noon: of every length of life, without parents; some of it lives still."""
    for number in range(EACH):
        life = 4 * MINUTE * (1.2**number)
        begin = -life * (number % 7 + 1) / 8
        yield event(f"container/then-{number}", "Running", begin)
        if number % 5:
            yield event(f"container/then-{number}", "Terminated", begin + life)
    for number in range(5):
        yield event(f"volume/then-{number}", "created", number - 10)


def others(unit: int) -> Iterator[Any]:
    """What lived on the days before and after, for minutes, hours or a day; and what lives since."""
    for when, day in (("before", -2 * unit), ("after", 2 * unit)):
        for number in range(4 * EACH):
            begin = day * DAY - (number % 24) * HOUR
            name = f"container/{when}-{unit}-{number}"
            yield event(name, "Running", begin + number)
            yield event(name, "Terminated", begin + number + (MINUTE, HOUR, 6 * HOUR, DAY)[number % 4])
    for number in range(4 * EACH):
        yield event(f"container/now-{unit}-{number}", "Running", (100 + unit) * DAY + number)
        yield event(f"network/now-{unit}-{number}", "created", (100 + unit) * DAY + number)


def filled(url: str, units: int) -> str:
    migrate.create(url)
    with Recorder(url) as recorder:
        recorder.record(list(then()))
        for unit in range(1, units + 1):
            recorder.record(list(others(unit)))
    return analysed(url)


@pytest.fixture(scope="module", params=DATABASES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """An archive of some units beside what lived at noon, and one of five times as many."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("lived")
        small, large = (filled(f"sqlite:///{folder / Path(f'{units}.db')}", units) for units in UNITS)
        yield small, large
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as small, server.database() as large:
        yield filled(small, UNITS[0]), filled(large, UNITS[1])


MINUTES = between(-10 * MINUTE, 10 * MINUTE)
QUESTIONS: dict[str, Callable[[Archive], Any]] = {
    "everything as it stood": lambda archive: archive.at(at(0)).children,
    "everything as it stood before all": lambda archive: archive.at(at(-1_000 * DAY)).children or [None],
    "how available everything was": lambda archive: archive.report("availability", None, MINUTES).rows,
    "lanes of everything": lambda archive: archive.lanes(None, MINUTES).lanes,
    "what nobody knew on a day": lambda archive: archive.unknown(at(0).date()) or [None],
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_lived_costs_what_lived_then(both: tuple[str, str], question: str) -> None:
    ask, answers = QUESTIONS[question], []
    for url in both:
        with Archive.open(url) as archive:
            answers.append(len(ask(archive)))
    assert answers[0] == answers[1] > 0

    costs = [cost_of(url, ask) for url in both]

    assert not grown(*costs, both[0]), costs


def within(column: str, ends: tuple[object, object]) -> str:
    return f"{column} >= {ends[0]!r} AND {column} < {ends[1]!r}"


FIRST = micros(-10 * HOUR), micros(-HOUR)
VIEWS = {
    "availability_daily by day": f"SELECT * FROM availability_daily WHERE day = '{at(0).date()}'",
    "inventory by microseconds": f"SELECT * FROM inventory WHERE {within('first_seen_us', FIRST)}",
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_what_lived_costs_what_lived_then(both: tuple[str, str], view: str) -> None:
    answers = [answer_of_sql(url, VIEWS[view], by_index=True) for url in both]
    assert answers[0].rows == answers[1].rows > 0

    costs = [answer.cost for answer in answers]

    assert not grown(*costs, both[0]), costs

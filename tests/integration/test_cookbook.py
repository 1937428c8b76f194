"""Every query of the SQL cookbook runs on both databases, finds something, and finds the same."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from archiver.model import iso, to_micros
from archiver.simulator.world.living import generate
from archiver.storage.engine import reading_engine
from archiver.transfer.importer import import_lines

from ..conftest import PostgresServer

PAGE = Path(__file__).parents[2] / "docs" / "sql.md"
DATABASE_MARKS = {"-- SQLite": "sqlite", "-- PostgreSQL": "postgresql"}
STREAM = "wss://stream.example.org/v1/events"
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Recipe:
    """A question of the page, with its query for each database."""

    title: str
    queries: dict[str, str]


def recipes() -> list[Recipe]:
    found = []
    for part in re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        queries: dict[str, str] = {}
        for query in re.findall(r"^```sql\n(.*?)^```", part, flags=re.MULTILINE | re.DOTALL):
            only = DATABASE_MARKS.get(query.partition("\n")[0])
            queries |= {only: query} if only else dict.fromkeys(DATABASE_MARKS.values(), query)
        found.append(Recipe(part.partition("\n")[0], queries))
    return found


RECIPES = recipes()
every_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)


# --- the archives -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """An export of some hours of a simulated platform: two sessions with a gap, a failed action, an exit code."""
    start = (datetime.now(UTC) - timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    events = list(generate(seed=7, count=700, start=start))
    times = [datetime.fromisoformat(event["date"]) for event in events]
    cut = len(events) // 2
    halves = [("first", times[0], times[cut], "reset by peer"), ("second", times[cut + 5], times[-1], "stopped")]
    written: list[dict[str, Any]] = [{"archiver": "export", "archive": "cookbook", "revision": "0001"}]
    written += [_session(*half) for half in halves]
    for number, (event, moment) in enumerate(zip(events, times, strict=True), 1):
        if event["state"] == "Stopped":
            event["exit_code"] = number % 3
        if event["type"] == "action" and number % 3 == 0:
            event["state"] = "Failed"
        session = halves[0][0] if number <= cut else halves[1][0]
        facts = {"id": number, "session": session, "received_at": iso(to_micros(moment)), "event": event}
        written.append({"archiver": "event", **facts})
    return [json.dumps(line, separators=(",", ":")).encode() for line in written]


def _session(key: str, opened: datetime, closed: datetime, reason: str) -> dict[str, Any]:
    instants = dict.fromkeys(("opened_at", "covered_from", "authenticated_at"), iso(to_micros(opened)))
    instants |= dict.fromkeys(("last_seen_at", "closed_at"), iso(to_micros(closed)))
    return {
        "archiver": "session", "session": key, "stream": STREAM, "dialect": "tutum", **instants, "reason": reason,
    }  # fmt: skip


@pytest.fixture(scope="module")
def sqlite_archive(sqlite_template: Path, lines: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("cookbook") / "archive.db"
    shutil.copyfile(sqlite_template, path)
    import_lines(f"sqlite:///{path}", lines)
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def postgres_archive(postgres_server: PostgresServer, postgres_template: str, lines: list[bytes]) -> Iterator[str]:
    with postgres_server.database(postgres_template) as url:
        import_lines(url, lines)
        yield url


@pytest.fixture(scope="module")
def values(lines: list[bytes]) -> dict[str, str]:
    """What a reader would put in the places of <stack> and the like."""
    events = [line["event"] for line in map(json.loads, lines) if line["archiver"] == "event"]
    moments = sorted(event["date"] for event in events)
    container = next(event for event in reversed(events) if event["type"] == "container")
    parents = {uri.split("/")[-3]: uri for uri in container["parents"]}
    begin, end = moments[len(moments) // 3], moments[2 * len(moments) // 3]
    heard: dict[str, list[str]] = {}
    for event in events:
        if event["type"] == "container":
            heard.setdefault(event["resource_uri"], []).append(event["date"])
    lasting = next(uri for uri, dates in heard.items() if dates[0] < begin and dates[-1] > end)
    return {
        "stack": parents["stack"],
        "node": parents["node"],
        "container": lasting,
        "from": _full(begin),
        "time": _full(end),
    }


def _full(moment: str) -> str:
    return iso(to_micros(datetime.fromisoformat(moment)))


def ask(url: str, query: str, values: dict[str, str]) -> Rows:
    """The rows, with instants and numbers as both databases can give them."""
    filled = re.sub(r"<(\w+)>", lambda place: values[place[1]], query).replace(":", r"\:")
    engine = reading_engine(url)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET TIME ZONE 'UTC'"))
            return [tuple(map(_plain, row)) for row in connection.execute(text(filled))]
    finally:
        engine.dispose()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(to_micros(value))
    return float(value) if isinstance(value, (int, float, Decimal)) else value


# --- the tests ----------------------------------------------------------------------------------------------------


def test_there_are_recipes_enough() -> None:
    assert len(RECIPES) >= 12


def test_every_view_has_a_recipe() -> None:
    from archiver.storage.views import VIEWS

    page = " ".join(query for recipe in RECIPES for query in recipe.queries.values())

    assert [view.name for view in VIEWS if view.name not in page] == []


@every_recipe
def test_recipe_is_there_for_both_databases(recipe: Recipe) -> None:
    assert set(recipe.queries) == {"sqlite", "postgresql"}


@every_recipe
def test_recipe_finds_something(recipe: Recipe, sqlite_archive: str, values: dict[str, str]) -> None:
    assert ask(sqlite_archive, recipe.queries["sqlite"], values)


@every_recipe
def test_recipe_answers_the_same_on_both_databases(
    recipe: Recipe, sqlite_archive: str, postgres_archive: str, values: dict[str, str]
) -> None:
    expected = ask(sqlite_archive, recipe.queries["sqlite"], values)

    assert ask(postgres_archive, recipe.queries["postgresql"], values) == expected


def test_queries_of_the_readme_run(database_url: str) -> None:
    page = (PAGE.parents[1] / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^```sql\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    assert block is not None

    for query in block[1].split("\n\n"):
        ask(database_url, query, {})

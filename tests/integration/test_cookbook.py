"""Every query of the SQL cookbook finds, on both databases, exactly what was reckoned by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from archiver.model import iso, now_micros, to_micros
from archiver.storage import migrate
from archiver.storage.database.engine import reading_engine

from ..conftest import DATABASES, PostgresServer
from .archives import SECOND, START, event, record
from .cookbook_archive import records
from .cookbook_rows import OTHERS, ROWS, VALUES

PAGE = Path(__file__).parents[2] / "docs" / "sql.md"
DATABASE_MARKS = {"-- SQLite": "sqlite", "-- PostgreSQL": "postgresql"}
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


@pytest.fixture(scope="module", params=DATABASES)
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The shop's day, once on each database."""
    if request.param == "sqlite":
        yield filled(f"sqlite:///{tmp_path_factory.mktemp('cookbook') / 'archive.db'}")
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield filled(url)


def filled(url: str) -> str:
    migrate.create(url)
    record(url, *records())
    return url


def ask(url: str, query: str, values: dict[str, str]) -> Rows:
    """The rows, with instants and numbers as both databases can give them."""
    filled_in = re.sub(r"<(\w+)>", lambda place: values[place[1]], query).replace(":", r"\:")
    engine = reading_engine(url)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET TIME ZONE 'UTC'"))
            return [tuple(map(_plain, row)) for row in connection.execute(text(filled_in))]
    finally:
        engine.dispose()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(to_micros(value))
    return float(value) if isinstance(value, (int, float, Decimal)) else value


def test_there_are_recipes_enough() -> None:
    assert len(RECIPES) >= 25


def test_every_view_has_a_recipe() -> None:
    from archiver.storage.views import VIEWS

    page = " ".join(query for recipe in RECIPES for query in recipe.queries.values())

    assert [view.name for view in VIEWS if view.name not in page and not view.is_part] == []


def test_what_each_finds_was_reckoned() -> None:
    assert {recipe.title for recipe in RECIPES} == ROWS.keys()


@every_recipe
def test_recipe_finds_what_was_reckoned_by_hand(recipe: Recipe, archive: str) -> None:
    query = recipe.queries[archive.partition(":")[0].partition("+")[0]]

    assert ask(archive, query, VALUES | OTHERS.get(recipe.title, {})) == ROWS[recipe.title]


def test_queries_of_the_readme_run(database_url: str) -> None:
    page = (PAGE.parents[1] / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^```sql\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    assert block is not None

    for query in block[1].split("\n\n"):
        ask(database_url, query, {})


def test_what_the_page_says_of_the_last_hour_is_right(sqlite_url: str) -> None:
    """Whatever the day: somebody who compares with `datetime('now')` gets all of today, and nobody tells him."""
    conditions = re.findall(r"^      (occurred_\w+ >= .*)$", PAGE.read_text(), re.MULTILINE)
    now = (now_micros() - START) / SECOND
    record(sqlite_url, *(event("container/1", "S", now - 60 * minutes) for minutes in (1, 30, 120, 150)))

    assert len(conditions) == 2
    for condition in conditions:
        assert ask(sqlite_url, f"SELECT count(*) FROM event_log WHERE {condition}", {}) == [(2.0,)]

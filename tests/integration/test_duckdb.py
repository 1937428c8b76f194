"""DuckDB, with a SQLite archive attached, gives the rows of every published view as SQLite does."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archiver.storage.views import VIEWS

from .cookbook_archive import docker
from .test_cookbook import filled

duckdb = pytest.importorskip("duckdb", reason="the group `dev` is not all installed: no DuckDB")
scanner = pytest.importorskip("duckdb_extension_sqlite_scanner", reason="the group `dev` is not all installed")

PUBLISHED = [view.name for view in VIEWS if not view.is_part]
NEVER_THE_SAME = {"availability_daily", "coverage_daily", "grafana_state_timeline", "watched_spans"}
"""What reckons up to now: compared by their columns, and by whether there is a row."""
EMPTY = {"unchanged", "resource_tags"}
"""Of which the shop's day has nothing."""


def plain(value: Any) -> str:
    """A value as text, which DuckDB makes of it; a fraction with as many digits as both have."""
    text = str(value)
    return f"{float(text):.12g}" if re.fullmatch(r"\d+\.\d+", text) else text


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("duckdb") / "archive.db"
    filled(f"sqlite:///{path}")
    return str(path)


@pytest.fixture(scope="module")
def attached(archive: str) -> Iterator[Any]:
    """DuckDB with the archive as `a`; its extension is that of the wheel, and nothing is fetched."""
    (extension,) = Path(scanner.__file__).parent.glob("extensions/*/*.duckdb_extension")
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        connection.execute(f"LOAD '{extension}'")
        connection.execute(f"ATTACH '{archive}' AS a (TYPE sqlite, READ_ONLY)")
        yield connection


@pytest.mark.parametrize("view", PUBLISHED)
def test_a_view_has_the_same_columns_and_rows(view: str, archive: str, attached: Any) -> None:
    limit = " LIMIT 1" if view in NEVER_THE_SAME else ""
    found = attached.execute(f"SELECT * FROM a.{view}{limit}")
    rows = sorted(tuple(map(plain, row)) for row in found.fetchall())

    connection = sqlite3.connect(archive)
    asked = connection.execute(f"SELECT * FROM {view}{limit}")
    wanted = sorted(tuple(map(plain, row)) for row in asked)
    connection.close()
    assert [column[0] for column in found.description] == [column[0] for column in asked.description]
    assert len(rows) == len(wanted)
    assert wanted or view in EMPTY
    assert view in NEVER_THE_SAME or rows == wanted


def test_what_the_page_says_works(archive: str, attached: Any) -> None:
    page = (Path(__file__).parents[2] / "docs" / "sql.md").read_text()
    said = re.findall(r"^    (.*\b(?:sum\(seconds|sqlite_query).*);$", page, re.MULTILINE)
    by_duckdb, by_sqlite = (each.replace("<container>", docker("container/db")) for each in said)

    assert attached.execute(by_duckdb).description[1][1] == "DOUBLE"
    assert attached.execute(by_sqlite).fetchall() != []


def test_what_is_there_is_listed(archive: str, attached: Any) -> None:
    """It reads all views for that, those too that others are made of."""
    with closing(sqlite3.connect(archive)) as connection:
        there = connection.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall()

    listed = attached.execute("SELECT view_name FROM duckdb_views() WHERE database_name = 'a'").fetchall()

    assert sorted(listed) == sorted(there)
    assert attached.execute("SELECT * FROM a.words").fetchall() == [("a part of the other views, for SQLite alone",)]


def test_an_archive_that_sqlite_has_written_down_as_statements_is_the_same(archive: str) -> None:
    with closing(sqlite3.connect(archive)) as connection, closing(sqlite3.connect(":memory:")) as again:
        again.executescript("\n".join(connection.iterdump()))
        asked = "SELECT * FROM state_spans ORDER BY since, uri"
        assert again.execute(asked).fetchall() == connection.execute(asked).fetchall()

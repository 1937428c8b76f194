"""The real Datasette opens an archive with what `archiver schema --datasette` prints, and its queries answer."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from archiver.storage.datasette import CANNED, datasette_metadata
from archiver.storage.views import VIEWS

from ..conftest import RunArchiver
from .archives import record
from .cookbook_archive import records, told
from .cookbook_rows import ROWS, VALUES

HOUR = 3_600_000_000
NAME = "shop of 2024"
PARAMETERS = {"uri": VALUES["container"], "stack": VALUES["stack"], "day": VALUES["day"]}
RECIPES = {
    "history": "The story of one container, with how sure it is",
    "restarts_of_stack": "Which containers of a stack were restarted most",
    "gaps": "When nobody was, the longest first",
}
"""Of which recipe of the page a canned query is; that one has its rows."""


class Page(NamedTuple):
    status: int
    text: str


@pytest.fixture(scope="module")
def pages(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    """What Datasette answers, by path, of the cookbook's archive and a container that died an hour ago."""
    pytest.importorskip("datasette.app", reason="the group `dev` is not all installed: no Datasette")
    path = tmp_path_factory.mktemp("datasette") / f"{NAME}.db"
    shutil.copyfile(sqlite_template, path)
    now = time.time_ns() // 1000
    lately = [
        told("container/lately", state, "19:00", (), None, name="lately")._replace(occurred_at=at, received_at=at)
        for state, at in (("running", now - 2 * HOUR), ("exited (3)", now - HOUR))
    ]
    record(f"sqlite:///{path}", *records(), *lately)
    wanted = ["", "/restarts", "/event_log", *(f"/{view.name}.json?_size=1" for view in VIEWS)]
    wanted += [f"/{name}?{urlencode(PARAMETERS)}" for name in ("history", *(f"{name}.json" for name in CANNED))]
    return asyncio.run(answers(path, wanted))


async def answers(path: Path, wanted: list[str]) -> dict[str, Page]:
    from datasette.app import Datasette  # only here: it takes long, and every process of the tests loads their modules

    # It suggests facets by asking once for each column of a view, which the database takes long to prepare.
    settings = {"sql_time_limit_ms": 60_000, "suggest_facets": False}
    shown = Datasette([str(path)], metadata=datasette_metadata(str(path)), settings=settings)
    try:
        await shown.invoke_startup()
        base = shown.urls.database(NAME)
        got = [await shown.client.get(f"{base}{each}") for each in wanted]
        return {
            each.partition("?")[0]: Page(page.status_code, page.text) for each, page in zip(wanted, got, strict=True)
        }
    finally:
        for database in shown.databases.values():
            database.close()
        shown.executor.shutdown()


def rows(page: Page) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in json.loads(page.text)["rows"]]


def test_every_page_opens(pages: dict[str, Page]) -> None:
    assert {path: page.status for path, page in pages.items() if page.status != 200} == {}


def test_every_view_has_exactly_the_columns_that_are_described(pages: dict[str, Page]) -> None:
    described = datasette_metadata(f"{NAME}.db")["databases"][NAME]["tables"]

    for view in VIEWS:
        assert json.loads(pages[f"/{view.name}.json"].text)["columns"] == list(described[view.name]["columns"])


def test_page_of_a_view_shows_what_it_and_its_columns_mean(pages: dict[str, Page]) -> None:
    page = pages["/restarts"].text

    assert "What stopped, with its cause, and when it started again" in page
    assert "The exit code, where it is known" in page


def test_seconds_have_their_unit(pages: dict[str, Page]) -> None:
    assert "30.0&nbsp;s" in pages["/restarts"].text


def test_instants_stay_whole(pages: dict[str, Page]) -> None:
    instant = json.loads(pages["/event_log.json"].text)
    occurred = dict(zip(instant["columns"], instant["rows"][0], strict=True))["occurred_us"]

    assert f">{occurred}<" in pages["/event_log"].text


def test_first_page_offers_the_queries_and_hides_the_tables(pages: dict[str, Page]) -> None:
    page = pages[""].text

    assert [canned.title for canned in CANNED.values() if canned.title not in page] == []
    assert "hidden table" in page
    assert "/event_states" not in page


def test_query_asks_for_its_parameters(pages: dict[str, Page]) -> None:
    assert 'name="uri"' in pages["/history"].text


def test_query_of_availability_finds_the_day(pages: dict[str, Page]) -> None:
    found = {row[0]: row[4:8] for row in rows(pages["/available.json"])}

    assert found["db-1"] == (39798, 1290, 2, 16210)


@pytest.mark.parametrize("name", RECIPES)
def test_query_finds_what_was_reckoned_by_hand(name: str, pages: dict[str, Page]) -> None:
    found = rows(pages[f"/{name}.json"])
    if name == "history":  # which has instants at which stretches end as well
        found = [(state, kind, since, *rest) for state, kind, since, _until, *rest in found]

    assert found == ROWS[RECIPES[name]]


def test_what_died_in_the_last_day_is_not_what_died_before(pages: dict[str, Page]) -> None:
    found = rows(pages["/died_last_day.json"])

    assert [(name, cause, code, back) for _, name, _, cause, code, back, *_ in found] == [("lately", "crash", 3, None)]


def test_command_says_what_every_published_view_means(run_archiver: RunArchiver) -> None:
    done = run_archiver("schema", "-o", "json")

    found = [(said["view"], said["column"]) for said in json.loads(done.stdout) if said["column"]]
    published = [view for view in sorted(VIEWS, key=lambda view: view.name) if not view.is_part]
    assert found == [(view.name, column) for view in published for column in view.columns]


def test_command_says_what_one_view_means(run_archiver: RunArchiver) -> None:
    done = run_archiver("schema", "gap_log", "-o", "tsv", "--fields", "column,description")

    assert done.stdout.splitlines()[2].split("\t") == ["stream", "URL of the stream"]


def test_command_prints_it_for_the_file_that_is_named(run_archiver: RunArchiver) -> None:
    done = run_archiver("schema", "--datasette", "--database", "sqlite:///not/there/my%20shop.db")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == datasette_metadata("my shop.db")


@pytest.mark.parametrize("arguments", [["none"], ["--datasette", "--database", "postgresql://localhost/archive"]])
def test_what_is_no_view_or_no_file_is_wrong_usage(arguments: list[str], run_archiver: RunArchiver) -> None:
    done = run_archiver("schema", *arguments)

    assert (done.returncode, done.stdout) == (2, "")

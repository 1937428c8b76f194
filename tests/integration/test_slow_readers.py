"""Who reads a long answer may take his time: nothing is held in the database, and nothing is missing or there twice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest

from archiver.api.archive import Archive
from archiver.errors import ArchiveReplaced
from archiver.model import ArchivedEvent, Record, TimeRange
from archiver.queries.actions import actions
from archiver.queries.events import Filter, last_events
from archiver.queries.reader import Reader
from archiver.storage.backup import backup, restore

from ..conftest import SpawnArchiver
from .archives import SECOND, START, closed, event, exported, opened, record, rows

STACK = ["stack/shop"]
Listing = Callable[[Archive], Iterator[object]]
LISTINGS: dict[str, Listing] = {
    "events": lambda archive: archive.events(limit=0),
    "last events": lambda archive: archive.events(limit=1500),
    "events under": lambda archive: archive.events(under="stack/shop", limit=0),
    "follow": lambda archive: archive.follow(after=0),
    "actions": lambda archive: archive.actions("stack/shop"),
    "export": lambda archive: archive.export(),
}


def told(*numbers: int) -> list[Record]:
    """Each number is a container's event and an action's; many of them happen at the same instant."""
    return [
        event(f"{kind}/{number}", f"S{number % 3}", number // 7, STACK)
        for number in numbers
        for kind in ("container", "action")
    ]


@pytest.mark.parametrize("listing", LISTINGS)
def test_what_is_archived_while_a_listing_is_read_is_not_in_it(database_url: str, listing: str) -> None:
    record(database_url, *told(*range(0, 1200, 2)))
    with Archive.open(database_url) as archive:
        expected = list(LISTINGS[listing](archive))
        answer = LISTINGS[listing](archive)
        found = list(islice(answer, 100))
        record(database_url, *told(*range(1, 1200, 2)))

        assert [*found, *answer] == expected


def test_a_session_is_exported_as_it_was_when_the_events_were(database_url: str) -> None:
    record(database_url, opened("s", 0))
    with Archive.open(database_url) as archive:
        lines = archive.export()
        next(lines)
        record(database_url, closed("s", 50))

        (session,) = [line for line in map(json.loads, lines) if line["archiver"] == "session"]
    assert session["closed_at"] is None
    assert exported(database_url, "session")[0]["closed_at"] is not None


@pytest.mark.parametrize("under", [None, "stack/shop"])
@pytest.mark.parametrize("limit", [0, 25, 60])
def test_blocks_of_any_size_give_the_same_events(database_url: str, limit: int, under: str | None) -> None:
    record(database_url, *reversed(told(*range(20))))
    with Archive.open(database_url) as archive:
        roots = [archive.resolve(under).id] if under else None
        expected = list(archive.events(under=under, limit=limit))

    assert listed(database_url, Filter(under=roots), limit, block=7) == expected


def listed(url: str, wanted: Filter, limit: int, block: int) -> list[ArchivedEvent]:
    reader = Reader(url)
    try:
        return list(last_events(reader.pages(), wanted, limit, block=block))
    finally:
        reader.close()


def test_blocks_of_any_size_give_the_same_actions(database_url: str) -> None:
    record(database_url, *reversed(told(*range(20))))
    with Archive.open(database_url) as archive:
        stack = archive.resolve("stack/shop")
        expected = list(archive.actions(stack))
    reader = Reader(database_url)

    found = list(actions(reader.pages(), [stack], TimeRange(), block=7))

    reader.close()
    assert found == expected
    assert len({action.uri for action in found}) == 20


@pytest.mark.parametrize("listing", LISTINGS)
def test_no_transaction_of_postgresql_is_open_between_two_pages(postgres_url: str, listing: str) -> None:
    record(postgres_url, *told(*range(600)))
    with Archive.open(postgres_url) as archive:
        answer = LISTINGS[listing](archive)
        next(answer)

        waiting = rows(postgres_url, "SELECT count(*) FROM pg_stat_activity WHERE xact_start < now() - interval '0'"
                       " AND datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip
    assert waiting == [(0,)]


def test_a_pager_that_nobody_scrolls_does_not_pin_the_log(
    sqlite_url: str, spawn_archiver: SpawnArchiver, tmp_path: Path
) -> None:
    record(sqlite_url, *told(*range(6000)))
    pager, full = os.pipe()
    os.set_inheritable(full, True)
    reader = spawn_archiver("--database", sqlite_url, "events", "-n", "0", "-o", "jsonl", stdout=full)
    os.close(full)
    assert os.read(pager, 100)

    grown = []
    for first in range(6000, 54_000, 6000):
        record(sqlite_url, *told(*range(first, first + 3000)))
        grown.append((tmp_path / "archive.db-wal").stat().st_size if (tmp_path / "archive.db-wal").exists() else 0)

    assert reader.poll() is None
    os.close(pager)
    assert max(grown[4:]) <= 1.5 * max(grown[:2]) + 200_000


# --- another archive under the same name ------------------------------------------------------------------------------


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


def test_a_listing_does_not_go_on_in_another_archive(sqlite_url: str, sqlite_template: Path, path: Path) -> None:
    record(sqlite_url, *told(*range(600)))
    with Archive.open(sqlite_url) as archive:
        answer = archive.events(limit=0)
        next(answer)
        replace(path, sqlite_template)

        with pytest.raises(ArchiveReplaced, match="another archive took the place"):
            list(answer)


def test_an_archive_that_is_written_for_the_first_time_is_no_other(database_url: str) -> None:
    with closing(Reader(database_url)) as reader:
        pages = reader.pages()
        assert list(last_events(pages, Filter(), 9)) == []
        record(database_url, *told(1))

        assert list(last_events(pages, Filter(), 9)) != []


def test_one_who_follows_is_told_of_a_restore_and_sees_what_comes_then(
    sqlite_url: str, path: Path, tmp_path: Path, following: subprocess.Popen[str]
) -> None:
    assert following.stdout is not None
    backup(sqlite_url, tmp_path / "copy.db")
    record(sqlite_url, event("container/1", "lost", 1), event("container/1", "lost too", 2))
    assert [json.loads(following.stdout.readline())["state"] for _ in range(2)] == ["lost", "lost too"]

    restore(sqlite_url, tmp_path / "copy.db")
    record(sqlite_url, event("container/1", "new", time.time() - START / SECOND))

    assert json.loads(following.stdout.readline())["state"] == "new"
    assert said(following) == ["another archive took the place"]


def test_one_who_follows_waits_for_an_archive_that_is_moved_away(
    sqlite_url: str, path: Path, following: subprocess.Popen[str]
) -> None:
    assert following.stdout is not None
    assert following.stderr is not None
    away = path.with_name("away.db")
    path.rename(away)
    assert "waiting for it to come back" in following.stderr.readline()

    away.rename(path)
    record(sqlite_url, event("container/1", "back", 1))

    assert json.loads(following.stdout.readline())["state"] == "back"


@pytest.fixture
def following(sqlite_url: str, spawn_archiver: SpawnArchiver) -> subprocess.Popen[str]:
    """Follows the archive, and has shown all that is in it."""
    record(sqlite_url, event("container/1", "first", 0))
    process = spawn_archiver("--database", sqlite_url, "events", "-f", "-o", "jsonl")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["state"] == "first"
    return process


def said(process: subprocess.Popen[str]) -> list[str]:
    """What each line on stderr is about, once the process has been stopped."""
    process.terminate()
    _, errors = process.communicate(timeout=30)
    known = "another archive took the place"
    return [known if known in line else line for line in errors.splitlines()]


def replace(path: Path, other: Path) -> None:
    """Moves a copy of another archive to where one is."""
    copy = path.with_name("other.db")
    shutil.copyfile(other, copy)
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    copy.replace(path)

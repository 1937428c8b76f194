"""What an archive offers to a shell that waits: soon, or not at all, and the same from both databases."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest

from archiver.queries import completion

from ..conftest import NewArchive
from .archives import event, record

RESOURCES = [
    ("container", "0fc9f01d-a726", "web-1"),
    ("container", "0fd11111-a726", "web-2"),
    ("container", "abcd0000-a726", "shop/web:1.2"),
    ("action", "beef0000-a726", "exec"),
]
LONG = 5.0


@pytest.fixture(scope="module")
def archive(shared_url: NewArchive) -> str:
    return fill(shared_url())


def fill(url: str) -> str:
    record(url, *(event(f"{kind}/{key}")._replace(name=name) for kind, key, name in RESOURCES))
    return url


@pytest.mark.parametrize(
    ("beginning", "keys"),
    [
        ("web", ["0fc9f01d-a726", "0fd11111-a726"]),
        ("0fc", ["0fc9f01d-a726"]),
        ("container/0f", ["0fc9f01d-a726", "0fd11111-a726"]),
        ("/api/v1/container/abcd", ["abcd0000-a726"]),
        ("container/web-2", ["0fd11111-a726"]),
        ("shop/", ["abcd0000-a726"]),
        ("beef", ["beef0000-a726"]),
        ("exec", []),
        ("action/ex", []),
        ("nothing", []),
        ("service/", []),
    ],
)
def test_resources_are_found_by_the_beginning_of_what_they_are_called(
    archive: str, beginning: str, keys: list[str]
) -> None:
    assert sorted(found.key for found in completion.resources(archive, beginning, patience=LONG)) == keys


@pytest.mark.parametrize("beginning", ["web", "container/web", "container/k", "k", "/api/v1/container/k", ""])
def test_what_lives_comes_before_what_is_gone(database_url: str, beginning: str) -> None:
    gone = [event(f"container/k{n:03}", state, n + late)._replace(name=f"web-{n:03}") for n in range(60)
            for late, state in enumerate(("Running", "Terminated"))]  # fmt: skip
    record(database_url, *gone, event("container/k999", "Running", 99)._replace(name="web-999"))

    found = completion.resources(database_url, beginning, patience=LONG)

    assert (found[0].key, len(found)) == ("k999", completion.MOST)


def test_a_name_that_was_given_up_is_found_too(database_url: str) -> None:
    record(
        database_url, *(event("service/1", "Running", n)._replace(name=name) for n, name in enumerate(("old", "new")))
    )

    assert [found.name for found in completion.resources(database_url, "ol", patience=LONG)] == ["old"]


def test_words_are_found_by_their_beginning(archive: str) -> None:
    assert completion.words(archive, "event_types", "con", patience=LONG) == ["container"]


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at.all", "postgresql://127.0.0.1:9/x", "mysql://x", "://"])
def test_an_archive_that_is_not_there_is_an_error(url: str) -> None:
    with pytest.raises(Exception):  # noqa: B017 - whichever driver's
        completion.resources(url, "web")


def test_no_archive_is_created_by_looking(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        completion.resources(f"sqlite:///{tmp_path}/new.db", "web")

    assert list(tmp_path.iterdir()) == []


def test_a_locked_archive_is_given_up_soon(sqlite_url: str) -> None:
    other = sqlite3.connect(fill(sqlite_url).removeprefix("sqlite:///"), isolation_level=None)
    try:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()

        with pytest.raises(sqlite3.OperationalError):
            completion.resources(sqlite_url, "web")
        assert time.monotonic() - began < 2
    finally:
        other.close()

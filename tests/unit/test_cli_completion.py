"""TAB offers what is in the archive, quickly, or nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import insert

from archiver.cli import completion
from archiver.storage import schema
from archiver.storage.engine import writer

RunArchiver = Callable[..., object]

CONTAINERS = [
    ("0fc9f01d-a726", "web-1"),
    ("0fd11111-a726", "web-2"),
    ("abcd0000-a726", None),
    ("dead0000-a726", "$(rm -rf /)"),
]


def fill(url: str) -> str:
    engine = writer(url)
    with engine.begin() as connection:
        connection.execute(insert(schema.metadata.tables["event_types"]), [{"id": 1, "text": "container"}])
        rows = [
            {"id": number, "type_id": 1, "key": key, "uri": f"/api/v1/container/{key}/", "name": name}
            for number, (key, name) in enumerate(CONTAINERS, 1)
        ]
        connection.execute(insert(schema.metadata.tables["resources"]), rows)
    engine.dispose()
    return url


class Line:
    """What is known of the command line while a word on it is completed."""

    def __init__(self, database: str, parent: Line | None = None) -> None:
        self.params = {"database": database}
        self.parent = parent


def offered(url: str, incomplete: str) -> list[str]:
    return completion.references(Line(url), incomplete)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("web", ["web-1", "web-2"]),
        ("0fc", ["0fc9f01d-a726"]),
        ("container/0f", ["container/0fc9f01d-a726", "container/0fd11111-a726"]),
        ("/api/v1/container/abcd", ["/api/v1/container/abcd0000-a726/"]),
        ("nothing", []),
        ("service/", []),
        ("$", []),
    ],
)
def test_resources_are_offered_as_they_are_typed(
    database_url: str, typed: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completion, "PATIENCE", 5.0)

    assert offered(fill(database_url), typed) == words


def test_without_a_word_all_are_offered_and_no_hostile_name(sqlite_url: str) -> None:
    assert offered(fill(sqlite_url), "")[:2] == ["abcd0000-a726", "container/0fc9f01d-a726"]


def test_words_are_offered_too(sqlite_url: str) -> None:
    assert completion.types(Line(fill(sqlite_url)), "con") == ["container"]  # type: ignore[arg-type]


def test_the_database_before_the_command_counts(sqlite_url: str) -> None:
    before = Line(fill(sqlite_url))

    assert completion.references(Line("", before), "web-1") == ["web-1"]  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at.all", "postgresql://127.0.0.1:9/x", "mysql://x", "://"])
def test_a_database_that_is_not_there_offers_nothing(url: str) -> None:
    assert offered(url, "web") == []


def test_no_archive_is_created_by_looking(tmp_path: Path) -> None:
    offered(f"sqlite:///{tmp_path}/new.db", "web")

    assert list(tmp_path.iterdir()) == []


def test_a_locked_archive_offers_nothing_and_soon(sqlite_url: str) -> None:
    path = fill(sqlite_url).removeprefix("sqlite:///")
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()

        assert offered(sqlite_url, "web") == []
        assert time.monotonic() - began < 2
    finally:
        other.close()


def test_the_shell_gets_the_words(sqlite_url: str, run_archiver: Callable[..., object]) -> None:
    environment = {
        "_ARCHIVER_COMPLETE": "complete_bash",
        "COMP_WORDS": f"archiver --database {fill(sqlite_url)} history web",
        "COMP_CWORD": "4",
    }

    assert run_archiver(env=environment).stdout.split() == ["web-1", "web-2"]  # type: ignore[attr-defined]

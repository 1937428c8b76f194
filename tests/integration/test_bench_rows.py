"""What an archive is measured against holds what the archive holds: plain rows on both databases, and the script."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from archiver.storage.database.address import libpq_url
from bench import fleet, plain
from bench.workshop import REPOSITORY, Lines

from ..conftest import PostgresServer, RunArchiver

EVENTS = 3_000
SAID = "SELECT id, type, action, state, uri, occurred_at FROM event_log ORDER BY id"
ABOVE = "SELECT event_id, position, uri FROM event_parents ORDER BY 1, 2"

PLAIN_SAID = """
SELECT e.id, t.text, a.text, s.text, r.uri, e.occurred_at
FROM events e JOIN event_types t ON t.id = e.type_id JOIN event_actions a ON a.id = e.action_id
JOIN event_states s ON s.id = e.state_id JOIN resources r ON r.id = e.resource_id ORDER BY e.id"""
PLAIN_ABOVE = """
SELECT e.event_id, e.position, r.uri FROM event_parents e JOIN resources r ON r.id = e.resource_id ORDER BY 1, 2"""

SCRIPT_SAID = """
SELECT e.id, t.text, a.text, s.text, r.uri, strftime('%Y-%m-%dT%H:%M:%S.000000Z', e.time / 1000000, 'unixepoch')
FROM events e JOIN words t ON t.id = e.type JOIN words a ON a.id = e.action JOIN words s ON s.id = e.state
JOIN resources r ON r.id = e.resource ORDER BY e.id"""
SCRIPT_ABOVE = """
SELECT e.id, m.place, r.uri FROM events e JOIN members m ON m.list = e.list JOIN resources r ON r.id = m.resource
ORDER BY 1, 2"""


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(fleet.lines(EVENTS)))
    return Lines(path, EVENTS)


def asked(path: Path, *questions: str) -> list[list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return [connection.execute(question).fetchall() for question in questions]


@pytest.fixture
def archived(sqlite_url: str, lines: Lines, run_archiver: RunArchiver) -> list[list[tuple[Any, ...]]]:
    run_archiver("--database", sqlite_url, "import", str(lines.path))
    return asked(Path(sqlite_url.removeprefix("sqlite:///")), SAID, ABOVE)


def test_plain_rows_say_what_the_archive_says(lines: Lines, archived: object, tmp_path: Path) -> None:
    plain.sqlite_cost(lines, tmp_path / "plain.db", size=640)

    assert asked(tmp_path / "plain.db", PLAIN_SAID, PLAIN_ABOVE) == archived


def test_plain_rows_on_postgresql_say_the_same(
    lines: Lines, archived: list[list[tuple[Any, ...]]], postgres_server: PostgresServer
) -> None:
    with postgres_server.database() as url:
        plain.postgres_cost(lines, url, size=640)
        with psycopg.connect(libpq_url(url)) as connection:
            said, above = (connection.execute(question).fetchall() for question in (PLAIN_SAID, PLAIN_ABOVE))

    assert [(*row, f"{at:%Y-%m-%dT%H:%M:%S.%fZ}") for *row, at in said] == archived[0]
    assert above == archived[1]


def test_the_script_says_what_the_archive_says_and_takes_an_event_once(
    lines: Lines, archived: object, tmp_path: Path
) -> None:
    for _ in range(2):
        with open(lines.path) as source:
            command = [sys.executable, REPOSITORY / "bench" / "script.py", tmp_path / "script.db"]
            subprocess.run(command, stdin=source, check=True)

    assert asked(tmp_path / "script.db", SCRIPT_SAID, SCRIPT_ABOVE) == archived


def test_a_fleet_is_the_same_each_time_and_its_present_does_not_grow() -> None:
    assert list(fleet.lines(EVENTS)) == list(fleet.lines(EVENTS))
    few, many = (living(fleet.lines(events)) for events in (10_000, 40_000))
    assert 2_000 - 1 <= few <= 2_000
    assert 2_000 - 1 <= many <= 2_000


def living(lines: Iterable[str]) -> int:
    """How many containers live at the end: all, but for one that is just being replaced."""
    states: dict[str, str] = {}
    for event in map(json.loads, lines):
        if event["type"] == "container":
            states[event["resource_uri"]] = event["state"]
    return sum(state != "Terminated" for state in states.values())

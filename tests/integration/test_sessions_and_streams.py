"""What is kept of streams and sessions: how each ended, for programs too, and how things stand, on both databases."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, get_args

import pytest

from archiver.api.archive import Archive
from archiver.model import Alive, Closed, Condition, EndKind, Opened
from archiver.storage import migrate
from archiver.storage.backup import RESTORED, backup, restore
from archiver.transfer.importer import How, import_file

from .archives import STREAM, at, event, export, micros, opened, record, rows

ENDS = "SELECT key, kind, reason FROM sessions ORDER BY id"
CONDITIONS = (
    "SELECT s.url, c.about, c.found_at, c.value FROM stream_conditions c JOIN streams s ON s.id = c.stream_id"
    " ORDER BY 1, 2"
)


def condition(second: float, value: str | None, of: Any = "clock", stream: str = STREAM) -> Condition:
    return Condition(stream, "tutum", micros(second), of, value)


@pytest.mark.parametrize("kind", get_args(EndKind))
def test_why_a_session_ended_is_kept_for_programs(database_url: str, kind: EndKind) -> None:
    record(database_url, opened("s1", 0), Closed(STREAM, "s1", micros(5), "in words", kind))

    assert rows(database_url, ENDS) == [("s1", kind, "in words")]


def test_an_open_session_has_no_end(database_url: str) -> None:
    record(database_url, opened("s1", 0), event("container/1", "Running", 1, session="s1"))

    assert rows(database_url, ENDS) == [("s1", None, None)]


def test_a_session_that_nobody_closed_was_lost(database_url: str) -> None:
    record(database_url, opened("s1", 0), Alive(STREAM, "s1", micros(5)), receiver="spool", upto=2)

    record(database_url, opened("s2", 60), receiver="spool", upto=3)

    assert rows(database_url, ENDS)[0][:2] == ("s1", "lost")
    assert rows(database_url, "SELECT count(*) FROM sessions WHERE closed_at = last_seen_at") == [(1,)]


def test_the_sessions_of_a_restored_copy_ended_with_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'archive.db'}"
    migrate.create(url)
    other = Opened("ws://other.example/", "o", "tutum", micros(0), micros(0))
    record(url, opened("s1", 0), Closed(STREAM, "s1", micros(5), "bye", "stopped"), other, opened("s2", 6))

    restore(url, backup(url, tmp_path / "copy.db").path)

    ends = [(key.partition(":")[0], kind, reason) for key, kind, reason in rows(url, ENDS)]
    assert ends == [("s1", "stopped", "bye"), ("o", "restored", RESTORED), ("s2", "restored", RESTORED)]


# --- conditions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seen_since", [0, 30])
def test_an_older_export_in_a_restored_archive_takes_no_stream_back(tmp_path: Path, seen_since: int) -> None:
    url = f"sqlite:///{tmp_path / 'archive.db'}"
    migrate.create(url)
    record(url, opened("s1", 0), Alive(STREAM, "s1", micros(10)))
    older = "\n".join(export(url)).encode()
    record(url, Alive(STREAM, "s1", micros(10 + seen_since)))
    restore(url, backup(url, tmp_path / "copy.db").path)

    import_file(url, io.BytesIO(older), How(source="older"))

    with Archive.open(url) as archive:
        (stream,) = archive.status().streams
    last = at(10 + seen_since)
    assert (stream.last_seen_at, stream.closed_at, stream.reason) == (last, last, RESTORED)


def test_of_each_condition_the_latest_is_kept(database_url: str) -> None:
    record(database_url, condition(3, "3"), condition(1, "1"), condition(2, '{"who":1}', "identity"))
    record(database_url, condition(4, "4", stream="ws://other.example/"))

    assert rows(database_url, CONDITIONS) == [
        ("ws://other.example/", "clock", micros(4), "4"),
        (STREAM, "clock", micros(3), "3"),
        (STREAM, "identity", micros(2), '{"who":1}'),
    ]


@pytest.mark.parametrize("over", [condition(2, None, "trouble"), opened("s1", 2)], ids=["told", "opened"])
def test_a_trouble_that_is_over_is_kept_no_more(database_url: str, over: Condition | Opened) -> None:
    record(database_url, condition(1, "refused", "trouble"), condition(1, "5"))

    record(database_url, over)

    assert rows(database_url, CONDITIONS) == [(STREAM, "clock", micros(1), "5")]


def test_what_is_no_longer_so_makes_no_stream(database_url: str) -> None:
    record(database_url, condition(1, None))

    assert rows(database_url, "SELECT count(*) FROM streams") == [(0,)]

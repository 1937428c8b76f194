"""What an export says beside the events, and that exports of the first format are read as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.errors import BadInput
from archiver.model import Closed, Condition, Observation
from archiver.storage import migrate
from archiver.storage.schema import IMAGE, SLOT
from archiver.transfer.importer import ImportResult, import_lines

from ..migrations import released
from .archives import STREAM, closed, event, export, exported, micros, opened, record, rows, seen, uri

SECOND = f"{STREAM}?second"
"""Of the same account."""
UUID = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"


@pytest.fixture
def copy_url(request: pytest.FixtureRequest, database_url: str) -> str:
    """An empty archive of the other database."""
    return str(request.getfixturevalue("postgres_url" if database_url.startswith("sqlite") else "sqlite_url"))


def lines(url: str) -> list[bytes]:
    return [line.encode() + b"\n" for line in export(url)]


def problem_kinds(url: str) -> list[str]:
    with Archive.open(url) as archive:
        return [problem.kind for problem in archive.status().problems]


def test_kinds_conditions_tellings_names_and_lists_are_the_same_in_a_copy(database_url: str, copy_url: str) -> None:
    told = event("container/1", "Running", 2, ["service/1"], "a", uuid=UUID)
    record(
        database_url,
        opened("a", 0),
        opened("b", 0, stream=SECOND),
        told._replace(name="first"),
        Condition(STREAM, "tutum", micros(1), "clock", "-1500000"),
        Observation(uri("container/2"), "Running", "asked", (uri("node/1"), uri("node/1")), micros(3), None, "a"),
        seen("container/2", "Stopped", 4),
        Closed(STREAM, "a", micros(5), "credentials refused", "refused"),
    )
    record(database_url, told._replace(session="b", received_at=micros(2.5)))
    record(database_url, event("container/1", "Stopped", 6)._replace(name="second"))

    import_lines(copy_url, lines(database_url))

    assert export(copy_url)[1:] == export(database_url)[1:]
    assert [line["kind"] for line in exported(copy_url, "session")] == ["refused", None]
    assert [line["name"] for line in exported(copy_url, "event")] == ["first", "second"]
    assert [(line["session"], line["uuid"]) for line in exported(copy_url, "telling")] == [("b", UUID)]
    assert [line["value"] for line in exported(copy_url, "condition")] == ["-1500000"]
    observed = exported(copy_url, "observation")
    assert [(line["name"], line["parents"], line["own"]) for line in observed] == [
        ("asked", [uri("node/1")] * 2, True),
        (None, [], True),
    ]


def test_the_same_once_more_adds_nothing(database_url: str, copy_url: str) -> None:
    test_kinds_conditions_tellings_names_and_lists_are_the_same_in_a_copy(database_url, copy_url)
    before = export(copy_url)

    import_lines(copy_url, lines(database_url) * 2)

    assert export(copy_url) == before


def test_how_things_stand_now_is_not_undone_by_an_export_of_before(database_url: str, copy_url: str) -> None:
    record(database_url, opened("a", 0), Condition(STREAM, "tutum", micros(10), "trouble", "no answer"))
    record(copy_url, Condition(STREAM, "tutum", micros(20), "trouble", "connection refused"))

    import_lines(copy_url, lines(database_url))

    assert rows(copy_url, "SELECT value FROM stream_conditions") == [("connection refused",)]


def test_a_stream_that_another_archive_never_reached_is_nobodys_to_listen_to(database_url: str, copy_url: str) -> None:
    trouble = Condition(STREAM, "tutum", micros(10), "trouble", "no answer")
    record(database_url, trouble, receiver="spool", upto=1)

    import_lines(copy_url, lines(database_url))

    assert [problem_kinds(url) for url in (database_url, copy_url)] == [["blind"], []]
    record(copy_url, trouble, receiver="a spool of its own", upto=1)
    import_lines(copy_url, lines(database_url))
    assert problem_kinds(copy_url) == ["blind"]


def test_the_last_line_counts_all_that_came_before(database_url: str) -> None:
    record(database_url, opened("a", 0), event("container/1", "Running", 1, session="a"))

    assert json.loads(export(database_url)[0]) | {"archive": "", "revision": ""} == {
        "archiver": "export", "format": 2, "archive": "", "generation": "", "revision": "",
    }  # fmt: skip
    assert json.loads(export(database_url)[-1]) == {
        "archiver": "end", "platforms": 1, "sessions": 1, "conditions": 0, "events": 1, "tellings": 0,
        "observations": 0, "rejects": 0,
    }  # fmt: skip


def test_an_export_of_a_later_format_is_refused_and_nothing_of_it_archived(database_url: str) -> None:
    head = {"archiver": "export", "format": 3, "archive": "abc", "generation": "", "revision": "0003"}
    line = {
        "archiver": "event",
        "id": 1,
        "session": None,
        "received_at": "2016-02-01T12:00:00Z",
        "event": {"type": "x"},
    }

    with pytest.raises(BadInput, match="format 3, and this archiver reads up to 2"):
        import_lines(database_url, [json.dumps(value).encode() + b"\n" for value in (head, line)])

    assert rows(database_url, "SELECT count(*) FROM events") == [(0,)]


ODD: list[dict[str, Any]] = [
    {
        "archiver": "condition",
        "stream": "s",
        "dialect": "tutum",
        "about": "weather",
        "found_at": "2016-02-01T12:00:00Z",
    },
    {"archiver": "telling", "session": None, "uuid": "u", "occurred_at": "2016-02-01T12:00:00Z"},
    {"archiver": "end", "sessions": 0, "events": 0, "observations": 0, "rejects": 0, "tellings": "none"},
]


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_a_line_that_makes_no_sense_is_a_reject(sqlite_url: str, value: dict[str, Any]) -> None:
    assert import_lines(sqlite_url, [json.dumps(value).encode()]) == ImportResult(rejects=1)


@pytest.mark.parametrize("name", ["last_seen_at", "closed_at"])
def test_nobody_watched_a_time_that_is_yet_to_come(database_url: str, copy_url: str, name: str) -> None:
    """One such session would hide each gap of its stream for ever."""
    record(database_url, opened("a", 0), event("container/1", "Running", 1, session="a"), closed("a", 5))
    told = [json.loads(line) for line in export(database_url)]
    for line in told:
        if line["archiver"] == "session":
            line[name] = "9999-12-31T23:59:59Z"

    done = import_lines(copy_url, [json.dumps(line).encode() + b"\n" for line in told])

    assert (done.events, done.rejects) == (1, 1)
    assert exported(copy_url, "session") == []
    with Archive.open(copy_url) as archive:
        assert archive.coverage().complete is False
        assert "yet to come" in next(archive.rejects()).reason


def test_a_telling_of_what_is_not_there_is_left_out(sqlite_url: str) -> None:
    line = {"archiver": "telling", "session": "b", "uuid": UUID, "occurred_at": "2016-02-01T12:00:00Z"}

    import_lines(sqlite_url, [json.dumps(line | {"received_at": "2016-02-01T12:00:00Z"}).encode()])

    assert rows(sqlite_url, "SELECT count(*) FROM tellings") == [(0,)]


# --- format 1 ---------------------------------------------------------------------------------------------------------


def test_an_export_of_0_1_0_is_read(database_url: str) -> None:
    done = import_lines(database_url, released.content("exported.jsonl").splitlines(keepends=True))

    assert done == ImportResult(events=271, rejects=5)
    assert rows(database_url, "SELECT key, kind FROM sessions WHERE closed_at IS NOT NULL ORDER BY id") == [
        ("t1", "lost"), ("t2", "stopped"), ("d1", "lost"),
    ]  # fmt: skip
    assert rows(database_url, "SELECT count(*) FROM events WHERE time_source = 3") == [(1,)]


def test_images_and_slots_of_an_export_of_0_1_0_are_those_of_the_upgraded_archive(tmp_path: Path) -> None:
    source, copy = (f"sqlite:///{tmp_path}/{name}.db" for name in ("source", "copy"))
    released.load(source)
    migrate.upgrade(source)
    migrate.create(copy)
    import_lines(copy, released.content("exported.jsonl").splitlines(keepends=True))

    held = f"""SELECT r.uri, f.what, t.text, f.since, f.until, f.how FROM facts f JOIN texts t ON t.id = f.value
        JOIN resources r ON r.id = f.resource_id WHERE f.what IN ({IMAGE}, {SLOT}) ORDER BY 1, 2, 4"""
    assert rows(copy, held) == rows(source, held) != []


def test_a_mirror_of_an_archive_that_was_upgraded_goes_on(database_url: str, tmp_path: Path) -> None:
    """What the source infers after its upgrade is not what the mirror inferred out of an export of before."""
    import_lines(database_url, released.content("exported.jsonl").splitlines(keepends=True))
    source = f"sqlite:///{tmp_path}/source.db"
    released.load(source)
    migrate.upgrade(source)
    record(source, event("container/new", "Running", 100))
    before = [rows(database_url, f"SELECT count(*) FROM {table}") for table in ("observations", "rejects")]

    done = import_lines(database_url, lines(source))

    assert (done.events, done.rejects) == (1, 0)
    assert [rows(database_url, f"SELECT count(*) FROM {table}") for table in ("observations", "rejects")] == before


def test_an_upgraded_archive_recognises_what_it_exported_before(tmp_path: Path) -> None:
    source = f"sqlite:///{tmp_path}/source.db"
    released.load(source)
    migrate.upgrade(source)
    before = export(source)

    done = import_lines(source, released.content("exported.jsonl").splitlines(keepends=True))

    assert (done.events, done.rejects) == (0, 0)
    assert export(source) == before

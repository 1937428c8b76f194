"""Recordings on their way into an archive: refused whole, known again, one with the stream they were recorded from."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from archiver.api.archive import Archive
from archiver.errors import BadInput, DatabaseUnreachable, UsageError
from archiver.model import Closed, Event, Message, Opened
from archiver.platforms.decoders import decode
from archiver.storage import statistics
from archiver.storage.database import turns
from archiver.storage.database.engine import writing_engine
from archiver.storage.recorder import Recorder
from archiver.transfer import reader
from archiver.transfer.importer import How, ImportResult, import_file

from .archives import START, micros, rejected, rows, wire

LINES = [wire("container/1", f"s{n}", n) for n in range(7)]
UNDATED = b'{"type":"container","resource_uri":"/api/v1/container/1/"}'
ENGINE, SOCKET = "Q2DR:GA5L", "unix:///run/engine.sock"


def brought(url: str, path: Path, *lines: bytes, **options: Any) -> ImportResult:
    if lines:
        path.write_bytes(b"\n".join(lines) + b"\n")
    how = How(**{key: options.pop(key) for key in list(options) if key in How._fields})
    with path.open("rb") as file:
        return import_file(url, file, how, **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def count(url: str) -> int:
    return int(rows(url, "SELECT count(*) FROM event_log")[0][0])


def test_a_file_is_known_when_it_is_imported_again(database_url: str, path: Path) -> None:
    assert brought(database_url, path, *LINES, b"garbage") == ImportResult(events=7, rejects=1)

    again = brought(database_url, path)

    assert (again, again.known_since is not None) == (ImportResult(), True)
    assert (count(database_url), len(rejected(database_url))) == (7, 1)


def test_what_a_large_import_brought_is_known_to_the_planner(
    postgres_url: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "MANY", 7)
    brought(postgres_url, path, *LINES)

    assert rows(postgres_url, "SELECT reltuples FROM pg_class WHERE oid = 'events'::regclass") == [(7,)]


def test_a_large_import_waits_for_nobody_who_sees_to_a_table(
    postgres_url: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "MANY", 7)
    monkeypatch.setattr(turns, "PATIENCE", "1s")
    engine = writing_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE events IN SHARE UPDATE EXCLUSIVE MODE"))  # as VACUUM does
        found = brought(postgres_url, path, *LINES)
    engine.dispose()

    assert found == ImportResult(events=7)
    assert rows(postgres_url, "SELECT reltuples FROM pg_class WHERE oid = 'resources'::regclass") == [(1,)]


def test_a_known_file_is_imported_once_more_when_asked_for(sqlite_url: str, path: Path) -> None:
    brought(sqlite_url, path, *LINES)

    assert brought(sqlite_url, path, again=True).events == 7
    assert count(sqlite_url) == 14


def test_an_interrupted_import_of_a_file_goes_on(database_url: str, path: Path) -> None:
    def cut_off(lines: int) -> None:
        if lines >= 4:
            raise DatabaseUnreachable(database="here", reason="a cable")

    with pytest.raises(DatabaseUnreachable):
        brought(database_url, path, *LINES, progress=cut_off, batch_lines=2)
    assert count(database_url) == 4

    assert brought(database_url, path).events == 3
    assert [state for (state,) in rows(database_url, "SELECT state FROM event_log ORDER BY id")] == [
        f"s{n}" for n in range(7)
    ]


def test_a_file_with_one_event_without_a_time_at_its_end_archives_nothing(sqlite_url: str, path: Path) -> None:
    many = [wire("container/1", "s", n) for n in range(30)]

    with pytest.raises(BadInput, match=r"1 of 31 events") as refused:
        brought(sqlite_url, path, *many, UNDATED, batch_lines=10)

    assert "--dated-by" in refused.value.next_step
    assert count(sqlite_url) == 0
    assert brought(sqlite_url, path, dated_by=START).events == len(many) + 1


def test_of_a_pipe_what_comes_late_without_a_time_is_a_reject(sqlite_url: str) -> None:
    result = import_file(sqlite_url, BytesIO(b"\n".join([*LINES, UNDATED])), batch_lines=2)

    assert result == ImportResult(events=7, rejects=1)
    assert result.first_reject == reader.NO_TIME


def test_a_pipe_that_begins_without_a_time_archives_nothing(sqlite_url: str) -> None:
    with pytest.raises(BadInput, match="nothing was archived"):
        import_file(sqlite_url, BytesIO(b"\n".join([UNDATED, *LINES])))

    assert count(sqlite_url) == 0


def message(kind: str, action: str, id: str, second: int, **attributes: str) -> dict[str, Any]:
    actor = {"ID": id, "Attributes": attributes}
    at = (START + second * 1_000_000) * 1000 + 7
    return {"Type": kind, "Action": action, "Actor": actor, "scope": "local", "time": at // 10**9, "timeNano": at}


def live(url: str, *messages: dict[str, Any], engine: str = ENGINE, stream: str = SOCKET) -> None:
    """Archives messages as the daemon does."""
    session = f"session of {stream}"
    decoded = []
    for told in messages:
        payload = json.dumps({"engine": engine, "message": told}).encode()
        decoded.append(decode(Message(stream, session, "docker", told["timeNano"] // 1000, payload)))
    assert all(isinstance(event, Event) for event in decoded)
    with Recorder(url) as recorder:
        recorder.record(
            [
                Opened(stream, session, "docker", START, START),
                *decoded,
                Closed(stream, session, micros(100), "stopped", "stopped"),
            ]
        )


COMPOSE = {
    f"com.docker.compose.{key}": text
    for key, text in (("project", "blog"), ("service", "app"), ("container-number", "1"))
}
VOLUME = message("volume", "create", "data", 1, driver="local")
REMOVED = message("volume", "destroy", "data", 2, driver="local")
CONTAINER = message("container", "start", "c1", 3, name="blog-app-1", **COMPOSE)


def test_a_recording_of_a_stream_and_the_live_stream_are_one(database_url: str, path: Path) -> None:
    live(database_url, VOLUME)

    brought(database_url, path, *(json.dumps(told).encode() for told in (REMOVED, CONTAINER)), stream=SOCKET)

    with Archive.open(database_url) as archive:
        parents = [uri for uri in archive.resolve("container/c1").parents if "blog" in uri]
        assert parents == [f"/docker/v1/service/{ENGINE}.blog.app/", f"/docker/v1/stack/{ENGINE}.blog/"]
        assert [span.state for span in archive.history("data").spans] == ["created", "removed"]


def test_what_the_live_stream_told_already_is_a_duplicate(sqlite_url: str, path: Path) -> None:
    live(sqlite_url, VOLUME, CONTAINER)

    result = brought(sqlite_url, path, *(json.dumps(told).encode() for told in (VOLUME, REMOVED)), stream=SOCKET)

    assert result == ImportResult(events=1, duplicates=1)


def test_the_engine_is_that_of_the_stream_and_not_another(sqlite_url: str, path: Path) -> None:
    live(sqlite_url, VOLUME)
    live(sqlite_url, {**VOLUME, "timeNano": VOLUME["timeNano"] + 1}, engine="OTHER", stream="tcp://other:2376")

    brought(sqlite_url, path, json.dumps(REMOVED).encode(), stream=SOCKET)

    assert rows(sqlite_url, "SELECT DISTINCT uri FROM event_log WHERE action = 'destroy'") == [
        (f"/docker/v1/volume/{ENGINE}.data/",)
    ]


def test_a_stream_that_the_archive_does_not_know_is_refused(sqlite_url: str, path: Path) -> None:
    with pytest.raises(UsageError, match=r"unix:///elsewhere"):
        brought(sqlite_url, path, json.dumps(REMOVED).encode(), stream="unix:///elsewhere")

    assert count(sqlite_url) == 0


def test_messages_of_a_swarm_say_nothing_of_one_engine(sqlite_url: str, path: Path) -> None:
    live(sqlite_url, VOLUME)
    swarm = {**message("service", "create", "s1", 4, name="web"), "scope": "swarm"}

    brought(sqlite_url, path, json.dumps(swarm).encode(), stream=SOCKET)

    assert rows(sqlite_url, "SELECT extra FROM event_log WHERE type = 'service'")[0][0].find(ENGINE) == -1

"""Rejects: listed, shown, tried again by hand and by each new version, and kept byte for byte."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.errors import NoSuchReject
from archiver.model import Event, Message, Reject, TimeRange
from archiver.platforms.decoders import decode
from archiver.recording import errands
from archiver.recording.ingest import Ingest, IngestPace
from archiver.recording.retrying import retry
from archiver.recording.spool.queue import Spool
from archiver.recording.steps import finished
from archiver.storage import migrate
from archiver.storage.database.engine import writing_engine
from archiver.storage.duplicates import CONFLICT
from archiver.storage.recorder import Recorder
from archiver.storage.retrying import PAGE
from archiver.transfer.importer import import_lines

from ..conftest import RunArchiver
from .archives import STREAM, at, closed, export, exported, micros, opened, record, rejected, rows, wire
from .growth import cost_of

DOCKER = (
    b'{"Type":"container","Action":"start","Actor":{"ID":"c1","Attributes":{}},'
    b'"time":1454328000,"timeNano":1454328000000000000}'
)


def kept(payload: bytes, second: float, session: str | None = "s1", reason: str = "an old bug") -> Reject:
    return Reject(payload, reason, micros(second), session)


def tried(url: str, *numbers: int) -> dict[str, Any]:
    with Recorder(url) as recorder:
        return finished(retry(recorder, numbers or None))


def ingested(url: str, folder: Path, *items: Any, until: Callable[[], bool] = lambda: True) -> None:
    with Spool(folder / "spool.db") as spool:
        spool.append(items)
        ingest = Ingest(spool, url, pace=IngestPace(first_delay=0.01, last_delay=0.05, tidy=0.05))
        thread = threading.Thread(target=ingest.run)
        thread.start()
        deadline = time.monotonic() + 60
        while not until() and time.monotonic() < deadline:
            time.sleep(0.02)
        ingest.finish()
        thread.join(60)


def test_what_can_be_read_by_now_becomes_an_event_of_the_time_at_which_it_was_received(database_url: str) -> None:
    readable, broken = kept(b'{"type":"container","state":"Running"}', 5), kept(b"{", 6)
    record(database_url, opened("s1", 0), readable, broken, kept(DOCKER, 7, session=None), closed("s1", 9))
    with Archive.open(database_url) as archive:
        assert archive.status().rejects == 3
    assert tried(database_url) == {"tried": 3, "events": 2, "duplicates": 0, "rejects": 1}
    with Archive.open(database_url) as archive:
        told = [(event.type, event.occurred_at, event.received_at) for event in archive.events()]
        assert told == [("container", at(0), at(7)), ("container", at(5), at(5))]
        (left,) = archive.rejects()
        assert (left.id, left.kind, left.bytes, left.stream) == (2, "failed", 1, STREAM)
        assert left.retried_at is not None
        assert archive.status().rejects == 1
        with pytest.raises(NoSuchReject):
            archive.reject(1)
    sessions = dict(rows(database_url, "SELECT e.id, s.key FROM events e LEFT JOIN sessions s ON s.id = e.session_id"))
    assert sorted(map(str, sessions.values())) == ["None", "s1"]


def test_one_that_is_known_already_is_a_duplicate_and_only_those_named_are_tried(database_url: str) -> None:
    payload = wire("container/1", "Running", uuid="0" * 32)
    told = Message(STREAM, "s1", "tutum", micros(1), payload)
    event = decode(told)
    assert isinstance(event, Event)
    record(database_url, opened("s1", 0), event, kept(payload, 2), kept(payload, 3))
    assert tried(database_url, 2) == {"tried": 1, "events": 0, "duplicates": 1, "rejects": 0}
    assert tried(database_url) == {"tried": 1, "events": 0, "duplicates": 1, "rejects": 0}
    assert tried(database_url) == {"tried": 0, "events": 0, "duplicates": 0, "rejects": 0}


def test_a_known_uuid_with_other_content_is_kept_byte_for_byte_however_often_it_is_tried(
    database_url: str, tmp_path: Path
) -> None:
    first = wire("container/1", "Running", uuid="0" * 32)
    odd = b'  {"uuid" : "' + b"0" * 32 + b'", "state":"Stopped",\t' + wire("container/1")[1:]
    messages = [Message(STREAM, "s1", "tutum", micros(n), payload) for n, payload in enumerate((first, odd))]
    ingested(database_url, tmp_path, opened("s1", 0), *messages)
    assert rejected(database_url) == [(CONFLICT, odd)]
    assert tried(database_url) == {"tried": 1, "events": 0, "duplicates": 0, "rejects": 1}
    assert rejected(database_url) == [(CONFLICT, odd)]


def test_a_new_version_tries_all_of_them_once(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    readable = b'{"type":"container","state":"Running"}'
    monkeypatch.setattr(errands, "__version__", "1")
    ingested(database_url, tmp_path, opened("s1", 0))
    record(database_url, kept(readable, 1))
    ingested(database_url, tmp_path, closed("s1", 2))
    assert len(rejected(database_url)) == 1, "this version has tried all there were"
    monkeypatch.setattr(errands, "__version__", "2")
    ingested(database_url, tmp_path, closed("s1", 3), until=lambda: "are events now" in caplog.text)
    assert rejected(database_url) == []
    assert "1 rejects of other versions tried again: 1 are events now" in caplog.text


def test_bytes_that_are_no_text_are_shown_as_what_they_are(sqlite_url: str, run_archiver: RunArchiver) -> None:
    record(sqlite_url, kept(b"caf\xc3\xa9 \xff\x1b\xfe", 1, None))

    shown = run_archiver("rejects", "show", "1", "--database", sqlite_url).stdout

    assert shown.splitlines()[-1] == r"café \xff\x1b\xfe"


def test_an_export_carries_what_was_left(sqlite_url: str, tmp_path: Path) -> None:
    record(sqlite_url, opened("s1", 0), kept(b"\xff\x00", 1), closed("s1", 2))
    tried(sqlite_url)
    assert [line["payload"] for line in exported(sqlite_url, "reject")] == ["/wA="]


def test_what_is_imported_and_retried_twice_is_there_once(database_url: str, tmp_path: Path) -> None:
    """Whatever has no uuid, and however often an export has the same: here one whose numbers say nothing."""
    bare = b'{"type":"container","state":"Running","resource_uri":"/api/v1/container/1/"}'
    source = f"sqlite:///{tmp_path / 'source.db'}"
    migrate.create(source)
    record(source, opened("s1", 0), kept(bare, 1), kept(bare, 1), kept(DOCKER, 7, None), kept(b"{", 9), closed("s1", 9))
    headless = [f"{line}\n".encode() for line in export(source)[1:]]
    for _ in range(3):
        import_lines(database_url, headless)
        tried(database_url)
    assert rows(database_url, "SELECT state, count(*) FROM event_log GROUP BY state ORDER BY state") == [
        ("Running", 2),
        ("running", 1),
    ]
    assert len(rejected(database_url)) == 1


def test_the_last_ones_cost_what_they_are(database_url: str) -> None:
    costs = []
    for more in (100, 1000):
        record(database_url, *[kept(b"x", n, None) for n in range(more)])
        costs.append(cost_of(database_url, lambda archive: list(archive.rejects(limit=20))))
    assert costs[1] <= 1.15 * costs[0] + 400
    with Archive.open(database_url) as archive:
        assert [each.id for each in archive.rejects(TimeRange(at(10), at(12)), 2)] == [111, 112]
        assert sum(1 for _ in archive.rejects(limit=0)) == 1100
    with Recorder(database_url) as recorder:
        assert sum(1 for _ in retry(recorder)) == 1100 / PAGE, "each step is a transaction of its own"


REFUSING = {
    "sqlite": ["CREATE TRIGGER refuse BEFORE INSERT ON events WHEN {} BEGIN SELECT RAISE(ABORT, 'no'); END"],
    "postgresql": [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE check_violation USING MESSAGE = 'no'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW WHEN ({}) EXECUTE FUNCTION refuse()",
    ],
}


def test_one_that_the_archive_does_not_take_keeps_no_other_from_becoming_an_event(database_url: str) -> None:
    record(database_url, opened("s1", 0), *(kept(wire(f"container/{n}"), n) for n in range(1, 8)))
    engine = writing_engine(database_url)
    with engine.begin() as connection:
        for statement in REFUSING[engine.dialect.name]:
            connection.exec_driver_sql(statement.format(f"NEW.received_at = {micros(5)}"))
    engine.dispose()
    assert tried(database_url) == {"tried": 7, "events": 6, "duplicates": 0, "rejects": 1}
    with Archive.open(database_url) as archive:
        (left,) = archive.rejects()
    assert (left.id, left.retried_at is not None) == (5, True)

"""A leaked secret is gone from archive, spool and rejects, and from the bytes of their files; all else stays."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.event import listen, remove

from archiver.api.archive import Archive
from archiver.codec.forgetting import FORGOTTEN, Pattern
from archiver.model import Condition, Message, Observation, Reject
from archiver.recording.retrying import retry
from archiver.recording.spool.queue import Spool
from archiver.recording.steps import finished
from archiver.storage import forgetting
from archiver.storage.database.engine import reading_engine
from archiver.storage.recorder import Recorder
from archiver.storage.schema import metadata
from archiver.storage.shared_texts import digest

from ..conftest import RunArchiver
from .archives import STREAM, closed, event, export, micros, opened, record, rows, uri, wire
from .test_hooks import docker
from .test_shared_texts import docker as labelled

SECRET = "hunter2-token"
CANARIES = (SECRET.encode(), b"hunter2")


def leaked(url: str) -> None:
    """An archive in every corner of which a secret stands."""
    record(
        url,
        opened("a", -10),
        event("container/1", "Running", 0, ["service/1"], session="a")._replace(name=f"db-{SECRET}"),
        event("container/2", "Running", 1, session="a")._replace(name=f"db-{SECRET}-b"),
        event(f"volume/{SECRET}", "Running", 2, [f"stack/{SECRET}"], session="a"),
        event(f"volume/{SECRET}x", "Running", 2.5, session="a"),
        event("container/1", SECRET, 3, session="a", uuid=SECRET, env={"PASSWORD": SECRET, SECRET: 1, "n": 1.50}),
        event("container/2", "Running", 3.5, session="a", uuid=f"{SECRET}2", datetime=None),
        docker("start", 4, "c0", label=f"key={SECRET}"),
        docker("stop", 4.5, "c0", label="l" * 250, secret=SECRET),
        docker("start", 4.6, "c0", label="l" * 250, secret=SECRET),
        docker("start", 4.7, "c0", label="l" * 250, secret=f"{SECRET}x"),
        Observation(uri("container/2"), "Running", f"obs-{SECRET}", (), micros(5), json.dumps({"a": SECRET}), "a"),
        Reject(f"{{ {SECRET}".encode(), f"no JSON: {SECRET}", micros(6), "a"),
        Condition(STREAM, "tutum", micros(7), "trouble", f"cannot open https://u:{SECRET}@h"),
        closed("a", 8, f"said {SECRET}"),
        event("container/3", "Running", 9)._replace(name="innocent"),
    )


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def everything(url: str) -> str:
    """All that stands in the tables."""
    engine = reading_engine(url)
    with engine.connect() as connection:
        tables = [connection.execute(table.select()).all() for table in metadata.sorted_tables]
    engine.dispose()
    return "\n".join(str(tuple(row)) for table in tables for row in table)


def test_a_secret_is_nowhere_afterwards_and_the_events_are(
    database_url: str, tmp_path: Path, run_archiver: RunArchiver
) -> None:
    leaked(database_url)
    spool_file = tmp_path / "spool.db"
    with Spool(spool_file) as spool:
        payload = json.dumps({"type": "service", "state": "Running", "resource_uri": uri("service/9"), "x": SECRET})
        spool.append([Message(STREAM, "a", "tutum", micros(20), payload.encode())])
    before = rows(database_url, "SELECT count(*) FROM events")
    secret = tmp_path / "leaked.txt"
    secret.write_text("hunter2*\n")
    told = ("--database", database_url, "--spool", str(spool_file))
    dry = run_archiver("forget", "--from", str(secret), "--dry-run", "-o", "json", *told)
    assert dry.returncode == 0, dry.stderr
    assert SECRET in everything(database_url)
    done = run_archiver("forget", "--from", "-", "-o", "json", *told, input="hunter2*\n")
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stdout + done.stderr + dry.stdout
    found = json.loads(done.stdout)
    assert found["touched"] == json.loads(dry.stdout)["touched"]
    expected = {
        "event_states": 1,
        "events": 3,
        "observations": 1,
        "rejects": 1,
        "resources": 3,
        "sessions": 1,
        "shared_texts": 2,
    }
    assert found["touched"] == expected | {"spool": 1, "stream_conditions": 1, "texts": 3}
    assert (found["clean"], found["left"]) == (True, [])
    secret.unlink()

    assert "hunter2" not in everything(database_url)
    shared = rows(database_url, "SELECT text, digest FROM shared_texts")
    assert [bytes(told) for _, told in shared] == [digest(text) for text, _ in shared]
    assert not [name for name, data in files(tmp_path).items() for canary in CANARIES if canary in data]
    assert "hunter2" not in "".join(export(database_url))
    assert rows(database_url, "SELECT count(*) FROM events") == [(before[0][0] + 1,)]
    with Archive.open(database_url) as archive:
        (said,) = archive.notes()
        assert said.text.startswith("forgot what fits a pattern: 1 in event_states, 3 in events")
        assert [span.state for span in archive.history("container/1").spans] == ["Running", FORGOTTEN]
        names = {event.name for event in archive.events(limit=0)}
        assert names >= {"innocent", f"db-{FORGOTTEN}", f"db-{FORGOTTEN}2"}
        uris = {event.resource_uri for event in archive.events(types=["volume"], limit=0)}
        assert uris == {f"/api/v1/volume/{FORGOTTEN}", f"/api/v1/volume/{FORGOTTEN}2"}
    assert run_archiver("db", "check", "--database", database_url).returncode == 0
    with Spool(spool_file) as spool:
        group = spool.take(0, 10, 1 << 20)
        assert group is not None
        (item,) = group.items
        assert isinstance(item, Message)
        assert json.loads(item.payload)["x"] == FORGOTTEN


def test_what_is_told_once_more_does_not_bring_it_back(database_url: str, run_archiver: RunArchiver) -> None:
    told = event("container/1", "Running", 3, uuid="4f" * 16, env=SECRET)
    record(database_url, told, docker("start", 4, "c0", label=SECRET)._replace(session=None))
    assert run_archiver("forget", SECRET, "--database", database_url).returncode == 0
    again = record(database_url, told, docker("start", 4, "c0", label=SECRET)._replace(session=None))
    assert (again.events, again.duplicates, again.rejects) == (0, 2, 0)
    assert SECRET not in everything(database_url)


def test_many_secrets_of_one_kind_are_forgotten_without_trying_every_mark(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that changes with each call: of thousands, no two may become one name, and nobody waits for minutes."""
    statements: list[str] = []

    def counted(*arguments: Any) -> None:
        statements.append(arguments[2])

    monkeypatch.setattr(forgetting, "_PAGE", 40)
    names = [f"app-ghs_{number:04d}" for number in range(100)]
    record(database_url, *[event("container/1", "Running", at)._replace(name=name) for at, name in enumerate(names)])
    with Recorder(database_url) as recorder:
        place: forgetting.Place | None = forgetting.Place()
        listen(Engine, "before_cursor_execute", counted)
        while place is not None:
            place, _ = recorder.forget(Pattern("ghs_*"), place)
        remove(Engine, "before_cursor_execute", counted)
    found = [text for (text,) in rows(database_url, "SELECT text FROM texts WHERE text LIKE 'app-%'")]
    assert sorted(found) == sorted(f"app-{FORGOTTEN}{number if number > 1 else ''}" for number in range(1, 101))
    assert len(statements) < 600


def test_what_cannot_be_meant_is_refused(sqlite_url: str, run_archiver: RunArchiver, tmp_path: Path) -> None:
    def ended(*arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
        return run_archiver("forget", *arguments, "--database", sqlite_url, input=input)

    assert ended("ab*").returncode == 2
    assert ended().returncode == 2
    assert ended("abcd", "--from", "-", input="").returncode == 2
    assert ended("--from", str(tmp_path / "nowhere")).returncode == 1
    nothing = ended("not-there", "--dry-run")
    assert (nothing.returncode, nothing.stdout) == (0, "table\trows\n") or nothing.returncode == 0
    assert "stands nowhere" in nothing.stderr


def test_what_was_deleted_before_stands_in_no_free_page(sqlite_url: str, run_archiver: RunArchiver) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    said = [wire(f"container/{number}", "Running", number, env=f"{SECRET} " * 500) for number in range(20)]
    record(sqlite_url, *[Reject(each, "not understood then", micros(30), None) for each in said])
    with Recorder(sqlite_url) as recorder:
        assert finished(retry(recorder))["events"] == 20
    assert SECRET.encode() in file.read_bytes()
    assert run_archiver("forget", SECRET, "--database", sqlite_url).returncode == 0
    assert SECRET.encode() not in file.read_bytes()


def test_a_reader_who_holds_the_old_bytes_is_told_of(sqlite_url: str, run_archiver: RunArchiver) -> None:
    record(sqlite_url, event("container/1", "Running", 0, env=SECRET))
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        done = run_archiver("forget", SECRET, "-o", "json", "--database", sqlite_url)
    assert done.returncode == 1
    assert json.loads(done.stdout)["clean"] is False
    assert "run it again later" in done.stderr
    again = run_archiver("forget", SECRET, "-o", "json", "--database", sqlite_url)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["touched"] == {}
    assert SECRET.encode() not in Path(sqlite_url.removeprefix("sqlite:///")).read_bytes()


def test_copies_in_which_it_still_stands_are_named(sqlite_url: str, run_archiver: RunArchiver, tmp_path: Path) -> None:
    record(sqlite_url, event("container/1", "Running", 0, env=SECRET))
    copy = tmp_path / "archive.db.before-20260101T000000Z"
    copy.write_bytes(b"x" * (1 << 20) + SECRET.encode())
    done = run_archiver("forget", SECRET, "--database", sqlite_url)
    assert done.returncode == 0
    assert f"it stands in {copy}, too" in done.stderr
    assert SECRET not in done.stderr


def test_nobody_is_told_to_remove_the_archive_itself(sqlite_url: str, run_archiver: RunArchiver) -> None:
    record(sqlite_url, event("container/1", "Running", 0))
    done = run_archiver("forget", "received_at", "--database", sqlite_url)  # what its tables are made of
    assert done.returncode == 0
    assert "it stands in" in done.stderr
    assert "; remove it" not in done.stderr


def test_rows_of_half_a_megabyte_are_looked_through_few_at_a_time(database_url: str) -> None:
    labels = [{"com.a": f"{number:02}-needle-" * 50_000} for number in range(40)]
    record(database_url, *(labelled("start", second, some) for second, some in enumerate(labels)))

    tracemalloc.start()
    try:
        touched = forgetting.counted(database_url, Pattern("31-needle"))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (touched, most < 14_000_000) == ({"shared_texts": 1}, True), most

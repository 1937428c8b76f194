"""The database goes away, is locked, read-only, missing: the stream is not left for a moment, everything arrives."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url
from sqlalchemy import text as sql

from archiver.storage.database.engine import writing_engine
from archiver.storage.migrate import HEAD

from ..conftest import SpawnArchiver
from .recording import Recorder, archived, contiguous, load, sessions, spooled, wait_for


@contextmanager
def admin(url: str) -> Iterator[Any]:
    plain = make_url(url).set(drivername="postgresql")
    with psycopg.connect(
        plain.set(database="postgres").render_as_string(hide_password=False), autocommit=True
    ) as connection:
        yield connection


@contextmanager
def recorded_to_the_end(recorder: Recorder, disturbed_from: int = 1) -> Iterator[Any]:
    """A daemon under load; after the block everything that was sent must be archived, in one session."""
    with load(1500) as (platform, sender):
        process = recorder.start(platform.stream_url)
        if disturbed_from:
            wait_for(lambda: len(archived(recorder.url)) >= disturbed_from)
        else:
            assert platform.wait_for_clients(1)
        yield platform
        assert platform.wait_sent(platform.sent + 500)
        sender.stop()
        sent = sender.sent()
        wait_for(lambda: archived(recorder.url)[-1:] == sent[-1:])
        process.terminate()
        assert process.wait(10) == 0, recorder.log()
    assert archived(recorder.url) == sent
    assert contiguous(sent)
    assert sessions(recorder.url) == ["stopped"]
    assert spooled(recorder.spool).messages == {}


def test_a_terminated_backend(postgres_recorder: Recorder) -> None:
    name = make_url(postgres_recorder.url).database
    terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with admin(postgres_recorder.url) as server, recorded_to_the_end(postgres_recorder) as platform:
        for _ in range(4):
            server.execute(terminate, [name])
            assert platform.wait_sent(platform.sent + 700)


def test_a_server_that_lets_nobody_in(postgres_recorder: Recorder) -> None:
    name = make_url(postgres_recorder.url).database
    with admin(postgres_recorder.url) as server, recorded_to_the_end(postgres_recorder) as platform:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        assert platform.wait_sent(platform.sent + 1500)
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert 1 <= len(postgres_recorder.lines("error")) <= 2, "one line for the end, one for the refusal"


def test_a_database_that_is_read_only(postgres_recorder: Recorder) -> None:
    name = make_url(postgres_recorder.url).database
    terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with admin(postgres_recorder.url) as server, recorded_to_the_end(postgres_recorder) as platform:
        server.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        server.execute(terminate, [name])
        wait_for(lambda: "cannot be written" in postgres_recorder.log())
        assert platform.wait_sent(platform.sent + 1500)
        server.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = off')
        server.execute(terminate, [name])
    about = [line for line in postgres_recorder.lines("error") if "cannot be written" in line]
    assert len(about) <= 2


def test_an_archive_that_another_process_has_when_it_starts(sqlite_recorder: Recorder) -> None:
    with Path(sqlite_recorder.url.removeprefix("sqlite:///") + "-lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with recorded_to_the_end(sqlite_recorder, 0) as platform:
            assert platform.wait_sent(platform.sent + 1500)
            fcntl.flock(lock, fcntl.LOCK_UN)
    (line,) = sqlite_recorder.lines("error")
    assert "written by somebody else" in line


def test_an_archive_that_is_not_there_is_made(
    spawn_archiver: SpawnArchiver, empty_database_url: str, tmp_path: Path
) -> None:
    recorder = Recorder(spawn_archiver, empty_database_url, tmp_path)
    with load(500) as (platform, _):
        process = recorder.start(platform.stream_url)
        wait_for(lambda: "created the archive" in recorder.log())
        wait_for(lambda: archived(recorder.url))
        process.terminate()
        assert process.wait(10) == 0
    assert recorder.lines("error") == []


def test_an_archive_of_an_older_revision(sqlite_recorder: Recorder) -> None:
    def set_to(revision: str) -> None:
        engine = writing_engine(sqlite_recorder.url)
        with engine.begin() as connection:
            connection.execute(sql("UPDATE alembic_version SET version_num = :it"), {"it": revision})
        engine.dispose()

    set_to("0000")
    with recorded_to_the_end(sqlite_recorder, 0) as platform:
        wait_for(lambda: "is at 0000" in sqlite_recorder.log())
        assert platform.wait_sent(platform.sent + 1000)
        assert archived(sqlite_recorder.url) == []
        set_to(HEAD)
    (line,) = sqlite_recorder.lines("error")
    assert "archiver db upgrade" in line


def test_a_full_spool_makes_the_reading_wait(sqlite_recorder: Recorder, tmp_path: Path) -> None:
    with Path(sqlite_recorder.url.removeprefix("sqlite:///") + "-lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with load(1500) as (platform, sender):
            process = sqlite_recorder.start(platform.stream_url, options=("--spool-limit", "200k"))
            wait_for(lambda: "reading waits" in sqlite_recorder.log())
            time.sleep(1.2)  # the daemon tries every second, and must not say so every time
            fcntl.flock(lock, fcntl.LOCK_UN)
            wait_for(lambda: "takes messages again" in sqlite_recorder.log())
            sender.stop()
            sent = sender.sent()
            wait_for(lambda: archived(sqlite_recorder.url)[-1:] == sent[-1:])
            process.terminate()
            assert process.wait(10) == 0
    assert archived(sqlite_recorder.url) == sent
    assert sessions(sqlite_recorder.url) == ["stopped"]
    assert sum("reading waits" in line for line in sqlite_recorder.lines("warning")) <= 3


def test_a_stop_while_the_spool_is_full_loses_nothing_that_was_received(sqlite_recorder: Recorder) -> None:
    with Path(sqlite_recorder.url.removeprefix("sqlite:///") + "-lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with load(1500) as (platform, _):
            process = sqlite_recorder.start(platform.stream_url, options=("--spool-limit", "200k"))
            wait_for(lambda: "reading waits" in sqlite_recorder.log())
            process.terminate()
            assert process.wait(10) == 0, sqlite_recorder.log()
    sqlite_recorder.drain()
    found = archived(sqlite_recorder.url)
    assert contiguous(found)
    assert sessions(sqlite_recorder.url)[0] == "stopped"

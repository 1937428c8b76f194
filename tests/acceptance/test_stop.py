"""SIGTERM and SIGINT under load: the daemon ends soon and orderly, whatever the database does.

ARCHIVER_TEST_STOPS is the number of stops on each database.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from .recording import Recorder, archived, contiguous, known, load, numbered, sessions, spooled, wait_for

STOPS = int(os.environ.get("ARCHIVER_TEST_STOPS", "3"))


@pytest.mark.timeout(60 + 10 * STOPS)
def test_at_any_moment_it_ends_soon_and_nothing_is_left_behind(recorder: Recorder) -> None:
    dice = random.Random(15)
    with load() as (platform, _):
        for turn in range(STOPS):
            before = len(archived(recorder.url))
            number = signal.SIGINT if turn % 3 else signal.SIGTERM
            process = recorder.start(platform.stream_url)
            assert platform.wait_for_clients(1)
            time.sleep(dice.uniform(0.0, 0.8))
            process.send_signal(number)
            asked = time.monotonic()
            if turn % 2:  # somebody in a hurry
                time.sleep(dice.uniform(0.0, 0.2))
                process.send_signal(number)
            assert process.wait(10) == 0, recorder.log()
            assert time.monotonic() - asked < 10
            assert platform.wait_for_clients(0)
            assert spooled(recorder.spool).messages == {}
            found = archived(recorder.url)[before:]
            assert not found or contiguous(found)
    # The platform has a client a moment before that client knows, and it may be told to stop between.
    assert sessions(recorder.url) == ["stopped"] * recorder.log().count(" connected to ")
    assert recorder.lines("warning", "error") == []


def test_a_locked_file_does_not_hold_it_up(sqlite_recorder: Recorder) -> None:
    with closing(sqlite3.connect(sqlite_recorder.url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        _stopped_while_the_database_hangs(sqlite_recorder, lambda: other.execute("BEGIN IMMEDIATE"))
        other.execute("ROLLBACK")
    _rest_arrives(sqlite_recorder)


HUNG = """
import sys, threading
from archiver.recording.spool import queue
insert = queue.insert
def hang(connection, first, items):
    if any(type(item).__name__ == "Message" for item in items):
        print("hangs", flush=True)
        threading.Event().wait()
    insert(connection, first, items)
queue.insert = hang
from archiver.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The program on a disk that never answers a write, with what SQLite has locked until it does."""


def test_a_spool_whose_disk_hangs_does_not_hold_it_up(
    sqlite_url: str, tmp_path: Path, program_environment: dict[str, str]
) -> None:
    recording = tmp_path / "a.jsonl"
    recording.write_text(numbered(1) + "\n")
    streams = ["--stream", "unix:///nowhere.sock", "--stream", f"file:{recording}"]
    command = [sys.executable, "-c", HUNG, "run", *streams, "--spool", str(tmp_path / "spool.db")]
    environment = {**program_environment, "ARCHIVER_DATABASE_URL": sqlite_url}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout is not None
            assert run.stdout.readline() == "hangs\n"
            run.terminate()
            asked = time.monotonic()
            _, said = run.communicate(timeout=20)
        finally:
            run.kill()
    assert time.monotonic() - asked < 10
    assert run.returncode == 1
    assert "its disk does not answer; what was received last is lost" in said


def test_a_backend_that_hangs_does_not_hold_it_up(postgres_recorder: Recorder) -> None:
    with _backends(postgres_recorder.url) as backends:

        def hang() -> None:
            for pid in backends():
                with suppress(ProcessLookupError):  # it served a client that has just gone
                    os.kill(pid, signal.SIGSTOP)
                    stopped.append(pid)

        stopped: list[int] = []
        try:
            _stopped_while_the_database_hangs(postgres_recorder, hang)
        finally:
            # Every one of them: a backend that stays stopped holds up each DROP DATABASE on its server.
            for pid in stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        assert stopped
        wait_for(lambda: not backends())
    _rest_arrives(postgres_recorder)


def _stopped_while_the_database_hangs(recorder: Recorder, hang: Callable[[], object]) -> None:
    with load() as (platform, _):
        process = recorder.start(platform.stream_url)
        wait_for(lambda: archived(recorder.url))
        hang()
        sent = platform.sent
        assert platform.wait_sent(sent + 2000)
        process.terminate()
        asked = time.monotonic()
        assert process.wait(10) == 0, recorder.log()
        assert time.monotonic() - asked < 10
        assert platform.clients == 0
    (line, *more) = recorder.lines("warning", "error")
    assert more == []
    assert "stays in the spool" in line, recorder.log()


def _rest_arrives(recorder: Recorder) -> None:
    expected = known(recorder.url, recorder.spool)
    recorder.drain()
    assert archived(recorder.url) == expected
    assert contiguous(expected)
    assert len(expected) > 2000
    assert sessions(recorder.url)[0] == "stopped"


@contextmanager
def _backends(url: str) -> Iterator[Callable[[], list[int]]]:
    """The processes that serve other clients of a database on this machine."""
    plain = make_url(url).set(drivername="postgresql")
    if plain.host or not str(plain.query.get("host", "")).startswith("/"):
        pytest.skip("the server is on another machine")
    admin = plain.set(database="postgres").render_as_string(hide_password=False)
    query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with psycopg.connect(admin, autocommit=True) as connection:
        yield lambda: [pid for (pid,) in connection.execute(query, [plain.database])]

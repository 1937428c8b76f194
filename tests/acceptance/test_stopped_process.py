"""The daemon as a process that is stopped for a while (SIGSTOP), as a debugger, a cgroup or a hypervisor does."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from tests.acceptance.recording import rows, wait_for
from tests.conftest import SpawnArchiver
from tests.fake_engine import FakeEngine
from tests.integration.hostile import CLOSE, Hostile, Peer

EVENT = b'{"type":"stack","action":"update","state":"Running","resource_uri":"/api/v1/stack/%d/"}'


def test_what_nobody_read_is_archived_once_and_what_nobody_watched_is_a_gap(
    tmp_path: Path, spawn_archiver: SpawnArchiver
) -> None:
    heard, stopped, back = threading.Event(), threading.Event(), threading.Event()

    def first(peer: Peer) -> None:
        peer.accept()
        peer.frame(EVENT % 1)
        peer.pong()
        heard.set()
        stopped.wait()
        time.sleep(1.0)
        peer.frame(EVENT % 2)
        peer.frame(b"\x03\xe9", CLOSE)

    def second(peer: Peer) -> None:
        peer.accept()
        peer.frame(EVENT % 3)
        back.set()
        peer.hold()

    with Hostile(first, second) as server:
        archive = tmp_path / "a.db"
        daemon = spawn_archiver("run", "--database", str(archive), "--stream", server.url, "--limit", "3")
        assert heard.wait(30)
        daemon.send_signal(signal.SIGSTOP)
        stopped_at = time.time()
        stopped.set()
        time.sleep(4.0)
        daemon.send_signal(signal.SIGCONT)
        assert back.wait(30)
        daemon.communicate(timeout=30)
    with sqlite3.connect(archive) as database:
        uris = [uri for (uri,) in database.execute("SELECT uri FROM event_log ORDER BY id")]
        (unwatched_since,) = database.execute("SELECT strftime('%s', since) FROM gap_log ORDER BY since").fetchone()
    assert uris == [f"/api/v1/stack/{number}/" for number in (1, 2, 3)]
    assert float(unwatched_since) <= stopped_at + 1


def _events(archive: Path) -> int:
    with closing(sqlite3.connect(archive)) as database, suppress(sqlite3.OperationalError):  # it is being made
        return int(database.execute("SELECT count(*) FROM event_log").fetchone()[0])
    return 0


def _ended(archive: Path) -> float:
    """When the first session ended."""
    return float(rows(f"sqlite:///{archive}", "SELECT strftime('%s', closed_at) FROM sessions ORDER BY id")[0][0])


def _told_to_stop_while_stopped(daemon: subprocess.Popen[str], meanwhile: Callable[[], object]) -> float:
    """Stops the process, has something happen, tells it to stop and lets it go on; when it was stopped."""
    daemon.send_signal(signal.SIGSTOP)
    at = time.time()
    meanwhile()
    time.sleep(4.0)
    daemon.send_signal(signal.SIGTERM)
    daemon.send_signal(signal.SIGCONT)
    daemon.communicate(timeout=30)
    assert daemon.returncode == 0
    return at


def test_told_to_stop_meanwhile_its_coverage_ends_where_it_did(tmp_path: Path, spawn_archiver: SpawnArchiver) -> None:
    """A server that cuts a slow listener says nothing of what he has missed."""
    heard, stopped = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        peer.frame(EVENT % 1)
        peer.pong()
        heard.set()
        stopped.wait()
        peer.frame(EVENT % 2)

    with Hostile(script, Peer.hold) as server:
        archive = tmp_path / "a.db"
        daemon = spawn_archiver("run", "--database", str(archive), "--stream", server.url)
        assert heard.wait(30)
        stopped_at = _told_to_stop_while_stopped(daemon, stopped.set)
    assert _ended(archive) <= stopped_at + 1
    assert _events(archive) == 2


def test_killed_before_it_could_compare_its_stop_is_a_gap_all_the_same(
    tmp_path: Path, spawn_archiver: SpawnArchiver
) -> None:
    engine, archive = FakeEngine(), tmp_path / "a.db"
    with engine.on_socket(tmp_path / "engine") as url:
        arguments = ("run", "--database", str(archive), "--stream", url)
        daemon = spawn_archiver(*arguments)
        wait_for(lambda: "/_ping" in engine.asked, 30)
        engine.told_now(id="before")
        wait_for(lambda: _events(archive) == 1, 30)
        daemon.send_signal(signal.SIGSTOP)
        stopped_at = time.time()
        engine.forgets_to_answer = True
        for number in range(300):
            engine.told_now(id=f"lost-{number}", dropped=True)
        time.sleep(4.0)
        engine.told_now(id="after")
        daemon.send_signal(signal.SIGCONT)
        wait_for(lambda: _events(archive) == 2, 30)
        daemon.kill()
        daemon.communicate(timeout=30)

        engine.forgets_to_answer = False
        daemon = spawn_archiver(*arguments)
        wait_for(lambda: _events(archive) == 257, 30)
        daemon.terminate()
        daemon.communicate(timeout=30)
    gaps = rows(f"sqlite:///{archive}", "SELECT strftime('%s', since), kind FROM gap_log WHERE until IS NOT NULL")
    assert [(float(since) <= stopped_at + 1, kind) for since, kind in gaps] == [(True, "skipped")]


def test_what_an_engine_left_out_meanwhile_is_a_gap_though_later_messages_came(
    tmp_path: Path, spawn_archiver: SpawnArchiver
) -> None:
    engine, archive = FakeEngine(), tmp_path / "a.db"
    with engine.on_socket(tmp_path / "engine") as url:
        arguments = ("run", "--database", str(archive), "--stream", url)
        daemon = spawn_archiver(*arguments)
        wait_for(lambda: "/_ping" in engine.asked, 30)
        engine.told_now(id="before")
        wait_for(lambda: _events(archive) == 1, 30)

        def leave_out() -> None:
            for number in range(300):
                engine.told_now(id=f"lost-{number}", dropped=True)
            engine.told_now(id="after")

        stopped_at = _told_to_stop_while_stopped(daemon, leave_out)
        assert _ended(archive) <= stopped_at + 1

        daemon = spawn_archiver(*arguments)
        wait_for(lambda: _events(archive) == 257, 30)
        daemon.terminate()
        daemon.communicate(timeout=30)
    uris = [uri for (uri,) in rows(f"sqlite:///{archive}", "SELECT uri FROM event_log ORDER BY occurred_at")]
    names = [uri.rstrip("/").rpartition("/")[2] for uri in uris]
    assert names == ["before", *(f"lost-{number}" for number in range(45, 300)), "after"]
    (gap,) = rows(f"sqlite:///{archive}", "SELECT strftime('%s', since) FROM gap_log WHERE until IS NOT NULL")
    assert float(gap[0]) <= stopped_at + 1

"""The daemon as a process that is stopped for a while (SIGSTOP), as a debugger, a cgroup or a hypervisor does."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from pathlib import Path

from tests.conftest import SpawnArchiver
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

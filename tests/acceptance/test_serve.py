"""`archiver serve` as its users start it: many open pages and slow readers cost whoever writes the archive nothing."""

from __future__ import annotations

import re
import signal
import socket
import sqlite3
import subprocess
from contextlib import ExitStack
from typing import TextIO

from archiver.storage.recorder import Recorder

from ..conftest import RunArchiver, SpawnArchiver
from ..integration.archives import event, record

PAGES, SLOW, WRITTEN = 200, 12, 20


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    said = process.stderr.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
    assert found, said + process.stderr.read()
    return int(found[1])


def opened(stack: ExitStack, port: int, path: str, receive: int | None = None) -> TextIO:
    client = stack.enter_context(socket.socket())
    client.settimeout(120)
    if receive is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    client.connect(("127.0.0.1", port))
    client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    return stack.enter_context(client.makefile("r", encoding="utf-8"))


def read_until(lines: TextIO, beginning: str) -> str:
    for line in lines:
        if line.startswith(beginning):
            return line
    raise AssertionError(f"it ended before {beginning!r}")


def test_open_pages_and_slow_readers_hold_nothing_in_the_archive(
    sqlite_url: str, spawn_archiver: SpawnArchiver
) -> None:
    record(sqlite_url, *(event("container/old", f"S{n % 2}", n, [f"stack/{n:0500}"]) for n in range(500)))
    process = spawn_archiver("--database", sqlite_url, "serve", "--port", "0")
    port = port_of(process)
    with ExitStack() as stack:
        pages = [opened(stack, port, "/api/follow") for _ in range(PAGES)]
        for page in pages:
            read_until(page, "event: position")
        slow = [opened(stack, port, "/api/events?n=0", receive=4096) for _ in range(SLOW)]
        for reader in slow:
            assert reader.readline().startswith("HTTP/1.1 200")

        with Recorder(sqlite_url) as recorder:
            for n in range(WRITTEN):
                recorder.record([event("container/new", f"N{n}", 1_000 + n)])
        with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        connection.close()

        assert busy == 0  # nobody holds a snapshot, which would let the log grow
        for page in pages:
            states = [re.search(r'"state":"(N\d+)"', read_until(page, "data: ")) for _ in range(WRITTEN + 1)]
            assert [state[1] for state in states if state] == [f"N{n}" for n in range(WRITTEN)]

    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_address_that_is_taken_is_an_error_with_a_hint(run_archiver: RunArchiver, sqlite_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        refused = run_archiver("--database", sqlite_url, "serve", "--port", str(port))

    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"archiver: error: cannot serve at 127.0.0.1:{port}: Address already in use",
        "  hint: choose another address or port; port 0 is any that is free",
    ]


def test_archive_that_is_not_there_is_said_at_once(run_archiver: RunArchiver) -> None:
    refused = run_archiver("--database", "sqlite:////nowhere/archive.db", "serve", "--port", "0")

    assert refused.returncode == 4
    assert "hint: " in refused.stderr


def test_who_serves_beyond_the_loopback_is_told_who_may_read(sqlite_url: str, spawn_archiver: SpawnArchiver) -> None:
    record(sqlite_url, event("container/1", "Running"))
    process = spawn_archiver("-q", "--database", sqlite_url, "serve", "--port", "0", "--bind", "0.0.0.0")
    assert process.stderr is not None
    assert "may read everything" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130

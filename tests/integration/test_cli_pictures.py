"""`archiver timeline` as its users start it: a drawing, JSON, a page, a trace, and one that is kept current."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .archives import event, opened, record
from .pictured import STACK, archived, container

Run = Callable[..., subprocess.CompletedProcess[str]]
PATIENCE = 60
WHOLE = ["--since", "2016-02-01T12:00:00Z", "--until", "2016-02-01T22:00:00Z"]


@pytest.fixture
def ask(sqlite_url: str, run_archiver: Run) -> Run:
    archived(sqlite_url)
    return lambda *arguments: run_archiver("timeline", *arguments, "--database", sqlite_url)


def test_the_lanes_in_json_as_the_contract_has_them(ask: Run) -> None:
    found = json.loads(ask("shop", *WHOLE, "-o", "json").stdout)
    assert list(found) == ["resource", "range", "coverage", "empty", "lanes"]
    assert found["resource"]["uri"] == STACK
    assert [gap["kind"] for gap in found["coverage"]["gaps"]] == ["lost"]
    lane = next(lane for lane in found["lanes"] if lane["uri"] == container(7))
    assert list(lane) == ["uri", "type", "name", "depth", "spans", "actions"]
    assert [(span["state"], span["kind"]) for span in lane["spans"]] == [
        ("created", "starting"),
        ("running", "up"),
        ("exited (137)", "down"),
        ("running", "up"),
    ]
    assert [action["name"] for action in lane["actions"]] == ["kill"]
    assert lane["spans"][2]["cause"]["actions"][0]["name"] == "kill"


def test_the_whole_platform_has_a_resource_without_uri(ask: Run) -> None:
    found = json.loads(ask("-o", "json").stdout)
    assert found["resource"] == {"uri": None, "type": "platform", "name": None, "parents": []}
    assert [json.loads(line) for line in ask("-o", "jsonl").stdout.splitlines()] == found["lanes"]


def test_on_a_pipe_a_line_for_each_state(ask: Run) -> None:
    lines = [line.split("\t") for line in ask(container(4)).stdout.splitlines()]
    assert [line[2:5] for line in lines][:2] == [
        ["shop_db.1.d", "created", "starting"],
        ["shop_db.1.d", "running", "up"],
    ]


def test_a_page_and_a_trace_are_written(ask: Run, tmp_path: Path) -> None:
    done = ask("shop", *WHOLE, "--html", "shop.html", "--perfetto", "shop.json")
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "shop.html").read_text().startswith("<!doctype html>")
    names = [each["name"] for each in json.loads((tmp_path / "shop.json").read_text())["traceEvents"]]
    assert {"running", "exit", "kill", "nobody was watching"} <= set(names)
    assert ask("shop", *WHOLE, "--html", "-").stdout.startswith("<!doctype html>")


def test_a_page_that_cannot_be_written_is_an_error_and_leaves_nothing(ask: Run, tmp_path: Path) -> None:
    done = ask("shop", "--html", "nowhere/shop.html")
    assert done.returncode == 1
    assert "nowhere/shop.html" in done.stderr


def test_a_range_in_which_nothing_was_says_why(ask: Run) -> None:
    done = ask("shop", "--until", "2015-01-01", "--fail-if-empty", "-o", "json")
    assert (done.returncode, json.loads(done.stdout)["empty"]) == (7, "before_archive")
    assert "that was before the archive begins" in done.stderr


@pytest.mark.parametrize("more", [["-o", "json"], ["--html", "x.html"], ["--until", "now"], []])
def test_following_draws_on_a_terminal_and_nowhere_else(ask: Run, more: list[str]) -> None:
    done = ask("shop", "-f", *more)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--follow" in done.stderr


def test_followed_lanes_are_drawn_anew_in_their_place_and_end_at_once(
    sqlite_url: str, program_environment: dict[str, str]
) -> None:
    record(sqlite_url, opened("one", 0), event("container/first", "Running", 1, ["stack/s"], "one"))
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (12, 60))
    command = [sys.executable, "-m", "archiver", "timeline", "-f", "--database", sqlite_url]
    environment = program_environment | {"TERM": "xterm", "TZ": "UTC"}
    process = subprocess.Popen(command, stdout=follower, stderr=follower, env=environment, start_new_session=True)
    os.close(follower)
    try:
        read_until(leader, b"first")
        record(sqlite_url, event("container/second", "Starting", 2, ["stack/s"], "one"))
        assert re.search(rb"\x1b\[\dF", read_until(leader, b"second"))
        process.send_signal(signal.SIGINT)
        assert b"Traceback" not in read_until(leader, b"")
        assert process.wait(PATIENCE) == 130
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def read_until(descriptor: int, wanted: bytes) -> bytes:
    """What comes until some text has come; without one, until the end."""
    found, deadline = b"", time.monotonic() + PATIENCE
    while not wanted or wanted not in found:
        assert time.monotonic() < deadline, found
        ready, _, _ = select.select([descriptor], [], [], 1)
        if ready:
            try:
                more: Any = os.read(descriptor, 65536)
            except OSError:  # the other end is closed
                more = b""
            if not more:
                return found
            found += more
    return found

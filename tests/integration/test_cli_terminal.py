"""What a person at a terminal sees: a pager where an answer is longer than the screen, and lines that fit into it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.cli import pager

from .archives import event, opened, record

Terminal = Callable[..., str]
KEY = "0fc9f01d-a726-48c7-a9c2-9e34918ddf4a"
NAMESAKES = ("8857f9a4-3908-4227-a59d-b9165b0ee76f", "f52ddf5d-6ab0-4227-a59d-0ee76fb9165b")
SWARM = "/docker/v1/container/" + "kl1z7s5pv5yfec449g88bcsj0" * 2 + "/"


@pytest.fixture(scope="module")
def archive_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A container of many different states, two of one name, and one of a long id."""
    path = tmp_path_factory.mktemp("terminal") / "archive.db"
    shutil.copyfile(sqlite_template, path)
    url = f"sqlite:///{path}"
    states = [event(f"container/{KEY}", f"S{n}", n, [], "s1") for n in range(60)]
    alike = [
        event(f"container/{key}", state, second + number, ["service/web"], "s1")._replace(name="worker-1")
        for second, state in ((70, "Running"), (80, "Stopped"))
        for number, key in enumerate(NAMESAKES)
    ]
    record(url, opened("s1", 0), *states, *alike, event(SWARM, "Running", 90, [], "s1", type="container"))
    return url


@pytest.fixture
def terminal(archive_url: str, program_environment: dict[str, str]) -> Terminal:
    """What a terminal of some size shows of a command."""

    def show(*arguments: str, columns: int = 100, lines: int = 24, **environment: str) -> str:
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        ends = {"stdin": follower, "stdout": follower, "stderr": follower, "close_fds": True}
        environment = program_environment | {"TERM": "xterm", "NO_COLOR": "1", "PAGER": "sed s/^/P:/"} | environment
        command = [sys.executable, "-m", "archiver", "--database", archive_url, *arguments]
        with subprocess.Popen(command, env=environment, **ends) as process:  # type: ignore[call-overload]
            os.close(follower)
            text = b"".join(iter(lambda: _read(leader), b""))
            assert process.wait(60) == 0
        os.close(leader)
        return text.decode().replace("\r\n", "\n")

    return show


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""


def test_answer_longer_than_the_screen_goes_to_the_pager_and_what_is_said_comes_after_it(terminal: Terminal) -> None:
    shown = terminal("events", "-n", "50").splitlines()

    assert len([line for line in shown if line.startswith("P:") and "  container  " in line]) == 50
    assert shown[0] == "P:all times are of 2016-02-01 UTC"
    assert shown[-1] == "... older events exist, use -n 0 for all"


@pytest.mark.parametrize("arguments", [["events", "-n", "5"], ["events", "-n", "50", "--no-pager"]])
def test_no_pager_where_it_fits_or_none_is_wanted(terminal: Terminal, arguments: list[str]) -> None:
    shown = terminal(*arguments).splitlines()

    assert not any(line.startswith("P:") for line in shown)
    assert len([line for line in shown if "container" in line]) == int(arguments[2])


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ({"ARCHIVER_PAGER": "sed s/x/y/", "PAGER": "cat"}, "sed s/x/y/"),
        ({"PAGER": "sed -n p"}, "sed -n p"),
        ({"PAGER": "cat"}, ""),
        ({"PAGER": ""}, ""),
        ({"ARCHIVER_PAGER": "", "PAGER": "sed"}, ""),
        ({"PAGER": "no-such-pager -x"}, ""),
        ({"PAGER": "sed", "TERM": "dumb"}, ""),
    ],
)
def test_pager_is_that_of_the_reader(
    environment: dict[str, str], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ARCHIVER_PAGER", "PAGER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"TERM": "xterm"} | environment).items():
        monkeypatch.setenv(name, value)

    assert pager.chosen() == command


def test_pager_that_ends_early_ends_the_answer_quietly(terminal: Terminal) -> None:
    assert terminal("events", "-n", "0", "-o", "jsonl", PAGER="head -n 1").count("\n") == 1


def test_line_that_is_too_long_is_cut_and_keeps_the_end_of_the_id(terminal: Terminal) -> None:
    *_, head, row = terminal("-q", "events", "-n", "1", columns=80).splitlines()

    assert max(len(head), len(row)) <= 80
    assert "…" in row
    assert SWARM.rstrip("/")[-5:] in row
    assert SWARM in terminal("events", "-n", "1", "-o", "wide", columns=80)


@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize(
    "question",
    [
        ["history", "worker-*"],
        ["why", "service/web", "--at", "2016-02-01T12:02:00Z"],
        ["diff", "2016-02-01T12:01:00Z", "2016-02-01T12:02:00Z"],
        ["timeline", "--until", "2016-02-01T12:02:00Z"],
        ["report", "restarts"],
        ["report", "restarts", "--per", "container"],
        ["report", "changes"],
        ["report", "incident", "--from", "2016-02-01T12:00:00Z", "--to", "2016-02-01T12:02:00Z"],
    ],
    ids=" ".join,
)
def test_things_of_one_name_are_told_apart_by_their_keys(terminal: Terminal, question: list[str], columns: int) -> None:
    lines = terminal("--no-pager", *question, columns=columns).splitlines()
    shown = "\n".join(line for line in lines if "has not come back" not in line)  # which are the words of JSON

    assert {f"worker-1 ({key[:8]})" for key in NAMESAKES} == set(re.findall(r"worker-1(?: \([0-9a-f]*\))?", shown))


def test_one_of_its_name_has_no_key_behind_it(terminal: Terminal) -> None:
    assert "worker-1 (" not in terminal("history", f"container/{NAMESAKES[0]}", columns=80)

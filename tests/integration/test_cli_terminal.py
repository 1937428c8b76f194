"""What a person at a terminal sees: a pager where an answer is longer than the screen, and lines that fit into it."""

from __future__ import annotations

import fcntl
import os
import pty
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
SWARM = "/docker/v1/container/" + "kl1z7s5pv5yfec449g88bcsj0" * 2 + "/"


@pytest.fixture(scope="module")
def archive_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A container of many different states, and one of a long id."""
    path = tmp_path_factory.mktemp("terminal") / "archive.db"
    shutil.copyfile(sqlite_template, path)
    url = f"sqlite:///{path}"
    states = [event(f"container/{KEY}", f"S{n}", n, [], "s1") for n in range(60)]
    record(url, opened("s1", 0), *states, event(SWARM, "Running", 90, [], "s1", type="container"))
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

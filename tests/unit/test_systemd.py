"""What systemd is told, on a real datagram socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.recording.systemd import Notifier


@pytest.fixture
def line() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.settimeout(5)
        yield line


def test_it_says_what_happens(line: socket.socket, tmp_path: Path) -> None:
    line.bind(str(tmp_path / "notify"))
    notifier = Notifier.of({"NOTIFY_SOCKET": str(tmp_path / "notify")})
    notifier.ready()
    notifier.alive("5 events\narchived")
    notifier.alive("5 events\narchived")
    notifier.stopping()
    said = [line.recv(1000) for _ in range(4)]
    assert said == [b"READY=1", b"WATCHDOG=1\nSTATUS=5 events archived", b"WATCHDOG=1", b"STOPPING=1"]


def test_an_abstract_socket_is_spoken_to(line: socket.socket, tmp_path: Path) -> None:
    name = f"archiver-test{tmp_path}"
    line.bind(f"\0{name}")
    Notifier(f"@{name}").ready()
    assert line.recv(1000) == b"READY=1"


def test_without_a_socket_nothing_is_said() -> None:
    Notifier.of({}).ready()
    Notifier.of({"NOTIFY_SOCKET": ""}).alive("x")


def test_a_supervisor_that_is_deaf_for_a_while_hears_it_later(line: socket.socket, tmp_path: Path) -> None:
    path = tmp_path / "notify"
    notifier = Notifier(str(path))
    notifier.alive("well")
    line.bind(str(path))
    notifier.alive("well")
    assert line.recv(1000) == b"WATCHDOG=1\nSTATUS=well"


def test_a_supervisor_that_reads_nothing_does_not_hold_us_up(line: socket.socket, tmp_path: Path) -> None:
    line.bind(str(tmp_path / "notify"))
    notifier = Notifier(str(tmp_path / "notify"))
    for number in range(2000):
        notifier.alive(f"{number}")


def test_any_text_can_be_a_status(line: socket.socket, tmp_path: Path) -> None:
    line.bind(str(tmp_path / "notify"))
    Notifier(str(tmp_path / "notify")).alive("no archive at \udcff.db")
    assert line.recv(1000) == b"WATCHDOG=1\nSTATUS=no archive at \\udcff.db"

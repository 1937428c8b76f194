"""The socket of a daemon: who is slow keeps nobody waiting, and who says no more still waits for his answer."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from archiver.recording.control.hearing import MOST_TALKING
from archiver.recording.control.place import socket_beside
from archiver.recording.control.server import Control, Request
from archiver.recording.control.words import decoded, encoded, read_line

WANTED = {"do": "retry"}


class Daemon:
    """One that takes every request."""

    def __init__(self, spool: Path) -> None:
        self.asked = threading.Semaphore(0)
        self.path = socket_beside(spool)
        self.control = Control(spool, lambda wanted: None, self.asked.release)

    def call(self, said: bytes = b"") -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        line.connect(os.fspath(self.path))
        line.settimeout(30)
        line.sendall(said)
        return line

    def request(self) -> Request:
        assert self.asked.acquire(timeout=15), "nobody was heard"
        request = self.control.next()
        assert request is not None
        return request


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path / "spool.db")
    daemon.control.open()
    yield daemon
    daemon.control.close()


def answer(line: socket.socket) -> dict[str, Any]:
    return decoded(read_line(line, 30))


def is_hung_up(line: socket.socket) -> bool:
    try:
        return line.recv(1) == b""
    except ConnectionResetError:  # what it had said was not read yet
        return True


def test_who_does_not_say_it_to_the_end_keeps_nobody_waiting(daemon: Daemon) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(daemon.call(b"{")) for _ in range(12)]
        line = stack.enter_context(daemon.call(encoded(WANTED)))

        daemon.request().answer({"tried": 1})

        assert answer(line) == {"answer": {"tried": 1}}
        assert all("within 2 s" in answer(one)["error"] for one in slow)


def test_a_request_that_comes_in_pieces_is_one(daemon: Daemon) -> None:
    with daemon.call() as line:
        for byte in encoded(WANTED):
            line.sendall(bytes([byte]))

        request = daemon.request()
        assert request.wanted == WANTED
        request.leave()


@pytest.mark.parametrize("said", [encoded(WANTED), encoded(WANTED).strip()])
def test_who_says_no_more_after_his_request_gets_his_answer(daemon: Daemon, said: bytes) -> None:
    with daemon.call(said) as line:
        line.shutdown(socket.SHUT_WR)

        daemon.request().answer({"tried": 1})

        assert answer(line) == {"answer": {"tried": 1}}


def test_nothing_is_done_for_who_has_gone(daemon: Daemon) -> None:
    daemon.call(encoded(WANTED)).close()
    assert daemon.asked.acquire(timeout=15)

    assert daemon.control.next() is None


def test_of_a_crowd_that_says_nothing_the_first_makes_room(daemon: Daemon) -> None:
    with ExitStack() as stack:
        crowd = [stack.enter_context(daemon.call()) for _ in range(MOST_TALKING + 1)]

        assert "many others" in answer(crowd[0])["error"]


def test_who_is_heard_no_more_is_hung_up_on(daemon: Daemon) -> None:
    with daemon.call(encoded(WANTED)) as waiting, daemon.call(b"{") as talking:
        assert daemon.asked.acquire(timeout=15)

        daemon.control.close()

        assert is_hung_up(waiting)
        assert is_hung_up(talking)
        assert not daemon.path.exists()

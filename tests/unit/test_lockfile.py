"""The lock file: one process at a time, and nothing that lies in its place is ever followed or overwritten."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archiver.lockfile import LockFile, LockHeld, is_held

HOLDER = """
import sys, pathlib
from archiver.lockfile import LockFile
with LockFile(pathlib.Path(sys.argv[1])):
    print(flush=True)
    sys.stdin.readline()
"""


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has the lock until it is written a line."""
    arguments = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
        process.communicate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "archive.db"


@pytest.fixture
def lock_path(path: Path) -> Path:
    path.parent.mkdir()
    return Path(f"{path}-lock")


def test_who_comes_second_is_told_who_has_it(path: Path) -> None:
    with held(path) as process, pytest.raises(LockHeld, match=f"process {process.pid} has it"):
        LockFile(path)


def test_a_process_that_is_about_to_end_is_waited_for(path: Path) -> None:
    with held(path) as process:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        LockFile(path, patience=30).close()


def test_a_shorter_number_leaves_nothing_of_a_longer_one(path: Path, lock_path: Path) -> None:
    lock_path.write_text("9" * 15)

    with LockFile(path):
        assert lock_path.read_text().split() == [str(os.getpid())]


def test_what_one_holder_remembers_the_next_one_finds(path: Path) -> None:
    with LockFile(path) as lock:
        assert lock.note == ""
        lock.remember("17 4")

    with LockFile(path) as lock:
        assert lock.note == "17 4"


def test_whether_somebody_has_it_is_told_without_taking_it_also_of_one_that_was_killed(path: Path) -> None:
    assert is_held(path) is None
    with held(path) as process:
        assert is_held(path) is True
        with pytest.raises(LockHeld):
            LockFile(path)
        assert is_held(path) is True
        process.kill()
        process.wait()
        assert is_held(path) is False


def test_who_has_it_may_ask_and_keeps_it(path: Path) -> None:
    with LockFile(path):
        assert is_held(path) is True
        assert is_held(path) is True
    assert is_held(path) is False


@pytest.mark.parametrize("mode", [None, 0o666])
def test_nobody_else_may_open_it(path: Path, lock_path: Path, mode: int | None) -> None:
    if mode is not None:
        lock_path.touch()
        lock_path.chmod(mode)

    with LockFile(path):
        assert stat.S_IMODE(lock_path.stat().st_mode) == 0o600


def test_no_child_inherits_it(path: Path, lock_path: Path) -> None:
    with LockFile(path):
        there = "import os; print(*(os.readlink(entry.path) for entry in os.scandir('/proc/self/fd')), sep='\\n')"
        # A descriptor that is closed on exec is not there even where nothing closes the others.
        told = subprocess.run([sys.executable, "-c", there], close_fds=False, capture_output=True, text=True)

    assert str(lock_path) not in told.stdout


@pytest.mark.parametrize("target", ["precious", "nowhere"])
def test_a_link_in_its_place_is_not_followed(path: Path, lock_path: Path, tmp_path: Path, target: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep me")
    lock_path.symlink_to(tmp_path / target)

    with pytest.raises(OSError, match="not an ordinary file"):
        LockFile(path)

    assert precious.read_text() == "keep me"
    assert not (tmp_path / "nowhere").exists()


def test_a_pipe_in_its_place_is_refused_at_once(path: Path, lock_path: Path) -> None:
    os.mkfifo(lock_path)

    with pytest.raises(OSError, match="not an ordinary file"):
        LockFile(path)


def test_it_can_be_taken_again_once_closed(path: Path) -> None:
    LockFile(path).close()
    LockFile(path).close()

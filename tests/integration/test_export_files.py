"""The file of an export: whole under its name, or not there."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from archiver.errors import CannotWrite

ENDED = """
import os, signal, sys
from pathlib import Path
from archiver.cli.files import write_file
def lines():
    yield "one"
    os.kill(os.getpid(), int(sys.argv[2]))
    yield "two"
write_file(Path(sys.argv[1]), lines())
"""


def export_ended_by(signal: int, target: Path) -> int:
    return subprocess.run([sys.executable, "-c", ENDED, str(target), str(signal)], stderr=subprocess.DEVNULL).returncode


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_what_takes_the_place_of_a_file_is_open_to_the_same_people(mode: int, tmp_path: Path) -> None:
    from archiver.cli.cursor_file import keep_cursor
    from archiver.cli.files import write_file

    for write in (lambda path: write_file(path, ["one"]), lambda path: keep_cursor(path, "1")):
        path = tmp_path / "archive.jsonl"
        path.touch()
        path.chmod(mode)
        write(path)
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert path.stat().st_size


def test_a_new_file_is_as_the_umask_says_and_a_cursor_its_owner_s(tmp_path: Path) -> None:
    from archiver.cli.cursor_file import keep_cursor
    from archiver.cli.files import write_file

    before = os.umask(0o027)
    try:
        write_file(tmp_path / "answer", ["one"])
        keep_cursor(tmp_path / "cursor", "1")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"answer": 0o640, "cursor": 0o600}


def test_a_link_that_leads_in_a_circle_cannot_be_written(tmp_path: Path) -> None:
    from archiver.cli.files import write_file

    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(CannotWrite, match="Too many levels"):
        write_file(tmp_path / "a", ["one"])


def test_sigterm_leaves_nothing_behind(tmp_path: Path) -> None:
    assert export_ended_by(15, tmp_path / "archive.jsonl") == 143

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_export_left_does_not_stop_the_next_one(tmp_path: Path) -> None:
    from archiver.cli.files import write_file

    assert export_ended_by(9, tmp_path / "archive.jsonl") == -9

    assert write_file(tmp_path / "archive.jsonl", ["one"]) == 1
    assert (tmp_path / "archive.jsonl").read_text() == "one\n"

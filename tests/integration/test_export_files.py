"""The file of an export: whole under its name, or not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_sigterm_leaves_nothing_behind(tmp_path: Path) -> None:
    assert export_ended_by(15, tmp_path / "archive.jsonl") == 143

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_export_left_does_not_stop_the_next_one(tmp_path: Path) -> None:
    from archiver.cli.files import write_file

    assert export_ended_by(9, tmp_path / "archive.jsonl") == -9

    assert write_file(tmp_path / "archive.jsonl", ["one"]) == 1
    assert (tmp_path / "archive.jsonl").read_text() == "one\n"

"""The real daemon tells what happened, also when it was killed before anybody took it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from archiver.simulator.service.server import STILL, Simulator

from ..conftest import RunArchiver
from .recording import Recorder, rows, wait_for

PROGRAM = """
import os, sys
said = sys.stdin.read()
if not os.path.exists({works!r}):
    sys.exit("nobody is at home")
with open({taken!r}, "a") as file:
    file.write(said + "\\n")
"""


def test_what_was_not_taken_before_a_kill_is_told_after_it(recorder: Recorder, tmp_path: Path) -> None:
    works, taken = tmp_path / "works", tmp_path / "taken"
    program = tmp_path / "page.py"
    program.write_text(PROGRAM.format(works=str(works), taken=str(taken)))
    options = ("--on", "gap|reject", "--exec", f"{sys.executable} {program}")
    with Simulator(pacing=STILL) as platform:
        process = recorder.start(platform.stream_url, options=options)
        assert platform.wait_for_clients(1)
        platform.send("no event")
        wait_for(lambda: "it ended with code 1: nobody is at home" in recorder.log())
        process.kill()
        process.wait()
        assert not taken.exists()
        works.touch()
        second = recorder.start(platform.stream_url, options=options)
        wait_for(taken.exists)
        wait_for(lambda: taken.read_text().endswith("\n"))
        second.terminate()
        assert second.wait(20) == 0, recorder.log()
    first, *_ = map(json.loads, taken.read_text().splitlines())
    assert first["on"] == ["reject"]
    assert rows(recorder.url, "SELECT id FROM rejects")


def test_a_program_that_is_not_there_is_missed_at_the_start(run_archiver: RunArchiver) -> None:
    hooks = ("--on", "oom", "--exec", "/nowhere/tell", "--on", "oom", "--exec", "true")
    done = run_archiver("run", "--stream", "file:/dev/null", *hooks, "--limit", "1")
    missed = [line for line in done.stderr.splitlines() if "may not be run" in line]
    assert [line.rpartition("run: ")[2] for line in missed] == ["oom: /nowhere/tell"]


def test_each_receiver_has_the_conditions_before_it(run_archiver: RunArchiver) -> None:
    done = run_archiver("run", "--stream", "file:/dev/null", "--on", "oom", "--exec", "a", "--on", "gap")
    assert done.returncode == 78
    assert "nobody is to be told of gap" in done.stderr
    told = ("--on", "oom", "--exec", "a", "--on", "gap", "--on", "reject", "--exec", "b", "--exec", "c", "--limit", "1")
    done = run_archiver("run", "--stream", "file:/dev/null", *told)
    assert done.returncode == 0, done.stderr
    hooks = [
        line.partition(" info ")[2].strip() for line in done.stderr.splitlines() if " info " in line and "hook" in line
    ]
    assert hooks == ["hook 1 (oom: a)", "hook 2 (gap|reject: b)", "hook 3 (gap|reject: c)"]

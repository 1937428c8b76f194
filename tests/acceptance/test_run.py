"""`archiver run` as its users start it: what it records, when it ends, with which exit code."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from archiver.simulator.service.server import STILL, Listening, Simulator, World

from ..conftest import RunArchiver, SpawnArchiver
from .recording import Recorder, archived, load, numbered, rows, sessions, wait_for


def test_a_recording_is_played_to_its_end(run_archiver: RunArchiver, tmp_path: Path) -> None:
    recording = tmp_path / "a day.jsonl"
    recording.write_text("".join(f"{numbered(number)}\n" for number in range(1, 101)))
    url = f"sqlite:///{tmp_path / 'archive.db'}"
    stream = f"file://{tmp_path}/a%20day.jsonl"
    done = run_archiver("run", "--stream", stream, "--database", url)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert archived(url) == list(range(1, 101))
    assert sessions(url) == ["end of the recording"]


def test_it_ends_after_so_many_events(sqlite_recorder: Recorder) -> None:
    with load(500) as (platform, _):
        process = sqlite_recorder.start(platform.stream_url, options=("--limit", "100"))
        assert process.wait(20) == 0, sqlite_recorder.log()
    assert 100 <= len(archived(sqlite_recorder.url)) < 1500
    assert sessions(sqlite_recorder.url) == ["stopped"]


def test_several_streams_go_into_one_archive(recorder: Recorder) -> None:
    with (
        Simulator(pacing=STILL) as tutum,
        Simulator(pacing=STILL, world=World(flavour="dockercloud", namespace="acme")) as cloud,
    ):
        process = recorder.start(tutum.stream_url, cloud.stream_url)
        assert tutum.wait_for_clients(1)
        assert cloud.wait_for_clients(1)
        for number in range(1, 51):
            (tutum if number % 2 else cloud).send(numbered(number))
        wait_for(lambda: len(archived(recorder.url)) == 50)
        process.terminate()
        assert process.wait(10) == 0, recorder.log()
        expected = [(tutum.stream_url, 25), (cloud.stream_url, 25)]
    query = """SELECT stream, count(*) FROM event_log WHERE extra LIKE '%"n"%' GROUP BY stream"""
    assert sorted(map(tuple, rows(recorder.url, query))) == sorted(expected)


def test_one_stream_that_ends_does_not_end_the_others(sqlite_recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "short.jsonl").write_text(numbered(1))
    with Simulator(pacing=STILL) as platform:
        process = sqlite_recorder.start(f"file:{tmp_path}/short.jsonl", platform.stream_url)
        assert platform.wait_for_clients(1)
        wait_for(lambda: archived(sqlite_recorder.url) == [1])
        platform.send(numbered(2))
        wait_for(lambda: archived(sqlite_recorder.url) == [1, 2])
        process.terminate()
        assert process.wait(10) == 0


def test_a_daemon_that_was_killed_is_dead_at_once(sqlite_recorder: Recorder, run_archiver: RunArchiver) -> None:
    def asked() -> tuple[int, dict[str, Any]]:
        here = {"ARCHIVER_SPOOL": str(sqlite_recorder.spool)}
        done = run_archiver("status", "-o", "json", "--database", sqlite_recorder.url, env=here)
        return done.returncode, json.loads(done.stdout)

    with Simulator(pacing=STILL) as platform:
        process = sqlite_recorder.start(platform.stream_url)
        assert platform.wait_for_clients(1)
        platform.send(numbered(1))
        wait_for(lambda: archived(sqlite_recorder.url) == [1])
        (code, alive) = asked()
        process.kill()
        process.wait()
    ended, dead = asked()

    assert (code, alive["streams"][0]["connected"]) == (0, True)
    assert (ended, dead["streams"][0]["connected"], dead["streams"][0]["closed_at"]) == (6, False, None)
    assert [(problem["kind"], problem["text"].split(":")[0]) for problem in dead["problems"]] == [
        ("stale", "no daemon runs")
    ]


def test_a_second_daemon_on_the_same_spool_is_told_who_has_it(
    sqlite_recorder: Recorder, run_archiver: RunArchiver
) -> None:
    with Simulator(pacing=STILL) as platform:
        first = sqlite_recorder.start(platform.stream_url)
        assert platform.wait_for_clients(1)
        command = ("run", "--stream", platform.stream_url, "--spool", str(sqlite_recorder.spool))
        second = run_archiver(*command, "--database", sqlite_recorder.url)
        assert second.returncode == 1
        assert f"process {first.pid} has it" in second.stderr
        assert "--spool" in second.stderr
        first.terminate()
        assert first.wait(10) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        ((), 2, "no stream"),
        (("--stream", "ftp://x"), 78, "none of"),
        (("--stream", "ws://stream.example/v1/events"), 78, "plaintext"),
        (("--stream", "file:nowhere.jsonl"), 1, "nowhere.jsonl"),
        (("--stream", "file:x", "--database", "mysql://x/y"), 78, "mysql"),
        (("--stream", "file:x", "--spool", "/proc/nowhere/spool.db"), 1, "spool"),
        (("--stream", "file:x", "--spool-limit", "lots"), 78, "bytes"),
        (("--stream", "file:x", "--limit", "0"), 2, "limit"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_a_code(
    arguments: tuple[str, ...], code: int, word: str, run_archiver: RunArchiver
) -> None:
    done = run_archiver("run", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert word in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", ["wss://u:hunter2@[bad/", "tcp://u:hunter2@[bad/", "hunter2"])
def test_a_stream_that_is_no_url_is_wrong_where_it_was_read(
    url: str, run_archiver: RunArchiver, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"log_level = 'info'\nstreams = ['{url}']\n")
    by_variable = run_archiver("run", env={"ARCHIVER_STREAM": url})
    by_file = run_archiver("run", env={"ARCHIVER_CONFIG": str(file)})
    shown = run_archiver("config", "show", env={"ARCHIVER_STREAM": url})

    assert (by_variable.returncode, by_file.returncode, shown.returncode) == (78, 78, 0)
    assert "it was read from ARCHIVER_STREAM;" in by_variable.stderr
    assert f"it was read from {file}, line 2;" in by_file.stderr
    assert "Traceback" not in by_variable.stderr + by_file.stderr
    assert "hunter2" not in by_variable.stderr + by_file.stderr + (shown.stdout if "://" in url else "")


def test_a_damaged_spool_does_not_stop_the_recording(sqlite_recorder: Recorder, tmp_path: Path) -> None:
    sqlite_recorder.spool.write_bytes(os.urandom(50_000))
    (tmp_path / "day.jsonl").write_text(numbered(1))
    process = sqlite_recorder.start(f"file:{tmp_path}/day.jsonl")
    assert process.wait(20) == 0, sqlite_recorder.log()
    assert archived(sqlite_recorder.url) == [1]
    (line,) = sqlite_recorder.lines("error")
    assert "damaged" in line
    assert ".corrupt-" in line


def test_systemd_is_told_how_it_does(sqlite_recorder: Recorder, tmp_path: Path) -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line,
        Simulator(pacing=STILL, listening=Listening(greet=False)) as platform,
    ):
        line.bind(str(tmp_path / "notify"))
        line.settimeout(10)
        process = sqlite_recorder.start(platform.stream_url, env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert line.recv(4096) == b"READY=1"
        assert line.recv(4096) == b"WATCHDOG=1\nSTATUS=0 events archived, 0 waiting"
        assert platform.wait_for_clients(1)
        platform.send(numbered(1))
        wait_for(lambda: b"events archived, 0 waiting" in line.recv(4096))
        process.terminate()
        wait_for(lambda: line.recv(4096) == b"STOPPING=1")
        assert process.wait(10) == 0


def test_the_log_can_be_json(run_archiver: RunArchiver, tmp_path: Path) -> None:
    (tmp_path / "day.jsonl").write_text(numbered(1))
    done = run_archiver("run", "--stream", "file:day.jsonl", "--log-format", "json")
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {"time", "level", "message"} == set(lines[-1])
    assert lines[-1]["message"] == "stopped; archived 1 events, 0 rejects"


def test_the_journal_gets_priorities(run_archiver: RunArchiver, tmp_path: Path) -> None:
    (tmp_path / "day.jsonl").write_text(numbered(1))
    done = run_archiver("run", "--stream", "file:day.jsonl", env={"JOURNAL_STREAM": "8:1"})
    assert all(line.startswith("<6>") for line in done.stderr.splitlines())


def test_a_simulated_platform_is_served_until_it_is_told_to_stop(
    spawn_archiver: SpawnArchiver, sqlite_recorder: Recorder
) -> None:
    platform = spawn_archiver("simulate", "--port", "0", "--speed", "100")
    assert platform.stdout is not None
    stream = platform.stdout.readline().split()[-1]
    process = sqlite_recorder.start(stream, options=("--limit", "50"))
    assert process.wait(30) == 0, sqlite_recorder.log()
    assert rows(sqlite_recorder.url, "SELECT count(*) FROM event_log")[0][0] >= 50
    platform.terminate()
    assert platform.wait(10) == 0


@pytest.mark.parametrize("plan", ["drop", "drop@0", "drop@²", "nonsense@3"])
def test_a_misbehaviour_that_cannot_be_planned_is_refused(plan: str, run_archiver: RunArchiver) -> None:
    done = run_archiver("simulate", "--port", "0", "--misbehave", plan)
    assert done.returncode == 2
    assert "KIND@N" in done.stderr


def test_the_demo_shows_a_history_a_tree_and_actions(
    run_archiver: RunArchiver, program_environment: dict[str, str]
) -> None:
    folder = Path(program_environment["HOME"]) / ".local/share/archiver/demo"
    folder.mkdir(parents=True)
    (folder / "archive.db").write_text("what nobody knows who made")
    done = run_archiver("demo", "--seconds", "8")  # long enough to be asked about what came later
    assert done.returncode == 0, done.stderr
    (kept,) = folder.glob("archive.db.kept-*")
    assert kept.read_text() == "what nobody knows who made"
    questions = [line.split() for line in done.stdout.splitlines() if line.startswith("$ ")]
    assert [words[4] for words in questions] == ["history", "tree", "actions"]
    assert "/api/v1/container/" in done.stdout
    assert "Stack Deploy" in done.stdout, "what was done has a name"
    assert "/api/v1/action/" not in done.stdout, "also what was still being done at the end"


@pytest.mark.parametrize("name", ["archive.db", "spool.db", "archive.db-wal"])
def test_the_demo_deletes_nothing_that_is_not_its_own(run_archiver: RunArchiver, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / name).write_text("years of work")
    (folder / "letter.txt").write_text("dear")
    done = run_archiver("demo", "--seconds", "3", "--folder", str(folder))
    assert done.returncode == 2
    assert "folder of its own" in done.stderr
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        name: "years of work",
        "letter.txt": "dear",
    }


def test_a_demo_takes_the_place_of_another_until_somebody_has_written_there(tmp_path: Path) -> None:
    from archiver.cli.commands import demo

    (tmp_path / "spool.db").write_text("made by a demo")
    demo.sign(tmp_path)
    assert demo.is_signed(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("made-by-demo")} == {0o600}
    (tmp_path / "spool.db").write_text("made by a demo, and then used for good")
    assert not demo.is_signed(tmp_path)


def test_ctrl_c_in_the_midst_of_the_demo_ends_it_quietly(spawn_archiver: SpawnArchiver, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    process = spawn_archiver("demo", "--seconds", "60", "--folder", str(folder), stdout=subprocess.DEVNULL)
    assert process.stderr is not None
    assert "comes to life" in process.stderr.readline()
    wait_for((folder / "archive.db-wal").exists)  # it records
    process.send_signal(2)
    assert process.wait(20) == 130
    assert process.stderr.read() == ""


def test_ctrl_c_in_the_demo_ends_it_quietly(spawn_archiver: SpawnArchiver) -> None:
    process = spawn_archiver("demo", "--seconds", "60", stdout=subprocess.DEVNULL)
    assert process.stderr is not None
    assert "comes to life" in process.stderr.readline()
    process.send_signal(2)
    assert process.wait(10) == 130
    assert process.stderr.read() == ""

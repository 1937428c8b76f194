"""What a running daemon does when it is asked over its socket, and what it does not let others do to it."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.api.archive import Archive
from archiver.recording.control.place import short_name, socket_beside
from archiver.recording.control.server import MOST_WAITING, REQUEST_SECONDS
from archiver.recording.control.words import MOST_BYTES
from archiver.simulator.service.server import STILL, Simulator

from ..conftest import RunArchiver
from .recording import Recorder, archived, numbered, rows, wait_for


@pytest.fixture
def platform() -> Iterator[Simulator]:
    with Simulator(pacing=STILL) as platform:
        yield platform


def running(recorder: Recorder, platform: Simulator) -> subprocess.Popen[str]:
    process: subprocess.Popen[str] = recorder.start(platform.stream_url)
    wait_for(lambda: socket_beside(recorder.spool).exists())
    assert platform.wait_for_clients(1)
    return process


def asked(recorder: Recorder, said: bytes) -> dict[str, object]:
    """What the daemon answers to some bytes."""
    with socket.socket(socket.AF_UNIX) as line, short_name(socket_beside(recorder.spool)) as name:
        line.settimeout(30)
        line.connect(name)
        line.sendall(said)
        answer = b""
        while piece := line.recv(4096):
            answer = (answer + piece).lstrip(b"\n")
            if b"\n" in answer:  # what of the request was not read resets the line behind it
                break
    found: dict[str, object] = json.loads(answer)
    return found


def test_a_note_and_a_retry_are_done_by_the_daemon_while_it_records(
    sqlite_recorder: Recorder, platform: Simulator, run_archiver: RunArchiver
) -> None:
    recorder = sqlite_recorder
    process = running(recorder, platform)
    platform.send(numbered(1))
    platform.send('\x1b[31m {"https://user:pa55word@host/"')
    wait_for(lambda: archived(recorder.url) == [1])
    of = ("--database", recorder.url)
    told = ("--spool", str(recorder.spool), *of)
    done = run_archiver("note", "web 2.14", "--under", "container/00000001", "--by", "anna", "-o", "json", *told)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["text"] == "web 2.14"
    with Archive.open(recorder.url) as archive:
        wait_for(lambda: archive.status().rejects == 1)
        assert [note.text for note in archive.notes()] == ["web 2.14"]
    shown = run_archiver("rejects", "show", "1", *of).stdout
    assert "\\x1b[31m" in shown
    assert "\x1b" not in shown + run_archiver("rejects", "list", "-o", "table", *of).stdout
    assert "pa55word" not in shown
    retried = run_archiver("rejects", "retry", "-o", "json", *told)
    assert (retried.returncode, json.loads(retried.stdout)["rejects"]) == (1, 1), retried.stderr
    elsewhere = run_archiver("note", "lost", "--spool", str(recorder.spool.with_name("other.db")), *of)
    assert elsewhere.returncode == 4
    assert f"process {process.pid} has it" in elsewhere.stderr
    platform.send(numbered(2))
    wait_for(lambda: len(rows(recorder.url, "SELECT id FROM event_log WHERE type = 'container'")) == 2)
    process.terminate()
    assert process.wait(20) == 0
    assert not socket_beside(recorder.spool).exists()


def test_whatever_is_said_gets_an_answer_in_words_and_the_daemon_goes_on(
    sqlite_recorder: Recorder, platform: Simulator
) -> None:
    recorder = sqlite_recorder
    process = running(recorder, platform)
    path = os.fspath(Path(recorder.url.partition("///")[2]))
    said = {
        b"\xff\xfe\n": "JSON",
        b"[" * 20_000 + b"\n": "JSON",
        b"[]\n": "object",
        b"{}\n": "records into",
        json.dumps({"archive": "/elsewhere.db", "do": "note"}).encode() + b"\n": "records into",
        json.dumps({"archive": "\0", "do": "note"}).encode() + b"\n": "records into",
        json.dumps({"archive": path, "do": ["note"]}).encode() + b"\n": "'do'",
        json.dumps({"archive": path, "do": "note", "text": 5}).encode() + b"\n": "a note",
        json.dumps({"archive": path, "do": "retry", "numbers": [-1]}).encode() + b"\n": "numbers",
        json.dumps({"archive": path, "do": "reconcile", "since": -1}).encode() + b"\n": "'since'",
        json.dumps({"archive": path, "do": "reconcile", "stream": "ws://elsewhere"}).encode() + b"\n": "REST API",
        b"x" * (MOST_BYTES + 5000): "bytes",
        b"": f"{REQUEST_SECONDS:g} s",  # says nothing, and waits
    }
    for request, word in said.items():
        assert word in str(asked(recorder, request)["error"]), request[:80]
    crowd = [socket.socket(socket.AF_UNIX) for _ in range(MOST_WAITING // 2)]
    for line in crowd:  # they come, and go without a word
        line.connect(os.fspath(socket_beside(recorder.spool)))
        line.close()
    retry = json.dumps({"archive": path, "do": "retry"}).encode() + b"\n"
    assert asked(recorder, retry)["answer"] == {"tried": 0, "events": 0, "duplicates": 0, "rejects": 0}
    platform.send(numbered(1))
    wait_for(lambda: archived(recorder.url) == [1])
    assert process.poll() is None
    assert not recorder.lines("ERROR")


def test_a_socket_that_was_left_behind_is_in_nobodys_way(
    sqlite_recorder: Recorder, platform: Simulator, run_archiver: RunArchiver
) -> None:
    recorder = sqlite_recorder
    recorder.spool = recorder.spool.parent / ("a folder of a long name " * 8) / "spool.db"
    process = running(recorder, platform)
    place = socket_beside(recorder.spool)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    process.kill()
    process.wait()
    assert place.exists()
    told = ("--spool", str(recorder.spool), "--database", recorder.url)
    alone = run_archiver("note", "by itself", *told)
    assert alone.returncode == 0, alone.stderr
    made_at = place.stat().st_ctime_ns
    second = recorder.start(platform.stream_url)
    wait_for(lambda: place.exists() and place.stat().st_ctime_ns != made_at)
    beside = run_archiver("note", "by the daemon", *told)
    assert beside.returncode == 0, beside.stderr
    second.terminate()
    assert second.wait(20) == 0, recorder.log()
    with Archive.open(recorder.url) as archive:
        assert [note.text for note in archive.notes()] == ["by itself", "by the daemon"]


def test_a_secret_is_forgotten_by_the_daemon_while_it_records(
    recorder: Recorder, platform: Simulator, run_archiver: RunArchiver
) -> None:
    process = running(recorder, platform)
    for number in range(1, 40):
        platform.send(json.dumps(json.loads(numbered(number)) | {"env": "PASSWORD=hunter2-x"}))
    platform.send("hunter2-x is no event")
    wait_for(lambda: len(archived(recorder.url)) == 39)
    told = ("--spool", str(recorder.spool), "--database", recorder.url)
    done = run_archiver("forget", "--from", "-", "-o", "json", *told, input="hunter2-x")
    assert done.returncode == 0, done.stderr + recorder.log()
    found = json.loads(done.stdout)
    assert (found["touched"]["events"], found["touched"]["rejects"]) == (39, 1)
    assert (found["clean"], found["spool"], found["left"]) == (True, True, [])
    platform.send(numbered(40))
    wait_for(lambda: len(rows(recorder.url, "SELECT id FROM event_log WHERE type = 'container'")) == 40)
    assert process.poll() is None
    kept = [path for path in recorder.spool.parent.iterdir() if path.is_file() and b"hunter2" in path.read_bytes()]
    assert not kept
    assert "hunter2" not in run_archiver("export", "--database", recorder.url).stdout
    with Archive.open(recorder.url) as archive:
        assert "39 in events" in next(archive.notes()).text
    process.terminate()
    assert process.wait(20) == 0
    assert "hunter2" not in recorder.log()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_is_told_that_he_is_not_the_one(sqlite_recorder: Recorder, platform: Simulator) -> None:
    recorder = sqlite_recorder
    process = running(recorder, platform)
    place = socket_beside(recorder.spool)
    script = (
        "import os, socket, sys; os.chdir(sys.argv[1]); os.setgid(65534); os.setuid(65534);"
        " line = socket.socket(socket.AF_UNIX); line.connect(sys.argv[2]); print(line.recv(9999).decode())"
    )
    place.chmod(0o666)
    place.parent.chmod(0o711)
    done = subprocess.run(
        [sys.executable, "-c", script, place.parent, place.name], capture_output=True, text=True, check=False
    )
    assert "not the user" in done.stdout, done.stderr
    assert process.poll() is None

"""`archiver listen` as a process: a stream on standard output."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.conftest import RunArchiver, SpawnArchiver
from tests.fake_engine import FakeEngine, message
from tests.integration.hostile import Hostile, Peer
from tests.integration.test_tutum_source_opening import proxying

EVENT = b'{"type":"stack","state":"Running",\n"resource_uri":"/api/v1/stack/1/"}'


def sending(peer: Peer) -> None:
    peer.accept()
    peer.frame(EVENT)
    peer.frame(EVENT)
    peer.hold()


def test_the_environment_says_which_stream_and_how_to_get_in(run_archiver: RunArchiver) -> None:
    with Hostile(sending) as server:
        environment = {"ARCHIVER_STREAM": server.url, "ARCHIVER_TOKEN": "bob:s3cret", "ARCHIVER_AUTH": "query"}
        done = run_archiver("listen", "-n", "1", env=environment)
    assert done.stdout.encode() == EVENT.replace(b"\n", b" ") + b"\n"
    assert server.requests[0].startswith(b"GET /v1/events?user=bob&token=s3cret ")
    assert "s3cret" not in done.stderr


def test_nothing_is_asked_beside_what_is_listened_to(run_archiver: RunArchiver) -> None:
    def wait_for_a_question(peer: Peer) -> None:
        peer.accept()
        until = time.monotonic() + 0.7
        while server.connections == 1 and time.monotonic() < until:
            time.sleep(0.02)
        peer.frame(EVENT)
        peer.hold()

    with Hostile(wait_for_a_question, Peer.hold) as server:
        assert run_archiver("listen", "--stream", server.url, "-n", "1").returncode == 0
        assert server.connections == 1


def test_plain_text_and_a_proxy_are_the_environment_s_matter_too(run_archiver: RunArchiver) -> None:
    environment = {"ARCHIVER_STREAM": "ws://stream.invalid/v1/events"}
    assert run_archiver("listen", env=environment).returncode == 78
    with Hostile(lambda peer: peer.answer("401 Unauthorized")) as server, Hostile(proxying(server.port)) as proxy:
        environment |= {"ARCHIVER_ALLOW_PLAINTEXT": "1", "http_proxy": f"http://127.0.0.1:{proxy.port}"}
        assert run_archiver("listen", env=environment).returncode == 77
    assert server.requests[0].startswith(b"GET /v1/events ")


@pytest.mark.parametrize(
    ("stream", "why"), [("unix:///nowhere/docker.sock", "No such file"), ("ws://127.0.0.1:1/v1/events", "refused")]
)
def test_a_stream_that_cannot_be_reached_is_said_to_be_so_and_given_up(
    stream: str, why: str, run_archiver: RunArchiver
) -> None:
    done = run_archiver("listen", "--stream", stream, "--wait", "3")

    assert done.returncode == 4
    *before, error, hint = done.stderr.splitlines()
    assert error.startswith(f"archiver: error: cannot reach the stream {stream}: ")
    assert why in error
    assert "hint" in hint
    assert any(line.startswith(f"no connection to {stream} for 2 s: ") and why in line for line in before)
    assert done.stdout == ""


@pytest.mark.parametrize("stream", ["unix:///nowhere/docker.sock", "ws://127.0.0.1:1/v1/events"])
def test_the_first_failure_ends_it(stream: str, run_archiver: RunArchiver) -> None:
    done = run_archiver("listen", "--stream", stream)

    assert done.returncode == 4
    assert f"cannot reach the stream {stream}: " in done.stderr
    assert "no answer yet" not in done.stderr
    assert "next try" not in done.stderr


def test_it_ends_with_its_reader(tmp_path: Path, spawn_archiver: SpawnArchiver) -> None:
    recording = tmp_path / "a.jsonl"
    recording.write_text('{"type": "service"}\n' * 20_000)
    process = spawn_archiver("listen", "--stream", f"file:{recording}")
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 141
    assert process.stderr is not None
    assert process.stderr.read() == "connected to file:a.jsonl\n"


def test_a_stream_that_is_there_in_time_is_listened_to(tmp_path: Path, spawn_archiver: SpawnArchiver) -> None:
    engine = FakeEngine()
    engine.tell(message(1))
    process = spawn_archiver("listen", "--stream", f"unix://{tmp_path}/late.sock", "-n", "1", "--retry")
    time.sleep(1.0)  # so that it has tried
    with engine.on_socket(tmp_path / "late.sock"):
        out, err = process.communicate(timeout=20)

    assert process.returncode == 0
    assert json.loads(out)["message"] == message(1)
    assert "connected to" in err


def test_one_stream_is_listened_to_at_a_time(run_archiver: RunArchiver) -> None:
    done = run_archiver("listen", env={"ARCHIVER_STREAM": "ws://127.0.0.1:1/ ws://127.0.0.1:2/"})
    assert done.returncode == 2
    assert "ARCHIVER_STREAM names 2" in done.stderr
    assert run_archiver("listen").returncode == 2

"""A canary: the API key leaves no trace anywhere, in none of the forms it travels in; and what refused ones lead to."""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from pathlib import Path
from typing import Literal
from urllib.parse import quote, quote_plus

import pytest

from archiver.simulator.service.server import STILL, Admission, Simulator

from ..conftest import RunArchiver
from ..integration.hostile import CLOSE, Hostile, Peer
from .recording import Recorder, archived, numbered, wait_for

USER = "somebody"
KEY = "canary/9f+3==&key%21"


def traces(data: bytes) -> list[str]:
    """The forms of the key that stand in some bytes."""
    basic = base64.b64encode(f"{USER}:{KEY}".encode()).decode()
    forms = {KEY, basic, base64.b64encode(KEY.encode()).decode()}
    forms |= {quoted(form) for form in forms for quoted in (quote, quote_plus)} | {
        quote(form, safe="") for form in forms
    }
    return [form for form in forms if form.encode() in data]


@pytest.fixture
def token(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    path = folder / "token"
    path.write_text(KEY)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("auth", ["header", "query", "query-auth"])
def test_no_trace_of_the_key(
    auth: str, sqlite_recorder: Recorder, run_archiver: RunArchiver, token: Path, tmp_path: Path
) -> None:
    env = {"ARCHIVER_USER": USER, "ARCHIVER_TOKEN_FILE": str(token)}
    with Simulator(pacing=STILL, admission=Admission(credentials=(USER, KEY))) as platform:
        process = sqlite_recorder.start(platform.stream_url, options=("--auth", auth, "--log-level", "debug"), env=env)
        assert platform.wait_for_clients(1)
        platform.send(numbered(1))
        wait_for(lambda: archived(sqlite_recorder.url))
        seen = Path(f"/proc/{process.pid}/cmdline").read_bytes() + Path(f"/proc/{process.pid}/environ").read_bytes()
        # A server that tells what it was asked, a lost connection, a refusal of what was right before.
        platform.misbehave("handshake_status", times=2, status=302, location=f"ws://{USER}:{quote(KEY)}@127.0.0.1:1/")
        platform.misbehave("drop")
        wait_for(lambda: platform.handshakes >= 3)
        wait_for(lambda: platform.clients)
        platform.send(f'{{"type":"error","data":{{"errorMessage":"you are {KEY[:3]}"}}}}')
        process.terminate()
        assert process.wait(10) == 0
    exported = run_archiver("export", "--database", sqlite_recorder.url)
    assert exported.returncode == 0, exported.stderr
    seen += exported.stdout.encode() + exported.stderr.encode()
    for path in tmp_path.rglob("*"):
        if path.is_file() and path != token:
            seen += path.read_bytes()
    assert len(sqlite_recorder.log().splitlines()) > 3
    assert traces(seen) == []


OTHERS = "canary-of-somebody-else-0123456789"


def repeating(peer: Peer) -> None:
    """An event, a text that is none, and a good-bye, each with all that was asked for."""
    asked = peer.read_request().decode()
    peer.accept()
    peer.frame(json.dumps({**json.loads(numbered(1)), "asked": asked, "key": KEY}).encode())
    peer.frame(f"you said: {asked} {KEY}".encode())
    authorization = next(line for line in asked.splitlines() if line.startswith("Authorization"))
    peer.frame((1011).to_bytes(2) + authorization.encode(), CLOSE)
    peer.drain()


def pointing_elsewhere(peer: Peer) -> None:
    """A redirection with a login in it, and a page that repeats another one."""
    elsewhere = f"http://bob:{OTHERS}@127.0.0.1:1/events?token={OTHERS}"
    peer.answer("307 go on", f"see {elsewhere}".encode(), header=f"Location: {elsewhere}\r\n")


def sending(peer: Peer) -> None:
    peer.accept()
    peer.frame(numbered(2).encode())
    peer.hold()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_trace_of_what_platforms_repeat_or_point_to(
    log_format: str, sqlite_recorder: Recorder, run_archiver: RunArchiver, token: Path, tmp_path: Path
) -> None:
    env = {"ARCHIVER_USER": USER, "ARCHIVER_TOKEN_FILE": str(token), "INVOCATION_ID": "1"}
    options = ("--log-format", log_format, "--log-level", "debug", "--metrics", "127.0.0.1:0")
    with Hostile(pointing_elsewhere, repeating, sending) as platform, Hostile(pointing_elsewhere) as engine:
        streams = (f"{platform.url}?access_token={OTHERS}", f"tcp://127.0.0.1:{engine.port}")
        process = sqlite_recorder.start(*streams, options=options, env=env)
        wait_for(lambda: archived(sqlite_recorder.url) == [1, 2])
        wait_for(lambda: "127.0.0.1:1/events" in sqlite_recorder.log())
        (page,) = re.findall(r"metrics at (http://[\d.:]+/metrics)", sqlite_recorder.log())
        with urllib.request.urlopen(page, timeout=10) as answer:
            numbers = answer.read().decode()
        assert "archiver_connected{" in numbers
        assert f"access_token={OTHERS}".encode() in platform.requests[-1], "what is no login of ours is sent"
        asked = run_archiver("status", "-o", "json", "--database", sqlite_recorder.url)
        process.terminate()
        assert process.wait(10) == 0
    exported = run_archiver("export", "--database", sqlite_recorder.url)
    seen = "".join([numbers, asked.stdout, asked.stderr, exported.stdout, exported.stderr]).encode()
    page = run_archiver("timeline", "--html", str(tmp_path / "page.html"), "--database", sqlite_recorder.url)
    assert page.returncode == 0, page.stderr
    for path in tmp_path.rglob("*"):
        if path.is_file() and path != token:
            seen += path.read_bytes()
    assert traces(seen) == []
    assert OTHERS.encode() not in seen
    assert '"reject"' in exported.stdout


def test_a_program_that_is_started_is_given_no_key(sqlite_recorder: Recorder, tmp_path: Path) -> None:
    found, program = tmp_path / "given", tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/cmdline >> {found}\nenv >> {found}\necho done >> {found}\n"
    )
    program.chmod(0o755)
    env = {"ARCHIVER_USER": USER, "ARCHIVER_TOKEN": KEY, "TUTUM_AUTH": f"ApiKey {USER}:{KEY}", "PGPASSWORD": KEY}
    env |= {"DOCKERCLOUD_PASS": KEY, "CREDENTIALS_DIRECTORY": f"/run/{KEY}", "PATH": f"{program.parent}:/usr/bin:/bin"}
    with Simulator(pacing=STILL, admission=Admission(credentials=(USER, KEY))) as platform:
        process = sqlite_recorder.start(platform.stream_url, "ssh://engine.example", env=env)
        assert platform.wait_for_clients(1)
        wait_for(lambda: found.exists() and "done" in found.read_text())
        process.terminate()
        assert process.wait(10) == 0
    assert "HOME=" in found.read_text()
    assert traces(found.read_bytes()) == []


def test_no_trace_in_a_traceback(run_archiver: RunArchiver, token: Path, sqlite_url: str) -> None:
    env = {"ARCHIVER_USER": USER, "ARCHIVER_TOKEN_FILE": str(token), "ARCHIVER_DATABASE_URL": sqlite_url}
    with Simulator(pacing=STILL, admission=Admission(credentials=(USER, "another"))) as platform:
        command = ("--debug", "run", "--stream", platform.stream_url, "--auth", "query", "--exit-on-auth-failure")
        done = run_archiver(*command, "--log-level", "debug", env=env)
    assert done.returncode == 77
    assert "Traceback" in done.stderr
    assert traces((done.stdout + done.stderr).encode()) == []


@pytest.mark.parametrize("refuse", ["status", "message"])
def test_refused_credentials_end_it_when_that_is_wished(
    refuse: Literal["status", "message"], run_archiver: RunArchiver, token: Path, sqlite_url: str
) -> None:
    env = {"ARCHIVER_USER": USER, "ARCHIVER_TOKEN_FILE": str(token), "ARCHIVER_DATABASE_URL": sqlite_url}
    with Simulator(pacing=STILL, admission=Admission(credentials=(USER, "another"), refuse=refuse)) as platform:
        done = run_archiver("run", "--stream", platform.stream_url, "--exit-on-auth-failure", env=env)
    assert done.returncode == 77
    last = [line for line in done.stderr.splitlines() if line.startswith("archiver: error")]
    assert len(last) == 1
    assert "refused the credentials" in last[0]


def test_refused_credentials_otherwise_are_told_once_and_tried_again_slowly(
    sqlite_recorder: Recorder, run_archiver: RunArchiver, token: Path
) -> None:
    env = {"ARCHIVER_USER": USER, "ARCHIVER_TOKEN_FILE": str(token)}
    with Simulator(pacing=STILL, admission=Admission(credentials=(USER, "another"), refuse="message")) as platform:
        process = sqlite_recorder.start(platform.stream_url, env=env)
        wait_for(lambda: "credentials refused" in sqlite_recorder.log())
        asked = ("status", "-o", "json", "--database", sqlite_recorder.url)
        wait_for(lambda: "refused" in (told := run_archiver(*asked)).stdout and told.returncode == 6)
        with pytest.raises(AssertionError):
            wait_for(lambda: process.poll() is not None or platform.handshakes > 1, 1)
        process.terminate()
        assert process.wait(10) == 0
    assert sum("credentials" in line for line in sqlite_recorder.lines("warning", "error")) == 1

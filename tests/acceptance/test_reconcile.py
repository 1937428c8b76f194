"""`archiver reconcile`, by the running daemon and without one; and what a daemon asks by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from archiver.recording.control.place import socket_beside
from archiver.simulator.service.server import STILL, Admission, Lying, Simulator, World

from ..conftest import RunArchiver
from .recording import Recorder, rows, wait_for

KEY = "canary-of-the-rest-api"
OWN = {"ARCHIVER_TOKEN": f"user:{KEY}"}
TYPES = ("container", "service", "stack", "node", "nodecluster")


@pytest.fixture
def platform() -> Iterator[Simulator]:
    world, admission = World(seed=5, stacks=2, settled=600.0), Admission(credentials=("user", KEY))
    with Simulator(world=world, pacing=STILL, admission=admission) as platform:
        yield platform


def zeros(answer: dict[str, Any]) -> None:
    (stream,) = answer["streams"]
    assert (stream["observed"], stream["gone"], stream["actions"], stream["failed"]) == (0, 0, 0, [])
    assert stream["complete"]
    assert stream["asked"] >= 7


def test_the_daemon_is_asked_and_asks_as_anybody_would_without_it(
    sqlite_recorder: Recorder, platform: Simulator, run_archiver: RunArchiver
) -> None:
    recorder = sqlite_recorder
    living = sum(one.state != "Terminated" for one in platform.platform.objects("container"))
    process = recorder.start(platform.stream_url, env=OWN)
    wait_for(lambda: socket_beside(recorder.spool).exists())
    wait_for(lambda: len(rows(recorder.url, "SELECT uri FROM inventory WHERE type = 'container'")) == living)
    told = ("--spool", str(recorder.spool), "--database", recorder.url)
    first = run_archiver("reconcile", "-o", "json", *told)
    assert first.returncode == 0, first.stderr
    zeros(json.loads(first.stdout))
    elsewhere = run_archiver("reconcile", "--api", "http://127.0.0.1:9", *told)
    assert elsewhere.returncode == 1
    assert f"this daemon asks {platform.rest_url}" in elsewhere.stderr
    unknown = run_archiver("reconcile", "--stream", "ws://127.0.0.1:1/x", *told)
    assert unknown.returncode == 1
    assert "the daemon could not do it: it does not record ws://127.0.0.1:1/x, or knows no REST" in unknown.stderr
    assert f"it can ask that of {platform.stream_url.replace('://', '://user@')}" in unknown.stderr
    gone = next(one for one in platform.platform.objects("container") if one.state == "Running")
    platform.platform.forget(gone)
    platform.lie(Lying("text", "/stack/"))
    partly = run_archiver("reconcile", *told)
    assert partly.returncode == 1, partly.stderr
    assert "1 are gone" in partly.stdout
    assert "not learnt: /api/v1/stack/: the answer is no JSON" in partly.stdout
    process.terminate()
    assert process.wait(20) == 0
    nobody = run_archiver("reconcile", *told)
    assert nobody.returncode == 2
    of = ("--stream", platform.stream_url, *told)
    alone = run_archiver("reconcile", "-o", "json", *of, env=OWN)
    assert alone.returncode == 0, alone.stderr
    assert json.loads(alone.stdout)["streams"][0]["gone"] == 0
    zeros(json.loads(run_archiver("reconcile", "-o", "json", *of, env=OWN).stdout))
    refused = run_archiver("reconcile", *of, env={"ARCHIVER_TOKEN": "user:wrong-canary"})
    assert refused.returncode == 1
    assert "credentials refused" in refused.stdout
    for text in (alone.stdout, alone.stderr, refused.stdout, refused.stderr, recorder.log()):
        assert "canary" not in text


def test_an_archive_of_postgresql_is_reconciled_without_a_daemon(
    postgres_url: str, platform: Simulator, run_archiver: RunArchiver
) -> None:
    of = ("--stream", platform.stream_url, "--database", postgres_url, "-o", "json")
    first = run_archiver("reconcile", *of, env=OWN)
    assert first.returncode == 0, first.stderr
    (stream,) = json.loads(first.stdout)["streams"]
    there = [one for kind in TYPES for one in platform.platform.objects(kind)]
    assert stream["observed"] == sum(one.state != "Terminated" for one in there)
    zeros(json.loads(run_archiver("reconcile", *of, env=OWN).stdout))
    stack = platform.platform.stacks[0]
    tree = json.loads(run_archiver("tree", stack.name, "--database", postgres_url, "-o", "json").stdout)
    assert (tree["name"], len(tree["children"])) == (stack.name, len(stack.services))


def test_who_names_no_stream_is_told_which_daemon_would_have_been_asked(
    sqlite_url: str, run_archiver: RunArchiver
) -> None:
    """One that has the archive may have its spool elsewhere."""
    done = run_archiver("reconcile", "--database", sqlite_url)

    assert done.returncode == 2
    assert f"no daemon is to be asked at {sqlite_url.removeprefix('sqlite:///').removesuffix('.db')}" in done.stderr
    assert "-control, and there is no stream" in done.stderr
    assert "--spool FILE" in done.stderr

"""The archiver is away for longer than a real engine remembers: what lived on is not doubted, and what did not is."""

from __future__ import annotations

import os
import signal
import socket
from http.client import HTTPConnection

from archiver.api.archive import Archive
from archiver.model import iso, to_micros

from ..conftest import SpawnArchiver
from ..engine import Engine, docker_engine
from .recording import rows, wait_for

__all__ = ["docker_engine"]

NAMES = ("lives", "restarted", "looped", "stands", "died")
REMEMBERED = 256
"""Messages that an engine remembers."""


class Line(HTTPConnection):
    """A connection to the socket of an engine."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def fill_the_memory(engine: Engine) -> None:
    """Has the engine tell so much that it forgets all that was before, by what changes nothing."""
    line = Line(engine.url.removeprefix("unix://"))
    for _ in range(REMEMBERED):
        line.request("POST", "/volumes/prune")
        assert line.getresponse().read()
    line.close()


def answers(url: str) -> list[str]:
    """The names of those containers that were found in a state, once for each life and state."""
    marked = "SELECT DISTINCT r.name, o.mark FROM observations o JOIN inventory r ON r.uri = (SELECT c.uri FROM"
    query = f"{marked} resources c WHERE c.id = o.resource_id) WHERE o.mark IS NOT NULL AND r.type = 'container'"
    return sorted(name for name, _ in rows(url, query) if name in NAMES)


def test_what_lived_on_while_nobody_watched_is_not_doubted(
    docker_engine: Engine, spawn_archiver: SpawnArchiver, sqlite_url: str
) -> None:
    engine, command, env = docker_engine, ("run", "--stream", docker_engine.url), {"ARCHIVER_DATABASE_URL": sqlite_url}
    engine.make_image("bb:1")
    for name in NAMES:
        sleeping = ("--network=none", "--restart=on-failure", "--name", name, "bb:1", "/bin/busybox", "sleep", "600")
        engine.docker("run", "-d", *sleeping)
    engine.docker("kill", "stands")
    archiver = spawn_archiver(*command, env=env)
    wait_for(lambda: answers(sqlite_url) == sorted(NAMES), 60)
    archiver.send_signal(signal.SIGTERM)
    assert archiver.wait(20) == 0

    engine.docker("restart", "-t", "0", "restarted")
    os.kill(int(engine.docker("inspect", "-f", "{{.State.Pid}}", "looped")), signal.SIGKILL)
    wait_for(lambda: engine.docker("inspect", "-f", "{{.RestartCount}} {{.State.Running}}", "looped") == "1 true", 60)
    engine.docker("kill", "died")
    finished = engine.docker("inspect", "-f", "{{.State.FinishedAt}}", "died")
    fill_the_memory(engine)
    archiver = spawn_archiver(*command, env=env)
    wait_for(lambda: len(answers(sqlite_url)) == len(NAMES) + 3, 60)
    wait_for(lambda: len(rows(sqlite_url, "SELECT 1 FROM unchanged WHERE type = 'container'")) == 3, 60)

    with Archive.open(sqlite_url) as archive:
        found = {name: archive.history(name) for name in NAMES}
        unknown = {name: archive.report("availability", name).rows[0].unknown_seconds for name in NAMES}
    archiver.send_signal(signal.SIGTERM)
    assert archiver.wait(20) == 0
    assert {name: history.spans[-1].certain for name, history in found.items()} == {
        "lives": True, "stands": True, "restarted": False, "looped": False, "died": True,
    }  # fmt: skip
    assert {name for name, history in found.items() if history.coverage.complete} == {"lives", "stands"}
    assert [name for name, seconds in unknown.items() if seconds] == ["restarted", "looped", "died"]
    ended = found["died"].spans[-1]
    assert (ended.state, iso(to_micros(ended.since))[:26]) == ("exited (137)", finished[:26])
    assert all(history.coverage.gaps for history in found.values())

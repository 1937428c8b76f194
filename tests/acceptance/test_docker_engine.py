"""A stack lives and dies on a real Docker Engine; engine and archiver are stopped and started in the middle."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.platforms.docker.facts import identity

from ..conftest import RunArchiver, SpawnArchiver
from ..engine import Engine, docker_engine

__all__ = ["docker_engine"]

SLEEP = ["/bin/busybox", "sleep", "600"]
WORKER = {"image": "bb:1", "command": SLEEP, "stop_signal": "SIGKILL"}
WEB = WORKER | {
    "healthcheck": {"test": ["CMD", "/bin/busybox", "true"], "interval": "1s"},
    "deploy": {"replicas": 2},
}


def wait_for(what: Callable[[], object], seconds: float = 45) -> None:
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, f"in vain: {what}"
        time.sleep(0.1)


class Witness:
    """The docker command's own recording of the events, to compare with."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.messages: dict[str, dict[str, Any]] = {}

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Records to the end: the engine's, if it is stopped in the block, else a last thing that is done now."""
        with self._engine.record() as process:
            reader = threading.Thread(target=self._read, args=(process,))
            reader.start()
            try:
                yield
                if not self._engine.stopped:
                    self._engine.docker("volume", "create", "the-end")
                    wait_for(lambda: "the-end" in [said["Actor"]["ID"] for said in list(self.messages.values())])
                    process.terminate()
                reader.join(30)
            finally:
                process.kill()
                reader.join()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            self.messages[identity(said)] = said


@pytest.fixture
def ask(run_archiver: RunArchiver, sqlite_url: str) -> Callable[..., Any]:
    """What a command of the archiver answers, as JSON."""

    def ask(*command: str) -> Any:
        done = run_archiver(*command, "-o", "json", env={"ARCHIVER_DATABASE_URL": sqlite_url})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def archived(url: str) -> list[str | None]:
    with Archive.open(url) as archive:
        return [event.uuid for event in archive.events(limit=0)]


def running(engine: Engine, number: int, image: str = "bb:1") -> Callable[[], bool]:
    command = ("ps", "-q", "--filter", "label=com.docker.stack.namespace=shop", "--filter", f"ancestor={image}")
    return lambda: len(engine.ids(*command)) == number


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=20)
    assert process.returncode == 0, log


@pytest.mark.timeout(240)
def test_nothing_is_missing_and_nothing_comes_twice(
    docker_engine: Engine, spawn_archiver: SpawnArchiver, sqlite_url: str, ask: Callable[..., Any]
) -> None:
    engine, witness = docker_engine, Witness(docker_engine)
    command, env = ("run", "--stream", engine.url), {"ARCHIVER_DATABASE_URL": sqlite_url}
    engine.make_image("bb:1")
    engine.make_image("bb:2")
    engine.use_swarm()
    archiver = spawn_archiver(*command, env=env)
    with witness.listening():
        engine.deploy("shop", {"web": WEB, "worker": WORKER})
        wait_for(running(engine, 3))
        engine.docker("service", "scale", "--detach", "shop_web=3")
        wait_for(running(engine, 4))
        engine.docker("kill", engine.ids("ps", "-q", "--filter", "name=shop_worker")[0])
        wait_for(running(engine, 4))
        engine.stop()
    engine.start()
    with witness.listening():
        wait_for(running(engine, 4))
        wait_for(lambda: set(list(witness.messages)[-5:]) <= set(archived(sqlite_url)))
        end(archiver)
        engine.docker("exec", engine.ids("ps", "-q", "--filter", "name=shop_web")[0], "/bin/busybox", "echo", "hi")
        archiver = spawn_archiver(*command, env=env)
        engine.docker("service", "update", "--detach", "--image", "bb:2", "shop_worker")
        wait_for(running(engine, 1, "bb:2"))
        engine.docker("stack", "rm", "shop")
        wait_for(lambda: not engine.ids("ps", "-aq"))
    wait_for(lambda: list(witness.messages)[-1] in archived(sqlite_url))
    end(archiver)

    uuids = archived(sqlite_url)
    assert len(uuids) == len(set(uuids))
    assert set(witness.messages) - set(uuids) == set()
    done = Counter(action["name"] for action in ask("actions", "stack/shop"))
    assert (done["scale"], done["healthcheck"]) == (1, 0)
    # One is ours. A probe that begins before its container has been asked about cannot be told from an exec.
    assert done["exec"] >= 1
    assert {"kill", "update"} <= set(done)
    assert "healthcheck" in {action["name"] for action in ask("actions", "stack/shop", "--all")}
    assert {child["name"] for child in ask("tree", "stack/shop", "--all")["children"]} == {"shop_web", "shop_worker"}
    service = ask("history", "shop_worker")
    states = [span["state"] for span in service["spans"]]
    assert [state for state in states if state != "completed"] == ["created", "updating", "removed"]
    # The archiver was away as well, but the engine remembered; since its end nobody has been watching.
    gaps = [(gap["reason"], gap["to"] is None) for gap in service["coverage"]["gaps"]]
    assert gaps == [("closed by the engine", False), ("stopped", True)]

"""Containers and a pod live and die on a real Podman, while its service and the archiver are stopped and started."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from archiver.api.archive import Archive
from archiver.model import ArchivedEvent

from ..conftest import SpawnArchiver
from ..podman import Podman, podman

__all__ = ["podman"]

SLEEP = ("/bin/busybox", "sleep", "600")
WEB = ("--network", "none", "--name", "web", "--health-cmd", '["/bin/busybox", "true"]', "--health-interval", "disable")


def wait_for(what: Callable[[], object], seconds: float = 45) -> None:
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, f"in vain: {what}"
        time.sleep(0.1)


def archived(url: str, type: str = "") -> list[ArchivedEvent]:
    with Archive.open(url) as archive:
        return list(archive.events(types=[type] if type else [], limit=0))


def has(url: str, action: str, state: str | None, name: str) -> Callable[[], bool]:
    return lambda: (action, state, name) in [(one.action, one.state, one.name) for one in archived(url)]


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=20)
    assert process.returncode == 0, log


@pytest.mark.timeout(180)
def test_what_podman_does_is_archived_once_whatever_stops_meanwhile(
    podman: Podman, spawn_archiver: SpawnArchiver, sqlite_url: str
) -> None:
    command, env = ("run", "--stream", podman.url), {"ARCHIVER_DATABASE_URL": sqlite_url}
    podman.make_image("bb:1")
    archiver = spawn_archiver(*command, env=env)
    podman.run("run", "-d", *WEB, "bb:1", *SLEEP)
    podman.run("healthcheck", "run", "web")
    podman.run("healthcheck", "run", "web")
    podman.run("exec", "web", "/bin/busybox", "true")
    podman.run("exec", "web", "/bin/busybox", "false", fails=True)
    wait_for(has(sqlite_url, "exec", "Failed", "exec"))
    podman.stop()
    podman.run("pause", "web")  # the command needs no service, and its log remembers
    podman.start()
    wait_for(has(sqlite_url, "pause", "paused", "web"))
    end(archiver)
    podman.run("unpause", "web")
    podman.run("pod", "create", "--infra=false", "--name", "shop")
    podman.run("run", "-d", "--pod", "shop", "--network", "none", "--name", "app", "bb:1", *SLEEP)
    podman.run("volume", "create", "data")
    archiver = spawn_archiver(*command, env=env)
    wait_for(has(sqlite_url, "create", "created", "data"))
    podman.run("pod", "rm", "--force", "--time=0", "shop")
    podman.run("rm", "--force", "--time=0", "web")
    wait_for(has(sqlite_url, "destroy", "removed", "web"))
    end(archiver)

    web = [event.state for event in archived(sqlite_url, "container") if event.name == "web" and event.state]
    web = [state for state in web if state != "running (health: starting)"]
    assert web == ["created", "running", "running (healthy)", "paused", "running", "exited (137)", "removed"]
    shop = [(event.action, event.state) for event in archived(sqlite_url, "pod")]
    assert shop[0] == ("create", "created")
    assert shop[-1] == ("remove", "removed")
    with Archive.open(sqlite_url) as archive:
        assert {event.name for event in archive.events(under="pod/shop", types=["container"])} == {"app"}
        assert [(gap.reason, gap.until) for gap in archive.coverage().gaps] == [("stopped", None)]
        assert archive.status().rejects == 0
    execs = [event for event in archived(sqlite_url, "action") if event.action == "exec"]
    ends = {event.resource_uri: event.state for event in execs if event.state != "In progress"}
    assert ends.keys() == {event.resource_uri for event in execs if event.state == "In progress"}
    assert list(ends.values()).count("Failed") == 1  # which Podman 4 tells twice
    assert not {event.action for event in archived(sqlite_url, "action")} & {"init", "cleanup", "refresh"}
    uuids = [event.uuid for event in archived(sqlite_url)]
    assert len(uuids) == len(set(uuids))


@pytest.mark.timeout(90)
def test_what_has_a_name_is_one_resource_over_restarts(
    podman: Podman, spawn_archiver: SpawnArchiver, sqlite_url: str
) -> None:
    podman.make_image("bb:1")
    for action in ("create", "rm"):
        archiver = spawn_archiver("run", "--stream", podman.url, env={"ARCHIVER_DATABASE_URL": sqlite_url})
        podman.run("volume", action, "data")
        podman.run("tag", "bb:1", f"bb:{action}")
        wait_for(lambda action=action: f"bb:{action}" in [one.name for one in archived(sqlite_url, "image")])
        end(archiver)

    assert [event.state for event in archived(sqlite_url, "volume")] == ["created", "removed"]
    assert len({event.resource_uri for event in archived(sqlite_url, "volume")}) == 1
    assert len({event.resource_uri for event in archived(sqlite_url, "image")}) == 1

"""What `docker compose up -d` does to a container whose image has changed, on a real engine: that is a deploy."""

from __future__ import annotations

import json
from pathlib import Path

from ..conftest import RunArchiver, SpawnArchiver
from ..engine import Engine, docker_engine
from .recording import rows, wait_for

__all__ = ["docker_engine"]


def made(engine: Engine, name: str, image: str, place: int, configuration: str, verb: str = "create") -> None:
    """As Compose has a container made."""
    told = {
        "project": "blog",
        "service": "app",
        "container-number": str(place),
        "config-hash": configuration,
        "image": f"sha256:{image}",
        "oneoff": "False",
    }
    labels = [f"--label=com.docker.compose.{key}={value}" for key, value in told.items()]
    detached = ["-d"] if verb == "run" else []
    how = [*detached, "--network=none", "--stop-signal=SIGKILL", f"--name={name}", *labels]
    engine.docker(verb, *how, image, "/bin/busybox", "sleep", "600")


def recreate(engine: Engine, name: str, image: str, place: int, configuration: str) -> None:
    """The new one is made under another name, the old one goes, the new one gets the name and is started."""
    made(engine, f"0123456789ab_{name}", image, place, configuration)
    engine.docker("stop", name)
    engine.docker("rm", name)
    engine.docker("rename", f"0123456789ab_{name}", name)
    engine.docker("start", name)


def test_what_compose_recreates_is_a_deploy(
    docker_engine: Engine, sqlite_url: str, run_archiver: RunArchiver, spawn_archiver: SpawnArchiver, tmp_path: Path
) -> None:
    env = {"ARCHIVER_DATABASE_URL": sqlite_url}
    for image in ("bb:1", "bb:2"):
        docker_engine.make_image(image)
    for place in (1, 2):
        made(docker_engine, f"blog-app-{place}", "bb:1", place, "f00", "run")
    process = spawn_archiver(
        *("run", "--stream", docker_engine.url, "--spool", str(tmp_path / "spool.db")),
        env=env,
    )
    wait_for(lambda: rows(sqlite_url, "SELECT uri FROM current_states WHERE name = 'blog-app-2'"))
    for place in (1, 2):
        recreate(docker_engine, f"blog-app-{place}", "bb:2", place, "bar")
    docker_engine.docker("restart", "blog-app-1")
    made(docker_engine, "blog-app-3", "bb:2", 3, "bar", "run")
    started = "SELECT uri FROM current_states WHERE name = 'blog-app-3' AND state = 'running'"
    wait_for(lambda: rows(sqlite_url, started))
    process.terminate()
    assert process.wait(20) == 0

    (found,) = json.loads(run_archiver("report", "deploys", "-o", "json", env=env).stdout)["rows"]
    assert (found["name"], found["why"], found["containers"], found["result"]) == (
        *("blog-app", "image and configuration"),
        *(2, "ok"),
    )
    assert (found["image_before"], found["image_after"], found["not_up"]) == ("bb:1", "bb:2", [])

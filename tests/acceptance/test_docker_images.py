"""Images of a real engine: one that is pulled and removed again before any list could tell of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from ..conftest import RunArchiver, SpawnArchiver
from ..engine import Engine, docker_engine
from ..registry import registry
from .recording import rows, wait_for

__all__ = ["docker_engine"]


def heard(url: str, *actions: str) -> Callable[[], bool]:
    """Whether these are among the last that was archived of images."""
    told = "SELECT action FROM event_log WHERE type = 'image'"
    return lambda: set(actions) <= {action for (action,) in rows(url, told)}


def test_a_tag_that_was_pulled_is_the_image_that_was_removed(
    docker_engine: Engine, sqlite_url: str, run_archiver: RunArchiver, spawn_archiver: SpawnArchiver, tmp_path: Path
) -> None:
    env = {"ARCHIVER_DATABASE_URL": sqlite_url}
    options = ("--stream", docker_engine.url, "--spool", str(tmp_path / "spool.db"))
    with registry("shop/web", "3") as image:
        process = spawn_archiver("run", *options, env=env)
        wait_for(lambda: rows(sqlite_url, "SELECT uri FROM current_states WHERE type = 'network'"))
        docker_engine.docker("pull", image)
        wait_for(lambda: rows(sqlite_url, "SELECT uri FROM current_states WHERE type = 'image' AND state = 'created'"))
        docker_engine.docker("rmi", image)
        wait_for(heard(sqlite_url, "pull", "delete"))
        process.terminate()
        assert process.wait(10) == 0

    history = json.loads(run_archiver("history", image, "-o", "json", env=env).stdout)
    assert [span["state"] for span in history["spans"]] == ["created", "removed"]
    assert history["resource"]["name"] == image
    created = rows(sqlite_url, "SELECT uri FROM current_states WHERE type = 'image' AND state = 'created'")
    assert created == [], "no tag is there for ever"

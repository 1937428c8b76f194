"""From where on an engine is asked again, whatever the last message was known by."""

from __future__ import annotations

import pytest

from archiver.platforms.docker import podman
from archiver.platforms.docker.endpoint import resolve
from archiver.platforms.docker.http import Api, Limits, Way
from archiver.platforms.docker.inbox import Inbox
from archiver.platforms.docker.memory import Memory
from archiver.platforms.docker.pace import DockerPace

ODD = ["9" * 5000 + ":identity", "9" * 20 + ":x", "None:identity", "-5:x", "1.5:x", "", ":", "[]:x"]


@pytest.mark.parametrize("resume", ODD)
def test_podman_is_asked_for_all_after_a_message_without_a_time(resume: str) -> None:
    assert podman.since(resume) is None


@pytest.mark.parametrize("resume", [*ODD, "1795426054000000000:identity", None])
def test_the_memory_can_be_asked_after_any_message(resume: str | None) -> None:
    pace, limits = DockerPace(), Limits()
    api = Api(resolve("unix:///nowhere/docker.sock", {}), Way(), 1.0, limits)

    Memory(api, Inbox(1), pace, limits, lambda: 0).want(resume)

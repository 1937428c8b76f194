"""What a message changes an object to, given what it was before."""

from __future__ import annotations

import pytest

from archiver.platforms.docker.states import after


@pytest.mark.parametrize(
    ("known", "verb", "told", "expected"),
    [
        (None, "die", "exited (1)", "exited (1)"),
        ("created", "start", "running", "running"),
        ("created", "health_status", "running (healthy)", "running (healthy)"),  # its start was lost
        ("running", "oom", None, None),
        ("running", "die", "exited (137)", "exited (137)"),
        ("running (healthy)", "unpause", "running", None),
        ("paused", "unpause", "running", "running"),
        ("paused", "health_status", "running (unhealthy)", None),
        ("exited (143)", "health_status", "running (unhealthy)", None),
        ("exited (143)", "unpause", "running", None),
        ("exited (143)", "start", "running", "running"),
        ("exited (1)", "die", "exited (2)", "exited (2)"),
        ("restarting (1)", "health_status", "running (healthy)", None),
        ("running", "create", "created", None),
        ("exited (0)", "destroy", "removed", "removed"),
        ("removed", "die", "exited (0)", None),
        ("removed", "create", "created", None),
        ("removed", "start", "running", "running"),
        ("removed", "destroy", "removed", "removed"),
    ],
)
def test_a_container_is_what_its_last_possible_word_says(
    known: str | None, verb: str, told: str | None, expected: str | None
) -> None:
    assert after("container", known, verb, told) == expected


@pytest.mark.parametrize(
    ("kind", "known", "verb", "told", "expected"),
    [
        ("service", "completed", "create", "created", None),
        ("service", "removed", "update", "updating", None),
        ("node", "removed", "update", "ready", None),
        ("node", "ready", "update", "down", "down"),
        ("plugin", "enabled", "disable", "disabled", "disabled"),
        ("plugin", "removed", "disable", "disabled", None),
        ("volume", "removed", "create", "created", "created"),
        ("image", "removed", "pull", "created", "created"),
        ("network", "removed", "create", "created", "created"),
        ("action", "Pending", "exec_start", "In progress", "In progress"),
        ("action", "In progress", "exec_create", "Pending", None),
        ("action", "Failed", "exec_start", "In progress", None),
        ("action", "Failed", "exec_die", "Success", None),
    ],
)
def test_the_same_holds_for_every_other_type(kind: str, known: str, verb: str, told: str, expected: str | None) -> None:
    assert after(kind, known, verb, told) == expected

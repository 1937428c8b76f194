"""Why something stopped, by the rules alone."""

from __future__ import annotations

import pytest

from archiver.queries.causes import Deed, Stop, exit_code, is_stop, why
from archiver.storage.schema import OPEN

SECOND = 1_000_000


def stop(code: int | None = 1, **more: object) -> Stop:
    ended = Stop(100 * SECOND, code, False, 0, OPEN, False, False)
    return ended._replace(**more)  # type: ignore[arg-type]


def deed(name: str | None, second: float, signal: str = "") -> Deed:
    """What an engine tells when it is done."""
    when = int(second * SECOND)
    return Deed(int(second * 100), when, when, f"/docker/v1/action/{second}/", name, signal=signal)


def run(name: str | None, since: float, until: float | None, *, failed: bool = False) -> Deed:
    """What takes its time."""
    end = OPEN if until is None else int(until * SECOND)
    return Deed(int(since), int(since * SECOND), end, f"/api/v1/action/{since}/", name, failed)


def said(ended: Stop, *deeds: Deed) -> tuple[str, list[str | None]]:
    found = why(ended, deeds)
    return found.kind, [each.name for each in found.deeds]


@pytest.mark.parametrize(
    ("ended", "deeds", "kind", "names"),
    [
        (stop(1), [], "crash", []),
        (stop(0), [], "crash", []),
        (stop(0), [deed("kill", 99.9, "15"), deed("stop", 100.1)], "told", ["stop"]),
        (stop(137), [deed("kill", 90, "15"), deed("kill", 99.9, "9"), deed("stop", 100.1)], "forced", ["stop"]),
        (stop(137), [deed("kill", 99.9, "9")], "told", ["kill"]),
        (stop(137), [deed("kill", 95, "15"), deed("kill", 99.9, "9")], "forced", ["kill"]),
        (stop(143), [deed("kill", 99, "15"), deed("stop", 100.1), deed("restart", 100.5)], "told", ["restart"]),
        # Podman tells of a stop before the end, and of a restart without a stop.
        (stop(137), [deed("stop", 99)], "forced", ["stop"]),
        (stop(0), [deed("restart", 100.5)], "told", ["restart"]),
        # Somebody starts anew what has ended by itself, or by a kill.
        (stop(1), [deed("restart", 105)], "crash", []),
        (stop(137), [deed("kill", 99.9), deed("restart", 100.7)], "told", ["kill"]),
        # A signal that ends nothing, unless the exit code says that it did.
        (stop(3), [deed("kill", 99, "1")], "crash", []),
        (stop(129), [deed("kill", 99, "1")], "told", ["kill"]),
        (stop(143), [deed("kill", 98, "15"), deed("kill", 99, "15")], "told", ["kill", "kill"]),
        (stop(1), [deed("kill", 50, "15")], "crash", []),
        (stop(1), [deed("exec", 99.9), deed("update", 99), deed("pause", 99)], "crash", []),
    ],
)
def test_engine_says_what_it_was_told(ended: Stop, deeds: list[Deed], kind: str, names: list[str]) -> None:
    assert said(ended, *deeds) == (kind, names)


def test_what_belongs_to_another_end_explains_nothing() -> None:
    crashed = stop(1, ran_since=96 * SECOND, next=103 * SECOND)

    assert said(crashed, deed("kill", 94.9, "9"), deed("stop", 95.1), deed("restart", 95.5)) == ("crash", [])
    assert said(crashed, deed("kill", 102.9, "15"), deed("stop", 103.1)) == ("crash", [])


def test_memory_that_was_short_is_the_cause_unless_somebody_else_was_obeyed() -> None:
    assert said(stop(137, out_of_memory=True)) == ("oom", [])
    assert said(stop(137, out_of_memory=True), deed("stop", 100.1)) == ("oom", [])
    assert said(stop(1, out_of_memory=True)) == ("oom", [])
    assert said(stop(143, out_of_memory=True), deed("kill", 99, "15"), deed("stop", 100.1)) == ("told", ["stop"])


def test_nobody_knows_what_nobody_watched_but_what_is_proven() -> None:
    assert said(stop(1, unwatched=True)) == ("unknown", [])
    assert said(stop(143, unwatched=True), deed("stop", 100.1)) == ("told", ["stop"])


@pytest.mark.parametrize(
    ("deeds", "kind", "names"),
    [
        ([run("Service Redeploy", 90, 110)], "told", ["Service Redeploy"]),
        ([run(None, 90, 110)], "told", [None]),
        ([run("Container Stop", 99, 101), run("Stack Stop", 90, None)], "told", ["Container Stop", "Stack Stop"]),
        # What was over before the end did not do it where another was under way; else dates may be off by so much.
        ([run("Service Scale", 90, 98), run("Service Stop", 99, 101)], "told", ["Service Stop"]),
        ([run("Service Scale", 90, 98), run("Stack Stop", 99, None)], "told", ["Stack Stop"]),
        ([run("Service Scale", 90, 100), run("Service Stop", 99, 101)], "told", ["Service Scale", "Service Stop"]),
        ([run("Service Scale", 90, 98), run("Service Stop", 98, 99)], "told", ["Service Scale", "Service Stop"]),
        ([run("Service Scale", 90, 99), run("Service Stop", 101, 105)], "told", ["Service Scale", "Service Stop"]),
        ([run("Service Start", 90, 110)], "crash", []),
        ([run("Stack Deploy", 90, 110)], "crash", []),
        ([run("Service Stop", 80, 90)], "crash", []),
        ([run("Service Stop", 90, 110, failed=True)], "crash", []),
        ([run("Service Stop", -7200, None)], "crash", []),
        ([run("Service Stop", 110, 120)], "crash", []),
    ],
)
def test_an_action_that_ran_over_the_end_told_it(deeds: list[Deed], kind: str, names: list[str]) -> None:
    assert said(stop(None), *deeds) == (kind, names)


def test_what_was_stopping_had_been_told() -> None:
    assert said(stop(None, announced=True)) == ("told", [])
    assert said(stop(None, announced=True, unwatched=True)) == ("told", [])
    assert said(stop(137, announced=True), run("Service Stop", 90, 110)) == ("forced", ["Service Stop"])


@pytest.mark.parametrize(
    ("before", "state", "ended"),
    [
        ("running (healthy)", "exited (3)", True),
        ("Stopping", "Stopped", True),
        ("running", "removed", True),
        ("created", "exited (127)", True),
        ("created", "removed", False),
        ("exited (3)", "removed", False),
        ("Stopped", "Terminated", False),
        ("running", "paused", False),
        (None, "exited (3)", False),
    ],
)
def test_an_end_is_where_something_ran_and_does_no_more(before: str | None, state: str, ended: bool) -> None:
    assert is_stop(before, state) == ended


@pytest.mark.parametrize(("state", "code"), [("exited (137)", 137), ("exited", None), ("running (8)", None)])
def test_exit_code_is_read_from_the_state(state: str, code: int | None) -> None:
    assert exit_code(state) == code

"""Histories that once showed a difference, each as small as it could be made."""

from __future__ import annotations

from archiver.model import Closed, Event, Observation, Opened

from .histories import Batch, History, at


def event(ref: str, second: float, *parents: str, state: str | None = None, name: str | None = None) -> Event:
    """An event as Tutum tells it."""
    kind, (uri, *above) = ref.partition("/")[0], (f"/api/v1/{each}/" for each in (ref, *parents))
    when = at(second)
    return Event(kind, "update", state, uri, tuple(above), when, "datetime", when, None, None, None, name)


def seen(ref: str, second: float, state: str) -> Observation:
    """What was found by asking."""
    return Observation(f"/api/v1/{ref}/", state, None, (), at(second), None)


_STREAM = "ws://one.example/v1/events"

FOUND: dict[str, History] = {
    "a state of less than a second, told at a whole one with which a gap begins": (
        Batch(
            "receiver",
            (
                Opened(_STREAM, "session 0", "tutum", at(0), at(0)),
                event("container/1", 4, state="Stopped")._replace(session="session 0"),
                Closed(_STREAM, "session 0", at(4), "it was lost", "lost"),
                event("container/1", 4.276378, state="Terminated")._replace(session="session 0"),
            ),
        ),
    ),
    "an end before what others said of a later instant, and not of an earlier one": (
        Batch(None, (event("container/1", 42, "node/1", "nodecluster/2"),)),
        Batch(None, (event("container/1", 15, "node/1", "nodecluster/1"),)),
        Batch(None, (seen("node/1", 24, "Terminated"),)),
    ),
    "an end that brings the first name, and a return at the same instant": (
        Batch(
            None,
            (
                event("node/1", 21, state="Terminated", name="db"),
                event("action/1", 17, "container/2", "node/1"),
                seen("node/1", 21, "Deployed"),
            ),
        ),
    ),
    "two states at one instant, of which the later is the present one": (
        Batch(None, (event("container/1", 1, state="Stopped"), event("container/1", 1, state="running"))),
    ),
    "two equal lists at the first instant": (
        Batch(None, (event("container/1", 1, "service/1"), event("container/1", 1, "service/1"))),
    ),
    "two places proved at the first instant": (
        Batch(
            None,
            (
                event("container/1", 1, "node/1", "nodecluster/1"),
                event("container/2", 1, "node/1", "nodecluster/2"),
                event("action/1", 0, "node/1"),
            ),
        ),
    ),
    "two late words that prove one thing, before what was said again of another": (
        Batch(
            None,
            (event("container/1", 1, "node/1", "nodecluster/1"), event("container/1", 9, "node/1", "nodecluster/1")),
        ),
        Batch(
            None,
            (event("container/2", 3, "node/1", "nodecluster/2"), event("container/3", 5, "node/1", "nodecluster/2")),
        ),
    ),
    "a place proved, another and the first again in one batch": (
        Batch(None, (event("container/1", 0, "service/1", "stack/1"),)),
        Batch(
            None,
            (
                event("container/1", 1, "service/1", "stack/2"),
                event("container/1", 8, "service/1", "stack/1"),
            ),
        ),
    ),
    "an action whose target is under nothing": (Batch(None, (event("action/1", 1, "nodecluster/1"),)),),
    "late words within the life of what is gone, and its return while its place outlived it": (
        Batch(
            None,
            (
                event("node/1", 16, "nodecluster/2", state="Running"),
                event("node/1", 35, "nodecluster/2"),
                event("node/1", 38, state="Terminated"),
            ),
        ),
        Batch(
            None,
            (
                event("node/1", 26, "nodecluster/1"),
                event("node/1", 41, "nodecluster/1", state="Running"),
            ),
        ),
    ),
    "late words within the life of what came back, and was gone again at that instant": (
        Batch(
            None,
            (
                event("node/1", 16, "nodecluster/2", state="Running"),
                event("node/1", 35, "nodecluster/2"),
                event("node/1", 38, state="Terminated"),
                event("node/1", 41, state="Running"),
            ),
        ),
        Batch(
            None,
            (
                event("node/1", 26, "nodecluster/1"),
                event("node/1", 41, state="Terminated"),
            ),
        ),
    ),
}

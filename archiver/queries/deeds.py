"""What was done to objects of an engine that it tells of the object alone: run, start, pause, rm; never an action."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from archiver.model import Action, ArchivedEvent, Resource, TimeRange
from archiver.platforms.facts import OF_ENGINES, TASK, received_message, text
from archiver.queries.doers import SWARM
from archiver.queries.events import Filter, last_events
from archiver.queries.notes import as_actions, notes
from archiver.queries.under import descend
from archiver.queries.windows import Window
from archiver.storage.pages import Ask

_DONE = {
    ("container", "create"): "create",
    ("container", "start"): "start",
    ("container", "pause"): "pause",
    ("container", "unpause"): "unpause",
    ("container", "destroy"): "rm",
    ("pod", "create"): "create",
    ("pod", "start"): "start",
    ("pod", "remove"): "rm",
    ("service", "create"): "create",
    ("service", "remove"): "rm",
}
_RUN = timedelta(seconds=5)
"""What is created and started within so long was run."""
_HELD = 1_000


def with_deeds(
    ask: Ask, roots: Sequence[Resource] | None, range: TimeRange, actions: Iterable[Action], stream: int | None = None
) -> Iterator[Action]:
    """Actions, and between them in their order what was done without one, or was noted: that no stream tells.

    Of some resources and what was under them; None: of all.
    """
    types, verbs = ({key[part] for key in _DONE} for part in (0, 1))
    own = None if roots is None else [root.id for root in roots]
    wanted = Filter(tuple(types), (), tuple(verbs), own, range, True, stream)
    found = _run(_deed(event) for event in last_events(ask, wanted, 0) if _is_deed(event))
    if stream is not None:
        return heapq.merge(actions, found, key=lambda action: action.started_at)
    about = None if own is None else {*own, *ask(descend, own, Window.of(range))}
    # What is noted of everything was done to none of some resources: who asks what changed is told of it.
    noted = as_actions(note for note in notes(ask, range, about) if note.about is not None or not roots)
    return heapq.merge(actions, found, noted, key=lambda action: action.started_at)


def _is_deed(event: ArchivedEvent) -> bool:
    return (event.type, event.action) in _DONE and (event.resource_uri or "").startswith(OF_ENGINES)


def _deed(event: ArchivedEvent) -> Action:
    name = _DONE[event.type, event.action or ""]
    message = received_message(event.resource_uri, event.extra)
    by = SWARM if name == "create" and text(message, "Actor", "Attributes", TASK) else None
    at = event.occurred_at
    return Action(None, event.resource_uri, "Success", at, at, 1, name, event.name, by)


def _run(deeds: Iterable[Action]) -> Iterator[Action]:
    """What is created and soon started is one deed: it was run."""
    waiting: deque[Action] = deque()
    for deed in deeds:
        while waiting and (deed.started_at - waiting[0].started_at > _RUN or len(waiting) > _HELD):
            yield waiting.popleft()
        place = next((n for n, each in enumerate(waiting) if _are_run(each, deed)), None)
        if place is None:
            waiting.append(deed)
        else:
            waiting[place] = waiting[place]._replace(name="run", finished_at=deed.started_at, events=2)
    yield from waiting


def _are_run(one: Action, other: Action) -> bool:
    return one.target == other.target and one.name == "create" and other.name == "start"

"""What happened to something, and to all that was under it, in a stretch of time."""

from __future__ import annotations

from archiver.model.incident import Incident
from archiver.queries.asked import Asked
from archiver.queries.available import availability
from archiver.queries.changed import changes_of
from archiver.queries.neighbours import members
from archiver.queries.notes import nearby
from archiver.queries.restarted import restarts
from archiver.storage.pages import Ask


def incident(ask: Ask, asked: Asked) -> Incident:
    """All that changed below a resource (None: everywhere) within a range, what stopped and why."""
    stopped = restarts(ask, asked)
    places = ask(members, asked.resource, asked.range)
    changes = changes_of(ask, places, asked.range, asked.end, asked.now).found
    changes += nearby(ask, places, asked.range, asked.end)
    changes.sort(key=lambda each: (each.at, each.distance, each.uri))
    up = availability(ask, asked)
    return Incident(asked.resource, asked.range, stopped.coverage, tuple(changes), stopped, up)

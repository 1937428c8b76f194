"""What happened to something, and to all that was under it, in a stretch of time."""

from __future__ import annotations

from archiver.model.incident import Incident
from archiver.queries.asked import Asked
from archiver.queries.available import availability
from archiver.queries.changed import changes_below
from archiver.queries.containers import kinds, lived
from archiver.queries.restarted import restarts
from archiver.storage.pages import Ask


def incident(ask: Ask, asked: Asked) -> Incident:
    """All that changed below a resource (None: everywhere) within a range, what stopped and why."""
    found = list(lived(ask, asked.resource, asked.range, asked.now, ask(kinds)))
    stopped = restarts(ask, asked, found)
    changes = changes_below(ask, asked.resource, asked.range, asked.end, asked.now)
    changes.sort(key=lambda each: (each.at, each.distance, each.uri))
    up = availability(ask, asked, found)
    return Incident(asked.resource, asked.range, stopped.coverage, tuple(changes), stopped, up)

"""What happened to something, and to all that was under it, in a stretch of time."""

from __future__ import annotations

from archiver.model import Resource, TimeRange
from archiver.model.incident import Incident
from archiver.model.nearby import Where
from archiver.queries.before import changes_of
from archiver.queries.neighbours import Place
from archiver.queries.reports import Asked, availability, restarts
from archiver.queries.under import descend
from archiver.queries.windows import Window
from archiver.storage.pages import Ask
from archiver.storage.reading import Connection
from archiver.storage.statements import statement

_HEARD_OF = (
    "SELECT DISTINCT e.resource_id FROM events e JOIN resources r ON r.id = e.resource_id"
    " JOIN event_types t ON t.id = r.type_id"
    " WHERE e.occurred_at >= :since AND e.occurred_at < :until AND t.text <> 'action'"
)


def incident(ask: Ask, asked: Asked) -> Incident:
    """All that changed below a resource (None: everywhere) within a range, what stopped and why."""
    stopped = restarts(ask, asked)
    places = ask(_members, asked.resource, asked.range)
    changes = changes_of(ask, places, asked.range, asked.end, stopped.coverage, asked.now)
    changes.sort(key=lambda each: (each.at, each.distance, each.uri))
    up = availability(ask, asked)
    return Incident(asked.resource, asked.range, stopped.coverage, tuple(changes), stopped, up)


def _members(connection: Connection, root: Resource | None, range: TimeRange) -> dict[int, Place]:
    below: Where = "below"
    if root is not None:
        found = descend(connection, [root.id], Window.of(range))
        return {number: Place("self", 0) if number == root.id else Place(below, 1) for number in found}
    values = {"since": range.since, "until": range.until}
    return {row.resource_id: Place(below, 1) for row in connection.execute(statement(_HEARD_OF), values)}

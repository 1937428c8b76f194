"""What changed before something happened: to it, and above, below and beside it in the tree."""

from __future__ import annotations

from datetime import datetime, timedelta

from archiver.errors import UsageError
from archiver.model import MICROSECOND, Coverage, Resource, TimeRange, rfc3339
from archiver.model.nearby import Before
from archiver.queries.changed import changes_of
from archiver.queries.coverage import coverage, emptiness
from archiver.queries.neighbours import neighbours
from archiver.queries.story import last_stop
from archiver.queries.windows import Window
from archiver.storage.pages import Ask
from archiver.storage.reading import Connection
from archiver.storage.statements import statement

LOOK_BACK = timedelta(minutes=10)
"""So far back it is looked, where nothing else is asked for."""
_SPEAK = (
    "SELECT DISTINCT s.stream_id FROM sessions s WHERE s.id IN (SELECT w.session_id FROM"
    " (SELECT e.session_id FROM events e WHERE e.resource_id = :number AND e.occurred_at <= :until"
    " ORDER BY e.occurred_at DESC LIMIT 100) w)"
)


def before(ask: Ask, resource: Resource, at: datetime | None, since: datetime | None, now: datetime) -> Before:
    """What changed up to an instant (None: the resource's last end, or else now), the nearest first.

    It is looked back to `since`, or ten minutes.
    """
    if at is None:
        stop = last_stop(ask, resource, now, now)
        at = now if stop is None else stop.since
    if since is not None and since >= at:
        raise UsageError(
            reason=f"--since ({rfc3339(since)}) is not before {rfc3339(at)}",
            hint="give an earlier --since, or say --at",
        )
    back = TimeRange(at - LOOK_BACK if since is None else since, at + MICROSECOND)
    places = ask(neighbours, resource.id, Window.of(back))
    watched = ask(_coverage, resource, TimeRange(back.since, at), now)
    found = changes_of(ask, places, back, at, now)
    found.sort(key=lambda each: (each.seconds_before, each.distance, each.uri))
    empty = None if found else ask(emptiness, TimeRange(back.since, at), watched)
    return Before(resource, at, TimeRange(back.since, at), watched, tuple(found), empty)


def _coverage(connection: Connection, resource: Resource, range: TimeRange, now: datetime) -> Coverage:
    """The coverage of the streams that told of it last; of all, where none is known to."""
    values = {"number": resource.id, "until": range.until}
    streams = [row.stream_id for row in connection.execute(statement(_SPEAK), values)]
    return coverage(connection, range, now, sorted(streams) or None)

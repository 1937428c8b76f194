"""What changed before something happened: to it, and above, below and beside it in the tree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from archiver.errors import UsageError
from archiver.model import MICROSECOND, Number, Resource, TimeRange, rfc3339, to_datetime
from archiver.model.nearby import AtIs, Before, Nearby
from archiver.queries.changed import Stopped, changes_of
from archiver.queries.coverage import coverage, emptiness, speaking
from archiver.queries.neighbours import neighbours
from archiver.queries.notes import nearby
from archiver.queries.story import last_end, since_it_ran
from archiver.queries.windows import Window
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import statement
from archiver.storage.pages import Ask
from archiver.storage.words import IMAGE, NAME, PARENT, TAGS

LOOK_BACK = timedelta(minutes=10)
"""So far back it is looked, where nothing else is asked for."""
_STATES = frozenset({"appeared", "state", "vanished"})
_STATE_SINCE = "SELECT p.state_since FROM present p WHERE p.platform_id = :platform AND p.resource_id = :number"
_FACT_SINCE = (
    "SELECT max(f.since) FROM facts f"
    f" WHERE f.platform_id = :platform AND f.resource_id = :number AND f.what IN ({PARENT}, {NAME}, {IMAGE}, {TAGS})"
)


def before(
    ask: Ask,
    resource: Resource,
    at: datetime | None,
    since: datetime | None,
    now: datetime,
    most: int | None = None,
) -> Before:
    """What changed up to an instant (None: the resource's last end, else its last change, or else now).

    The nearest in time first; no more than `most`, of which those that are nearest in the tree are taken. It is looked
    back to `since`, or ten minutes.
    """
    at_is: AtIs = "asked"
    stopped: Stopped | None = None
    if at is None:
        found = since_it_ran(ask, resource, now, now, back=LOOK_BACK + MICROSECOND)
        if found is not None and (stop := last_end(found, now)) is not None:
            at, at_is, stopped = stop.since, "stop", Stopped(resource.id, found.spans)
        else:
            at, at_is = _last(ask, resource, now)
    if since is not None and since >= at:
        raise UsageError(
            reason=f"--since ({rfc3339(since)}) is not before {rfc3339(at)}",
            hint="give an earlier --since, or say --at",
        )
    back = TimeRange(at - LOOK_BACK if since is None else since, at + MICROSECOND)
    places = ask(neighbours, resource.id, Window.of(back))
    streams = ask(speaking, [resource], back)
    watched = ask(coverage, TimeRange(back.since, at), now, streams)
    some, left_out = changes_of(ask, places, back, at, now, most, stopped=stopped)
    changes = [*_latest_first(some), *nearby(ask, places, back, at)]
    changes.sort(key=lambda each: (each.seconds_before, each.distance, each.uri))
    empty = None if changes else ask(emptiness, TimeRange(back.since, at), watched)
    return Before(resource, at, TimeRange(back.since, at), watched, tuple(changes), empty, left_out, at_is)


def _latest_first(found: Sequence[Nearby]) -> list[Nearby]:
    """The states first, the last one in front: of one instant it is the nearest."""
    states = [each for each in found if each.change in _STATES]
    return [*reversed(states), *(each for each in found if each.change not in _STATES)]


def _last(ask: Ask, resource: Resource, now: datetime) -> tuple[datetime, AtIs]:
    """When the resource changed last; what came later of what is not known yet is now."""
    changed = ask(_last_change, resource.id)
    return (now, "now") if changed is None else (changed, "change")


def _last_change(connection: Connection, number: Number) -> datetime | None:
    """Since when a resource is in its state, or of its image, or where it is, whatever is the latest."""
    values = {"platform": number.platform, "number": number}
    found = [connection.scalar(statement(query), values) for query in (_STATE_SINCE, _FACT_SINCE)]
    last = max((micros for micros in found if micros is not None), default=None)
    return None if last is None else to_datetime(last)

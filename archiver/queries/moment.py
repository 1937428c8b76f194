"""The tree as it stood at an instant."""

from __future__ import annotations

from datetime import datetime

from archiver.errors import NotThen
from archiver.model import Micros, Resource, TimeRange, TreeNode, rfc3339, to_datetime, to_micros
from archiver.queries.coverage import coverage_at, emptiness
from archiver.queries.platforms import several
from archiver.queries.snapshot import PLATFORM, Snapshot, of_platform, of_platform_now, of_resource
from archiver.queries.standing import Stood, stood, who_told
from archiver.queries.tree import planted
from archiver.queries.unchanged import judged_alone
from archiver.storage.database.reading import Connection

_PLATFORM = Stood(PLATFORM, "", "platform", None, None, None, None)


def at(connection: Connection, resource: Resource | None, moment: datetime, now: datetime) -> TreeNode:
    """A resource with what lived under it, or (None) the whole platform, with states, names and images as they stood.

    Raises NotThen when the resource did not live.
    """
    instant = to_micros(moment)
    if resource is None:
        found = of_platform(connection, instant, now)
        root = _rooted(connection, found)
    else:
        found = of_resource(connection, resource.id, instant, now)
        if not found.stood:
            raise not_then(connection, resource, instant, now)
        root = planted(resource.id, found.parents, found.stood, several(connection))
    streams = who_told(connection, found.stood.values())
    watched = coverage_at(connection, moment, now, streams)
    if resource is not None:
        watched = judged_alone(connection, watched, [resource.id])
    empty = None
    if resource is None and not root.children:
        empty = emptiness(connection, TimeRange(moment, moment), watched, streams)
    return root._replace(at=moment, coverage=watched, empty=empty)


def everything(connection: Connection, now: datetime) -> TreeNode:
    """The whole platform with what lives now, judged up to the last sign of life, as the tree of one resource is."""
    found = of_platform_now(connection, now)
    streams = who_told(connection, found.stood.values())
    watched = coverage_at(connection, now, now, streams)
    root = _rooted(connection, found)
    empty = None if root.children else emptiness(connection, TimeRange(now, now), watched, streams)
    return root._replace(at=watched.seen_to, coverage=watched._replace(since=None), empty=empty)


def _rooted(connection: Connection, found: Snapshot) -> TreeNode:
    stood = {PLATFORM: _PLATFORM, **found.stood}
    return planted(PLATFORM, found.parents, stood, several(connection))._replace(uri=None)


def not_then(connection: Connection, resource: Resource, at: Micros, now: datetime) -> NotThen:
    """The error for a resource that did not live at an instant, with what is known of its life."""
    found = stood(connection, [resource.id], at, now).get(resource.id)
    if found is None or found.gone_at is None:
        first = connection.scalar(_FIRST, {"platform": resource.id.platform, "number": resource.id})
        life = "it was never heard of" if first is None else f"it was first heard of at {rfc3339(to_datetime(first))}"
    else:
        life = f"it had been {found.state} since {rfc3339(to_datetime(found.gone_at))}"
    return NotThen(what=resource.title, at=rfc3339(to_datetime(at)), life=life)


_FIRST = "SELECT p.first_at FROM present p WHERE p.platform_id = :platform AND p.resource_id = :number"

"""Says of what ended between two instants why it did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from archiver.model import MICROSECOND, Change, Number, Resource, TimeRange
from archiver.queries.causes import is_stop
from archiver.queries.timelines import courses
from archiver.storage.database.reading import Connection
from archiver.storage.pages import AtOnce

_MOST = 200
"""Of so many the causes are looked up."""


class Changed(NamedTuple):
    """What became otherwise, and of which resource."""

    number: Number
    change: Change


def with_causes(connection: Connection, changed: Sequence[Changed], range: TimeRange, now: datetime) -> list[Change]:
    """The changes, the ends of containers with the cause of the last of them within the range, which has both ends."""
    assert range.until is not None
    ends = [each for each in changed if _is_end(each.change)][:_MOST]
    resources = [Resource(number, change.uri, change.type, "", change.name) for number, change in ends]
    until = range.until + MICROSECOND  # what is told of at that very instant is so then
    found = courses(AtOnce(connection), resources, range._replace(until=until), now) if resources else []
    causes = {
        number: next((span.cause for span in reversed(course.spans) if span.cause is not None), None)
        for (number, _), course in zip(ends, found, strict=True)
    }
    return [change._replace(cause=causes.get(number)) if _is_end(change) else change for number, change in changed]


def _is_end(change: Change) -> bool:
    if change.type != "container" or change.change not in ("state", "vanished"):
        return False
    before, after = change.before, change.after
    return isinstance(before, str) and isinstance(after, str) and is_stop(before, after)

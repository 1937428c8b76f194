"""Counts per stack and service what a monitor is told of the objects of an archive."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import statement

_MOST = 2_000
"""Stacks, services and causes that are told apart; a monitor keeps every one for months."""
_STOPS = (
    "SELECT coalesce(r.stack, '') AS stack, coalesce(r.service, '') AS service, coalesce(r.cause, 'unknown') AS cause,"
    " count(*) AS stops, sum(CASE WHEN r.started_at IS NULL THEN 0 ELSE 1 END) AS restarts"
    " FROM restarts r WHERE r.stopped_at >= :since AND r.stopped_at < :until"
    f" GROUP BY r.stack, r.service, r.cause ORDER BY stack, service, cause LIMIT {_MOST}"
)


class Stops(NamedTuple):
    """What stopped in a stack and service for one cause, and how much of it came back."""

    stack: str
    service: str
    cause: str
    stops: int
    restarts: int


def stops(connection: Connection, since: datetime, until: datetime) -> list[Stops]:
    """The stops of containers within a range; names are empty where there is none."""
    rows = connection.execute(statement(_STOPS), {"since": since, "until": until})
    return [Stops(row.stack, row.service, row.cause, int(row.stops), int(row.restarts or 0)) for row in rows]

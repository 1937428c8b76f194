"""Reports that are rows of a published view: deploys and flaps, so that plain SQL says the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from archiver.model import EPOCH, Resource, TimeRange
from archiver.model.reports import Deploy, Flap, Subject
from archiver.queries.doers import doers
from archiver.queries.under import descend
from archiver.queries.windows import Window
from archiver.storage.reading import Connection, instant, instant_or_none
from archiver.storage.statements import chunks, statement

_DEPLOYS = "SELECT v.* FROM deploys v WHERE v.started_at >= :since AND v.started_at < :until {}"
_FLAPS = "SELECT v.* FROM flaps v WHERE v.until >= :since AND v.since < :until {}"
_OF_THESE = "AND v.uri IN :uris"
_URIS = "SELECT r.uri FROM resources r JOIN event_types t ON t.id = r.type_id WHERE r.id IN :numbers AND t.text {}"
_NUMBERS = "SELECT r.id, r.uri FROM resources r WHERE r.uri IN :uris"


def deploys(connection: Connection, root: Resource | None, range: TimeRange, end: datetime) -> list[Deploy]:
    """The deploys that began below a resource (None: anywhere) within a range, by time."""
    rows = list(_rows(connection, _DEPLOYS, root, range, end, "IN ('service', 'stack')"))
    by = _by(connection, [row.action for row in rows if row.action])
    found = [
        Deploy(
            Subject(row.uri, row.type, row.name),
            row.action,
            instant(row.started_at),
            instant_or_none(row.finished_at),
            row.seconds,
            row.result,
            row.image_before,
            row.image_after,
            row.recovered_seconds,
            by.get(row.action),
            _certain(row.certain),
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: (row.started_at, row.subject.uri or ""))


def flaps(connection: Connection, root: Resource | None, range: TimeRange, end: datetime) -> list[Flap]:
    """When something below a resource (None: anywhere) changed its state again and again, by time."""
    rows = _rows(connection, _FLAPS, root, range, end, "<> 'action'")
    found = [
        Flap(
            Subject(row.uri, row.type, row.name),
            instant(row.since),
            instant(row.until),
            row.seconds,
            row.changes,
            _certain(row.certain),
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: (row.since, row.subject.uri or ""))


def _rows(
    connection: Connection, query: str, root: Resource | None, range: TimeRange, end: datetime, types: str
) -> Iterator[Any]:
    ends = {"since": range.since or EPOCH, "until": end}
    if root is None:
        yield from connection.execute(statement(query.format("")), ends)
        return
    members = descend(connection, [root.id], Window.of(TimeRange(range.since, end)))
    uris = [
        row.uri
        for part in chunks(sorted(members))
        for row in connection.execute(statement(_URIS.format(types)), {"numbers": part})
    ]
    # One at a time: so the filter comes to the tables below on both databases.
    for uri in uris:
        yield from connection.execute(statement(query.format(_OF_THESE)), {**ends, "uris": [uri]})


def _by(connection: Connection, uris: Sequence[str]) -> Mapping[str, str]:
    if not uris:
        return {}
    numbers = {row.id: row.uri for row in connection.execute(statement(_NUMBERS), {"uris": list(uris)})}
    return {numbers[number]: name for number, name in doers(connection, numbers).items()}


def _certain(found: int | None) -> bool | None:
    return None if found is None else bool(found)

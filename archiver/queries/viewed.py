"""Reports that are rows of a published view: deploys and flaps, so that plain SQL says the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from archiver.model import EPOCH, Number, Resource, TimeRange, numbers_of, to_datetime, to_micros
from archiver.model.moments import seconds
from archiver.model.reports import Deploy, Flap, Subject
from archiver.queries.doers import doers
from archiver.queries.flapping import may_have_flapped
from archiver.queries.neighbours import members
from archiver.queries.platforms import names as platform_names
from archiver.queries.platforms import several
from archiver.storage.causes import FLAP
from archiver.storage.database.reading import Connection, instant, instant_or_none
from archiver.storage.database.statements import by_platform, chunks, statement

_DEPLOYS = "SELECT v.* FROM deploys v WHERE v.started_at >= :since AND v.started_at < :until {}"
_FLAPS = "SELECT v.* FROM flaps v WHERE v.until >= :since AND v.since < :until {}"
_CHANGES_BY = statement(
    "SELECT count(*), max(v.since_us) FROM state_spans v"
    " WHERE v.uri = :uri AND v.platform = :platform AND v.since >= :since AND v.since < :end"
)
"""How far a flap had come by an instant."""
_OF_THESE = "AND v.uri IN :uris"
_PLACES = (
    "SELECT r.uri, b.name AS platform FROM resources r JOIN event_types t ON t.id = r.type_id"
    " JOIN platforms b ON b.id = r.platform_id WHERE r.platform_id = :platform AND r.id IN :numbers"
    " AND t.text {} ORDER BY r.uri"
)
_NUMBERS = "SELECT r.id, r.uri FROM resources r WHERE r.platform_id = :platform AND r.uri IN :uris"


def deploys(connection: Connection, root: Resource | None, range: TimeRange, end: datetime) -> list[Deploy]:
    """The deploys that began below a resource (None: anywhere) within a range, by time."""
    names = several(connection).values()
    within = None if root is None else _members(connection, root, range, end)
    rows = list(_rows(connection, _DEPLOYS, within, range, end, "IN ('service', 'stack')"))
    by = _by(connection, {(row.action, row.platform) for row in rows if row.action})
    found = [
        Deploy(
            Subject(row.uri, row.type, row.name, _platform(row, names)),
            row.action,
            instant(row.started_at),
            instant_or_none(row.finished_at),
            row.seconds,
            row.result,
            row.image_before,
            row.image_after,
            row.recovered_seconds,
            by.get((row.action, row.platform)),
            _certain(row.certain),
            "image" if row.image_before and row.image_after and row.image_before != row.image_after else None,
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: (row.started_at, *_order(row.subject)))


def flaps(connection: Connection, root: Resource | None, range: TimeRange, end: datetime) -> list[Flap]:
    """When something below a resource (None: anywhere) changed its state again and again, by time."""
    names = several(connection).values()
    # What was not heard of did not flap: so of everything only that is looked at.
    within = None
    if root is not None or range.since is not None:
        within = may_have_flapped(connection, _members(connection, root, range, end), range, end)
    rows = _rows(connection, _FLAPS, within, range, end, "<> 'action'")
    found = []
    for row in rows:
        about, since, until = Subject(row.uri, row.type, row.name, _platform(row, names)), row.since_us, row.until_us
        changes = row.changes
        if until >= to_micros(end):
            changes, until = connection.execute(_CHANGES_BY, _values(row, end)).one()
        if changes >= FLAP:
            told = (to_datetime(since), to_datetime(until), seconds(timedelta(microseconds=until - since)))
            found.append(Flap(about, *told, changes, _certain(row.certain)))
    return sorted(found, key=lambda row: (row.since, *_order(row.subject)))


def _values(flap: Any, end: datetime) -> Mapping[str, Any]:
    return {"uri": flap.uri, "platform": flap.platform, "since": flap.since, "end": end}


def _members(connection: Connection, root: Resource | None, range: TimeRange, end: datetime) -> Collection[Number]:
    return members(connection, root, TimeRange(range.since, end))


def _rows(
    connection: Connection,
    query: str,
    within: Collection[Number] | None,
    range: TimeRange,
    end: datetime,
    types: str,
) -> Iterator[Any]:
    """The rows of a view about some resources (None: all)."""
    ends = {"since": range.since or EPOCH, "until": end}
    if within is None:
        yield from connection.execute(statement(query.format("")), ends)
        return
    places: dict[str, set[str]] = {}
    for among in by_platform(sorted(within)):
        for row in connection.execute(statement(_PLACES.format(types)), among.values()):
            places.setdefault(row.uri, set()).add(row.platform)
    # One at a time: so the filter comes to the tables below on both databases.
    for uri, platforms in places.items():
        for row in connection.execute(statement(query.format(_OF_THESE)), {**ends, "uris": [uri]}):
            if row.platform in platforms:
                yield row


def _platform(row: Any, names: Collection[str]) -> str | None:
    """The platform that a row is of, where there are several."""
    return row.platform if row.platform in names else None


def _order(subject: Subject) -> tuple[str, str]:
    return subject.uri or "", subject.platform or ""


def _by(connection: Connection, actions: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
    """Who did some actions, each given by its URI and the name of its platform."""
    numbers: dict[Number, tuple[str, str]] = {}
    for platform, name in platform_names(connection).items():
        for part in chunks(sorted(uri for uri, told in actions if told == name)):
            rows = connection.execute(statement(_NUMBERS), {"platform": platform, "uris": part})
            numbers.update((numbers_of(platform)(number), (uri, name)) for number, uri in rows)
    by = doers(connection, numbers)
    return {told: by[number] for number, told in numbers.items() if number in by}


def _certain(found: int | None) -> bool | None:
    return None if found is None else bool(found)

"""Counts per stack and service how long, on a day, nobody knew how their containers were."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from archiver.model import Number, numbers_of, to_micros
from archiver.queries.containers import CONTAINER
from archiver.storage.pages import Ask
from archiver.storage.reading import Connection
from archiver.storage.statements import Among, by_platform, statement
from archiver.storage.views.places import place_then

_MOST = 2_000
"""Stacks and services that are told apart; a monitor keeps every one for months."""
_TYPE = "SELECT t.id FROM event_types t WHERE t.text = :container"
# What lives has an index of its own, from which nothing may draw the planner (+); of what is no more only that which
# ended since the day began.
_LIVED = (
    "SELECT p.platform_id, p.resource_id FROM present p"
    " WHERE p.gone_at IS NULL AND p.type_id IN :types AND +p.first_at < :until",
    "SELECT p.platform_id, p.resource_id FROM present p"
    " WHERE p.gone_at >= :since AND +p.type_id IN :types AND +p.first_at < :until",
)
# Each container is looked up by itself: asked for many at once, PostgreSQL may go through all that ever were.
_SECONDS = (
    "SELECT coalesce({}, '') AS stack, coalesce({}, '') AS service, ("
    "SELECT v.unknown_seconds FROM availability_daily v"
    " WHERE v.uri = r.uri AND v.day = :day AND v.platform = q.name) AS seconds"
    " FROM resources r JOIN platforms q ON q.id = r.platform_id WHERE r.platform_id = :platform AND r.id IN :numbers"
).format(*(place_then(place, "r.id", ":until") for place in ("stack", "service")))


class Unknown(NamedTuple):
    """How many seconds of the lives of a service's containers nobody knows of."""

    stack: str
    service: str
    seconds: float


def unknown(ask: Ask, day: date) -> list[Unknown]:
    """Of a day of UTC, as far as it has come; names are empty where there is none. Page by page."""
    seconds: Counter[tuple[str, str]] = Counter()
    for among in by_platform(sorted(ask(_lived, day))):
        for row in ask(_rows, among, day):
            seconds[row.stack, row.service] += float(row.seconds or 0)  # type: ignore[assignment]
    return [Unknown(*place, round(seconds[place], 6)) for place in sorted(seconds)[:_MOST]]


def _lived(connection: Connection, day: date) -> set[Number]:
    """The containers that lived on a day."""
    types = connection.scalars(statement(_TYPE), {"container": CONTAINER})
    if not types:
        return set()
    since, until = _ends(day)
    values = {"types": types, "since": since, "until": until}
    return {
        numbers_of(platform)(number)
        for query in _LIVED
        for platform, number in connection.execute(statement(query), values)
    }


def _rows(connection: Connection, among: Among, day: date) -> list[Any]:
    values = among.values(day=day.isoformat(), until=_ends(day)[1] - 1)
    return connection.execute(statement(_SECONDS), values).all()


def _ends(day: date) -> tuple[int, int]:
    morning = datetime.combine(day, time(), UTC)
    return to_micros(morning), to_micros(morning + timedelta(days=1))

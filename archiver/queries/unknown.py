"""Counts per stack and service how long, on a day, nobody knew how their containers were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from archiver.model import Number, numbers_of, to_micros
from archiver.queries.containers import CONTAINER
from archiver.queries.lived import LIVED
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import Among, by_platform, statement
from archiver.storage.pages import Ask
from archiver.storage.views.places import place_then

_MOST = 2_000
"""Stacks and services that are told apart; a monitor keeps every one for months."""
_TYPE = "SELECT t.id FROM event_types t WHERE t.text = :container"
_LIVED = f"SELECT p.platform_id, p.resource_id AS id, p.first_at, p.gone_at {LIVED}"
# What availability_daily says as well, but that reckons what was planned, and loops, which nobody asks for here.
_DOUBTFUL = tuple(
    "SELECT v.resource_id AS id, min(v.since_us) AS first, sum(CASE WHEN v.kind = 'gone' THEN 0"
    " WHEN v.kind IS NULL THEN v.until_us - v.since_us ELSE v.until_us - v.known_us END) AS us"
    f" FROM {words} v WHERE v.platform_id = :platform AND v.resource_id IN :numbers AND v.day = :day"
    " GROUP BY v.resource_id"
    for words in ("told_of_day", "found_of_day")
)
_PLACES = (
    f"SELECT r.id AS id, coalesce({place_then('stack', 'r.id', ':until')}, '') AS stack,"
    f" coalesce({place_then('service', 'r.id', ':until')}, '') AS service FROM resources r"
    " WHERE r.platform_id = :platform AND r.id IN :numbers"
)


class Unknown(NamedTuple):
    """How many seconds of the lives of a service's containers nobody knows of."""

    stack: str
    service: str
    seconds: float


def unknown(ask: Ask, day: date, now: datetime) -> list[Unknown]:
    """Of a day of UTC, as far as it has come; names are empty where there is none. Page by page."""
    morning = datetime.combine(day, time(), UTC)
    since, until = to_micros(morning), min(to_micros(morning + timedelta(days=1)), to_micros(now))
    microseconds: Counter[tuple[str, str]] = Counter()
    lived = ask(_lived, since, until)
    for among in by_platform(sorted(lived)):
        for place, found in ask(_doubtful, among, lived, day, until):
            microseconds[place] += found
    return [Unknown(*place, microseconds[place] / 1e6) for place in sorted(microseconds)[:_MOST]]


def _lived(connection: Connection, since: int, until: int) -> dict[Number, tuple[int, int]]:
    """The containers that lived within a range, and from when until when in it."""
    types = connection.scalars(statement(_TYPE), {"container": CONTAINER})
    values = {"types": types, "since": since, "until": until}
    if not types:
        return {}
    return {
        numbers_of(row.platform_id)(row.id): (
            max(row.first_at, since),
            until if row.gone_at is None else min(row.gone_at, until),
        )
        for row in connection.execute(statement(_LIVED), values)
    }


def _doubtful(
    connection: Connection, among: Among, lived: Mapping[Number, tuple[int, int]], day: date, until: int
) -> list[tuple[tuple[str, str], int]]:
    """Of each container where it was at last, and for how many microseconds nobody knows how it was."""
    values = among.values(day=day.isoformat(), until=until - 1)
    words = [row for query in _DOUBTFUL for row in connection.execute(statement(query), values)]
    told: dict[int, int] = {}
    known_from = {number: lived[among.of(number)][1] for number in among.numbers}
    for row in words:
        told[row.id] = told.get(row.id, 0) + int(row.us or 0)
        known_from[row.id] = min(known_from[row.id], row.first)
    return [
        ((row.stack, row.service), told.get(row.id, 0) + max(known_from[row.id] - lived[among.of(row.id)][0], 0))
        for row in connection.execute(statement(_PLACES), values)
    ]

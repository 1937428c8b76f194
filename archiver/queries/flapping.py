"""Which of some resources can have flapped within a range: so many words came so close together, or before it began.

Whether they did, and how often their states changed, says the view `flaps`, which goes through a whole life.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from archiver.model import EPOCH, Micros, Number, TimeRange, to_micros
from archiver.queries.story import earlier
from archiver.storage.causes import FLAP, FLAPS_WITHIN
from archiver.storage.database.reading import Connection, micros
from archiver.storage.database.statements import Among, Values, by_platform, statement

_WORDS = tuple(
    f"SELECT e.{at} AS at, e.resource_id FROM {table} e"
    " WHERE e.platform_id = :platform AND e.resource_id IN :numbers AND e.state_id IS NOT NULL"
    f" AND e.{at} >= :since AND e.{at} < :until ORDER BY e.{at}"
    for table, at in (("events", "occurred_at"), ("observations", "observed_at"))
)


def may_have_flapped(
    connection: Connection, numbers: Collection[Number], range: TimeRange, end: datetime
) -> set[Number]:
    """Those of some resources of which enough was told close together within a range, up to an instant.

    And those of which anything was told so shortly before it that they may have been flapping as it began.
    """
    found: set[Number] = set()
    begin = range.since or EPOCH
    ends = {"since": earlier(begin, timedelta(microseconds=FLAPS_WITHIN)), "until": end}
    for among in by_platform(sorted(numbers)):
        last: dict[Number, deque[Micros]] = {}
        for at, number in _words(connection, among, ends):
            words = last.setdefault(number, deque(maxlen=FLAP))
            words.append(at)
            is_dense = len(words) == FLAP and at - words[0] <= FLAPS_WITHIN
            if is_dense or at < to_micros(begin):
                found.add(number)
    return found


def _words(connection: Connection, among: Among, ends: Values) -> Iterator[tuple[Micros, Number]]:
    """When the states of some resources were told or found within a range, by time."""
    each = (connection.execute(statement(query), among.values(**ends)) for query in _WORDS)
    return heapq.merge(*(map(partial(_word, among), rows) for rows in each))


def _word(among: Among, row: Any) -> tuple[Micros, Number]:
    return micros(row.at), among.of(row.resource_id)

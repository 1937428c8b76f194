"""Finds the newest events of some kind without looking through the archive: near its end first, then by resources."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, or_, select, true

from archiver.model import Micros, TimeRange, to_datetime, to_micros
from archiver.queries import vocabulary
from archiver.queries.event_filter import Filter, conditions, within
from archiver.queries.under import chunks
from archiver.storage.pages import Ask
from archiver.storage.schema import event_types, events, present

PAGE = 500
"""Events that are looked at at once."""
LOOKED_AT = 1_000
"""So many of the newest events are looked at, whatever they are about, before their resources are asked."""
_ONE_BY_ONE = 16
_FIRST_SPAN = 60 * 1_000_000
_WIDER = 4
"""Stretches of time that are looked at again and again, each so many times as long as the one before."""

Found = Row[Any]
"""Number, instant, resource and list of parents of an event."""
Keep = Callable[[Connection, Sequence[Found]], Sequence[Found]]
"""Those of some events that are wanted."""


class Place(NamedTuple):
    """A place in the order of listings: behind this event."""

    occurred_at: datetime
    id: int


def newest(ask: Ask, wanted: Filter, limit: int) -> Sequence[int]:
    """The numbers of the last events that fit, oldest first, whatever they are about."""
    if not wanted.has_words:
        return [row.id for row in ask(_last, wanted, limit)]
    numbers = ask(of_types, wanted)
    if numbers is None or len(numbers) > LOOKED_AT:
        near, place = walk_back(ask, wanted, limit, LOOKED_AT)
        if len(near) >= limit or place is None:
            return [row.id for row in near[:limit]][::-1]
    if numbers is None:
        return [row.id for row in ask(_last, wanted, limit)]
    return [row.id for row in by_resources(ask, wanted, numbers, limit)]


def _last(connection: Connection, wanted: Filter, limit: int) -> list[Found]:
    """The last events that fit, oldest first, by looking at one after the other."""
    fits = conditions(connection, wanted, events.c)
    if fits is None:
        return []
    query = select(*_COLUMNS).where(*fits, *within(wanted.range, events.c))
    return list(connection.execute(query.order_by(*_NEWEST).limit(limit)))[::-1]


_COLUMNS: tuple[Any, ...] = (events.c.id, events.c.occurred_at, events.c.resource_id, events.c.parent_list_id)
_NEWEST = (events.c.occurred_at.desc(), events.c.id.desc())


# --- near the end of the archive, or from its beginning on ----------------------------------------------------------


def walk_back(
    ask: Ask, wanted: Filter, limit: int, most: int, keep: Keep | None = None
) -> tuple[list[Found], Place | None]:
    """Those of the newest events that fit, newest first; and the place where the looking ended, None: there is no more.

    It ends when there are `limit`, or when `most` were looked at.
    """
    found: list[Found] = []
    place: Place | None = None
    looked, size = 0, min(PAGE, max(limit, 100))
    while looked < most:
        rows, place = ask(step, wanted, place, size, keep)
        found += rows
        looked, size = looked + size, min(PAGE, 2 * size)
        if place is None or len(found) >= limit:
            break
    return found, place


def step(
    connection: Connection,
    wanted: Filter,
    place: Place | None,
    size: int,
    keep: Keep | None = None,
    *,
    forward: bool = False,
    end: int | None = None,
) -> tuple[list[Found], Place | None]:
    """Those of the next events behind a place that fit, and the place behind them all; None: there are no more.

    Each of them is looked at, whether it fits or not: so a step costs the same wherever it is.
    """
    fits = conditions(connection, wanted, events.c)
    if fits is None:
        return [], None
    is_wanted = and_(true(), *fits, *([] if end is None else [events.c.id <= end]))
    query = select(*_COLUMNS, case((is_wanted, 1), else_=0).label("fits")).where(*within(wanted.range, events.c))
    if place is not None:
        query = query.where(_behind(place, forward=forward))
    order = (events.c.occurred_at, events.c.id) if forward else _NEWEST
    rows: Sequence[Any] = connection.execute(query.order_by(*order).limit(size)).all()
    kept: Sequence[Found] = [row for row in rows if row.fits]
    if keep is not None:
        kept = keep(connection, kept)
    return list(kept), None if len(rows) < size else Place(rows[-1].occurred_at, rows[-1].id)


def _behind(place: Place, *, forward: bool) -> ColumnElement[bool]:
    at, number = events.c.occurred_at, events.c.id + 0
    if forward:
        return and_(at >= place.occurred_at, or_(at > place.occurred_at, number > place.id))
    return and_(at <= place.occurred_at, or_(at < place.occurred_at, number < place.id))


# --- by the resources that they are about ---------------------------------------------------------------------------


def by_resources(
    ask: Ask, wanted: Filter, numbers: Collection[int], limit: int, keep: Keep | None = None
) -> list[Found]:
    """The last events about some resources, or about none, that fit, oldest first.

    Of a few resources each has its last ones read. Of more, looked at are those of which anything was heard in a
    stretch of time, and what was heard of them in it: the last minute first, and a longer one until there are enough.
    """
    if len(numbers) <= _ONE_BY_ONE:
        each = [ask(_newest_of, wanted, number, limit, keep) for number in (None, *numbers)]
        return heapq.nlargest(limit, chain(*each), key=_place)[::-1]
    about_none = ask(_newest_of, wanted, None, limit, keep)
    heard = sorted(ask(_last_heard, numbers), reverse=True)
    end, oldest = ask(_ends, wanted.range)
    span = _FIRST_SPAN
    while True:
        count = limit * span // _FIRST_SPAN
        floor = max(end - span, heard[count][0] if count < len(heard) else oldest)
        about = [number for at, number in heard if at >= floor]
        found = ask(_since, wanted, about, max(floor, oldest), limit, keep)
        found += [row for row in about_none if to_micros(row.occurred_at) >= floor]
        if len(found) >= limit or floor <= oldest:
            return heapq.nlargest(limit, found, key=_place)[::-1]
        span *= _WIDER


def _place(row: Found) -> tuple[datetime, int]:
    return row.occurred_at, row.id


def _newest_of(
    connection: Connection, wanted: Filter, number: int | None, limit: int, keep: Keep | None
) -> list[Found]:
    """The last events about one resource, or about none, that fit, newest first."""
    fits = conditions(connection, wanted, events.c)
    if fits is None:
        return []
    query = select(*_COLUMNS).where(events.c.resource_id == number, *fits, *within(wanted.range, events.c))
    query = query.order_by(*_NEWEST).limit(min(max(limit, 100), PAGE))
    found: list[Found] = []
    place: Place | None = None
    while len(found) < limit:
        rows = connection.execute(query if place is None else query.where(_behind(place, forward=False))).all()
        if not rows:
            break
        found += rows if keep is None else keep(connection, rows)
        place = Place(rows[-1].occurred_at, rows[-1].id)
    return found[:limit]


def _last_heard(connection: Connection, numbers: Collection[int]) -> list[tuple[Micros, int]]:
    """When each of the resources was last heard of, of which anything was."""
    c, found = present.c, []
    for part in chunks(numbers):
        rows = connection.execute(select(c.last_at, c.resource_id).where(c.resource_id.in_(part)))
        found += [(at, number) for at, number in rows if at is not None]
    return found


def _ends(connection: Connection, range: TimeRange) -> tuple[Micros, Micros]:
    """The last and the first instant of a range at which anything can have happened."""
    first, last = (connection.scalar(select(f(events.c.occurred_at))) for f in (func.min, func.max))
    if first is None or last is None:
        return 0, 0
    last = last if range.until is None else min(last, range.until)
    return to_micros(last), to_micros(first if range.since is None else max(first, range.since))


def _since(
    connection: Connection, wanted: Filter, numbers: Sequence[int], floor: Micros, limit: int, keep: Keep | None
) -> list[Found]:
    """The last events about some resources from an instant on, newest first."""
    fits = conditions(connection, wanted, events.c)
    if fits is None:
        return []
    query = select(*_COLUMNS).where(*fits, *within(wanted.range, events.c), events.c.occurred_at >= to_datetime(floor))
    return heapq.nlargest(limit, about(connection, query, numbers, keep), key=_place)


def about(
    connection: Connection, query: Any, numbers: Collection[int], keep: Keep | None, *, with_none: bool = False
) -> Iterator[Found]:
    """The rows of a query that are about some resources, and of them those that are wanted, in no order."""
    which = [events.c.resource_id.in_(part) for part in chunks(numbers)]
    for condition in [*which, events.c.resource_id.is_(None)] if with_none else which:
        for rows in connection.execute(query.where(condition)).partitions(PAGE):
            yield from rows if keep is None else keep(connection, rows)


def of_types(connection: Connection, wanted: Filter) -> list[int] | None:
    """The resources whose events can be of the types; None where that cannot be told, or no types are wanted."""
    if not wanted.types or vocabulary.only_others(wanted.types):
        return None
    kinds = vocabulary.wanted(connection, event_types, present.c.type_id, wanted.types)
    if kinds is None:
        return []
    return list(connection.scalars(select(present.c.resource_id).where(kinds, present.c.last_at.is_not(None))))

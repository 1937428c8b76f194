"""The log of events: the last ones, all of them, or what has come since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, FromClause, Row, Select, or_, select

from archiver.codec.text import parse
from archiver.model import ArchivedEvent, to_datetime, to_micros
from archiver.queries import events_under, seeking
from archiver.queries.event_filter import Filter, conditions, within
from archiver.queries.names import names_at
from archiver.queries.numbers import last_number
from archiver.queries.seeking import Place
from archiver.storage.pages import BLOCK, Ask
from archiver.storage.rows import event_rows, parents_of
from archiver.storage.schema import TIME_SOURCES, events
from archiver.storage.uuids import unpack

__all__ = ["Filter", "event_of", "events_after", "last_events", "last_id", "last_id_heard_before"]

_PAGE = 500
"""Events that are read at once."""


def last_events(ask: Ask, wanted: Filter, limit: int, *, block: int = BLOCK) -> Iterator[ArchivedEvent]:
    """The last `limit` events, oldest first; 0 means all. What is archived while they are read is not among them.

    Their numbers are found `block` at a time.
    """
    for numbers in _blocks(ask, wanted, limit, block):
        for begin in range(0, len(numbers), _PAGE):
            yield from ask(whole, numbers[begin : begin + _PAGE])


def last_id(connection: Connection) -> int:
    """The number of the event archived last; 0 when there is none."""
    return last_number(connection, events)


def last_id_heard_before(connection: Connection, moment: datetime) -> int:
    """The number of the last event that was received before an instant; 0 when there is none."""
    earlier = select(events.c.id).where(events.c.received_at < to_micros(moment))
    return connection.scalar(earlier.order_by(events.c.id.desc()).limit(1)) or 0


def events_after(ask: Ask, wanted: Filter, after: int) -> Iterator[ArchivedEvent]:
    """The events archived after number `after` that are there now, in the order of archiving."""
    end = ask(last_id)
    while after < end:
        numbers, after = ask(_page_after, wanted, after, end)
        yield from ask(whole, numbers)


# --- which events: numbers, so many at a time ---------------------------------------------------------------------


def _blocks(ask: Ask, wanted: Filter, limit: int, size: int) -> Iterator[Sequence[int]]:
    """The numbers of the last `limit` events, oldest first."""
    if wanted.under is not None:
        yield from events_under.blocks(ask, wanted, limit, size, ask(last_id))
    elif 0 < limit <= size:
        yield seeking.newest(ask, wanted, limit)
    else:
        end = ask(last_id)
        place = ask(_place_before, wanted, limit, end) if limit else None
        while True:
            numbers, place = ask(_block, wanted, place, end, size)
            yield numbers
            if len(numbers) < size:
                return


def _place_before(connection: Connection, wanted: Filter, limit: int, end: int) -> Place | None:
    """The place before the last `limit` events of those up to number `end`; None when there are not so many."""
    found = _collected(connection, wanted, end=end)
    if found is None:
        return None
    order = (found.c.occurred_at.desc(), found.c.id.desc())
    last = select(found.c.id, found.c.occurred_at).order_by(*order).limit(limit).subquery("last")
    first = connection.execute(
        select(last.c.occurred_at, last.c.id).order_by(last.c.occurred_at, last.c.id).limit(1)
    ).one_or_none()
    return None if first is None else Place(first.occurred_at, first.id - 1)


def _block(
    connection: Connection, wanted: Filter, place: Place | None, end: int, size: int
) -> tuple[Sequence[int], Place | None]:
    """The next numbers behind a place (None: the first), up to number `end`, and the place behind them."""
    found = _collected(connection, wanted, place=place, end=end)
    if found is None:
        return (), None
    ordered = select(found.c.id).order_by(found.c.occurred_at, found.c.id)
    numbers = connection.scalars(ordered.limit(size)).all()
    if not numbers:
        return (), place
    last = connection.scalars(select(events.c.occurred_at).where(events.c.id == numbers[-1])).one()
    return numbers, Place(last, numbers[-1])


def _collected(
    connection: Connection, wanted: Filter, *, place: Place | None = None, end: int | None = None
) -> FromClause | None:
    """Number and time of the wanted events behind a place and up to number `end`, to be ordered by time."""
    fits = conditions(connection, wanted, events.c)
    if fits is None:
        return None
    found: Select[Any] = select(events.c.id, events.c.occurred_at).where(*fits, *within(wanted.range, events.c))
    number = events.c.id + 0  # no bound of a number may draw the planner away from the order of time
    if place is not None:
        at, after = events.c.occurred_at, place.occurred_at
        found = found.where(at >= after, or_(at > after, number > place.id))
    if end is not None:
        found = found.where(number <= end)
    return found.subquery("found")


def _page_after(connection: Connection, wanted: Filter, after: int, end: int) -> tuple[Sequence[int], int]:
    """Those of the next events after a number, up to `end`, that are wanted; and the number of the last one seen."""
    fits = conditions(connection, wanted, events.c)
    if fits is None:
        return (), end
    columns: tuple[Any, ...] = (events.c.id, events.c.occurred_at, events.c.resource_id, events.c.parent_list_id)
    page = select(*columns).where(*fits, *within(wanted.range, events.c), events.c.id > after, events.c.id <= end)
    rows: Sequence[Row[Any]] = connection.execute(page.order_by(events.c.id).limit(_PAGE)).all()
    seen = rows[-1].id if len(rows) == _PAGE else end
    if wanted.under is not None:
        rows = events_under.belonging(connection, set(wanted.under), rows)
    return [row.id for row in rows], seen


# --- what they say --------------------------------------------------------------------------------------------------


def whole(connection: Connection, numbers: Sequence[int]) -> list[ArchivedEvent]:
    """The events of these numbers, in this order, with the names that their objects had then."""
    query = event_rows().add_columns(events.c.resource_id).where(events.c.id.in_(numbers))
    rows = {row.id: row for row in connection.execute(query)}
    parents = parents_of(connection, {row.parent_list_id for row in rows.values()})
    moments = {
        (row.resource_id, to_micros(row.occurred_at)) for row in rows.values() if row.resource_id and not row.name
    }
    names = names_at(connection, moments)
    return [_named(row, parents[row.parent_list_id], names) for row in map(rows.__getitem__, numbers)]


def _named(row: Row[Any], parents: tuple[str, ...], names: dict[tuple[int, int], str]) -> ArchivedEvent:
    return event_of(row, parents, row.name or names.get((row.resource_id, to_micros(row.occurred_at))))


def event_of(row: Row[Any], parents: tuple[str, ...], name: str | None) -> ArchivedEvent:
    """The event in a row of `event_rows`."""
    extra = parse(row.extra) if row.extra else {}
    uuid = None if row.uuid is None else unpack(row.uuid)
    received_at, source = to_datetime(row.received_at), TIME_SOURCES[row.time_source]
    said = (row.id, row.type, row.action, row.state, row.uri, parents, row.occurred_at, received_at, uuid)
    return ArchivedEvent(*said, name, extra, source)

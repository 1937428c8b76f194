"""The log of events: the last ones, all of them, or what has come since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from archiver.codec.text import parse
from archiver.model import ArchivedEvent, Number, numbers_of, to_datetime, to_micros
from archiver.queries import events_under, seeking
from archiver.queries.event_filter import Filter, conditions, where, within
from archiver.queries.names import Moment, names_at
from archiver.queries.numbers import last_number
from archiver.queries.seeking import Found, Place
from archiver.storage.database.reading import Connection, Row, instant, micros
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.event_rows import EVENT_ROWS, parents_of
from archiver.storage.pages import BLOCK, Ask
from archiver.storage.uuids import unpack
from archiver.storage.words import TIME_SOURCES

__all__ = ["Filter", "event_of", "events_after", "last_events", "last_id", "last_id_heard_before"]

_PAGE = 500
"""Events that are read at once."""
_BEHIND = ["e.occurred_at >= :at", "(e.occurred_at > :at OR e.id + 0 > :behind)"]
# No bound of a number may draw the planner away from the order of time.
_UP_TO = "e.id + 0 <= :end"
_THESE = f"{EVENT_ROWS} WHERE e.platform_id = :platform AND e.id IN :numbers"
_HEARD_BEFORE = "SELECT e.id FROM events e WHERE e.received_at < :moment ORDER BY e.id DESC LIMIT 1"


def last_events(ask: Ask, wanted: Filter, limit: int, *, block: int = BLOCK) -> Iterator[ArchivedEvent]:
    """The last `limit` events, oldest first; 0 means all. What is archived while they are read is not among them.

    Their numbers are found `block` at a time.
    """
    for numbers in _blocks(ask, wanted, limit, block):
        for begin in range(0, len(numbers), _PAGE):
            yield from ask(whole, numbers[begin : begin + _PAGE])


def last_id(connection: Connection) -> int:
    """The number of the event archived last; 0 when there is none."""
    return last_number(connection, "events")


def last_id_heard_before(connection: Connection, moment: datetime) -> int:
    """The number of the last event that was received before an instant; 0 when there is none."""
    return connection.scalar(statement(_HEARD_BEFORE), {"moment": to_micros(moment)}) or 0


def events_after(ask: Ask, wanted: Filter, after: int) -> Iterator[ArchivedEvent]:
    """The events archived after number `after` that are there now, in the order of archiving."""
    end = ask(last_id)
    while after < end:
        numbers, after = ask(_page_after, wanted, after, end)
        yield from ask(whole, numbers)


# --- which events: numbers, so many at a time ---------------------------------------------------------------------


def _blocks(ask: Ask, wanted: Filter, limit: int, size: int) -> Iterator[Sequence[Number]]:
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
    found = _collected(connection, wanted, [_UP_TO])
    if found is None:
        return None
    last = f"SELECT found.id, found.occurred_at {found} ORDER BY found.occurred_at DESC, found.id DESC LIMIT :limit"
    first = connection.execute(
        statement(f"SELECT last.occurred_at, last.id FROM ({last}) last ORDER BY last.occurred_at, last.id LIMIT 1"),
        {"limit": limit, "end": end, **wanted.range._asdict()},
    ).one_or_none()
    return None if first is None else Place(first.occurred_at, first.id - 1)


def _block(
    connection: Connection, wanted: Filter, place: Place | None, end: int, size: int
) -> tuple[Sequence[Number], Place | None]:
    """The next numbers behind a place (None: the first), up to number `end`, and the place behind them."""
    found = _collected(connection, wanted, [*([] if place is None else _BEHIND), _UP_TO])
    if found is None:
        return (), None
    values = {"end": end, "size": size, **wanted.range._asdict()}
    if place is not None:
        values |= {"at": place.occurred_at, "behind": place.id}
    what = "found.platform_id, found.id, found.occurred_at"
    ordered = f"SELECT {what} {found} ORDER BY found.occurred_at, found.id LIMIT :size"
    rows: Sequence[Found] = connection.execute(statement(ordered), values).all()
    if not rows:
        return (), place
    return seeking.numbers(rows), Place(rows[-1].occurred_at, rows[-1].id)


def _collected(connection: Connection, wanted: Filter, more: Sequence[str]) -> str | None:
    """Number and time of the wanted events that fulfil `more` conditions, to be ordered by time; None: no event can."""
    fits = conditions(connection, wanted)
    if fits is None:
        return None
    every = where([*fits, *within(wanted.range), *more])
    return f"FROM (SELECT e.platform_id, e.id, e.occurred_at FROM events e{every}) found"


def _page_after(connection: Connection, wanted: Filter, after: int, end: int) -> tuple[Sequence[Number], int]:
    """Those of the next events after a number, up to `end`, that are wanted; and the number of the last one seen."""
    fits = conditions(connection, wanted)
    if fits is None:
        return (), end
    every = where([*fits, *within(wanted.range), "e.id > :after", "e.id <= :end"])
    page = statement(f"{seeking.EVENTS}{every} ORDER BY e.id LIMIT {_PAGE}")
    rows: Sequence[Row] = connection.execute(page, {"after": after, "end": end, **wanted.range._asdict()}).all()
    seen = rows[-1].id if len(rows) == _PAGE else end
    if wanted.under is not None:
        rows = events_under.belonging(connection, set(wanted.under), rows)
    return seeking.numbers(rows), seen


# --- what they say --------------------------------------------------------------------------------------------------


def whole(connection: Connection, numbers: Sequence[Number]) -> list[ArchivedEvent]:
    """The events of these numbers, in this order, with the names that their objects had then."""
    rows: dict[int, Row] = {}
    for among in by_platform(numbers):
        rows.update((row.id, row) for row in connection.execute(statement(_THESE), among.values()))
    parents = parents_of(connection, rows.values())
    moments = {
        (numbers_of(row.platform_id)(row.resource_id), micros(row.occurred_at))
        for row in rows.values()
        if row.resource_id and not row.name
    }
    names = names_at(connection, moments)
    return [_named(row, parents[row.parent_list_id], names) for row in map(rows.__getitem__, numbers)]


def _named(row: Row, parents: tuple[str, ...], names: Mapping[Moment, str]) -> ArchivedEvent:
    moment = numbers_of(row.platform_id)(row.resource_id), micros(row.occurred_at)
    return event_of(row, parents, row.name or names.get(moment))


def event_of(row: Row, parents: tuple[str, ...], name: str | None) -> ArchivedEvent:
    """The event in a row of `EVENT_ROWS`."""
    extra = parse(row.extra) if row.extra else {}
    uuid = None if row.uuid is None else unpack(row.uuid)
    received_at, source = to_datetime(row.received_at), TIME_SOURCES[row.time_source]
    number = numbers_of(row.platform_id)(row.id)
    said = (number, row.type, row.action, row.state, row.uri, parents, instant(row.occurred_at), received_at, uuid)
    return ArchivedEvent(*said, name, extra, source)

"""The log of events: the last ones, all of them, or what has come since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, FromClause, Row, Select, func, or_, select

from archiver.codec.text import parse
from archiver.model import ArchivedEvent, TimeRange
from archiver.queries import vocabulary
from archiver.queries.healthchecks import no_healthcheck
from archiver.queries.under import members
from archiver.storage.pages import Ask
from archiver.storage.rows import event_rows, parents_of
from archiver.storage.schema import event_actions, event_states, event_types, events

_PAGE = 500
"""Events that are read at once."""
BLOCK = 100_000
"""Numbers of what is listed that are found at once: each time, all that is under the resources is looked through."""


class Filter(NamedTuple):
    """Which events are wanted: within one field any of the texts and none with a `!`, and every field that has some.

    A text stands for its family as well, and may have `*` and `?` in it; see `vocabulary`.
    """

    types: Sequence[str] = ()
    states: Sequence[str] = ()
    actions: Sequence[str] = ()
    under: Sequence[int] | None = None
    """Numbers of resources: only events about one of them or what is under it."""
    range: TimeRange = TimeRange()
    healthchecks: bool = True
    """Whether to have health checks too; where actions are asked for by name, they are had by theirs."""


def last_events(ask: Ask, wanted: Filter, limit: int, *, block: int = BLOCK) -> Iterator[ArchivedEvent]:
    """The last `limit` events, oldest first; 0 means all. What is archived while they are read is not among them.

    Their numbers are found `block` at a time.
    """
    for numbers in _blocks(ask, wanted, limit, block):
        for begin in range(0, len(numbers), _PAGE):
            yield from ask(_whole, numbers[begin : begin + _PAGE])


def last_id(connection: Connection) -> int:
    """The number of the event archived last; 0 when there is none."""
    return connection.scalar(select(func.max(events.c.id))) or 0


def last_id_heard_before(connection: Connection, moment: datetime) -> int:
    """The number of the last event that was received before an instant; 0 when there is none."""
    earlier = select(events.c.id).where(events.c.received_at < moment)
    return connection.scalar(earlier.order_by(events.c.id.desc()).limit(1)) or 0


def events_after(ask: Ask, wanted: Filter, after: int) -> Iterator[ArchivedEvent]:
    """The events archived after number `after` that are there now, in the order of archiving."""
    end = ask(last_id)
    while page := ask(_page_after, wanted, after, end):
        yield from page
        after = page[-1].id


# --- which events: numbers, so many at a time that what is under something is not looked through for every page -----


class _Place(NamedTuple):
    """A place in the order of listings: behind this event."""

    occurred_at: datetime
    id: int


def _blocks(ask: Ask, wanted: Filter, limit: int, size: int) -> Iterator[Sequence[int]]:
    """The numbers of the last `limit` events, oldest first."""
    if 0 < limit <= size:
        yield ask(_newest, wanted, limit)
        return
    end = ask(last_id)
    place = ask(_place_before, wanted, limit, end) if limit else None
    while True:
        numbers, place = ask(_block, wanted, place, end, size)
        yield numbers
        if len(numbers) < size:
            return


def _newest(connection: Connection, wanted: Filter, limit: int) -> Sequence[int]:
    found = _collected(connection, wanted)
    if found is None:
        return ()
    last = select(found.c.id).order_by(found.c.occurred_at.desc(), found.c.id.desc())
    return connection.scalars(last.limit(limit)).all()[::-1]


def _place_before(connection: Connection, wanted: Filter, limit: int, end: int) -> _Place | None:
    """The place before the last `limit` events of those up to number `end`; None when there are not so many."""
    found = _collected(connection, wanted, end=end)
    if found is None:
        return None
    order = (found.c.occurred_at.desc(), found.c.id.desc())
    last = select(found.c.id, found.c.occurred_at).order_by(*order).limit(limit).subquery("last")
    first = connection.execute(
        select(last.c.occurred_at, last.c.id).order_by(last.c.occurred_at, last.c.id).limit(1)
    ).one_or_none()
    return None if first is None else _Place(first.occurred_at, first.id - 1)


def _block(
    connection: Connection, wanted: Filter, place: _Place | None, end: int, size: int
) -> tuple[Sequence[int], _Place | None]:
    """The next numbers behind a place (None: the first), up to number `end`, and the place behind them."""
    found = _collected(connection, wanted, place=place, end=end)
    if found is None:
        return (), None
    ordered = select(found.c.id).order_by(found.c.occurred_at, found.c.id)
    numbers = connection.scalars(ordered.limit(size)).all()
    if not numbers:
        return (), place
    last = connection.scalars(select(events.c.occurred_at).where(events.c.id == numbers[-1])).one()
    return numbers, _Place(last, numbers[-1])


def _page_after(connection: Connection, wanted: Filter, after: int, end: int) -> list[ArchivedEvent]:
    found = _matching(connection, wanted)
    if found is None:
        return []
    page = found.where(events.c.id > after, events.c.id <= end).order_by(events.c.id).limit(_PAGE)
    return _whole(connection, [row.id for row in connection.execute(page)])


def _collected(
    connection: Connection, wanted: Filter, *, place: _Place | None = None, end: int | None = None
) -> FromClause | None:
    """Number and time of the wanted events behind a place and up to number `end`, to be ordered by time."""
    found = _matching(connection, wanted)
    if found is None:
        return None
    number = events.c.id + 0  # no bound of a number may draw the planner away from the order of time
    if place is not None:
        at, after = events.c.occurred_at, place.occurred_at
        found = found.where(at >= after, or_(at > after, number > place.id))
    if end is not None:
        found = found.where(number <= end)
    # What is under something is collected first. Left to choose, PostgreSQL goes back through the events of all the
    # world until it has met enough of these; if they are old, through everything.
    return found.subquery("found") if wanted.under is None else found.cte("found").prefix_with("MATERIALIZED")


def _matching(connection: Connection, wanted: Filter) -> Select[Any] | None:
    """A query for number and time of the wanted events; None when some text was never seen, so none can match."""
    if wanted.under is None:
        query = select(events.c.id, events.c.occurred_at)
    else:
        under = members(*wanted.under)
        query = select(events.c.id, events.c.occurred_at).join_from(under, events, events.c.resource_id == under.c.id)
    for texts, table, column in (
        (wanted.types, event_types, events.c.type_id),
        (wanted.states, event_states, events.c.state_id),
        (wanted.actions, event_actions, events.c.action_id),
    ):
        if texts:
            fits = vocabulary.wanted(connection, table, column, texts)
            if fits is None:
                return None
            query = query.where(fits)
    if not wanted.healthchecks and vocabulary.only_others(wanted.actions):
        quiet = no_healthcheck(connection, events.c.action_id)
        query = query if quiet is None else query.where(quiet)
    if wanted.range.since is not None:
        query = query.where(events.c.occurred_at >= wanted.range.since)
    if wanted.range.until is not None:
        query = query.where(events.c.occurred_at < wanted.range.until)
    return query


# --- what they say --------------------------------------------------------------------------------------------------


def _whole(connection: Connection, numbers: Sequence[int]) -> list[ArchivedEvent]:
    """The events of these numbers, in this order."""
    rows = {row.id: row for row in connection.execute(event_rows().where(events.c.id.in_(numbers)))}
    parents = parents_of(connection, numbers)
    return [event_of(rows[number], parents.get(number, ())) for number in numbers]


def event_of(row: Row[Any], parents: tuple[str, ...]) -> ArchivedEvent:
    """The event in a row of `event_rows`."""
    extra = parse(row.extra) if row.extra else {}
    return ArchivedEvent(
        row.id,
        row.type,
        row.action,
        row.state,
        row.uri,
        parents,
        row.occurred_at,
        row.received_at,
        row.uuid,
        row.name,
        extra,
        row.time_source,
    )

"""The log of events: the last ones, all of them, or what has come since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, select

from archiver.codec.text import parse
from archiver.model import ArchivedEvent, TimeRange
from archiver.queries import vocabulary
from archiver.queries.healthchecks import no_healthcheck
from archiver.queries.under import members
from archiver.storage.rows import event_rows, parents_of
from archiver.storage.schema import event_actions, event_states, event_types, events

_PAGE = 500


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


def last_events(connection: Connection, wanted: Filter, limit: int) -> Iterator[ArchivedEvent]:
    """The last `limit` events, oldest first; 0 means all."""
    found = _matching(connection, wanted)
    if found is None:
        return iter(())
    if limit:
        # What is under something is collected first. Left to choose, PostgreSQL goes back through the events of all the
        # world until it has met enough of these; if they are old, through everything.
        first = found.cte("found").prefix_with("MATERIALIZED") if wanted.under is not None else found.subquery("found")
        last = (first.c.occurred_at.desc(), first.c.id.desc())
        newest = select(first.c.id, first.c.occurred_at).order_by(*last).limit(limit).cte("newest")
        return _read(connection, select(newest.c.id).order_by(newest.c.occurred_at, newest.c.id))
    return _read(connection, found.order_by(events.c.occurred_at, events.c.id))


def last_id(connection: Connection) -> int:
    """The number of the event archived last; 0 when there is none."""
    return connection.scalar(select(func.max(events.c.id))) or 0


def events_after(connection: Connection, wanted: Filter, after: int) -> Iterator[ArchivedEvent]:
    """The events archived after number `after`, in the order of archiving."""
    found = _matching(connection, wanted)
    if found is None:
        return iter(())
    return _read(connection, found.where(events.c.id > after).order_by(events.c.id))


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


def _read(connection: Connection, found: Select[Any]) -> Iterator[ArchivedEvent]:
    """The events behind a query for their numbers, page by page, so that memory stays bounded."""
    rows = connection.execute(found, execution_options={"stream_results": True})
    for page in rows.partitions(_PAGE):
        numbers = [row[0] for row in page]
        whole = {row.id: row for row in connection.execute(event_rows().where(events.c.id.in_(numbers)))}
        parents = parents_of(connection, numbers)
        for number in numbers:
            yield _event(whole[number], parents.get(number, ()))


def _event(row: Row[Any], parents: tuple[str, ...]) -> ArchivedEvent:
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

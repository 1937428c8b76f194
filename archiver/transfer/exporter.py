"""Writes the whole archive as JSON Lines, from which `archiver import` makes one that answers the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, Table, func, select

from archiver.storage.migrate import HEAD
from archiver.storage.pages import Ask
from archiver.storage.rows import event_rows, original, parents_of
from archiver.storage.schema import (
    GENERATION,
    IDENTITY,
    archive_properties,
    event_parents,
    event_states,
    events,
    observations,
    rejects,
    resource_parents,
    resources,
    sessions,
    streams,
)
from archiver.transfer.format import (
    INSTANTS,
    end_line,
    event_line,
    head_line,
    observation_line,
    reject_line,
    session_line,
)

_PAGE = 500
_REJECTS = 20
_Page = list[tuple[int, str]]
"""Numbers and lines."""
_Keys = dict[int | None, str | None]
"""The sessions' keys by their numbers."""


def export(ask: Ask) -> Iterator[str]:
    """The lines of `transfer.format`, without newline; events in the order of archiving.

    All of it is the archive as it was at the beginning, though each page is read for itself.
    """
    beginning = ask(_beginning)
    yield head_line(beginning.identity, beginning.generation, HEAD)
    counts: Counter[str] = Counter()
    yield from _counted(counts, "session", _paged(ask, partial(_session_page, beginning)))
    keys = ask(_keys)
    yield from _counted(counts, "event", _paged(ask, partial(_event_page, beginning, keys)))
    yield from _counted(counts, "observation", _paged(ask, partial(_observation_page, beginning, keys)))
    yield from _counted(counts, "reject", _paged(ask, partial(_reject_page, beginning, keys)))
    yield end_line(counts)


def _counted(counts: Counter[str], kind: str, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        counts[kind] += 1
        yield line


class _Beginning(NamedTuple):
    """What was there when the export began."""

    identity: str | None
    generation: str
    ends: dict[str, int]
    """The last number of each table."""
    open: dict[int, Row[Any]]
    """The sessions that went on: they say until when somebody watched, and the events end here."""


def _beginning(connection: Connection) -> _Beginning:
    known = {key: value for key, value in connection.execute(select(*archive_properties.c))}
    tables = (sessions, events, observations, rejects)
    ends = {table.name: connection.scalar(select(func.max(table.c.id))) or 0 for table in tables}
    still = connection.execute(_sessions().where(sessions.c.closed_at.is_(None)))
    return _Beginning(known.get(IDENTITY), known.get(GENERATION, ""), ends, {row.id: row for row in still})


def _keys(connection: Connection) -> _Keys:
    keys: _Keys = {None: None}
    keys.update((row.id, row.key) for row in connection.execute(select(sessions.c.id, sessions.c.key)))
    return keys


def _paged(ask: Ask, read: Callable[[Connection, int], _Page]) -> Iterator[str]:
    """The lines of a table in the order of its numbers; each page starts after the last one's end."""
    after = 0
    while page := ask(read, after):
        for _, line in page:
            yield line
        after = page[-1][0]


def _rows(
    connection: Connection, query: Select[Any], table: Table, beginning: _Beginning, after: int, size: int = _PAGE
) -> Sequence[Row[Any]]:
    bounds = (table.c.id > after, table.c.id <= beginning.ends[table.name])
    return connection.execute(query.where(*bounds).order_by(table.c.id).limit(size)).all()


def _session_page(beginning: _Beginning, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, _sessions(), sessions, beginning, after)
    return [(row.id, _session(beginning.open.get(row.id, row))) for row in rows]


def _event_page(beginning: _Beginning, keys: _Keys, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, event_rows(), events, beginning, after)
    parents = parents_of(connection, [row.id for row in rows])
    return [(row.id, _event(row, parents.get(row.id, ()), keys)) for row in rows]


def _observation_page(beginning: _Beginning, keys: _Keys, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, _observations(), observations, beginning, after)
    return [(row.id, _observation(connection, row, keys)) for row in rows]


def _reject_page(beginning: _Beginning, keys: _Keys, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, select(*rejects.c), rejects, beginning, after, _REJECTS)
    return [
        (row.id, reject_line(row.id, keys[row.session_id], row.received_at, row.reason, row.payload)) for row in rows
    ]


def _sessions() -> Select[Any]:
    c = sessions.c
    stream = (streams.c.url.label("stream"), streams.c.dialect)
    times = [c[instant] for instant in INSTANTS]
    return select(c.id, c.key.label("session"), *stream, *times, c.reason).join(streams, streams.c.id == c.stream_id)


def _session(row: Row[Any]) -> str:
    return session_line({key: value for key, value in row._mapping.items() if key != "id"})


def _event(row: Row[Any], parents: tuple[str, ...], keys: _Keys) -> str:
    return event_line(row.id, keys[row.session_id], row.received_at, row.name, original(row, parents))


def _observations() -> Select[Any]:
    o = observations.c
    joined = observations.join(resources, resources.c.id == o.resource_id).outerjoin(
        event_states, event_states.c.id == o.state_id
    )
    columns = (o.id, o.session_id, o.resource_id, o.observed_at, o.extra, resources.c.uri, resources.c.name)
    return select(*columns, event_states.c.text.label("state")).select_from(joined)


def _observation(connection: Connection, row: Any, keys: _Keys) -> str:
    # Which answer named a parent is not kept; so each names all that no event names.
    by_event = (
        select(event_parents.c.event_id)
        .join(events, events.c.id == event_parents.c.event_id)
        .where(events.c.resource_id == row.resource_id, event_parents.c.resource_id == resources.c.id)
    )
    above = (
        select(resources.c.uri)
        .join(resource_parents, resource_parents.c.parent_id == resources.c.id)
        .where(resource_parents.c.child_id == row.resource_id, resource_parents.c.derived == 0, ~by_event.exists())
        .order_by(resources.c.uri)
    )
    told = (row.uri, row.state, row.name, connection.scalars(above).all(), row.extra)
    return observation_line(row.id, keys[row.session_id], row.observed_at, *told)

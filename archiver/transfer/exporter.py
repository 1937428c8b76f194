"""Writes the whole archive as JSON Lines, from which `archiver import` makes one that answers the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, Table, func, select, tuple_

from archiver.model import Condition, Observation, Telling, to_micros
from archiver.storage.migrate import HEAD
from archiver.storage.pages import Ask
from archiver.storage.rows import event_rows, original, parents_of
from archiver.storage.schema import (
    GENERATION,
    IDENTITY,
    archive_properties,
    event_states,
    events,
    observations,
    rejects,
    resources,
    sessions,
    stream_conditions,
    streams,
    tellings,
    texts,
)
from archiver.storage.upgraded import observations_inferred
from archiver.storage.uuids import unpack
from archiver.transfer.format import (
    INSTANTS,
    condition_line,
    end_line,
    event_line,
    head_line,
    observation_line,
    reject_line,
    session_line,
    telling_line,
)

_PAGE = 500
_REJECTS = 20
_Page = list[tuple[Any, str]]
"""Numbers, or what else tells where the next page begins, and lines."""
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
    yield from _counted(counts, "condition", map(condition_line, beginning.conditions))
    keys = ask(_keys)
    yield from _counted(counts, "event", _paged(ask, partial(_event_page, beginning, keys)))
    yield from _counted(counts, "telling", _paged(ask, partial(_telling_page, beginning, keys), (0, 0)))
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
    conditions: list[Condition]
    inferred: int
    """Up to which number name and parents of observations are inferred."""


def _beginning(connection: Connection) -> _Beginning:
    known = {key: value for key, value in connection.execute(select(*archive_properties.c))}
    tables = (sessions, events, observations, rejects)
    ends = {table.name: connection.scalar(select(func.max(table.c.id))) or 0 for table in tables}
    still = connection.execute(_sessions().where(sessions.c.closed_at.is_(None)))
    return _Beginning(
        known.get(IDENTITY),
        known.get(GENERATION, ""),
        ends,
        {row.id: row for row in still},
        list(_conditions(connection)),
        observations_inferred(connection),
    )


def _conditions(connection: Connection) -> Iterator[Condition]:
    c = stream_conditions.c
    query = select(streams.c.url, streams.c.dialect, c.found_at, c.about, c.value)
    for row in connection.execute(query.join(streams, streams.c.id == c.stream_id).order_by(c.stream_id, c.about)):
        yield Condition(*row)


def _keys(connection: Connection) -> _Keys:
    keys: _Keys = {None: None}
    keys.update((row.id, row.key) for row in connection.execute(select(sessions.c.id, sessions.c.key)))
    return keys


def _paged(ask: Ask, read: Callable[[Connection, Any], _Page], after: Any = 0) -> Iterator[str]:
    """The lines of a table in the order of its numbers; each page starts after the last one's end."""
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
    parents = parents_of(connection, {row.parent_list_id for row in rows})
    return [
        (row.id, event_line(row.id, keys[row.session_id], row.received_at, _texts(row), original(row, above)))
        for row in rows
        for above in (parents[row.parent_list_id],)
    ]


def _texts(row: Row[Any]) -> dict[str, str | None]:
    return {"name": row.name, "image": row.image, "slot": row.slot}


def _telling_page(beginning: _Beginning, keys: _Keys, connection: Connection, after: tuple[int, int]) -> _Page:
    c = tellings.c
    query = select(c.event_id, c.session_id, c.received_at, events.c.occurred_at, events.c.uuid)
    behind = tuple_(c.event_id, c.session_id) > tuple_(*after)
    there = (c.event_id <= beginning.ends["events"], c.session_id <= beginning.ends["sessions"])
    rows = connection.execute(
        query.join(events, events.c.id == c.event_id)
        .where(behind, *there)
        .order_by(c.event_id, c.session_id)
        .limit(_PAGE)
    )
    return [
        ((row.event_id, row.session_id), telling_line(Telling(to_micros(row.occurred_at), unpack(row.uuid), key, at)))
        for row in rows
        for key, at in ((keys[row.session_id] or "", row.received_at),)
    ]


def _observation_page(beginning: _Beginning, keys: _Keys, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, _observations(), observations, beginning, after)
    parents = parents_of(connection, {row.parent_list_id for row in rows})
    return [
        (row.id, observation_line(row.id, _observation(row, parents[row.parent_list_id], keys, beginning.inferred)))
        for row in rows
    ]


def _reject_page(beginning: _Beginning, keys: _Keys, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, select(*rejects.c), rejects, beginning, after, _REJECTS)
    return [
        (row.id, reject_line(row.id, keys[row.session_id], row.received_at, row.reason, row.payload)) for row in rows
    ]


def _sessions() -> Select[Any]:
    c = sessions.c
    stream = (streams.c.url.label("stream"), streams.c.dialect)
    ended = (*(c[instant] for instant in INSTANTS), c.kind, c.reason)
    return select(c.id, c.key.label("session"), *stream, *ended).join(streams, streams.c.id == c.stream_id)


def _session(row: Row[Any]) -> str:
    return session_line({key: value for key, value in row._mapping.items() if key != "id"})


def _observations() -> Select[Any]:
    o, images, slots = observations.c, texts.alias("images"), texts.alias("slots")
    joined = (
        observations.join(resources, resources.c.id == o.resource_id)
        .outerjoin(event_states, event_states.c.id == o.state_id)
        .outerjoin(texts, texts.c.id == o.name_id)
        .outerjoin(images, images.c.id == o.image_id)
        .outerjoin(slots, slots.c.id == o.slot_id)
    )
    made = (images.c.text.label("image"), slots.c.text.label("slot"))
    told = (event_states.c.text.label("state"), texts.c.text.label("name"), *made)
    return select(o.id, o.session_id, o.observed_at, o.parent_list_id, o.extra, resources.c.uri, *told).select_from(
        joined
    )


def _observation(row: Row[Any], parents: tuple[str, ...], keys: _Keys, inferred: int) -> Observation:
    at, key = to_micros(row.observed_at), keys[row.session_id]
    return Observation(
        row.uri, row.state, row.name, parents, at, row.extra, key, row.id <= inferred, row.image, row.slot
    )

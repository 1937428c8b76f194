"""Writes the whole archive as JSON Lines, from which `archiver import` makes one that answers the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from archiver.model import Telling
from archiver.storage.database.reading import Connection, Row, micros
from archiver.storage.database.revision import HEAD
from archiver.storage.database.statements import statement
from archiver.storage.event_rows import EVENT_ROWS, original, parents_of
from archiver.storage.pages import Ask
from archiver.storage.uuids import unpack
from archiver.transfer.exported_rows import (
    OBSERVATIONS,
    SESSIONS,
    Beginning,
    Keys,
    beginning_of,
    counted,
    keys_of_sessions,
    observation_of,
    session_of,
    texts_of,
)
from archiver.transfer.format import (
    condition_line,
    end_line,
    event_line,
    head_line,
    observation_line,
    platform_line,
    reject_line,
    telling_line,
)

_PAGE = 500
_PAGE_OF_REJECTS = 20
_Page = list[tuple[Any, str]]
"""Numbers, or what else tells where the next page begins, and lines."""
_REJECTS = "SELECT j.id, j.platform_id, j.session_id, j.received_at, j.reason, j.payload FROM rejects j"
_TELLINGS = (
    "SELECT l.platform_id, l.event_id, l.session_id, l.received_at, e.occurred_at, e.uuid FROM tellings l"
    " JOIN events e ON e.platform_id = l.platform_id AND e.id = l.event_id"
    " WHERE (l.event_id, l.session_id) > (:event, :session)"
    " AND l.event_id <= :last_event AND l.session_id <= :last_session"
    f" ORDER BY l.event_id, l.session_id LIMIT {_PAGE}"
)


def export(ask: Ask) -> Iterator[str]:
    """The lines of `transfer.format`, without newline; events in the order of archiving.

    All of it is the archive as it was at the beginning, though each page is read for itself.
    """
    beginning = ask(beginning_of)
    yield head_line(beginning.identity, beginning.generation, HEAD)
    counts: Counter[str] = Counter()
    yield from counted(counts, "platform", map(platform_line, beginning.platforms.lines))
    yield from counted(counts, "session", _paged(ask, partial(_session_page, beginning)))
    yield from counted(counts, "condition", map(condition_line, beginning.conditions))
    keys = ask(keys_of_sessions)
    yield from counted(counts, "event", _paged(ask, partial(_event_page, beginning, keys)))
    yield from counted(counts, "telling", _paged(ask, partial(_telling_page, beginning, keys), (0, 0)))
    yield from counted(counts, "observation", _paged(ask, partial(_observation_page, beginning, keys)))
    yield from counted(counts, "reject", _paged(ask, partial(_reject_page, beginning, keys)))
    yield end_line(counts)


def _paged(ask: Ask, read: Callable[[Connection, Any], _Page], after: Any = 0) -> Iterator[str]:
    """The lines of a table in the order of its numbers; each page starts after the last one's end."""
    while page := ask(read, after):
        for _, line in page:
            yield line
        after = page[-1][0]


def _rows(connection: Connection, query: str, of: str, end: int, after: int, size: int = _PAGE) -> list[Row]:
    """The rows of a query behind a number, up to the `end`; `of` is what has it."""
    asked = statement(f"{query} WHERE {of}.id > :after AND {of}.id <= :end ORDER BY {of}.id LIMIT {size}")
    return connection.execute(asked, {"after": after, "end": end}).all()


def _session_page(beginning: Beginning, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, SESSIONS, "s", beginning.ends["sessions"], after)
    return [(row.id, session_of(beginning.open.get(row.id, row))) for row in rows]


def _event_page(beginning: Beginning, keys: Keys, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, EVENT_ROWS, "e", beginning.ends["events"], after)
    parents = parents_of(connection, rows)
    return [
        (row.id, event_line(row.id, keys[row.session_id], row.received_at, texts_of(row), original(row, above), whose))
        for row in rows
        for above in (parents[row.parent_list_id],)
        for whose in (beginning.platforms.stated(row.platform_id, row.session_id),)
    ]


def _telling_page(beginning: Beginning, keys: Keys, connection: Connection, after: tuple[int, int]) -> _Page:
    ends = {"last_event": beginning.ends["events"], "last_session": beginning.ends["sessions"]}
    rows = connection.execute(statement(_TELLINGS), {"event": after[0], "session": after[1], **ends})
    return [
        (
            (row.event_id, row.session_id),
            telling_line(Telling(micros(row.occurred_at), unpack(row.uuid), key, row.received_at, whose)),
        )
        for row in rows
        for key in (keys[row.session_id] or "",)
        for whose in (beginning.platforms.stated(row.platform_id, row.session_id),)
    ]


def _observation_page(beginning: Beginning, keys: Keys, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, OBSERVATIONS, "o", beginning.ends["observations"], after)
    parents = parents_of(connection, rows)
    return [
        (row.id, observation_line(row.id, observation_of(row, above, keys, beginning.inferred), whose))
        for row in rows
        for above in (parents[row.parent_list_id],)
        for whose in (beginning.platforms.stated_of_answer(row.platform_id, row.session_id, row.uri),)
    ]


def _reject_page(beginning: Beginning, keys: Keys, connection: Connection, after: int) -> _Page:
    rows = _rows(connection, _REJECTS, "j", beginning.ends["rejects"], after, _PAGE_OF_REJECTS)
    return [
        (row.id, reject_line(row.id, keys[row.session_id], row.received_at, row.reason, row.payload, whose))
        for row in rows
        for whose in (beginning.platforms.stated_of_reject(row.platform_id, row.session_id),)
    ]

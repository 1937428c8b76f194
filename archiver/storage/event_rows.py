"""Reads whole events back out of the tables they are spread over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from archiver.codec.events import rebuild
from archiver.model import Number, numbers_of
from archiver.storage.database.reading import Connection, micros
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.uuids import unpack
from archiver.storage.whole import whole_extra
from archiver.storage.words import TIME_SOURCES

EVENT_ROWS = (
    "SELECT e.id, e.platform_id, t.text AS type, a.text AS action, s.text AS state, r.uri, n.text AS name,"
    " i.text AS image, o.text AS slot, e.parent_list_id, e.occurred_at, e.time_source, e.received_at, e.uuid,"
    f" {whole_extra('e')} AS extra,"
    " e.session_id, e.resource_id FROM events e"
    " JOIN event_types t ON t.id = e.type_id LEFT JOIN event_actions a ON a.id = e.action_id"
    " LEFT JOIN event_states s ON s.id = e.state_id"
    " LEFT JOIN resources r ON r.platform_id = e.platform_id AND r.id = e.resource_id"
    " LEFT JOIN texts n ON n.id = e.name_id LEFT JOIN texts i ON i.id = e.image_id"
    " LEFT JOIN texts o ON o.id = e.slot_id"
)
"""Everything of an event but its parents; `name`, `image` and `slot` are what it gives its resource."""
_MEMBERS = (
    "SELECT m.list_id, m.resource_id FROM parent_list_members m"
    " WHERE m.platform_id = :platform AND m.list_id IN :numbers ORDER BY m.list_id, m.position"
)
_URIS = "SELECT r.id, r.uri FROM resources r WHERE r.platform_id = :platform AND r.id IN :numbers"


def parents_of(connection: Connection, rows: Iterable[Any]) -> dict[int | None, tuple[str, ...]]:
    """The URIs in the lists of parents that rows have, in their order, by the number of the list; none for no list."""
    lists = {numbers_of(row.platform_id)(row.parent_list_id) for row in rows if row.parent_list_id is not None}
    members: dict[int | None, list[Number]] = {}
    for among in by_platform(lists):
        for number, member in connection.execute(statement(_MEMBERS), among.values()):
            members.setdefault(number, []).append(among.of(member))
    # Not a join: PostgreSQL would read all resources of a small archive for it.
    uris: dict[int, str] = {}
    for among in by_platform({member for found in members.values() for member in found}):
        uris.update((number, uri) for number, uri in connection.execute(statement(_URIS), among.values()))
    return {None: (), **{number: tuple(uris[member] for member in found) for number, found in members.items()}}


def original(row: Any, parents: tuple[str, ...]) -> dict[str, Any]:
    """The JSON value that the platform sent, from a row of `EVENT_ROWS`."""
    uuid = None if row.uuid is None else unpack(row.uuid)
    source, occurred_at = TIME_SOURCES[row.time_source], micros(row.occurred_at)
    return rebuild(row.type, row.action, row.state, row.uri, parents, occurred_at, source, uuid, row.extra)

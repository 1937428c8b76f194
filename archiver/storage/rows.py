"""Reads whole events as `event_rows` does, for the writer, which knows them by SQLAlchemy's tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Row, Select, literal_column, select

from archiver.model import Event, to_micros
from archiver.storage.bulk import chunks
from archiver.storage.schema import (
    TIME_SOURCES,
    Word,
    event_actions,
    event_states,
    event_types,
    events,
    parent_list_members,
    resources,
    texts,
)
from archiver.storage.uuids import unpack
from archiver.storage.whole import whole_extra

_images, _slots = texts.alias("images"), texts.alias("slots")


def event_rows() -> Select[Any]:
    """Everything of an event but its parents; `name`, `image` and `slot` are what it gives its resource."""
    joined = (
        events.join(event_types, event_types.c.id == events.c.type_id)
        .outerjoin(event_actions, event_actions.c.id == events.c.action_id)
        .outerjoin(event_states, event_states.c.id == events.c.state_id)
        .outerjoin(
            resources,
            (resources.c.platform_id == events.c.platform_id) & (resources.c.id == events.c.resource_id),
        )
        .outerjoin(texts, texts.c.id == events.c.name_id)
        .outerjoin(_images, _images.c.id == events.c.image_id)
        .outerjoin(_slots, _slots.c.id == events.c.slot_id)
    )
    c = events.c
    return select(
        c.id,
        c.platform_id,
        event_types.c.text.label("type"),
        event_actions.c.text.label("action"),
        event_states.c.text.label("state"),
        resources.c.uri,
        texts.c.text.label("name"),
        _images.c.text.label("image"),
        _slots.c.text.label("slot"),
        c.parent_list_id,
        c.occurred_at,
        c.time_source,
        c.received_at,
        c.uuid,
        literal_column(whole_extra("events"), Word).label("extra"),
        c.session_id,
    ).select_from(joined)


def parents_of(connection: Connection, lists: Iterable[tuple[int, int | None]]) -> dict[int | None, tuple[str, ...]]:
    """The URIs in lists of parents, in their order, by the number of the list; none for no list.

    `lists`: the platform of each, and its number.
    """
    found: dict[int | None, tuple[str, ...]] = {None: ()}
    by_platform: dict[int, set[int]] = {}
    for platform, number in lists:
        if number is not None:
            by_platform.setdefault(platform, set()).add(number)
    for platform, numbers in by_platform.items():
        found.update(_parents_on(connection, platform, numbers))
    return found


def _parents_on(connection: Connection, platform: int, lists: Iterable[int]) -> Iterator[tuple[int, tuple[str, ...]]]:
    c, r = parent_list_members.c, resources.c
    members: dict[int, list[int]] = {}
    for part in chunks(lists):
        query = select(c.list_id, c.resource_id).where(c.platform_id == platform, c.list_id.in_(part))
        for number, member in connection.execute(query.order_by(c.list_id, c.position)):
            members.setdefault(number, []).append(member)
    # Not a join: PostgreSQL would read all resources of a small archive for it.
    uris: dict[int, str] = {}
    for part in chunks({member for found in members.values() for member in found}):
        asked = select(r.id, r.uri).where(r.platform_id == platform, r.id.in_(part))
        uris.update((number, uri) for number, uri in connection.execute(asked))
    return ((number, tuple(uris[member] for member in found)) for number, found in members.items())


def event_of(row: Row[Any], parents: tuple[str, ...]) -> Event:
    """The event in a row of `event_rows`, without its session; URIs that it spells otherwise stand in `extra`."""
    return Event(
        row.type,
        row.action,
        row.state,
        row.uri,
        parents,
        to_micros(row.occurred_at),
        TIME_SOURCES[row.time_source],
        row.received_at,
        None if row.uuid is None else unpack(row.uuid),
        row.extra,
        None,
        row.name,
        row.image,
        row.slot,
        row.platform_id,
    )

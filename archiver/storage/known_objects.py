"""Reads what the archive knows of objects, for who compares with it what a platform answered.

Works inside the recorder's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from archiver.model import Micros, Observation, ResourceRef, to_micros
from archiver.platforms.facts import LAGS
from archiver.storage.bulk import chunks
from archiver.storage.schema import (
    OPEN,
    PARENT,
    TARGET,
    event_states,
    event_types,
    events,
    facts,
    present,
    resources,
    texts,
)

_SECOND = 1_000_000
_NO_TAGS = "[]"
_names, _images, _tags = (texts.alias(name) for name in ("names", "images", "tags"))
_r, _p, _f, _e = resources.c, present.c, facts.c, events.c


class Known(NamedTuple):
    """What the archive knows of an object."""

    platform_id: int
    id: int
    first_at: Micros
    last_at: Micros | None
    state: str | None
    """In lower case."""
    state_at: Micros | None
    state_source: int | None
    last_source: int | None
    gone_at: Micros | None
    name: str | None
    image: str | None
    tags: str
    """As a JSON list."""
    above: frozenset[ResourceRef]
    """What it is directly under, or as an action applies to."""


class LastTold(NamedTuple):
    """The last event of an object."""

    received_at: Micros
    occurred_at: Micros
    is_tagged: bool
    """Whether it said which tags the object bears."""


def is_recent(told: LastTold, asked: Micros) -> bool:
    """Whether an event came so shortly before a question, or after it, that the answer may not know of it."""
    return told.received_at >= asked - LAGS * _SECOND


def known_objects(
    connection: Connection, items: Collection[Observation], refs: Collection[ResourceRef]
) -> dict[ResourceRef, Known]:
    """What the archive knows of objects that answers, all of one platform, are about."""
    wanted, platform = set(refs), next((item.platform for item in items), None)
    rows: dict[int, Any] = {}
    for part in chunks({ref.key for ref in refs}):
        for row in connection.execute(_standing().where(_r.platform_id == platform, _r.key.in_(part))):
            if ResourceRef(row.type, row.key) in wanted:
                rows[row.id] = row
    above: dict[int, set[ResourceRef]] = {}
    for number, kind, key in _above(connection, platform, rows):
        above.setdefault(number, set()).add(ResourceRef(kind, key))
    return {
        ResourceRef(row.type, row.key): Known(
            row.platform_id,
            row.id,
            row.first_at,
            row.last_at,
            folded(row.state),
            row.state_at,
            row.state_source,
            row.last_source,
            row.gone_at,
            row.name,
            row.image,
            row.tags or _NO_TAGS,
            frozenset(above.get(row.id, ())),
        )
        for row in rows.values()
    }


def _standing() -> Select[Any]:
    joined = (
        resources.join(event_types, event_types.c.id == _r.type_id)
        .join(present, (_p.platform_id == _r.platform_id) & (_p.resource_id == _r.id))
        .outerjoin(event_states, event_states.c.id == _p.state_id)
        .outerjoin(_names, _names.c.id == _p.name_id)
        .outerjoin(_images, _images.c.id == _p.image_id)
        .outerjoin(_tags, _tags.c.id == _p.tags_id)
    )
    return select(
        _r.platform_id,
        _r.id,
        _r.key,
        event_types.c.text.label("type"),
        _p.first_at,
        _p.last_at,
        event_states.c.text.label("state"),
        _p.state_at,
        _p.state_source,
        _p.last_source,
        _p.gone_at,
        _names.c.text.label("name"),
        _images.c.text.label("image"),
        _tags.c.text.label("tags"),
    ).select_from(joined)


def _above(connection: Connection, platform: int | None, numbers: Collection[int]) -> Iterator[tuple[int, str, str]]:
    """What each of some objects is directly under, or applies to: its number, and the other's type and key."""
    value = (_r.platform_id == _f.platform_id) & (_r.id == _f.value)
    joined = facts.join(resources, value).join(event_types, event_types.c.id == _r.type_id)
    holds = ((_f.what == PARENT) & (_f.until == OPEN)) | (_f.what == TARGET)
    for part in chunks(numbers):
        told = select(_f.resource_id, event_types.c.text, _r.key).select_from(joined)
        yield from map(
            tuple, connection.execute(told.where(_f.platform_id == platform, _f.resource_id.in_(part), holds))
        )


def last_told(connection: Connection, platform: int, number: int) -> LastTold | None:
    """The last event of an object: what it tells may be news to the answers of a while."""
    last = select(_e.received_at, _e.occurred_at, _e.tags_id).where(
        _e.platform_id == platform, _e.resource_id == number
    )
    row = connection.execute(last.order_by(_e.occurred_at.desc(), _e.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    return LastTold(row.received_at, to_micros(row.occurred_at), row.tags_id is not None)


def folded(state: str | None) -> str | None:
    """A state as it is compared: platforms spell one in more than one way."""
    return None if state is None else state.lower()

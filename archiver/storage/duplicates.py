"""Tells events that the archive already has from new ones by time and uuid; `inventory` does those without a uuid."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from archiver.codec.events import rebuild
from archiver.codec.forgetting import FORGOTTEN
from archiver.codec.text import dump
from archiver.model import Event, EventColumns, Reject, iso
from archiver.platforms.decoders import essence_of
from archiver.storage import schema
from archiver.storage.bulk import chunks
from archiver.storage.rows import event_of, event_rows, parents_of
from archiver.storage.uuids import pack_all

CONFLICT = "its uuid is archived already, with other content"
ANEW = frozenset({"received", "told", "engine"})
"""Where a time is from that each who tells or hears of an event finds anew: then its uuid alone says which it is."""

_c, _anew = schema.events.c, schema.told_anew.c


def anew(events: EventColumns) -> list[tuple[int | None, bytes]]:
    """Platform and packed uuid of those events whose uuid alone says which they are."""
    if ANEW.isdisjoint(events.time_source):
        return []
    told = zip(events.platform, pack_all(events.uuid), events.time_source, strict=True)
    return [(platform, uuid) for platform, uuid, source in told if uuid is not None and source in ANEW]


_Identity = tuple[int | None, int | None, str | None]
"""Platform, time and uuid of an event; no time where it is found anew."""


@dataclass(frozen=True, slots=True)
class Known:
    """An event that is archived, or stands earlier in the same batch."""

    event: Event
    number: int | None = None
    session_id: int | None = None
    place: int = 0
    """Where it has no number yet: its place among the new events."""


class Retold(NamedTuple):
    """An event that is told once more, and the one that it is."""

    event: Event
    known: Known


class Sifted(NamedTuple):
    """A batch without what the archive has: new events, those that say something else, and what is told once more."""

    events: EventColumns
    conflicts: list[Event]
    again: list[Retold]


def has_repeated_uuid(events: EventColumns) -> bool:
    """Whether two events of a batch carry the same uuid."""
    nameless = events.uuid.count(None)
    return len(set(events.uuid)) - bool(nameless) < len(events.uuid) - nameless


def drop_duplicates(connection: Connection, events: EventColumns) -> Sifted:
    """Leaves out the events that are there already, and those that say something else than what is there.

    What another platform tells is another event, whatever its uuid.
    """
    known: dict[_Identity, Known] = {}
    for found in _archived(connection, events):
        known.update(dict.fromkeys(_identities(found.event), found))
    if not known and not has_repeated_uuid(events):
        return Sifted(events, [], [])
    new: list[Event] = []
    conflicts: list[Event] = []
    again: list[Retold] = []
    for event in events.events():
        identities = _identities(event) if event.uuid is not None else ()
        there = next((known[identity] for identity in identities if identity in known), None)
        if there is None:
            known.update(dict.fromkeys(identities, Known(event, place=len(new))))
            new.append(event)
        elif _says_nothing_else(event, there.event):
            again.append(Retold(event, there))
        else:
            conflicts.append(event)
    return Sifted(EventColumns.of(new), conflicts, again)


Original = Callable[[Event], bytes | None]
"""The message that an event was made of, byte for byte; None where nobody has it any more."""


def rejects_of(conflicts: Iterable[Event], original: Original | None) -> list[Reject]:
    """What is kept of events whose uuid is archived with other content: their messages, or what these said."""
    return [
        Reject(
            (original(event) if original else None) or dump(value_of(event)).encode(),
            CONFLICT,
            event.received_at,
            event.session,
        )
        for event in conflicts
    ]


def _identities(event: Event) -> tuple[_Identity, ...]:
    """What must not be there twice, as the indexes have it: time and uuid, or the uuid where the time is found anew."""
    dated = (event.platform, event.occurred_at, event.uuid)
    return ((event.platform, None, event.uuid), dated) if event.time_source in ANEW else (dated,)


def _says_nothing_else(event: Event, known: Event) -> bool:
    """Whether it is the same event, or as much of it as `archiver events` lists."""
    if _is_forgotten(known):
        return True  # what it said may never come back
    as_known = event.extra is None or (event.extra, event.time_source) == (known.extra, known.time_source)
    if as_known and _listed(event) == _listed(known):
        return True
    return _content(value_of(event)) == _content(value_of(known))


def _is_forgotten(known: Event) -> bool:
    """Whether something was taken out of an event."""
    said = (known.extra, known.name, known.resource_uri, known.state, *known.parents)
    return any(FORGOTTEN in text for text in said if text)


def _listed(event: Event) -> tuple[object, ...]:
    at = None if event.time_source in ANEW else event.occurred_at
    return event.type, event.action, event.state, event.resource_uri, event.parents, at


def _content(value: dict[str, Any]) -> str:
    """What the platform said, to be compared; of a Docker Engine what makes its message the one it is.

    What stands beside the message is ours, and an engine tells it to a client of another version with other keys.
    """
    essence = essence_of(value)
    return canonical(value) if essence is None else essence


def canonical(value: Any) -> str:
    """JSON text that is the same for the same value, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True)


def value_of(event: Event) -> dict[str, Any]:
    """The JSON value that the platform sent."""
    return rebuild(
        event.type,
        event.action,
        event.state,
        event.resource_uri,
        event.parents,
        event.occurred_at,
        event.time_source,
        event.uuid,
        event.extra,
    )


def _archived(connection: Connection, events: EventColumns) -> Iterator[Known]:
    """The archived events that any of these may be."""
    numbers: dict[int, set[int]] = {}
    for platform, number in chain(_dated(connection, events), _dated_anew(connection, events)):
        numbers.setdefault(platform, set()).add(number)
    for platform, found in numbers.items():
        for part in chunks(found):
            rows = connection.execute(event_rows().where(_c.platform_id == platform, _c.id.in_(part))).all()
            parents = parents_of(connection, {(platform, row.parent_list_id) for row in rows})
            for row in rows:
                yield Known(event_of(row, parents[row.parent_list_id]), row.id, row.session_id)


def holds_any(connection: Connection, events: EventColumns, platform: int) -> bool:
    """Whether any of these is archived as an event of a platform, by its uuid."""
    theirs = events._replace(platform=(platform,) * len(events.type))
    return any(True for _ in chain(_dated(connection, theirs), _dated_anew(connection, theirs)))


def _dated(connection: Connection, events: EventColumns) -> Iterator[tuple[int, int]]:
    """Platforms and numbers of the archived events with the platform, time and uuid of any of these."""
    told = zip(events.platform, events.occurred_at, pack_all(events.uuid), strict=True)
    asked = dict.fromkeys((platform, at, uuid) for platform, at, uuid in told if uuid is not None)
    postgres = connection.dialect.name == "postgresql"
    for part in chunks(asked):
        if postgres:
            platforms, moments, uuids = zip(*part, strict=True)
            columns = list(platforms), list(map(iso, moments)), [uuid.hex() for uuid in uuids]
            found = connection.exec_driver_sql(_ASK_POSTGRES, columns)
        else:
            values = chain.from_iterable((platform, iso(at), uuid) for platform, at, uuid in part)
            found = connection.exec_driver_sql(_ask_sqlite(len(part)), tuple(values))
        yield from map(tuple, found)


# By hand, since SQLAlchemy takes longer to put as many pairs into a statement than the database to find them.
_ASK = (
    "SELECT e.platform_id, e.id FROM asked JOIN events e"
    " ON e.platform_id = asked.platform AND e.occurred_at = asked.moment AND e.uuid = asked.uuid"
)
# The bytes as digits: in an array the driver spells them wrong where `standard_conforming_strings` is off.
_ASK_POSTGRES = (
    "WITH asked (platform, moment, uuid) AS (SELECT p, m, decode(u, 'hex')"
    f" FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS given (p, m, u)) {_ASK}"
)


@lru_cache(maxsize=4)
def _ask_sqlite(events: int) -> str:
    return f"WITH asked (platform, moment, uuid) AS (VALUES {','.join(['(?,?,?)'] * events)}) {_ASK}"


def _dated_anew(connection: Connection, events: EventColumns) -> Iterator[tuple[int, int]]:
    """Platforms and numbers of the archived events with the uuid of any of these, where a time is found anew."""
    by_platform: dict[int | None, set[bytes]] = {}
    for platform, uuid in anew(events):
        by_platform.setdefault(platform, set()).add(uuid)
    for platform, uuids in by_platform.items():
        for part in chunks(uuids):
            found = select(_anew.platform_id, _anew.event_id)
            yield from map(tuple, connection.execute(found.where(_anew.platform_id == platform, _anew.uuid.in_(part))))

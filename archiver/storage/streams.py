"""Keeps the rows of streams, and how things stand with each at present."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, false, insert, or_, select

from archiver.model import Condition, Opened
from archiver.storage import schema
from archiver.storage.numbers import Numbers
from archiver.storage.platforms import Platforms
from archiver.storage.stream_rows import known_stream, new_stream

_LOOKED_AT = 20
_conditions = schema.stream_conditions


def note_conditions(
    connection: Connection,
    numbers: Numbers,
    platforms: Platforms,
    conditions: Iterable[Condition],
    opened: Iterable[Opened],
    receiver_id: int | None,
    *,
    together: bool = False,
) -> None:
    """Writes down how things stand with the streams, the latest of each; one that was opened is in trouble no more.

    What is imported, and no receiver's, may be of long ago: it leaves what was found since, and the trouble that a
    receiver is in. What a receiver tells is news whatever its clock says, which may have been set.
    `together`: as `Platforms.of_stream` has it.
    """
    latest: dict[tuple[str, str], tuple[int, Condition | Opened]] = {}
    told: list[Condition | Opened] = [*conditions, *opened]
    for item in told:
        place = (item.of if isinstance(item, Condition) else "trouble", item.stream)
        if place not in latest or item.at >= latest[place][0]:
            latest[place] = (item.at, item)
    c = _conditions.c
    for (about, url), (at, item) in latest.items():
        known = platforms.heard_on(connection, url, receiver_id)
        here = (c.stream_id == (known.id if known is not None else 0), c.about == about)
        if receiver_id is None:
            is_theirs = c.receiver_id.is_not(None) if isinstance(item, Condition) and about == "trouble" else false()
            if connection.scalar(select(c.found_at).where(*here, or_(c.found_at > at, is_theirs))) is not None:
                continue
        connection.execute(delete(_conditions).where(*here))
        if isinstance(item, Condition) and item.value is not None:
            of = known or new_stream(connection, numbers, url, item.dialect)
            if about == "identity":
                platforms.identify(connection, of, item.value, together=together)
            row = {"stream_id": of.id, "about": about, "found_at": at, "value": item.value}
            connection.execute(insert(_conditions).values(row | {"receiver_id": receiver_id}))


def engine_of(connection: Connection, url: str) -> dict[str, str] | None:
    """What the messages of a Docker Engine last said it is: `engine`, `node`, `swarm`, each where it is known.

    Empty for a stream of a platform whose keys are the same everywhere; None when nothing tells.
    """
    stream = known_stream(connection, url)
    if stream is None:
        return None
    if stream.dialect != "docker":
        return {}
    own = select(schema.sessions.c.id).where(schema.sessions.c.stream_id == stream.id)
    for table in (schema.events, schema.observations):
        told = select(table.c.extra).where(table.c.session_id.in_(own), table.c.extra.contains('"engine":'))
        for extra in connection.scalars(told.order_by(table.c.id.desc()).limit(_LOOKED_AT)):
            if found := _engine(json.loads(extra)):
                return found
    return None


def _engine(extra: dict[str, Any]) -> dict[str, str] | None:
    """What the envelope of a message says of its engine, or what was observed of the node that it is."""
    engine, node = extra.get("engine"), extra.get("node", extra.get("id"))
    if type(engine) is not str or not engine:
        return None
    found = {"engine": engine, "node": node if node != engine else None, "swarm": extra.get("swarm")}
    return {key: text for key, text in found.items() if type(text) is str and text}

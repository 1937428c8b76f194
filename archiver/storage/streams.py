"""Keeps the rows of streams, and how things stand with each at present."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from archiver.model import Condition, Opened, iso
from archiver.storage import schema
from archiver.storage.lookups import next_id

_LOOKED_AT = 20
_properties = schema.archive_properties


def stream_number(connection: Connection, url: str, dialect: str) -> int:
    """The row number of a stream; its row is made when it is first heard of."""
    table = schema.streams
    number: int | None = connection.scalar(select(table.c.id).where(table.c.url == url))
    if number is None:
        number = next_id(connection, table)
        connection.execute(insert(table).values(id=number, url=url, dialect=dialect))
    return number


def condition_key(of: str, url: str) -> str:
    """Under which property of the archive a condition of a stream stands, as JSON: `at` and `value`."""
    return f"{of} {url}"


def note_conditions(connection: Connection, conditions: Iterable[Condition], opened: Iterable[Opened]) -> None:
    """Writes down how things stand with the streams, the latest of each; one that was opened is in trouble no more."""
    latest: dict[tuple[str, str], tuple[int, Condition | None]] = {}
    told: list[Condition | Opened] = [*conditions, *opened]
    for item in told:
        found = item if isinstance(item, Condition) else None
        place = (found.of if found else "trouble", item.stream)
        if place not in latest or item.at >= latest[place][0]:
            latest[place] = (item.at, found)
    for (of, url), (at, condition) in latest.items():
        key = condition_key(of, url)
        connection.execute(delete(_properties).where(_properties.c.key == key))
        if condition is not None and condition.value is not None:
            stream_number(connection, url, condition.dialect)
            value = json.dumps({"at": iso(at), "value": condition.value})
            connection.execute(insert(_properties).values(key=key, value=value))


def engine_of(connection: Connection, url: str) -> dict[str, str] | None:
    """What the messages of a Docker Engine last said it is: `engine`, `node`, `swarm`, each where it is known.

    Empty for a stream of a platform whose keys are the same everywhere; None when nothing tells.
    """
    stream = connection.execute(
        select(schema.streams.c.id, schema.streams.c.dialect).where(schema.streams.c.url == url)
    ).one_or_none()
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

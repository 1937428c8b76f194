"""Keeps the rows of streams, and how things stand with each at present."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select

from archiver.model import Condition, Opened, iso
from archiver.storage import schema
from archiver.storage.lookups import next_id

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

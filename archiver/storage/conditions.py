"""Keeps how things stand with each stream at present."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, false, insert, or_, select

from archiver.model import Condition, Opened
from archiver.storage import schema
from archiver.storage.numbers import Numbers
from archiver.storage.platforms import Platforms
from archiver.storage.stream_rows import new_stream

_conditions = schema.stream_conditions


def note_conditions(
    connection: Connection,
    numbers: Numbers,
    platforms: Platforms,
    conditions: Iterable[Condition],
    opened: Iterable[Opened],
    receiver_id: int | None,
    *,
    together: bool,
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

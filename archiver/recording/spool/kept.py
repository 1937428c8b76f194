"""Reads back what a spool's file holds: items, and which sessions had begun before them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from archiver.model import Item, Micros, Opened, now_micros
from archiver.recording.spool.file import COLUMNS, to_item
from archiver.recording.spool.recent import Group
from archiver.recording.spool.room import ITEM_BYTES

_BEGUN = (
    "SELECT stream, session, max(dialect), sum(kind = 'opened'),"
    " min(CASE WHEN kind IN ('message', 'refused', 'alive', 'opened') THEN at END)"
    " FROM spool WHERE seq > ? GROUP BY stream, session"
)
"""What was asked, or found out, may be of before: it shows nobody that the stream was heard since."""


def read_back(connection: sqlite3.Connection, after: int, until: int, most: int, most_bytes: int) -> Group | None:
    """Items that follow number `after`, up to `until`, as many as fit, at least one; None where there is none."""
    query = f"SELECT {COLUMNS} FROM spool WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
    items: list[Item] = []
    first = size = 0
    with closing(connection.execute(query, (after, until, most))) as rows:
        for seq, *row in rows:
            first = first or seq
            items.append(to_item(*row))
            size += len(row[5] or b"") + ITEM_BYTES
            if size >= most_bytes:
                break
    return Group(first, items, size) if items else None


def begun_before(connection: sqlite3.Connection, upto: int) -> tuple[Micros, list[Opened]]:
    """From when on all is heard after a number, and the sessions whose opening is not among what came since."""
    found = connection.execute(_BEGUN, (upto,)).fetchall()
    now = now_micros()
    begun = [
        Opened(stream, session, dialect, at or now, at or now)
        for stream, session, dialect, is_opened, at in found
        if dialect and not is_opened
    ]
    return min((at for *_, at in found if at is not None), default=now), begun

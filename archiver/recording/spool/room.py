"""The room that items take in a spool's file: counted, deleted in parts, and given back to the disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress

ITEM_BYTES = 128
"""What an item counts besides its payload, so that even messages without a byte come to an end of the room."""
SPARE_PAGES = 256
"""Free pages of the file that are kept for what comes next."""
FEW_PAGES = 400
"""Pages that are given back to the disk at once on a full one: all of them may be written."""
MANY_PAGES = 2000
_PART = 1 << 20
"""Bytes of items that are deleted at once on a full disk, or one item, for the same reason."""
SIZE = f"SELECT sum(ifnull(length(payload), 0) + {ITEM_BYTES}) FROM spool"


def deleted(connection: sqlite3.Connection, first: int, upto: int) -> int:
    """Deletes items by their numbers, as a part of a transaction that is there anyway, so that it costs no commit of
    its own; returns the bytes that it frees."""
    if upto < first:
        return 0
    freed = connection.execute(f"{SIZE} WHERE seq BETWEEN ? AND ?", (first, upto)).fetchone()[0]
    connection.execute("DELETE FROM spool WHERE seq BETWEEN ? AND ?", (first, upto))
    return freed or 0


def part_until(connection: sqlite3.Connection, first: int, upto: int) -> int:
    """The last of the oldest items that are deleted at once, at most `upto`."""
    sizes = f"SELECT seq, ifnull(length(payload), 0) + {ITEM_BYTES} FROM spool WHERE seq <= ? ORDER BY seq"
    size, last = 0, first - 1
    with closing(connection.execute(sizes, (upto,))) as rows:
        for seq, bytes_ in rows:
            size += bytes_
            if size > _PART and last >= first:
                return last
            last = int(seq)
    return upto


def free_pages(connection: sqlite3.Connection) -> int:
    """Pages of the file that nothing is in."""
    return int(connection.execute("PRAGMA freelist_count").fetchone()[0])


def shrink(connection: sqlite3.Connection, pages: int) -> None:
    """Gives free pages back to the disk."""
    # Only a script is stepped to its end: execute() would free a single page. The checkpoint cuts the file.
    connection.executescript(f"PRAGMA incremental_vacuum({pages}); PRAGMA wal_checkpoint(PASSIVE)")


def shrink_in_parts(connection: sqlite3.Connection) -> None:
    """The same as far as it goes, with little room for the log."""
    before = free_pages(connection) + 1
    while SPARE_PAGES < (free := free_pages(connection)) < before:
        before = free
        shrink(connection, FEW_PAGES)
        empty_log(connection)


def empty_log(connection: sqlite3.Connection) -> None:
    """Empties the log, so that what comes next needs no more room than it; a reader may be in the way."""
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()


def written_without_rest(connection: sqlite3.Connection) -> bool:
    """Writes the file anew, without what was deleted from it; False where a reader is in the way."""
    connection.execute("PRAGMA secure_delete=ON").close()
    connection.execute("VACUUM").close()
    connection.execute("PRAGMA busy_timeout=200").close()
    blocked, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.execute("PRAGMA busy_timeout=10000").close()
    connection.execute("PRAGMA secure_delete=OFF").close()
    return not blocked

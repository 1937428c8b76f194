"""How many rows of a kind there are, by the numbers that were given."""

from __future__ import annotations

from archiver.storage.reading import Connection
from archiver.storage.statements import statement

_LAST = statement("SELECT n.last FROM numbers n WHERE n.name = :name")


def last_number(connection: Connection, table: str) -> int:
    """The number given last in a table, 0 when there is none: it counts the rows, which are never deleted."""
    return connection.scalar(_LAST, {"name": table}) or 0

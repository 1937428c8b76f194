"""How many rows of a kind there are, by the numbers that were given."""

from __future__ import annotations

from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import statement

_LAST = statement("SELECT n.last FROM numbers n WHERE n.name = :name")

_WORDS = statement("SELECT n.name, n.last FROM numbers n WHERE n.name IN ('events', 'observations')")


def last_numbers(connection: Connection) -> dict[str, int]:
    """The numbers given last to events and to observations."""
    return {"events": 0, "observations": 0, **dict(connection.execute(_WORDS))}


def last_number(connection: Connection, table: str) -> int:
    """The number given last in a table, 0 when there is none: it counts the rows, which are never deleted."""
    return connection.scalar(_LAST, {"name": table}) or 0

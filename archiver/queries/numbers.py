"""How many rows of a kind there are, by the numbers that were given."""

from __future__ import annotations

from sqlalchemy import Connection, Table, select

from archiver.storage.schema import numbers


def last_number(connection: Connection, table: Table) -> int:
    """The number given last in a table, 0 when there is none: it counts the rows, which are never deleted."""
    return connection.scalar(select(numbers.c.last).where(numbers.c.name == table.name)) or 0

"""Gives the numbers of new rows, none of them twice: they come from a table of their own, and not from the last row."""

from __future__ import annotations

from sqlalchemy import Connection, Table, bindparam, func, literal, select, union_all, update

from archiver.storage import schema

NUMBERED: tuple[Table, ...] = (
    schema.events,
    schema.observations,
    schema.rejects,
    schema.resources,
    schema.sessions,
    schema.platforms,
    schema.streams,
    schema.receivers,
    schema.texts,
    schema.parent_lists,
    schema.shared_texts,
    schema.event_types,
    schema.event_actions,
    schema.event_states,
)
"""The tables whose rows have numbers."""

_table = schema.numbers
# Locked on PostgreSQL until the transaction ends; SQLite knows one writer only, and leaves the words out.
_READ = select(_table.c.name, _table.c.last).order_by(_table.c.name).with_for_update()
_MOVE = update(_table).where(_table.c.name == bindparam("table")).values(last=bindparam("upto"))


def first_rows() -> list[dict[str, object]]:
    """The rows of `numbers` in an archive in which none was given yet."""
    return [{"name": table.name, "last": 0} for table in NUMBERED]


def last_numbers(connection: Connection) -> dict[str, int]:
    """The last number given in each table, by its name."""
    return {name: last for name, last in connection.execute(select(_table.c.name, _table.c.last))}


def raise_to_rows(connection: Connection) -> None:
    """Leaves no number to be given that a row has already, whoever wrote that; the caller is the one who writes."""
    highest = union_all(*(select(literal(table.name), func.coalesce(func.max(table.c.id), 0)) for table in NUMBERED))
    given = last_numbers(connection)
    ahead = [
        {"table": name, "upto": last} for name, last in connection.execute(highest) if last > given.get(name, last)
    ]
    if ahead:
        connection.execute(_MOVE, ahead)


class Numbers:
    """The numbers given in one transaction: read with the first of them, written at its end."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._given: set[str] = set()

    def forget(self) -> None:
        """Begins anew, with a transaction that begins or has failed."""
        self._last.clear()
        self._given.clear()

    def take(self, connection: Connection, table: Table, count: int) -> int:
        """The first of so many new numbers of a table, which follow each other."""
        if not self._last:
            self._last = {name: last for name, last in connection.execute(_READ)}
        first = self._last[table.name] + 1
        if count:
            self._last[table.name] += count
            self._given.add(table.name)
        return first

    def last(self, connection: Connection, table: Table) -> int:
        """The last number that was given in a table, in this transaction or before."""
        return self.take(connection, table, 0) - 1

    def flush(self, connection: Connection) -> None:
        """Writes what was given, at the end of a transaction."""
        if self._given:
            connection.execute(_MOVE, [{"table": name, "upto": self._last[name]} for name in sorted(self._given)])
        self.forget()

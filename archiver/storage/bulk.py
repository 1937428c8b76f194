"""Gives a database many rows or values at once, in the way that suits it best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Table, exc

Row = tuple[Any, ...]
T = TypeVar("T")

# SQLite takes 32,766 parameters a statement. One statement of many rows costs less than as many executions, and the
# driver lets other threads run once for all of them.
_PARAMETERS = 32_000
_SMALL = 100
_CHUNK = 1000


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Inserts rows that hold every column of a table, in its order.

    Texts must be clean (`codec.text.is_clean`); instants are ISO text, which both databases take.
    Raises sqlalchemy.exc.IntegrityError for a second row with the same key, and other DBAPIError as they come.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows)
    else:
        _insert(connection, table, rows)


def _insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    start, width = 0, len(table.columns)
    for size in (_PARAMETERS // width, _SMALL):
        while len(rows) - start >= size:
            part = rows[start : start + size]
            connection.exec_driver_sql(_statement(table.name, width, size), tuple(chain.from_iterable(part)))
            start += size
    if start < len(rows):
        connection.exec_driver_sql(_statement(table.name, width, 1), list(rows[start:]))


@lru_cache(maxsize=64)
def _statement(table: str, width: int, rows: int) -> str:
    row = f"({','.join('?' * width)})"
    return f"INSERT INTO {table} VALUES {','.join([row] * rows)}"


def _copy(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    # In the binary format, which the driver writes in half the time that the other one's text takes. Straight into the
    # table: by way of another one and ON CONFLICT DO NOTHING a row costs the server half as much again.
    import psycopg

    columns = _columns(table)
    statement = f"COPY {table.name} ({', '.join(table.columns.keys())}) FROM STDIN (FORMAT BINARY)"
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types(columns.types)
            for row in _with_instants(rows, columns.instants):
                copy.write_row(row)
    except psycopg.IntegrityError as error:
        raise exc.IntegrityError(statement, None, error) from error
    except psycopg.Error as error:
        raise exc.DBAPIError(statement, None, error) from error


class _Columns(NamedTuple):
    """What the driver must know of a table's columns to write them as the server reads them."""

    types: list[str]
    instants: list[int]
    """The places of those that are given as ISO text."""


@lru_cache(maxsize=64)
def _columns(table: Table) -> _Columns:
    from sqlalchemy.dialects import postgresql

    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    types = [column.type.compile(dialect).lower().partition(" collate")[0] for column in table.columns]
    return _Columns(types, [place for place, found in enumerate(types) if found.startswith("timestamp")])


def _with_instants(rows: Sequence[Row], places: Sequence[int]) -> Iterable[Row]:
    """The rows with instants as the driver takes them."""
    if not places:
        return rows
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for place in places:
        columns[place] = map(datetime.fromisoformat, columns[place])
    return zip(*columns, strict=True)


def chunks(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """The values in lists short enough for one statement's parameters."""
    everything = list(values)
    for start in range(0, len(everything), _CHUNK):
        yield everything[start : start + _CHUNK]


def update_rows(connection: Connection, table: Table, key: Sequence[str], set_: Sequence[str], rows: list[Row]) -> None:
    """Changes rows of numbers: each row holds the new values of `set_`, then those of the key, in their order."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        changed = ", ".join(f"{name} = given.{name}" for name in set_)
        statement = f"UPDATE {table.name} SET {changed} FROM {_given((*set_, *key))} WHERE {_is_given(table, key)}"
        _in_arrays(connection, statement, rows)
    else:
        changed = ", ".join(f"{name} = ?" for name in set_)
        connection.exec_driver_sql(f"UPDATE {table.name} SET {changed} WHERE {_is(key)}", rows)


def delete_rows(connection: Connection, table: Table, key: Sequence[str], rows: list[Row]) -> None:
    """Deletes rows by their key of numbers."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _in_arrays(connection, f"DELETE FROM {table.name} USING {_given(key)} WHERE {_is_given(table, key)}", rows)
    else:
        connection.exec_driver_sql(f"DELETE FROM {table.name} WHERE {_is(key)}", rows)


def _is(key: Sequence[str]) -> str:
    return " AND ".join(f"{name} = ?" for name in key)


def _given(names: Sequence[str]) -> str:
    return f"unnest({', '.join(['%s::bigint[]'] * len(names))}) AS given({', '.join(names)})"


def _is_given(table: Table, key: Sequence[str]) -> str:
    return " AND ".join(f"{table.name}.{name} = given.{name}" for name in key)


def _in_arrays(connection: Connection, statement: str, rows: list[Row]) -> None:
    for part in chunks(rows):
        connection.exec_driver_sql(statement, tuple(map(list, zip(*part, strict=True))))

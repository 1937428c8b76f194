"""Gives a database many rows or values at once, in the way that suits it best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

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

    Texts must be clean (`decoder.text.is_clean`); instants are ISO text, which both databases take.
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
    import psycopg

    columns = ", ".join(table.columns.keys())
    statement = f"COPY {table.name} ({columns}) FROM STDIN"
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for start in range(0, len(rows), 1000):
                copy.write("".join([_line(row) for row in rows[start : start + 1000]]))
    except psycopg.IntegrityError as error:
        raise exc.IntegrityError(statement, None, error) from error
    except psycopg.Error as error:
        raise exc.DBAPIError(statement, None, error) from error


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def _line(row: Row) -> str:
    """A row in COPY's text format (PostgreSQL manual, "COPY", File Formats)."""
    return "\t".join([_field(value) for value in row]) + "\n"


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if type(value) is str:
        return value.translate(_ESCAPES) if not value.isalnum() else value
    if type(value) is bytes:
        return f"\\\\x{value.hex()}"
    return str(value)


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

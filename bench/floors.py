"""The least that inserting an archive's rows can take: the bare driver, given finished rows in the same batches."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import psycopg

from archiver.storage import engine
from archiver.storage.address import libpq_url
from bench.rows import Batch, batches


def sqlite_seconds(source: Path, target: Path, size: int) -> float:
    """What raw executemany takes for the rows of `source`, in an empty archive, with the pragmas of the recorder."""
    opened = engine.writing_engine(f"sqlite:///{target}")
    fairy = opened.raw_connection()
    try:
        connection = fairy.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        return sum(_insert(connection, batch) for batch in batches(source, size))
    finally:
        fairy.close()
        opened.dispose()


def _insert(connection: sqlite3.Connection, batch: Batch) -> float:
    statements = {
        table: f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})" for table, rows in batch.items()
    }
    began = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    for table, rows in batch.items():
        connection.executemany(statements[table], rows)
    connection.execute("COMMIT")
    return time.perf_counter() - began


def postgres_seconds(source: Path, target: str, size: int) -> float:
    """What raw COPY takes for the rows of `source`, in an empty archive."""
    with psycopg.connect(libpq_url(target)) as connection:
        return sum(_copy(connection, batch) for batch in batches(source, size))


def _copy(connection: psycopg.Connection, batch: Batch) -> float:
    began = time.perf_counter()
    for table, rows in batch.items():
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    connection.commit()
    return time.perf_counter() - began

"""The archive's own tables on PostgreSQL, partitioned by platform and month, and what a question touches of them.

A rehearsal of distribution: what a hash of `platform_id` refuses, a database that is distributed by it refuses as well,
and what touches one such partition is one task of one node there (Citus, "create_distributed_table").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from sqlalchemy import text

from archiver.api.archive import Archive
from archiver.queries.reader import Reader
from archiver.storage.engine import reading_engine, writing_engine
from archiver.storage.revision import HEAD
from tests.migrations import freeze

from .growth import noted

PARTS = 4
MONTHS = ("2016-01-01", "2016-02-01", "2016-03-01", "2016-04-01")
"""The bounds of the months that there are partitions for."""
BY_MONTH = {"events": "occurred_at", "observations": "observed_at"}

Touched = dict[str, set[str]]
"""Of each table that grows, the parts of platforms in which anything was looked for."""


def make(url: str, growing: frozenset[str]) -> None:
    """Makes an archive in an empty database, by the statements of the migration, but for what is added to some."""
    engine = writing_engine(url)
    try:
        with engine.begin() as connection:
            for statement in [*_tables(growing), *freeze.views("postgresql"), *_REVISION]:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


_REVISION = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)",
    f"INSERT INTO alembic_version (version_num) VALUES ('{HEAD}')",
)


def _tables(growing: frozenset[str]) -> Iterator[str]:
    found = set()
    for statement in freeze.tables("postgresql"):
        name = statement.removeprefix("CREATE TABLE ").partition(" ")[0]
        if not statement.startswith("CREATE TABLE ") or name not in growing:
            yield statement
            continue
        found.add(name)
        yield f"{statement} PARTITION BY HASH (platform_id)"
        time = BY_MONTH.get(name)
        for part in range(PARTS):
            of = f"PARTITION OF {name} FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part})"
            yield f"CREATE TABLE {name}__{part} {of}{f' PARTITION BY RANGE ({time})' if time else ''}"
            for month, (begin, end) in enumerate(pairwise(MONTHS) if time else ()):
                within = f"FOR VALUES FROM ('{begin} 00:00+00') TO ('{end} 00:00+00')"
                yield f"CREATE TABLE {name}__{part}_{month} PARTITION OF {name}__{part} {within}"
    assert found == growing, growing - found


def touched(url: str, ask: Callable[[Archive], object]) -> Touched:
    """What a question of the library looks into."""
    with noted() as statements, Archive.open(url) as archive:
        ask(archive)
    found: Touched = {}
    reader = Reader(url)
    try:
        with reader.question() as connection:
            connection.begin()
            for statement, parameters in statements[1:]:
                _look(connection.driver, statement, parameters, found)
    finally:
        reader.close()
    return found


def touched_by_sql(url: str, statement: str) -> Touched:
    """What one statement of somebody's own looks into, whatever the planner likes best among small tables."""
    found: Touched = {}
    engine = reading_engine(url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            connection.execute(text("SET LOCAL enable_hashjoin = off"))
            connection.execute(text("SET LOCAL enable_mergejoin = off"))
            _look(connection.connection.driver_connection, statement, None, found)
    finally:
        engine.dispose()
    return found


def _look(driver: Any, statement: str, parameters: Any, found: Touched) -> None:
    asked = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"
    ((plan,),) = driver.execute(asked, parameters or None).fetchall()
    _gather(plan[0]["Plan"], found)


def _gather(node: dict[str, Any], found: Touched) -> None:
    name, divided, part = str(node.get("Relation Name", "")).partition("__")
    if divided and node["Actual Loops"]:
        found.setdefault(name, set()).add(part.partition("_")[0])
    for each in node.get("Plans", ()):
        _gather(each, found)

"""The archive's own tables on PostgreSQL, partitioned by platform and month, and what a question touches of them.

A rehearsal of distribution: what a hash of `platform_id` refuses, a database that is distributed by it refuses as well,
and what touches one such partition is one task of one node there (Citus, "create_distributed_table").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from archiver.api.archive import Archive
from archiver.queries.reader import Reader
from archiver.storage.database.engine import reading_engine, writing_engine
from archiver.storage.database.postgres_driver import BY_INDEX
from archiver.storage.database.revision import HEAD
from tests.migrations import freeze

from .growth import looked_up, noted

PARTS = 4
MONTHS = ("2016-02-01", "2016-03-01", "2016-04-01")
"""The bounds of the months that there are partitions for."""
BY_MONTH = {"events": "occurred_at", "observations": "observed_at"}


class Look(NamedTuple):
    """That something was looked for in one of the parts of a table that grows."""

    table: str
    part: str
    by: str
    """What chose the rows there: `platform`, if not alone; `uri`, without it; else empty."""


Touched = set[Look]


def make(url: str, growing: frozenset[str]) -> None:
    """Makes an archive in an empty database, by the statements of the migration, but for what is added to some."""
    engine = writing_engine(url)
    try:
        with engine.begin() as connection:
            for statement in [*_tables(growing), *freeze.views("postgresql"), *_REVISION]:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


def seem_large(url: str) -> None:
    """Has the planner take every part for one of a million rows, and so look for what it wants by indexes."""
    engine = writing_engine(url)
    try:
        with engine.begin() as connection:
            for table, column in connection.exec_driver_sql(_OF_FEW_VALUES).all():
                connection.exec_driver_sql(f"ALTER TABLE {table} ALTER {column} SET (n_distinct = 5)")
            connection.exec_driver_sql("ANALYZE")
            connection.exec_driver_sql(_SEEM_LARGE)
    finally:
        engine.dispose()


_PARTS = "c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relispartition"
# Of few rows it would reckon that there are the more values the more rows there are.
_OF_FEW_VALUES = f"""
SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE {_PARTS} AND a.attname IN ('platform_id', 'type_id', 'what')
"""
# It reckons from how many rows there were in a page, and how many pages there are.
# So it does of an index of a part of the rows.
_SEEM_LARGE = f"""
UPDATE pg_class c SET reltuples = 1000000, relpages = 1
WHERE ({_PARTS}) OR c.oid IN (SELECT i.indexrelid FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
  WHERE i.indpred IS NOT NULL AND x.relispartition)
"""


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
    found: Touched = set()
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
    """What one statement of somebody's own looks into."""
    return _touched(url, [(statement, None)])


def touched_by_recorder(url: str, write: Callable[[], object]) -> Touched:
    """What a recorder looks into before it writes."""
    with looked_up() as statements:
        write()
    return _touched(url, statements)


def _touched(url: str, statements: Sequence[tuple[str, Any]]) -> Touched:
    """What some statements look into, whatever the planner likes best among tables as small as those of a test."""
    found: Touched = set()
    engine = reading_engine(url)
    try:
        with engine.connect() as connection:
            for way in BY_INDEX:
                connection.exec_driver_sql(f"SET LOCAL {way} = off")
            for statement, parameters in statements:
                _look(connection.connection.driver_connection, statement, parameters, found)
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
        found.add(Look(name, part.partition("_")[0], _by(node)))
    for each in node.get("Plans", ()):
        _gather(each, found)


def _by(node: dict[str, Any]) -> str:
    conditions = " ".join(str(node.get(which)) for which in ("Index Cond", "Recheck Cond", "Filter"))
    return "platform" if "platform_id = " in conditions else "uri" if "uri = " in conditions else ""

"""Counts what a question costs: SQLite's instructions, or the rows that PostgreSQL visits, whatever the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import get_ident
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, text
from sqlalchemy import event as hook

from archiver.api.archive import Archive
from archiver.queries.reader import Reader
from archiver.storage.database import reading
from archiver.storage.database.engine import reading_engine, writing_engine
from archiver.storage.database.postgres_driver import BY_INDEX
from archiver.storage.database.statements import Asked

STEP = 50
"""SQLite's instructions are counted by so many."""
GROWTH = 1.15
"""So much more may a bounded answer cost in an archive of ten times the past; a tree of pages has a level more then."""
SLACK = {"sqlite": 4 * STEP, "postgresql": 400}
"""Steps or rows that are no growth: where little is there, PostgreSQL may choose a way that is no dearer there."""


def cost_of(url: str, ask: Callable[[Archive], object]) -> int:
    """What all statements of a question cost together, but for opening the archive."""
    with noted() as statements, Archive.open(url) as archive:
        ask(archive)
    # As the library asks it, with what it tells PostgreSQL's planner.
    reader = Reader(url)
    try:
        with reader.question() as connection:
            connection.begin()
            count = _instructions if connection.dialect.name == "sqlite" else _rows_visited
            return sum(count(connection.driver, statement, parameters).cost for statement, parameters in statements[1:])
    finally:
        reader.close()


class Answered(NamedTuple):
    """What a statement took."""

    rows: int
    cost: int


def cost_of_sql(url: str, statement: str, parameters: Any = (), *, by_index: bool = False) -> int:
    """What one statement costs whose rows are all read; see `answer_of_sql`."""
    return answer_of_sql(url, statement, parameters, by_index=by_index).cost


def answer_of_sql(url: str, statement: str, parameters: Any = (), *, by_index: bool = False) -> Answered:
    """How many rows a statement has, and what it costs to read them.

    `by_index`: PostgreSQL hashes no table, which it rightly does where one is as small as in a test. Else it is asked
    as by any client.
    """
    with counting(url, by_index=by_index) as asked:
        return asked(statement, parameters)


@contextmanager
def counting(url: str, *, by_index: bool = False) -> Iterator[Callable[[str, Any], Answered]]:
    """Says of statements, one after the other, what each takes."""
    engine = reading_engine(url)
    try:
        with engine.connect() as connection:
            driver = connection.connection.driver_connection
            if connection.dialect.name == "sqlite":
                yield partial(_instructions, driver)
                return
            for way in BY_INDEX if by_index else ():
                connection.exec_driver_sql(f"SET {way} = off")
            connection.exec_driver_sql("SET jit = off")
            yield partial(_rows_visited, driver)
    finally:
        engine.dispose()


def grown(small: int, large: int, url: str) -> bool:
    """Whether the same answer costs more in the large archive than in the small one."""
    return large > small * GROWTH + SLACK["sqlite" if url.startswith("sqlite") else "postgresql"]


def analysed(url: str) -> str:
    """The archive, once PostgreSQL knows how much is in it, as it does a minute after rows were written."""
    if url.startswith("postgresql"):
        engine = writing_engine(url)
        with engine.begin() as connection:
            connection.execute(text("ANALYZE"))
        engine.dispose()
    return url


@contextmanager
def noted() -> Iterator[list[tuple[str, Any]]]:
    """The questions that are put meanwhile, by this thread: a server of another test may still look at its archive."""
    here = get_ident()
    statements: list[tuple[str, Any]] = []
    put = reading.Connection.put

    def note(connection: reading.Connection, asked: Asked, *more: Any) -> Any:
        if get_ident() == here:
            statements.append((asked.text, tuple(asked.values) if isinstance(asked.values, list) else asked.values))
        return put(connection, asked, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading.Connection, "put", note)
        yield statements


@contextmanager
def looked_up() -> Iterator[list[tuple[str, Any]]]:
    """What is read meanwhile by what writes an archive."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        about_itself = "FOR UPDATE" in statement or "pg_advisory" in statement
        if statement.lstrip().upper().startswith(("SELECT", "WITH")) and not about_itself:
            statements.append((statement, parameters))

    hook.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        hook.remove(Engine, "before_cursor_execute", note)


def _instructions(driver: Any, statement: str, parameters: Any) -> Answered:
    counted = [0]

    def count() -> int:
        counted[0] += STEP
        return 0

    # What a connection first does is to read the whole schema, which is no part of a question.
    driver.execute("SELECT 1 FROM archive_properties").fetchall()
    driver.set_progress_handler(count, STEP)
    rows = driver.execute(statement, parameters).fetchall()
    return Answered(len(rows), counted[0])


def _rows_visited(driver: Any, statement: str, parameters: Any) -> Answered:
    # Without parameters a % is a %.
    ((plan,),) = driver.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters or None).fetchall()
    return Answered(int(plan[0]["Plan"]["Actual Rows"]), _visited(plan[0]["Plan"]))


def _visited(node: dict[str, Any]) -> int:
    removed = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    rows = node["Actual Rows"] + sum(node.get(which, 0) for which in removed)
    # What finds nothing is a visit all the same.
    own = max(rows, 1) * node["Actual Loops"] if "Scan" in node["Node Type"] else 0
    return int(own) + sum(map(_visited, node.get("Plans", ())))

"""Puts a statement that somebody wrote himself, on a connection of its own that can read and do nothing else."""

from __future__ import annotations

import math
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any, Self

from archiver.errors import (
    ArchiverError,
    DatabaseBusy,
    QueryFailed,
    QueryTimedOut,
    RightMissing,
    StatementRefused,
)
from archiver.queries import free_postgres
from archiver.storage.database.glimpse import Glimpse
from archiver.storage.database.judging import said, translated_driver
from archiver.storage.database.named import database_name
from archiver.storage.database.reading import Connection, open_reading, require_head

_PAGE, _PAGE_BYTES = 100, 1_000_000
"""Rows that are held at once; fewer, where they are large."""
_LONGEST = 32 << 20
"""Bytes of a value, which SQLite does not even make."""
_LOOKS_EVERY = 10_000
"""SQLite looks at the clock after so many steps of its virtual machine."""

# What a statement may do that reads (https://sqlite.org/c3ref/c_alter_table.html); of pragmas, those that describe.
_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_DESCRIBE = {"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo"}
_WRITES = {"load_extension", "fts3_tokenizer"}
_MAKES = "SELECT 1 FROM json_each('[]'), json_tree('[]'), pragma_table_info('events'), pragma_table_list LIMIT 0"
"""Tables that are functions are made when they are first named, which looks like writing."""


_QUERY = re.compile(r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))*QUERY\b", re.IGNORECASE | re.DOTALL)
"""What begins so is a statement behind an EXPLAIN, and nowhere else."""


class Answer:
    """The rows that a statement has: tuples of None, bool, int, float, str, bytes and, on PostgreSQL, lists of these.

    Instants are text with a Z on both databases. To be read once, and closed: what is read is held in the database
    meanwhile. Reading raises QueryFailed, QueryTimedOut, DatabaseUnreachable, and DatabaseBusy when somebody begins to
    write to a file that is read as it lies.
    """

    def __init__(self, url: str, connection: Connection, cursor: Any, budget: Budget, glimpse: Glimpse) -> None:
        self._url = url
        self._connection = connection
        self._cursor = cursor
        self._budget = budget
        self._glimpse = glimpse
        driver = connection.driver
        self._rows: Any = cursor if connection.dialect.name == "sqlite" else free_postgres.rows(driver, budget)
        self.columns = _different([column[0] for column in cursor.description])
        """The names of the columns; of one that comes again, `name_2`."""

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        while True:
            with self._budget.running(self._connection):
                rows = self._page()
            if not rows:
                self._require_rest()
                return
            for row in rows:
                yield tuple(map(_value, row))

    def _page(self) -> list[tuple[Any, ...]]:
        """The next rows; at the end none."""
        rows: list[tuple[Any, ...]] = []
        size = 0
        while len(rows) < _PAGE and size < _PAGE_BYTES and (row := next(self._rows, None)) is not None:
            rows.append(row)
            lengths = [len(value) for value in row if isinstance(value, str | bytes)]
            if lengths and max(lengths) > _LONGEST:  # PostgreSQL makes it all the same; it is held no longer than that
                raise QueryFailed(reason=f"a value is too big: longer than {_LONGEST >> 20} MiB")
            size += sum(lengths)
        return rows

    def _require_rest(self) -> None:
        if self._glimpse.at_rest is not None and self._glimpse != Glimpse.of(self._url):
            raise DatabaseBusy(database=database_name(self._url), reason="somebody began to write while it was read")

    def close(self) -> None:
        """Ends the transaction and gives the connection back."""
        with suppress(ArchiverError), translated_driver(self._url):
            self._rows.close()
            self._cursor.close()
            self._connection.rollback()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def put(url: str, sql: str, seconds: float | None = None) -> Answer:
    """Puts one SELECT, which may keep the database busy for so many seconds (None: for as long as it takes).

    Raises StatementRefused for anything else, and for one that the database does not understand.
    """
    if "\0" in sql or not _is_text(sql):
        raise StatementRefused("it has characters that are no text")
    glimpse, budget = Glimpse.of(url), Budget(url, seconds)
    with translated_driver(url):
        connection = open_reading(url)
    try:
        with translated_driver(url), suppress(RightMissing):  # who may read the views alone may ask them
            require_head(connection)
        connection.rollback()
        with budget.running(connection):
            declare = _declared if connection.dialect.name == "sqlite" else free_postgres.declared
            return Answer(url, connection, declare(connection, sql, budget), budget, glimpse)
    except BaseException:
        connection.close()
        raise


class Budget:
    """How long a database may be busy with one statement; what its reader takes for himself does not count."""

    def __init__(self, url: str, seconds: float | None) -> None:
        self._url = url
        self.seconds = seconds
        self._left = math.inf if seconds is None else seconds
        self._deadline = math.inf

    @property
    def left(self) -> float | None:
        """How many seconds are left; None: as many as it takes."""
        return None if self.seconds is None else max(self._left, 0.0)

    def is_spent(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self._deadline

    @contextmanager
    def running(self, connection: Connection) -> Iterator[None]:
        """While the database is at it: says what it fails for."""
        began = time.monotonic()
        self._deadline = began + self._left
        try:
            with translated_driver(self._url):
                yield
        except (StatementRefused, QueryFailed):
            raise
        except Exception as error:
            self._say(connection, error.__cause__ or error)
            raise
        self._left -= time.monotonic() - began
        if self._left < 0:
            raise QueryTimedOut(seconds=self.seconds)

    def _say(self, connection: Connection, error: BaseException) -> None:
        """Raises what a driver's error means for one statement; nothing where it is a matter of the database."""
        if free_postgres.is_refusal(error) or _code(error) == sqlite3.SQLITE_AUTH:
            raise StatementRefused(said(error)) from error
        if free_postgres.is_failure(error):
            raise QueryFailed(reason=said(error)) from error
        if free_postgres.is_cancelled(error) or _code(error) == sqlite3.SQLITE_INTERRUPT:
            if self.is_spent() or not isinstance(error, sqlite3.Error):
                raise QueryTimedOut(seconds=self.seconds) from error
            raise KeyboardInterrupt  # it came while SQLite was looking at the clock, and was taken for an answer
        if _code(error) in _FAILED or _is_no_text(error):
            raise QueryFailed(reason=said(error)) from error
        if isinstance(error, Exception):
            connection.say_what_to_grant(error)


_FAILED = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_NOMEM}


def _code(error: BaseException) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _is_no_text(error: BaseException) -> bool:
    """Whether a value that calls itself text is none in UTF-8, of which not SQLite complains but its driver."""
    return isinstance(error, sqlite3.OperationalError) and not hasattr(error, "sqlite_errorcode")


def _is_text(sql: str) -> bool:
    try:
        sql.encode()
    except UnicodeEncodeError:
        return False
    return True


# --- SQLite ---------------------------------------------------------------------------------------------------------


def _declared(connection: Connection, sql: str, budget: Budget) -> Any:
    """A cursor with the answer. Raises StatementRefused before anything of a wrong statement was run."""
    if _QUERY.match(sql):
        raise StatementRefused('near "QUERY": syntax error')
    driver: sqlite3.Connection = connection.driver
    driver.execute(_MAKES).close()
    driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    driver.set_authorizer(_authorized)
    driver.set_progress_handler(budget.is_spent, _LOOKS_EVERY)
    try:
        driver.execute(f"EXPLAIN {sql}").close()
    except (sqlite3.Error, sqlite3.Warning) as error:  # two statements are a warning until Python 3.12
        if _code(error) == sqlite3.SQLITE_AUTH:
            raise StatementRefused(f"it would do more than read: {said(error)}") from error
        if _code(error) in (0, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE):
            raise StatementRefused(said(error)) from error
        raise
    cursor = driver.execute(sql)
    if cursor.description is None:
        raise StatementRefused("it has no rows")
    return cursor


def _authorized(action: int, name: str | None, value: str | None, *_where: str | None) -> int:
    """What SQLite asks of everything that a statement would do, before it does anything."""
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_DENY if (value or "").lower() in _WRITES else sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA:
        return sqlite3.SQLITE_OK if (name or "").lower() in _DESCRIBE else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY


# --- what stands in an answer -----------------------------------------------------------------------------------------


def _different(names: Sequence[str]) -> tuple[str, ...]:
    """The names, none of them twice."""
    found: dict[str, None] = {}
    for name in names:
        number, different = 1, name
        while different in found or (number > 1 and different in names):
            number += 1
            different = f"{name}_{number}"
        found[different] = None
    return tuple(found)


def _value(value: Any) -> Any:
    """A value as both databases have it."""
    if isinstance(value, Decimal):
        whole = value.is_finite() and value == value.to_integral_value() and value.as_tuple().exponent == 0
        value = int(value) if whole else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list | tuple):
        return [_value(item) for item in value]
    return value if value is None or isinstance(value, int | float | str | bytes) else str(value)

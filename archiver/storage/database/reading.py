"""A reading connection to an archive, by way of the bare driver: SQLAlchemy takes longer to load than most answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from functools import lru_cache, partial
from itertools import count
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from archiver.model import Micros, to_micros
from archiver.storage.database.address import is_postgres
from archiver.storage.database.glimpse import is_there, reads_in_place
from archiver.storage.database.named import database_name, sqlite_path
from archiver.storage.database.revision import HEAD, not_at_head, revision_of
from archiver.storage.database.sqlite_url import file_uri
from archiver.storage.database.statements import Asked, Statement, Values, statement

BUSY_SECONDS = 10
_NOTHING: Values = MappingProxyType({})
_PAGE = 1_000
"""Rows of a stream that a PostgreSQL server sends at once."""
_names = count()


class Row(tuple[Any, ...]):
    """A row; its values have the names of the columns as well."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


@lru_cache(maxsize=256)
def _maker(names: tuple[str, ...]) -> Callable[[Any], Row]:
    """Makes rows with these columns; a named tuple would take a compiler to make, at every start of the program."""
    fields = {name: property(itemgetter(place)) for place, name in reversed(list(enumerate(names)))}
    kind = type("Row", (Row,), {**fields, "__slots__": (), "_fields": names})
    return partial(tuple.__new__, kind)


class Rows:
    """The rows of an answer, to be read once."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple([column[0] for column in self._cursor.description])

    def __iter__(self) -> Iterator[Row]:
        return map(_maker(self.columns), self._cursor)

    def all(self) -> list[Row]:
        """All rows."""
        return list(self)

    def scalars(self) -> list[Any]:
        """The first value of each row."""
        return [row[0] for row in self._cursor]

    def first(self) -> Row | None:
        """The first row; None where there is none."""
        return next(iter(self), None)

    def one_or_none(self) -> Row | None:
        """The one row; None where there is none. Raises ValueError where there are several."""
        found = self.all()
        if len(found) > 1:
            raise ValueError(f"{len(found)} rows where one was expected")
        return found[0] if found else None

    def one(self) -> Row:
        """The one row. Raises ValueError where there is none, or several."""
        (row,) = self.all()
        return row


class Dialect(NamedTuple):
    """Which database it is, and how a transaction begins there that reads."""

    name: str
    begin: str


class Connection:
    """Reads an archive, in transactions of which each begins with the first question after another has ended.

    For one thread at a time. Raises the errors of the driver (`judging.translated_driver`), and RightMissing.
    """

    def __init__(self, driver: Any, dialect: Dialect, database: str) -> None:
        self.driver = driver
        self.dialect = dialect
        self.database = database
        """How the archive is called in messages."""
        self._reads = False
        self.closed = False

    def execute(self, asked: Statement | str, values: Values = _NOTHING) -> Rows:
        """Puts a question: SQL text for both databases, as in `statements`."""
        return Rows(self.put(self._prepared(asked, values), self.driver.cursor))

    @contextmanager
    def stream(self, asked: Statement | str, values: Values = _NOTHING) -> Iterator[Rows]:
        """As `execute`, but an answer of any length is never in memory as a whole."""
        with closing(self.put(self._prepared(asked, values), self._streaming)) as cursor:
            yield Rows(cursor)

    def _streaming(self) -> Any:
        if self.dialect.name == "sqlite":
            return self.driver.cursor()
        cursor = self.driver.cursor(f"stream_{next(_names)}")
        cursor.itersize = _PAGE
        return cursor

    def scalar(self, asked: Statement | str, values: Values = _NOTHING) -> Any:
        """The first value of the first row; None where there is none."""
        row = self.put(self._prepared(asked, values), self.driver.cursor).fetchone()
        return None if row is None else row[0]

    def scalars(self, asked: Statement | str, values: Values = _NOTHING) -> list[Any]:
        """The first value of each row."""
        return self.execute(asked, values).scalars()

    def begin(self) -> None:
        """Begins a transaction where there is none; questions do that themselves."""
        if not self._reads:
            self._reads = True
            self.driver.execute(self.dialect.begin)

    def rollback(self) -> None:
        """Ends the transaction: nothing is held in the database any more, and the next question sees what is new."""
        if self._reads:
            self._reads = False
            if self.dialect.name == "postgresql" or self.driver.in_transaction:
                self.driver.execute("ROLLBACK")

    def close(self) -> None:
        """Closes the connection."""
        self.closed = True
        self.driver.close()

    @property
    def is_broken(self) -> bool:
        """Whether it is of no use any more: closed, by whichever side."""
        return self.closed or bool(getattr(self.driver, "closed", False))

    def _prepared(self, asked: Statement | str, values: Values) -> Asked:
        return (statement(asked) if isinstance(asked, str) else asked).asked(self.dialect.name, values)

    def put(self, asked: Asked, cursor: Callable[[], Any]) -> Any:
        """A cursor with the answer to a question as the driver takes it."""
        try:
            self.begin()
            opened = cursor()
            opened.execute(*asked)
        except Exception as error:
            self.say_what_to_grant(error)
            raise
        return opened

    def say_what_to_grant(self, error: Exception) -> None:
        """Raises RightMissing where the role of the connection may not read what was asked."""
        if getattr(error, "sqlstate", None) is None:
            return
        from archiver.storage.database import postgres_driver

        if error.sqlstate == postgres_driver.INSUFFICIENT_PRIVILEGE:  # type: ignore[attr-defined]
            from archiver.storage.database.judging import said

            self._reads = False
            self.driver.execute("ROLLBACK")
            names = "SELECT coalesce(quote_ident(current_schema()), 'public'), quote_ident(current_user)"
            place, role = self.driver.execute(names).fetchone()
            raise postgres_driver.right_missing(self.database, said(error), place, role) from error


# --- opening ----------------------------------------------------------------------------------------------------------


def open_reading(url: str, *, by_index: bool = False) -> Connection:
    """A connection that cannot write. Raises DatabaseMissing when there is no such SQLite file, and as the driver.

    `by_index`: what is asked is made of look-ups, and PostgreSQL is to take it so.
    """
    if is_postgres(url):
        from archiver.storage.database import postgres_driver

        driver = postgres_driver.connect(postgres_driver.arguments(url))
        begin = postgres_driver.BEGIN_ASKING if by_index else postgres_driver.BEGIN_READING
        return Connection(driver, Dialect("postgresql", begin), database_name(url))
    return Connection(_open_file(url), Dialect("sqlite", "BEGIN"), database_name(url))


def _open_file(url: str) -> sqlite3.Connection:
    uri = file_to_read(url)
    driver = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
    try:
        driver.execute("PRAGMA query_only=ON").close()
    except sqlite3.Error:
        driver.close()
        raise
    return driver


def file_to_read(url: str) -> str:
    """The URI by which SQLite opens an archive read-only.

    Raises DatabaseMissing when there is no such file, DatabaseUnfit where there is something else: SQLite would wait
    for the other end of a pipe.
    """
    path = sqlite_path(url)
    if not is_there(path):
        from archiver.storage.database.absent import absent

        raise absent(path)
    if not path.is_file():
        _require_ours(path)
    # A reader opens read-only, so that it can never checkpoint: before 3.51.3 two connections that write and checkpoint
    # at once could lose commits (https://sqlite.org/wal.html#walresetbug).
    how = "mode=ro&immutable=1" if reads_in_place(path) else "mode=ro"
    return file_uri(str(path), how)


def require_head(connection: Connection) -> None:
    """Raises SchemaNotAtHead unless the archive is of the revision this program needs, RightMissing unless it shows."""
    found = revision(connection)
    if found is None and connection.dialect.name == "sqlite":
        path = sqlite_path(connection.database)
        _require_ours(path)
        from archiver.storage.database.absent import unfinished

        raise unfinished(path)
    if found != HEAD:
        raise not_at_head(found)


def _require_ours(path: Path) -> None:
    from archiver.storage.database.foreign import require_ours

    require_ours(path)


def revision(connection: Connection) -> str | None:
    """The revision of an archive; None without tables. Raises RightMissing when they may be where one may not look."""
    found = revision_of(connection.dialect.name, connection.scalar)
    if found is None and connection.dialect.name == "postgresql":
        _require_schema(connection)
    return found


def _require_schema(connection: Connection) -> None:
    """Raises RightMissing when what was not found may lie in a schema of the search path that this role may not use."""
    from archiver.storage.database.postgres_driver import HIDDEN_SCHEMA, right_missing

    names = f"SELECT nspname, quote_ident(nspname), quote_ident(current_user) FROM ({HIDDEN_SCHEMA}) hidden"
    if (hidden := connection.execute(names).first()) is not None:
        schema, place, role = hidden
        raise right_missing(connection.database, f"the schema {schema} may not be used", place, role)


# --- instants ---------------------------------------------------------------------------------------------------------
# In rows they stand as the database has them, ISO text on SQLite and timestamptz on PostgreSQL: either way they compare
# as they followed each other, and may be given back as the value of a parameter.

Instant = Any
"""An instant as it stands in a row."""


def instant(found: Instant) -> datetime:
    """An instant of a row."""
    return found if isinstance(found, datetime) else datetime.fromisoformat(found)


def instant_or_none(found: Instant | None) -> datetime | None:
    """An instant of a row that may have none."""
    return None if found is None else instant(found)


def micros(found: Instant) -> Micros:
    """An instant of a row in microseconds."""
    return to_micros(instant(found))

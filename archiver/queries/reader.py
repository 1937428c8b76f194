"""A reading connection to an archive: one question at a time, and no snapshot kept between two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from sqlalchemy import Connection, Engine, exc

from archiver.errors import ArchiverError, DatabaseBusy
from archiver.storage.engine import database_name, reading_engine, translate, translated
from archiver.storage.migrate import require_head
from archiver.storage.sqlite_file import Glimpse

T = TypeVar("T")
_LOOK_EVERY = 500
"""Rows between two looks at a file that is read in place."""


class Reader:
    """Opens an archive read-only; to be used from one thread.

    Raises DatabaseMissing, DatabaseUnreachable, or SchemaNotAtHead when it is of another revision.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._streaming = 0
        self._open()

    def _open(self) -> None:
        self._glimpse = Glimpse.of(self._url)
        self._engine: Engine = reading_engine(self._url)
        try:
            with translated(self._url):
                self._connection = self._engine.connect()
                require_head(self._connection)
                self._connection.rollback()
        except ArchiverError:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Gives the connection back."""
        self._connection.close()
        self._engine.dispose()

    @contextmanager
    def question(self) -> Iterator[Connection]:
        """One question: sees what is there now; afterwards no snapshot is kept, which would hold the WAL back.

        Raises DatabaseUnreachable when the database fails.
        """
        if not self._streaming and self._is_stale():
            self.close()
            self._open()
        try:
            with translated(self._url):
                yield self._connection
        finally:
            self._let_go()

    def streamed(self, rows: Iterator[T]) -> Iterator[T]:
        """The rows of an answer, whose snapshot lasts until the last of them. Raises as `question` does."""
        self._streaming += 1
        try:
            for number, row in enumerate(rows):
                if number % _LOOK_EVERY == 0:
                    self._require_rest()
                yield row
            self._require_rest()
        except exc.DBAPIError as error:
            raise translate(error, self._url) from error
        finally:
            self._streaming -= 1
            self._let_go()

    def _is_stale(self) -> bool:
        """Whether another file has the archive's name by now, or somebody writes to what lay at rest."""
        return self._glimpse != Glimpse.of(self._url)

    def _require_rest(self) -> None:
        """Raises DatabaseBusy when what is read in place is not at rest any more: its pages may be of two moments."""
        if self._glimpse.at_rest is not None and self._is_stale():
            raise DatabaseBusy(database=database_name(self._url), reason="somebody began to write while it was read")

    def _let_go(self) -> None:
        if not self._streaming and not self._connection.closed:
            with suppress(exc.DBAPIError):
                self._connection.rollback()

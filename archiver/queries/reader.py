"""A reading connection to an archive: one question at a time, and no snapshot kept between two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from sqlalchemy import Connection, Engine, exc

from archiver.errors import ArchiverError
from archiver.storage.engine import reading_engine, translate, translated
from archiver.storage.migrate import require_head

T = TypeVar("T")


class Reader:
    """Opens an archive read-only; to be used from one thread.

    Raises DatabaseMissing, DatabaseUnreachable, or SchemaNotAtHead when it is of another revision.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._streaming = 0
        self._engine: Engine = reading_engine(url)
        try:
            with translated(url):
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
        try:
            with translated(self._url):
                yield self._connection
        finally:
            self._let_go()

    def streamed(self, rows: Iterator[T]) -> Iterator[T]:
        """The rows of an answer, whose snapshot lasts until the last of them. Raises as `question` does."""
        self._streaming += 1
        try:
            yield from rows
        except exc.DBAPIError as error:
            raise translate(error, self._url) from error
        finally:
            self._streaming -= 1
            self._let_go()

    def _let_go(self) -> None:
        if not self._streaming and not self._connection.closed:
            with suppress(exc.DBAPIError):
                self._connection.rollback()

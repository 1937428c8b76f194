"""A reading connection to an archive: one question at a time, and no snapshot kept between two."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from archiver.errors import ArchiveReplaced, ArchiverError, DatabaseBusy
from archiver.storage.database.glimpse import Glimpse
from archiver.storage.database.judging import translated_driver
from archiver.storage.database.named import database_name
from archiver.storage.database.reading import Connection, open_reading, require_head
from archiver.storage.database.statements import statement
from archiver.storage.words import GENERATION, IDENTITY

_WHICH = f"SELECT p.key, p.value FROM archive_properties p WHERE p.key IN ('{IDENTITY}', '{GENERATION}') ORDER BY p.key"
T = TypeVar("T")
P = ParamSpec("P")
_TRIES = 3
"""So often a page is read anew when somebody begins to write to a file that is read in place."""


class Which(NamedTuple):
    """Which archive answers: the file, and what the archive says of itself."""

    file: Hashable
    known: Hashable
    """What goes with it wherever it is moved, and changes when a copy is put back; nothing yet in one just made."""

    def is_another_than(self, before: Hashable) -> bool:
        """Whether it is not the one that was asked before; one just made says of itself only later who it is."""
        return self != before and self._replace(known=()) != before


class Reader:
    """Opens an archive read-only; to be used from one thread.

    Raises DatabaseMissing, DatabaseUnreachable, or SchemaNotAtHead when it is of another revision.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._open()

    def _open(self) -> None:
        self._connection: Connection | None = None
        self._glimpse = Glimpse.of(self._url)
        try:
            with translated_driver(self._url):
                self._connection = open_reading(self._url, by_index=True)
                require_head(self._connection)
                self._connection.rollback()
        except ArchiverError:
            self.close()
            raise

    def close(self) -> None:
        """Gives the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def question(self) -> Iterator[Connection]:
        """One question: sees what is there now; afterwards no snapshot is kept, which would hold the WAL back.

        Raises DatabaseUnreachable when the database fails.
        """
        if self._connection is None or self._connection.is_broken or self._is_stale():
            self.close()
            self._open()
        assert self._connection is not None
        try:
            with translated_driver(self._url):
                yield self._connection
        finally:
            if self._connection is not None and not self._connection.is_broken:
                with suppress(ArchiverError), translated_driver(self._url):
                    self._connection.rollback()

    def pages(self, archive: Hashable = None) -> Pages:
        """For an answer of any length; of that `archive`, where it is given (see `Pages.archive`)."""
        return Pages(self, archive)

    def read(self, read: Callable[[Connection], T], archive: Hashable = None) -> tuple[Hashable, T]:
        """Which archive answers one question, and what.

        Raises as `question` does, ArchiveReplaced when it is another than the `archive` that is asked, and DatabaseBusy
        when somebody begins to write again and again.
        """
        for _ in range(_TRIES):
            try:
                with self.question() as connection:
                    which = self._which(connection)
                    if archive is not None and which.is_another_than(archive):
                        raise ArchiveReplaced(database=database_name(self._url))
                    found = read(connection)
            except ArchiverError:
                if self._was_at_rest():
                    raise
                continue  # half of a page was of before, half of after
            if self._was_at_rest():
                return which, found
        raise DatabaseBusy(database=database_name(self._url), reason="somebody began to write while it was read")

    def replaced(self) -> ArchiveReplaced:
        """The error for an answer whose rest is gone."""
        return ArchiveReplaced(database=database_name(self._url))

    def _which(self, connection: Connection) -> Which:
        return Which(self._glimpse.identity, tuple(map(tuple, connection.execute(statement(_WHICH)))))

    def _is_stale(self) -> bool:
        """Whether another file has the archive's name by now, or somebody writes to what lay at rest."""
        return self._glimpse != Glimpse.of(self._url)

    def _was_at_rest(self) -> bool:
        """False when what was read in place was written meanwhile: what was read may be of two moments."""
        return self._glimpse.at_rest is None or not self._is_stale()


class Pages:
    """Puts the questions of one answer (`storage.pages.Ask`), all to one archive.

    Raises ArchiveReplaced when another archive takes the place of the first one asked, else as `Reader.read`.
    """

    def __init__(self, reader: Reader, archive: Hashable = None) -> None:
        self._reader = reader
        self.archive = archive
        """Which archive answers: it changes when another file has its name, and when a copy is restored."""

    def __call__(self, ask: Callable[Concatenate[Connection, P], T], *args: P.args, **more: P.kwargs) -> T:
        self.archive, found = self._reader.read(lambda connection: ask(connection, *args, **more), self.archive)
        return found

"""The archive as its readers see it, at a shell and from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archiver.api.arriving import Arriving
from archiver.api.arriving import Position as Position
from archiver.api.judged import Judged
from archiver.api.objects import Objects
from archiver.api.opened import Ref as Ref
from archiver.api.opened import now
from archiver.api.told import Told

if TYPE_CHECKING:
    from archiver.model import Status
    from archiver.model.health import Limits, Waiting
    from archiver.queries.free import Answer


class Archive(Objects, Told, Arriving, Judged):
    """A read-only archive; a context manager, to be used from one thread.

    >>> with Archive.open("sqlite:///archive.db") as archive:          # doctest: +SKIP
    ...     for span in archive.history("container/6d0a15a1").spans:
    ...         print(span.state, span.since, span.until)

    Every method raises DatabaseUnreachable when the database fails; those that take a reference raise NoSuchResource
    or AmbiguousReference. Those that give an iterator read as it is asked for more, and hold nothing in the database
    meanwhile; they raise ArchiveReplaced when another archive takes the place of this one before the end.
    """

    @classmethod
    def open(cls, url: str) -> Archive:
        """The archive at a URL; see `Archive`."""
        return cls(url)

    def status(self, limits: Limits | None = None, waiting: Waiting | None = None) -> Status:
        """How things stand with the archive and its streams, and what is not well by the limits (None: the usual).

        `waiting` is what is received and not yet archived, where somebody knows: the archive itself does not.
        """
        from archiver.model.health import Limits
        from archiver.queries.status import status
        from archiver.storage.database.named import database_name

        with self._reader.question() as connection:
            return status(connection, database_name(self._url), now(), limits or Limits(), waiting)

    def archived_of(self, receiver: str) -> int:
        """How far what a spool of this identity received is archived."""
        from archiver.queries.status import archived_of

        with self._reader.question() as connection:
            return archived_of(connection, receiver)

    def sql(self, statement: str, *, seconds: float | None = None) -> Answer:
        """One SELECT over the views, for which the database may be busy so long (None: as long as it takes).

        A context manager; its rows are read as they are asked for, once. Raises StatementRefused for anything else.
        """
        from archiver.queries.free import put

        return put(self._url, statement, seconds)

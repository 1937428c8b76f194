"""The archive as its readers see it, at a shell and from Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine, exc, func, select

from archiver.errors import ArchiverError
from archiver.model import Action, ArchivedEvent, Coverage, History, Resource, Status, TimeRange, TreeNode
from archiver.queries.references import resolve
from archiver.storage.engine import read_url, reader, show_url, translate, translated
from archiver.storage.migrate import require_head
from archiver.storage.schema import events

_ALWAYS = TimeRange()
T = TypeVar("T")


class Archive:
    """A read-only archive; a context manager, to be used from one thread.

    >>> with Archive.open("sqlite:///archive.db") as archive:          # doctest: +SKIP
    ...     for span in archive.history("container/6d0a15a1").spans:
    ...         print(span.state, span.since, span.until)

    Every method raises DatabaseUnreachable when the database fails; those that take a reference raise NoSuchResource
    or AmbiguousReference.
    """

    def __init__(self, url: str, engine: Engine, connection: Connection) -> None:
        self._url = url
        self._engine = engine
        self._connection = connection
        self._streaming = 0

    @classmethod
    def open(cls, url: str) -> Archive:
        """Opens an archive by its URL; a plain path is a SQLite file.

        Raises DatabaseMissing, DatabaseUnreachable, or SchemaNotAtHead when it is of another revision.
        """
        engine = reader(url)
        try:
            with translated(url):
                connection = engine.connect()
                require_head(connection)
                connection.rollback()
        except ArchiverError:
            engine.dispose()
            raise
        return cls(url, engine, connection)

    def close(self) -> None:
        """Gives the connection back."""
        self._connection.close()
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def resolve(self, ref: str) -> Resource:
        """The resource that a reference means."""
        with self._reading():
            return resolve(self._connection, ref)

    def history(self, ref: str, range: TimeRange = _ALWAYS) -> History:
        """The state timeline of a resource."""
        from archiver.queries.history import history

        with self._reading():
            return history(self._connection, resolve(self._connection, ref), range, _now())

    def actions(self, ref: str, range: TimeRange = _ALWAYS, *, noise: bool = True) -> Iterator[Action]:
        """Every action on a resource and on all that is under it, each once, oldest first.

        Without `noise`, what `noise.NOISE` names is left out: health checks.
        """
        from archiver.queries.actions import actions

        with self._reading():
            resource = resolve(self._connection, ref)
            return self._streamed(actions(self._connection, resource, range, noise=noise))

    def events(
        self,
        *,
        types: Sequence[str] = (),
        states: Sequence[str] = (),
        actions: Sequence[str] = (),
        under: str | None = None,
        range: TimeRange = _ALWAYS,
        limit: int = 100,
        noise: bool = True,
    ) -> Iterator[ArchivedEvent]:
        """The last `limit` events (0: all) that have any of the types, any of the states and any of the actions."""
        from archiver.queries.events import Filter, last_events

        with self._reading():
            wanted = Filter(types, states, actions, self._number(under), range, noise)
            return self._streamed(last_events(self._connection, wanted, limit))

    def follow(
        self,
        *,
        types: Sequence[str] = (),
        states: Sequence[str] = (),
        actions: Sequence[str] = (),
        under: str | None = None,
        noise: bool = True,
        after: int,
    ) -> Iterator[ArchivedEvent]:
        """The events archived after number `after` that are there now; ask again for those that come later."""
        from archiver.queries.events import Filter, events_after

        with self._reading():
            wanted = Filter(types, states, actions, self._number(under), _ALWAYS, noise)
            return self._streamed(events_after(self._connection, wanted, after))

    def noisy_actions(self, ref: str) -> int:
        """How many actions `actions` leaves out without noise."""
        from archiver.queries.noise import noisy_actions

        with self._reading():
            return noisy_actions(self._connection, resolve(self._connection, ref))

    def last_id(self) -> int:
        """The number of the event archived last; 0 when there is none."""
        with self._reading():
            return self._connection.scalar(select(func.max(events.c.id))) or 0

    def tree(self, ref: str) -> TreeNode:
        """A resource with everything that is under it, and the states."""
        from archiver.queries.tree import tree

        with self._reading():
            return tree(self._connection, resolve(self._connection, ref))

    def coverage(self, range: TimeRange = _ALWAYS) -> Coverage:
        """When nobody was watching."""
        from archiver.queries.coverage import coverage

        with self._reading():
            return coverage(self._connection, range, _now())

    def status(self) -> Status:
        """How things stand with the archive and its streams."""
        from archiver.queries.status import status

        with self._reading():
            return status(self._connection, show_url(read_url(self._url)), _now())

    def export(self) -> Iterator[str]:
        """The whole archive as JSON Lines, without newlines."""
        from archiver.transfer.exporter import export

        return self._streamed(export(self._connection))

    def _number(self, ref: str | None) -> int | None:
        return None if ref is None else resolve(self._connection, ref).id

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """One question: sees what is there now; afterwards no snapshot is kept, which would hold the WAL back."""
        try:
            with translated(self._url):
                yield
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if not self._streaming and not self._connection.closed:
            with suppress(exc.DBAPIError):
                self._connection.rollback()

    def _streamed(self, rows: Iterator[T]) -> Iterator[T]:
        self._streaming += 1
        try:
            yield from rows
        except exc.DBAPIError as error:
            raise translate(error, self._url) from error
        finally:
            self._streaming -= 1
            self._let_go()


def _now() -> datetime:
    return datetime.now(UTC)

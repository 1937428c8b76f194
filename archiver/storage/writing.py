"""The one connection that writes to an archive: its lock, its turns, and whether its file is still the one it was."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, exc

from archiver.errors import DatabaseUnreachable
from archiver.storage import properties
from archiver.storage.database.address import is_postgres
from archiver.storage.database.engine import shut_down, writer_lock, writing_engine
from archiver.storage.database.glimpse import beside, size_of
from archiver.storage.database.judging import judged
from archiver.storage.database.named import sqlite_path
from archiver.storage.database.sqlite_file import SqliteFile
from archiver.storage.database.turns import judge, lock_writers
from archiver.storage.database.wal import Checkpoints, is_broken
from archiver.storage.database.walking import Place, Step, Walk
from archiver.storage.migrate import require_head
from archiver.storage.numbers import raise_to_rows
from archiver.storage.words import FORGOTTEN_LAST, IDENTITY

_BROKEN = "its file is malformed or has been cut short; put a backup in its place: archiver db restore FILE"
_OVERWRITTEN = "its file was written over in place while it was open"
_WRITER = "writer"
"""Whose turn it was last. An upgrade takes it away, so that whoever stayed connected asks for the revision again."""


class Caches(Protocol):
    """What is remembered of an archive between two transactions."""

    def forget(self) -> None:
        """Empties it: what it holds may never have been committed."""
        ...

    def forget_changing(self) -> None:
        """Forgets what another writer may have changed."""
        ...


class Writing:
    """Keeps the connection, on SQLite its lock too, until `close`, or until something fails.

    Not safe for several threads at once, but for `interrupt`. Raises as the database, and DatabaseUnreachable (Busy,
    ReadOnly) and SchemaNotAtHead.
    """

    def __init__(self, url: str, checkpoint_bytes: int, caches: Caches) -> None:
        self._url, self._checkpoint_bytes, self._caches = url, checkpoint_bytes, caches
        self._engine = writing_engine(url)
        self._leads_to = _leads_to(url)
        self._file = SqliteFile(url)
        self._connection: Connection | None = None
        self._checkpoints: Checkpoints | None = None
        self._walk: Walk | None = None
        self._held = ExitStack()
        self._token = secrets.token_hex(8)
        self._forgotten: str | None = None

    def is_well(self) -> bool:
        """Whether there is a connection, and the file of a SQLite archive is still the one that it was."""
        return self._connection is not None and not self._file.is_lost() and not self._is_overwritten()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction; when it fails, connection and caches are given up, since either may be wrong now."""
        try:
            connection = self._connect()
            with connection.begin():
                self._take_turn(connection)
                yield connection
            self._file.require()  # what went into a file that has lost its name is not archived
            if self._is_overwritten():
                raise DatabaseUnreachable(database=str(sqlite_path(self._url)), reason=_OVERWRITTEN)
            if self._checkpoints is not None and self._checkpoints.due():
                self._checkpoints.run(connection)
        except BaseException as error:
            try:
                if isinstance(error, exc.DBAPIError) and self._connection is not None:
                    judge(self._connection, error)
            finally:
                if isinstance(error, DatabaseUnreachable):
                    self._file.follow()
                self._disconnect()
            raise

    def write_anew(self) -> None:
        """Writes the file of a SQLite archive anew, without what was deleted from it."""
        connection = self._connect()
        if connection.dialect.name != "sqlite":
            return
        driver: Any = connection.connection.driver_connection
        try:
            driver.execute("PRAGMA secure_delete=ON")
            driver.execute("VACUUM")
        except sqlite3.Error as error:
            self._disconnect()
            raise judged(error, self._url) from error

    def look_through(self, place: Place, most: int, seconds: float) -> Step:
        """Reads on in a SQLite archive's file (`walking.Walk.step`)."""
        driver: Any = self._connect().connection.driver_connection
        if self._walk is None or self._walk.driver is not driver:
            self._walk = Walk(driver)
        try:
            return self._walk.step(place, most, seconds)
        except sqlite3.Error as error:
            self._disconnect()
            raise judged(error, self._url) from error

    def empty_log(self) -> bool:
        """Has nothing of a SQLite archive stand in its log any more; False where a reader is in the way."""
        connection = self._connect()
        if self._checkpoints is None:
            return True
        try:
            return self._checkpoints.empty(connection)
        except sqlite3.Error as error:
            self._disconnect()
            raise judged(error, self._url) from error

    def interrupt(self) -> None:
        """Ends a transaction that makes no progress, from another thread: the call under way then fails."""
        connection = self._connection
        if connection is not None and connection.dialect.name == "postgresql":
            # The other thread may be giving the connection up at this very moment: then there is nothing left to end.
            with suppress(Exception):
                shut_down(connection)

    def close(self) -> None:
        """Gives back connection and lock."""
        self._disconnect()
        self._engine.dispose()

    def _is_overwritten(self) -> bool:
        if self._checkpoints is None:
            return False
        self._checkpoints.follow_rights()
        return self._checkpoints.is_foreign()

    def _require_all_pages(self) -> None:
        path = None if is_postgres(self._url) else sqlite_path(self._url)
        # Where there is a log, of either kind, SQLite makes the file whole when it opens it.
        if path is not None and not any(size_of(beside(path, end)) for end in ("-wal", "-journal")) and is_broken(path):
            raise DatabaseUnreachable(database=str(path), reason=_BROKEN)

    def _connect(self) -> Connection:
        self._file.require()
        if self._connection is None:
            lock = self._held.enter_context(writer_lock(self._url))
            self._require_all_pages()
            self._follow()
            self._connection = self._engine.connect()
            self._checkpoints = Checkpoints(sqlite_path(self._url), lock, self._checkpoint_bytes) if lock else None
            self._file.remember()
            with self._connection.begin():
                require_head(self._connection)  # an upgrade under way is not waited for
                lock_writers(self._connection)
                require_head(self._connection)
                _identify(self._connection)
                raise_to_rows(self._connection)
        return self._connection

    def _follow(self) -> None:
        """What is written to is what the lock is for, though the link of that name leads elsewhere since."""
        if (leads_to := _leads_to(self._url)) != self._leads_to:
            self._engine.dispose()
            self._engine, self._leads_to = writing_engine(self._url), leads_to

    def _take_turn(self, connection: Connection) -> None:
        """Lets one writer of a PostgreSQL archive write at a time, and forgets what another one may have changed.

        Raises SchemaNotAtHead when that was an upgrade.
        """
        if connection.dialect.name != "postgresql":
            return
        lock_writers(connection, rows=True)
        # Locked: where a database has several nodes, the lock of writers may be held on another one than the rows are.
        last = properties.kept(connection, _WRITER, locked=True)
        if last == self._token:
            return
        require_head(connection)
        forgotten = properties.kept(connection, FORGOTTEN_LAST)
        if forgotten == self._forgotten:
            self._caches.forget_changing()
        else:
            self._caches.forget()  # texts that are others now; what is told once more is what it was
            self._forgotten = forgotten
        properties.keep(connection, _WRITER, self._token)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with nullcontext() if self._checkpoints is None else self._checkpoints.spared():
                with suppress(exc.SQLAlchemyError):
                    connection.invalidate()
                with suppress(exc.SQLAlchemyError):
                    connection.close()
        self._checkpoints = self._walk = None
        self._held.close()
        self._caches.forget()


def _leads_to(url: str) -> Path | None:
    return None if is_postgres(url) else sqlite_path(url)


def _identify(connection: Connection) -> None:
    """Gives a new archive its identity, by which an import recognises what it has had from there before."""
    if properties.kept(connection, IDENTITY) is None:
        properties.keep(connection, IDENTITY, secrets.token_hex(16))

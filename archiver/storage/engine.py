"""Opens the archive's database, for the one writer or for any number of readers, and translates its errors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from archiver.errors import (
    ArchiverError,
    ConfigurationWrong,
    DatabaseBusy,
    DatabaseMissing,
    DatabaseReadOnly,
    DatabaseUnreachable,
    NotADatabase,
    RowRefused,
)
from archiver.lockfile import LockFile, LockHeld
from archiver.storage import wal
from archiver.storage.address import is_postgres, shown_url
from archiver.storage.foreign import folder, require_ours
from archiver.storage.postgres import postgres_engine, said
from archiver.storage.sqlite_url import sqlite_file

BUSY_SECONDS = 10
APPLICATION_ID = 0x61726376
"""What a SQLite archive's header has for `file` and others to tell whose it is: "arcv" (https://sqlite.org/pragma.html)."""


def sqlite_name(text: str) -> str:
    """The name that a SQLite archive goes by, which may be a link. Raises ConfigurationWrong for any other database."""
    try:
        return sqlite_file(text)
    except ValueError as error:
        raise ConfigurationWrong(setting="database", reason=str(error), origin="--database") from error


def database_name(text: str) -> str:
    """How an archive is called in messages: its file, or its URL without a password."""
    return shown_url(text) if is_postgres(text) else sqlite_name(text)


def reading_engine(text: str) -> Engine:
    """An engine that cannot write. Raises DatabaseMissing when there is no such SQLite file."""
    if is_postgres(text):
        return postgres_engine(text, read_only=True)
    path = sqlite_path(text)
    if not path.exists():
        raise DatabaseMissing(database=str(path))
    # A reader opens read-only, so that it can never checkpoint: before 3.51.3 two connections that write and checkpoint
    # at once could lose commits (https://sqlite.org/wal.html#walresetbug).
    how = "mode=ro&immutable=1" if reads_in_place(path) else "mode=ro"
    return _sqlite(f"file:{quote(os.fsencode(path))}?{how}&uri=true", ("PRAGMA query_only=ON",), "BEGIN")


def reads_in_place(path: Path) -> bool:
    """Whether this user reads a SQLite archive as it lies there, without the files that SQLite keeps beside one in use.

    So it is for somebody else than its owner while nobody writes: he may not be able to make them, and if he can, they
    would keep the owner from writing. The owner's own are taken over by whoever writes next (root's too: SQLite gives
    them to the owner).
    """
    if wal.beside(path, "-shm").exists() or wal.size_of(wal.beside(path, "-wal")) > 0:
        return False
    return os.geteuid() not in (0, path.stat().st_uid) or not os.access(path.parent, os.W_OK)


def writing_engine(text: str) -> Engine:
    """An engine that writes; for SQLite the caller holds `writer_lock`."""
    if is_postgres(text):
        return postgres_engine(text, read_only=False)
    path = sqlite_path(text)
    pragmas = (
        "PRAGMA auto_vacuum=INCREMENTAL",  # of a new file, before anything is in it; of any other it changes nothing
        "PRAGMA journal_mode=WAL",
        "PRAGMA wal_autocheckpoint=0",  # `wal.Checkpoints` does it
        "PRAGMA synchronous=FULL",  # WAL with NORMAL may lose the last commits when the power goes
        "PRAGMA journal_size_limit=67108864",
        "PRAGMA cache_size=-8000",
    )
    return _sqlite(f"file:{quote(os.fsencode(path))}?uri=true", pragmas, "BEGIN IMMEDIATE")


@contextmanager
def writer_lock(text: str) -> Iterator[LockFile | None]:
    """Makes sure that at most one process has a writing connection to a SQLite archive; None on PostgreSQL.

    A log beside the archive that belongs to another file is set aside, before anything opens the two.

    Raises DatabaseBusy when another process has it, DatabaseReadOnly when its lock cannot be made, DatabaseUnfit when
    the file is another program's: then nothing is written at all.
    """
    if is_postgres(text):
        yield None
        return
    path = sqlite_path(text)
    require_ours(path)
    try:
        lock = LockFile(path)
    except LockHeld as error:
        raise DatabaseBusy(database=str(path), reason=str(error)) from error
    except OSError as error:
        raise DatabaseReadOnly(database=str(path), reason=error.strerror or str(error)) from error
    with lock:
        wal.prepare(path, lock)
        yield lock


_LOCK = 7_310_452_967


def lock_writers(connection: Connection) -> None:
    """Waits for its turn among all writers of a PostgreSQL archive, until the transaction ends; nothing on SQLite."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def sqlite_path(text: str) -> Path:
    """The file of a SQLite archive, its one name: whatever links lead to it, lock and log lie beside the file itself.

    Raises ConfigurationWrong when there is none.
    """
    return Path(os.path.realpath(sqlite_name(text)))


def _sqlite(name: str, pragmas: tuple[str, ...], begin: str) -> Engine:
    url = URL.create("sqlite", database=name.partition("?")[0], query=_query(name))
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=_SQLITE_ARGS)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        # The driver's own transactions start with the first write: a read before it could then never be upgraded.
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma).close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


_SQLITE_ARGS = {"timeout": BUSY_SECONDS, "check_same_thread": False}


def _query(name: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in name.partition("?")[2].split("&"))


@contextmanager
def translated(text: str) -> Iterator[None]:
    """Turns the database's errors into ours, with their cause."""
    try:
        yield
    except exc.DBAPIError as error:
        raise translate(error, text) from error


# Result codes of SQLite without what extends them (https://sqlite.org/rescode.html), and SQLSTATEs with their classes
# (PostgreSQL manual, appendix A). A message comes in the server's language, and may quote what somebody else wrote.
_REFUSED = {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}
_NOT_OPENED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}
_REFUSED_CLASSES = {"22", "23", "54"}
"""Data exception, integrity constraint, program limit exceeded."""
_BUSY_STATES = {"55P03", "55006", "40P01", "40001"}
"""Lock not available, object in use, deadlock, serialization failure."""
_READ_ONLY_STATES = {"25006", "42501"}
"""Read-only transaction, insufficient privilege."""


def translate(error: exc.DBAPIError, text: str) -> ArchiverError:
    """The archiver's error for a database's, judged by its code."""
    # A driver that refuses a value itself gives no code.
    return _judged(error.orig, text, refused=isinstance(error, (exc.DataError, exc.IntegrityError)))


@contextmanager
def translated_driver(text: str) -> Iterator[None]:
    """As `translated`, where SQLite's own driver is used."""
    try:
        yield
    except sqlite3.Error as error:
        raise _judged(error, text, refused=False) from error


def _judged(error: BaseException | None, text: str, *, refused: bool) -> ArchiverError:
    facts = {"database": database_name(text), "reason": said(error)}
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    state = getattr(error, "sqlstate", None) or ""
    if refused or code in _REFUSED or state[:2] in _REFUSED_CLASSES:
        return RowRefused(**facts)
    if code in _BUSY or state in _BUSY_STATES:
        return DatabaseBusy(**facts)
    if code in _READ_ONLY or state in _READ_ONLY_STATES:
        return DatabaseReadOnly(**facts)
    if code == sqlite3.SQLITE_NOTADB:
        return NotADatabase(**facts)
    if code in _NOT_OPENED and (path := sqlite_path(text)).is_dir():
        return folder(path)
    return DatabaseUnreachable(**facts)


def shut_down(connection: Connection) -> None:
    """Ends a PostgreSQL connection that does not answer, from another thread: the call under way fails at once.

    No timeout of libpq covers a server that accepts bytes and never answers (sqlalchemy#7847, psycopg2#561).
    """
    import socket

    descriptor = connection.connection.driver_connection.fileno()  # type: ignore[union-attr]
    with socket.socket(fileno=os.dup(descriptor)) as line:
        line.shutdown(socket.SHUT_RDWR)

"""Opens the archive's database with SQLAlchemy, for the one writer and for whoever looks at its tables as such.

Questions read by way of the bare driver (`storage.database.reading`).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from archiver.errors import ArchiverError, DatabaseBusy, DatabaseReadOnly, DatabaseTwice
from archiver.lockfile import LockFile, LockHeld
from archiver.private import make_file
from archiver.storage.database import wal
from archiver.storage.database.address import is_postgres
from archiver.storage.database.foreign import require_ours
from archiver.storage.database.glimpse import other_names
from archiver.storage.database.judging import judged
from archiver.storage.database.named import sqlite_path
from archiver.storage.database.postgres import postgres_engine
from archiver.storage.database.reading import BUSY_SECONDS, file_to_read


def reading_engine(text: str) -> Engine:
    """An engine that cannot write, to look at the tables with. Raises DatabaseMissing when there is no such file."""
    if is_postgres(text):
        return postgres_engine(text, read_only=True)
    return _sqlite(f"{file_to_read(text)}&uri=true", ("PRAGMA query_only=ON",), "BEGIN")


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
        "PRAGMA cache_size=-4000",  # twice as much saves one hundredth of the CPU time
    )
    engine = _sqlite(f"file:{quote(os.fsencode(path))}?uri=true", pragmas, "BEGIN IMMEDIATE")

    @event.listens_for(engine, "do_connect")
    def _make_private(*_arguments: Any) -> None:
        with suppress(OSError):  # SQLite says what it is
            make_file(path)

    return engine


@contextmanager
def writer_lock(text: str) -> Iterator[LockFile | None]:
    """Makes sure that at most one process has a writing connection to a SQLite archive; None on PostgreSQL.

    A log beside the archive that belongs to another file is set aside, before anything opens the two.

    Raises DatabaseBusy when another process has it, DatabaseReadOnly when its lock cannot be made, DatabaseUnfit when
    the file is another program's, DatabaseTwice when it has two names: then nothing is written at all.
    """
    if is_postgres(text):
        yield None
        return
    path = sqlite_path(text)
    require_ours(path)
    try:
        _require_right(path)
        lock = LockFile(path)
    except LockHeld as error:
        raise DatabaseBusy(database=str(path), reason=str(error)) from error
    except OSError as error:
        raise DatabaseReadOnly(database=str(path), reason=_refused(path, error)) from error
    with lock:
        if others := other_names(path):
            raise DatabaseTwice(database=str(path), others=others)
        wal.prepare(path, lock)
        yield lock


def _require_right(path: Path) -> None:
    """Leaves no lock where this user may not write anyway: it would be his, and keep out who may. Raises OSError."""
    if path.exists() and not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _refused(path: Path, error: OSError) -> str:
    reason, lock = error.strerror or str(error), Path(f"{path}-lock")
    with suppress(OSError):
        if (owner := lock.lstat().st_uid) not in (path.stat().st_uid, os.geteuid()):
            return f"{reason} ({lock} belongs to {owner}; whose the archive is may remove it)"
    return reason


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


def translate(error: exc.DBAPIError, text: str) -> ArchiverError:
    """The archiver's error for a database's, judged by its code."""
    # A driver that refuses a value itself gives no code.
    return judged(error.orig, text, refused=isinstance(error, (exc.DataError, exc.IntegrityError)))


def shut_down(connection: Connection) -> None:
    """Ends a PostgreSQL connection that does not answer, from another thread: the call under way fails at once.

    No timeout of libpq covers a server that accepts bytes and never answers (sqlalchemy#7847, psycopg2#561).
    """
    import socket

    descriptor = connection.connection.driver_connection.fileno()  # type: ignore[union-attr]
    with socket.socket(fileno=os.dup(descriptor)) as line:
        line.shutdown(socket.SHUT_RDWR)

"""Turns the errors of the database drivers into ours, judged by their codes."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archiver.errors import (
    ArchiverError,
    DatabaseBusy,
    DatabaseDamaged,
    DatabaseFull,
    DatabaseReadOnly,
    DatabaseUnreachable,
    LogUnreadable,
    NotADatabase,
    RowRefused,
)
from archiver.storage.database.glimpse import beside, is_there, size_of
from archiver.storage.database.named import database_name, sqlite_path

# Result codes of SQLite without what extends them (https://sqlite.org/rescode.html), and SQLSTATEs with their classes
# (PostgreSQL manual, appendix A). A message comes in the server's language, and may quote what somebody else wrote.
_REFUSED = {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}
_NOT_OPENED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR}
_NO_TEXT = "Could not decode to UTF-8"
"""How Python's module begins to say that a text is none, which it then quotes."""
_REFUSED_CLASSES = {"22", "23", "54"}
"""Data exception, integrity constraint, program limit exceeded."""
_BUSY_STATES = {"55P03", "55006", "40P01", "40001"}
"""Lock not available, object in use, deadlock, serialization failure."""
_FULL_STATE = "53100"
_READ_ONLY_STATES = {"25006", "42501"}
"""Read-only transaction, insufficient privilege."""


@contextmanager
def translated_driver(url: str) -> Iterator[None]:
    """Turns the errors of a driver into ours, with their cause."""
    try:
        yield
    except Exception as error:
        if not is_of_driver(error):
            raise
        raise judged(error, url) from error


def is_damage(error: BaseException | None) -> bool:
    """Whether SQLite says that what it has read cannot be, or that the disk does not give it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE or _is_no_text(error)


def _is_no_text(error: BaseException | None) -> bool:
    """Whether a value that should be a text is none: Python notices, and has no code for it."""
    return isinstance(error, sqlite3.OperationalError) and str(error).startswith(_NO_TEXT)


def is_of_driver(error: BaseException) -> bool:
    """Whether it is an error of a database's driver."""
    psycopg = sys.modules.get("psycopg")  # who had an error of it has it loaded
    return isinstance(error, sqlite3.Error) or (psycopg is not None and isinstance(error, psycopg.Error))


def judged(error: BaseException | None, url: str, *, refused: bool = False) -> ArchiverError:
    """The archiver's error for a driver's; `refused`: it is known that a value is to blame."""
    facts = {"database": database_name(url), "reason": said(error)}
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    state = getattr(error, "sqlstate", None) or ""
    if refused or code in _REFUSED or state[:2] in _REFUSED_CLASSES:
        return RowRefused(**facts)
    if code in _BUSY or state in _BUSY_STATES:
        return DatabaseBusy(**facts)
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_ROLLBACK:
        from archiver.storage.database import absent

        return absent.cut_off(sqlite_path(url))
    if code in _READ_ONLY or state in _READ_ONLY_STATES:
        return DatabaseReadOnly(**facts)
    if code == sqlite3.SQLITE_NOTADB:
        return NotADatabase(**facts)
    if code == sqlite3.SQLITE_CORRUPT:
        return DatabaseDamaged(**facts)
    if code in _NOT_OPENED and (better := _not_opened(sqlite_path(url))) is not None:
        return better
    if code == sqlite3.SQLITE_FULL or state == _FULL_STATE:
        return DatabaseFull(**facts)
    return DatabaseUnreachable(**facts)


def _not_opened(path: Path) -> ArchiverError | None:
    """Why SQLite could not open a file, which itself says only that."""
    from archiver.storage.database import absent
    from archiver.storage.database.foreign import folder

    if os.path.isdir(path):
        return folder(path)
    if not is_there(path):
        return absent.hindered(path)
    for file in (path, *(beside(path, ending) for ending in ("-wal", "-shm"))):
        if absent.may_not_read(file):
            return absent.not_allowed(path, file)
    if (size_of(log := beside(path, "-wal"))) and not os.access(path.parent, os.W_OK, effective_ids=True):
        return LogUnreadable(database=str(path), log=log.name)
    return None


def said(error: BaseException | None) -> str:
    """What a driver's error says in one line, without what quotes rows: of PostgreSQL detail and context."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    text = str(primary or error)
    return " ".join((text.partition(" with text '")[0] if _is_no_text(error) else text).split())[:300]

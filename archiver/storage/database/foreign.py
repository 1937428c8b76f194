"""Tells another program's file from an archive, before anything is written into it or beside it."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from archiver.errors import DatabaseUnfit, NotADatabase
from archiver.storage.database.address import is_postgres
from archiver.storage.database.alone import alone
from archiver.storage.database.named import sqlite_path

APPLICATION_ID = 0x61726376
"""What a SQLite archive's header has for `file` and others to tell whose it is: "arcv" (https://sqlite.org/pragma.html)."""
_OURS = {"alembic_version", "events", "resources", "sessions"}
_NO_DATABASE = "the file there is not a database"
_STEP = "give the archive a database of its own: another file, with --database or ARCHIVER_DATABASE_URL"


def require_ours(path: Path) -> None:
    """Raises DatabaseUnfit when a file has another program's tables, NotADatabase when it is no database at all.

    What cannot be read is left to SQLite.
    """
    if os.path.isdir(path):  # where one may not look, it is none
        raise folder(path)
    if leads_in_circle(path):
        raise circle(path)
    reason = _foreign(path)
    if reason == _NO_DATABASE:  # an archive that was damaged, perhaps
        raise NotADatabase(database=str(path), reason=reason)
    if reason is not None:
        raise DatabaseUnfit(database=str(path), reason=reason, step=_STEP)


def require_fit(url: str) -> None:
    """Raises DatabaseUnfit where no archive can ever be: the name is a folder's, another program's, or no file's.

    A file that is no database may be an archive that was damaged, and comes back.
    """
    if not is_postgres(url):
        with suppress(NotADatabase):
            require_ours(sqlite_path(url))


def folder(path: Path) -> DatabaseUnfit:
    """The error where an archive's name is that of a folder."""
    return DatabaseUnfit(database=str(path), reason="it is a folder", step="name a file in it, as in FOLDER/archive.db")


def leads_in_circle(path: Path) -> bool:
    """Whether a name is a link that leads back to itself."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def circle(path: Path) -> DatabaseUnfit:
    """The error where an archive's name is a link that leads nowhere."""
    step = "remove the link, or name the file itself"
    return DatabaseUnfit(database=str(path), reason="its name is a link that leads in a circle", step=step)


def _foreign(path: Path) -> str | None:
    try:
        if not path.is_file():
            return "it is no file" if path.exists() else None
        return _foreign_tables(path) if path.stat().st_size else None
    except sqlite3.DatabaseError as error:
        return _NO_DATABASE if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_NOTADB else None
    except (OSError, sqlite3.Error):
        return None


def _foreign_tables(path: Path) -> str | None:
    with closing(alone(path)) as connection:
        # To ask for names has SQLite read the text of every view.
        if connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,):
            return None
        names = _names(connection)
        if not names or (names >= _OURS and _is_ours(connection)):
            return None
    shown = ", ".join(sorted(names)[:3]) + (" ..." if len(names) > 3 else "")
    return f"it has {shown} of another program"


def tables_in(path: Path) -> set[str]:
    """The names of tables and views in a SQLite file, which is not touched; none where there is no such file.

    Raises sqlite3.Error.
    """
    if not path.is_file():
        return set()
    with closing(alone(path)) as connection:
        return _names(connection)


def _names(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}


def _is_ours(connection: sqlite3.Connection) -> bool:
    """Whether its revision is one of this program's, also a later one."""
    revisions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return len(revisions) == 1 and re.fullmatch(r"\d{4}", str(revisions[0][0])) is not None

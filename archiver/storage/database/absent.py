"""Says why the file of a SQLite archive cannot be had: it is not there, not finished, or not for this user."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from archiver.errors import (
    ArchiverError,
    DatabaseElsewhere,
    DatabaseMissing,
    DatabaseNotAllowed,
    DatabaseRelative,
    DatabaseUnreachable,
    SchemaNotAtHead,
)
from archiver.lockfile import is_held
from archiver.storage.database.foreign import circle, leads_in_circle
from archiver.storage.database.glimpse import beside
from archiver.storage.database.revision import HEAD

DAEMONS = Path("/var/lib/archiver/archive.db")
"""Where the daemon of deploy/archiver.service has its archive; of a DynamicUser only root may look there."""


def absent(path: Path) -> ArchiverError:
    """The error for a file that is not found."""
    if (hindrance := hindered(path)) is not None:
        return hindrance
    if (meant := _from_the_root(path)) is not None:
        return DatabaseRelative(database=str(path), meant=str(meant))
    if path != Path(os.path.realpath(DAEMONS)) and _may_be_there(DAEMONS):
        return DatabaseElsewhere(database=str(path), other=str(DAEMONS))
    return DatabaseMissing(database=str(path))


def unfinished(path: Path) -> SchemaNotAtHead:
    """The error for a file without tables: somebody is making an archive of it, or was ended before it was one."""
    if is_held(path):
        step = "it is being made: ask again in a moment"
    else:
        step = "whoever was to make it did not finish: start the daemon again, or create it with: archiver db upgrade"
    return SchemaNotAtHead(current="no revision (empty)", head=HEAD, step=step)


def cut_off(path: Path) -> ArchiverError:
    """The error for a file that was being written when whoever wrote was ended: only who writes may take that back.

    An archive is written so only before it has tables; else it was another program.
    """
    try:
        with open(beside(path, "-journal"), "rb") as journal:
            pages_before = int.from_bytes(
                journal.read(20)[16:]
            )  # https://sqlite.org/fileformat2.html#the_rollback_journal
    except OSError:
        pages_before = 0  # somebody has taken it back just now
    if pages_before <= 1:
        return unfinished(path)
    return DatabaseUnreachable(database=str(path), reason="a change to its file was cut off; the daemon takes it back")


def hindered(path: Path) -> ArchiverError | None:
    """What stands between this user and a file that may be there, or could be made."""
    if leads_in_circle(path):
        return circle(path)
    denied = _denied(path)
    return not_allowed(path, denied) if denied is not None else None


def not_allowed(path: Path, where: Path) -> DatabaseNotAllowed:
    """The error for a file that this user may not read; `where` is what he may not look into, the file or a folder."""
    what = "it" if where == path else f"the folder {where}" if where.is_dir() else f"{where}, which is a part of it,"
    found = where.stat()
    return DatabaseNotAllowed(database=str(path), what=what, owner=_name(found.st_uid))


def may_not_read(path: Path) -> bool:
    """Whether a file is there, and not for this user."""
    return path.exists() and not os.access(path, os.R_OK, effective_ids=True)


def _denied(path: Path) -> Path | None:
    """The folder on the way to a file that this user may not look into."""
    for folder in reversed(path.parents):
        if not folder.is_dir():
            return None
        if not os.access(folder, os.X_OK, effective_ids=True):
            return folder
    return None


def _from_the_root(path: Path) -> Path | None:
    """The file that is there, of a path in the folder in which one is that was meant from the root."""
    try:
        meant = Path("/") / path.relative_to(Path.cwd())
    except (ValueError, OSError):
        return None
    return meant if len(meant.parts) > 2 and meant != path and os.path.isfile(meant) else None


def _may_be_there(path: Path) -> bool:
    try:
        path.stat()
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:  # a DynamicUser's, while the daemon does not run
        return str(user)

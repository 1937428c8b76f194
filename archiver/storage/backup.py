"""Copies a SQLite archive while it is in use, and puts such a copy back into its place, each time verified."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from archiver.errors import BackupMissing, BackupUnusable, DatabaseMissing, UsageError
from archiver.storage.database.address import is_postgres
from archiver.storage.database.engine import writer_lock
from archiver.storage.database.foreign import require_fit
from archiver.storage.database.glimpse import reads_in_place
from archiver.storage.database.judging import translated_driver
from archiver.storage.database.named import database_name, sqlite_path
from archiver.storage.database.replacing import aside, create, finish, open_as, writing
from archiver.storage.database.revision import HEAD
from archiver.storage.database.wal import mark
from archiver.storage.positions import new_generation
from archiver.storage.schema import GENERATION
from archiver.storage.words import RESTORED

# Under another key, so that what waits in a spool of the same session does not move its end.
_WAS_OPEN = "closed_at IS NULL OR id IN (SELECT max(id) FROM sessions GROUP BY stream_id)"
_END_SESSIONS = (
    "UPDATE sessions SET closed_at = coalesce(closed_at, last_seen_at), reason = ?, key = key || ? WHERE " + _WAS_OPEN
)
_SAY_KIND = f"UPDATE sessions SET kind = 'restored' WHERE {_WAS_OPEN}"
_COUNTED = ("events", "observations", "rejects", "resources", "sessions")
_GIVEN = "SELECT last FROM numbers WHERE name = '{}'"
_FIRST_GIVEN = "SELECT coalesce(max(id), 0) FROM {}"
_LAST_SEEN = "SELECT max(last_seen_at) FROM sessions"
_FIRST_RELEASED = "0001"
"""The revision of version 0.1.0, whose copies are put back as they are: they have neither numbers nor kinds."""


class Copy(NamedTuple):
    """A copy that was made or put back: how much it holds, and until when it was told."""

    path: Path
    events: int
    size: int
    until: str | None
    """The last sign of life of any stream in it, ISO 8601 UTC; None when there never was one."""
    revision: str
    """That of its tables, which may be older than this program's."""
    kept: Path | None = None
    """Where what it took the place of is kept; None where there was nothing."""


def backup(url: str, target: Path) -> Copy:
    """Copies an archive, also one that is being written, as it is at one instant; `target` is complete or not there.

    Raises UsageError for a PostgreSQL archive, or when the target is something else than an earlier copy,
    DatabaseMissing, DatabaseUnfit, DatabaseUnreachable, CannotWrite, BackupUnusable when what was written cannot be
    read back.
    """
    source = _file_of(url, "pg_dump")
    if not source.exists():
        raise DatabaseMissing(database=str(source))
    require_fit(url)
    target = Path(os.path.realpath(target))
    _require_own(target, source)
    with writing(target) as unfinished:
        how = "mode=ro&immutable=1" if reads_in_place(source) else "mode=ro"
        with translated_driver(url), closing(open_as(source, how)) as archive, closing(create(unfinished)) as copy:
            # One step: a copy in several would begin anew whenever somebody commits.
            archive.backup(copy)
            finish(copy)
        return _verified(unfinished)._replace(path=target)


def restore(url: str, copy: Path) -> Copy:
    """Puts a copy into the place of an archive; what was there is kept beside it.

    What the streams said since the copy was made is not in it: that stretch is a gap, and says so. A copy of an older
    revision is put back as it is, to be upgraded in its place. Raises DatabaseBusy when somebody writes to the archive,
    BackupMissing when there is no copy, BackupUnusable when it is not sound or not of this program, else as `backup`.
    """
    path = _file_of(url, "pg_restore")
    if not copy.exists():
        raise BackupMissing(path=copy)
    if path.exists() and os.path.samefile(path, copy):
        raise UsageError(reason=f"{copy} is the archive itself", hint="name a copy that 'archiver db backup' made")
    held = _verified(copy)
    with writer_lock(url) as lock:
        with writing(path, kept := aside(path, "before-restore")) as unfinished:
            with translated_driver(url), closing(open_as(copy, "mode=ro")) as old, closing(create(unfinished)) as new:
                old.backup(new)
                with new:
                    if held.revision > _FIRST_RELEASED:
                        new.execute(_SAY_KIND)
                    new.execute(_END_SESSIONS, (RESTORED, f":{secrets.token_hex(4)}"))
                    new.execute("DELETE FROM archive_properties WHERE key = ?", (GENERATION,))
                    new.execute("INSERT INTO archive_properties VALUES (?, ?)", (GENERATION, new_generation()))
                finish(new)
            made = _verified(unfinished)
        if lock is not None:
            lock.remember(str(mark(path) or ""))
        return made._replace(path=path, kept=kept if kept.exists() else None)


def _file_of(url: str, tool: str) -> Path:
    if is_postgres(url):
        reason = f"{database_name(url)} is a PostgreSQL database, which has its own tool for this"
        raise UsageError(reason=reason, hint=f"use {tool}; docs/operating.md has the lines")
    return sqlite_path(url)


def _require_own(target: Path, source: Path) -> None:
    """Refuses to write over anything that is not an earlier copy."""
    if not target.exists():
        return
    if os.path.samefile(target, source):
        raise UsageError(reason=f"{target} is the archive itself", hint="give the copy a name of its own")
    try:
        _verified(target)
    except BackupUnusable as error:
        raise UsageError(
            reason=f"{target} is there, and is no copy of an archive", hint="choose another name"
        ) from error


def _verified(path: Path) -> Copy:
    """What a copy holds. Raises BackupUnusable when it is not sound, or no archive of a revision this program knows."""
    try:
        with closing(open_as(path, "mode=ro")) as copy:
            damage = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if damage != "ok":
                raise BackupUnusable(path=path, reason=str(damage))
            (revision,) = copy.execute("SELECT version_num FROM alembic_version").fetchone() or ("none",)
            if not _FIRST_RELEASED <= revision <= HEAD:
                raise BackupUnusable(path=path, reason=f"its revision is {revision}, this program knows up to {HEAD}")
            given = _FIRST_GIVEN if revision == _FIRST_RELEASED else _GIVEN
            for table in _COUNTED:
                (last,) = copy.execute(given.format(table)).fetchone() or (0,)
                (there,) = copy.execute(f"SELECT count(*) FROM {table}").fetchone()
                if last != there:
                    raise BackupUnusable(path=path, reason=f"{there} of {last} rows of {table} are there")
            events = copy.execute("SELECT count(*) FROM events").fetchone()[0]
            return Copy(path, events, path.stat().st_size, copy.execute(_LAST_SEEN).fetchone()[0], revision)
    except sqlite3.Error as error:
        raise BackupUnusable(path=path, reason=str(error)) from error

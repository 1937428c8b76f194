"""Copies a SQLite archive while it is in use, and puts such a copy back into its place, each time verified."""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from archiver.errors import BackupUnusable, CannotWrite, DatabaseMissing, UsageError
from archiver.model import iso, now_micros
from archiver.storage.address import is_postgres
from archiver.storage.engine import database_name, reads_in_place, sqlite_path, translated_driver, writer_lock
from archiver.storage.migrate import HEAD
from archiver.storage.schema import GENERATION
from archiver.storage.wal import beside, mark

RESTORED = "the archive was restored from a copy made before"
"""Why a session ended that was open when the copy was made."""
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
    DatabaseMissing, DatabaseUnreachable, CannotWrite, BackupUnusable when what was written cannot be read back.
    """
    source = _file_of(url, "pg_dump")
    if not source.exists():
        raise DatabaseMissing(database=str(source))
    target = Path(os.path.realpath(target))
    _require_own(target, source)
    with _writing(target) as unfinished:
        how = "mode=ro&immutable=1" if reads_in_place(source) else "mode=ro"
        with translated_driver(url), closing(_open(source, how)) as archive, closing(_create(unfinished)) as copy:
            # One step: a copy in several would begin anew whenever somebody commits.
            archive.backup(copy)
            _finish(copy)
        return _verified(unfinished)._replace(path=target)


def restore(url: str, copy: Path) -> Copy:
    """Puts a copy into the place of an archive; what was there is kept beside it.

    What the streams said since the copy was made is not in it: that stretch is a gap, and says so. A copy of an older
    revision is put back as it is, to be upgraded in its place. Raises DatabaseBusy when somebody writes to the archive,
    BackupUnusable when the copy is not sound or not of this program, else as `backup`.
    """
    path = _file_of(url, "pg_restore")
    if not copy.exists():
        raise DatabaseMissing(database=str(copy))
    if path.exists() and os.path.samefile(path, copy):
        raise UsageError(reason=f"{copy} is the archive itself", hint="name a copy that 'archiver db backup' made")
    held = _verified(copy)
    with writer_lock(url) as lock:
        with _writing(path, kept := _aside(path)) as unfinished:
            with translated_driver(url), closing(_open(copy, "mode=ro")) as source, closing(_create(unfinished)) as new:
                source.backup(new)
                with new:
                    if held.revision > _FIRST_RELEASED:
                        new.execute(_SAY_KIND)
                    new.execute(_END_SESSIONS, (RESTORED, f":{secrets.token_hex(4)}"))
                    new.execute("DELETE FROM archive_properties WHERE key = ?", (GENERATION,))
                    new.execute("INSERT INTO archive_properties VALUES (?, ?)", (GENERATION, _generation()))
                _finish(new)
            made = _verified(unfinished)
        if lock is not None:
            lock.remember(str(mark(path) or ""))
        return made._replace(path=path, kept=kept if kept.exists() else None)


def _generation() -> str:
    return f"{iso(now_micros())} {secrets.token_hex(8)}"


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


@contextmanager
def _writing(target: Path, kept: Path | None = None) -> Iterator[Path]:
    """A file beside the target that takes its name when all went well; what had the name goes to `kept`."""
    unfinished = Path(f"{target}.{secrets.token_hex(4)}.part")
    try:
        yield unfinished
        if kept is not None:
            _give_to_owner(unfinished, target)
        _to_disk(unfinished)
        if kept is not None and target.exists():
            _keep(target, kept)
        os.replace(unfinished, target)
        _to_disk(target.parent)
    except OSError as error:
        raise CannotWrite(target=str(target), reason=error.strerror or str(error)) from error
    finally:
        for leftover in (unfinished, *(beside(unfinished, ending) for ending in ("-wal", "-shm", "-journal"))):
            with suppress(OSError):
                leftover.unlink()


def _give_to_owner(new: Path, target: Path) -> None:
    """Whoever restores, often root: the archive stays its owner's, and open to whom it was open to."""
    there = target.exists()
    found = (target if there else target.parent).stat()
    if os.geteuid() == 0:
        os.chown(new, found.st_uid, found.st_gid)
    if there:
        os.chmod(new, found.st_mode & 0o777)


def _keep(target: Path, kept: Path) -> None:
    """Gives an archive a second name, log and all, and takes the log away from under the first."""
    os.link(target, kept)
    with suppress(FileNotFoundError):
        os.link(beside(target, "-wal"), beside(kept, "-wal"))
    _to_disk(kept.parent)
    for ending in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.unlink(beside(target, ending))


def _aside(path: Path) -> Path:
    return Path(f"{path}.before-restore-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(2)}")


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(os.fsencode(path))}?{how}", uri=True, isolation_level=None, timeout=10)


def _create(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return sqlite3.connect(path, isolation_level=None)


def _finish(copy: sqlite3.Connection) -> None:
    """A copy needs no log beside it, so that whoever may read it can; and a mark of its own, so no log will fit it."""
    copy.execute("PRAGMA journal_mode=DELETE").close()
    copy.execute(f"PRAGMA user_version={1 + secrets.randbelow((1 << 31) - 1)}").close()


def _verified(path: Path) -> Copy:
    """What a copy holds. Raises BackupUnusable when it is not sound, or no archive of a revision this program knows."""
    try:
        with closing(_open(path, "mode=ro")) as copy:
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

"""Upgrades a SQLite archive of 0.1.0: a new file is built beside the old one, and takes its name at the end."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection, Engine, exc

from archiver.errors import CannotWrite
from archiver.lockfile import LockFile
from archiver.storage.database.engine import reading_engine, translate, writing_engine
from archiver.storage.database.glimpse import beside, size_of
from archiver.storage.database.judging import translated_driver
from archiver.storage.database.named import sqlite_path
from archiver.storage.database.replacing import aside, finish, open_as, remove, take_place
from archiver.storage.database.revision import HEAD
from archiver.storage.database.sqlite_url import sqlite_url
from archiver.storage.database.wal import mark
from archiver.storage.tables import make_all
from archiver.storage.upgrade.carrying import OLD, carry_over
from archiver.storage.upgrade.first_edition import FirstEdition
from archiver.storage.upgrade.rebuild import Progress, Rebuild

_CHECKPOINT_BYTES = 16 << 20
_HOLDS_NONE = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_NOTADB)
"""What SQLite answers where there is no such table, or no database (https://sqlite.org/rescode.html)."""


class Replaced(NamedTuple):
    """What an upgrade left beside the archive."""

    kept: Path
    """The old archive."""
    left: tuple[str, ...]
    """What of the users' own is not in the new one, each with the reason."""


def rebuild_file(
    url: str, lock: LockFile, progress: Callable[[Progress], None] | None = None, most: int | None = None
) -> Replaced:
    """Builds the archive anew and puts it in the old one's place; an attempt that was ended is gone on with.

    For the holder of the archive's lock. Raises UpgradeFailed, CannotWrite, and the errors of the database.
    """
    path = sqlite_path(url)
    building, kept = Path(f"{path}.upgrading"), Path(f"{path}.before-{HEAD}")
    left = _build(url, building, progress, most)
    if kept.exists() and not kept.samefile(path):  # of an earlier upgrade, after which an older copy was restored
        kept = aside(path, f"before-{HEAD}")
    try:
        take_place(building, path, kept)
    except OSError as error:
        raise CannotWrite(target=str(path), reason=error.strerror or str(error)) from error
    lock.remember(str(mark(path) or ""))
    return Replaced(kept, left)


def _build(url: str, building: Path, progress: Callable[[Progress], None] | None, most: int | None) -> tuple[str, ...]:
    place = sqlite_url(str(building))
    source, target = reading_engine(url), writing_engine(place)
    try:
        with source.connect() as reading, reading.begin():
            rebuild = Rebuild(FirstEdition(reading), most)
            if not (building.exists() and _is_begun(target, place, rebuild)):
                remove(building)
                os.close(os.open(building, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                with target.begin() as connection:
                    make_all(connection)
                    rebuild.begin(connection)
            with target.connect() as connection:
                _fill(connection, beside(building, "-wal"), rebuild, progress)
                left = _end(connection, sqlite_path(url), rebuild)
    except OSError as error:
        raise CannotWrite(target=str(building), reason=error.strerror or str(error)) from error
    finally:
        target.dispose()
        source.dispose()
    with translated_driver(url), closing(open_as(building, "mode=rw")) as done:
        finish(done)
    return left


def _is_begun(target: Engine, building: str, rebuild: Rebuild) -> bool:
    """Whether the file holds a part of this rebuilding; anything else has no place under that name.

    Raises the errors of the database that say nothing of what the file holds: it is locked, cannot be read ...
    """
    try:
        with target.begin() as connection:
            return rebuild.is_begun(connection)
    except exc.DatabaseError as error:
        if getattr(error.orig, "sqlite_errorcode", None) in _HOLDS_NONE:
            return False
        raise translate(error, building) from error


def _fill(connection: Connection, wal: Path, rebuild: Rebuild, progress: Callable[[Progress], None] | None) -> None:
    while True:
        with connection.begin():
            reached = rebuild.step(connection)
        if reached is None:
            return
        if size_of(wal) > _CHECKPOINT_BYTES:
            _driver(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        if progress is not None:
            progress(reached)


def _end(connection: Connection, old: Path, rebuild: Rebuild) -> tuple[str, ...]:
    """Carries over what is the users' own, and compares the two."""
    driver = _driver(connection)
    driver.execute(f"ATTACH ? AS {OLD}", (f"file:{quote(os.fsencode(old))}?mode=ro",)).close()
    try:
        with connection.begin():
            if not rebuild.is_done(connection):
                rebuild.finish(connection, carry_over(driver))
            return rebuild.left(connection)
    finally:
        driver.execute(f"DETACH {OLD}").close()


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver

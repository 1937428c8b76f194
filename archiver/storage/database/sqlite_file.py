"""Notices when the file of a SQLite archive is no longer the one that was opened.

SQLite goes on writing to a file that was removed or replaced, and reports success; nobody would ever read that again.
"""

from __future__ import annotations

import os
from pathlib import Path

from archiver.errors import DatabaseUnreachable
from archiver.storage.database import wal
from archiver.storage.database.address import is_postgres
from archiver.storage.database.glimpse import beside
from archiver.storage.database.named import sqlite_name

_Identity = tuple[int, int]
_GONE = "its file was removed; put it back, or start the archiver again to begin a new one"
_REPLACED = "its file was replaced by another one while it was open"


class SqliteFile:
    """The file behind an archive's URL, as it was when it was opened; of a PostgreSQL archive there is nothing to say.

    Not safe for several threads at once.
    """

    def __init__(self, url: str) -> None:
        # The name it goes by, which may be a link, and the file itself, beside which its log lies.
        name = None if is_postgres(url) else sqlite_name(url)
        self._path = Path(name) if name else None
        self._file = self._path
        self._own: _Identity | None = None
        self._own_wal: _Identity | None = None

    def remember(self) -> None:
        """Takes note of the file that has just been opened for writing."""
        if self._path is not None:
            self._file = Path(os.path.realpath(self._path))
            self._own, self._own_wal = _identity(self._path), _identity(beside(self._file, "-wal"))

    def is_lost(self) -> bool:
        """Whether the path leads to another file than the one opened, or to none."""
        return self._path is not None and self._own is not None and _identity(self._path) != self._own

    def require(self) -> None:
        """Raises DatabaseUnreachable when the file was removed or replaced, until `follow`."""
        if self._path is not None and self.is_lost():
            reason = _GONE if _identity(self._path) is None else _REPLACED
            raise DatabaseUnreachable(database=str(self._path), reason=reason)

    def follow(self) -> None:
        """Makes a file that has replaced the one opened the one to be written; for whoever gives up all he knows of it.

        Until one that was removed is back, no new one is made for it.
        """
        if self._path is not None and self.is_lost() and (there := _identity(self._path)) is not None:
            self._set_wal_aside()
            self._own = there

    def _set_wal_aside(self) -> None:
        """The old file's write-ahead log must not be taken for the new one's: SQLite would write it into that."""
        assert self._file is not None
        if _identity(self._file) == self._own:  # the old file is where it was, and a link leads elsewhere now
            return
        if self._own_wal is not None and _identity(beside(self._file, "-wal")) == self._own_wal:
            wal.set_aside(self._file, "replaced")


def _identity(path: Path) -> _Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino

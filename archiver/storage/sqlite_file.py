"""Notices when the file of a SQLite archive is no longer the one that was opened.

SQLite goes on writing to a file that was removed or replaced, and reports success; nobody would ever read that again.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from pathlib import Path

from archiver.errors import DatabaseUnreachable
from archiver.storage.engine import read_url

log = logging.getLogger(__name__)

_Identity = tuple[int, int]
_GONE = "its file was removed; put it back, or start the archiver again to begin a new one"
_REPLACED = "its file was replaced by another one while it was open"


class SqliteFile:
    """The file behind an archive's URL, as it was when it was opened; of a PostgreSQL archive there is nothing to say.

    Not safe for several threads at once.
    """

    def __init__(self, url: str) -> None:
        parsed = read_url(url)
        is_file = parsed.get_backend_name() == "sqlite" and parsed.database
        self._path = Path(parsed.database) if is_file and parsed.database else None
        self._own: _Identity | None = None
        self._own_wal: _Identity | None = None

    def remember(self) -> None:
        """Takes note of the file that has just been opened for writing."""
        if self._path is not None:
            self._own, self._own_wal = _identity(self._path), _identity(self._beside("-wal"))

    def is_lost(self) -> bool:
        """Whether the path leads to another file than the one opened, or to none."""
        return self._path is not None and self._own is not None and _identity(self._path) != self._own

    def require(self) -> None:
        """Raises DatabaseUnreachable when the file was removed, until it is back; when it was replaced, once."""
        if self._path is None or not self.is_lost():
            return
        if _identity(self._path) is None:
            raise DatabaseUnreachable(database=str(self._path), reason=_GONE)
        self._set_wal_aside()
        self._own = None
        raise DatabaseUnreachable(database=str(self._path), reason=_REPLACED)

    def _set_wal_aside(self) -> None:
        """The old file's write-ahead log must not be taken for the new one's: SQLite would write it into that."""
        wal = self._beside("-wal")
        if self._own_wal is None or _identity(wal) != self._own_wal:
            return
        aside = self._beside(f"-wal.replaced-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
        log.error("the write-ahead log of the replaced archive is kept as %s", aside)
        with suppress(FileNotFoundError):
            os.rename(wal, aside)
            os.unlink(self._beside("-shm"))

    def _beside(self, ending: str) -> Path:
        return Path(f"{self._path}{ending}")


def _identity(path: Path) -> _Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino

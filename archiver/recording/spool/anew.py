"""Writes a spool's file anew when somebody has deleted or replaced it under the process that has it open."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from archiver.private import make_file
from archiver.recording.spool.file import open_sound

log = logging.getLogger(__name__)

_TAILS = ("", "-wal", "-shm")

Place = tuple[int, int]
"""The device and the number of a file."""


class Places(NamedTuple):
    """Which files have the names of a spool and of its log at present; None: none has."""

    file: Place | None
    log: Place | None

    @classmethod
    def of(cls, path: Path) -> Places:
        """Those of a spool that is open: its log is there from the first look into it."""
        return cls(_place_of(path), _place_of(_log_of(path)))

    def is_lost(self, path: Path) -> bool:
        """Whether the file, or the log that was there, is of that name no more."""
        now = Places.of(path)
        return now.file != self.file or (self.log is not None and now.log != self.log)


def _log_of(path: Path) -> Path:
    return Path(f"{os.path.realpath(path) if path.is_symlink() else path}-wal")


def _place_of(path: Path) -> Place | None:
    try:
        there = path.stat()
    except OSError:
        return None
    return there.st_dev, there.st_ino


def written_anew(path: Path, held: sqlite3.Connection, before: Places) -> sqlite3.Connection:
    """A new file under the name with all that the one `held` open has, which lives on until it is closed.

    What has taken the name since `before` is set aside. Raises sqlite3.Error and OSError; then `held` is of use as it
    was.
    """
    path = path.resolve()  # a link stays one
    copy = Path(f"{path}-anew")
    for tail in _TAILS:
        Path(f"{copy}{tail}").unlink(missing_ok=True)
    make_file(copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL").close()
        held.backup(connection)
    what = _set_aside(path, before)
    os.rename(copy, path)
    connection = open_sound(path)
    held.close()  # SQLite sees that the file has lost its name, and does not delete the log of that name
    log.error("the spool at %s %s while it was in use; it is written anew, nothing in it is lost", path, what)
    return connection


def _set_aside(path: Path, before: Places) -> str:
    """Makes room for the file, and says what had become of it; a log that is left of it is copied already."""
    there = _place_of(path)
    if there is None or there == before.file:
        for tail in _TAILS[1:]:
            Path(f"{path}{tail}").unlink(missing_ok=True)
        return "was deleted" if there is None else "lost its log (-wal)"
    aside = f"{path}.found-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    for tail in _TAILS:
        with suppress(FileNotFoundError):
            os.rename(f"{path}{tail}", f"{aside}{tail}")
    return f"was replaced (by what is now {aside})"

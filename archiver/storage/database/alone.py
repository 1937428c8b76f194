"""Looks into a SQLite file beside SQLite, without letting go of the locks that this process has on it.

Whoever closes any descriptor of a file lets go of all locks that his process has there, those of its writer and of its
readers, too, and the next who opens the archive takes it for one at rest (https://sqlite.org/howtocorrupt.html, 2.2).
So nobody else here opens an archive's file, or the index beside its log; the tests watch every daemon that they start.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

_kept: dict[tuple[int, int], int] = {}
"""Descriptors by device and number of the file, of those that were read as bytes: they stay open."""


def alone(path: Path) -> sqlite3.Connection:
    """A connection to the file as it lies there, without its log, which may be another file's. By way of SQLite, which
    keeps descriptors open as long as its own locks need them. Raises sqlite3.Error."""
    return sqlite3.connect(f"file:{quote(os.fsencode(path))}?mode=ro&immutable=1", uri=True)


def pieces(path: Path, size: int) -> Iterator[bytes]:
    """The bytes of a file, so many at a time; for who looks at few files, each of which stays open until he ends.

    Raises OSError.
    """
    found = os.stat(path)
    place = (found.st_dev, found.st_ino)
    if place not in _kept:
        _kept[place] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    at = 0
    while piece := os.pread(_kept[place], size, at):
        at += len(piece)
        yield piece

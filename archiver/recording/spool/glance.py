"""Looks from outside at what waits in a spool, also while a daemon has it; changes nothing."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from archiver.codec.forgetting import Pattern
from archiver.lockfile import is_held
from archiver.model import to_datetime
from archiver.model.health import Waiting

_SECONDS = 2
_IDENTITY = "SELECT value FROM spool_facts WHERE key = 'identity'"
_LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'spool'"
_OLDEST = "SELECT seq, at FROM spool WHERE seq > ? ORDER BY seq LIMIT 1"
_BYTES = (
    "SELECT (p.page_count - f.freelist_count) * s.page_size"
    " FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s"
)


def glance(path: Path, limit: int, position: Callable[[str], int]) -> Waiting | None:
    """What of a spool is not archived; None where there is no spool, or not for this user.

    `position` tells how far the archive has what a spool of some identity received; `limit` is how much may wait.
    """
    found = _glance(path, limit, position)
    return None if found is None else found._replace(held=is_held(path))


def counted(path: Path, pattern: Pattern) -> int | None:
    """In how many rows of a spool something stands that fits; None where there is no spool, or not for this user."""
    if not os.path.isfile(path) or not os.access(path, os.R_OK, effective_ids=True):
        return None
    rows = 0
    try:
        uri = f"file:{quote(os.fsencode(path))}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_SECONDS, isolation_level=None)) as spool:
            for payload, detail in spool.execute("SELECT payload, detail FROM spool"):
                rows += bool(pattern.in_bytes(payload or b"")[1] or pattern.in_value(detail or "").times)
            for (value,) in spool.execute("SELECT value FROM spool_facts WHERE key <> 'identity'"):
                rows += bool(pattern.in_value(value).times)
    except sqlite3.Error:
        return None
    return rows


def _glance(path: Path, limit: int, position: Callable[[str], int]) -> Waiting | None:
    if not os.path.isfile(path) or not os.access(path, os.R_OK, effective_ids=True):
        return None
    try:
        uri = f"file:{quote(os.fsencode(path))}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_SECONDS, isolation_level=None)) as spool:
            identity = spool.execute(_IDENTITY).fetchone()
            last = spool.execute(_LAST).fetchone()
            if identity is None or last is None:
                return Waiting(0, 0, None, limit)
            archived = position(identity[0])
            oldest = spool.execute(_OLDEST, (archived,)).fetchone()
            if oldest is None:
                return Waiting(0, 0, None, limit)
            size = spool.execute(_BYTES).fetchone()[0]
            return Waiting(last[0] - oldest[0] + 1, size, to_datetime(oldest[1]), limit)
    except sqlite3.Error:  # it is being made, or damaged; the daemon says what becomes of it
        return None

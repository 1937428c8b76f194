"""The one clock that all who write an archive share: its server's, else that of the machine where the file is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func

from archiver.model import now_micros, to_datetime


def archive_clock(connection: Connection, ago: timedelta = timedelta(0)) -> Any:
    """An instant before now, to be written or compared in a statement: when its transaction began, on PostgreSQL."""
    now = func.now() if connection.dialect.name == "postgresql" else to_datetime(now_micros())
    return now - ago

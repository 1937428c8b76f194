"""How things stand with an archive and its streams."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from archiver.model.health import Problem


class StreamStatus(NamedTuple):
    """How things stand with one stream: its last session, and how often nobody was watching."""

    url: str
    connected: bool
    opened_at: datetime | None
    last_seen_at: datetime | None
    closed_at: datetime | None
    reason: str | None
    gaps: int
    trouble: str | None = None
    """Why it cannot be reached at present, or what of it was not understood; None: no trouble."""
    trouble_since: datetime | None = None
    """When that was last found."""
    clock_offset_seconds: float | None = None
    """How far the platform's clock is ahead of ours; None: not known."""
    recorded: bool = True
    """Whether a daemon listens to it, or did; what was imported is nobody's to listen to."""
    lag_seconds: float | None = None
    """How old the newest sign of life in the archive is; None where nobody listens."""


class Status(NamedTuple):
    """How things stand with an archive; `size_bytes` is None where it cannot be told."""

    database: str
    revision: str
    events: int
    rejects: int
    resources: int
    first_event_at: datetime | None
    last_event_at: datetime | None
    size_bytes: int | None
    streams: tuple[StreamStatus, ...]
    free_bytes: int | None = None
    """Room on the disk of a SQLite archive."""
    bytes_per_day: int | None = None
    """How fast it grew in the last seven days; None: that is not known yet."""
    full_at: datetime | None = None
    """When, at that pace, its disk is full; None: not known, or not within the years that a date has."""
    problems: tuple[Problem, ...] = ()
    """What is not well, the worst first."""

    @property
    def well(self) -> bool | None:
        """Whether the streams are listened to and archived; None: nobody records into this archive."""
        if self.problems:
            return False
        return True if any(stream.recorded for stream in self.streams) else None

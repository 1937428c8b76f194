"""How things stand with an archive and its streams."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

ProblemKind = Literal["unrecorded", "refused", "blind", "stale", "lagging", "silent", "full", "damaged"]
"""unrecorded: no stream at all; refused: the platform does not take the credentials; blind: a stream cannot be reached,
or nobody listens to it; stale: no sign of life of it reaches the archive, and nobody said why; lagging: what is
received is archived too late; silent: nothing happened for too long; full: there is no room left; damaged: not all of
the archive's file can be read."""


class Problem(NamedTuple):
    """What is not well: for programs, for people, and what to do about it."""

    kind: ProblemKind
    text: str
    hint: str


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


class ToldStatus(NamedTuple):
    """How things stand with one that a daemon tells: a hook, or a collector of OpenTelemetry."""

    name: str
    """What it is, without anything that may be secret."""
    event: int | None
    """The number of the event up to which it was told; what comes behind is looked at."""
    delivered_at: datetime | None = None
    """When it took what it was told last; None: it was told nothing yet, or does not take it any more."""
    failed_at: datetime | None = None
    """When it did not take it, if it took nothing since."""
    trouble: str | None = None
    """Why."""


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
    told: tuple[ToldStatus, ...] = ()
    """Those that the daemon tells, where somebody knows: the archive itself does not."""

    @property
    def well(self) -> bool | None:
        """Whether the streams are listened to and archived; None: nobody records into this archive."""
        if self.problems:
            return False
        return True if any(stream.recorded for stream in self.streams) else None

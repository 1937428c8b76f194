"""Judges by an archive's status whether what fills it is well, and says what is not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from archiver.model.moments import duration
from archiver.model.standing import Problem, Status, StreamStatus

REFUSED = "credentials refused"
"""What the reason of a platform that does not take the credentials begins with."""
GIVEN_UP = timedelta(days=7)
"""A stream that was not heard of for so long, while others are, is taken for one that nobody listens to any more."""
LEAST_FREE = 64 << 20
"""Bytes of a disk: less is no room."""
_OLDEST = timedelta(seconds=60)
_MOST_OF_THE_LIMIT = 0.9


class Waiting(NamedTuple):
    """What is received and not yet archived."""

    items: int
    bytes: int
    oldest_at: datetime | None
    """When the first of it was received; None when nothing waits."""
    limit: int
    """Bytes that may wait."""
    ours: bool = False
    """Whether it is certainly what waits for this archive."""
    held: bool | None = None
    """Whether a process has the spool; None: that cannot be told."""


class Limits(NamedTuple):
    """From when on something is not well."""

    lag: timedelta | None = None
    """How old what waits, or the newest sign of life, may be; None: a minute of what waits."""
    silence: timedelta | None = None
    """How long nothing need happen; None: for ever, since a platform may be quiet."""


def problems(
    status: Status,
    now: datetime,
    limits: Limits,
    waiting: Waiting | None = None,
    *,
    deserted: bool = False,
    damage: str | None = None,
) -> tuple[Problem, ...]:
    """What is not well, the worst first. What was imported is nobody's to listen to, and not judged.

    A spool of this archive (`waiting`) is a daemon's: where there is one, something was to be recorded.
    `deserted`: nobody has the lock of the archive, so that no daemon fills it. `damage`: what cannot be read of it.
    """
    found = [] if damage is None else [Problem("damaged", f"damage was found in {damage}", _DAMAGED)]
    return (*found, *_of_streams(status, now, limits, waiting, deserted=deserted))


_DAMAGED = "'archiver db check' names all of it; put a backup in its place: archiver db restore FILE"


def _of_streams(
    status: Status, now: datetime, limits: Limits, waiting: Waiting | None, *, deserted: bool
) -> tuple[Problem, ...]:
    recorded = [stream for stream in status.streams if stream.recorded]
    if not recorded:
        imported = status.streams or status.last_event_at is not None or status.rejects
        return () if imported and not (waiting is not None and waiting.ours) else (_UNRECORDED,)
    judged = (_of_stream(stream, now, limits, deserted) for stream in _expected(recorded, now))
    found = [problem for problem in judged if problem is not None]
    found += _of_waiting(waiting, now, limits) if waiting is not None else []
    if limits.silence is not None and (status.last_event_at is None or now - status.last_event_at > limits.silence):
        last = "never" if status.last_event_at is None else f"for {duration(now - status.last_event_at)}"
        found.append(Problem("silent", f"nothing has happened {last}", "see whether the platform is what was meant"))
    if status.free_bytes is not None and status.free_bytes < LEAST_FREE:
        text = f"there are {status.free_bytes >> 20} MiB left on the disk of {status.database}"
        found.append(Problem("full", text, "make room on it; what is received waits in the spool"))
    return tuple(found)


_UNRECORDED = Problem("unrecorded", "no stream has been recorded yet", "start with: archiver run --stream URL")


def _expected(recorded: list[StreamStatus], now: datetime) -> list[StreamStatus]:
    """The streams that somebody should be listening to."""
    if not any(stream.connected for stream in recorded):
        return recorded
    return [stream for stream in recorded if stream.connected or now - (_last_word(stream) or now) < GIVEN_UP]


def _last_word(stream: StreamStatus) -> datetime | None:
    known = [moment for moment in (stream.last_seen_at, stream.trouble_since) if moment is not None]
    return max(known, default=None)


def _of_stream(stream: StreamStatus, now: datetime, limits: Limits, deserted: bool) -> Problem | None:
    if stream.connected:
        lag = now - stream.last_seen_at if stream.last_seen_at is not None else timedelta(0)
        if limits.lag is not None and lag > limits.lag:
            text = f"the newest sign of life of {stream.url} in the archive is {duration(lag)} old"
            return Problem("lagging", text, _LATE)
        return None
    if stream.trouble is not None and stream.trouble.startswith(REFUSED):
        return Problem("refused", f"{stream.url}: {stream.trouble}", "put the key right, and start the daemon again")
    if stream.trouble is not None:
        hint = "see whether the daemon runs: while it does, it goes on trying"
        return Problem("blind", f"{stream.url} cannot be reached: {stream.trouble}", hint)
    if stream.closed_at is not None:
        since = f"since {stream.closed_at:%Y-%m-%d %H:%M:%S}Z"
        return Problem(
            "blind", f"nobody listens to {stream.url} {since}: {stream.reason}", "see whether the daemon runs"
        )
    if deserted and stream.last_seen_at is not None:
        age = duration(now - stream.last_seen_at)
        text = f"no daemon runs: nobody has the archive's lock; the last sign of life of {stream.url} is {age} old"
        return Problem("stale", text, "start it again; its log says how it ended")
    age = f"for {duration(now - stream.last_seen_at)}" if stream.last_seen_at is not None else "at all"
    return Problem("stale", f"no sign of life of {stream.url} {age}", "see whether the daemon runs, and what it logs")


_LATE = "see what the daemon logs of the archive; what waits is in its spool"


def _of_waiting(waiting: Waiting, now: datetime, limits: Limits) -> list[Problem]:
    found = []
    if waiting.oldest_at is not None and (age := now - waiting.oldest_at) > (limits.lag or _OLDEST):
        text = f"{waiting.items:,} items wait to be archived, the oldest for {duration(age)}"
        found.append(Problem("lagging", text, _LATE))
    if waiting.bytes >= waiting.limit * _MOST_OF_THE_LIMIT:
        text = f"the spool holds {waiting.bytes:,} of the {waiting.limit:,} bytes that it may"
        found.append(Problem("full", text, "see why the archive does not take what waits, or raise --spool-limit"))
    return found

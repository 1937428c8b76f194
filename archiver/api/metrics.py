"""What an archive tells a monitor: how its streams and objects do, as numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import get_args

from archiver.api.archive import Archive
from archiver.codec.prometheus import Family, Sample
from archiver.model import Status, TimeRange
from archiver.model.health import Waiting
from archiver.model.standing import ProblemKind

_Labels = tuple[tuple[str, str], ...]
_Counts = Counter[tuple[str, _Labels]]
"""By name of the family, and labels."""
_COUNTED = {
    "archiver_gap_seconds_total": "Seconds in which nobody was watching a stream, by the kind of gap.",
    "archiver_restarts_total": "Containers that stopped and came back, themselves or in their slot, by cause.",
    "archiver_oom_total": "Containers that stopped since memory was short.",
    "archiver_unknown_seconds_total": "Seconds of containers' lives in which nobody knows how they were.",
}


def of_status(status: Status) -> Iterator[Family]:
    """How the streams and the archive do."""
    streams = [(stream, {"stream": stream.url}) for stream in status.streams if stream.recorded]
    known = {problem.kind for problem in status.problems}
    yield _gauge("archiver_well", "Whether nothing is the matter (`archiver status`).", float(not known))
    yield Family(
        "archiver_problem",
        "gauge",
        "What is the matter, by kind.",
        tuple(Sample(float(kind in known), {"kind": kind}) for kind in get_args(ProblemKind)),
    )
    yield Family(
        "archiver_stream_connected",
        "gauge",
        "Whether signs of life of a stream reach the archive.",
        tuple(Sample(float(stream.connected), labels) for stream, labels in streams),
    )
    yield Family(
        "archiver_stream_lag_seconds",
        "gauge",
        "How old the newest sign of life of a stream in the archive is.",
        tuple(Sample(stream.lag_seconds, labels) for stream, labels in streams if stream.lag_seconds is not None),
    )
    if status.last_event_at is not None:
        last = status.last_event_at.timestamp()
        yield _gauge("archiver_last_event_timestamp_seconds", "When the last event happened.", last)
    yield _gauge("archiver_events", "Events in the archive.", status.events)
    yield _gauge("archiver_rejects", "Messages in the archive that could not become events.", status.rejects)
    for name, about, value in (
        ("archiver_archive_bytes", "Size of the archive.", status.size_bytes),
        ("archiver_archive_free_bytes", "Room on the disk of the archive.", status.free_bytes),
        ("archiver_archive_growth_bytes_per_day", "Growth in the last seven days.", status.bytes_per_day),
    ):
        if value is not None:
            yield _gauge(name, about, value)


def of_waiting(waiting: Waiting) -> Iterator[Family]:
    """What is received and not yet archived."""
    yield _gauge("archiver_spool_items", "Items that are received and not yet archived.", waiting.items)
    yield _gauge("archiver_spool_bytes", "Bytes of the spool that are taken.", waiting.bytes)
    yield _gauge("archiver_spool_limit_bytes", "Bytes that may wait in the spool.", waiting.limit)


def _gauge(name: str, about: str, value: float) -> Family:
    return Family(name, "gauge", about, (Sample(value),))


class Counted:
    """What is counted day by day (UTC), as long as this object lives; a new one begins with the day.

    So a look costs what happened that day, however old the archive is. A day that is over is counted once more, and
    added to what came before.
    """

    def __init__(self) -> None:
        self._day: datetime | None = None
        self._before: _Counts = Counter()

    def families(self, archive: Archive, now: datetime) -> Iterator[Family]:
        """The counters; raises as the archive does."""
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self._day is not None and today > self._day:
            self._before += _counts(archive, TimeRange(self._day, today))
        self._day = today
        counts = self._before.copy()
        counts.update(_counts(archive, TimeRange(today, now)))  # also what is 0 by now: an increase is seen from there
        for name, about in _COUNTED.items():
            samples = sorted((labels, value) for (of, labels), value in counts.items() if of == name)
            yield Family(name, "counter", about, tuple(Sample(value, dict(labels)) for labels, value in samples))


def _counts(archive: Archive, range: TimeRange) -> _Counts:
    assert range.since is not None
    assert range.until is not None
    counts: _Counts = Counter()
    for gap in archive.coverage(range).gaps:
        length = (gap.until or range.until) - (gap.since or range.since)
        if gap.stream is not None and gap.kind != "before" and length > timedelta(0):
            labels = (("stream", gap.stream), ("kind", gap.kind or "unknown"))
            counts["archiver_gap_seconds_total", labels] += length.total_seconds()  # type: ignore[assignment]
    for stop in archive.stops(range):
        place = (("stack", stop.stack), ("service", stop.service))
        counts["archiver_restarts_total", (*place, ("cause", stop.cause))] += stop.restarts
        if stop.cause == "oom":
            counts["archiver_oom_total", place] += stop.stops
    for each in archive.unknown(range.since.date()):
        place = (("stack", each.stack), ("service", each.service))
        counts["archiver_unknown_seconds_total", place] += each.seconds  # type: ignore[assignment]
    return counts

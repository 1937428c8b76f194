"""Judges why an answer has nothing in it, by who was watching and how far the archive reaches."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from archiver.model import Coverage, Empty, TimeRange


class Extent(NamedTuple):
    """From when until when an archive knows anything: the first and the last that was watched or told; UTC."""

    first: datetime | None = None
    last: datetime | None = None


def why_empty(range: TimeRange, coverage: Coverage, extent: Extent) -> Empty:
    """Why nothing was found in a range, by the coverage of the streams that could have told.

    The extent is of what these streams watched, and of all that is archived without any.
    """
    if extent.first is None or extent.last is None:
        return "never_recorded"
    if range.until is not None and range.until <= extent.first:
        return "before_archive"
    if coverage.gaps and range.since is not None and range.since >= extent.last:
        return "after_archive"
    if any(gap.stream is None for gap in coverage.gaps):
        return "never_recorded"
    return "nothing_happened" if coverage.complete else "gap"

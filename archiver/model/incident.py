"""What happened in a stretch of time, put together for a post-mortem."""

from __future__ import annotations

from typing import NamedTuple

from archiver.model.answers import Coverage, Resource, TimeRange
from archiver.model.nearby import Nearby
from archiver.model.reports import Report


class Incident(NamedTuple):
    """All that changed in a stretch of time, what stopped and why, and what is not known of it."""

    resource: Resource | None
    """Below which, this included; None: everywhere."""
    range: TimeRange
    coverage: Coverage
    changes: tuple[Nearby, ...]
    """The oldest first."""
    restarts: Report
    availability: Report

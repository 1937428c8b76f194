"""Whether somebody was watching, in one line for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from archiver.cli import times
from archiver.cli.escape import escape
from archiver.cli.presentation import Presentation

if TYPE_CHECKING:
    from archiver.model import Coverage, Gap, TimeRange
    from archiver.model.reports import Report

PROVEN = "; proven not to have changed"
"""What is said of a gap that leaves nothing doubtful."""
INHERITED = "what has a ? was last told before a gap"
"""What is said of a range without a gap in which something is doubtful that stood when it began."""
UNTOLD = "of what stood when it began some was last told before a gap"
"""The same, where no single state is shown."""
SOME_REASONS = 3
"""So many different reasons are named in one line."""


def coverage_line(
    presentation: Presentation, coverage: Coverage, range: TimeRange, first: datetime | None = None
) -> str:
    """Whether somebody was watching, in one line; `first`: when what is shown begins, in a range without beginning."""
    gaps = coverage.gaps
    if not gaps:
        return "watched throughout"
    if not is_watched(coverage):
        return escape(gaps[0].reason)
    starts = [moment for moment in (first, *(gap.since for gap in gaps)) if moment]
    start, end = range.since or min(starts, default=None), range.until or presentation.now
    count = "1 gap" if len(gaps) == 1 else f"{len(gaps)} gaps"
    reasons = list(dict.fromkeys(escape(gap.reason) for gap in gaps))
    named = ", ".join(reasons[:SOME_REASONS]) + (", ..." if len(reasons) > SOME_REASONS else "")
    named += _proven(coverage)
    if start is None or (range.since is None and any(gap.since is None for gap in gaps)):
        return f"nobody was watching for {count}: {named}"
    return f"nobody was watching for {count}, {total(gaps, start, end)} in all: {named}"


def watched_line(presentation: Presentation, report: Report) -> str:
    """Whether somebody was watching, in one line, and whether what stood before is sure where it was throughout."""
    said = coverage_line(presentation, report.coverage, report.range)
    return f"{said}; {UNTOLD}" if is_inherited(report) else said


def is_inherited(report: Report) -> bool:
    """Whether something is not known in a range that was watched throughout."""
    return report.inherited and not report.coverage.gaps


def _proven(coverage: Coverage) -> str:
    """In how many of the gaps it is proven that nothing changed, where in any."""
    left, count = len(coverage.doubtful), len(coverage.gaps)
    return "" if left == count else PROVEN if not left else f"{PROVEN} in {count - left} of them"


def moment_line(presentation: Presentation, coverage: Coverage, *, now: bool = False) -> str:
    """That nobody was watching at an instant, or is now, in one line; `coverage` has the gaps around it."""
    if not is_watched(coverage):
        return escape(coverage.gaps[0].reason)
    gap = coverage.gaps[0]
    since = f" since {presentation.instant(gap.since)}" if gap.since else ""
    until = f" until {presentation.instant(gap.until)}" if gap.until else ""
    more = f", and {len(coverage.gaps) - 1} more streams" if len(coverage.gaps) > 1 else ""
    when = "is watching now" if now else "was watching then"
    return f"nobody {when}{since}{until}: {escape(gap.reason)} ({escape(gap.stream or '')}{more})"


def is_watched(coverage: Coverage) -> bool:
    """False for what was imported without its sessions: then nothing is known about gaps, not even that there are."""
    return not any(gap.stream is None for gap in coverage.gaps)


def total(gaps: Sequence[Gap], start: datetime, end: datetime) -> str:
    """How long nobody was watching between two instants; what two streams missed at once counts once."""
    length, reached = timedelta(0), start
    for since, until in sorted((gap.since or start, gap.until or end) for gap in gaps):
        since, until = max(since, reached), min(until, end)
        if until > since:
            length += until - since
            reached = until
    return times.duration(length)

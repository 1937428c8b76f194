"""When nobody was watching a stream, and why: what no session covers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from archiver.model import Micros

from .replay import Watch

LEFT_OPEN = "left open"
SILENT = "silent"
BEFORE = "before"
_ROUNDING = 1_000_000
"""The platforms date by the second: what is heard first may be dated a little before its session."""


class Blind(NamedTuple):
    """When nobody was watching; `why` is the session that had reached farthest, None before the first."""

    since: Micros | None
    until: Micros | None
    why: Watch | None


def blind(sessions: Sequence[Watch], since: Micros | None, until: Micros | None, now: Micros) -> list[Blind]:
    """The gaps of one stream within a range; an open end means until now, and a gap that reaches it is open."""
    last = now if until is None else min(until, now)
    begun = [session for session in sessions if session.covered_from < last]
    if since is None and not begun:
        return [Blind(None, None if until is None or until > now else until, None)]
    first = min(session.covered_from for session in begun) if since is None else since
    if first >= last and since is not None:
        why = _farthest(begun, first)  # of what is yet to come, too
        return [] if _watched(begun, first, first) else [Blind(since, until if until and until <= now else None, why)]
    edges = {first, last} | {edge for session in begun for edge in (session.covered_from, session.end)}
    instants = sorted(edge for edge in edges if first <= edge <= last)
    pieces = [piece for piece in pairwise(instants) if not _watched(begun, *piece)]
    gaps: list[Blind] = []
    for start, end in pieces:
        joins = gaps and gaps[-1].until == start and all(session.covered_from != start for session in begun)
        if joins:
            gaps[-1] = gaps[-1]._replace(until=end)
        else:
            gaps.append(Blind(start, end, _farthest(begun, start)))
    still = until is None or until > now
    if gaps and gaps[-1].until == last and still:
        gaps[-1] = gaps[-1]._replace(until=None)
    return [gap for gap in gaps if not _is_rounding(gap)]


def _watched(sessions: Sequence[Watch], start: Micros, end: Micros) -> bool:
    return any(session.covered_from <= start and end <= session.end for session in sessions)


def _farthest(sessions: Sequence[Watch], at: Micros) -> Watch | None:
    """Of the sessions that began by then, the one that reached farthest; of equals the first."""
    begun = [session for session in sessions if session.covered_from <= at]
    return min(begun, key=lambda session: (-session.end, session.covered_from, session.number), default=None)


def _is_rounding(gap: Blind) -> bool:
    return gap.why is None and gap.since is not None and gap.until is not None and gap.until - gap.since < _ROUNDING

"""What stands above a picture: what it is of, from when to when, and how well that was watched."""

from __future__ import annotations

from datetime import datetime, timedelta

from archiver.codec.visible import short_reference
from archiver.model import Lanes, duration, iso, to_micros
from archiver.report.called import shown
from archiver.report.picture import Picture
from archiver.report.pieces import unwatched

SOME_REASONS = 3
"""So many different reasons are named in one line."""


def title_of(lanes: Lanes) -> str:
    """What the picture is of."""
    resource = lanes.resource
    if resource is None:
        return "the whole platform"
    return f"{shown(resource.type)} {shown(resource.name)}" if resource.name else shown(short_reference(resource.uri))


def said_of(picture: Picture) -> list[str]:
    """The range and what is in it, and whether it was watched: a line each."""
    lanes, within = picture.lanes, picture.within
    states = sum(len(lane.spans) for lane in lanes.lanes)
    done = sum(len(lane.actions) for lane in lanes.lanes)
    counted = f"{_count(len(lanes.lanes), 'lane')}, {_count(states, 'state')}, {_count(done, 'action')}"
    end = "now, which was " if within.until == picture.now else ""
    return [f"{_exact(within.since)} to {end}{_exact(within.until)} UTC: {counted}", watched(picture)]


def watched(picture: Picture) -> str:
    """Whether somebody was watching while what is drawn happened, in one line."""
    coverage = picture.lanes.coverage
    if any(gap.stream is None for gap in coverage.gaps):
        return shown(coverage.gaps[0].reason)
    gaps = [gap for _, gap in unwatched(coverage, picture.within)]
    if not gaps:
        return "watched throughout"
    total = sum((until - since for since, until in picture.gaps), timedelta(0))
    reasons = list(dict.fromkeys(shown(gap.reason) for gap in gaps))
    named = ", ".join(reasons[:SOME_REASONS]) + (", ..." if len(reasons) > SOME_REASONS else "")
    counted = f"nobody was watching for {_count(len(gaps), 'gap')}"
    if all(gap.proven for gap in gaps):
        return f"{counted}: {named}; proven not to have changed"
    return f"{counted}, {duration(total)} in all: {named}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _exact(moment: datetime) -> str:
    return iso(to_micros(moment))[:19].replace("T", " ")

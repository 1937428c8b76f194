"""A picture before it is drawn: from where to where, when nobody was watching, and the pieces of each lane."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from archiver.model import Lane, Lanes
from archiver.report.called import names_of
from archiver.report.pieces import Bounds, Piece, Stretch, blind, bounds, pieces


class Cut(NamedTuple):
    """A lane, its states cut where nobody was watching, when that was, but where it hides nothing, and its name."""

    lane: Lane
    pieces: list[Piece]
    gaps: list[Stretch]
    called: str


class Picture(NamedTuple):
    """What all drawings of an answer are made of."""

    lanes: Lanes
    now: datetime
    within: Bounds
    gaps: list[Stretch]
    cut: list[Cut]


def picture(lanes: Lanes, now: datetime, *, most: int | None = None) -> Picture:
    """The picture of an answer, of no more lanes than `most`; what is still so ends `now`."""
    within = bounds(lanes, now)
    gaps = blind(lanes.coverage, within)
    told = lanes.lanes[:most]
    cut = [_cut(lane, lanes, gaps, within, called) for lane, called in zip(told, names_of(told), strict=True)]
    return Picture(lanes, now, within, gaps, cut)


def _cut(lane: Lane, lanes: Lanes, gaps: list[Stretch], within: Bounds, called: str) -> Cut:
    own = gaps if lane.gaps is None else blind(lanes.coverage._replace(gaps=lane.gaps), within)
    return Cut(lane, list(pieces(lane.spans, own, within)), own, called)

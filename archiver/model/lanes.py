"""What a picture is drawn from: a lane for each resource, with its states and what was done to it."""

from __future__ import annotations

from typing import NamedTuple

from archiver.model.answers import Action, Coverage, Gap, Resource, Span, TimeRange
from archiver.model.empty import Empty


class Lane(NamedTuple):
    """What became of one resource within a range."""

    uri: str
    type: str
    name: str | None
    depth: int
    """How far below the top it stands; it is under the last lane before it that is less deep."""
    spans: tuple[Span, ...]
    """Its states, in order, none between two; each with its `kind`."""
    actions: tuple[Action, ...] = ()
    """What was done to it, by the time at which it began."""
    gaps: tuple[Gap, ...] | None = None
    """The gaps of the picture, where not all are of streams that told of it, or any is proven to hide nothing of it;
    None: they may hide what they do."""


class Lanes(NamedTuple):
    """All that was under a resource within a range (None: all that there was), in the order of a tree."""

    resource: Resource | None
    range: TimeRange
    coverage: Coverage
    lanes: tuple[Lane, ...]
    empty: Empty | None = None
    """Why there is nothing in the lanes; None: there is something."""

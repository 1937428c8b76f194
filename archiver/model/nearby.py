"""What changed before something, and how near to it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from archiver.model.answers import Coverage, Resource, TimeRange
from archiver.model.causes import Cause
from archiver.model.empty import Empty

Where = Literal["self", "above", "below", "beside"]
AtIs = Literal["asked", "stop", "change", "now"]
"""What the instant is: the one that was asked for, the last stop of the resource, its last change, or now."""
Became = Literal["appeared", "vanished", "state", "action", "image", "name", "tags", "moved", "note"]


class Differs(NamedTuple):
    """What was different of a container that took the place of another; null where it was not told."""

    what: str
    """`image`, or a label of Compose that stands for its digest, or for the whole configuration."""
    before: str | None
    after: str | None


class Replaced(NamedTuple):
    """What a new container took the place of."""

    uri: str
    name: str | None
    why: Literal["image", "configuration", "image and configuration", "neither"] | None
    """What was different; None: of the configuration nothing was told, and the image is the same."""
    differs: tuple[Differs, ...]


class Nearby(NamedTuple):
    """One change, and where in the tree it was, seen from what is asked about."""

    change: Became
    uri: str
    """What changed; of an action what it was done to, of a note what it is about: empty where that is everything."""
    type: str
    name: str | None
    before: str | tuple[str, ...] | None
    after: str | tuple[str, ...] | None
    """What it became: a state, an image, a name, all its tags, the URIs above it.

    Of an action what was done, of a note its text.
    """
    at: datetime
    certain: bool | None
    cause: Cause | None
    """Why it stopped; None: it did not."""
    action: str | None
    """URI of the action; of a note its URL."""
    by: str | None
    """Who did it, where a source says so."""
    where: Where
    distance: int
    """How many steps of the tree away: 0 itself, 1 what is directly above or below, 2 what is beside it ..."""
    seconds_before: float
    replaced: Replaced | None = None
    """Of what appeared: what it took the place of, and what was different."""
    platform: str | None = None
    """Where it lives, where the archive has several platforms."""


class Before(NamedTuple):
    """What changed before an instant, the nearest in time first."""

    resource: Resource
    at: datetime
    range: TimeRange
    coverage: Coverage
    changes: tuple[Nearby, ...]
    empty: Empty | None = None
    """Why there are no changes; None: there are some."""
    left_out: int = 0
    """So many changes that are farther away in the tree are left out."""
    at_is: AtIs = "asked"

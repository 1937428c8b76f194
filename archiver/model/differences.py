"""What was otherwise at one instant than at another."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from archiver.model.answers import Coverage, Resource, TimeRange
from archiver.model.causes import Cause
from archiver.model.empty import Empty

ChangeKind = Literal["appeared", "vanished", "moved", "state", "image", "name", "tags", "replicas"]
"""What became otherwise: moved: what it is directly under; replicas: of a service, how many of its containers run."""
Side = Literal["before", "after"]
"""A side of a change: how it was at the first instant, or at the second."""


class Change(NamedTuple):
    """One thing that became otherwise. What `before` and `after` are depends on the change: a state, an image, a name,
    a number, of what moved URIs in their order, tags in theirs."""

    change: ChangeKind
    uri: str
    type: str
    name: str | None
    before: str | int | tuple[str, ...] | None
    after: str | int | tuple[str, ...] | None
    at: datetime
    """When it became as it was then; of what changed several times, the last one counts."""
    certain: bool | None
    """Whether before and after are sure (`TreeNode.certain`); None: of a state that is not known."""
    platform: str | None = None
    """What its platform is called, where the archive has several."""
    doubtful: tuple[Side, ...] = ()
    """Which of both is not sure: what stood then was last told before a gap, or nobody was watching then."""
    cause: Cause | None = None
    """Of a container that ended, why it did last, where that was asked for."""


class Diff(NamedTuple):
    """What was otherwise at the end of a range than at its beginning, in the order in which it became so."""

    resource: Resource | None
    """Below which, this included; None: on the whole platform."""
    range: TimeRange
    coverage: Coverage
    changes: tuple[Change, ...]
    empty: Empty | None = None
    """Why there are no changes; None: there are some."""

"""Why something stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

CauseKind = Literal["told", "forced", "crash", "oom", "unknown"]
"""It was told to; told, and killed when its grace was over; neither, nor was memory short; memory was short; nobody was
watching when the end came."""


class Proof(NamedTuple):
    """An action that explains a stop."""

    uri: str
    name: str | None
    """What was done, where the platform says so: `stop`, `Service Redeploy`."""
    target: str | None
    """URI of the object that it was done to."""
    by: str | None
    """Who did it, where a source knows."""
    started_at: datetime


class Cause(NamedTuple):
    """Why something stopped."""

    kind: CauseKind
    exit_code: int | None = None
    actions: tuple[Proof, ...] = ()
    """One: that is proven. More: candidates, any of which may have done it."""

"""How an object stands, for whoever keeps a list of all there are."""

from __future__ import annotations

from typing import NamedTuple

from archiver.model.moments import Micros


class Entity(NamedTuple):
    """A container as it stands now."""

    uri: str
    key: str
    name: str | None
    state: str | None
    gone_at: Micros | None
    """Since when it is no more; None: it lives."""
    image: str | None = None
    slot: str | None = None

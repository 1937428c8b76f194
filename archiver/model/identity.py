"""What tells a resource from all others."""

from __future__ import annotations

from typing import NamedTuple


class ResourceRef(NamedTuple):
    """What identifies a resource: its type, and its key within the type."""

    type: str
    key: str

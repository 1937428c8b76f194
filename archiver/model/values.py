"""What the archive answers about its vocabularies."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Value(NamedTuple):
    """A word of a vocabulary: how many events had it, the first and the last of them; UTC."""

    value: str
    events: int
    first_at: datetime
    last_at: datetime

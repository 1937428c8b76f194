"""A message that could not become an event, as whoever asks for it sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

RejectKind = Literal["conflict", "too_long", "unreadable", "no_event", "no_time", "failed"]
"""Why, for programs to compare; the sentence beside it is for people.

conflict: its uuid is archived with other content; too_long: the beginning alone was kept; unreadable: no JSON, no
UTF-8, or nested too deep; no_event: JSON of something else; no_time: an import was not told how to date it; failed: the
archiver or the database could not take it.
"""
KINDS: tuple[tuple[str, RejectKind], ...] = (
    ("its uuid is archived already", "conflict"),
    ("exceeds the cap", "too_long"),
    ("not JSON", "unreadable"),
    ("not UTF-8", "unreadable"),
    ("not readable", "unreadable"),
    ("not an event", "no_event"),
    ("not an observation", "no_event"),
    ("no time", "no_time"),
)
"""What the sentence of each kind has in it, of which the first counts; of any other: failed."""


class KeptReject(NamedTuple):
    """One reject, but for its bytes."""

    id: int
    stream: str | None
    """Where it came from; None: it was imported."""
    received_at: datetime
    kind: RejectKind
    reason: str
    bytes: int
    retried_at: datetime | None
    """When it was tried again last, in vain; None: never."""

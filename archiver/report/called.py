"""What the lanes of a picture are called, so that nothing in a name hides or acts, and none is taken for another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from archiver.codec.visible import escape, short_reference
from archiver.model import Lane

LONGEST = 300
"""Of a text that others wrote a picture shows so many characters."""


def shown(text: str | None) -> str:
    """A text that others wrote, so that nothing in it hides or acts, and no longer than is of use."""
    whole = text or ""
    return escape(whole) if len(whole) <= LONGEST else escape(whole[:LONGEST]) + "…"


def names_of(lanes: Sequence[Lane]) -> list[str]:
    """What each lane is called: its name, with the beginning of its key where another has that name; else its key."""
    bearers = Counter(name for name, _ in {(lane.name, lane.uri) for lane in lanes})
    return [_called(lane, alone=bearers[lane.name] == 1) for lane in lanes]


def _called(lane: Lane, *, alone: bool) -> str:
    key = shown(short_reference(lane.uri).rstrip("/").rpartition("/")[2] or lane.uri)
    name = shown(lane.name)
    return (name if alone else f"{name} ({key})") if name else key

"""An interval tree on plain B-trees: what holds at an instant, or overlaps a range, at the price of the answer.

Each interval [since, until) of integer instants has one more integer, its node: the instant within it that the binary
tree over all instants meets first. What holds at T lies at one of the at most 63 nodes on the way to T; what overlaps a
range lies there, or at a node within the range.
"""

from __future__ import annotations

from typing import NamedTuple

_BITS = 63


def node(since: int, until: int) -> int:
    """The place of an interval in the tree; an interval that still holds ends at `OPEN`, and its place is OPEN too.

    Instants before 1970 count as 1970 here: so a question compares both ends of what it finds with the instant itself.
    """
    since, until = max(since, 0), max(until, 0)
    differing = (since ^ until).bit_length()
    return since if not differing else (until >> (differing - 1)) << (differing - 1)


class Way(NamedTuple):
    """The nodes at which an interval that holds at an instant can be."""

    before: list[int]
    """At or before it: the interval holds when it ends later."""
    after: list[int]
    """After it: the interval holds when it has begun."""


def way_to(at: int) -> Way:
    """The way to an instant, from the root."""
    at = max(at, 0)
    nodes = [((at >> (bit + 1)) << (bit + 1)) | (1 << bit) for bit in range(_BITS)]
    return Way([*(found for found in nodes if found <= at), at], [found for found in nodes if found > at])

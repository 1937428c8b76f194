"""How much the recorder remembers from one batch to the next, and does in one: bounded, whatever comes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """Most entries of each cache; one that is full gives up what it has had longest, or all."""

    words: int = 10_000
    """Texts of each vocabulary."""
    resources: int = 20_000
    links: int = 8_000
    """What events say of their resource and its parents; one with many parents counts for several."""
    lists: int = 12_000
    """Lists of parents; one with many counts for several."""
    shared: int = 20_000
    """Texts that events share, by their digests."""
    readings: int = 5_000
    """Lists of parents of which is known what they say; one with many counts for several."""
    standing: int = 20_000
    """Resources of which is known how they stand."""
    gone: int = 10_000
    """Objects that one list ends, so that its transaction ends soon: what more it does not show the next one ends."""

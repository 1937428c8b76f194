"""What is heard of a resource, and what follows from it: its words, what states mean, and the rows of `facts`."""

from __future__ import annotations

from typing import NamedTuple

from archiver.storage.words import ASKED, TOLD

HOW = (TOLD, ASKED)
"""How a fact is known, by the source of the word that told it."""

Texts = tuple[tuple[int, int], ...]
"""What is told as texts, the number of each: of name, image, slot and tags those that are told."""

Word = tuple[int, int, int, int | None, int | None, Texts]
"""Instant (microseconds), source, number; state and list where the word has them; texts. Words sort by their order."""


class State(NamedTuple):
    """What is known of a state."""

    folded: str
    """Its text in lower case: what differs only in that is one state."""
    ends: bool
    """Whether a resource in it is no more."""
    settles: bool
    """Whether an action in it has ended."""


class Fact:
    """One row of `facts`."""

    __slots__ = ("dropped", "how", "since", "stored", "told_by", "until", "value", "what")

    def __init__(self, what: int, value: int, since: int, until: int, told_by: int | None, how: int) -> None:
        self.what = what
        self.value = value
        self.since = since
        self.until = until
        self.told_by = told_by
        self.how = how
        self.stored = False
        """Whether the archive has a row of it."""
        self.dropped = False
        """Whether it is none any more: of what held for no time there is no fact."""


class Text:
    """What a resource told last of its name, its image, its slot or its tags."""

    __slots__ = ("by", "fact", "value")

    def __init__(self, value: int) -> None:
        self.value = value
        self.by: Word | None = None
        """Whose word that was; None: not known."""
        self.fact: Fact | None = None
        """That it holds; None: the resource is gone."""

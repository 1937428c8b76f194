"""Follows a resource of which others are part: where it was when it ended, it still is for a while.

Its end is told before the ends of what is in it (platforms/tutum/facts.py says why, and how long); without its place
all that is done to those meanwhile would be lost to what they were part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from archiver.model import to_micros
from archiver.platforms.facts import LINGERS, OUTLIVED
from archiver.storage.facts.heard import Fact, Word
from archiver.storage.facts.lives import Standing
from archiver.storage.facts.runs import Run
from archiver.storage.facts.steps import Life, Step, lingering, within
from archiver.storage.schema import OPEN, PARENT

_TIME = LINGERS * 1_000_000
_LATEST = to_micros(datetime.max.replace(tzinfo=UTC))
"""The last instant that can be written as a date."""


def follower(kind: str | None) -> type[Standing]:
    """What follows a resource of this type."""
    if kind == "action":
        return Run
    return Outlived if kind in OUTLIVED else Standing


class Outlived(Standing):
    """How a resource stands whose place outlives it."""

    __slots__ = ("_before", "_lingering")

    def __init__(self, number: int, type_id: int, kind: str | None, first_at: int = OPEN) -> None:
        super().__init__(number, type_id, kind, first_at)
        self._lingering: list[Fact] = []
        """While it is gone: what it was under when it went."""
        self._before: list[tuple[Fact, int]] = []
        """While it lives: what it was under when it went last, and until when, had it not come back."""

    def go_on_from(self, now: Standing, changed: Iterable[tuple[Fact, Fact]], same_lives: bool) -> None:
        """As of any resource, also with what it was under when it went."""
        changed = list(changed)
        super().go_on_from(now, changed, same_lives)
        began = {(before.value, before.since): fact for before, fact in changed if before.what == PARENT}
        self._lingering = [began.get((fact.value, fact.since), fact) for fact in self._lingering]

    def _while_true(self, steps: Sequence[Step]) -> Iterable[tuple[int, int, Step]]:
        lives = self._all_lives()
        return lingering(within(steps, lives), _outlasting(lives))

    def _end(self, at: int) -> bool:
        if at <= self._unclear_until:
            return False
        # What others say is worked in once its own words are heard: of one instant nobody knows here what came first.
        if self.implied and (self._born() >= at or any(fact.since >= at for fact in self._places.values())):
            return False
        return super()._end(at)

    def _leave(self, at: int) -> None:
        """What it was under until now goes on for a while; what it came under just now held for no time."""
        if self._born() < at:
            ended = [] if self._ended is None else self._ended.values()
            just_now = [fact for fact in ended if fact.what == PARENT and fact.until == at]
            held = [fact for fact in [*just_now, *self._places.values()] if fact.since < at]
            left = [(fact, _outlasts(at)) for fact in held]
        else:  # it was not back for any time either
            left = self._before
        for fact in self._places.values():
            if fact.since >= at:
                self._close(fact, at)
        for fact, until in left:
            fact.until = until
            self.touched.append(fact)
        self._lingering = [fact for fact, _ in left]

    def _return(self, at: int) -> bool:
        """Lives again: where it lingered ends, or goes on as one where it is back in the same place."""
        if self._ended_at != at:
            self._ended, self._ended_at = None, at
        self._before = [(fact, fact.until) for fact in self._lingering]
        for fact in self._lingering:
            if fact.until > at:
                fact.until = at
                self.touched.append(fact)
            if fact.until == at:
                self._keep(fact)
        self._lingering = []
        return super()._return(at)

    def _first(self, what: int, values: Iterable[int], by: Word) -> bool:
        known = len(self.touched)
        if not super()._first(what, values, by):
            return False
        if what == PARENT and self._lives:
            gone = self._lives[-1][1]
            for fact in self.touched[known:]:
                if self.gone_at is None and fact.since < self._born() and fact.until == OPEN:
                    self._before.append((fact, _outlasts(gone)))
                elif self.gone_at is not None and fact.until == _outlasts(gone):
                    self._lingering.append(fact)
        return True


def _outlasts(gone: int) -> int:
    """Until when what held at an end outlives it."""
    return max(gone, min(gone + _TIME, _LATEST))


def _outlasting(lives: Sequence[Life]) -> list[Life]:
    """The end of each life, and until when what held then outlives it: for a while, or until the next life begins."""
    ends = pairwise([*lives, (OPEN, OPEN)])
    return [(gone, min(_outlasts(gone), back)) for (_, gone), (back, _) in ends if gone != OPEN]

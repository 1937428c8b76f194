"""Follows an action through its words: what it applies to, and how long it runs."""

from __future__ import annotations

from collections.abc import Mapping

from archiver.storage.facts.heard import HOW, Fact, State, Text, Word
from archiver.storage.facts.lives import Standing
from archiver.storage.facts.places import NO_TARGET, Kinds, Reading, as_told_by
from archiver.storage.schema import OPEN, TARGET


class Run(Standing):
    """How an action stands: it is under nothing, and has one fact, what it applies to while it runs."""

    __slots__ = ("_rank", "_run")

    def __init__(self, number: int, type_id: int, kind: str | None, first_at: int = OPEN) -> None:
        super().__init__(number, type_id, kind, first_at)
        self._run: Fact | None = None
        self._rank = NO_TARGET

    def hear(self, word: Word, states: Mapping[int, State], readings: Mapping[int, Reading], kinds: Kinds) -> bool:
        """As of any resource, and what it applies to, and how long."""
        if not super().hear(word, states, readings, kinds):
            return False
        at, source, number, state_id, list_id, _ = word
        run = self._run
        if run is None:
            run = self._run = Fact(TARGET, 0, at, OPEN, number, HOW[source])
            self.touched.append(run)
        if list_id is not None:
            run = self._aim(run, as_told_by(self.number, readings[list_id], kinds), word)
        if state_id is not None:
            until = at if states[state_id].settles else OPEN
            if run.until != until:
                run.until = until
                self.touched.append(run)
        return True

    def resume_run(self, run: Fact, rank: int) -> None:
        """Goes on from what the archive has: its one fact, and how specific its target is."""
        run.stored = True
        self._run = run
        self._rank = rank

    def _aim(self, run: Fact, reading: Reading, by: Word) -> Fact:
        if reading.rank >= self._rank:
            return run
        self._rank = reading.rank
        if run.stored:  # the target is a part of its key
            run.dropped = True
            self.touched.append(run)
            run = self._run = Fact(TARGET, 0, run.since, run.until, None, run.how)
            self.touched.append(run)
        run.value, run.told_by, run.how = reading.target, by[2], HOW[by[1]]
        return run

    def _hear_place(self, word: Word, readings: Mapping[int, Reading], kinds: Kinds) -> bool:
        self.list_id = word[4]
        return True

    def _hear_text(self, what: int, value: int, word: Word) -> bool:
        self._texts = {**self._texts, what: Text(value)}
        return True

    def _return(self, at: int) -> bool:
        self.gone_at = None
        return True

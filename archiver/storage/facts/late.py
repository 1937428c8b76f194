"""Hears late words from where they fall in to where they change nothing any more.

How the resource stood just before them is read from its facts and from the words on which it then stood. From there two
hear what followed, one with the late words and one without. As soon as both stand alike, whatever came later is as it
was: what differs until then is what changes. Where that is not enough (the first list of a type, a return, what others
say of a place), nothing is given, and all words are heard anew (`storage.facts.retelling`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from sqlalchemy import Connection

from archiver.model import Micros
from archiver.storage.facts.around import Span, facts_begun, words_after, words_around
from archiver.storage.facts.earlier import Before, stood_before
from archiver.storage.facts.heard import Fact, Word
from archiver.storage.facts.lives import Standing
from archiver.storage.facts.outlived import Outlived
from archiver.storage.facts.retelling import FactKey, different, key_of
from archiver.storage.facts.runs import Run
from archiver.storage.facts.standings import Standings
from archiver.storage.facts.steps import NEVER
from archiver.storage.schema import OPEN, PARENT

Found = tuple[Standing, list[Fact]]
"""How a resource stands, with the facts that are not, or not so, in the archive; and those in it that are not so."""


def hear_late(connection: Connection, standings: Standings, late: Mapping[int, Sequence[Word]]) -> dict[int, Found]:
    """What becomes of resources by words of which the first is late, in their order; only where it could be told."""
    asked = {number: words[0][0] for number, words in late.items() if _may_begin(standings.known[number], words[0][0])}
    if not asked:
        return {}
    replays = {}
    for number, before in stood_before(connection, standings, asked).items():
        replays[number] = _Replay(connection, standings, standings.known[number], late[number], before)
    heard = words_around(connection, standings, {number: replay.span for number, replay in replays.items()})
    reached = {number: replay for number, replay in replays.items() if replay.hear(heard[number])}
    spans = {number: replay.span for number, replay in reached.items()}
    begun = facts_begun(connection, standings.platform_id, spans)
    found = {number: replay.finish(begun[number]) for number, replay in reached.items()}
    return {number: one for number, one in found.items() if one is not None}


def _may_begin(standing: Standing, at: Micros) -> bool:
    return at > standing.first_at and not standing.implied and not isinstance(standing, Run)


class _Replay:
    """What follows from late words of one resource."""

    def __init__(
        self, connection: Connection, standings: Standings, now: Standing, words: Sequence[Word], before: Before
    ) -> None:
        self._connection = connection
        self._standings = standings
        self._now = now
        self._before = before
        self._late = [word for word in words if now.is_before_last(word)]
        self._next = words[len(self._late) :]
        self._one_life = True
        """Whether no end was heard."""
        self.since = words[0][0]
        self.upto = self._late[-1][0]
        """Up to when it heard; `OPEN`: to the end."""
        self._old, self._new = self._standing(before), self._standing(before)

    @property
    def span(self) -> Span:
        """From when to when it hears, as far as is known."""
        return self.since, self.upto

    def hear(self, around: Sequence[Word]) -> bool:
        """Has both hear what followed, until they stand alike; False where one cannot tell.

        `around` are the words from the first late one on, to the last or beyond it: all up to an instant.
        """
        if isinstance(self._old, Outlived) and self._old.gone_at is not None:
            return False
        done = self._hear_until_alike(around)
        if done is None:
            done = self._hear_until_alike(
                words_after(self._connection, self._standings, self._now.number, around[-1][0])
            )
        if done is None:
            self.upto = OPEN
        return done is not False

    def finish(self, begun: Sequence[Fact]) -> Found | None:
        """What becomes of it; None where it cannot be told. `begun` are the facts that began where it heard."""
        facts = self._facts({key_of(fact): fact for fact in (*self._before.facts, *begun)})
        standing = None if facts is None else self._as_it_stands()
        if facts is None or standing is None:
            return None
        standing.touched, gone = facts
        standings = self._standings
        for word in self._next:
            if not standing.hear(word, standings.states, standings.readings, standings.kinds):
                return None
        return standing, gone

    def _standing(self, before: Before) -> Standing:
        """One that stands as the resource did then."""
        now, states = self._now, self._standings.states
        standing = self._standings.blank(now.number, now.type_id)
        standing.first_at = now.first_at
        standing.last_at = self.since - 1
        standing.list_id = before.list_id
        if before.state_id is not None:
            standing.state_id, standing.state_since = before.state_id, NEVER  # since when is not known here
            standing.gone_at = NEVER if states[before.state_id].ends else None
        held = before.facts if standing.gone_at is None else []
        told: dict[int, tuple[int, ...]] = {}
        for fact in held:
            if fact.what == PARENT:
                type_id = before.types[fact.value]
                told[type_id] = tuple(sorted((*told.get(type_id, ()), fact.value)))
        standing.resume_texts(tuple([(fact.what, fact.value) for fact in held if fact.what != PARENT]))
        copies = [Fact(fact.what, fact.value, fact.since, OPEN, fact.told_by, fact.how) for fact in held]
        standing.resume(copies, told, self._standings.last_edges(standing))
        standing.has_told_all = standing.has_told_all and standing.gone_at is None
        standing.touched = copies
        return standing

    def _hear_until_alike(self, words: Iterable[Word]) -> bool | None:
        """True when both stand alike, False where one cannot tell, None where the words end before."""
        standings = self._standings
        old, new = self._old, self._new
        late, unheard = {word[1:3] for word in self._late}, {word[1:3] for word in self._next}
        for at, group in groupby(words, key=_instant):
            for word in group:
                if word[1:3] in unheard:
                    continue
                if word[3] is not None and standings.states[word[3]].ends:
                    if isinstance(new, Outlived):
                        return False
                    self._one_life = False
                for one in (new,) if word[1:3] in late else (old, new):
                    if not one.hear(word, standings.states, standings.readings, standings.kinds):
                        return False
            if at >= self._late[-1][0] and new.stands_as(old, standings.states):
                self.upto = at
                return True
        return None

    def _facts(self, stored: dict[FactKey, Fact]) -> tuple[list[Fact], list[Fact]] | None:
        """What is not, or not so, in the archive, and what of it is not so; None where the archive says otherwise."""
        was, will_be = _kept(self._old), _kept(self._new)
        if {key_of(fact) for fact in was} != stored.keys():
            return None
        until: dict[tuple[int, int], Micros] = {}
        for fact in was:
            row = stored[key_of(fact)]
            if fact.until == OPEN:
                until[fact.what, fact.value] = row.until
            elif (fact.until, fact.told_by, fact.how) != (row.until, row.told_by, row.how):
                return None
        if self.upto < OPEN:
            for fact in will_be:
                if fact.until == OPEN:
                    fact.until = until[fact.what, fact.value]
        return list(different(will_be, stored)), list(stored.values())

    def _as_it_stands(self) -> Standing | None:
        """How it stands now: as before but for what is different; None where it is not known since when it is so."""
        now, old, new, is_end = self._now, self._old, self._new, self.upto == OPEN
        states = [word[0] for word in self._late if word[3] is not None]
        state_at = max([*states, NEVER if now.state_at is None else now.state_at])
        run = (now.state_id, now.state_since, now.state_source)
        if is_end or self._is_still(now.state_since, old.state_since):
            if new.state_since != NEVER:
                run = (new.state_id, new.state_since, new.state_source)
            elif old.state_since != NEVER:
                return None
        gone_at = now.gone_at
        if is_end or (gone_at is not None and new.gone_at is not None and self._is_still(gone_at, old.gone_at)):
            if new.gone_at != NEVER:
                gone_at = new.gone_at
            elif old.gone_at != NEVER:
                return None
        standing = new if is_end else now
        standing.go_on_from(now, () if is_end else zip(_open(old), _open(new), strict=True), self._one_life)
        standing.state_id, standing.state_since, standing.state_source = run
        standing.state_at = None if state_at == NEVER else state_at
        standing.gone_at = gone_at
        return standing

    def _is_still(self, since: Micros | None, was_since: Micros | None) -> bool:
        """Whether what is so now since an instant is what was so when both stood alike."""
        return since is not None and since < self.since if was_since == NEVER else since == was_since


def _instant(word: Word) -> Micros:
    return word[0]


def _kept(standing: Standing) -> list[Fact]:
    return [fact for fact in dict.fromkeys(standing.touched) if not fact.dropped]


def _open(standing: Standing) -> list[Fact]:
    """What holds, in one order."""
    return sorted(standing.held(), key=lambda fact: (fact.what, fact.value))

"""Follows one resource through its words: what was true of it from when until when, and how it stands now.

docs/archive.md says the same for people, the model in the tests by brute force. Here the words are heard one after the
other, in the order of time: so what the next one changes costs nothing of what came before. What cannot be told from
how a resource stands (a late word, the first list of a type after others) makes `hear` answer False; then somebody
reads all its words, and hears them anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from archiver.storage.places import NO_TARGET, Edges, Kinds, Reading, as_told_by, proves
from archiver.storage.schema import ASKED, BY_EVENT, INFERRED, NAME, OPEN, PARENT, TARGET, TOLD

NEVER = -OPEN
"""Before all instants."""

HOW = (TOLD, ASKED)
"""How a fact is known, by the source of the word that told it."""

_MOST_LIVES = 8

Word = tuple[int, int, int, int | None, int | None, int | None]
"""Instant (microseconds), source, number; state, list and name where the word has them. Words sort by their order."""

Teller = tuple[int, int]
"""Source and number of a word."""

Life = tuple[int, int]
"""From when until when, exclusive."""


class State(NamedTuple):
    """What is known of a state."""

    folded: str
    """Its text in lower case: what differs only in that is one state."""
    ends: bool
    """Whether a resource in it is no more."""
    settles: bool
    """Whether an action in it has ended."""


class Step(NamedTuple):
    """What the lists of others say from an instant on, until the next step."""

    since: int
    value: int
    told_by: int


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


class Standing:
    """How a resource stands: its present row, its open facts, and what was last told of each type of parent."""

    __slots__ = (
        "_back_at", "_ended", "_ended_at", "_last_types", "_lives", "_named_by", "_opened_at", "_placed_by", "_told",
        "_unclear_until", "first_at", "gone_at", "has_told_all", "heads", "implied", "kind", "last_at",
        "last_source", "list_id", "name_id", "number", "open", "proves", "state_at", "state_id", "state_since",
        "state_source", "stored", "stored_first_at", "touched", "type_id",
    )  # fmt: skip

    def __init__(self, number: int, type_id: int, kind: str | None, first_at: int = OPEN) -> None:
        self.number = number
        self.type_id = type_id
        self.kind = kind
        self.proves = proves(kind)
        self.first_at = first_at
        self.last_at = NEVER
        self.last_source: int | None = None
        self.state_id: int | None = None
        self.state_since: int | None = None
        self.state_at: int | None = None
        self.state_source: int | None = None
        self.gone_at: int | None = None
        self.name_id: int | None = None
        self.list_id: int | None = None
        self.heads = 0
        self.stored = False
        """Whether the archive has its present row."""
        self.stored_first_at = first_at
        self.open: dict[tuple[int, int], Fact] = {}
        """Facts that still hold, by what they are about and their value."""
        self.implied: dict[int, Step] = {}
        """The last step of what others say, for each type of parent."""
        self.touched: list[Fact] = []
        """Facts that are not, or not so, in the archive."""
        self.has_told_all = True
        """Whether it never told of another type of parent than those known here."""
        self._told: dict[int, tuple[tuple[int, ...], Teller | None]] = {}
        self._last_types: Iterable[int] = ()
        self._placed_by: Teller | None = None
        self._named_by: Teller | None = None
        self._lives: list[Life] | None = []  # those that ended; None: not known
        self._opened_at = NEVER
        self._back_at: int | None = None
        self._ended: dict[tuple[int, int], Fact] = {}
        self._ended_at = NEVER
        self._unclear_until = NEVER

    @property
    def is_bare(self) -> bool:
        """Whether nothing is known of it but that others name it."""
        return self.last_at == NEVER and not self.implied

    @property
    def has_one_life(self) -> bool:
        """Whether it lives, and was never gone."""
        return self.gone_at is None and self._lives is not None and not self._lives and self._back_at is None

    def tells_of(self, type_id: int) -> bool:
        """Whether one of its own lists is known to name a parent of this type."""
        return type_id in self._told

    def lives(self) -> list[Life]:
        """When it lived, as far as its words are heard; for one whose words were all heard just now."""
        assert self._lives is not None
        return [*self._lives, (self._born(), OPEN)] if self.gone_at is None else self._lives

    def hear(self, word: Word, states: Mapping[int, State], readings: Mapping[int, Reading], kinds: Kinds) -> bool:
        """Takes in the next word; False when that needs more than is known here, and all words must be heard anew."""
        at, source, number, state_id, list_id, name_id = word
        if at <= self.last_at and (at < self.last_at or source < (self.last_source or 0)):
            return False
        if at < self.first_at:
            if not self.is_bare:
                return False
            self.first_at = at
        self.last_at = at
        self.last_source = source
        returns = False
        if state_id is not None:
            self.state_at = at
            returns = state_id != self.state_id and self._enter(states, state_id, at, source)
        if list_id is not None:
            reading = None if list_id == self.list_id else as_told_by(self.number, readings[list_id], kinds)
            if not self._hear_place(list_id, reading, at, (source, number)):
                return False
        if name_id is not None and not self._hear_name(name_id, at, (source, number)):
            return False
        return not returns or self._return(at)

    def hear_others(self, steps: Mapping[int, Sequence[Step]]) -> None:
        """Takes in what others say of its place, by type, once all its own words are heard."""
        for type_id, found in steps.items():
            if type_id not in self._told and found:
                self.implied[type_id] = found[-1]
                for since, until, step in _within(found, self.lives()):
                    self._add(Fact(PARENT, step.value, since, until, step.told_by, INFERRED))

    def step(self, type_id: int, step: Step) -> None:
        """Takes in the next step of what others say of it; for one that has one life, and never told of the type."""
        last = self.implied.get(type_id)
        if last is not None:
            self._close((PARENT, last.value), step.since)
        self.implied[type_id] = step
        since = self.first_at if last is None else step.since
        self._add(Fact(PARENT, step.value, since, OPEN, step.told_by, INFERRED))

    def trim(self) -> None:
        """Keeps what may be needed soon, and not what grows."""
        if self._lives is not None and len(self._lives) > _MOST_LIVES:
            self._lives = None

    def resume(self, facts: Iterable[Fact], told: Edges, last: Edges) -> None:
        """Goes on from what the archive has: facts that are open, what they say of its place, and its last list."""
        self.stored = True
        self.stored_first_at = self.first_at
        for fact in facts:
            fact.stored = True
            self.open[fact.what, fact.value] = fact
            self._opened_at = max(self._opened_at, fact.since)
        self._told = {type_id: (values, None) for type_id, values in {**told, **last}.items()}
        self._last_types = last.keys()
        self.has_told_all = self.list_id is None
        if self.last_at != NEVER:
            self._lives = None
        self._unclear_until = self.last_at

    def _born(self) -> int:
        return self.first_at if self._back_at is None else self._back_at

    def _enter(self, states: Mapping[int, State], state_id: int, at: int, source: int) -> bool:
        """Takes in another state; True when the resource is back with it."""
        state = states[state_id]
        if self.state_id is not None and states[self.state_id].folded == state.folded:
            return False
        self.state_id = state_id
        self.state_since = at
        self.state_source = source
        if state.ends and self.gone_at is None:
            self._end(at)
        return not state.ends and self.gone_at is not None

    def _end(self, at: int) -> None:
        if self._ended_at != at:
            self._ended, self._ended_at = {}, at
        for key in list(self.open):
            self._close(key, at)
        self.gone_at = at
        born = self._born()
        if self._lives is not None and born < at:
            self._lives.append((born, at))

    def _return(self, at: int) -> bool:
        """Lives again, with what then was told last; False when that is not known."""
        if (self._told and self._placed_by is None) or (self.name_id is not None and self._named_by is None):
            return False
        if self.implied or not self.has_told_all:
            return False
        self.gone_at = None
        self._back_at = at
        if self._lives and self._lives[-1][1] == at:
            self._back_at = self._lives.pop()[0]
        for type_id, (values, teller) in self._told.items():
            by = self._placed_by if type_id in self._last_types else teller
            if by is None or not all(self._open((PARENT, value), at, by) for value in values):
                return False
        return self._reopen_name(at)

    def _reopen_name(self, at: int) -> bool:
        if self.name_id is None or self._named_by is None:
            return True
        return self._open((NAME, self.name_id), at, self._named_by)

    def _hear_place(self, list_id: int, reading: Reading | None, at: int, by: Teller) -> bool:
        """Takes in a list, which is read where it is another than the last."""
        if reading is not None:
            if not self._move(reading, at, by):
                return False
            self.list_id = list_id
        elif at == self._opened_at:
            for type_id in self._last_types:
                self._tell_again(PARENT, self._told[type_id][0], at, by)
        self._placed_by = by
        return True

    def _hear_name(self, name_id: int, at: int, by: Teller) -> bool:
        if name_id != self.name_id:
            if not self._rename(name_id, at, by):
                return False
            self.name_id = name_id
        elif at == self._opened_at:
            self._tell_again(NAME, (name_id,), at, by)
        self._named_by = by
        return True

    def _move(self, reading: Reading, at: int, by: Teller) -> bool:
        """Takes in another list than the last; False when what it changes is not known."""
        edges = reading.told if self.proves else reading.named
        for type_id in self._last_types:
            self._told[type_id] = (self._told[type_id][0], self._placed_by)
        for type_id, values in edges.items():
            before = self._told.get(type_id)
            if before is None:
                if not self.has_told_all or type_id in self.implied or not self._first((PARENT, values), by):
                    return False
            elif not self._replace(before[0], values, at, by):
                return False
            self._told[type_id] = (values, by)
        self._last_types = edges.keys()
        return True

    def _replace(self, before: tuple[int, ...], values: tuple[int, ...], at: int, by: Teller) -> bool:
        if self.gone_at is not None:
            return True
        for value in before:
            if value not in values:
                self._close((PARENT, value), at)
        if at == self._opened_at:
            self._tell_again(PARENT, values, at, by)
        return all(self._open((PARENT, value), at, by) for value in values if value not in before)

    def _tell_again(self, what: int, values: Iterable[int], at: int, by: Teller) -> None:
        """Of several words of the instant at which a fact begins, the last one told it: the others held for no time."""
        for value in values:
            fact = self.open.get((what, value))
            if fact is not None and fact.since == at:
                fact.told_by, fact.how = by[1], HOW[by[0]]
                self.touched.append(fact)

    def _rename(self, name_id: int, at: int, by: Teller) -> bool:
        if self.name_id is None:
            return self._first((NAME, (name_id,)), by)
        if self.gone_at is not None:
            return True
        self._close((NAME, self.name_id), at)
        return self._open((NAME, name_id), at, by)

    def _first(self, found: tuple[int, tuple[int, ...]], by: Teller) -> bool:
        """What is told for the first time held from the first instant on; False when its lives are not known."""
        if self._lives is None:
            return False
        what, values = found
        for value in values:
            for since, until in self.lives():
                self._add(Fact(what, value, since, until, by[1], HOW[by[0]]))
        return True

    def _add(self, fact: Fact) -> None:
        self.touched.append(fact)
        if fact.until == OPEN:
            self.open[fact.what, fact.value] = fact
            self._opened_at = max(self._opened_at, fact.since)
        elif fact.until == self._ended_at:
            self._ended[fact.what, fact.value] = fact

    def _open(self, key: tuple[int, int], at: int, by: Teller) -> bool:
        """Begins a fact, or goes on with one that ended just then; False when it is not known whether one did."""
        if at <= self._unclear_until:
            return False
        fact = self._ended.pop(key, None) if self._ended_at == at else None
        if fact is None:
            fact = Fact(*key, at, OPEN, by[1], HOW[by[0]])
        fact.until = OPEN
        self._add(fact)
        return True

    def _close(self, key: tuple[int, int], at: int) -> None:
        fact = self.open.pop(key)
        fact.until = at
        self.touched.append(fact)
        if self._ended_at != at:
            self._ended, self._ended_at = {}, at
        if fact.since < at:
            self._ended[key] = fact
        else:
            fact.dropped = True


class Run(Standing):
    """How an action stands: it is under nothing, and has one fact, what it applies to while it runs."""

    __slots__ = ("_rank", "run")

    def __init__(self, number: int, type_id: int, kind: str | None, first_at: int = OPEN) -> None:
        super().__init__(number, type_id, kind, first_at)
        self.run: Fact | None = None
        self._rank = NO_TARGET

    def hear(self, word: Word, states: Mapping[int, State], readings: Mapping[int, Reading], kinds: Kinds) -> bool:
        """As of any resource; what it applies to and how long is told by events only."""
        if not super().hear(word, states, readings, kinds):
            return False
        at, source, number, state_id, list_id, _ = word
        if source == BY_EVENT:
            if self.run is None:
                self._run(Fact(TARGET, 0, at, OPEN, number, TOLD))
            if list_id is not None:
                self._aim(as_told_by(self.number, readings[list_id], kinds), number)
            if state_id is not None:
                self._settle(at if states[state_id].settles else OPEN)
        return True

    def resume_run(self, run: Fact, rank: int) -> None:
        """Goes on from what the archive has: its one fact, and how specific its target is."""
        run.stored = True
        self.run = run
        self._rank = rank

    def _run(self, run: Fact) -> None:
        self.run = run
        self.touched.append(run)

    def _aim(self, reading: Reading, number: int) -> None:
        run = self.run
        assert run is not None
        if reading.rank < self._rank:
            self._rank = reading.rank
            if run.value != reading.target:
                run.dropped = True
                self.touched.append(run)
                self._run(Fact(TARGET, reading.target, run.since, run.until, number, TOLD))

    def _settle(self, until: int) -> None:
        run = self.run
        assert run is not None
        if run.until != until:
            run.until = until
            self.touched.append(run)

    def _move(self, reading: Reading, at: int, by: Teller) -> bool:
        return True

    def _rename(self, name_id: int, at: int, by: Teller) -> bool:
        return True

    def _return(self, at: int) -> bool:
        self.gone_at = None
        return True


def _within(steps: Sequence[Step], lives: Sequence[Life]) -> Iterator[tuple[int, int, Step]]:
    """What of each step falls into each life; the first step holds from the first instant on."""
    place = 0
    for born, gone in lives:
        while place + 1 < len(steps) and steps[place + 1].since <= born:
            place += 1
        for step, following in _with_next(steps, place):
            since = max(step.since, born) if step is not steps[0] else born
            until = gone if following is None else min(following.since, gone)
            if since < until:
                yield since, until, step
            if until == gone:
                break


def _with_next(steps: Sequence[Step], place: int) -> Iterator[tuple[Step, Step | None]]:
    for at in range(place, len(steps)):
        yield steps[at], steps[at + 1] if at + 1 < len(steps) else None


def steps_of(said: Iterable[Step]) -> list[Step]:
    """Steps out of all that was said, in the order of words: what is said again makes none, and of what is said at one
    instant the last counts. For the time before, the first of all counts: at `NEVER`, where it makes no step else.
    """
    steps: list[Step] = []
    first: Step | None = None
    for step in said:
        first = first or step
        if steps and steps[-1].since == step.since and steps[-1].value != step.value:
            steps.pop()
        if not steps or steps[-1].value != step.value:
            steps.append(step)
    return [first._replace(since=NEVER), *steps] if first and first.value != steps[0].value else steps


def put(steps: Sequence[Step], said: Sequence[Step], following: Step | None) -> list[Step]:
    """Steps with all that is said at one instant, in the order of words, and what is said at the next one."""
    at = said[0].since
    before = [step for step in steps if step.since < at]
    if not any(step.since != NEVER for step in before):
        before = []
    after = [step for step in steps if following is not None and step.since > following.since]
    return steps_of([*before, *said, *([following] if following else []), *after])


def value_at(steps: Sequence[Step], at: int) -> int | None:
    """What the steps say of an instant; None before the first."""
    found = None
    for step in steps:
        if step.since > at:
            break
        found = step.value
    return found

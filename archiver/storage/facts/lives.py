"""Follows one resource through its words: what was true of it from when until when, and how it stands now.

docs/archive.md says the same for people, the model in the tests by brute force. Here the words are heard one after the
other, in the order of time: so what the next one changes costs nothing of what came before. Where that cannot be told
from how the resource stands (a late word, the first list of a type after others), `hear` answers False; then somebody
reads all its words, and lets one that knows nothing hear them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archiver.storage.facts.heard import HOW, Fact, State, Text, Texts, Word
from archiver.storage.facts.places import Edges, Kinds, Reading, as_told_by, proves
from archiver.storage.facts.steps import NEVER, Life, Step, within
from archiver.storage.schema import BY_EVENT, INFERRED, OPEN, PARENT, TEXTUAL

_MOST_LIVES = 8
"""How many lives that ended are kept in mind from one batch to the next."""

_NO_EDGES: Edges = {}
_NO_TEXTS: dict[int, Text] = {}
_NOTHING_TOLD = (None,) * len(TEXTUAL)
_NO_STEPS: Mapping[int, Step] = {}
_NO_WORDS: Mapping[int, Word] = {}


class Standing:
    """How a resource stands: its present row, its open facts, and what was last told of each type of parent."""

    # There are thousands of them: what most of them never have is shared until they do.
    __slots__ = (
        "_back_at", "_ended", "_ended_at", "_last", "_lives", "_opened_at", "_placed_by", "_places", "_tellers",
        "_texts", "_told", "_unclear_until", "first_at", "gone_at", "has_told_all", "heads", "implied", "last_at",
        "last_source", "list_id", "names_itself", "number", "proves", "state_at", "state_id", "state_since",
        "state_source", "stored", "touched", "type_id",
    )  # fmt: skip

    def __init__(self, number: int, type_id: int, kind: str | None, first_at: int = OPEN) -> None:
        self.number = number
        self.type_id = type_id
        self.proves = proves(kind)
        self.first_at = first_at
        self.last_at = NEVER
        self.last_source = BY_EVENT
        self.state_id: int | None = None
        self.state_since: int | None = None
        self.state_at: int | None = None
        self.state_source: int | None = None
        self.gone_at: int | None = None
        self.list_id: int | None = None
        self.heads = 0
        self.stored: tuple[int | None, ...] | None = None
        """What its present row in the archive says, of what seldom changes (`seldom`); None: it has none."""
        self.touched: list[Fact] = []
        """Facts that are not, or not so, in the archive."""
        self.implied = _NO_STEPS
        """The last step of what others say, for each type of parent."""
        self.names_itself = False
        """Whether any of its lists is known to name itself."""
        self.has_told_all = True
        """Whether it never told of another type of parent than those known here."""
        self._places: dict[int, Fact] = {}  # what it is under, by the parent
        self._texts = _NO_TEXTS
        self._told = _NO_EDGES
        self._tellers = _NO_WORDS  # who told that, for the types that the last list does not name
        self._last = _NO_EDGES  # what the last list says
        self._placed_by: Word | None = None
        self._lives: list[Life] | None = []  # those that ended; None: not known
        self._back_at: int | None = None
        self._opened_at = NEVER
        self._ended: dict[tuple[int, int], Fact] | None = None  # the facts that ended last
        self._ended_at = NEVER
        self._unclear_until = NEVER  # what ended until then is not known

    @property
    def is_bare(self) -> bool:
        """Whether nothing is known of it but that others name it."""
        return self.last_at == NEVER and not self.implied

    @property
    def has_one_life(self) -> bool:
        """Whether it lives, and was never gone."""
        return self.gone_at is None and self._back_at is None and self._lives is not None and not self._lives

    @property
    def seldom(self) -> tuple[int | None, ...]:
        """What of its present row seldom changes: `first_at`, `gone_at`, the numbers of texts, `list_id`, `heads`."""
        texts = tuple(map(self.told, TEXTUAL)) if self._texts else _NOTHING_TOLD
        return self.first_at, self.gone_at, *texts, self.list_id, self.heads

    def told(self, what: int) -> int | None:
        """What it told last of its name, its image, its slot or its tags."""
        text = self._texts.get(what)
        return None if text is None else text.value

    def tells_of(self, type_id: int) -> bool:
        """Whether one of its own lists is known to name a parent of this type."""
        return type_id in self._told

    def is_before_last(self, word: Word) -> bool:
        """Whether a word comes before its last one, in the order of words."""
        return word[0] <= self.last_at and (word[0] < self.last_at or word[1] < self.last_source)

    def hear(self, word: Word, states: Mapping[int, State], readings: Mapping[int, Reading], kinds: Kinds) -> bool:
        """Takes in the next word; False when that needs more than is known here, and all words must be heard anew."""
        at, source, _, state_id, list_id, texts = word
        if at <= self.last_at and (at < self.last_at or source < self.last_source):
            return False
        if at < self.first_at:
            if not self.is_bare:
                return False
            self.first_at = at
        if state_id is not None and self.implied and states[state_id].ends and self._is_placed_after(at):
            return False
        self.last_at = at
        self.last_source = source
        returns = False
        if state_id is not None:
            self.state_at = at
            if state_id != self.state_id and self._enter(states, state_id, at, source):
                ends = states[state_id].ends
                if ends and self.gone_at is None and not self._end(at):
                    return False
                returns = not ends and self.gone_at is not None
        if list_id is not None:
            if (list_id != self.list_id or at == self._opened_at) and not self._hear_place(word, readings, kinds):
                return False
            self._placed_by = word
        for what, value in texts:
            if not self._hear_text(what, value, word):
                return False
        return not returns or self._return(at)

    def hear_others(self, steps: Mapping[int, Sequence[Step]]) -> None:
        """Takes in what others say of its place, by type, once all its own words are heard."""
        for type_id, found in steps.items():
            if type_id not in self._told and found:
                self.implied = {**self.implied, type_id: found[-1]}
                for since, until, step in self._while_true(found):
                    self._add(Fact(PARENT, step.value, since, until, step.told_by, INFERRED))

    def step(self, type_id: int, step: Step) -> None:
        """Takes in the next step of what others say of it; for one that has one life, and never told of the type."""
        last = self.implied.get(type_id)
        if last is not None:
            self._close(self._places.pop(last.value), step.since)
        self.implied = {**self.implied, type_id: step}
        since = self.first_at if last is None else step.since
        self._add(Fact(PARENT, step.value, since, OPEN, step.told_by, INFERRED))

    def resume_texts(self, texts: Texts) -> None:
        """Goes on from what it told last."""
        if texts:
            self._texts = {what: Text(value) for what, value in texts}

    def resume(self, facts: Iterable[Fact], told: Edges, last: Edges) -> None:
        """Goes on from what the archive has: facts that are open, what they say of its place, and its last list.

        The texts first (`resume_texts`).
        """
        for fact in facts:
            fact.stored = True
            self._hold(fact)
        self._told = {**told, **last}
        self._last = last
        self.has_told_all = self.list_id is None
        if self.last_at != NEVER:
            self._lives = None
        self._unclear_until = self.last_at

    def held(self) -> list[Fact]:
        """What holds of it."""
        texts = [text.fact for text in self._texts.values() if text.fact is not None]
        return [*self._places.values(), *texts]

    def stands_as(self, other: Standing, states: Mapping[int, State]) -> bool:
        """Whether whatever is said later means the same to both, but for since when what holds has held."""
        state, other_state = (None if one.state_id is None else states[one.state_id].folded for one in (self, other))
        return (
            state == other_state
            and (self.gone_at is None) == (other.gone_at is None)
            and self._said() == other._said()
            and self.list_id == other.list_id
            and self._told == other._told
            and self._placed_by == other._placed_by
            and self._tellers == other._tellers
            and {(fact.what, fact.value) for fact in self.held()} == {(fact.what, fact.value) for fact in other.held()}
        )

    def _said(self) -> dict[int, tuple[int, Word | None]]:
        """What it told last as texts, and by which word."""
        return {what: (text.value, text.by) for what, text in self._texts.items()}

    def go_on_from(self, now: Standing, changed: Iterable[tuple[Fact, Fact]], same_lives: bool) -> None:
        """Takes the place of how it stood until now, or goes on with facts in the place of others that began apart."""
        self.heads, self.stored = now.heads, now.stored
        self.names_itself |= now.names_itself
        for before, fact in changed:
            held = {(one.what, one.value, one.since) for one in self.held()}
            if (before.what, before.value, before.since) in held:
                self._hold(fact)
        if not same_lives:
            self._lives = None

    def trim(self) -> None:
        """Keeps what may be needed soon, and not what grows."""
        if self._lives is not None and len(self._lives) > _MOST_LIVES:
            self._lives = None
        if self._ended is not None:
            self._ended = None
            self._unclear_until = max(self._unclear_until, self._ended_at)

    # --- life ---

    def _is_placed_after(self, at: int) -> bool:
        """Whether others said of a later instant where it was: of what ended in between, nothing is known here."""
        return any(step.since > at for step in self.implied.values())

    def _enter(self, states: Mapping[int, State], state_id: int, at: int, source: int) -> bool:
        """Takes in a state; False when it is the same, spelled otherwise."""
        if self.state_id is not None and states[self.state_id].folded == states[state_id].folded:
            return False
        self.state_id = state_id
        self.state_since = at
        self.state_source = source
        return True

    def _born(self) -> int:
        return self.first_at if self._back_at is None else self._back_at

    def _all_lives(self) -> list[Life]:
        assert self._lives is not None
        return [*self._lives, (self._born(), OPEN)] if self.gone_at is None else self._lives

    def _while_true(self, steps: Sequence[Step]) -> Iterable[tuple[int, int, Step]]:
        """What was said of a place, by what is known of its lives."""
        return within(steps, self._all_lives())

    def _end(self, at: int) -> bool:
        """Takes in that it is no more; False when what it was under until then is not known."""
        if self._ended_at != at:
            self._ended, self._ended_at = None, at
        self._leave(at)
        self._places = {}
        for text in self._texts.values():
            if text.fact is not None:
                self._close(text.fact, at)
                text.fact = None
        self.gone_at = at
        born = self._born()
        if self._lives is not None and born < at:
            self._lives.append((born, at))
        return True

    def _leave(self, at: int) -> None:
        """What it is under ends with it."""
        for fact in self._places.values():
            self._close(fact, at)

    def _return(self, at: int) -> bool:
        """Lives again, with what then was told last; False when that is not known."""
        if self.implied or not self.has_told_all:
            return False
        self.gone_at = None
        self._back_at = at
        if self._lives and self._lives[-1][1] == at:
            self._back_at = self._lives.pop()[0]
        for type_id, values in self._told.items():
            by = self._placed_by if type_id in self._last else self._tellers.get(type_id)
            if by is None or not all(self._open(PARENT, value, at, by) for value in values):
                return False
        for what, text in self._texts.items():
            if text.by is None or not self._open(what, text.value, at, text.by):
                return False
        return True

    # --- places ---

    def _hear_place(self, word: Word, readings: Mapping[int, Reading], kinds: Kinds) -> bool:
        """Takes in a list; False when what it changes is not known."""
        list_id = word[4]
        assert list_id is not None
        if list_id != self.list_id:
            reading = as_told_by(self.number, readings[list_id], kinds)
            self.names_itself |= reading is not readings[list_id]
            self.list_id = list_id
            return self._move(reading.told if self.proves else reading.named, word)
        for values in self._last.values():
            self._tell_again((self._places.get(value) for value in values), word)
        return True

    def _move(self, edges: Edges, word: Word) -> bool:
        told = self._told
        others = told.keys() - edges.keys() if told else ()
        if others and self._placed_by is not None:
            self._tellers = {**self._tellers, **dict.fromkeys(self._last.keys() & others, self._placed_by)}
        for type_id, values in edges.items():
            before = told.get(type_id)
            if before is not None:
                if self.gone_at is None and not self._replace(before, values, word):
                    return False
            elif not self.has_told_all or type_id in self.implied or not self._first(PARENT, values, word):
                return False
        self._told = {**told, **edges} if others else edges
        self._last = edges
        return True

    def _replace(self, before: tuple[int, ...], values: tuple[int, ...], word: Word) -> bool:
        at = word[0]
        for value in before:
            if value not in values:
                self._close(self._places.pop(value), at)
        if at == self._opened_at:
            self._tell_again((self._places.get(value) for value in values), word)
        return all(self._open(PARENT, value, at, word) for value in values if value not in before)

    # --- names, images, slots, tags ---

    def _hear_text(self, what: int, value: int, word: Word) -> bool:
        """Takes in what it says of one of them; False when what that changes is not known."""
        text, at = self._texts.get(what), word[0]
        if text is None:
            self._texts = {**self._texts, what: Text(value)}
            self._texts[what].by = word
            return self._first(what, (value,), word)
        before, text.value, text.by = text.value, value, word
        if text.fact is None or (value == before and at != self._opened_at):
            return True
        if value == before:
            self._tell_again((text.fact,), word)
            return True
        self._close(text.fact, at)
        return self._open(what, value, at, word)

    # --- facts ---

    def _first(self, what: int, values: Iterable[int], by: Word) -> bool:
        """What is told for the first time held from the first instant on; False when its lives are not known."""
        if self._lives is None:
            return False
        if not self._lives and self.gone_at is None:  # as nearly always
            born, how = self._born(), HOW[by[1]]
            for value in values:
                self._add(Fact(what, value, born, OPEN, by[2], how))
            return True
        for value in values:
            step = Step(NEVER, value, by[2])
            for since, until, _ in self._while_true([step]) if what == PARENT else within([step], self._all_lives()):
                self._add(Fact(what, value, since, until, by[2], HOW[by[1]]))
        return True

    def _tell_again(self, facts: Iterable[Fact | None], by: Word) -> None:
        """Of several words of the instant at which a fact begins, the last one told it: the others held for no time."""
        for fact in facts:
            if fact is not None and fact.since == by[0]:
                fact.told_by, fact.how = by[2], HOW[by[1]]
                self.touched.append(fact)

    def _hold(self, fact: Fact) -> None:
        if fact.what == PARENT:
            self._places[fact.value] = fact
        else:
            self._texts[fact.what].fact = fact
        if fact.since > self._opened_at and fact.how != INFERRED:  # what others say may begin after its own last word
            self._opened_at = fact.since

    def _add(self, fact: Fact) -> None:
        self.touched.append(fact)
        if fact.until == OPEN:
            self._hold(fact)
        elif fact.until == self._ended_at:
            self._keep(fact)

    def _open(self, what: int, value: int, at: int, by: Word) -> bool:
        """Begins a fact, or goes on with one that ended just then; False when it is not known whether one did."""
        if at <= self._unclear_until:
            return False
        fact = self._ended.get((what, value)) if self._ended is not None and self._ended_at == at else None
        if fact is None:
            fact = Fact(what, value, at, OPEN, by[2], HOW[by[1]])
        fact.until = OPEN
        self._add(fact)
        return True

    def _close(self, fact: Fact, at: int) -> None:
        fact.until = at
        self.touched.append(fact)
        if self._ended_at != at:
            self._ended, self._ended_at = None, at
        if fact.since < at:
            self._keep(fact)
        else:
            fact.dropped = True

    def _keep(self, fact: Fact) -> None:
        """Keeps a fact that ended just now in mind: it goes on where it begins anew at the same instant."""
        if self._ended is None:
            self._ended = {}
        self._ended[fact.what, fact.value] = fact

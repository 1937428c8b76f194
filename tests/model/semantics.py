"""What was true when, out of what was told: the rules of docs/archive.md, each in a function that names it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

from archiver.model import Micros, ResourceRef, to_micros
from archiver.platforms.docker import facts as docker
from archiver.platforms.tutum import facts as tutum

OPEN = 1 << 62
"""The end of what still holds."""
ALWAYS = -(1 << 62)
EVENT, OBSERVATION = 0, 1
TOLD, ASKED, INFERRED = 0, 1, 2
PARENT, TARGET, NAME, IMAGE, SLOT, TAGS = "parent", "target", "name", "image", "slot", "tags"
TEXTS = (NAME, IMAGE, SLOT, TAGS)
"""What is told as a text; of a word and of the present, the field of that name."""
GONE = tutum.GONE | docker.GONE
SINGLE = frozenset({"service", "stack", "node", "nodecluster"})
"""Types of which an object has one parent at a time."""
PROVING = frozenset({"container", "service", "node"})
"""Types of objects whose lists prove something of what they name."""
ACTION = "action"
OUTLIVED = frozenset({"service", "node"})
"""Types of objects that stay where they were for an hour after their end."""
HOUR = 3_600_000_000
LATEST = to_micros(datetime.max.replace(tzinfo=UTC))
"""The last instant that can be written as a date."""


class Word(NamedTuple):
    """An event or an observation, as far as it says something of a resource."""

    at: Micros
    source: int
    number: int
    about: ResourceRef | None
    state: str | None = None
    name: str | None = None
    parents: tuple[ResourceRef, ...] = ()
    image: str | None = None
    slot: str | None = None
    tags: tuple[str, ...] | None = None
    """All of them; None: it says nothing of tags."""
    mark: tuple[object, ...] | None = None
    """What an answer said of a life: the state, and what the next life cannot have."""

    @property
    def place(self) -> tuple[Micros, int, int]:
        """In the order of words."""
        return self.at, self.source, self.number


Told = Sequence[Word]
"""Everything that was told, in the order of words."""


class Stretch(NamedTuple):
    """From an instant (inclusive) to another (exclusive)."""

    since: Micros
    until: Micros

    def within(self, other: Stretch) -> Stretch:
        return Stretch(max(self.since, other.since), min(self.until, other.until))


class Step(NamedTuple):
    """What a word says from its instant on."""

    at: Micros
    values: frozenset[Any]
    how: int
    told_by: int


class Fact(NamedTuple):
    """What was true of a resource from when until when."""

    about: ResourceRef
    what: str
    value: Any
    since: Micros
    until: Micros
    how: int
    told_by: int | None


class Run(NamedTuple):
    """Words in a row that tell one state; of each source so many."""

    state: str
    since: Micros
    last: Micros
    source: int
    words: tuple[Word, ...]


class Present(NamedTuple):
    """How a resource stands now."""

    first_at: Micros
    last_at: Micros | None
    last_source: int | None
    state: str | None
    state_since: Micros | None
    state_at: Micros | None
    state_source: int | None
    gone_at: Micros | None
    name: str | None
    parents: tuple[ResourceRef, ...]
    """Its last list, with all that is in it."""
    image: str | None
    slot: str | None
    tags: tuple[str, ...] | None


class Ran(NamedTuple):
    """An action, as what was told and found of it says."""

    about: ResourceRef
    target: ResourceRef | None
    state: str | None
    started_at: Micros
    finished_at: Micros | None
    events: int
    name: str | None
    how: int


def ordered(words: Iterable[Word]) -> Told:
    """In the order of words."""
    return sorted(words, key=lambda word: word.place)


def resources(told: Told) -> set[ResourceRef]:
    """Whatever is told about or named."""
    return {ref for word in told for ref in (word.about, *word.parents) if ref is not None}


def own_words(told: Told, ref: ResourceRef) -> list[Word]:
    """The words of a resource."""
    return [word for word in told if word.about == ref]


# --- rule 1: life ----------------------------------------------------------------------------------------------------


def rule_1_first_at(told: Told, ref: ResourceRef) -> Micros:
    """It lives from the earliest word of its own, or of others that name it."""
    return min(word.at for word in told if ref in (word.about, *word.parents))


def is_end(state: str) -> bool:
    """Whether a state is an end, on any platform."""
    return state.lower() in GONE


def rule_1_lives(told: Told, ref: ResourceRef) -> list[Stretch]:
    """It is gone from an end on, until it tells a state that is none."""
    lives, since = [], rule_1_first_at(told, ref)
    alive = True
    for word in own_words(told, ref):
        if word.state is None:
            continue
        if alive and is_end(word.state):
            lives.append(Stretch(since, word.at))
            alive = False
        elif not alive and not is_end(word.state):
            since, alive = word.at, True
    if alive:
        lives.append(Stretch(since, OPEN))
    return [life for life in lives if life.since < life.until]


def rule_1_gone_at(told: Told, ref: ResourceRef) -> Micros | None:
    """Since when it is gone now."""
    gone: Micros | None = None
    for word in own_words(told, ref):
        if word.state is not None:
            gone = (word.at if gone is None else gone) if is_end(word.state) else None
    return gone


# --- rule 10: what two answers prove ---------------------------------------------------------------------------------

MARKS = {
    "container": ("started", "finished", "restarts"),
    **dict.fromkeys(("service", "node", "secret", "config"), ("updated", "created")),
    "network": ("created", "id"),
    "volume": ("created",),
    "image": ("id", "created"),
}
"""What tells one life of an object from the next, where at least the first of it is told."""


def rule_10_mark(kind: str, state: str | None, extra: Mapping[str, object]) -> tuple[object, ...] | None:
    """What an answer says of a life; None: not enough."""
    names = MARKS.get(kind)
    if state is None or names is None or extra.get(names[0]) is None:
        return None
    return state.lower(), *(extra.get(name) for name in names)


def rule_10_unchanged(told: Told, ref: ResourceRef) -> list[Stretch]:
    """From one answer to the next with the same mark, where no word between them says a state: it did not change."""
    words = [word for word in own_words(told, ref) if word.state is not None]
    return [Stretch(one.at, then.at) for one, then in pairwise(words) if one.mark and one.mark == then.mark]


# --- rules 2 and 3: what a list says ---------------------------------------------------------------------------------


def named(word: Word) -> list[ResourceRef]:
    """The parents that a list names: a resource is no parent of itself."""
    return [parent for parent in word.parents if parent != word.about]


def rule_2_counted(word: Word, kind: str) -> frozenset[ResourceRef]:
    """Of a single type the last one named counts, of any other all."""
    found = [parent for parent in named(word) if parent.type == kind]
    return frozenset(found[-1:] if kind in SINGLE else found)


def only_ones(word: Word) -> dict[str, ResourceRef]:
    """The parents of those types of which a list names one, and no other."""
    found: dict[str, set[ResourceRef]] = {}
    for parent in named(word):
        found.setdefault(parent.type, set()).add(parent)
    return {kind: parents.pop() for kind, parents in found.items() if len(parents) == 1}


def rule_3_belonging(word: Word) -> set[tuple[ResourceRef, ResourceRef]]:
    """Pairs of named parents of which one belongs to the other by the nature of the platform, each the only one."""
    if word.about is None or word.about.type not in PROVING:
        return set()
    ones = only_ones(word)
    pairs = ((near, far) for near, fars in tutum.BELONGS_TO.items() for far in fars)
    return {(ones[near], ones[far]) for near, far in pairs if near in ones and far in ones}


def rule_3_edges(word: Word) -> dict[str, frozenset[ResourceRef]]:
    """What the list puts its resource under, for each type that it names: what belongs to a nearer one is left out."""
    farther = {high.type for _, high in rule_3_belonging(word)}
    kinds = {parent.type for parent in named(word)}
    return {kind: frozenset() if kind in farther else rule_2_counted(word, kind) for kind in kinds}


def rule_3_proved(word: Word) -> set[tuple[ResourceRef, ResourceRef]]:
    """What the list proves of those it names: direct edges, each nearer one under the nearest that it belongs to."""
    pairs = rule_3_belonging(word)
    through = {(low, high) for low, middle in pairs for other, high in pairs if middle == other}
    return pairs - through


# --- rules 2 and 4: steps --------------------------------------------------------------------------------------------


def rule_2_steps(told: Told, ref: ResourceRef, kind: str) -> list[Step]:
    """Each list of its own that names the type says anew what holds of that type; any other says nothing of it."""
    steps = []
    for word in own_words(told, ref):
        edges = rule_3_edges(word)
        if kind in edges:
            steps.append(Step(word.at, edges[kind], word.source, word.number))
    return steps


def rule_4_steps(told: Told, ref: ResourceRef, kind: str) -> list[Step]:
    """What the lists of others prove of its place."""
    return [
        Step(word.at, frozenset([high]), INFERRED, word.number)
        for word in told
        if ref in word.parents
        for low, high in rule_3_proved(word)
        if low == ref and high.type == kind
    ]


def held(steps: Sequence[Step]) -> Iterator[tuple[Stretch, Step]]:
    """From when until when each step holds; before the first, the first does."""
    for place, step in enumerate(steps):
        since = step.at if place else ALWAYS
        until = steps[place + 1].at if place + 1 < len(steps) else OPEN
        yield Stretch(since, until), step


def clipped(ref: ResourceRef, what: str, steps: Sequence[Step], lives: Sequence[Stretch]) -> list[Fact]:
    """The steps as far as the resource lived (5a: and after); neighbours of one value are one, told by the first."""
    facts: list[Fact] = []
    for value in {value for step in steps for value in step.values}:
        own: list[Fact] = []
        for stretch, step in held(steps):
            for life in lives if value in step.values else ():
                since, until = stretch.within(life)
                if since >= until:
                    continue
                if what == PARENT and until == life.until:
                    until = rule_5a_until(ref, life, lives)
                if own and own[-1].until == since:
                    own[-1] = own[-1]._replace(until=until)
                else:
                    own.append(Fact(ref, what, value, since, until, step.how, step.told_by))
        facts += own
    return facts


def rule_5a_until(ref: ResourceRef, life: Stretch, lives: Sequence[Stretch]) -> Micros:
    """Until when a place goes on that held when a life ended: of a service, a node for an hour, or to the next life."""
    if ref.type not in OUTLIVED or life.until == OPEN:
        return life.until
    hour = max(life.until, min(life.until + HOUR, LATEST))
    return min([hour, *(other.since for other in lives if other.since > life.since)])


# --- rules 5, 6, 7: facts --------------------------------------------------------------------------------------------


def rule_5_parents(told: Told, ref: ResourceRef) -> list[Fact]:
    """What it told of its place, else what others prove, as long as it lived."""
    if ref.type == ACTION:
        return []
    lives, facts = rule_1_lives(told, ref), []
    for kind in {other.type for other in resources(told)}:
        steps = rule_2_steps(told, ref, kind) or rule_4_steps(told, ref, kind)
        facts += clipped(ref, PARENT, steps, lives)
    return facts


def rule_6_texts(told: Told, ref: ResourceRef) -> list[Fact]:
    """What it was called, of which image it was, which slot it filled, which tags it bore."""
    if ref.type == ACTION:
        return []
    lives, facts = rule_1_lives(told, ref), []
    for what in TEXTS:
        steps = [
            Step(word.at, frozenset([getattr(word, what)]), word.source, word.number)
            for word in own_words(told, ref)
            if getattr(word, what) is not None
        ]
        facts += clipped(ref, what, steps, lives)
    return facts


def rule_7_ran(told: Told, ref: ResourceRef) -> Ran | None:
    """An action, by its words; None when it has none."""
    own = own_words(told, ref)
    if ref.type != ACTION or not own:
        return None
    above = [(parent, word.source) for word in own for parent in named(word)]
    first = min(above, key=lambda each: tutum.SPECIFIC.get(each[0].type, 3), default=None)
    last = next((word for word in reversed(own) if word.state is not None), None)
    settled = last is not None and (last.state or "").lower() not in tutum.UNSETTLED
    names = [word.name for word in own if word.name is not None]
    return Ran(
        ref,
        first[0] if first else None,
        last.state if last else None,
        own[0].at,
        last.at if last and settled else None,
        sum(word.source == EVENT for word in own),
        names[-1] if names else None,
        first[1] if first else own[0].source,
    )


def rule_7_targets(told: Told, ref: ResourceRef) -> list[Fact]:
    """What an action applies to, while it ran."""
    ran = rule_7_ran(told, ref)
    if ran is None:
        return []
    return [Fact(ref, TARGET, ran.target, ran.started_at, ran.finished_at or OPEN, ran.how, None)]


def all_facts(told: Told) -> set[Fact]:
    """Everything that was true of everything."""
    rules = (rule_5_parents, rule_6_texts, rule_7_targets)
    return {fact for ref in resources(told) for rule in rules for fact in rule(told, ref)}


# --- rule 8: what is under what --------------------------------------------------------------------------------------


class Places:
    """Who was under whom when, asked as often as one likes."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._parents: dict[ResourceRef, list[Fact]] = {}
        self._targets: dict[ResourceRef, Fact] = {}
        instants = set()
        for fact in facts:
            if fact.what == PARENT:
                self._parents.setdefault(fact.about, []).append(fact)
            elif fact.what == TARGET:
                self._targets[fact.about] = fact
            instants |= {fact.since, fact.until} - {OPEN}
        self._instants = sorted(instants)

    def parents(self, ref: ResourceRef, at: Micros) -> list[ResourceRef]:
        """What it is directly under at an instant; an action has no parents."""
        return [fact.value for fact in self._parents.get(ref, ()) if fact.since <= at < fact.until]

    def rule_8_under(self, ref: ResourceRef, at: Micros) -> set[ResourceRef]:
        """Its parents at an instant, and what they are under then; of an action, its target and what that was under."""
        if ref.type == ACTION:
            return self._under_its_target(ref, at)
        seen, waiting = {ref}, [ref]
        while waiting:
            for parent in self.parents(waiting.pop(), at):
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        return seen - {ref}

    def _under_its_target(self, action: ResourceRef, at: Micros) -> set[ResourceRef]:
        """Its target, and what that was under when the action began; the way up does not go through other actions."""
        ran = self._targets.get(action)
        if ran is None or ran.value is None or at < ran.since:
            return set()
        above = set() if ran.value.type == ACTION else self.rule_8_under(ran.value, ran.since)
        return {ran.value, *above} - {action}

    def within(self, ref: ResourceRef, at: Micros, levels: int) -> set[ResourceRef]:
        """What it is under at an instant, over so many levels at most."""
        found, level = {ref}, {ref}
        for _ in range(levels):
            level = {parent for below in level for parent in self.parents(below, at)} - found
            found |= level
        return found - {ref}

    def stretches(self, ref: ResourceRef, levels: int) -> dict[ResourceRef, list[Stretch]]:
        """What it was under over so many levels at most, and when; of an action, while it ran."""
        if ref.type == ACTION:
            return self._while_it_ran(ref, levels)
        found: dict[ResourceRef, list[Stretch]] = {}
        for since, until in pairwise([*self._instants, OPEN]):
            for parent in self.within(ref, since, levels):
                known = found.setdefault(parent, [])
                if known and known[-1].until == since:
                    known[-1] = known[-1]._replace(until=until)
                else:
                    known.append(Stretch(since, until))
        return found

    def _while_it_ran(self, action: ResourceRef, levels: int) -> dict[ResourceRef, list[Stretch]]:
        ran = self._targets.get(action)
        if ran is None or ran.value is None:
            return {}
        above = self.within(ran.value, ran.since, levels) if ran.value.type != ACTION else set()
        return {parent: [Stretch(ran.since, ran.until)] for parent in {ran.value, *above} - {action}}

    def direct(self, ref: ResourceRef, parent: ResourceRef, at: Micros) -> Fact | None:
        """The fact by which it is directly under another at an instant."""
        held_then = (fact for fact in self._parents.get(ref, ()) if fact.since <= at < fact.until)
        return next((fact for fact in held_then if fact.value == parent), None)

    def rule_8_over(self, ref: ResourceRef, since: Micros | None, until: Micros | None) -> set[ResourceRef]:
        """What it was under at some instant of a range."""
        first = ALWAYS if since is None else since
        last = OPEN if until is None else until
        instants = [first, *(at for at in self._instants if first < at < last)] if first < last else []
        return {found for at in instants for found in self.rule_8_under(ref, at)}

    def rule_8_event(self, word: Word) -> set[ResourceRef]:
        """What an event is under: what its list names, its resource, and what those are under at its instant."""
        above = {ref for ref in (word.about, *word.parents) if ref is not None}
        ways = [ref for ref in above if ref.type != ACTION or ref == word.about]
        return above.union(*[self.rule_8_under(ref, word.at) for ref in ways])

    def ran_under(self, ran: Ran) -> set[ResourceRef]:
        """What an action is under, itself included."""
        return {ran.about, *self.rule_8_under(ran.about, OPEN - 1)}


# --- rule 9: the present ---------------------------------------------------------------------------------------------


def runs(told: Told, ref: ResourceRef) -> list[Run]:
    """The states in a row, in whatever case the platform writes them, spelled as the first word of each does."""
    found: list[Run] = []
    for word in own_words(told, ref):
        if word.state is None:
            continue
        if found and found[-1].state.lower() == word.state.lower():
            found[-1] = found[-1]._replace(last=word.at, words=(*found[-1].words, word))
        else:
            found.append(Run(word.state, word.at, word.at, word.source, (word,)))
    return found


def rule_9_present(told: Told, ref: ResourceRef) -> Present:
    """How it stands now."""
    own, told_runs = own_words(told, ref), runs(told, ref)
    last = own[-1] if own else None
    run = told_runs[-1] if told_runs else None
    return Present(
        rule_1_first_at(told, ref),
        last.at if last else None,
        last.source if last else None,
        run.state if run else None,
        run.since if run else None,
        run.last if run else None,
        run.source if run else None,
        rule_1_gone_at(told, ref),
        _last(own, NAME),
        next((word.parents for word in reversed(own) if word.parents), ()),
        _last(own, IMAGE),
        _last(own, SLOT),
        _last(own, TAGS),
    )


def _last(own: Sequence[Word], what: str) -> Any:
    told = [getattr(word, what) for word in own if getattr(word, what) is not None]
    return told[-1] if told else None


def rule_11_tags(about: ResourceRef | None, extra: Mapping[str, object]) -> tuple[str, ...] | None:
    """All the tags that a word says its object bears, by its list of names, or of objects with a name."""
    told = extra.get("tags")
    if not isinstance(told, list) or about is None or about.type == "image":
        return None
    return tuple(sorted({each["name"] if isinstance(each, dict) else each for each in told}))


def name_at(told: Told, facts: Iterable[Fact], ref: ResourceRef, at: Micros) -> str | None:
    """What it was called at an instant; when it was no more, what before; an action, what it is called last."""
    names = [fact for fact in facts if fact.what == NAME and fact.about == ref and fact.since <= at]
    last = max(names, key=lambda fact: fact.since, default=None)
    return rule_9_present(told, ref).name if last is None else str(last.value)


def heads(facts: Iterable[Fact]) -> set[ResourceRef]:
    """Whatever something was ever under."""
    return {fact.value for fact in facts if fact.what == PARENT}


def by_resource(facts: Iterable[Fact]) -> Mapping[ResourceRef, list[Fact]]:
    """The facts of each."""
    found: dict[ResourceRef, list[Fact]] = {}
    for fact in facts:
        found.setdefault(fact.about, []).append(fact)
    return found

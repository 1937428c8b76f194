"""How everything stood at an instant, and what was otherwise at another, by replay of all that was told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from archiver.model import Micros, ResourceRef

from . import semantics
from .replay import Archived
from .semantics import ACTION, IMAGE, NAME, PARENT, TAGS, Fact, Word
from .watched import is_certain, session_of


class Stood(NamedTuple):
    """How a resource that lived stood."""

    ref: ResourceRef
    name: str | None
    state: str | None
    since: Micros | None
    image: str | None
    certain: bool | None
    tags: tuple[str, ...]


Parents = dict[ResourceRef, set[ResourceRef]]


class Moment:
    """Everything as it stood at an instant."""

    def __init__(self, expected: Archived, at: Micros) -> None:
        self.at = at
        self.expected = expected
        self.told = [word for word in expected.told if word.at <= at]
        self.living = {
            ref
            for ref in expected.resources
            if any(life.since <= at < life.until for life in semantics.rule_1_lives(expected.told, ref))
        }

    def stood(self, ref: ResourceRef) -> Stood:
        """How one stood."""
        runs = semantics.runs(self.told, ref)
        state, since = (runs[-1].state, runs[-1].since) if runs else (None, None)
        name = self._text(ref, NAME)
        if ref.type == ACTION:
            name = semantics.rule_9_present(self.expected.told, ref).name
        certain = is_certain(self.expected, runs[-1].words[-1], self.at) if runs else None
        tags = self.fact(ref, TAGS)
        return Stood(ref, name, state, since, self._text(ref, IMAGE), certain, () if tags is None else tags.value)

    def fact(self, ref: ResourceRef, what: str) -> Fact | None:
        """What was true of it."""
        held = (fact for fact in self.expected.facts if (fact.about, fact.what) == (ref, what))
        return next((fact for fact in held if fact.since <= self.at < fact.until), None)

    def _text(self, ref: ResourceRef, what: str) -> str | None:
        fact = self.fact(ref, what)
        return None if fact is None else str(fact.value)

    def above(self, ref: ResourceRef) -> set[ResourceRef]:
        """What it was directly under."""
        return set(self.expected.places.parents(ref, self.at))

    def under(self, root: ResourceRef) -> Parents:
        """What lived under one, below what lived, with those of the parents that are there too."""
        if root not in self.living:
            return {}
        parents: Parents = {root: set()}
        waiting = [root]
        while waiting:
            parent = waiting.pop()
            for child in self.living - {root}:
                if child.type != ACTION and parent in self.above(child):
                    if child not in parents:
                        waiting.append(child)
                    parents.setdefault(child, set()).add(parent)
        return parents

    def platform(self) -> Parents:
        """All that lived but for actions."""
        found = {ref for ref in self.living if ref.type != ACTION}
        return {ref: self.above(ref) & found for ref in found}


Change = tuple[str, ResourceRef, Any, Any, Micros, bool | None]


def differences(first: Moment, second: Moment, root: ResourceRef | None) -> Iterator[Change]:
    """What of a resource and all under it, or of everything, was otherwise."""
    trees = [moment.platform() if root is None else moment.under(root) for moment in (first, second)]
    for ref in trees[0].keys() | trees[1].keys():
        was, is_ = ref in first.living, ref in second.living
        if not was:
            sure = both(second.stood(ref).certain, not _may_have_been(first, second, ref))
            yield "appeared", ref, None, second.stood(ref).state, _born(second, ref), sure
        elif not is_:
            gone, before = semantics.runs(second.told, ref), first.stood(ref)
            yield "vanished", ref, before.state, gone[-1].state, _gone_at(second, ref), before.certain
        else:
            yield from _altered(first, second, ref)
    for ref in trees[0].keys() & trees[1].keys():
        if ref.type == "service":
            yield from _replicas(first, second, ref, trees)


def both(*certain: bool | None) -> bool | None:
    """Whether all are certain."""
    return False if False in certain else None if None in certain else True


def _may_have_been(first: Moment, second: Moment, ref: ResourceRef) -> bool:
    """Whether it may have lived at the first instant: nobody was watching then, and it was not known to be gone."""
    runs = semantics.runs(second.told, ref)
    before = semantics.runs(first.told, ref)
    session = session_of(second.expected, runs[-1].words[-1]) if runs else None
    if session is None or (before and semantics.is_end(before[-1].state)):
        return False
    own = [other for other in second.expected.sessions.values() if other.stream == session.stream]
    return not any(each.covered_from <= first.at <= each.end for each in own)


def _born(moment: Moment, ref: ResourceRef) -> Micros:
    lives = semantics.rule_1_lives(moment.expected.told, ref)
    return next(life.since for life in lives if life.since <= moment.at < life.until)


def _gone_at(moment: Moment, ref: ResourceRef) -> Micros:
    return semantics.runs(moment.told, ref)[-1].since


def _altered(first: Moment, second: Moment, ref: ResourceRef) -> Iterator[Change]:
    before, after = first.stood(ref), second.stood(ref)
    was, is_ = first.above(ref), second.above(ref)
    sure = both(before.certain, after.certain)
    if was != is_:
        yield "moved", ref, frozenset(was), frozenset(is_), _moved_at(first, second, ref), sure
    if after.since is not None and (before.state or "").lower() != (after.state or "").lower():
        yield "state", ref, before.state, after.state, after.since, sure
    told = ((NAME, before.name, after.name), (IMAGE, before.image, after.image), (TAGS, before.tags, after.tags))
    for what, one, other in told:
        if one != other:
            fact = second.fact(ref, what)
            yield what, ref, one, other, fact.since if fact is not None else 0, sure


def _moved_at(first: Moment, second: Moment, ref: ResourceRef) -> Micros:
    facts = [fact for fact in first.expected.facts if (fact.about, fact.what) == (ref, PARENT)]
    was, is_ = first.above(ref), second.above(ref)
    came = [fact.since for fact in facts if fact.value in is_ - was and fact.since <= second.at < fact.until]
    left = [fact.until for fact in facts if fact.value in was - is_ and first.at < fact.until <= second.at]
    return max(came + left)


def _replicas(first: Moment, second: Moment, service: ResourceRef, trees: list[Parents]) -> Iterator[Change]:
    """How many of a service's containers ran; it became so when the last of them began or ceased to."""
    ran, run = (
        {ref for ref, above in tree.items() if ref.type == "container" and service in above and _runs(moment, ref)}
        for moment, tree in zip((first, second), trees, strict=True)
    )
    if len(ran) != len(run):
        instant = max(_became(second, ref, service) for ref in ran ^ run)
        ends = [moment.stood(ref).certain for ref in ran | run for moment in (first, second) if ref in moment.living]
        yield "replicas", service, len(ran), len(run), instant, both(*ends)


def _became(second: Moment, ref: ResourceRef, service: ResourceRef) -> Micros:
    """When it began to run for a service, or ceased to: the last edge of a stretch in which it ran and was there."""
    there = [
        (fact.since, fact.until)
        for fact in second.expected.facts
        if (fact.about, fact.what, fact.value) == (ref, PARENT, service)
    ]
    stretches = [
        (max(since, began), min(until, over))
        for since, until in there
        for began, over in _ran(second.told, ref)
        if max(since, began) < min(until, over)
    ]
    edges = [edge for since, until in stretches for edge in (since, until) if edge <= second.at]
    return max(edges)


def _ran(told: Iterable[Word], ref: ResourceRef) -> Iterator[tuple[Micros, Micros]]:
    """From when until when it ran, by what was told until then."""
    began: Micros | None = None
    for run in semantics.runs(list(told), ref):
        runs = run.state.lower().split(" (")[0] == "running"
        if runs and began is None:
            began = run.since
        elif not runs and began is not None:
            yield began, run.since
            began = None
    if began is not None:
        yield began, semantics.OPEN


def _runs(moment: Moment, ref: ResourceRef) -> bool:
    return (moment.stood(ref).state or "").lower().split(" (")[0] == "running"


def instants(told: Iterable[Word]) -> list[Micros]:
    """Those at which something was said, and those beside them."""
    return [at + off for at in sorted({word.at for word in told}) for off in (-1, 0, 0, 1)]

"""Reads a list of parents: which of them its resource is directly under, and what the list proves of the others.

docs/archive.md says in words what is computed here. All of it is of numbers: of resources and of their types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from archiver.platforms.facts import BELONGS_TO, SINGLE, SPECIFIC

KNOWN = frozenset({*SPECIFIC, *BELONGS_TO, "action"})
"""The types of which something is known."""

UNSPECIFIC = 3
"""The rank of what the platform's table does not say how specific it is."""
NO_TARGET = 4
"""The rank of no target at all."""
_MOST_TYPES = 8
"""Longer lists are read as they come."""
_MOST_PLANS = 1000


class Kinds:
    """What the platform's tables say, in the numbers that an archive has given to the types."""

    def __init__(self, names: Mapping[int, str]) -> None:
        numbers = {name: number for number, name in names.items()}
        self.names = names
        self.single = {numbers[name] for name in SINGLE if name in numbers}
        """Types of which a resource has one parent at a time."""
        self.ranks = {number: SPECIFIC[name] for number, name in names.items() if name in SPECIFIC}
        """How specific a type is as a target, the most specific lowest."""
        self.pairs = tuple(
            (numbers[low], numbers[high])
            for low, above in BELONGS_TO.items()
            for high in above
            if low in numbers and high in numbers
        )
        """Types of which the first belongs to the second."""
        self._plans: dict[tuple[int, ...], Plan] = {}

    def plan(self, types: tuple[int, ...]) -> Plan | None:
        """How to read a list that names one of each of these types, in their order; None for any other list.

        Lists are many, and of few patterns.
        """
        plan = self._plans.get(types)
        if plan is None and len(types) <= _MOST_TYPES and len(set(types)) == len(types):
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            plan = self._plans[types] = self._planned(types)
        return plan

    def _planned(self, types: tuple[int, ...]) -> Plan:
        pairs = [(low, high) for low, high in self.pairs if low in types and high in types]
        rank, target = min((self.ranks.get(type_id, UNSPECIFIC), place) for place, type_id in enumerate(types))
        proofs = tuple([(types.index(low), high, types.index(high)) for low, high in _direct(pairs)])
        return Plan(proofs, {high: () for _, high in pairs}, target, rank)


Edges = Mapping[int, tuple[int, ...]]
"""For every type that a list names: the parents of that type that the resource is directly under, ascending."""


class Plan(NamedTuple):
    """How to read a list of some types, by the places in it."""

    proofs: tuple[tuple[int, int, int], ...]
    """The place of the lower object, the type of the higher one and its place."""
    farther: Edges
    """The types of what the resource is not directly under, each with nothing."""
    target: int
    rank: int


class Proof(NamedTuple):
    """That one object is under another, because somebody who is under both names both."""

    low: int
    type_id: int
    """The type of the higher one."""
    high: int


class Reading(NamedTuple):
    """What a list says."""

    members: tuple[int, ...]
    """Resources, in the order of the list."""
    types: tuple[int, ...]
    """The type of each."""
    told: Edges
    """Where a container, a service or a node says so."""
    named: Edges
    """Where anything else does."""
    proofs: tuple[Proof, ...]
    """What it proves where a container, a service or a node says so."""
    target: int
    """What an action with this list applies to; 0 for nothing."""
    rank: int
    """How specific that is, the most specific lowest."""


def proves(kind: str | None) -> bool:
    """Whether the lists of such resources prove what the others in it are under."""
    return kind in BELONGS_TO


def read(members: tuple[int, ...], types: tuple[int, ...], kinds: Kinds) -> Reading:
    """Reads a list of resources, in its order, with their types; the resource that says so is not among them."""
    plan = kinds.plan(types) if types else None
    if plan is None:
        return _read_any(members, types, kinds)
    named = dict(zip(types, zip(members), strict=True))
    target = members[plan.target]
    if not plan.proofs:
        return Reading(members, types, named, named, (), target, plan.rank)
    proofs = tuple([Proof(members[low], type_id, members[high]) for low, type_id, high in plan.proofs])
    return Reading(members, types, {**named, **plan.farther}, named, proofs, target, plan.rank)


def _read_any(members: tuple[int, ...], types: tuple[int, ...], kinds: Kinds) -> Reading:
    by_type: dict[int, list[int]] = {}
    rank, target = NO_TARGET, 0
    for number, type_id in zip(members, types, strict=True):
        found = by_type.setdefault(type_id, [])
        if not found and kinds.ranks.get(type_id, UNSPECIFIC) < rank:
            rank, target = kinds.ranks.get(type_id, UNSPECIFIC), number
        found.append(number)
    single = kinds.single
    named = {
        type_id: (found[-1],) if type_id in single or len(found) == 1 else tuple(sorted(set(found)))
        for type_id, found in by_type.items()
    }
    one = {type_id for type_id, found in by_type.items() if len(found) == 1 or len(set(found)) == 1}
    pairs = [(low, high) for low, high in kinds.pairs if low in one and high in one]
    if not pairs:
        return Reading(members, types, named, named, (), target, rank)
    proofs = tuple([Proof(named[low][0], high, named[high][0]) for low, high in _direct(pairs)])
    farther = {high for _, high in pairs}
    edges = {type_id: () if type_id in farther else found for type_id, found in named.items()}
    return Reading(members, types, edges, named, proofs, target, rank)


def as_told_by(number: int, reading: Reading, kinds: Kinds) -> Reading:
    """What a list says where this resource tells it: nothing is its own parent."""
    if number not in reading.members:
        return reading
    others = [member for member in zip(reading.members, reading.types, strict=True) if member[0] != number]
    return read(tuple([number for number, _ in others]), tuple([type_id for _, type_id in others]), kinds)


def _direct(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without those that follow from two others."""
    through = {(low, high) for low, middle in pairs for other, high in pairs if other == middle}
    return [pair for pair in pairs if pair not in through]

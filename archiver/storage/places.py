"""Reads a list of parents: which of them its resource is directly under, and what the list proves of the others.

docs/archive.md says in words what is computed here. All of it is of numbers: of resources and of their types.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from archiver.platforms.tutum.facts import BELONGS_TO, SINGLE, SPECIFIC

Kinds = Mapping[int, str]
"""Numbers and names of those types of which the platform's tables say something."""

KNOWN = frozenset({*SPECIFIC, *BELONGS_TO, "action"})
"""The types of which something is known."""

UNSPECIFIC = 3
"""The rank of what the platform's table does not say how specific it is."""
NO_TARGET = 4
"""The rank of no target at all."""

Edges = Mapping[int, tuple[int, ...]]
"""For every type that a list names: the parents of that type that the resource is directly under, ascending."""


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


def read(members: Iterable[tuple[int, int]], kinds: Kinds) -> Reading:
    """Reads a list of resources with their types, in its order; the resource that says so is not among them."""
    told = tuple(members)
    by_type: dict[int, list[int]] = {}
    for number, type_id in told:
        by_type.setdefault(type_id, []).append(number)
    named = {type_id: _counting(found, kinds.get(type_id)) for type_id, found in by_type.items()}
    one = {type_id for type_id, found in by_type.items() if len(set(found)) == 1}
    pairs = _pairs(one, kinds)
    proofs = tuple(Proof(named[low][0], high, named[high][0]) for low, high in _direct(pairs))
    farther = {high for _, high in pairs}
    edges = {type_id: () if type_id in farther else found for type_id, found in named.items()}
    rank, target = _target(told, kinds)
    resources, types = tuple([number for number, _ in told]), tuple([type_id for _, type_id in told])
    return Reading(resources, types, edges, named, proofs, target, rank)


def as_told_by(number: int, reading: Reading, kinds: Kinds) -> Reading:
    """What a list says where this resource tells it: nothing is its own parent."""
    if number not in reading.members:
        return reading
    return read([member for member in zip(reading.members, reading.types, strict=True) if member[0] != number], kinds)


def _pairs(types: Collection[int], kinds: Kinds) -> list[tuple[int, int]]:
    """Of these types: each with those that it belongs to."""
    numbers = {kind: type_id for type_id, kind in kinds.items() if type_id in types}
    return [
        (numbers[low], numbers[high])
        for low in numbers.keys() & BELONGS_TO.keys()
        for high in BELONGS_TO[low]
        if high in numbers
    ]


def _direct(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Without those that follow from two others."""
    through = {(low, high) for low, middle in pairs for other, high in pairs if other == middle}
    return [pair for pair in pairs if pair not in through]


def _counting(found: list[int], kind: str | None) -> tuple[int, ...]:
    return (found[-1],) if kind in SINGLE else tuple(sorted(set(found)))


def _target(members: tuple[tuple[int, int], ...], kinds: Kinds) -> tuple[int, int]:
    ranked = [(SPECIFIC.get(kinds.get(type_id, ""), UNSPECIFIC), number) for number, type_id in members]
    return min(ranked, key=lambda found: found[0], default=(NO_TARGET, 0))

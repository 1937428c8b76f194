"""Holds what the recorder has written against the model, rule by rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection

from archiver.model import Micros, ResourceRef

from . import semantics
from .reading import Tables
from .replay import Archived
from .semantics import Fact


def differences(connection: Connection, expected: Archived) -> Iterator[str]:
    """What of the tables is not as the rules say, in words."""
    tables = Tables(connection)
    yield from differing("resources", expected.resources, tables.refs.values())
    yield from differing("rules 5 to 7, facts", map(_comparable, expected.facts), map(_comparable, tables.facts()))
    yield from differing("rule 4, implied", _meant(_proved(expected)), _meant(_counting(expected, tables)))
    present = {ref: semantics.rule_9_present(expected.told, ref) for ref in expected.resources}
    yield from differing("rule 9, present", present.items(), tables.present().items())
    yield from _heads(expected, tables.heads())
    yield from differing("tellings", map(tuple, expected.tellings.values()), tables.tellings())
    yield from differing("one row for each list of parents", [], tables.lists_told_twice())
    counted = {
        "events": len(expected.events),
        "observations": len(expected.observations),
        "rejects": len(expected.rejects) + len(expected.conflicts),
        "resources": len(expected.resources),
        "sessions": len(expected.sessions),
    }
    yield from differing("rows", counted.items(), [(name, tables.last(name)) for name in counted])
    numbers = tables.numbers()
    yield from differing("stored numbers", counted.items(), [(name, numbers.get(name, 0)) for name in counted])


def differing(what: str, expected: Iterable[Any], got: Iterable[Any]) -> Iterator[str]:
    """What is in one of the two and not as often in the other, in words."""
    missing, more = list(expected), []
    for found in got:
        if found in missing:
            missing.remove(found)
        else:
            more.append(found)
    if missing or more:
        lines = [f"    expected {found}" for found in missing[:6]] + [f"    got      {found}" for found in more[:6]]
        yield "\n".join([f"{what}:", *lines])


def _comparable(fact: Fact) -> Fact:
    """Which word told what an action applies to, and what is inferred, is nothing that a question answers."""
    return fact if fact.what != semantics.TARGET and fact.how != semantics.INFERRED else fact._replace(told_by=None)


Steps = dict[tuple[ResourceRef, str], list[tuple[Micros, ResourceRef]]]


def _counting(expected: Archived, tables: Tables) -> Steps:
    """What is kept of it, where it counts: where the resource never told of the type itself."""
    return {
        (ref, kind): steps
        for (ref, kind), steps in tables.implied().items()
        if not semantics.rule_2_steps(expected.told, ref, kind)
    }


def _proved(expected: Archived) -> Steps:
    """What lists prove of others, where it counts."""
    kinds = {ref.type for ref in expected.resources}
    found = {}
    for ref in expected.resources:
        for kind in kinds:
            steps = semantics.rule_4_steps(expected.told, ref, kind)
            if steps and not semantics.rule_2_steps(expected.told, ref, kind):
                found[ref, kind] = [(step.at, next(iter(step.values))) for step in steps]
    return found


def _meant(steps: Steps) -> list[Any]:
    """What holds from when on, said in one way: the first holds always, what changes nothing is left out."""
    found = []
    for who, told in steps.items():
        last: dict[Micros, ResourceRef] = dict(told)  # of one instant the last
        changes: list[tuple[Micros, ResourceRef]] = []
        first = told[0][1]
        for at, value in last.items():
            before = changes[-1][1] if changes else first
            if value != before:
                changes.append((at, value))
        found.append((who, first, changes))
    return found


def _heads(expected: Archived, got: set[ResourceRef]) -> Iterator[str]:
    """Whatever something is under is marked; what nobody ever named is not."""
    yield from differing("heads that are not marked", [], semantics.heads(expected.facts) - got)
    named = {parent for word in expected.told for parent in word.parents}
    yield from differing("heads without anything", [], got - named)

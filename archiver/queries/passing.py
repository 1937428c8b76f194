"""Leaves out states through which what is beside or below only passes: what lasts is of another kind than before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from archiver.model import Number
from archiver.queries.kinds import kind_of, state_kinds
from archiver.queries.neighbours import Place
from archiver.queries.steps import Step
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.pages import Ask

_NEAR = ("self", "above")
"""Of these every step is told: of a service that holds it, that it is redeployed."""
_PASSING = "starting"
_TYPES = (
    "SELECT r.id, t.text FROM resources r JOIN event_types t ON t.id = r.type_id"
    " WHERE r.platform_id = :platform AND r.id IN :numbers"
)


def without_passing(ask: Ask, states: Sequence[Step], places: Mapping[Number, Place]) -> list[Step]:
    """Some steps of states, which stand in their order; one for those that lead together from a kind to another."""
    others: dict[Number, list[Step]] = {}
    kept: list[Step] = []
    for step in states:
        if places[step.number].where in _NEAR:
            kept.append(step)
        else:
            others.setdefault(step.number, []).append(step)
    kinds, types = ask(state_kinds), ask(_types, others)
    for number, steps in others.items():
        kept += _lasting(steps, [kind_of(kinds, step.after, types[number]) for step in steps], kinds, types[number])
    return sorted(kept, key=lambda step: step.at)


def _lasting(steps: Sequence[Step], kinds: Sequence[str | None], known: Mapping[str, str], type: str) -> Iterator[Step]:
    """The steps of one resource that end in another kind of state than that in which they began."""
    first: Step | None = None
    appeared = False
    for place, (step, kind) in enumerate(zip(steps, kinds, strict=True)):
        if step.change != "state":
            appeared, first = step.change == "appeared", None
            yield step
            continue
        begun = first or step
        was = kind_of(known, begun.before, type)
        if kind == _PASSING and place + 1 < len(steps):
            first = begun
            continue
        # What appeared goes on to run: nothing else is expected of it.
        expected = appeared and was == _PASSING and kind == "up"
        if not expected and (kind is None or kind != was):
            yield step._replace(before=begun.before)
        appeared, first = appeared and expected, None


def _types(connection: Connection, numbers: Iterable[Number]) -> dict[int, str]:
    found: dict[int, str] = {}
    for among in by_platform(numbers):
        found.update(connection.execute(statement(_TYPES), among.values()))
    return found

"""What is said of one thing, as steps over time: each holds until the next one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from archiver.storage.schema import OPEN

NEVER = -OPEN
"""Before all instants."""

Life = tuple[int, int]
"""From when until when, exclusive."""


class Step(NamedTuple):
    """A value from an instant on, until the next step."""

    since: int
    value: int
    told_by: int


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
    """Steps with all that is said at one instant, in the order of words, and what counts at the next one."""
    at = said[0].since
    before = [step for step in steps if step.since < at]
    if all(step.since == NEVER for step in before):
        before = []
    after = [step for step in steps if following is not None and step.since > following.since]
    return steps_of([*before, *said, *([following] if following else []), *after])


def says(steps: Sequence[Step], at: int, value: int) -> bool:
    """Whether one more word that says this, at this instant, makes no difference; for steps that are there."""
    first = steps[1] if steps[0].since == NEVER else steps[0]
    if at < first.since or (at == first.since and first is not steps[0]):
        return False
    return [step.value for step in steps if step.since <= at][-1] == value


def within(steps: Sequence[Step], lives: Iterable[Life]) -> Iterator[tuple[int, int, Step]]:
    """What of each step falls into each life; the first step holds from the first instant on."""
    place = 0
    for born, gone in lives:
        while place + 1 < len(steps) and steps[place + 1].since <= born:
            place += 1
        since = born
        for number in range(place, len(steps)):
            until = min(steps[number + 1].since, gone) if number + 1 < len(steps) else gone
            if since < until:
                yield since, until, steps[number]
            if until == gone:
                break
            since = until


def lingering(found: Iterable[tuple[int, int, Step]], ends: Iterable[Life]) -> Iterator[tuple[int, int, Step]]:
    """What was found within lives, where it outlives each: `ends` say of the end of a life until when.

    What then goes on with the same value is one.
    """
    until_then = dict(ends)
    last: tuple[int, int, Step] | None = None
    for since, until, step in found:
        until = until_then.get(until, until)
        if last is not None and last[1] == since and last[2].value == step.value:
            last = last[0], until, last[2]
        else:
            if last is not None:
                yield last
            last = since, until, step
    if last is not None:
        yield last

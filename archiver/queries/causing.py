"""Looks up what the rules of causes need: which actions ran on an object, and on what it was under, about an end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from archiver.model import Cause, Gap, Micros, Number, Resource, Span, to_micros
from archiver.queries.acted import carriers, proofs, ran, said
from archiver.queries.causes import Deed, Stop, Why, exit_code, is_announced, is_down, is_stop, stays_ended, why
from archiver.queries.under import ascend
from archiver.queries.windows import NEVER
from archiver.storage.causes import TOLD_AFTER
from archiver.storage.database.reading import Connection
from archiver.storage.pages import Ask
from archiver.storage.words import OPEN

OUT_OF_MEMORY = "out of memory"
"""How a span says that an engine told of a want of memory about its beginning."""
_TOGETHER = 500
"""Spans that are explained at once."""
_NEAR = (300_000_000, 15_000_000)
"""Ends no farther apart than these are asked about together where all together are too far apart."""


class Stopped(NamedTuple):
    """An end of something."""

    resource: Resource
    stop: Stop


class Told(NamedTuple):
    """What something went through, and when nobody was watching it."""

    resource: Resource
    spans: Sequence[Span]
    gaps: Sequence[Gap]


class _End(NamedTuple):
    """A span that is an end, and what was before it."""

    place: int
    span: Span
    before: Span
    ran_since: Micros
    next: Micros


def explained(ask: Ask, resource: Resource, spans: Iterable[Span], gaps: Sequence[Gap]) -> Iterator[Span]:
    """The spans, each end with its cause; so many at a time are looked up."""
    rest, ends = iter(spans), _Ends()
    held = list(islice(rest, _TOGETHER))
    while len(held) >= _TOGETHER and (more := list(islice(rest, _TOGETHER))):
        complete = _complete(held)
        batch, held = held[:complete], held[complete:]
        yield from _with_causes(ask, resource, batch, ends.among(batch, held), gaps)
        held += more
    yield from _with_causes(ask, resource, held, ends.among(held, ()), gaps)


def explained_together(ask: Ask, told: Sequence[Told]) -> list[tuple[Span, ...]]:
    """The spans of each, as `explained`; the ends of all are looked up together."""
    spans = [list(each.spans) for each in told]
    ends = [(n, end) for n, each in enumerate(told) for end in _Ends().among(each.spans, ())]
    ends.sort(key=lambda found: found[1].span.since)
    for begin in range(0, len(ends), _TOGETHER):
        some = ends[begin : begin + _TOGETHER]
        causes = _causes(ask, [Stopped(told[n].resource, _stop(end, told[n].gaps)) for n, end in some])
        for (n, end), cause in zip(some, causes, strict=True):
            spans[n][end.place] = end.span._replace(cause=cause)
    return [tuple(each) for each in spans]


def _complete(batch: Sequence[Span]) -> int:
    """How many of some spans can be explained: behind the last end among them another one may follow at once."""
    for place in range(len(batch) - 1, 0, -1):
        if batch[-1].since - batch[place].since > timedelta(microseconds=TOLD_AFTER):
            break
        if is_stop(batch[place - 1].state, batch[place].state):
            return place
    return len(batch)


class _Ends:
    """Finds the ends among spans that come some at a time."""

    def __init__(self) -> None:
        self._before: Span | None = None
        self._ran_since = NEVER

    def among(self, batch: Sequence[Span], following: Sequence[Span]) -> list[_End]:
        """The ends among these spans, on which others follow."""
        found: list[_End] = []
        for place, span in enumerate(batch):
            before, at = self._before, to_micros(span.since)
            if before is not None and is_stop(before.state, span.state):
                found[-1:] = [end._replace(next=at) for end in found[-1:]]
                found.append(_End(place, span, before, self._ran_since, OPEN))
            elif before is not None and stays_ended(before.state, span.state):
                continue
            elif before is not None and is_down(before.state):
                self._ran_since = at
            self._before = span
        if found and following and self._before and is_stop(self._before.state, following[0].state):
            found[-1] = found[-1]._replace(next=to_micros(following[0].since))
        return found


def _with_causes(
    ask: Ask, resource: Resource, batch: Sequence[Span], ends: Sequence[_End], gaps: Sequence[Gap]
) -> Iterator[Span]:
    found = _causes(ask, [Stopped(resource, _stop(end, gaps)) for end in ends])
    causes = {end.place: cause for end, cause in zip(ends, found, strict=True)}
    for place, span in enumerate(batch):
        yield span._replace(cause=causes[place]) if place in causes else span


def _causes(ask: Ask, stopped: Sequence[Stopped], near: Sequence[Micros] = _NEAR) -> list[Cause | None]:
    """Why things stopped, which stand by time: asked together, or where too much was done meanwhile, by and by."""
    causes = ask(causes_of, stopped) if stopped else []
    if causes is not None:
        return causes
    closest = near[0] if near else -1
    return [cause for group in _groups(stopped, closest) for cause in _causes(ask, group, near[1:])]


def _groups(stopped: Sequence[Stopped], near: Micros) -> Iterator[list[Stopped]]:
    """Ends of which each is no farther from the next."""
    group: list[Stopped] = []
    for each in stopped:
        if group and each.stop.at - group[-1].stop.at > near:
            yield group
            group = []
        group.append(each)
    yield group


def _stop(end: _End, gaps: Sequence[Gap]) -> Stop:
    at, span = to_micros(end.span.since), end.span
    known = (end.before.seen_at or end.before.since) if span.observed else span.since
    unwatched = any(_hides(gap, known, span.since) for gap in gaps if gap.stream is not None or span.observed)
    unwatched |= span.observed and end.before.assumed and not end.before.seen
    announced = is_announced(end.before.state)
    return Stop(at, exit_code(span.state), announced, end.ran_since, end.next, span.note == OUT_OF_MEMORY, unwatched)


def _hides(gap: Gap, known: datetime, at: datetime) -> bool:
    """Whether nobody was watching at an instant between the last at which it was known to run and its end.

    Platforms date by the second, so what is heard first may seem older than the session.
    """
    if gap.proven or (gap.since is not None and gap.since > at):
        return False
    if gap.until is None or gap.until <= known:
        return gap.until is None
    return at.microsecond != 0 or (gap.until - at).total_seconds() >= 1 or known != at


def causes_of(connection: Connection, stopped: Sequence[Stopped]) -> list[Cause | None] | None:
    """Why things stopped, each time, in their order; all None: too much was done between them to read it all.

    None of one: it is no container, and nothing proves that somebody stopped it. Only a container crashes.
    """
    moments = [(each.resource.id, each.stop.at - 1) for each in stopped]
    above = ascend(connection, set(moments))
    places = [above[moment] | {moment[0]} for moment in moments]
    runs = ran(connection, [each.stop.at for each in stopped], frozenset[Number]().union(*places))
    if runs is None:
        return None
    about = [runs.about(each.stop.at, own) for each, own in zip(stopped, places, strict=True)]
    told = said(connection, {each.id for near in about for each in near})
    carrying = carriers(connection, {each.target for near in about for each in near})
    answers: list[Why] = []
    proving: dict[Deed, Number] = {}
    for (_, stop), near in zip(stopped, about, strict=True):
        deeds = {
            told[each.id]._replace(since=each.since, until=each.until, of_carrier=each.target in carrying): each.target
            for each in near
        }
        answers.append(why(stop, sorted(deeds, key=_by_time)))
        proving.update((deed, deeds[deed]) for deed in answers[-1].deeds)
    shown = proofs(connection, proving)
    return [
        Cause(answer.kind, each.stop.exit_code, tuple([shown[deed.id] for deed in answer.deeds]))
        if each.resource.type == "container" or answer.deeds
        else None
        for answer, each in zip(answers, stopped, strict=True)
    ]


def _by_time(deed: Deed) -> tuple[Micros, str]:
    return deed.since, deed.uri

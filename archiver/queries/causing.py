"""Looks up what the rules of causes need: which actions ran on an object, and on what it was under, about an end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from archiver.model import Cause, Gap, Micros, Number, Proof, Resource, Span, numbers_of, to_datetime, to_micros
from archiver.platforms.docker.facts import SIGNAL
from archiver.platforms.tutum.facts import UNDONE
from archiver.queries.causes import Deed, Stop, exit_code, is_announced, is_down, is_stop, why
from archiver.queries.doers import doers
from archiver.queries.under import ascend
from archiver.queries.windows import NEVER, Window, overlapping
from archiver.storage.causes import GRACE, TOLD_AFTER, UNFINISHED
from archiver.storage.pages import Ask
from archiver.storage.reading import Connection
from archiver.storage.statements import by_platform, statement
from archiver.storage.words import OPEN, TARGET

OUT_OF_MEMORY = "out of memory"
"""How a span says that an engine told of a want of memory about its beginning."""
_TOGETHER = 500
"""Spans that are explained at once."""
_NEAR = 300_000_000
"""Ends no farther apart are asked about together."""
_SIGNAL = re.compile(re.escape(SIGNAL) + r'([^"]+)"')
_ACTIONS = (
    "SELECT f.resource_id, f.value, f.since, f.until FROM facts f"
    f" WHERE f.platform_id = :platform AND f.what = {TARGET} AND f.value IN :numbers AND {{}}"
)
_SAID = (
    "SELECT r.id, r.uri, n.text AS name, s.text AS state FROM resources r"
    " LEFT JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id LEFT JOIN event_states s ON s.id = p.state_id"
    " WHERE r.platform_id = :platform AND r.id IN :numbers"
)
_KEPT = (
    "SELECT e.resource_id, e.extra FROM events e"
    " WHERE e.platform_id = :platform AND e.resource_id IN :numbers AND e.extra IS NOT NULL"
)
_URIS = "SELECT r.id, r.uri FROM resources r WHERE r.platform_id = :platform AND r.id IN :numbers"


class Found(NamedTuple):
    """An action as the archive has it: what the rules look at, and what it was done to."""

    deed: Deed
    target: Number


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
    held: list[Span] = []
    while more := list(islice(rest, _TOGETHER)):
        batch = [*held, *more]
        complete = _complete(batch)
        batch, held = batch[:complete], batch[complete:]
        yield from _with_causes(ask, resource, batch, ends.among(batch, held), gaps)
    yield from _with_causes(ask, resource, held, ends.among(held, ()), gaps)


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
            elif before is not None and is_down(before.state):
                self._ran_since = at
            self._before = span
        if found and following and self._before and is_stop(self._before.state, following[0].state):
            found[-1] = found[-1]._replace(next=to_micros(following[0].since))
        return found


def _with_causes(
    ask: Ask, resource: Resource, batch: Sequence[Span], ends: Sequence[_End], gaps: Sequence[Gap]
) -> Iterator[Span]:
    causes: dict[int, Cause | None] = {}
    for near in _clusters(ends):
        stops = [_stop(end, gaps) for end in near]
        found = ask(causes_of, resource, stops)
        causes.update((end.place, cause) for end, cause in zip(near, found, strict=True))
    for place, span in enumerate(batch):
        yield span._replace(cause=causes[place]) if place in causes else span


def _clusters(ends: Sequence[_End]) -> Iterator[list[_End]]:
    """Ends that are close together, so that one question reads hardly more than each would."""
    cluster: list[_End] = []
    for end in ends:
        if cluster and to_micros(end.span.since) - to_micros(cluster[-1].span.since) > _NEAR:
            yield cluster
            cluster = []
        cluster.append(end)
    if cluster:
        yield cluster


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


def causes_of(connection: Connection, resource: Resource, stops: Sequence[Stop]) -> list[Cause | None]:
    """Why an object stopped, each time; in the order of the stops, which lie close together.

    None: it is no container, and nothing proves that somebody stopped it. Only a container crashes.
    """
    found = deeds(connection, resource.id, [stop.at for stop in stops])
    above = ascend(connection, {(resource.id, stop.at - 1) for stop in stops})
    answers = []
    for stop in stops:
        places = above[resource.id, stop.at - 1] | {resource.id}
        answers.append(why(stop, [each.deed for each in found if each.target in places]))
    needed = {deed.id for answer in answers for deed in answer.deeds}
    shown = _proofs(connection, [each for each in found if each.deed.id in needed])
    return [
        Cause(answer.kind, stop.exit_code, tuple([shown[deed.id] for deed in answer.deeds]))
        if resource.type == "container" or answer.deeds
        else None
        for stop, answer in zip(stops, answers, strict=True)
    ]


def deeds(connection: Connection, number: Number, moments: Sequence[Micros]) -> list[Found]:
    """The actions on an object, and on all that it was under at some instants, that ran about them; by time."""
    first, last = min(moments), max(moments)
    above = ascend(connection, {(number, at - 1) for at in moments})
    places = sorted({number}.union(*above.values()))
    rows: dict[Number, Any] = {}
    for condition, values in overlapping(Window(first - GRACE, last + TOLD_AFTER + 1)):
        for among in by_platform(places):
            asked = connection.execute(statement(_ACTIONS.format(condition)), among.values(**values))
            rows.update((among.of(row.resource_id), row) for row in asked)
    # What began long ago and was never seen to end tells nothing.
    kept = {key: row for key, row in rows.items() if row.until != OPEN or row.since > first - UNFINISHED}
    told = said(connection, kept)
    own = numbers_of(number.platform)
    found = [Found(told[key]._replace(since=row.since, until=row.until), own(row.value)) for key, row in kept.items()]
    return sorted(found, key=lambda each: (each.deed.since, each.deed.uri))


def said(connection: Connection, actions: Iterable[Number]) -> dict[Number, Deed]:
    """What is said of some actions, but when they ran."""
    found: dict[Number, Deed] = {}
    for among in by_platform(actions):
        for row in connection.execute(statement(_SAID), among.values()):
            failed, number = (row.state or "").lower() in UNDONE, among.of(row.id)
            found[number] = Deed(number, 0, OPEN, row.uri, row.name, failed)
    kills = [number for number, deed in found.items() if deed.name == "kill" and deed.is_engines]
    for among in by_platform(kills):
        for row in connection.execute(statement(_KEPT), among.values()):
            if signal := _SIGNAL.search(row.extra):
                number = among.of(row.resource_id)
                found[number] = found[number]._replace(signal=signal[1])
    return found


def _proofs(connection: Connection, found: Sequence[Found]) -> Mapping[int, Proof]:
    """Actions as an answer mentions them."""
    uris: dict[int, str] = {}
    for among in by_platform({each.target for each in found}):
        uris.update((row.id, row.uri) for row in connection.execute(statement(_URIS), among.values()))
    by = doers(connection, [each.deed.id for each in found])
    return {
        deed.id: Proof(deed.uri, deed.name, uris.get(target), by.get(deed.id), to_datetime(deed.since))
        for deed, target in found
    }

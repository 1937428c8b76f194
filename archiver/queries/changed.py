"""What changed of some resources in a stretch of time: states, names, images, tags, places, and what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from archiver.model import MICROSECOND, Cause, Number, Resource, Span, TimeRange, numbers_of, to_datetime, to_micros
from archiver.model.nearby import Became, Nearby, Replaced, Where
from archiver.platforms.facts import HEALTHCHECK
from archiver.queries.acted import said
from archiver.queries.became import became
from archiver.queries.causes import is_gone, is_stop, stays_ended
from archiver.queries.doers import doers
from archiver.queries.last_words import States, last_words
from archiver.queries.neighbours import Place, concerned
from archiver.queries.notes import as_change, notes
from archiver.queries.passing import without_passing
from archiver.queries.platforms import several
from archiver.queries.replaced import replaced
from archiver.queries.runs import begun_on
from archiver.queries.steps import Heard, Step, sure
from archiver.queries.timelines import courses
from archiver.queries.under import Descent, is_within
from archiver.queries.windows import Window
from archiver.storage.database.reading import Connection, instant
from archiver.storage.database.statements import Among, by_platform, statement
from archiver.storage.pages import Ask
from archiver.storage.words import ASKED, TARGET

CONTAINER = "container"
_OF_ITSELF = frozenset({HEALTHCHECK})
_OF_OTHERS = frozenset({HEALTHCHECK, "exec", "attach", "resize", "top", "copy", "export"})
"""Actions that change nothing for anybody else."""
_EXPLAINED = 200
"""Of so many resources the causes of their ends are looked up."""

_TABLES = (("events", "occurred_at"), ("observations", "observed_at"))
_SAID = (
    "SELECT e.resource_id, e.{at} AS at, e.id, s.text AS state, e.session_id FROM {table} e"
    " LEFT JOIN event_states s ON s.id = e.state_id"
    " WHERE e.platform_id = :platform AND e.resource_id IN :numbers AND e.{at} >= :since AND e.{at} < :until"
)
_ANY_FOUND = (
    "SELECT 1 FROM observations o"
    " WHERE o.platform_id = :platform AND o.observed_at >= :since AND o.observed_at < :until LIMIT 1"
)
_CALLED = (
    "SELECT r.id, r.uri, r.key, r.platform_id, t.text AS type, n.text AS name FROM resources r"
    " JOIN event_types t ON t.id = r.type_id"
    " LEFT JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE r.platform_id = :platform AND r.id IN :numbers"
)
# Not "= 2", as in `TARGETS`.
_TOLD_IN = (
    "SELECT f.resource_id, CASE f.how"
    f" WHEN {ASKED} THEN (SELECT o.session_id FROM observations o"
    " WHERE o.platform_id = f.platform_id AND o.id = f.told_by)"
    " ELSE (SELECT e.session_id FROM events e WHERE e.platform_id = f.platform_id AND e.id = f.told_by) END"
    " AS session_id FROM facts f WHERE f.platform_id = :platform AND f.resource_id IN :numbers"
    f" AND f.what BETWEEN {TARGET} AND {TARGET}"
)


class Stopped(NamedTuple):
    """A resource, and what it went through until just behind an end, with the cause of each end."""

    number: Number
    spans: Sequence[Span]

    def knows(self, range: TimeRange) -> bool:
        """Whether the spans begin before a range."""
        return range.since is not None and self.spans[0].since < range.since


class Changes(NamedTuple):
    """What changed, and how much of it, that is farther away in the tree, is left out."""

    found: list[Nearby]
    left_out: int


def changes_of(
    ask: Ask,
    places: Mapping[Number, Place],
    range: TimeRange,
    at: datetime,
    now: datetime,
    most: int | None = None,
    under: Descent | None = None,
    stopped: Stopped | None = None,
) -> Changes:
    """What changed of some resources within a range, which has both ends, seen from an instant; states in their order.

    No more than `most`: those that are nearest in the tree, and of these those that are nearest in time; then states
    through which what is beside or below only passed are none. `under`: only
    what changed while it was under something. `stopped`: of this resource, whose last end came at that instant, nothing
    that it told behind that end.
    """
    states, told = ask(_states, places, range)
    if stopped is not None:
        states = _upto_last_end(states, stopped.number, at)
    if most is not None:
        states = without_passing(ask, states, places)
    steps = [*states, *ask(_actions, places, Window.of(range)), *ask(became, places, told, range)]
    if under is not None:
        steps = [step for step in steps if _was_there(step, under)]
    total = len(steps)
    if most is not None and total > most:
        steps = sorted(steps, key=lambda step: (places[step.number].distance, at - step.at, step.number))[:most]
    called = {row.id: row for among in by_platform({step.number for step in steps}) for row in ask(_called, among)}
    certain = ask(sure, steps, range, now)
    steps = _explained(ask, steps, called, range, now, stopped)
    new = [step.number for step in steps if step.change == "appeared" and called[step.number].type == CONTAINER]
    instead, names = ask(replaced, new), ask(several)
    found = [
        _nearby(step, called[step.number], places[step.number], at, judged, instead)._replace(
            platform=names.get(called[step.number].platform_id)
        )
        for step, judged in zip(steps, certain, strict=True)
    ]
    return Changes(found, total - len(steps))


def changes_below(ask: Ask, root: Resource | None, range: TimeRange, at: datetime, now: datetime) -> list[Nearby]:
    """What changed below a resource (None: everywhere) while it was there, and what was noted, in no order.

    The range has both ends.
    """
    under = ask(concerned, root, range)
    below: Where = "below"
    places: dict[Number, Place] = {number: Place(below, 1) for number in under}
    if root is not None:
        places[root.id] = Place("self", 0)
    found = changes_of(ask, places, range, at, now, under=under).found
    for note in notes(ask, range):
        about = note.about
        if about is None or root is None or is_within(under.get(about, ()), to_micros(note.at)):
            found.append(as_change(note, None if about is None else places.get(about, Place(below, 1)), at))
    return found


def _was_there(step: Step, under: Descent) -> bool:
    """Whether a change came while its resource was under what is asked about; also one by which it ceased to be."""
    at, stretches = to_micros(step.at), under[step.number]
    ends = step.change in ("state", "vanished", "moved")
    return is_within(stretches, at) or (ends and is_within(stretches, at - 1))


def _called(connection: Connection, among: Among) -> list[Any]:
    return connection.execute(statement(_CALLED), among.values()).all()


def _nearby(
    step: Step, row: Any, place: Place, at: datetime, certain: bool | None, instead: Mapping[int, Replaced]
) -> Nearby:
    ago = (at - step.at).total_seconds()
    told = (step.change, row.uri, row.type, row.name, step.before, step.after, step.at)
    old = instead.get(step.number) if step.change == "appeared" else None
    return Nearby(*told, certain, step.cause, step.action, step.by, *place, ago, old)


def _states(connection: Connection, places: Mapping[Number, Place], range: TimeRange) -> tuple[list[Step], set[Number]]:
    """What became of states, and which of the resources told anything."""
    found: list[Step] = []
    told_of: set[Number] = set()
    values = {"since": range.since, "until": range.until}
    for among in by_platform(sorted(places)):
        any_found = connection.scalar(statement(_ANY_FOUND), {"platform": among.platform, **values}) is not None
        words = []
        for rank, (table, column) in enumerate(_TABLES if any_found else _TABLES[:1]):
            for row in connection.execute(statement(_SAID.format(table=table, at=column)), among.values(**values)):
                told_of.add(among.of(row.resource_id))
                if row.state is not None:
                    words.append((among.of(row.resource_id), instant(row.at), rank, row.id, row.state, row.session_id))
        last = _earlier(connection, sorted({number for number, *_ in words}), range)
        for number, at, rank, _, state, session in sorted(words, key=lambda word: word[:4]):
            was, last[number] = last.get(number), (at, state)
            if was is None or was[1].lower() != state.lower():
                change: Became = "appeared" if was is None else "vanished" if is_gone(state) else "state"
                told = Heard(session, None if was is None else was[0], found=rank == 1)
                found.append(Step(number, change, was and was[1], state, at, told))
    return found, told_of


def _earlier(connection: Connection, numbers: Iterable[Number], range: TimeRange) -> dict[Number, tuple[datetime, str]]:
    """The states that were told or found last before a range: what an engine lists may never have told of itself."""
    if range.since is None:
        return {}
    states = States(connection)
    told = last_words(connection, numbers, to_micros(range.since) - 1)
    return {number: (to_datetime(word.place[0]), states.text(word.state_id)) for number, word in told.items()}


def _upto_last_end(states: Sequence[Step], number: int, at: datetime) -> list[Step]:
    """The states without what a resource told at the instant of its last end, but later."""
    own = [place for place, step in enumerate(states) if step.number == number and step.at == at]
    end = max((place for place in own if _is_end(states[place])), default=len(states))
    behind = {place for place in own if place > end}
    return [step for place, step in enumerate(states) if place not in behind]


def _actions(connection: Connection, places: Mapping[Number, Place], window: Window) -> list[Step]:
    runs = {run.id: run for run in begun_on(connection, places, window)}
    told, by = said(connection, runs), doers(connection, runs)
    sessions = {
        row.resource_id: row.session_id
        for among in by_platform(runs)
        for row in connection.execute(statement(_TOLD_IN), among.values())
    }
    return [
        Step(
            run.target,
            "action",
            None,
            told[key].name,
            to_datetime(run.since),
            Heard(sessions.get(key), to_datetime(run.since)),
            told[key].uri,
            by.get(key),
        )
        for key, run in runs.items()
        if told[key].name not in (_OF_ITSELF if places[run.target].where == "self" else _OF_OTHERS)
    ]


def _explained(
    ask: Ask,
    steps: Sequence[Step],
    called: Mapping[int, Any],
    range: TimeRange,
    now: datetime,
    stopped: Stopped | None = None,
) -> list[Step]:
    """The steps, those that are ends with their cause; of several at one instant each with its own."""
    ends = {step.number for step in steps if called[step.number].type == CONTAINER and _is_end(step)}
    causes: dict[tuple[int, datetime], list[Cause | None]] = {}
    # What ended just as the range begins had been in another state before.
    whole = range if range.since is None else range._replace(since=range.since - MICROSECOND)
    spans: list[tuple[int, Sequence[Span]]] = [] if stopped is None or not stopped.knows(range) else [stopped]
    resources = []
    for number in sorted(ends - {number for number, _ in spans})[:_EXPLAINED]:
        row = called[number]
        resources.append(Resource(numbers_of(row.platform_id)(row.id), row.uri, row.type, row.key, row.name))
    found = courses(ask, resources, whole, now) if resources else ()
    spans += [(resource.id, course.spans) for resource, course in zip(resources, found, strict=True)]
    for key, own in spans:
        before: str | None = None
        for span in own:
            if is_stop(before, span.state):
                causes.setdefault((key, span.since), []).append(span.cause)
            before = before if stays_ended(before, span.state) else span.state
    found_of = {key: iter(each) for key, each in causes.items()}
    return [
        step._replace(cause=next(found_of[step.number, step.at], None))
        if _is_end(step) and (step.number, step.at) in found_of
        else step
        for step in steps
    ]


def _is_end(step: Step) -> bool:
    return step.change in ("state", "vanished") and is_stop(step.before, step.after)

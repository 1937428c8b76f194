"""What changed before something happened: to it, and above, below and beside it in the tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from archiver.errors import UsageError
from archiver.model import MICROSECOND, Cause, Coverage, Resource, TimeRange, rfc3339, to_datetime, to_micros
from archiver.model.nearby import Became, Before, Nearby
from archiver.platforms.docker.facts import HEALTHCHECK
from archiver.queries.causes import is_gone, is_stop
from archiver.queries.causing import said
from archiver.queries.containers import CONTAINER, last_stop
from archiver.queries.coverage import coverage, emptiness
from archiver.queries.doers import doers
from archiver.queries.history import timeline
from archiver.queries.neighbours import Place, neighbours
from archiver.queries.windows import Window, begun
from archiver.storage.pages import Ask
from archiver.storage.reading import Connection, instant
from archiver.storage.statements import chunks, statement
from archiver.storage.words import IMAGE, NAME, PARENT, TARGET

LOOK_BACK = timedelta(minutes=10)
"""So far back it is looked, where nothing else is asked for."""
_OF_ITSELF = frozenset({HEALTHCHECK})
_OF_OTHERS = frozenset({HEALTHCHECK, "exec", "attach", "resize", "top", "copy", "export"})
"""Actions that change nothing for anybody else."""
_EXPLAINED = 200
"""Of so many ends the cause is looked up."""

_TABLES = (("events", "occurred_at"), ("observations", "observed_at"))
_SAID = (
    "SELECT e.resource_id, e.{at} AS at, s.text AS state FROM {table} e JOIN event_states s ON s.id = e.state_id"
    " WHERE e.resource_id IN :numbers AND e.{at} >= :since AND e.{at} < :until"
)
_EARLIER = (
    "SELECT e.{at} AS at, s.text AS state FROM {table} e JOIN event_states s ON s.id = e.state_id"
    " WHERE e.resource_id = :number AND e.{at} < :since ORDER BY e.{at} DESC, e.id DESC LIMIT 1"
)
_CALLED = (
    "SELECT r.id, r.uri, r.key, t.text AS type, n.text AS name FROM resources r"
    " JOIN event_types t ON t.id = r.type_id LEFT JOIN present p ON p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE r.id IN :numbers"
)
_DONE = f"SELECT f.resource_id, f.value, f.since FROM facts f WHERE f.what = {TARGET} AND f.value IN :numbers AND {{}}"
_BECAME = (
    "SELECT f.resource_id, f.what, f.since, f.value FROM facts f WHERE f.resource_id IN :numbers"
    f" AND f.what IN ({PARENT}, {NAME}, {IMAGE}) AND f.since < :until AND f.until >= :since"
    " ORDER BY f.resource_id, f.what, f.since"
)
_SPEAK = (
    "SELECT DISTINCT s.stream_id FROM sessions s WHERE s.id IN (SELECT w.session_id FROM"
    " (SELECT e.session_id FROM events e WHERE e.resource_id = :number AND e.occurred_at <= :until"
    " ORDER BY e.occurred_at DESC LIMIT 100) w)"
)
_TEXTS = "SELECT n.id, n.text FROM texts n WHERE n.id IN :numbers"
_URIS = "SELECT r.id, r.uri AS text FROM resources r WHERE r.id IN :numbers"


class _Step(NamedTuple):
    """One change of one resource."""

    number: int
    change: Became
    before: Any
    after: Any
    at: datetime
    action: str | None = None
    by: str | None = None
    cause: Cause | None = None


def before(ask: Ask, resource: Resource, at: datetime | None, since: datetime | None, now: datetime) -> Before:
    """What changed up to an instant (None: the resource's last end, or else now), the nearest first.

    It is looked back to `since`, or ten minutes.
    """
    if at is None:
        stop = last_stop(ask, resource, now, now)
        at = now if stop is None else stop.since
    if since is not None and since >= at:
        raise UsageError(
            reason=f"--since ({rfc3339(since)}) is not before {rfc3339(at)}",
            hint="give an earlier --since, or say --at",
        )
    back = TimeRange(at - LOOK_BACK if since is None else since, at + MICROSECOND)
    places = ask(neighbours, resource.id, Window.of(back))
    watched = ask(_coverage, resource, TimeRange(back.since, at), now)
    found = changes_of(ask, places, back, at, watched, now)
    found.sort(key=lambda each: (each.seconds_before, each.distance, each.uri))
    empty = None if found else ask(emptiness, TimeRange(back.since, at), watched)
    return Before(resource, at, TimeRange(back.since, at), watched, tuple(found), empty)


def changes_of(
    ask: Ask, places: Mapping[int, Place], range: TimeRange, at: datetime, watched: Coverage, now: datetime
) -> list[Nearby]:
    """All that changed of some resources within a range, seen from an instant, in no order."""
    called = {row.id: row for part in chunks(places) for row in ask(_called, part)}
    steps = [*ask(_states, places, range), *ask(_actions, places, Window.of(range)), *ask(_facts, places, range)]
    steps = _explained(ask, steps, called, range, now)
    return [_nearby(step, called[step.number], places[step.number], at, watched) for step in steps]


def _called(connection: Connection, numbers: Sequence[int]) -> list[Any]:
    return connection.execute(statement(_CALLED), {"numbers": numbers}).all()


def _coverage(connection: Connection, resource: Resource, range: TimeRange, now: datetime) -> Coverage:
    """The coverage of the streams that told of it last; of all, where none is known to."""
    values = {"number": resource.id, "until": range.until}
    streams = [row.stream_id for row in connection.execute(statement(_SPEAK), values)]
    return coverage(connection, range, now, sorted(streams) or None)


def _nearby(step: _Step, row: Any, place: Place, at: datetime, watched: Coverage) -> Nearby:
    imported = any(gap.stream is None for gap in watched.gaps)
    hidden = any(
        (gap.since is None or gap.since <= step.at) and (gap.until is None or gap.until > step.at)
        for gap in watched.gaps
    )
    ago = (at - step.at).total_seconds()
    told = (step.change, row.uri, row.type, row.name, step.before, step.after, step.at)
    return Nearby(*told, None if imported else not hidden, step.cause, step.action, step.by, *place, ago)


# --- what changed ---------------------------------------------------------------------------------------------------


def _states(connection: Connection, places: Mapping[int, Place], range: TimeRange) -> list[_Step]:
    found: list[_Step] = []
    values = {"since": range.since, "until": range.until}
    for part in chunks(sorted(places)):
        words = [
            (row.resource_id, instant(row.at), rank, row.state)
            for rank, (table, at) in enumerate(_TABLES)
            for row in connection.execute(statement(_SAID.format(table=table, at=at)), {"numbers": part, **values})
        ]
        heard = sorted({number for number, *_ in words})
        last = {number: _earlier(connection, number, range) for number in heard}
        for number, at, _, state in sorted(words, key=lambda word: word[:3]):
            was, last[number] = last.get(number), state
            if was is None or was.lower() != state.lower():
                change: Became = "appeared" if was is None else "vanished" if is_gone(state) else "state"
                found.append(_Step(number, change, was, state, at))
    return found


def _earlier(connection: Connection, number: int, range: TimeRange) -> str | None:
    """The state that was told or found last before a range: what an engine lists may never have told of itself."""
    words = [
        (instant(row.at), rank, row.state)
        for rank, (table, at) in enumerate(_TABLES)
        for row in connection.execute(
            statement(_EARLIER.format(table=table, at=at)), {"number": number, "since": range.since}
        )
    ]
    return max(words)[2] if words else None


def _actions(connection: Connection, places: Mapping[int, Place], window: Window) -> list[_Step]:
    rows: dict[int, Any] = {}
    for condition, values in begun(window):
        for part in chunks(sorted(places)):
            asked = connection.execute(statement(_DONE.format(condition)), {"numbers": part, **values})
            rows.update((row.resource_id, row) for row in asked)
    told, by = said(connection, rows), doers(connection, rows)
    return [
        _Step(row.value, "action", None, told[key].name, to_datetime(row.since), told[key].uri, by.get(key))
        for key, row in rows.items()
        if told[key].name not in (_OF_ITSELF if places[row.value].where == "self" else _OF_OTHERS)
    ]


def _facts(connection: Connection, places: Mapping[int, Place], range: TimeRange) -> list[_Step]:
    """Names and images that became others, and what moved."""
    assert range.since is not None
    since = to_micros(range.since)
    held: dict[tuple[int, int], dict[int, list[int]]] = {}
    for part in chunks(sorted(places)):
        for row in connection.execute(statement(_BECAME), {"numbers": part, **Window.of(range)._asdict()}):
            held.setdefault((row.resource_id, row.what), {}).setdefault(row.since, []).append(row.value)
    texts = _words(connection, held)
    found: list[_Step] = []
    for (number, what), stretches in held.items():
        starts = sorted(stretches)
        for earlier, later in pairwise(starts):
            if later < since:
                continue
            was, is_ = ([texts[what == PARENT, value] for value in stretches[at]] for at in (earlier, later))
            change: Became = "moved" if what == PARENT else "image" if what == IMAGE else "name"
            before, after = (tuple(was), tuple(is_)) if what == PARENT else (was[0], is_[0])
            found.append(_Step(number, change, before, after, to_datetime(later)))
    return found


def _words(connection: Connection, held: Mapping[tuple[int, int], Mapping[int, Sequence[int]]]) -> dict[Any, str]:
    """The texts of values: names and images, and URIs of what is above."""
    found: dict[Any, str] = {}
    for is_parent, query in ((False, _TEXTS), (True, _URIS)):
        values = {
            value
            for (_, what), stretches in held.items()
            if (what == PARENT) == is_parent
            for each in stretches.values()
            for value in each
        }
        for part in chunks(sorted(values)):
            found.update(
                ((is_parent, row.id), row.text) for row in connection.execute(statement(query), {"numbers": part})
            )
    return found


def _explained(
    ask: Ask, steps: Sequence[_Step], called: Mapping[int, Any], range: TimeRange, now: datetime
) -> list[_Step]:
    """The steps, those that are ends with their cause."""
    ends = {
        step.number
        for step in steps
        if called[step.number].type == CONTAINER and step.change in ("state", "vanished")
        if is_stop(step.before, step.after)
    }
    causes: dict[tuple[int, datetime], Cause | None] = {}
    # What ended just as the range begins had been in another state before.
    whole = range if range.since is None else range._replace(since=range.since - MICROSECOND)
    for number in sorted(ends)[:_EXPLAINED]:
        row = called[number]
        found = timeline(ask, Resource(row.id, row.uri, row.type, row.key, row.name), whole, now)
        causes.update(((number, span.since), span.cause) for span in found.spans)
    return [
        step._replace(cause=causes.get((step.number, step.at))) if step.change in ("state", "vanished") else step
        for step in steps
    ]

"""The actions that ran on some resources and on everything that was under them when each began."""

from __future__ import annotations

import builtins
import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, func, select

from archiver.model import Action, Micros, Resource, TimeRange
from archiver.platforms.tutum.facts import UNSETTLED
from archiver.queries.healthchecks import healthcheck_name
from archiver.queries.numbers import last_number
from archiver.queries.runs import Run, batches, selected
from archiver.queries.under import Descent, descend
from archiver.queries.windows import Window
from archiver.storage.pages import BLOCK, Ask
from archiver.storage.schema import event_states, events, present, resources, texts

_PAGE = 500
"""Actions that are read at once."""


def actions(
    ask: Ask, roots: Sequence[Resource], range: TimeRange, *, healthchecks: bool = True, block: int = BLOCK
) -> Iterator[Action]:
    """Every action under some resources (and the resource, when it is one), each once, oldest first.

    Of a range are those that began before it ended and had not ended before it began. A state that the platform has not
    settled leaves `finished_at` open. What is archived while they are read does not count. They are found `block` at a
    time.
    """
    end, last_resource = ask(last_number, events), ask(last_number, resources)
    window, own = Window.of(range), [root.id for root in roots]
    below = ask(descend, own, window)
    place: Begun | None = None
    while found := ask(_block, own, below, window, healthchecks, place, last_resource, block):
        for begin in builtins.range(0, len(found), _PAGE):
            yield from ask(_whole, found[begin : begin + _PAGE], end)
        if len(found) < block:
            return
        place = found[-1]


def healthcheck_actions(connection: Connection, roots: Sequence[Resource], range: TimeRange) -> int:
    """How many of the actions under some resources are health checks."""
    name = healthcheck_name(connection)
    if name is None or not roots:
        return 0
    own, window = [root.id for root in roots], Window.of(range)
    found = selected(connection, own, descend(connection, own, window), window)
    return sum(len(_called(connection, name, batch)) for batch in batches(found))


def _block(
    connection: Connection,
    roots: Sequence[int],
    below: Descent,
    window: Window,
    healthchecks: bool,
    place: Begun | None,
    last_resource: int,
    size: int,
) -> list[Begun]:
    """The next behind a place (None: the first), of those that were known when the answer began."""
    name = None if healthchecks else healthcheck_name(connection)
    known = (run for run in selected(connection, roots, below, window) if run.id <= last_resource)
    found = _placed(connection, known if place is None else (run for run in known if run.since >= place.at), name)
    return heapq.nsmallest(size, found if place is None else (each for each in found if each > place))


class Begun(NamedTuple):
    """An action in the order of listings."""

    at: Micros
    uri: str
    id: int
    target: int
    """0: it names no object."""


def _placed(connection: Connection, runs: Iterable[Run], name: int | None) -> Iterator[Begun]:
    """Actions with their URIs, but those of a name."""
    for batch in batches(runs):
        refused = set() if name is None else _called(connection, name, batch)
        query = select(resources.c.id, resources.c.uri).where(resources.c.id.in_([run.id for run in batch]))
        uris: dict[int, str] = {row.id: row.uri for row in connection.execute(query)}
        yield from (Begun(run.since, uris[run.id], run.id, run.target) for run in batch if run.id not in refused)


def _called(connection: Connection, name: int, runs: Sequence[Run]) -> set[int]:
    """The numbers of those actions that have a name."""
    c = present.c
    query = select(c.resource_id).where(c.resource_id.in_([run.id for run in runs]), c.name_id == name)
    return set(connection.scalars(query))


# --- what is said of them -------------------------------------------------------------------------------------------


def _whole(connection: Connection, found: Sequence[Begun], end: int) -> list[Action]:
    """The actions, in this order, as the events up to number `end` tell."""
    counted = select(func.count()).where(events.c.resource_id == resources.c.id, _upto(end)).scalar_subquery()
    query = (
        select(
            resources.c.id,
            resources.c.uri,
            texts.c.text.label("name"),
            _started(end).label("started_at"),
            _last(events.c.state_id, end).label("state_id"),
            _last(events.c.occurred_at, end).label("state_at"),
            counted.label("events"),
        )
        .select_from(resources)
        .outerjoin(present, present.c.resource_id == resources.c.id)
        .outerjoin(texts, texts.c.id == present.c.name_id)
    )
    listed = query.where(resources.c.id.in_([each.id for each in found])).subquery("whole")
    rows = connection.execute(
        select(listed, event_states.c.text.label("state")).outerjoin_from(
            listed, event_states, event_states.c.id == listed.c.state_id
        )
    )
    targets = select(resources.c.id, resources.c.uri).where(resources.c.id.in_({each.target for each in found}))
    uris: dict[int, str] = {row.id: row.uri for row in connection.execute(targets)}
    told = {row.id: row for row in rows}
    return [_action(told[each.id], uris.get(each.target)) for each in found]


def _action(row: Row[Any], target: str | None) -> Action:
    is_open = row.state is None or row.state.lower() in UNSETTLED
    finished_at = None if is_open else row.state_at
    return Action(row.uri, target, row.state, row.started_at, finished_at, row.events, row.name)


def _upto(end: int) -> ColumnElement[bool]:
    # No bound of a number may draw the planner away from the index by resource and time.
    return events.c.id + 0 <= end


def _started(end: int) -> ScalarSelect[Any]:
    own = events.c.resource_id == resources.c.id
    return select(func.min(events.c.occurred_at)).where(own, _upto(end)).scalar_subquery()


def _last(column: Any, end: int) -> ScalarSelect[Any]:
    return (
        select(column)
        .where(events.c.resource_id == resources.c.id, events.c.state_id.is_not(None), _upto(end))
        .order_by(events.c.occurred_at.desc(), events.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )

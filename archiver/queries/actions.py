"""The actions that ran at all, or on some resources and on everything that was under them when each began."""

from __future__ import annotations

import builtins
import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from archiver.model import Action, Micros, Number, Resource, TimeRange, to_datetime
from archiver.platforms.facts import HEALTHCHECK, UNSETTLED
from archiver.queries.doers import ENGINE, doers
from archiver.queries.healthchecks import healthcheck_name
from archiver.queries.names import names_at
from archiver.queries.numbers import last_number
from archiver.queries.runs import Run, all_of, batches, selected, worth_knowing
from archiver.queries.telling import told_by
from archiver.queries.under import Descent
from archiver.queries.windows import Window
from archiver.storage.database.reading import Connection, Row, instant_or_none
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.pages import BLOCK, Ask

_PAGE = 500
"""Actions that are read at once."""
_URIS = "SELECT r.id, r.uri FROM resources r WHERE r.platform_id = :platform AND r.id IN :numbers"
_TELLING = "SELECT DISTINCT e.resource_id FROM events e WHERE e.platform_id = :platform AND e.resource_id IN :numbers"
_CALLED = (
    "SELECT p.resource_id FROM present p"
    " WHERE p.platform_id = :platform AND p.resource_id IN :numbers AND p.name_id = :name"
)


def actions(
    ask: Ask,
    roots: Sequence[Resource] | None,
    range: TimeRange,
    *,
    healthchecks: bool = True,
    block: int = BLOCK,
    below: Descent | None = None,
    stream: int | None = None,
) -> Iterator[Action]:
    """Every action under some resources (and the resource, when it is one; None: of all), each once, oldest first.

    Of a range are those that began before it ended and had not ended before it began. A state that the platform has not
    settled leaves `finished_at` open. What is archived while they are read does not count. They are found `block` at a
    time; what was `below` the roots need not be looked up where it is known. `stream`: only those of which it told.
    """
    end, last_resource = ask(last_number, "events"), ask(last_number, "resources")
    last_found = ask(last_number, "observations")
    window, own = Window.of(range), None if roots is None else [root.id for root in roots]
    below = ask(worth_knowing, own, window) if below is None and own is not None else below
    place: Begun | None = None
    while found := ask(_block, own, below, window, healthchecks, stream, place, last_resource, block):
        for begin in builtins.range(0, len(found), _PAGE):
            yield from ask(_whole, found[begin : begin + _PAGE], end, last_found)
        if len(found) < block:
            return
        place = found[-1]


def healthcheck_actions(connection: Connection, roots: Sequence[Resource] | None, range: TimeRange) -> int:
    """How many of the actions under some resources (None: of all) are health checks."""
    name = healthcheck_name(connection)
    if name is None or (roots is not None and not roots):
        return 0
    own, window = None if roots is None else [root.id for root in roots], Window.of(range)
    found = _ran(connection, own, None if own is None else worth_knowing(connection, own, window), window)
    return sum(len(_called(connection, name, batch)) for batch in batches(found))


def _ran(
    connection: Connection, roots: Sequence[Number] | None, below: Descent | None, window: Window
) -> Iterator[Run]:
    return all_of(connection, window) if roots is None else selected(connection, roots, below, window)


def _block(
    connection: Connection,
    roots: Sequence[Number] | None,
    below: Descent | None,
    window: Window,
    healthchecks: bool,
    stream: int | None,
    place: Begun | None,
    last_resource: int,
    size: int,
) -> list[Begun]:
    """The next behind a place (None: the first), of those that were known when the answer began."""
    name = None if healthchecks else healthcheck_name(connection)
    known = (run for run in _ran(connection, roots, below, window) if run.id <= last_resource)
    behind = known if place is None else (run for run in known if run.since >= place.at)
    found = _placed(connection, behind, name, stream)
    return heapq.nsmallest(size, found if place is None else (each for each in found if each > place))


class Begun(NamedTuple):
    """An action in the order of listings."""

    at: Micros
    uri: str
    id: Number
    target: Number
    """0: it names no object."""


def _placed(connection: Connection, runs: Iterable[Run], name: int | None, stream: int | None) -> Iterator[Begun]:
    """Actions with their URIs, but those of a name, and those that a stream (None: any) did not tell of."""
    for found in batches(runs):
        batch = found if stream is None else _told(connection, stream, found)
        refused = set() if name is None else _called(connection, name, batch)
        uris = _uris(connection, [run.id for run in batch])
        yield from (Begun(run.since, uris[run.id], run.id, run.target) for run in batch if run.id not in refused)


def _told(connection: Connection, stream: int, runs: Sequence[Run]) -> list[Run]:
    """Those actions of which a stream told."""
    asked = statement(f"{_TELLING} AND {told_by(stream)}")
    told: set[int] = set()
    for among in by_platform(run.id for run in runs):
        told.update(connection.scalars(asked, among.values()))
    return [run for run in runs if run.id in told]


def _called(connection: Connection, name: int, runs: Sequence[Run]) -> set[int]:
    """The numbers of those actions that have a name."""
    found: set[int] = set()
    for among in by_platform(run.id for run in runs):
        found.update(connection.scalars(statement(_CALLED), among.values(name=name)))
    return found


def _uris(connection: Connection, numbers: Iterable[Number]) -> dict[int, str]:
    found: dict[int, str] = {}
    for among in by_platform(numbers):
        found.update(connection.execute(statement(_URIS), among.values()))
    return found


# --- what is said of them -------------------------------------------------------------------------------------------


# No bound of a number may draw the planner away from the index by resource and time.
_OWN = "FROM events e WHERE e.platform_id = r.platform_id AND e.resource_id = r.id AND e.id + 0 <= :end"
_LAST = f"{_OWN} AND e.state_id IS NOT NULL ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1"
_FOUND = (
    "FROM observations o WHERE o.platform_id = r.platform_id AND o.resource_id = r.id AND o.id + 0 <= :found"
    " AND o.state_id IS NOT NULL"
    " ORDER BY o.observed_at DESC, o.id DESC LIMIT 1"
)
_WHOLE = (
    "SELECT w.id, w.uri, w.name, w.state_at, w.found_at, w.events, s.text AS state, f.text AS found FROM ("
    "SELECT r.id, r.uri, n.text AS name,"
    f" (SELECT e.state_id {_LAST}) AS state_id, (SELECT e.occurred_at {_LAST}) AS state_at,"
    f" (SELECT o.state_id {_FOUND}) AS found_id, (SELECT o.observed_at {_FOUND}) AS found_at,"
    f" (SELECT count(*) {_OWN}) AS events"
    " FROM resources r LEFT JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE r.platform_id = :platform AND r.id IN :numbers) w"
    " LEFT JOIN event_states s ON s.id = w.state_id LEFT JOIN event_states f ON f.id = w.found_id"
)


def _whole(connection: Connection, found: Sequence[Begun], end: int, last_found: int) -> list[Action]:
    """The actions, in this order, as the events up to number `end`, and the observations, tell."""
    bounds = {"end": end, "found": last_found}
    told = {
        among.of(row.id): row
        for among in by_platform(each.id for each in found)
        for row in connection.execute(statement(_WHOLE), among.values(**bounds))
    }
    uris = _uris(connection, {each.target for each in found})
    names = names_at(connection, {(each.target, each.at) for each in found if each.target})
    by = doers(connection, list(told))
    return [
        _action(told[each.id], each.at, uris.get(each.target))._replace(
            target_name=names.get((each.target, each.at)), by=by.get(each.id, _by_itself(told[each.id].name))
        )
        for each in found
    ]


def _by_itself(name: str | None) -> str | None:
    """Who does what nobody asked for: an engine probes by itself."""
    return ENGINE if name == HEALTHCHECK else None


def _action(row: Row, began: Micros, target: str | None) -> Action:
    state, at = row.state, row.state_at
    if row.found is not None and (at is None or row.found_at >= at):  # of one instant what was found counts
        state, at = row.found, row.found_at
    is_open = state is None or state.lower() in UNSETTLED
    finished_at = None if is_open else instant_or_none(at)
    return Action(row.uri, target, state, to_datetime(began), finished_at, row.events, row.name)

"""Which actions ran about some ends, on what ended and on what it was under, and what is said of them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from archiver.model import Micros, Number, Proof, to_datetime
from archiver.platforms.facts import CARRYING, SIGNAL, UNDONE
from archiver.queries.causes import Deed
from archiver.queries.doers import doers
from archiver.queries.reach import reach
from archiver.queries.runs import RUN_ON_SOME, where_any_ran
from archiver.queries.windows import Part, Window, overlapping
from archiver.storage.causes import GRACE, TOLD_AFTER, UNFINISHED
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.words import OPEN, TARGET

_MOST = 8
"""So many actions for each end may be read: more than that, and what was done between the ends is most of them."""
_SIGNAL = re.compile(re.escape(SIGNAL) + r'([^"]+)"')
_ACTIONS = (
    "SELECT f.resource_id, f.value, f.since, f.until FROM facts f"
    f" WHERE f.platform_id = :platform AND f.what = {TARGET} AND f.value IN :numbers AND {{}}"
)
_STILL = f"f.node = {OPEN} AND f.since > :oldest AND f.since <= :last"
_RUN_STILL = _ACTIONS.replace(f"f.what = {TARGET}", RUN_ON_SOME).format(_STILL)
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
_TYPES = (
    "SELECT r.id, t.text AS type FROM resources r JOIN event_types t ON t.id = r.type_id"
    " WHERE r.platform_id = :platform AND r.id IN :numbers"
)
_URIS = "SELECT r.id, r.uri FROM resources r WHERE r.platform_id = :platform AND r.id IN :numbers"


class Acted(NamedTuple):
    """That an action ran, and what it applies to."""

    since: Micros
    until: Micros
    id: Number
    target: Number

    @property
    def ended(self) -> Micros:
        """Until when it counts as running."""
        return self.since + UNFINISHED if self.until == OPEN else self.until


class Runs:
    """Actions that ran on some resources: those about an instant are found without a look at each."""

    def __init__(self, runs: Iterable[Acted]) -> None:
        self._on: dict[Number, list[Acted]] = {}
        for run in sorted(runs):
            self._on.setdefault(run.target, []).append(run)
        self._longest = {target: max(run.ended - run.since for run in own) for target, own in self._on.items()}

    def about(self, at: Micros, targets: Iterable[Number]) -> list[Acted]:
        """Those on some of the resources that may have to do with an end at an instant."""
        found: list[Acted] = []
        for target in targets:
            own = self._on.get(target, ())
            low, high = at - GRACE - self._longest.get(target, 0), at + TOLD_AFTER
            first = bisect_left(own, low, key=_since)
            last = bisect_right(own, high, lo=first, key=_since)
            found += [run for run in own[first:last] if run.ended >= at - GRACE]
        return found


def _since(run: Acted) -> Micros:
    return run.since


def ran(connection: Connection, ends: Collection[Micros], places: Collection[Number]) -> Runs | None:
    """The actions on some resources from the first of some ends to the last.

    None: there are so many that most of them have nothing to do with any; of one end all are read.
    """
    first, last = min(ends) - GRACE, max(ends) + TOLD_AFTER
    most = None if len(ends) == 1 else _MOST * len(ends)
    limit = "" if most is None else f" LIMIT {most + 1}"
    known = reach(connection)
    # What began long ago and was never seen to end tells nothing.
    still = {"oldest": first - UNFINISHED, "last": last}
    found: dict[Number, Acted] = {}
    for among in by_platform(sorted(places)):
        ended = where_any_ran(connection, among, map(_ended, overlapping(Window(first, last + 1), known)))
        asked = [(_ACTIONS.format(condition), values) for condition, values in ended]
        for query, values in (*asked, (_RUN_STILL, still)):
            rows = connection.execute(statement(query + limit), among.values(**values)).all()
            if most is not None and len(rows) > most:
                return None
            for row in rows:
                number = among.of(row.resource_id)
                found[number] = Acted(row.since, row.until, number, among.of(row.value))
    return Runs(found.values())


def _ended(part: Part) -> Part:
    """A part of a condition without what runs still."""
    if "nodes" not in part.values:
        return part
    return part._replace(values={**part.values, "nodes": [node for node in part.values["nodes"] if node != OPEN]})


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


def carriers(connection: Connection, targets: Iterable[Number]) -> set[int]:
    """Those of some targets of actions that others only run on."""
    return {
        row.id
        for among in by_platform(set(targets))
        for row in connection.execute(statement(_TYPES), among.values())
        if row.type in CARRYING
    }


def proofs(connection: Connection, found: Mapping[Deed, Number]) -> Mapping[int, Proof]:
    """Actions, each with what it applies to, as an answer mentions them."""
    uris: dict[int, str] = {}
    for among in by_platform(set(found.values())):
        uris.update((row.id, row.uri) for row in connection.execute(statement(_URIS), among.values()))
    by = doers(connection, [deed.id for deed in found])
    return {
        deed.id: Proof(deed.uri, deed.name, uris.get(target), by.get(deed.id), to_datetime(deed.since))
        for deed, target in found.items()
    }

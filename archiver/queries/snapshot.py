"""What lived at an instant, under a resource or on the whole platform, and what was under what then."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from archiver.model import Micros
from archiver.queries.standing import Stood, stood
from archiver.queries.under import heads
from archiver.queries.windows import holding
from archiver.storage.reading import Connection
from archiver.storage.statements import chunks, statement
from archiver.storage.words import PARENT

PLATFORM = 0
"""The number of what everything is under; no resource has it."""


class Snapshot(NamedTuple):
    """What lived, and where."""

    stood: Mapping[int, Stood]
    parents: Mapping[int, set[int]]
    """Each with those of its parents that lived as well, and are the root or under it."""


def of_resource(connection: Connection, root: int, at: Micros, now: datetime) -> Snapshot:
    """A resource and what lived under it, below what lived; nothing at all when it did not live itself."""
    known = stood(connection, [root], at, now)
    living = _living(known)
    parents: dict[int, set[int]] = {number: set() for number in living}
    frontier: Iterable[int] = list(living)
    while frontier:
        edges = _children(connection, frontier, at)
        met = {child for _, child in edges} - known.keys()
        found = stood(connection, met, at, now)
        known |= found
        living |= _living(found)
        for parent, child in edges:
            if child in living and child != root:
                parents.setdefault(child, set()).add(parent)
        frontier = list(heads(connection, sorted(met & living.keys())))
    return Snapshot(living, parents)


def of_platform(connection: Connection, at: Micros, now: datetime) -> Snapshot:
    """All that lived, but for actions; what was under nothing that lived is under the platform itself."""
    living = _living(stood(connection, _candidates(connection, at), at, now))
    parents: dict[int, set[int]] = {PLATFORM: set(), **{number: set() for number in living}}
    for child, above in edges(connection, living, at).items():
        parents[child].update(above & living.keys())
    _reach(parents, sorted(living, key=lambda number: living[number].uri))
    return Snapshot(living, parents)


def edges(connection: Connection, numbers: Iterable[int], at: Micros) -> dict[int, set[int]]:
    """What some resources were directly under at an instant."""
    found: dict[int, set[int]] = {}
    for part in chunks(numbers):
        for child, parent in connection.execute(statement(_PARENTS), {"numbers": part, "at": at}):
            found.setdefault(child, set()).add(parent)
    return found


_PARENTS = (
    "SELECT f.resource_id, f.value FROM facts f"
    f" WHERE f.resource_id IN :numbers AND f.what = {PARENT} AND f.since <= :at AND f.until > :at"
)
_CHILDREN = f"SELECT f.value, f.resource_id FROM facts f WHERE f.what = {PARENT} AND f.value IN :numbers AND {{}}"
_TYPES = "SELECT t.id FROM event_types t WHERE t.text <> 'action'"
_LIVE_STILL = (
    "SELECT p.resource_id FROM present p WHERE p.gone_at IS NULL AND p.type_id IN :numbers AND +p.first_at <= :at"
)
_ENDED_SINCE = (
    "SELECT p.resource_id FROM present p WHERE p.gone_at > :at AND +p.type_id IN :numbers AND +p.first_at <= :at"
)


def _living(found: Mapping[int, Stood]) -> dict[int, Stood]:
    return {number: each for number, each in found.items() if each.gone_at is None}


def _children(connection: Connection, numbers: Iterable[int], at: Micros) -> set[tuple[int, int]]:
    """Pairs of a parent and what was directly under it."""
    found: set[tuple[int, int]] = set()
    for part in chunks(numbers):
        for condition, values in holding(at):
            rows = connection.execute(statement(_CHILDREN.format(condition)), {"numbers": part, **values})
            found.update((parent, child) for parent, child in rows)
    return found


def _candidates(connection: Connection, at: Micros) -> Collection[int]:
    """What may have lived at an instant: it lives still, or has ended since; who came back may have been gone then."""
    asked = {"numbers": connection.scalars(_TYPES), "at": at}
    if not asked["numbers"]:
        return ()
    return [number for text in (_LIVE_STILL, _ENDED_SINCE) for number in connection.scalars(statement(text), asked)]


def _reach(parents: dict[int, set[int]], numbers: Iterable[int]) -> None:
    """Puts under the platform what is under nothing, and of what is in a circle the first."""
    below: dict[int, list[int]] = {}
    for child, above in parents.items():
        for parent in above:
            below.setdefault(parent, []).append(child)
    reached = {PLATFORM}
    ordered = list(numbers)
    for number in [*(each for each in ordered if not parents[each]), *ordered]:
        if number in reached:
            continue
        parents[number].add(PLATFORM)
        waiting = deque([number])
        while waiting:
            found = waiting.popleft()
            if found not in reached:
                reached.add(found)
                waiting.extend(below.get(found, ()))

"""Keeps `resource_parents` closed: whatever is under something at any distance has a row, written once when new.

So a question about a subtree costs as much as the subtree, on both databases, without recursion.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, text, update

from archiver.model import ResourceRef
from archiver.platforms.tutum.facts import BELONGS_TO, SPECIFIC
from archiver.storage import schema
from archiver.storage.bulk import Row, chunks, insert_rows
from archiver.storage.limits import CacheLimits

_table = schema.resource_parents
_PASS_DOWN = text(
    "INSERT INTO resource_parents (child_id, parent_id, first_event_id, derived)"
    " SELECT child_id, CAST(:parent AS BIGINT), CAST(:event AS BIGINT), 1 FROM resource_parents"
    " WHERE parent_id = :child AND child_id <> :parent ON CONFLICT DO NOTHING"
)
_SAY_NAMED = (
    update(_table)
    .where(_table.c.child_id == bindparam("low"), _table.c.parent_id == bindparam("high"))
    .values(derived=0)
)


class Edges(NamedTuple):
    """What one event (or answer of the platform) says about a resource's place."""

    child: int
    parents: tuple[int, ...]
    refs: tuple[ResourceRef, ...]
    """The parents again, as (type, key)."""
    event_id: int | None


def target(refs: Iterable[ResourceRef]) -> ResourceRef | None:
    """The object that an action with these parents applies to."""
    return min(refs, key=lambda ref: SPECIFIC.get(ref.type, 3), default=None)


class Relations:
    """The known ancestors of resources, within a bound."""

    def __init__(self, limits: CacheLimits) -> None:
        self._limits = limits
        self._ancestors: dict[int, set[int]] = {}
        self._derived: set[tuple[int, int]] = set()

    def forget(self) -> None:
        """Empties the cache."""
        self._ancestors.clear()
        self._derived.clear()

    def learn(self, connection: Connection, told: list[Edges], fresh: set[int]) -> None:
        """Writes the pairs that are new, and all that follows from them; `fresh` are resources made just now."""
        if not told:
            return
        self._load(connection, {number for edges in told for number in (edges.child, *edges.parents)}, fresh)
        closure = ClosureUpdate(connection, self._ancestors, self._derived, fresh)
        for edges in told:
            # Parents first: what they belong to must be known before the child inherits it.
            parents = edges.parents
            for low, high in _implied(tuple([ref.type for ref in edges.refs])):
                if parents[high] not in self._ancestors[parents[low]] and parents[high] != parents[low]:
                    closure.put_under(parents[low], {parents[high]}, edges.event_id, derived=1)
            closure.put_under(edges.child, set(edges.parents) - {edges.child}, edges.event_id, derived=0)
        closure.flush()

    def _load(self, connection: Connection, numbers: set[int], fresh: set[int]) -> None:
        pairs = sum(map(len, self._ancestors.values()))
        if len(self._ancestors) + len(numbers) > self._limits.placed or pairs > self._limits.pairs:
            self.forget()
        missing = [number for number in numbers if number not in self._ancestors]
        self._ancestors.update((number, set()) for number in missing)
        for part in chunks(number for number in missing if number not in fresh):
            columns = (_table.c.child_id, _table.c.parent_id, _table.c.derived)
            for child, parent, derived in connection.execute(select(*columns).where(_table.c.child_id.in_(part))):
                self._ancestors[child].add(parent)
                if derived:
                    self._derived.add((child, parent))


class ClosureUpdate:
    """The pairs to write in one transaction."""

    def __init__(
        self,
        connection: Connection,
        ancestors: dict[int, set[int]],
        derived: set[tuple[int, int]],
        fresh: set[int],
    ) -> None:
        self._connection = connection
        self._ancestors = ancestors
        self._derived = derived
        self._fresh = fresh
        self._rows: dict[tuple[int, int], Row] = {}
        self._named: list[dict[str, int]] = []
        self._above_something: set[int] = set()

    def put_under(self, child: int, named: set[int], event_id: int | None, *, derived: int) -> None:
        """Puts `child` under the named and all that is above them; whatever is under `child` follows."""
        known = self._ancestors[child]
        if derived and named <= known:
            return
        above = named.union(*[self._ancestors[parent] for parent in named])
        new = above - known - {child}
        for parent in sorted(new):
            follows = derived if parent in named else 1
            self._rows[child, parent] = (child, parent, event_id, follows)
            if follows:
                self._derived.add((child, parent))
        if not derived:
            self._mark_named(child, named - new)
        if new:
            known |= new
            if self._has_something_below(child):
                self._pass_down(child, new, event_id)
            self._above_something |= new

    def flush(self) -> None:
        """Writes what is not yet written."""
        insert_rows(self._connection, _table, list(self._rows.values()))
        self._rows.clear()
        if self._named:
            self._connection.execute(_SAY_NAMED, self._named)
            self._named.clear()

    def _mark_named(self, child: int, named: set[int]) -> None:
        """What so far only followed is now said by the platform itself."""
        told = [parent for parent in named if (child, parent) in self._derived]
        if not told:
            return
        self._derived.difference_update((child, parent) for parent in told)
        for parent in told:
            row = self._rows.get((child, parent))
            if row is None:
                self._named.append({"low": child, "high": parent})
            else:
                self._rows[child, parent] = (*row[:3], 0)

    def _has_something_below(self, child: int) -> bool:
        if child in self._above_something:
            return True
        if child in self._fresh:
            return False
        below = select(_table.c.child_id).where(_table.c.parent_id == child).limit(1)
        return self._connection.scalar(below) is not None

    def _pass_down(self, child: int, new: set[int], event_id: int | None) -> None:
        """Gives new ancestors to everything below; in SQL, since that can be more than fits into memory."""
        self.flush()
        for parent in sorted(new):
            values = {"parent": parent, "child": child, "event": event_id}
            self._connection.execute(_PASS_DOWN, values)
        for low, ancestors in self._ancestors.items():
            if child in ancestors:
                follows = new - ancestors - {low}
                self._derived.update((low, parent) for parent in follows)
                ancestors |= follows


@lru_cache(maxsize=1024)
def _implied(types: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Of an event's parents, given by their types: the places of the pairs where one belongs to the other for certain.

    Certain it is when there is one object of each of the two types.
    """
    return tuple(
        (types.index(low), types.index(high))
        for low in ("service", "node", "container")
        if types.count(low) == 1
        for high in BELONGS_TO[low]
        if types.count(high) == 1
    )

"""Finds the row numbers behind texts and resources, and makes rows for those that are new.

Every method works inside the recorder's transaction, which holds the archive's write lock: so a number not found is
free to be given. The caches are emptied (`forget`) after a rollback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, bindparam, func, select, update

from archiver.codec import uris
from archiver.codec.text import dump
from archiver.model import ResourceRef
from archiver.storage import schema
from archiver.storage.bulk import Row, chunks, insert_rows
from archiver.storage.limits import CacheLimits
from archiver.storage.relations import Edges, Relations, target

LinkKey = tuple[str, str | None, tuple[str, ...], str | None]
"""What of an event tells which resource it is about and what that is under: type, URI, parents, name.

A bare tuple, since one is made for every event that comes in.
"""


class Link(NamedTuple):
    """The row numbers behind a `LinkKey`."""

    resource_id: int | None
    parent_ids: tuple[int, ...]
    spelling: str | None
    """JSON of the event's URIs (`resource_uri`, `parents`) where they are spelled otherwise than in `resources`."""


class Words:
    """One open vocabulary: text to number."""

    def __init__(self, table: Table, most: int) -> None:
        self._table = table
        self._most = most
        self.ids: dict[str | None, int | None] = {None: None}

    def learn(self, connection: Connection, texts: set[str | None]) -> None:
        """Makes sure that `ids` has every one of the texts."""
        missing = texts - self.ids.keys()
        if not missing:
            return
        if len(self.ids) > self._most:
            self.forget()
            missing = texts - {None}
        for part in chunks(missing):
            found = connection.execute(select(self._table.c.text, self._table.c.id).where(self._table.c.text.in_(part)))
            self.ids.update((text, number) for text, number in found)
        new = [text for text in missing if text not in self.ids]
        first = next_id(connection, self._table)
        rows = [(first + n, text) for n, text in enumerate(new)]
        insert_rows(connection, self._table, rows)
        self.ids.update((text, number) for number, text in rows)

    def numbers(self, connection: Connection, texts: Sequence[str | None]) -> list[int | None]:
        """The number of every text, in the order of the texts."""
        self.learn(connection, set(texts))
        return list(map(self.ids.__getitem__, texts))

    def forget(self) -> None:
        """Empties the cache."""
        self.ids = {None: None}


class Lookups:
    """Numbers of types, actions, states and resources, remembered across batches within fixed bounds."""

    def __init__(self, limits: CacheLimits) -> None:
        self._limits = limits
        self.types = Words(schema.event_types, limits.words)
        self.actions = Words(schema.event_actions, limits.words)
        self.states = Words(schema.event_states, limits.words)
        # Two generations: what is used moves to the young one, what is not used ages and goes.
        self.links: dict[LinkKey, Link] = {}
        self._old_links: dict[LinkKey, Link] = {}
        self._weight = 0
        self._resources: dict[ResourceRef, int] = {}
        self._spelled: dict[ResourceRef, str] = {}
        self._names: dict[int, str] = {}
        self._relations = Relations(limits)

    def forget(self) -> None:
        """Empties every cache: what it holds may never have been committed."""
        for words in (self.types, self.actions, self.states):
            words.forget()
        self.links.clear()
        self._old_links.clear()
        self._weight = 0
        self._resources.clear()
        self._spelled.clear()
        self.forget_changing()

    def forget_changing(self) -> None:
        """Empties the caches of what another writer may have changed since; numbers once given stay."""
        self._names.clear()
        self._relations.forget()

    def missing_links(self, keys: Sequence[LinkKey], numbers: Iterable[int | None]) -> dict[LinkKey, int | None]:
        """The keys that `learn_links` must be asked for, each with the number of the event that has it first."""
        if self._weight > self._limits.links:
            self.links, self._old_links, self._weight = {}, self.links, 0
        missing: dict[LinkKey, int | None] = {}
        links, old = self.links, self._old_links
        for key, number in zip(keys, numbers, strict=False):
            if key not in links:
                link = old.get(key)
                if link is None:
                    missing.setdefault(key, number)
                else:
                    links[key] = link
                    self._weight += _weight(key)
        return missing

    def learn_links(self, connection: Connection, missing: dict[LinkKey, int | None]) -> None:
        """Makes sure that `links` has every one of the keys; each comes with the event that tells of it first."""
        _make_room(self._resources, len(missing), self._limits.resources)
        _make_room(self._spelled, len(missing), self._limits.resources)
        read = [_read(key) for key in missing]
        fresh = self._learn_resources(connection, read)
        told = []
        for place in read:
            parent_ids = tuple([self._resources[ref] for ref in place.parents])
            resource_id = self._resources[place.own] if place.own else None
            self.links[place.key] = Link(resource_id, parent_ids, self._spelling(place))
            self._weight += _weight(place.key)
            if resource_id is not None and parent_ids:
                told.append(Edges(resource_id, parent_ids, place.parents, missing[place.key]))
        self._relations.learn(connection, told, fresh)

    def _spelling(self, place: _Place) -> str | None:
        _, uri, parents, _ = place.key
        other: dict[str, Any] = {}
        if place.own is not None and self._spelled[place.own] != uri:
            other["resource_uri"] = uri
        if any(self._spelled[ref] != parent for ref, parent in zip(place.parents, parents, strict=True)):
            other["parents"] = list(parents)
        return dump(other) if other else None

    def _learn_resources(self, connection: Connection, read: list[_Place]) -> set[int]:
        """Finds or makes every resource named; the first spelling of an URI is the one that is kept."""
        spelled: dict[ResourceRef, str] = {}
        for place in read:
            if place.own is not None and place.own not in self._spelled:
                spelled.setdefault(place.own, place.key[1] or "")
            for ref, uri in zip(place.parents, place.key[2], strict=True):
                if ref not in self._spelled:
                    spelled.setdefault(ref, uri)
        if spelled:
            self.types.learn(connection, {ref.type for ref in spelled})
            self._find_resources(connection, spelled)
            self._find_older(connection, spelled)
        new = [ref for ref in spelled if ref not in self._spelled]
        first = next_id(connection, schema.resources) if new else 0
        self._resources.update((ref, number) for number, ref in enumerate(new, first))
        self._spelled.update((ref, spelled[ref]) for ref in new)
        targets = self._targets(read)
        rows: list[Row] = []
        for ref in new:
            type_id = self.types.ids[ref.type]
            rows.append((self._resources[ref], type_id, ref.key, spelled[ref], None, targets.pop(ref, None)))
        insert_rows(connection, schema.resources, rows)
        self._learn_targets(connection, targets)
        return set(range(first, first + len(new)))

    def _targets(self, read: list[_Place]) -> dict[ResourceRef, int]:
        """What the actions apply to; the first event that tells decides."""
        targets: dict[ResourceRef, int] = {}
        for own, parents in ((place.own, place.parents) for place in read if place.own):
            found = target(parents)
            if own.type == "action" and found is not None and found != own:
                targets.setdefault(own, self._resources[found])
        return targets

    def _learn_targets(self, connection: Connection, targets: dict[ResourceRef, int]) -> None:
        """Actions so far known by name only learn what they apply to."""
        table = schema.resources
        if targets:
            named = update(table).where(table.c.id == bindparam("own"), table.c.target_id.is_(None))
            values = [{"own": self._resources[own], "found": found} for own, found in targets.items()]
            connection.execute(named.values(target_id=bindparam("found")), values)

    def _find_resources(self, connection: Connection, wanted: Iterable[ResourceRef]) -> None:
        table = schema.resources
        type_ids = {self.types.ids[ref.type]: ref.type for ref in wanted}
        asked = set(wanted)
        for part in chunks({ref.key for ref in asked}):
            found = connection.execute(
                select(table.c.type_id, table.c.key, table.c.id, table.c.uri).where(table.c.key.in_(part))
            )
            for type_id, key, number, uri in found:
                ref = ResourceRef(type_ids.get(type_id, ""), key)
                if ref in asked:
                    self._resources[ref] = number
                    self._spelled[ref] = uri

    def known(self, connection: Connection, asked: set[str]) -> dict[str, int]:
        """The numbers of those resources, by URI, that the archive has; makes none."""
        refs = {uri: uris.parse(uri) for uri in asked}
        missing = {ref: uri for uri, ref in refs.items() if ref not in self._spelled}
        if missing:
            _make_room(self._resources, len(missing), self._limits.resources)
            _make_room(self._spelled, len(missing), self._limits.resources)
            self.types.learn(connection, {ref.type for ref in missing})
            self._find_resources(connection, missing)
            self._find_older(connection, missing)
        return {uri: self._resources[ref] for uri, ref in refs.items() if ref in self._resources}

    def _find_older(self, connection: Connection, wanted: dict[ResourceRef, str]) -> None:
        """What version 0.1.0 archived under a key in capitals goes on under it; the key of a new object has none."""
        missing = ((ref, uris.older_key(uri, ref)) for ref, uri in wanted.items() if ref not in self._spelled)
        older = {ResourceRef(ref.type, key): ref for ref, key in missing if key is not None}
        if older:
            self._find_resources(connection, older)
        for old, ref in older.items():
            if old in self._spelled:
                self._resources[ref], self._spelled[ref] = self._resources[old], self._spelled[old]

    def learn_names(self, connection: Connection, told: Iterable[tuple[int | None, str | None]]) -> None:
        """Names of resources, by number, in the order told: the latest wins, also when it is an old one again."""
        latest = {number: name for number, name in told if number is not None and name is not None}
        new = {number: name for number, name in latest.items() if self._names.get(number) != name}
        if not new:
            return
        _make_room(self._names, len(new), self._limits.resources)
        table = schema.resources
        renamed = update(table).where(table.c.id == bindparam("own")).values(name=bindparam("told"))
        connection.execute(renamed, [{"own": number, "told": name} for number, name in new.items()])
        self._names.update(new)


class _Place(NamedTuple):
    """A `LinkKey`, its URIs read."""

    key: LinkKey
    own: ResourceRef | None
    parents: tuple[ResourceRef, ...]


def _read(key: LinkKey) -> _Place:
    _, uri, parents, _ = key
    own = uris.parse(uri) if uri else None
    return _Place(key, own, tuple([uris.parse(parent) for parent in parents]))


def _weight(key: LinkKey) -> int:
    """What a link counts against the limit: one, unless somebody sends parents by the hundred."""
    return 1 + len(key[2]) // 10


def _make_room(cache: dict[Any, Any], wanted: int, limit: int) -> None:
    """Drops the oldest quarter of a full cache, or everything when a batch alone would overflow it."""
    if len(cache) + wanted > limit:
        keep = 0 if wanted > limit // 4 else limit * 3 // 4
        for key in list(cache)[: max(0, len(cache) - keep)]:
            del cache[key]


def next_id(connection: Connection, table: Table) -> int:
    """The first free row number of a table."""
    last: int | None = connection.scalar(select(func.max(table.c.id)))
    return (last or 0) + 1

"""Finds the row numbers behind texts, resources and lists of parents, and makes rows for those that are new.

Every method works inside the recorder's transaction, which holds the archive's write lock: so a number not found is
free to be given. The caches are emptied (`forget`) after a rollback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from archiver.codec import uris
from archiver.codec.text import dump
from archiver.model import ResourceRef
from archiver.storage import schema
from archiver.storage.bulk import Row, chunks, insert_rows
from archiver.storage.limits import CacheLimits
from archiver.storage.lists import Lists
from archiver.storage.lives import Texts
from archiver.storage.numbers import Numbers
from archiver.storage.schema import NO_RESOURCE, TEXTUAL

LinkKey = tuple[str | None, tuple[str, ...], str | None, str | None, str | None, int]
"""What an event says of its resource: URI, parents, name, image, slot; and the number of the platform.

A bare tuple, since one is made for every event that comes in.
"""


Placed = tuple[int, ResourceRef]
"""A resource on a platform, of which this is the number: what identifies it in an archive."""


class Link(NamedTuple):
    """The row numbers behind a `LinkKey`."""

    resource_id: int
    list_id: int | None
    name_id: int | None
    image_id: int | None
    slot_id: int | None
    texts: Texts
    """Those of the three that it has."""
    spelling: str | None
    """JSON of the event's URIs (`resource_uri`, `parents`) where they are spelled otherwise than in `resources`."""


class Words:
    """One open vocabulary: text to number."""

    def __init__(self, table: Table, most: int, numbers: Numbers) -> None:
        self._table = table
        self._most = most
        self._numbers = numbers
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
        first = self._numbers.take(connection, self._table, len(new))
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
    """Numbers of words, resources and lists of parents, remembered across batches within fixed bounds."""

    def __init__(self, limits: CacheLimits, numbers: Numbers, lists: Lists) -> None:
        self._limits = limits
        self._numbers = numbers
        self._lists = lists
        self.types = Words(schema.event_types, limits.words, numbers)
        self.actions = Words(schema.event_actions, limits.words, numbers)
        self.states = Words(schema.event_states, limits.words, numbers)
        self._texts = Words(schema.texts, limits.words, numbers)
        # Two generations: what is used moves to the young one, what is not used ages and goes.
        self._links: dict[LinkKey, Link] = {}
        self._old_links: dict[LinkKey, Link] = {}
        self._weight = 0
        self._resources: dict[Placed, int] = {}
        self._spelled: dict[Placed, str] = {}
        self._fresh: dict[int, int] = {}

    def forget(self) -> None:
        """Empties every cache: what it holds may never have been committed."""
        for words in (self.types, self.actions, self.states, self._texts):
            words.forget()
        self._links.clear()
        self._old_links.clear()
        self._weight = 0
        self._resources.clear()
        self._spelled.clear()
        self._fresh.clear()

    def take_fresh(self) -> dict[int, int]:
        """The resources made since the last call: the number of each, and of its type."""
        fresh, self._fresh = self._fresh, {}
        return fresh

    def links(self, connection: Connection, keys: Sequence[LinkKey]) -> list[Link]:
        """The row numbers behind every key, in the order of the keys."""
        found = list(map(self._links.get, keys))
        if None in found:
            missing = self._missing_links(keys)
            if missing:
                self._learn_links(connection, missing)
            found = list(map(self._links.get, keys))
        return found  # type: ignore[return-value]

    def _missing_links(self, keys: Sequence[LinkKey]) -> list[LinkKey]:
        """The keys that `_learn_links` must be asked for."""
        if self._weight > self._limits.links:
            self._links, self._old_links, self._weight = {}, self._links, 0
        missing: dict[LinkKey, None] = {}
        links, old = self._links, self._old_links
        for key in keys:
            if key not in links:
                link = old.get(key)
                if link is None:
                    missing[key] = None
                else:
                    links[key] = link
                    self._weight += _weight(key)
        return list(missing)

    def _learn_links(self, connection: Connection, missing: list[LinkKey]) -> None:
        """Makes sure that the links have every one of the keys."""
        _make_room(self._resources, len(missing), self._limits.resources)
        _make_room(self._spelled, len(missing), self._limits.resources)
        read = [_read(key) for key in missing]
        self._learn_resources(connection, read)
        self._texts.learn(connection, {text for key in missing for text in _texts(key)})
        for platform in {platform for *_, platform in missing}:
            self._keep_links(connection, platform, [place for place in read if place.key[-1] == platform])

    def _keep_links(self, connection: Connection, platform: int, read: Sequence[_Place]) -> None:
        """Keeps the links of what is said on one platform, once its resources and texts are known."""
        resources = self._resources
        above = [tuple([resources[ref] for ref in place.parents]) for place in read]
        for place, list_id in zip(read, self._lists.numbers(connection, platform, above), strict=True):
            own = resources[place.own] if place.own else NO_RESOURCE
            name_id, image_id, slot_id = ids = [self._texts.ids[text] for text in _texts(place.key)]
            texts = tuple([(what, number) for what, number in zip(TEXTUAL, ids, strict=True) if number is not None])
            self._links[place.key] = Link(own, list_id, name_id, image_id, slot_id, texts, self._spelling(place))
            self._weight += _weight(place.key)

    def _spelling(self, place: _Place) -> str | None:
        uri, parents, *_ = place.key
        other: dict[str, Any] = {}
        if place.own is not None and self._spelled[place.own] != uri:
            other["resource_uri"] = uri
        if any(self._spelled[ref] != parent for ref, parent in zip(place.parents, parents, strict=True)):
            other["parents"] = list(parents)
        return dump(other) if other else None

    def _learn_resources(self, connection: Connection, read: list[_Place]) -> None:
        """Finds or makes every resource named; the first spelling of an URI is the one that is kept."""
        spelled: dict[Placed, str] = {}
        for place in read:
            if place.own is not None and place.own not in self._spelled:
                spelled.setdefault(place.own, place.key[0] or "")
            for ref, uri in zip(place.parents, place.key[1], strict=True):
                if ref not in self._spelled:
                    spelled.setdefault(ref, uri)
        if not spelled:
            return
        self.types.learn(connection, {ref.type for _, ref in spelled})
        self._find_resources(connection, spelled)
        new = [ref for ref in spelled if ref not in self._spelled]
        first = self._numbers.take(connection, schema.resources, len(new))
        type_ids = self.types.ids
        rows: list[Row] = [
            (number, platform, type_ids[ref.type], ref.key, spelled[platform, ref])
            for number, (platform, ref) in enumerate(new, first)
        ]
        insert_rows(connection, schema.resources, rows)
        for placed, (number, _, type_id, _, uri) in zip(new, rows, strict=True):
            self._resources[placed], self._spelled[placed], self._fresh[number] = number, uri, type_id

    def _find_resources(self, connection: Connection, wanted: Iterable[Placed]) -> None:
        c = schema.resources.c
        asked = set(wanted)
        type_ids = {self.types.ids[ref.type]: ref.type for _, ref in asked}
        for platform in {platform for platform, _ in asked}:
            for part in chunks({ref.key for number, ref in asked if number == platform}):
                query = select(c.type_id, c.key, c.id, c.uri).where(c.platform_id == platform, c.key.in_(part))
                for type_id, key, number, uri in connection.execute(query):
                    placed = platform, ResourceRef(type_ids.get(type_id, ""), key)
                    if placed in asked:
                        self._resources[placed] = number
                        self._spelled[placed] = uri

    def known(self, connection: Connection, asked: set[tuple[int, str]]) -> dict[tuple[int, str], int]:
        """The numbers of those resources, by platform and URI, that the archive has; makes none."""
        refs = {(platform, uri): (platform, uris.parse(uri)) for platform, uri in asked}
        missing = {ref for ref in refs.values() if ref not in self._spelled}
        if missing:
            _make_room(self._resources, len(missing), self._limits.resources)
            _make_room(self._spelled, len(missing), self._limits.resources)
            self.types.learn(connection, {ref.type for _, ref in missing})
            self._find_resources(connection, missing)
        return {named: self._resources[ref] for named, ref in refs.items() if ref in self._resources}


class _Place(NamedTuple):
    """A `LinkKey`, its URIs read."""

    key: LinkKey
    own: Placed | None
    parents: tuple[Placed, ...]


def _read(key: LinkKey) -> _Place:
    uri, parents, *_, platform = key
    own = (platform, uris.parse(uri)) if uri else None
    return _Place(key, own, tuple([(platform, uris.parse(parent)) for parent in parents]))


def _texts(key: LinkKey) -> tuple[str | None, ...]:
    """Name, image and slot."""
    return key[2:5]


def _weight(key: LinkKey) -> int:
    """What a link counts against the limit: one, unless somebody sends parents by the hundred."""
    return 1 + len(key[1]) // 10


def _make_room(cache: dict[Any, Any], wanted: int, limit: int) -> None:
    """Drops the oldest quarter of a full cache, or everything when a batch alone would overflow it."""
    if len(cache) + wanted > limit:
        keep = 0 if wanted > limit // 4 else limit * 3 // 4
        for key in list(cache)[: max(0, len(cache) - keep)]:
            del cache[key]

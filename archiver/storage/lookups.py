"""Finds the row numbers behind texts, resources and lists of parents, and makes rows for those that are new.

Every method works inside the recorder's transaction, which holds the archive's write lock: so a number not found is
free to be given. The caches are emptied (`forget`) after a rollback.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from archiver.codec import uris
from archiver.codec.text import dump
from archiver.model import ResourceRef
from archiver.storage import schema
from archiver.storage.bulk import Row, chunks, insert_rows
from archiver.storage.facts.heard import Texts
from archiver.storage.limits import CacheLimits
from archiver.storage.lists import Lists
from archiver.storage.numbers import Numbers
from archiver.storage.schema import IMAGE, NAME, NO_RESOURCE, SLOT
from archiver.storage.vocabulary import Vocabulary

LinkKey = tuple[str | None, tuple[str, ...], str | None, str | None, str | None, int]
"""What an event says of its resource: URI, parents, name, image, slot; and the number of the platform.

A bare tuple, since one is made for every event that comes in.
"""


Placed = tuple[int, ResourceRef]
"""A resource on a platform, of which this is the number: what identifies it in an archive."""


class Kept(NamedTuple):
    """A resource as `resources` has it."""

    number: int
    uri: str


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


_LINKED = (NAME, IMAGE, SLOT)
_NO_TEXTS = (None, None, None)


class Lookups:
    """Numbers of words, resources and lists of parents, remembered across batches within fixed bounds."""

    def __init__(self, limits: CacheLimits, numbers: Numbers, lists: Lists) -> None:
        self._limits = limits
        self._numbers = numbers
        self._lists = lists
        self.types = Vocabulary(schema.event_types, limits.words, numbers)
        self.actions = Vocabulary(schema.event_actions, limits.words, numbers)
        self.states = Vocabulary(schema.event_states, limits.words, numbers)
        self.texts = Vocabulary(schema.texts, limits.words, numbers)
        # Two generations: what is used moves to the young one, what is not used ages and goes.
        self._links: dict[LinkKey, Link] = {}
        self._old_links: dict[LinkKey, Link] = {}
        self._weight = 0
        self._resources: dict[Placed, Kept] = {}
        self._as_kept: dict[int, dict[str, int]] = {}
        """The same by platform and URI, for those that spell it as it is kept: nearly all."""
        self._fresh: dict[int, int] = {}

    def forget(self) -> None:
        """Empties every cache: what it holds may never have been committed."""
        for vocabulary in (self.types, self.actions, self.states, self.texts):
            vocabulary.forget()
        self._links.clear()
        self._old_links.clear()
        self._weight = 0
        self._resources.clear()
        self._as_kept.clear()
        self._fresh.clear()

    def take_fresh(self) -> dict[int, int]:
        """The resources made since the last call: the number of each, and of its type."""
        fresh, self._fresh = self._fresh, {}
        return fresh

    def links(self, connection: Connection, keys: Sequence[LinkKey]) -> list[Link]:
        """The row numbers behind every key, in the order of the keys."""
        try:
            return list(map(self._links.__getitem__, keys))
        except KeyError:
            if missing := self._missing_links(keys):
                self._learn_links(connection, missing)
            return list(map(self._links.__getitem__, keys))

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
        self._make_room(len(missing))
        self.texts.learn(connection, {text for key in missing for text in _texts(key)})
        by_platform: dict[int, list[LinkKey]] = {}
        for key in missing:
            by_platform.setdefault(key[-1], []).append(key)
        for platform, keys in by_platform.items():
            self._keep_links(connection, platform, keys)

    def _keep_links(self, connection: Connection, platform: int, keys: Sequence[LinkKey]) -> None:
        """Keeps the links of what is said on one platform, once its texts are known."""
        spelled = self._learn_resources(connection, platform, keys)
        known = self._as_kept[platform]
        numbers: Mapping[str, int] = ChainMap(spelled, known) if spelled else known
        above = [tuple(map(numbers.__getitem__, key[1])) for key in keys]
        ids, links = self.texts.ids, self._links
        for key, list_id in zip(keys, self._lists.numbers(connection, platform, above), strict=True):
            own = numbers[key[0]] if key[0] else NO_RESOURCE
            spelling = _spelling(key, spelled) if spelled else None
            told = _texts(key)
            if told == _NO_TEXTS:
                links[key] = Link(own, list_id, None, None, None, (), spelling)
            else:
                name_id, image_id, slot_id = found = [ids[text] for text in told]
                texts = tuple([(what, one) for what, one in zip(_LINKED, found, strict=True) if one is not None])
                links[key] = Link(own, list_id, name_id, image_id, slot_id, texts, spelling)
            self._weight += _weight(key)

    def _learn_resources(self, connection: Connection, platform: int, keys: Sequence[LinkKey]) -> dict[str, int]:
        """Finds or makes every resource named; the first spelling of an URI is the one that is kept.

        Returns the numbers of those that are spelled otherwise here, by the URI as it is here.
        """
        known = self._as_kept.setdefault(platform, {})
        unknown: dict[str, None] = {}
        for key in keys:
            if key[0] and key[0] not in known:
                unknown[key[0]] = None
            for uri in key[1]:
                if uri not in known:
                    unknown[uri] = None
        if not unknown:
            return {}
        refs = {uri: (platform, uris.parse(uri)) for uri in unknown}
        new: dict[Placed, str] = {}
        for uri, placed in refs.items():
            if placed not in self._resources:
                new.setdefault(placed, uri)
        if new:
            self._make_resources(connection, platform, new)
        return {uri: self._resources[placed].number for uri, placed in refs.items() if uri not in known}

    def _make_resources(self, connection: Connection, platform: int, wanted: Mapping[Placed, str]) -> None:
        """Finds these resources of one platform, or makes them with the URI given."""
        self.types.learn(connection, {ref.type for _, ref in wanted})
        self._find_resources(connection, wanted)
        new = [placed for placed in wanted if placed not in self._resources]
        first = self._numbers.take(connection, schema.resources, len(new))
        type_ids = self.types.ids
        rows: list[Row] = [
            (number, platform, type_ids[placed[1].type], placed[1].key, wanted[placed])
            for number, placed in enumerate(new, first)
        ]
        insert_rows(connection, schema.resources, rows)
        for placed, (number, _, type_id, _, uri) in zip(new, rows, strict=True):
            self._keep(placed, number, uri)
            self._fresh[number] = type_id

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
                        self._keep(placed, number, uri)

    def _keep(self, placed: Placed, number: int, uri: str) -> None:
        self._resources[placed] = Kept(number, uri)
        if uris.parse(uri) == placed[1]:  # not what an older version read otherwise
            self._as_kept.setdefault(placed[0], {})[uri] = number

    def _make_room(self, wanted: int) -> None:
        """Drops the oldest quarter when the cache of resources is full, or all when a batch alone would overflow it."""
        kept, limit = self._resources, self._limits.resources
        if len(kept) + wanted > limit:
            stay = 0 if wanted > limit // 4 else limit * 3 // 4
            for placed in list(kept)[: max(0, len(kept) - stay)]:
                self._as_kept[placed[0]].pop(kept.pop(placed).uri, None)

    def known(self, connection: Connection, asked: set[tuple[int, str]]) -> dict[tuple[int, str], int]:
        """The numbers of those resources, by platform and URI, that the archive has; makes none."""
        refs = {(platform, uri): (platform, uris.parse(uri)) for platform, uri in asked}
        missing = {ref for ref in refs.values() if ref not in self._resources}
        if missing:
            self._make_room(len(missing))
            self.types.learn(connection, {ref.type for _, ref in missing})
            self._find_resources(connection, missing)
        return {named: self._resources[ref].number for named, ref in refs.items() if ref in self._resources}


def _spelling(key: LinkKey, spelled: Container[str]) -> str | None:
    """JSON of the URIs of a key where some are spelled otherwise than in `resources`."""
    uri, parents, *_ = key
    other: dict[str, Any] = {}
    if uri in spelled:
        other["resource_uri"] = uri
    if any(parent in spelled for parent in parents):
        other["parents"] = list(parents)
    return dump(other) if other else None


def _texts(key: LinkKey) -> tuple[str | None, ...]:
    """Name, image and slot."""
    return key[2:5]


def _weight(key: LinkKey) -> int:
    """What a link counts against the limit: one, unless somebody sends parents by the hundred."""
    return 1 + len(key[1]) // 10

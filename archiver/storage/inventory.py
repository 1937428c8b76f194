"""Tells what of an export the archive holds already, by content, each item as often as it is there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import compress
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Table, and_, column, literal_column, select, values

from archiver.codec.text import parse
from archiver.codec.uris import parse as parse_uri
from archiver.model import Event, EventColumns, Observation, Reject, to_datetime, to_micros
from archiver.storage import schema
from archiver.storage.bulk import chunks
from archiver.storage.duplicates import canonical, value_of
from archiver.storage.event_rows import original
from archiver.storage.rows import event_rows, parents_of
from archiver.storage.upgraded import observations_inferred
from archiver.storage.whole import whole_extra
from archiver.storage.words import NO_RESOURCE

KINDS: Mapping[str, Table] = {
    "event": schema.events,
    "observation": schema.observations,
    "reject": schema.rejects,
}
"""Where what an export numbers is kept."""
_ROWS = 1000
"""How many rows are looked at at a time."""
_PAGE = 4096

Find = Callable[[Connection, set[tuple[int, str]]], Mapping[tuple[int, str], int]]
"""The numbers of those resources, by platform and URI, that the archive has."""


Forms = tuple[Hashable, ...]
"""What something says, in each form in which the same may stand elsewhere; the most exact first."""
Asked = tuple[list[Forms], Iterable[tuple[int, Forms]]]
"""What is to be found, and the rows in which it may be, each with its number."""


class Numbers:
    """A set of row numbers that follow each other closely: a bit each."""

    def __init__(self) -> None:
        self._pages: dict[int, int] = {}

    def __contains__(self, number: int) -> bool:
        return bool(self._pages.get(number // _PAGE, 0) >> number % _PAGE & 1)

    def add(self, number: int) -> None:
        """Takes a number in."""
        self._pages[number // _PAGE] = self._pages.get(number // _PAGE, 0) | 1 << number % _PAGE


class Reached(NamedTuple):
    """How far the items of one kind of an export are archived, by their numbers there."""

    known: int = 0
    """Every item up to this one is."""
    alone: int = 0
    """The archive's rows up to this number are the items up to this number, and nothing else."""


class Received(NamedTuple):
    """An archived event, and the session in which it was received."""

    platform: int
    number: int
    session: str


class Sifted(NamedTuple):
    """A batch without what the archive holds, and how many of its events it held."""

    events: EventColumns
    observations: list[Observation]
    rejects: list[Reject]
    duplicates: int
    unowned: list[Received]
    """Of those, what is held without the session in which it was received."""


class Inventory:
    """What an archive held when an export began to come in.

    A row stands for one item of the export, so what the export has twice is there twice afterwards. Events with a uuid
    are not looked at here: by it they are known wherever they come from (`storage.duplicates`).
    """

    def __init__(self, upto: Mapping[str, int] | None = None, after: Mapping[str, int] | None = None) -> None:
        """Rows with numbers from `after` (exclusive) to `upto` may be held; without `upto` all, as often as asked."""
        self._upto = upto
        self._after = dict(after or {})
        self._taken = {kind: Numbers() for kind in KINDS}
        self._just_taken: dict[str, set[int]] = {kind: set() for kind in KINDS}

    def begin(self) -> None:
        """Forgets what was taken since the last `keep`: it was rolled back."""
        for taken in self._just_taken.values():
            taken.clear()

    def keep(self) -> None:
        """What was taken is taken for good."""
        for kind, taken in self._just_taken.items():
            for number in taken:
                self._taken[kind].add(number)
        self.begin()

    def look_at_all(self, kind: str) -> None:
        """Rows of this kind are candidates from the first on."""
        self._after[kind] = 0

    def sift(
        self,
        connection: Connection,
        find: Find,
        columns: EventColumns,
        observations: list[Observation],
        rejects: list[Reject],
    ) -> Sifted:
        """Leaves out of a batch what the archive holds."""
        duplicates, unowned = 0, list[Received]()
        if None in columns.uuid and self._may_hold("event"):
            events, alone = columns.events(), set[int]()
            held = self._match("event", *_asked_events(connection, find, events, alone))
            columns, duplicates = EventColumns.of(_without(events, held)), len(held)
            told = ((number, events[place]) for place, number in held.items() if number in alone)
            unowned = [Received(one.platform or 0, number, one.session) for number, one in told if one.session]
        if observations and self._may_hold("observation"):
            held = self._match("observation", *_asked_observations(connection, find, observations))
            observations = _without(observations, held)
        if rejects and self._may_hold("reject"):
            rejects = _without(rejects, self._match("reject", *_asked_rejects(connection, rejects)))
        return Sifted(columns, observations, rejects, duplicates, unowned)

    def _may_hold(self, kind: str) -> bool:
        return self._upto is None or self._upto[kind] > self._after.get(kind, 0)

    def _match(self, kind: str, contents: Sequence[Forms], rows: Iterable[tuple[int, Forms]]) -> dict[int, int]:
        """The places of what is held, each for a row of its own, whose number it is."""
        waiting: dict[Hashable, list[int]] = {}
        for place, forms in reversed(list(enumerate(contents))):
            for content in forms:
                waiting.setdefault(content, []).append(place)
        held: dict[int, int] = {}
        for number, forms in rows:
            places = _still_waiting(waiting, held, forms)
            if not places:
                continue
            if self._upto is None:
                held.update(dict.fromkeys(places, number))
            elif not self._after.get(kind, 0) < number <= self._upto[kind]:
                continue  # not asked of the database, which would look through all rows with such numbers
            elif number not in self._taken[kind] and number not in self._just_taken[kind]:
                held[places.pop()] = number
                self._just_taken[kind].add(number)
        return held


def _still_waiting(waiting: Mapping[Hashable, list[int]], held: Container[int], forms: Forms) -> list[int]:
    """The places of what says the same as a row, in the first form in which anything does."""
    for content in forms:
        places = waiting.get(content, [])
        while places and places[-1] in held:
            places.pop()
        if places:
            return places
    return []


def _without(items: Sequence[Any], held: Mapping[int, int]) -> list[Any]:
    return list(compress(items, [place not in held for place in range(len(items))])) if held else list(items)


def _streamed(connection: Connection, query: Select[Any]) -> Iterator[Sequence[Any]]:
    """The rows, some at a time, in the order of archiving: many may say the same of one object at one instant."""
    yield from connection.execute(query, execution_options={"yield_per": _ROWS}).partitions()


def _asked_events(connection: Connection, find: Find, events: Sequence[Event], alone: set[int]) -> Asked:
    """What of the events without uuid is to be found, and where it may be; `alone` gets the rows of no session."""
    c = schema.events.c
    nameless = [event for event in events if event.uuid is None]
    asked = {placed for event in nameless if (placed := _placed(event.platform, event.resource_uri)) is not None}
    numbers: dict[tuple[int, str] | None, int] = {None: NO_RESOURCE, **dict(find(connection, asked).items())}
    contents: list[Forms] = [
        ((event.platform, event.received_at, canonical(value_of(event))),)
        if event.uuid is None and _placed(event.platform, event.resource_uri) in numbers
        else ()
        for event in events
    ]
    asked_for = {
        (event.platform or 0, numbers[placed], to_datetime(event.occurred_at))
        for event in nameless
        for placed in (_placed(event.platform, event.resource_uri),)
        if placed in numbers
    }

    def rows() -> Iterator[tuple[int, Forms]]:
        for query in _at(event_rows(), c, c.occurred_at, asked_for):
            for page in _streamed(connection, query.where(c.uuid.is_(None))):
                parents = parents_of(connection, {(row.platform_id, row.parent_list_id) for row in page})
                for row in page:
                    said = canonical(original(row, parents[row.parent_list_id]))
                    if row.session_id is None:
                        alone.add(row.id)
                    yield row.id, ((row.platform_id, row.received_at, said),)

    return contents, rows()


def _asked_observations(connection: Connection, find: Find, observations: Sequence[Observation]) -> Asked:
    c, states, texts = schema.observations.c, schema.event_states, schema.texts
    placed = [(item.platform or 0, item.uri) for item in observations]
    numbers = find(connection, set(placed))
    told = list(zip(placed, observations, strict=True))
    contents = [_forms(item, numbers[where]) if where in numbers else () for where, item in told]
    asked_for = {(where[0], numbers[where], to_datetime(item.observed_at)) for where, item in told if where in numbers}
    inferred = observations_inferred(connection)
    joined = schema.observations.outerjoin(states, states.c.id == c.state_id).outerjoin(texts, texts.c.id == c.name_id)
    images, slots = texts.alias("images"), texts.alias("slots")
    joined = joined.outerjoin(images, images.c.id == c.image_id).outerjoin(slots, slots.c.id == c.slot_id)
    extra = literal_column(whole_extra("observations"), schema.Word).label("extra")
    columns = (c.id, c.platform_id, c.resource_id, c.observed_at, states.c.text.label("state"), extra)
    made = (images.c.text.label("image"), slots.c.text.label("slot"))
    asked = select(*columns, texts.c.text.label("name"), *made, c.parent_list_id).select_from(joined)

    def rows() -> Iterator[tuple[int, Forms]]:
        for query in _at(asked, c, c.observed_at, asked_for):
            for page in _streamed(connection, query):
                parents = parents_of(connection, {(row.platform_id, row.parent_list_id) for row in page})
                for row in page:
                    above = tuple(map(parse_uri, parents[row.parent_list_id]))
                    at, extra = to_micros(row.observed_at), _canonical_text(row.extra)
                    told = (row.resource_id, at, row.state, row.image, row.slot, extra)
                    whole, bare = (*told, row.name, above), (*told, None, ())
                    yield row.id, (whole, bare, told) if row.id <= inferred else (whole, told)

    return contents, rows()


def _placed(platform: int | None, uri: str | None) -> tuple[int, str] | None:
    return None if uri is None else (platform or 0, uri)


def _forms(item: Observation, number: int) -> Forms:
    """What an observation says; and without name and parents, as it may be there where those had to be inferred."""
    told = (number, item.observed_at, item.state, item.image, item.slot, _canonical_text(item.extra))
    whole, bare = (*told, item.name, tuple(map(parse_uri, item.parents))), (*told, None, ())
    if item.inferred:
        return (whole, bare, told)
    return (whole,) if whole == bare else (whole, bare)


def _asked_rejects(connection: Connection, rejects: Sequence[Reject]) -> Asked:
    c = schema.rejects.c
    contents: list[Forms] = [((item.received_at, item.reason, _digest(item.payload)),) for item in rejects]

    def rows() -> Iterator[tuple[int, Forms]]:
        for part in chunks({item.received_at for item in rejects}):
            for row in connection.execute(select(*c).where(c.received_at.in_(part))):
                yield row.id, ((row.received_at, row.reason, _digest(row.payload)),)

    return contents, rows()


def _at(
    query: Select[Any], c: Any, moment: Any, asked_for: Iterable[tuple[int, int, datetime]]
) -> Iterator[Select[Any]]:
    """The query, asked for platform, resource and instant by the key of them."""
    names = column("platform", schema.Id), column("resource", schema.Id), column("moment", schema.Instant)
    for part in chunks(asked_for):
        # A join, since SQLite looks through the whole table for pairs in a list.
        given = values(*names, name="given").data(part).cte("asked")
        own = and_(c.platform_id == given.c.platform, c.resource_id == given.c.resource)
        yield query.join(given, and_(own, moment == given.c.moment))


def _canonical_text(extra: str | None) -> str | None:
    return None if extra is None else canonical(parse(extra))


def _digest(payload: bytes) -> bytes:
    return hashlib.sha256(payload).digest()

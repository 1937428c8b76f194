"""The containers that were below something within a range: where each belonged, and the states that it went through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from archiver.model import Cause, Gap, Number, Resource, Span, TimeRange, numbers_of, to_datetime, to_micros
from archiver.model.reports import Subject
from archiver.queries.kinds import kind_of, state_kinds
from archiver.queries.lane_words import bound
from archiver.queries.lived import LIVED
from archiver.queries.stays import NOWHERE, Stays, stays
from archiver.queries.story import stories
from archiver.queries.under import Stretches, descend, is_within
from archiver.queries.windows import Window
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import Among, by_platform, statement
from archiver.storage.pages import Ask

CONTAINER = "container"
_TOGETHER = 100
"""So many containers are asked about together."""

_OF_THESE = (
    "SELECT r.id, r.uri, r.key, r.platform_id, n.text AS name, p.first_at, p.gone_at"
    " FROM resources r JOIN event_types t ON t.id = r.type_id"
    " JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE r.platform_id = :platform AND r.id IN :numbers"
    " AND t.text = :container ORDER BY r.uri, r.id"
)
_TYPE = "SELECT t.id FROM event_types t WHERE t.text = :container"
_OF_ALL = f"SELECT p.platform_id, p.resource_id {LIVED}"

KindOf = Callable[[str], str | None]


class Lived(NamedTuple):
    """A container, where it was, and what it went through within a range and beside it."""

    resource: Resource
    platform_id: int
    first: datetime
    """When it was first heard of."""
    gone: datetime | None
    """Since when it is no more; None: it lives."""
    stays: Stays
    spans: tuple[Span, ...]
    """From before the range, as far as is needed to judge how it stood when the range begins."""
    gaps: tuple[Gap, ...]
    carried: Cause | None
    """Why it had stopped, when what is known begins with what had."""
    under: Stretches
    """When it was under what is asked about."""

    @property
    def subject(self) -> Subject:
        """What a row about it says."""
        return Subject(self.resource.uri, CONTAINER, self.resource.name)

    @property
    def below(self) -> Iterator[tuple[datetime, datetime]]:
        """When it was under what is asked about."""
        for since, until in zip(self.under[::2], self.under[1::2], strict=True):
            yield bound(since), bound(until)

    def was_below(self, moment: datetime) -> bool:
        """Whether it was under what is asked about until an instant, at which it may have ended."""
        return is_within(self.under, max(to_micros(moment) - 1, self.under[0]))


def lived(ask: Ask, root: Resource | None, range: TimeRange, now: datetime, kind: KindOf) -> Iterator[Lived]:
    """The containers that were under a resource (None: all) within a range, or the resource, when it is one."""
    window = Window.of(TimeRange(range.since, range.until or now))
    under = ask(_numbers, root, window)
    for among in by_platform(sorted(under)):
        rows = ask(_rows, among)
        places = ask(stays, [among.of(row.id) for row in rows])
        rest = iter(rows)
        while some := list(islice(rest, _TOGETHER)):
            these = [Resource(among.of(row.id), row.uri, CONTAINER, row.key, row.name) for row in some]
            for row, resource, told in zip(some, these, stories(ask, these, range, now, kind), strict=True):
                gone = None if row.gone_at is None else to_datetime(row.gone_at)
                life = (row.platform_id, to_datetime(row.first_at), gone, places.get(row.id, NOWHERE))
                yield Lived(resource, *life, *told, under[resource.id])


def kinds(connection: Connection) -> KindOf:
    """Says of what kind a container's state is: up, down, starting, gone; None where `state_kinds` does not say."""
    known = state_kinds(connection)
    return cache(lambda state: kind_of(known, state, CONTAINER))


def _numbers(connection: Connection, root: Resource | None, window: Window) -> dict[Number, Stretches]:
    if root is not None:
        return descend(connection, [root.id], window)
    types = connection.scalars(statement(_TYPE), {"container": CONTAINER})
    if not types:
        return {}
    values = {"types": types, **window._asdict()}
    return {
        numbers_of(platform)(number): (window.since, window.until)
        for platform, number in connection.execute(statement(_OF_ALL), values)
    }


def _rows(connection: Connection, among: Among) -> list[Any]:
    return connection.execute(statement(_OF_THESE), among.values(container=CONTAINER)).all()

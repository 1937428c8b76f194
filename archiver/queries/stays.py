"""Where containers were and what they were made of, from when on: each was at one place at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from archiver.model import Number, numbers_of, to_datetime
from archiver.model.reports import Subject
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, chunks, statement
from archiver.storage.words import IMAGE, PARENT, SLOT

_FACTS = (
    "SELECT f.platform_id, f.resource_id, f.what, f.since, f.value FROM facts f"
    f" WHERE f.platform_id = :platform AND f.resource_id IN :numbers AND f.what IN ({PARENT}, {IMAGE}, {SLOT})"
    " ORDER BY f.resource_id, f.since"
)
_TEXTS = "SELECT n.id, n.text FROM texts n WHERE n.id IN :numbers"
_PARENTS = (
    "SELECT r.id, r.uri, t.text AS type, n.text AS name FROM resources r"
    " JOIN event_types t ON t.id = r.type_id"
    " LEFT JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE r.platform_id = :platform AND r.id IN :numbers"
)


class Stay(NamedTuple):
    """Where something was from an instant on, and what it was made of."""

    since: datetime
    places: Mapping[str, Subject]
    """By type: service, node ..."""
    slot: str | None = None
    image: str | None = None


class Stays(NamedTuple):
    """All stays of something, in their order; before the first it was where the first is."""

    each: tuple[Stay, ...]

    def at(self, moment: datetime) -> Stay:
        """Where it was at an instant."""
        return self.each[max(bisect_right(self.each, moment, key=lambda stay: stay.since) - 1, 0)]

    def within(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime, Stay]]:
        """The stays of a stretch of time, clipped to it."""
        while since < until:
            place = max(bisect_right(self.each, since, key=lambda stay: stay.since), 1)
            end = min(self.each[place].since, until) if place < len(self.each) else until
            yield since, end, self.each[place - 1]
            since = end


NOWHERE = Stays((Stay(datetime.min.replace(tzinfo=UTC), {}),))
"""Of what nobody ever said where it was."""


def stays(connection: Connection, numbers: Sequence[Number]) -> dict[int, Stays]:
    """The stays of some resources; what is gone was last where it was at its end."""
    rows = [row for among in by_platform(numbers) for row in connection.execute(statement(_FACTS), among.values())]
    above = _subjects(connection, {numbers_of(row.platform_id)(row.value) for row in rows if row.what == PARENT})
    texts = _texts(connection, {row.value for row in rows if row.what != PARENT})
    found: dict[int, list[Stay]] = {}
    for row in rows:
        known = found.setdefault(row.resource_id, [])
        last = known[-1] if known else Stay(to_datetime(row.since), {})
        if row.what == PARENT:
            subject = above[row.value]
            stay = last._replace(places={**last.places, subject.type: subject})
        elif row.what == SLOT:
            stay = last._replace(slot=texts[row.value])
        else:
            stay = last._replace(image=texts[row.value])
        stay = stay._replace(since=to_datetime(row.since))
        known[-1:] = [stay] if known and known[-1].since == stay.since else [*known[-1:], stay]
    return {number: Stays(tuple(known)) for number, known in found.items()}


def _subjects(connection: Connection, numbers: set[Number]) -> dict[int, Subject]:
    return {
        row.id: Subject(row.uri, row.type, row.name)
        for among in by_platform(sorted(numbers))
        for row in connection.execute(statement(_PARENTS), among.values())
    }


def _texts(connection: Connection, numbers: set[int]) -> dict[int, str]:
    return {
        row.id: row.text
        for part in chunks(sorted(numbers))
        for row in connection.execute(statement(_TEXTS), {"numbers": part})
    }

"""Which events are about what was under some resources when they happened.

An event is under what its own list names, under its object, and under what each of these was under at its instant; that
of an action under the action's target, and what that was under when the action began.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from archiver.model import Micros, Number, TimeRange, numbers_of, to_datetime
from archiver.queries import seeking
from archiver.queries.event_filter import Filter, conditions, of_platform, where, within
from archiver.queries.numbers import last_number
from archiver.queries.runs import selected
from archiver.queries.seeking import LOOKED_AT, PAGE, Found, Keep, Place
from archiver.queries.under import TARGETS, Descent, Moment, ascend, descend, heads, is_within
from archiver.queries.windows import NEVER, Window
from archiver.storage.database.reading import Connection, micros
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.pages import Ask
from archiver.storage.words import NO_RESOURCE

_NAMING = (
    "SELECT DISTINCT p.resource_id FROM parent_list_members m CROSS JOIN present p"
    " WHERE m.platform_id = :platform AND m.resource_id IN :numbers"
    " AND p.platform_id = m.platform_id AND p.list_id = m.list_id AND p.last_at >= :since"
)
_MEMBERS = (
    "SELECT m.list_id, m.resource_id FROM parent_list_members m"
    " WHERE m.platform_id = :platform AND m.list_id IN :numbers"
)
_FEW = 5_000
"""No more events than so many are looked at one by one, whatever is under the resources."""
_WIDER, _WIDEST = 4, 64
"""Stretches of time that are looked at are so many times as long as the one before."""
_SHORTEST = 1_000_000
"""Microseconds of the first of them, where all that was looked at is of one instant."""
_MANY = 4
"""Where one in so many resources is under those asked for, the events are looked at in their order."""


def blocks(ask: Ask, wanted: Filter, limit: int, size: int, end: int) -> Iterator[Sequence[Number]]:
    """The numbers of the last `limit` events (0: of all) up to number `end`, oldest first, `size` at a time."""
    roots = set(wanted.under or ())
    if not roots:
        return

    def keep(connection: Connection, rows: Sequence[Found]) -> Sequence[Found]:
        return belonging(connection, roots, rows)

    if 0 < limit <= size:
        yield seeking.numbers(_newest(ask, wanted, limit, end, keep))
        return
    below = None if ask(_are_few, wanted, end) else Below(ask, wanted)
    found = _walked(ask, wanted, end, keep) if below is None or below.is_much() else below.blocks(size, end)
    yield from found if not limit else _last_of(found, limit, size)


def _newest(ask: Ask, wanted: Filter, limit: int, end: int, keep: Keep) -> Sequence[Found]:
    """The last that belong, oldest first."""
    few = ask(_are_few, wanted, end)
    numbers = ask(seeking.of_types, wanted)
    if numbers is not None and len(numbers) <= LOOKED_AT and not few:
        return seeking.by_resources(ask, wanted, numbers, limit, keep)
    if not few and not ask(_has_heads, wanted.under or ()):
        return Below(ask, wanted).newest(limit)
    near, place = seeking.walk_back(ask, wanted, limit, end if few else LOOKED_AT, keep)
    if len(near) >= limit or place is None:
        return near[:limit][::-1]
    return _within_ever_more(ask, wanted, limit, len(near), micros(place.occurred_at))


def _within_ever_more(ask: Ask, wanted: Filter, limit: int, found: int, since: Micros) -> Sequence[Found]:
    """The last that belong, oldest first, where from an instant on so many were found.

    Looked at is what was under the resources in a stretch of time, and what was told of it then: so what there was long
    ago costs nothing where enough was told since.
    """
    last, first = ask(seeking.ends, wanted)
    length = max(last - since, _SHORTEST)
    while True:
        length *= min(max(2 * limit // max(found, 1), _WIDER), _WIDEST)
        since = last - length
        if since <= first:
            return Below(ask, wanted).newest(limit)
        lately = wanted._replace(range=TimeRange(to_datetime(since), wanted.range.until))
        rows = Below(ask, lately).last(limit)
        if len(rows) >= limit:
            return rows
        found = len(rows)


def _are_few(connection: Connection, wanted: Filter, end: int) -> bool:
    """Whether so few events are of the range that each may be looked at."""
    if end <= _FEW:
        return True
    within_range = within(wanted.range)
    few = f"SELECT e.occurred_at FROM events e{where([*of_platform(wanted), *within_range])} LIMIT {_FEW + 1}"
    counted = statement(f"SELECT count(*) FROM ({few}) few")
    return bool(within_range) and connection.scalar(counted, wanted.range._asdict()) <= _FEW


def _has_heads(connection: Connection, roots: Collection[Number]) -> bool:
    """Whether anything was ever under any of some resources, so that many events may be."""
    return any(heads(connection, roots))


def _walked(ask: Ask, wanted: Filter, end: int, keep: Keep) -> Iterator[Sequence[Number]]:
    """All that belong, by looking at one event after the other."""
    place: Place | None = None
    while True:
        rows, place = ask(seeking.step, wanted, place, PAGE, keep, forward=True, end=end)
        yield seeking.numbers(rows)
        if place is None:
            return


def _last_of(found: Iterator[Sequence[Number]], limit: int, size: int) -> Iterator[Sequence[Number]]:
    """The last of some numbers: sixteen bytes are held of each."""
    held, platforms = array("q"), array("q")
    for numbers in found:
        held.extend(numbers)
        platforms.extend(number.platform for number in numbers)
        if len(held) > 2 * limit:
            del held[:-limit], platforms[:-limit]
    del held[:-limit], platforms[:-limit]
    for begin in range(0, len(held), size):
        part = slice(begin, begin + size)
        yield [numbers_of(platform)(number) for platform, number in zip(platforms[part], held[part], strict=True)]


class Below:
    """What was under the resources while the events happened that are wanted, actions too; numbers and instants.

    Not found is an event whose list names what its object never was under, where a later list of that object does not
    name it either.
    """

    def __init__(self, ask: Ask, wanted: Filter) -> None:
        self._ask, self._wanted = ask, wanted
        since, until = Window.of(wanted.range)
        # What ended at the very instant at which the range begins may have said so itself.
        window = Window(max(since - 1, NEVER), until)
        self._below, self._actions, self._naming = ask(_found, wanted.under or (), window)

    def is_much(self) -> bool:
        """Whether so much is under the resources that events are best looked at in their order."""
        every = self._ask(last_number, "resources")
        return _MANY * len(self._candidates()) > every

    def _candidates(self) -> set[Number]:
        """All that an event can be about which is wanted."""
        return self._naming | self._actions | self._below.keys()

    def newest(self, limit: int) -> list[Found]:
        """The last events, oldest first."""
        return seeking.by_resources(self._ask, self._wanted, self._candidates(), limit, self._keep)

    def last(self, limit: int) -> list[Found]:
        """The same of a range that is not much longer than they take."""
        return seeking.of_range(self._ask, self._wanted, self._candidates(), limit, self._keep)

    def blocks(self, size: int, end: int) -> Iterator[Sequence[Number]]:
        """All events up to number `end`, oldest first, `size` at a time."""
        place: Place | None = None
        while True:
            rows = self._ask(self._block, place, size, end)
            yield seeking.numbers(rows)
            if len(rows) < size:
                return
            place = Place(rows[-1].occurred_at, rows[-1].id)

    def _block(self, connection: Connection, place: Place | None, size: int, end: int) -> list[Found]:
        fits = conditions(connection, self._wanted)
        if fits is None:
            return []
        every, values = [*fits, *within(self._wanted.range), "e.id + 0 <= :end"], {"end": end}
        if place is not None:
            every.append("e.occurred_at >= :at AND (e.occurred_at > :at OR e.id + 0 > :behind)")
            values |= {"at": place.occurred_at, "behind": place.id}
        values |= self._wanted.range._asdict()
        none = seeking.about_none(connection, self._wanted)
        rows = seeking.about(connection, every, values, chain(self._candidates(), none), self._keep)
        return heapq.nsmallest(size, rows, key=lambda row: (row.occurred_at, row.id))

    def _keep(self, connection: Connection, rows: Sequence[Found]) -> Sequence[Found]:
        lists = _members(connection, rows)
        return [row for row in rows if self._has(row, lists.get(row.parent_list_id, ()))]

    def _has(self, row: Found, named: Sequence[Number]) -> bool:
        if row.resource_id in self._actions:
            return True
        at = micros(row.occurred_at)
        return any(is_within(self._below.get(number, ()), at) for number in (_subject(row), *named))


def _found(
    connection: Connection, roots: Collection[Number], window: Window
) -> tuple[Descent, set[Number], set[Number]]:
    """What was under the roots, the actions that ran on it, and what names any of it in its last list."""
    below = descend(connection, roots, window)
    actions = {each.id for each in selected(connection, roots, below, window)}
    naming: set[Number] = set()
    for among in by_platform(below):
        naming.update(map(among.of, connection.scalars(statement(_NAMING), among.values(since=window.since))))
    return below, actions, naming


# --- of a few events --------------------------------------------------------------------------------------------------


def belonging(connection: Connection, roots: Collection[Number], rows: Sequence[Found]) -> Sequence[Found]:
    """Those of some events that are under the roots; best asked about events that lie close together."""
    platforms = {root.platform for root in roots}
    rows = [row for row in rows if row.platform_id in platforms]  # nothing is under what is of another one
    if not rows:
        return rows
    lists, targets = _members(connection, rows), _targets(connection, rows)
    reasons = [_reasons(row, lists.get(row.parent_list_id, ()), targets) for row in rows]
    then = ascend(connection, {moment for own, _ in reasons for moment in own if moment[0] not in roots})
    before = ascend(connection, {begun for _, begun in reasons if begun and begun[0] not in roots})
    return [
        row
        for row, (own, begun) in zip(rows, reasons, strict=True)
        if _reach(roots, own, then) or (begun is not None and _reach(roots, [begun], before))
    ]


def _reasons(
    row: Found, named: Sequence[Number], targets: Mapping[Number, Moment]
) -> tuple[list[Moment], Moment | None]:
    """What an event is under when these are under it: its list and object at its instant, its target when it began."""
    at = micros(row.occurred_at)
    own = [(number, at) for number in named]
    subject = _subject(row)
    return [*own, (subject, at)] if subject else own, targets.get(subject)


def _subject(row: Found) -> Number:
    return numbers_of(row.platform_id)(row.resource_id)


def _reach(roots: Collection[Number], moments: Sequence[Moment], above: Any) -> bool:
    return any(moment[0] in roots or not above[moment].isdisjoint(roots) for moment in moments)


def _targets(connection: Connection, rows: Sequence[Found]) -> dict[Number, Moment]:
    """What those of the objects that are actions apply to, and when they began."""
    found: dict[Number, Moment] = {}
    for among in by_platform({_subject(row) for row in rows if row.resource_id != NO_RESOURCE}):
        told = connection.execute(statement(TARGETS), among.values())
        found.update((among.of(number), (among.of(value), since)) for since, number, value in told if value)
    return found


def _members(connection: Connection, rows: Sequence[Found]) -> dict[int | None, list[Number]]:
    """What stands in the lists of some events."""
    found: dict[int | None, list[Number]] = {}
    lists = {numbers_of(row.platform_id)(row.parent_list_id) for row in rows if row.parent_list_id is not None}
    for among in by_platform(lists):
        for number, member in connection.execute(statement(_MEMBERS), among.values()):
            found.setdefault(number, []).append(among.of(member))
    return found

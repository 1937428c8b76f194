"""Finds the newest events of some kind without looking through the archive: near its end first, then by resources."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from archiver.model import Micros, Number, numbers_of, to_datetime, to_micros
from archiver.queries import vocabulary
from archiver.queries.event_filter import Filter, conditions, of_platform, where, within
from archiver.queries.telling import resources_of
from archiver.storage.database.reading import Connection, Instant, Row, instant, micros
from archiver.storage.database.statements import Values, by_platform, statement
from archiver.storage.pages import Ask
from archiver.storage.words import NO_RESOURCE

PAGE = 500
"""Events that are looked at at once."""
LOOKED_AT = 1_000
"""So many of the newest events are looked at, whatever they are about, before their resources are asked."""
_ONE_BY_ONE = 16
_FIRST_SPAN = 60 * 1_000_000
_WIDER = 4
"""Stretches of time that are looked at again and again, each so many times as long as the one before."""

EVENTS = "SELECT e.platform_id, e.id, e.occurred_at, e.resource_id, e.parent_list_id FROM events e"
_FITTING = EVENTS.replace(" FROM", ", CASE WHEN {} THEN 1 ELSE 0 END AS fits FROM")
_NEWEST, _OLDEST = "ORDER BY e.occurred_at DESC, e.id DESC", "ORDER BY e.occurred_at, e.id"
_HEARD = "SELECT p.last_at, p.resource_id FROM present p WHERE p.platform_id = :platform AND p.resource_id IN :numbers"
_PLATFORMS = "SELECT p.id FROM platforms p ORDER BY p.id"

Found = Row
"""Platform, number, instant, resource and list of parents of an event."""
Keep = Callable[[Connection, Sequence[Found]], Sequence[Found]]
"""Those of some events that are wanted."""


class Place(NamedTuple):
    """A place in the order of listings: behind this event."""

    occurred_at: Instant
    id: int


def newest(ask: Ask, wanted: Filter, limit: int) -> Sequence[Number]:
    """The numbers of the last events that fit, oldest first, whatever they are about."""
    if not wanted.has_words:
        return numbers(ask(_last, wanted, limit))
    about = ask(of_types, wanted)
    if about is None or len(about) > LOOKED_AT:
        near, place = walk_back(ask, wanted, limit, LOOKED_AT)
        if len(near) >= limit or place is None:
            return numbers(near[:limit])[::-1]
    if about is None:
        return numbers(ask(_last, wanted, limit))
    found = by_resources(ask, wanted, about, limit)
    if wanted.stream is not None and len(found) < limit:
        found = ask(_last, wanted, limit)  # it may have told of another platform before
    return numbers(found)


def numbers(found: Iterable[Found]) -> list[Number]:
    """The numbers of some events."""
    return [numbers_of(row.platform_id)(row.id) for row in found]


def about_none(connection: Connection, wanted: Filter) -> list[Number]:
    """What stands for the resource of events that are about none: one on each platform that is asked about."""
    platforms = connection.scalars(_PLATFORMS) if wanted.under is None else {each.platform for each in wanted.under}
    return [numbers_of(platform)(NO_RESOURCE) for platform in platforms]


def _last(connection: Connection, wanted: Filter, limit: int) -> list[Found]:
    """The last events that fit, oldest first, by looking at one after the other."""
    fits = conditions(connection, wanted)
    if fits is None:
        return []
    asked = statement(f"{EVENTS}{where([*fits, *within(wanted.range)])} {_NEWEST} LIMIT :limit")
    return connection.execute(asked, {"limit": limit, **wanted.range._asdict()}).all()[::-1]


# --- near the end of the archive, or from its beginning on ----------------------------------------------------------


def walk_back(
    ask: Ask, wanted: Filter, limit: int, most: int, keep: Keep | None = None
) -> tuple[list[Found], Place | None]:
    """Those of the newest events that fit, newest first; and the place where the looking ended, None: there is no more.

    It ends when there are `limit`, or when `most` were looked at.
    """
    found: list[Found] = []
    place: Place | None = None
    looked, size = 0, min(PAGE, max(limit, 100))
    while looked < most:
        rows, place = ask(step, wanted, place, size, keep)
        found += rows
        looked, size = looked + size, min(PAGE, 2 * size)
        if place is None or len(found) >= limit:
            break
    return found, place


def step(
    connection: Connection,
    wanted: Filter,
    place: Place | None,
    size: int,
    keep: Keep | None = None,
    *,
    forward: bool = False,
    end: int | None = None,
) -> tuple[list[Found], Place | None]:
    """Those of the next events behind a place that fit, and the place behind them all; None: there are no more.

    Each of them is looked at, whether it fits or not: so a step costs the same wherever it is.
    """
    fits = conditions(connection, wanted)
    if fits is None:
        return [], None
    is_wanted = " AND ".join(["1 = 1", *fits, *([] if end is None else ["e.id <= :end"])])
    values = {"end": end, "size": size, **wanted.range._asdict(), **_values(place)}
    behind = [] if place is None else [_behind(forward=forward)]
    every = where([*of_platform(wanted), *within(wanted.range), *behind])
    asked = f"{_FITTING.format(is_wanted)}{every} {_OLDEST if forward else _NEWEST} LIMIT :size"
    rows = connection.execute(statement(asked), values).all()
    kept: Sequence[Found] = [row for row in rows if row.fits]
    if keep is not None:
        kept = keep(connection, kept)
    return list(kept), None if len(rows) < size else Place(rows[-1].occurred_at, rows[-1].id)


def _behind(*, forward: bool) -> str:
    """The condition that an event lies behind a place, whose `_values` the statement has."""
    beyond = ">" if forward else "<"
    return f"e.occurred_at {beyond}= :at AND (e.occurred_at {beyond} :at OR e.id + 0 {beyond} :behind)"


def _values(place: Place | None) -> Values:
    return {} if place is None else {"at": place.occurred_at, "behind": place.id}


# --- by the resources that they are about ---------------------------------------------------------------------------


def by_resources(
    ask: Ask, wanted: Filter, numbers: Collection[Number], limit: int, keep: Keep | None = None
) -> list[Found]:
    """The last events about some resources, or about none, that fit, oldest first.

    Of a few resources each has its last ones read. Of more, looked at are those of which anything was heard in a
    stretch of time, and what was heard of them in it: the last minute first, and a longer one until there are enough.
    """
    none = ask(about_none, wanted)
    if len(numbers) <= _ONE_BY_ONE:
        each = [ask(_newest_of, wanted, number, limit, keep) for number in (*none, *numbers)]
        return heapq.nlargest(limit, chain(*each), key=_place)[::-1]
    of_none = [row for number in none for row in ask(_newest_of, wanted, number, limit, keep)]
    heard = sorted(ask(_last_heard, numbers), reverse=True)
    end, oldest = ask(ends, wanted)
    span = _FIRST_SPAN
    while True:
        count = limit * span // _FIRST_SPAN
        floor = max(end - span, heard[count][0] if count < len(heard) else oldest)
        about = [number for at, number in heard if at >= floor]
        found = ask(_since, wanted, about, max(floor, oldest), limit, keep)
        found += [row for row in of_none if micros(row.occurred_at) >= floor]
        if len(found) >= limit or floor <= oldest:
            return heapq.nlargest(limit, found, key=_place)[::-1]
        span *= _WIDER


def of_range(
    ask: Ask, wanted: Filter, numbers: Collection[Number], limit: int, keep: Keep | None = None
) -> list[Found]:
    """The last events of a range about some resources, or about none, that fit, oldest first.

    Everything that was told of these resources in the range is looked at.
    """
    _, first = ask(ends, wanted)
    heard = [number for at, number in ask(_last_heard, numbers) if at >= first]
    found = list(ask(_since, wanted, heard, first, limit, keep))
    for number in ask(about_none, wanted):
        found += ask(_newest_of, wanted, number, limit, keep)
    return heapq.nlargest(limit, found, key=_place)[::-1]


def _place(row: Found) -> tuple[Instant, int]:
    return row.occurred_at, row.id


def _newest_of(connection: Connection, wanted: Filter, number: Number, limit: int, keep: Keep | None) -> list[Found]:
    """The last events about one resource, or about none on a platform, that fit, newest first."""
    fits = conditions(connection, wanted)
    if fits is None:
        return []
    every = ["e.platform_id = :platform", "e.resource_id = :resource", *fits, *within(wanted.range)]
    size = min(max(limit, 100), PAGE)
    found: list[Found] = []
    place: Place | None = None
    while len(found) < limit:
        behind = [] if place is None else [_behind(forward=False)]
        asked = statement(f"{EVENTS}{where([*every, *behind])} {_NEWEST} LIMIT :size")
        values = {
            "platform": number.platform,
            "resource": number,
            "size": size,
            **wanted.range._asdict(),
            **_values(place),
        }
        rows = connection.execute(asked, values).all()
        if not rows:
            break
        found += rows if keep is None else keep(connection, rows)
        place = Place(rows[-1].occurred_at, rows[-1].id)
    return found[:limit]


def _last_heard(connection: Connection, numbers: Collection[Number]) -> list[tuple[Micros, Number]]:
    """When each of the resources was last heard of, of which anything was."""
    found: list[tuple[Micros, Number]] = []
    for among in by_platform(numbers):
        rows = connection.execute(statement(_HEARD), among.values())
        found += [(at, among.of(number)) for at, number in rows if at is not None]
    return found


def ends(connection: Connection, wanted: Filter) -> tuple[Micros, Micros]:
    """The last and the first instant at which anything can have happened that is wanted."""
    told = f"FROM events e{where(of_platform(wanted))}"
    ends = [connection.scalar(f"SELECT {which}(e.occurred_at) {told}") for which in ("min", "max")]
    if None in ends:
        return 0, 0
    first, last = map(instant, ends)
    since, until = wanted.range
    last = last if until is None else min(last, until)
    return to_micros(last), to_micros(first if since is None else max(first, since))


def _since(
    connection: Connection, wanted: Filter, numbers: Sequence[Number], floor: Micros, limit: int, keep: Keep | None
) -> list[Found]:
    """The last events about some resources from an instant on, newest first."""
    fits = conditions(connection, wanted)
    if fits is None:
        return []
    every = [*fits, *within(wanted.range), "e.occurred_at >= :floor"]
    values = {"floor": to_datetime(floor), **wanted.range._asdict()}
    return heapq.nlargest(limit, about(connection, every, values, numbers, keep), key=_place)


def about(
    connection: Connection,
    every: Sequence[str],
    values: Values,
    numbers: Iterable[Number],
    keep: Keep | None,
) -> Iterator[Found]:
    """The events that fulfil every condition and are about some resources, and of them those that are wanted.

    In no order.
    """
    asked = statement(f"{EVENTS}{where(['e.platform_id = :platform', 'e.resource_id IN :numbers', *every])}")
    for among in by_platform(numbers):
        found = iter(connection.execute(asked, among.values(**values)))
        while rows := list(islice(found, PAGE)):
            yield from rows if keep is None else keep(connection, rows)


def of_types(connection: Connection, wanted: Filter) -> list[Number] | None:
    """The resources whose events can be of the types; None where that cannot be told, or no types are wanted.

    Of a stream those of its platform, by which the last of what it told is found.
    """
    if wanted.stream is not None and wanted.under is None and not wanted.types:
        return resources_of(connection, wanted.stream)
    if not wanted.types or vocabulary.only_others(wanted.types):
        return None
    kinds = vocabulary.wanted(connection, "event_types", "p.type_id", wanted.types)
    if kinds is None:
        return []
    every = where([*of_platform(wanted, "p"), kinds, "p.last_at IS NOT NULL"])
    asked = f"SELECT p.platform_id, p.resource_id FROM present p{every}"
    return [numbers_of(platform)(number) for platform, number in connection.execute(asked)]

"""How available containers were, sliced by days, or by what lives on when they are replaced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from archiver.model import TimeRange
from archiver.model.reports import Available, Report, Sentence, Subject
from archiver.queries.asked import Asked, order, report, some
from archiver.queries.availability import SUCCESSION, Part, Piece, Status, is_inherited, together
from archiver.queries.calendar_days import by_day
from archiver.queries.containers import Lived, kinds, lived
from archiver.queries.never_back import Stops, said
from archiver.queries.platforms import several
from archiver.queries.stays import Stay
from archiver.queries.story import earlier, later
from archiver.storage.pages import Ask

_STATUSES: tuple[Status, ...] = ("up", "down", "planned", "unknown")
_SUCCEED = frozenset({"day", "slot", "service"})
"""By these a container and what took its place are reckoned together."""


class _Key(NamedTuple):
    """What a row is of."""

    day: str | None
    platform_id: int | None
    subject: Subject | None


def availability(ask: Ask, asked: Asked, known: Sequence[Lived] | None = None) -> Report:
    """How long the containers below a resource were up, each where it was then, and all together.

    `known`: those within the range, where they are known, of a report that is not sliced.
    """
    kind, names = ask(kinds), ask(several)
    found = list(lived(ask, asked.resource, _widened(asked), asked.now, kind)) if known is None else known
    totals: dict[_Key, Counter[Status]] = {}
    looped: Counter[Subject] = Counter()
    for unit in _units(found, asked).values():
        succeed = asked.per in _SUCCEED and unit[0].lived.stays.at(unit[0].since).slot is not None
        for piece in together(unit, kind, asked.since, asked.end, succeed=succeed):
            if piece.looped:
                last = unit[-1].lived
                subject = last.subject._replace(platform=names.get(last.platform_id))
                looped[subject] += (piece.until - piece.since).total_seconds()  # type: ignore[assignment]
            for key, seconds in _sliced(unit, piece, asked):
                totals.setdefault(key, Counter())[piece.status] += seconds  # type: ignore[assignment]
    rows = [_row(key, parts, names) for key, parts in totals.items()]
    rows.sort(key=lambda row: (row.day or "", row.subject is None, order(row.subject)))
    total = _row(_Key(None, None, None), sum(totals.values(), Counter()), {})
    stops = Stops(ask, asked, kind)
    away = [said(missing, names) for each in found if (missing := stops.never_back(each))]
    notes = [*some(away, "have not come back"), *some(list(_loops(looped)), "crashed in loops")]
    inherited = total.unknown_seconds > 0 and any(is_inherited(each, kind, asked.since, asked.end) for each in found)
    notes += _unknown(total, inherited)
    return report(ask, "availability", asked, rows, notes, total)._replace(inherited=inherited)


def _row(key: _Key, parts: Counter[Status], names: dict[int, str]) -> Available:
    subject = key.subject
    if subject is not None and key.platform_id in names:
        subject = subject._replace(platform=names[key.platform_id])
    return Available(key.day, subject, *(round(parts[status], 6) for status in _STATUSES))


def _widened(asked: Asked) -> TimeRange:
    """So far beyond the range it is looked for what a container took the place of, and for what took its place."""
    if asked.per not in _SUCCEED:
        return asked.range
    since, until = asked.range
    return TimeRange(since and earlier(since, SUCCESSION), until and later(until, SUCCESSION))


def _units(found: Iterable[Lived], asked: Asked) -> dict[Hashable, list[Part]]:
    """Containers of which one takes the other's place, together; without such a slice, each by itself."""
    units: dict[Hashable, list[Part]] = {}
    for each in found:
        for begin, end in each.below:
            for since, until, stay in each.stays.within(begin, end):
                units.setdefault(_place(each, stay, asked), []).append(Part(each, since, until))
    return units


def _place(each: Lived, stay: Stay, asked: Asked) -> Hashable:
    if asked.per not in _SUCCEED:
        return each.resource.id
    service = stay.places.get("service")
    if stay.slot is None:
        return each.resource.id, service if asked.per == "service" else None
    return each.platform_id, service and service.uri, stay.slot


def _sliced(unit: Sequence[Part], piece: Piece, asked: Asked) -> Iterator[tuple[_Key, float]]:
    """How many seconds of a piece are of which row."""
    if asked.per == "day":
        for day, seconds in by_day(piece.since, piece.until, asked.zone):
            yield _Key(day, None, None), seconds
        return
    lived = unit[0].lived
    if asked.per in _SUCCEED:
        stay = lived.stays.at(unit[0].since)
        yield _key(lived, stay, asked), (piece.until - piece.since).total_seconds()
        return
    for since, until, stay in lived.stays.within(piece.since, piece.until):
        yield _key(lived, stay, asked), (until - since).total_seconds()


def _key(lived: Lived, stay: Stay, asked: Asked) -> _Key:
    subject = slice_of(lived, stay, asked.per)
    return _Key(None, None if subject.type == "image" else lived.platform_id, subject)


def slice_of(lived: Lived, stay: Stay, per: str | None) -> Subject:
    """What a row about a container is of when it is sliced, as it was then; what is not known is the container."""
    if per == "slot" and stay.slot is not None:
        return Subject(None, "slot", stay.slot)
    if per == "image" and stay.image is not None:
        return Subject(None, "image", stay.image)
    return stay.places.get(per or "", lived.subject)


def _loops(looped: Counter[Subject]) -> Iterator[Sentence]:
    for subject, seconds in sorted(looped.items(), key=lambda found: order(found[0])):
        length = timedelta(seconds=seconds)
        yield subject, " crashed again and again: ", length, " in which it ran count as down"


def _unknown(total: Available, inherited: bool) -> Iterator[Sentence]:
    if total.unknown_seconds:
        length = timedelta(seconds=total.unknown_seconds)
        yield length, " of all lives are not known: nobody was watching, or the state is of no known kind"
    if inherited:
        yield ("of what stood when the range began some was last told before a gap: until told again it is not known",)

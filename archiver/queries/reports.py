"""Reports: how available containers were, what restarted and why, how well streams were watched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from archiver.model import EPOCH, Coverage, Resource, TimeRange
from archiver.model.reports import Available, Per, Report, Restart, Restarts, Subject, Watched
from archiver.queries import viewed
from archiver.queries.availability import Piece, Status, together
from archiver.queries.causes import is_gone
from archiver.queries.changed import changes_of
from archiver.queries.containers import KindOf, Lived, kinds, lived
from archiver.queries.coverage import coverage, speaking
from archiver.queries.neighbours import members
from archiver.storage.pages import Ask
from archiver.storage.reading import Connection, instant
from archiver.storage.statements import statement

_STATUSES: tuple[Status, ...] = ("up", "down", "planned", "unknown")


class Asked(NamedTuple):
    """What a report is about."""

    resource: Resource | None
    range: TimeRange
    per: Per | None
    now: datetime
    zone: tzinfo | None
    """Of which zone days are; None: of the machine's."""

    @property
    def end(self) -> datetime:
        """When the range ends, or now."""
        return self.now if self.range.until is None else min(self.range.until, self.now)

    @property
    def zone_name(self) -> str:
        """What that zone is called."""
        return "UTC" if self.zone is UTC else str(self.now.astimezone(self.zone).tzname())


# --- availability ---------------------------------------------------------------------------------------------------


def availability(ask: Ask, asked: Asked) -> Report:
    """How long the containers below a resource were up; sliced by days, or by what lives on when they are replaced."""
    kind = ask(kinds)
    found = list(lived(ask, asked.resource, asked.range, asked.now))
    totals: dict[tuple[str | None, Subject | None], Counter[Status]] = {}
    for unit in _units(found, asked.per):
        subject = _subject(unit, asked.per)
        for piece in together(unit, kind, asked.end):
            for day, seconds in _by_day(piece, asked):
                totals.setdefault((day, subject), Counter())[piece.status] += seconds  # type: ignore[assignment]
    rows = [Available(*key, *(round(parts[status], 6) for status in _STATUSES)) for key, parts in totals.items()]
    rows.sort(key=lambda row: (row.day or "", row.subject is None, _order(row.subject)))
    return _report(ask, "availability", asked, rows, [*_never_came_back(found), *_unknown(rows)])


def _units(found: Iterable[Lived], per: Per | None) -> list[list[Lived]]:
    """Containers of which one takes the other's place, together; without a slice, each by itself."""
    units: dict[Hashable, list[Lived]] = {}
    for each in found:
        service = each.places.get("service")
        together = per in ("day", "slot", "service") and each.slot is not None
        place = (each.platform_id, service and service.uri, each.slot)
        units.setdefault(place if together else each.resource.id, []).append(each)
    return list(units.values())


def _subject(unit: Sequence[Lived], per: Per | None) -> Subject | None:
    last = max(unit, key=lambda each: each.spans[-1].since)
    if per == "day":
        return None
    if per == "slot" and last.slot is not None:
        return Subject(None, "slot", last.slot)
    if per == "image" and last.image is not None:
        return Subject(None, "image", last.image)
    return last.places.get(per or "", last.subject)


def _order(subject: Subject | None) -> tuple[str, str]:
    return ("", "") if subject is None else (subject.name or "", subject.uri or "")


def _by_day(piece: Piece, asked: Asked) -> Iterator[tuple[str | None, float]]:
    """How many seconds of a stretch are of which day; without days, all of them."""
    if asked.per != "day":
        yield None, (piece.until - piece.since).total_seconds()
        return
    since = piece.since
    while since < piece.until:
        local = since.astimezone(asked.zone)
        midnight = _midnight_after(local, asked.zone)
        until = min(midnight, piece.until)
        yield local.date().isoformat(), (until - since).total_seconds()
        since = until


def _midnight_after(local: datetime, zone: tzinfo | None) -> datetime:
    day = local.date() + timedelta(days=1)
    naive = datetime(day.year, day.month, day.day)
    return (naive.astimezone() if zone is None else naive.replace(tzinfo=zone)).astimezone(UTC)


def _never_came_back(found: Iterable[Lived]) -> Iterator[str]:
    for each in found:
        last = each.spans[-1]
        told = last.cause is not None and last.cause.kind in ("told", "forced")
        if told and not is_gone(last.state):
            yield (
                f"{each.resource.name or each.resource.uri} was told to stop at {last.since:%Y-%m-%dT%H:%M:%SZ}"
                " and has not come back"
            )


def _unknown(rows: Iterable[Available]) -> Iterator[str]:
    unknown = sum(row.unknown_seconds for row in rows)
    if unknown:
        yield f"{round(unknown)} s of all lives were not watched, or their state is of no known kind"


# --- restarts -------------------------------------------------------------------------------------------------------


def restarts(ask: Ask, asked: Asked) -> Report:
    """What stopped and came back, itself or in its slot, and why; sliced: how often."""
    kind = ask(kinds)
    found = list(lived(ask, asked.resource, asked.range, asked.now))
    units = _units(found, "slot")
    rows = sorted(
        (each for unit in units for each in _restarts(unit, kind)),
        key=lambda each: (each[1].stopped_at, each[1].subject),
    )
    notes = list(_never_came_back(found))
    if asked.per is None:
        return _report(ask, "restarts", asked, [row for _, row in rows], notes)
    return _report(ask, "restarts", asked, _counted(rows, asked), notes)


def _restarts(unit: Sequence[Lived], kind: KindOf) -> Iterator[tuple[Lived, Restart]]:
    starts = sorted((span.since, span.certain) for each in unit for span in each.spans if kind(span.state) == "up")
    for each in unit:
        for span in each.spans:
            if span.cause is None:
                continue
            start = next(((at, certain) for at, certain in starts if at >= span.since), None)
            if start is not None:
                down = (start[0] - span.since).total_seconds()
                yield each, Restart(each.subject, each.slot, span.since, start[0], down, span.cause, span.certain)


def _counted(rows: Iterable[tuple[Lived, Restart]], asked: Asked) -> list[Restarts]:
    """How often each restarted, the one that crashed most first; days in their order."""
    counts: dict[tuple[str | None, Subject | None], Counter[str]] = {}
    down: Counter[tuple[str | None, Subject | None]] = Counter()
    for each, row in rows:
        day = row.stopped_at.astimezone(asked.zone).date().isoformat() if asked.per == "day" else None
        key = (day, _subject([each], asked.per))
        counts.setdefault(key, Counter())[row.cause.kind] += 1
        down[key] += row.down_seconds  # type: ignore[assignment]
    found = [
        Restarts(*key, of.total(), of["told"], of["forced"], of["crash"], of["oom"], of["unknown"], round(down[key], 6))
        for key, of in counts.items()
    ]
    return sorted(found, key=lambda row: (row.day or "", -row.crash - row.oom, -row.restarts, _order(row.subject)))


# --- changes --------------------------------------------------------------------------------------------------------


def changes(ask: Ask, asked: Asked) -> Report:
    """All that changed below a resource, by time."""
    whole = asked.range._replace(since=asked.range.since or EPOCH, until=asked.end)
    rows = changes_of(ask, ask(members, asked.resource, whole), whole, asked.end, asked.now)
    rows.sort(key=lambda row: (row.at, row.uri))
    return _report(ask, "changes", asked, rows, [])


# --- deploys and flaps -----------------------------------------------------------------------------------------------


def deploys(ask: Ask, asked: Asked) -> Report:
    """Every update or redeploy below a resource, until it was settled again."""
    rows = ask(viewed.deploys, asked.resource, asked.range, asked.end)
    still = [row for row in rows if row.result == "open"]
    notes = [f"{row.subject.name or row.subject.uri}: it is not known how its deploy ended" for row in still]
    return _report(ask, "deploys", asked, rows, notes)


def flaps(ask: Ask, asked: Asked) -> Report:
    """When something below a resource changed its state again and again."""
    return _report(ask, "flaps", asked, ask(viewed.flaps, asked.resource, asked.range, asked.end), [])


# --- coverage -------------------------------------------------------------------------------------------------------


def watched(ask: Ask, asked: Asked) -> Report:
    """How long each stream was watched."""
    found = ask(_coverage, asked)
    streams = ask(_first_sessions)
    rows: list[Watched] = []
    for stream, first in streams:
        begin = first if asked.range.since is None else max(first, asked.range.since)
        if begin >= asked.end:
            continue
        gaps = [
            Piece(gap.since or begin, gap.until or asked.end, "unknown") for gap in found.gaps if gap.stream == stream
        ]
        rows += _watched(stream, Piece(begin, asked.end, "up"), gaps, asked)
    rows.sort(key=lambda row: (row.day or "", row.stream))
    return _report(ask, "coverage", asked, rows, [])


def _watched(stream: str, whole: Piece, gaps: Sequence[Piece], asked: Asked) -> Iterator[Watched]:
    seconds: Counter[str | None] = Counter()
    blind: dict[str | None, list[float]] = {}
    for day, length in _by_day(whole, asked):
        seconds[day] += length  # type: ignore[assignment]
    for gap in gaps:
        clipped = gap._replace(since=max(gap.since, whole.since), until=min(gap.until, whole.until))
        for day, length in _by_day(clipped, asked) if clipped.since < clipped.until else ():
            blind.setdefault(day, []).append(length)
    for day, length in seconds.items():
        lost = blind.get(day, [])
        yield Watched(day, stream, round(length - sum(lost), 6), round(sum(lost), 6), len(lost), max(lost, default=0))


_SESSIONS = (
    "SELECT s.url, min(o.covered_from) AS first_at FROM streams s JOIN sessions o ON o.stream_id = s.id"
    " GROUP BY s.url ORDER BY s.url"
)


def _first_sessions(connection: Connection) -> list[tuple[str, datetime]]:
    """Every stream that was ever watched, and since when: before that nobody was meant to watch."""
    return [(row.url, instant(row.first_at)) for row in connection.execute(statement(_SESSIONS))]


def _coverage(connection: Connection, asked: Asked) -> Coverage:
    about = None if asked.resource is None else speaking(connection, [asked.resource])
    return coverage(connection, asked.range, asked.now, about)


def _report(ask: Ask, name: str, asked: Asked, rows: Sequence[Any], notes: Sequence[str]) -> Report:
    found = ask(_coverage, asked)
    return Report(
        name, asked.resource, asked.range, asked.per, asked.zone_name, found, tuple(rows), (*notes, *_said_of(found))
    )


def _said_of(found: Coverage) -> Iterator[str]:
    """What the coverage leaves open."""
    if any(gap.stream is None for gap in found.gaps):
        yield "nobody wrote down whether anybody was watching (imported): what is not told counts as not watched"
    elif not found.complete:
        yield "nobody was watching for a part of the range: what happened then may be missing"

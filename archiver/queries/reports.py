"""Reports on what changed, on deploys and flaps, and how well streams were watched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from archiver.model import EPOCH
from archiver.model.reports import Report, Sentence, Watched
from archiver.queries import viewed
from archiver.queries.asked import Asked, coverage_of, report, streams_of
from archiver.queries.calendar_days import by_day
from archiver.queries.changed import changes_below
from archiver.queries.recreated import recreations
from archiver.storage.database.reading import Connection, instant
from archiver.storage.database.statements import statement
from archiver.storage.pages import Ask

_Stretch = tuple[datetime, datetime]

# --- changes --------------------------------------------------------------------------------------------------------


def changes(ask: Ask, asked: Asked) -> Report:
    """All that changed below a resource, by time."""
    whole = asked.range._replace(since=asked.range.since or EPOCH, until=asked.end)
    rows = changes_below(ask, asked.resource, whole, asked.end, asked.now)
    rows.sort(key=lambda row: (row.at, row.uri))
    return report(ask, "changes", asked, rows, [])


# --- deploys and flaps -----------------------------------------------------------------------------------------------


def deploys(ask: Ask, asked: Asked) -> Report:
    """Every update or redeploy below a resource, until it was settled again, and what Compose recreated."""
    rows = [*ask(viewed.deploys, asked.resource, asked.range, asked.end), *recreations(ask, asked)]
    rows.sort(key=lambda row: (row.started_at, row.subject.uri or "", row.subject.platform or ""))
    still = [row for row in rows if row.result == "open"]
    notes: list[Sentence] = [(row.subject, ": it is not known how its deploy ended") for row in still]
    notes += [(row.subject, f": not up after its deploy: {', '.join(row.not_up)}") for row in rows if row.not_up]
    return report(ask, "deploys", asked, rows, notes)


def flaps(ask: Ask, asked: Asked) -> Report:
    """When something below a resource changed its state again and again."""
    return report(ask, "flaps", asked, ask(viewed.flaps, asked.resource, asked.range, asked.end), [])


# --- coverage -------------------------------------------------------------------------------------------------------


def watched(ask: Ask, asked: Asked) -> Report:
    """How long each stream was watched."""
    found = ask(coverage_of, asked)
    streams = ask(_first_sessions, asked)
    rows: list[Watched] = []
    for stream, first in streams:
        begin = first if asked.range.since is None else max(first, asked.range.since)
        if begin >= asked.end:
            continue
        gaps = [(gap.since or begin, gap.until or asked.end) for gap in found.gaps if gap.stream == stream]
        rows += _watched(stream, (begin, asked.end), gaps, asked)
    rows.sort(key=lambda row: (row.day or "", row.stream))
    return report(ask, "coverage", asked, rows, [])


def _watched(stream: str, whole: _Stretch, gaps: Sequence[_Stretch], asked: Asked) -> Iterator[Watched]:
    seconds: Counter[str | None] = Counter()
    blind: dict[str | None, list[float]] = {}
    for day, length in _by_day(whole, asked):
        seconds[day] += length  # type: ignore[assignment]
    for since, until in gaps:
        for day, length in _by_day((max(since, whole[0]), min(until, whole[1])), asked):
            blind.setdefault(day, []).append(length)
    for day, length in seconds.items():
        lost = blind.get(day, [])
        yield Watched(day, stream, round(length - sum(lost), 6), round(sum(lost), 6), len(lost), max(lost, default=0))


def _by_day(stretch: _Stretch, asked: Asked) -> Iterator[tuple[str | None, float]]:
    since, until = stretch
    if asked.per == "day":
        yield from by_day(since, until, asked.zone)
    elif since < until:
        yield None, (until - since).total_seconds()


_SESSIONS = (
    "SELECT s.id, s.url, min(o.covered_from) AS first_at FROM streams s JOIN sessions o ON o.stream_id = s.id"
    " GROUP BY s.id, s.url ORDER BY s.url"
)


def _first_sessions(connection: Connection, asked: Asked) -> list[tuple[str, datetime]]:
    """The streams that speak for what is asked about, and since when: before that nobody was meant to watch."""
    about = streams_of(connection, asked)
    rows = connection.execute(statement(_SESSIONS))
    return [(row.url, instant(row.first_at)) for row in rows if about is None or row.id in about]

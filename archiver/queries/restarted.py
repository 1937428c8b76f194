"""What stopped and came back, itself or in its slot, or never came back, and why; sliced: how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from archiver.model.reports import Report, Restart, Restarts, Subject
from archiver.queries.asked import Asked, order, report, some
from archiver.queries.available import slice_of
from archiver.queries.calendar_days import day_of
from archiver.queries.causes import is_wanted
from archiver.queries.containers import Lived, kinds, lived
from archiver.queries.history import hides
from archiver.queries.never_back import Stopped, Stops, said
from archiver.queries.platforms import several
from archiver.storage.pages import Ask


def restarts(ask: Ask, asked: Asked, known: Iterable[Lived] | None = None) -> Report:
    """What stopped within the range, and when it came back; what never did stands first.

    A stop is of the range in which it came, though its start came later. `known`: the containers, where they are known.
    """
    kind, names = ask(kinds), ask(several)
    stops = Stops(ask, asked, kind)
    found = [
        stopped
        for each in (lived(ask, asked.resource, asked.range, asked.now, kind) if known is None else known)
        for stopped in stops.of(each)
        if stopped.start is not None or stopped.is_missing
    ]
    found.sort(key=_order)
    if asked.per is None:
        return report(ask, "restarts", asked, [_row(stopped, asked, names) for stopped in found])
    notes = list(some([said(stopped, names) for stopped in found if stopped.is_missing], "have not come back"))
    return report(ask, "restarts", asked, _counted(found, asked, names), notes)


def _order(stopped: Stopped) -> tuple[int, datetime, tuple[str, str, str]]:
    """First what crashed and never came back, then all else that never did, then the restarts by time."""
    cause = stopped.span.cause
    rank = 2 if stopped.start is not None else 1 if cause is not None and is_wanted(cause) else 0
    return rank, stopped.span.since, order(stopped.lived.subject)


def _subject(stopped: Stopped, subject: Subject, names: dict[int, str]) -> Subject:
    return subject if subject.type == "image" else subject._replace(platform=names.get(stopped.lived.platform_id))


def _row(stopped: Stopped, asked: Asked, names: dict[int, str]) -> Restart:
    each, span, start = stopped
    assert span.cause is not None
    down = None if start is None else (start - span.since).total_seconds()
    subject = _subject(stopped, each.subject, names)
    certain = _is_certain(stopped, asked)
    return Restart(subject, each.stays.at(span.since).slot, span.since, start, down, span.cause, certain)


def _is_certain(stopped: Stopped, asked: Asked) -> bool | None:
    """Whether somebody was watching from an end to the start, or as long as the range lasts, as in the view `restarts`.

    What is told of behind the range, so that loops of crashes are known, is no doubt of it.
    """
    each, span, start = stopped
    if span.certain is None:
        return None
    until = start or asked.range.until
    watched = all(not hides(gap, span.since, until) for gap in each.gaps)
    return watched and span.cause is not None and span.cause.kind != "unknown"


def _counted(found: Sequence[Stopped], asked: Asked, names: dict[int, str]) -> list[Restarts]:
    """How often each stopped, the one that crashed most first; days in their order."""
    counts: dict[tuple[str | None, Subject | None], Counter[str]] = {}
    down: Counter[tuple[str | None, Subject | None]] = Counter()
    for stopped in found:
        each, span, start = stopped
        assert span.cause is not None
        if asked.per == "day":
            key: tuple[str | None, Subject | None] = (day_of(span.since, asked.zone), None)
        else:
            key = (None, _subject(stopped, slice_of(each, each.stays.at(span.since), asked.per), names))
        counts.setdefault(key, Counter())[span.cause.kind] += 1
        if start is None:
            counts[key]["not_back"] += 1
        else:
            counts[key]["restarts"] += 1
            down[key] += (start - span.since).total_seconds()  # type: ignore[assignment]
    rows = [
        Restarts(
            *key,
            of["restarts"],
            of["told"],
            of["forced"],
            of["crash"],
            of["oom"],
            of["unknown"],
            round(down[key], 6),
            of["not_back"],
        )
        for key, of in counts.items()
    ]
    return sorted(rows, key=lambda row: (row.day or "", -row.crash - row.oom, -row.restarts, order(row.subject)))

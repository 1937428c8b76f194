"""The timeline of a resource for a person or a program; no state is ever drawn across a gap as if it were known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from archiver.cli import times
from archiver.cli.escape import escape
from archiver.cli.output import (
    NOTHING,
    Column,
    Presentation,
    blocks,
    documents,
    render,
    short_reference,
    table_lines,
    to_json,
)
from archiver.cli.states import DIM, is_gone, state_style
from archiver.model import Coverage, Gap, History, Resource, Span

UNWATCHED = "(not watched)"
_EARLIEST = datetime.min.replace(tzinfo=UTC)
SOME_REASONS = 3
"""So many different reasons are named in one line."""


def answer(presentation: Presentation, histories: Iterable[History], *, several: bool) -> Iterator[str]:
    """The lines of an answer about one resource, or about `several`, however many there are."""
    if not several:
        return chain.from_iterable(lines(presentation, history) for history in histories)
    if presentation.format == "table":
        return blocks(lines(presentation, history) for history in histories)
    if presentation.format in ("json", "jsonl"):
        return documents(presentation, (to_json(document(history)) for history in histories))
    spans = ((history.resource.uri, span) for history in histories for span in history.spans)
    return render(presentation, SPAN_OF_COLUMNS, spans)


def lines(presentation: Presentation, history: History) -> Iterator[str]:
    """The lines of an answer about one resource in the format asked for."""
    if presentation.format == "table":
        yield headline(presentation, history)
        yield coverage_line(presentation, history)
        rows = timeline_rows(history)
        if rows:
            yield ""
            yield from table_lines(presentation, ROW_COLUMNS, rows)
    elif presentation.format == "json":
        yield to_json(document(history), indent=2)
    else:
        yield from render(presentation, SPAN_COLUMNS, history.spans)


# --- for a program --------------------------------------------------------------------------------------------------


def _span_seconds(span: Span) -> int | float | None:
    return None if span.until is None else times.seconds(span.until - span.since)


SPAN_COLUMNS: list[Column[Span]] = [
    Column("state", lambda span: span.state),
    Column("since", lambda span: span.since),
    Column("until", lambda span: span.until),
    Column("seconds", _span_seconds),
    Column("events", lambda span: span.events),
]
SPAN_OF_COLUMNS: list[Column[tuple[str, Span]]] = [
    Column("uri", lambda row: row[0]),
    Column("state", lambda row: row[1].state),
    Column("since", lambda row: row[1].since),
    Column("until", lambda row: row[1].until),
    Column("seconds", lambda row: _span_seconds(row[1])),
    Column("events", lambda row: row[1].events),
]


def document(history: History) -> dict[str, Any]:
    """The answer as the contract has it."""
    resource = history.resource
    return {
        "resource": {
            "uri": resource.uri,
            "type": resource.type,
            "name": resource.name,
            "parents": list(resource.parents),
        },
        "range": {"since": history.range.since, "until": history.range.until},
        "coverage": coverage_document(history.coverage),
        "spans": [{column.name: column.value(span) for column in SPAN_COLUMNS} for span in history.spans],
    }


def coverage_document(coverage: Coverage) -> dict[str, Any]:
    """Coverage as the contract has it."""
    gaps = [{"from": gap.since, "to": gap.until, "reason": gap.reason} for gap in coverage.gaps]
    return {"complete": coverage.complete, "gaps": gaps}


# --- for a person ---------------------------------------------------------------------------------------------------


def headline(presentation: Presentation, history: History) -> str:
    """What the reader wants to know first, in one line: how it is now, or how it was at the end of the range."""
    subject = _subject(history.resource)
    if not history.spans:
        return f"{subject}: no state is known in this range"
    last = history.spans[-1]
    state = presentation.paint(escape(last.state), state_style(last.state))
    since = times.clock(last.since, presentation.now, presentation.zone)
    end = history.range.until
    if last.until is not None:
        return (
            f"{subject} was {state} from {since} until {times.clock(last.until, presentation.now, presentation.zone)}"
        )
    if end is not None and end <= presentation.now:
        return f"{subject} was {state} at {times.clock(end, presentation.now, presentation.zone)}, since {since}"
    age = times.duration(presentation.now - last.since)
    if is_gone(last.state):
        return f"{subject} was {state} at {since} ({age} ago)"
    if not _is_watched(history):
        return f"{subject} was {state} since {since} when last heard of"
    unseen = _after(last.since, history.coverage.gaps)
    if not unseen:
        return f"{subject} is {state} since {since} ({age})"
    if unseen[-1].until is None:
        return f"{subject} was {state} since {since} when last seen; nobody is watching now"
    blind = _total(unseen, last.since, presentation.now)
    return f"{subject} was {state} since {since} when last seen; nobody was watching for {blind} after that"


def coverage_line(presentation: Presentation, history: History) -> str:
    """Whether somebody was watching, in one line."""
    gaps = history.coverage.gaps
    if not gaps:
        return "watched throughout"
    if not _is_watched(history):
        return escape(gaps[0].reason)
    start, end = _bounds(presentation, history)
    count = "1 gap" if len(gaps) == 1 else f"{len(gaps)} gaps"
    reasons = list(dict.fromkeys(escape(gap.reason) for gap in gaps))
    named = ", ".join(reasons[:SOME_REASONS]) + (", ..." if len(reasons) > SOME_REASONS else "")
    if start is None or (history.range.since is None and any(gap.since is None for gap in gaps)):
        return f"nobody was watching for {count}: {named}"
    return f"nobody was watching for {count}, {_total(gaps, start, end)} in all: {named}"


def _is_watched(history: History) -> bool:
    """False for what was imported without its sessions: then nothing is known about gaps, not even that there are."""
    return not any(gap.stream is None for gap in history.coverage.gaps)


def _subject(resource: Resource) -> str:
    return (
        f"{escape(resource.type)} {escape(resource.name)}" if resource.name else escape(short_reference(resource.uri))
    )


def _bounds(presentation: Presentation, history: History) -> tuple[datetime | None, datetime]:
    starts = [gap.since for gap in history.coverage.gaps if gap.since] + [span.since for span in history.spans[:1]]
    start = history.range.since or min(starts, default=None)
    return start, history.range.until or presentation.now


def _after(moment: datetime, gaps: Sequence[Gap]) -> list[Gap]:
    return [gap for gap in gaps if gap.until is None or gap.until > moment]


def _total(gaps: Sequence[Gap], start: datetime, end: datetime) -> str:
    """How long nobody was watching between two instants; what two streams missed at once counts once."""
    total, reached = timedelta(0), start
    for since, until in sorted((gap.since or start, gap.until or end) for gap in gaps):
        since, until = max(since, reached), min(until, end)
        if until > since:
            total += until - since
            reached = until
    return times.duration(total)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the timeline: a piece of a span, or a gap."""

    state: str
    since: datetime | None
    until: datetime | None
    events: int | None
    note: str
    known: bool = True


def timeline_rows(history: History) -> list[Row]:
    """Spans and gaps in order; a span is cut at each gap in it, and what lies behind the gap is marked as not known."""
    gaps = sorted(history.coverage.gaps, key=lambda gap: gap.since or _EARLIEST) if _is_watched(history) else []
    rows = [row for span in history.spans for row in _pieces(span, gaps)]
    rows += [Row(UNWATCHED, gap.since, gap.until, None, gap.reason, known=False) for gap in gaps]
    return sorted(rows, key=lambda row: (row.since or _EARLIEST, row.state == UNWATCHED))


def _pieces(span: Span, gaps: Sequence[Gap]) -> Iterator[Row]:
    inside = [
        gap for gap in gaps if gap.since and span.since < gap.since and (not span.until or gap.since < span.until)
    ]
    known = not any(
        (gap.since is None or gap.since <= span.since) and (gap.until is None or gap.until > span.since) for gap in gaps
    )
    end = inside[0].since if inside else span.until
    notes = ("observed" if span.observed else "" if known else "last known", span.note)
    note = ", ".join(filter(None, notes))
    yield Row(span.state if known else f"{span.state}?", span.since, end, span.events, note, known)
    reached = span.since
    for position, gap in enumerate(inside, 1):
        if gap.until is None:
            return
        reached = max(reached, gap.until)
        stop = inside[position].since if position < len(inside) else span.until
        if stop is None or stop > reached:
            yield Row(f"{span.state}?", reached, stop, None, "last known", known=False)


def _until(presentation: Presentation, row: Row) -> str:
    return presentation.instant(row.until) if row.until else "now"


def _duration(presentation: Presentation, row: Row) -> str:
    return times.duration((row.until or presentation.now) - row.since) if row.since else NOTHING


def _style(row: Row) -> str:
    return state_style(row.state) if row.known else DIM


ROW_COLUMNS: list[Column[Row]] = [
    Column("state", lambda row: row.state, style=_style),
    Column("since", lambda row: row.since),
    Column("until", lambda row: row.until, _until),
    Column("duration", lambda row: None, _duration, right=True),
    Column("events", lambda row: row.events, right=True),
    Column("note", lambda row: row.note, lambda presentation, row: escape(row.note)),
]

"""The timeline of a resource for a person or a program; no state is ever drawn across a gap as if it were known."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from archiver.cli import times
from archiver.cli.escape import escape
from archiver.cli.listing.cells import plain_cell, to_json
from archiver.cli.listing.columns import Column, machine_columns, refuse_fields
from archiver.cli.listing.output import blocks, render, turned
from archiver.cli.listing.tables import table_lines
from archiver.cli.presentation import NOTHING, Presentation
from archiver.cli.words.causes import cause_words
from archiver.cli.words.coverage import PROVEN, coverage_line, is_watched, total
from archiver.cli.words.namesakes import Namesakes, subject_of
from archiver.cli.words.states import DIM, is_gone, state_style
from archiver.cli.writing import Part
from archiver.codec.visible import short_reference
from archiver.model import Action, Gap, History, Resource, Span, Timeline
from archiver.model.empty import IN_WORDS
from archiver.report import documents

UNWATCHED = "(not watched)"
NOTED = "(note)"
_EARLIEST = datetime.min.replace(tzinfo=UTC)

Answer = History | Timeline


def answer(
    presentation: Presentation, histories: Iterable[Answer], *, several: bool, namesakes: Namesakes | None = None
) -> Iterator[str]:
    """The lines of an answer about one resource, or about `several`, however many there are, and their `namesakes`."""
    if presentation.format == "name":
        return (escape(history.resource.uri) for history in histories if history.first is not None)
    if presentation.format == "json" or (several and presentation.format == "jsonl"):
        refuse_fields(presentation)
    if not several:
        return chain.from_iterable(lines(presentation, history) for history in histories)
    if presentation.format == "table" and not presentation.fields:
        return blocks(lines(presentation, history, namesakes) for history in histories)
    if presentation.format in ("json", "jsonl"):
        return _documents(presentation, histories)
    spans = ((history.resource.uri, span) for history in histories for span in turned(presentation, history.spans))
    return render(presentation._replace(reverse=False), SPAN_OF_COLUMNS, spans)


def lines(presentation: Presentation, history: Answer, namesakes: Namesakes | None = None) -> Iterator[str]:
    """The lines of an answer about one resource in the format asked for."""
    if presentation.format == "table" and not presentation.fields:
        yield headline(presentation, history, namesakes)
        yield _coverage_line(presentation, history)
        rows = turned(presentation, timeline_rows(history))
        columns = WIDE_COLUMNS if presentation.wide else ROW_COLUMNS
        for number, line in enumerate(table_lines(presentation, columns, rows)):
            yield from ("", line) if not number else (line,)
    elif presentation.format == "json":
        yield from _indented(history, turned(presentation, history.spans))
    else:
        yield from render(presentation, SPAN_COLUMNS, history.spans)


# --- for a program --------------------------------------------------------------------------------------------------


def _of_span(field: documents.Field[Span]) -> Callable[[tuple[str, Span]], Any]:
    return lambda row: field.value(row[1])


def _doubted(_presentation: Presentation, span: Span) -> str:
    return plain_cell(span.state) + ("?" if span.certain is False else "")


SPAN_COLUMNS: list[Column[Span]] = [
    column._replace(human=_doubted) if column.name == "state" else column for column in machine_columns(documents.SPAN)
]


def _doubted_of(field: documents.Field[Span]) -> Callable[[Presentation, tuple[str, Span]], str] | None:
    return None if field.name != "state" else lambda presentation, row: _doubted(presentation, row[1])


SPAN_OF_COLUMNS: list[Column[tuple[str, Span]]] = [
    Column("uri", lambda row: row[0]),
    *(Column(field.name, _of_span(field), _doubted_of(field)) for field in documents.SPAN if not field.extra),
]


def _indented(history: Answer, spans: Iterable[Span]) -> Iterator[str]:
    """The lines of a document for one resource, however many spans it has."""
    yield to_json(documents.head(history), indent=2)[:-2] + ","
    held: str | None = None
    for span in spans:
        yield '  "spans": [' if held is None else f"{held},"
        # As with an indent, but by the encoder in C: but for the cause all its items are flat.
        flat = documents.span(span)
        cause = to_json(flat.pop("cause"))
        held = "    {\n      " + to_json(flat, between=",\n      ")[1:-1] + f',\n      "cause": {cause}\n    }}'
    yield from ('  "spans": []',) if held is None else (held, "  ]")
    yield "}"


def _documents(presentation: Presentation, histories: Iterable[Answer]) -> Iterator[str]:
    """Documents as one list, or one a line, in parts: a single one may be longer than fits into memory."""
    many = presentation.format == "json"
    number = -1
    for number, history in enumerate(histories):
        if many:
            yield Part(",\n  " if number else "[\n  ")
        yield Part(to_json(documents.head(history))[:-1] + ', "spans": [')
        for place, span in enumerate(turned(presentation, history.spans)):
            yield Part((", " if place else "") + to_json(documents.span(span)))
        yield Part("]}") if many else "]}"
    if many:
        yield "[]" if number < 0 else "\n]"


# --- for a person ---------------------------------------------------------------------------------------------------


def headline(presentation: Presentation, history: Answer, namesakes: Namesakes | None = None) -> str:
    """What the reader wants to know first, in one line: how it is now, or how it was at the end of the range."""
    subject = _called(presentation, history.resource, namesakes)
    last = history.last
    if last is None:
        why = f": {IN_WORDS[history.empty]}" if history.empty else ""
        return f"{subject}: no state is known in this range{why}"
    state = presentation.paint(escape(last.state), state_style(last.state))
    since = times.clock(last.since, presentation.now, presentation.zone)
    end = history.range.until
    if last.until is not None:
        return (
            f"{subject} was {state} from {since} until {times.clock(last.until, presentation.now, presentation.zone)}"
        )
    if end is not None and end <= presentation.now:
        return f"{subject} was {state} at {times.clock(end, presentation.now, presentation.zone)}, since {since}"
    age = times.age(last.since, presentation.now)
    if is_gone(last.state):
        return f"{subject} was {state} at {since} ({age} ago)"
    if not is_watched(history.coverage):
        return f"{subject} was {state} since {since} when last heard of"
    if last.assumed and not last.seen:
        return f"{subject} was {state} when last heard of, before {since}; nobody was watching in between"
    unseen = _after(last.seen_at or last.since, history.coverage.doubtful)
    if not unseen:
        return f"{subject} is {state} since {since} ({age})"
    if unseen[-1].until is None:
        return f"{subject} was {state} since {since} when last seen; nobody is watching now"
    blind = total(unseen, last.since, presentation.now)
    return f"{subject} was {state} since {since} when last seen; nobody was watching for {blind} after that"


def _coverage_line(presentation: Presentation, history: Answer) -> str:
    first = history.first
    return coverage_line(presentation, history.coverage, history.range, first.since if first else None)


def _called(presentation: Presentation, resource: Resource, namesakes: Namesakes | None) -> str:
    if not resource.name:
        return escape(short_reference(resource.uri))
    return (namesakes or Namesakes(typed=True)).called(presentation, subject_of(resource))


def _after(moment: datetime, gaps: Sequence[Gap]) -> list[Gap]:
    return [gap for gap in gaps if gap.until is None or gap.until > moment]


class Row(NamedTuple):
    """One row of the timeline: a piece of a span, or a gap."""

    state: str
    since: datetime | None
    until: datetime | None
    events: int | None
    note: str
    known: bool = True
    seen: datetime | None = None
    """When the state was seen again, behind a gap."""
    span: Span | None = None
    """What it is a piece of."""


def timeline_rows(history: Answer) -> Iterator[Row]:
    """Spans and gaps in order; a span is cut at each gap in it, and what lies behind the gap is marked as not known.

    It is not cut where it is proven not to have changed. What was seen again behind the gap is known, and so is an end:
    what is no more stays so.
    """
    gaps = sorted(history.coverage.gaps, key=lambda gap: gap.since or _EARLIEST) if is_watched(history.coverage) else []
    blind = (Row(UNWATCHED, gap.since, gap.until, None, gap.reason + PROVEN * gap.proven, known=False) for gap in gaps)
    doubtful = [gap for gap in gaps if not gap.proven]
    seen = (row._replace(span=span) for span in history.spans for row in _pieces(span, doubtful))
    noted = (Row(NOTED, each.started_at, each.started_at, None, _noted(each)) for each in history.notes)
    return heapq.merge(seen, blind, noted, key=lambda row: (row.since or _EARLIEST, row.state == UNWATCHED))


def _noted(note: Action) -> str:
    text = note.name or ""
    return f"{text} (by {note.by})" if note.by else text


def _pieces(span: Span, gaps: Sequence[Gap]) -> Iterator[Row]:
    around = [gap for gap in gaps if _covers(gap, span.since)]
    inside = [
        gap for gap in gaps if gap.since and span.since < gap.since and (not span.until or gap.since < span.until)
    ]
    ends = is_gone(span.state)
    if span.assumed and not around:
        stop = inside[0].since if inside else span.until
        yield _piece_behind(span, span.since, stop, ends=ends)._replace(events=span.events)
        yield from _behind(span, inside, ends=ends)
        return
    known = ends or not around
    end = inside[0].since if inside else span.until
    doubted = max((gap.until for gap in around if gap.until), default=None) if not known else None
    again = _seen(span, doubted, end)
    notes = ("observed" if span.observed else "" if known else "last known", cause_words(span.cause) or span.note)
    note = ", ".join(filter(None, notes))
    stop = doubted if again else end
    yield Row(span.state if known else f"{span.state}?", span.since, stop, span.events, note, known)
    if again:
        yield Row(span.state, doubted, end, None, "", seen=again)
    yield from _behind(span, inside, ends=ends)


def _behind(span: Span, inside: Sequence[Gap], *, ends: bool) -> Iterator[Row]:
    """The pieces of a span behind the gaps within it."""
    reached = span.since
    for position, gap in enumerate(inside, 1):
        if gap.until is None:
            return
        reached = max(reached, gap.until)
        stop = inside[position].since if position < len(inside) else span.until
        if stop is None or stop > reached:
            yield _piece_behind(span, reached, stop, ends=ends)


def _piece_behind(span: Span, since: datetime, until: datetime | None, *, ends: bool) -> Row:
    """The piece of a span behind a gap in it: as nobody missed a change from then on, what was seen holds all along."""
    again = _seen(span, since, until)
    if ends or again:
        return Row(span.state, since, until, None, "", seen=again)
    return Row(f"{span.state}?", since, until, None, "last known", known=False)


def _covers(gap: Gap, moment: datetime) -> bool:
    """Whether a gap hides how a state began; platforms date by the second, so what is heard first may seem older."""
    began = gap.since is None or gap.since <= moment
    if gap.until is None or not began:
        return began
    return gap.until > moment and not (gap.until - moment < timedelta(seconds=1) and moment.microsecond == 0)


def _seen(span: Span, since: datetime | None, until: datetime | None) -> datetime | None:
    """When a state was seen again between two instants."""
    if since is None:
        return None
    return next((at for at in span.seen if since <= at and (until is None or at <= until)), None)


def _until(presentation: Presentation, row: Row) -> str:
    return presentation.instant(row.until) if row.until else "now"


def _duration(presentation: Presentation, row: Row) -> str:
    if row.state == NOTED:
        return NOTHING
    return times.age(row.since, row.until or presentation.now) if row.since else NOTHING


def _style(row: Row) -> str:
    return state_style(row.state) if row.known else DIM


def _note(presentation: Presentation, row: Row) -> str:
    if row.seen is None:
        return escape(row.note)
    return f"seen again at {times.clock(row.seen, presentation.now, presentation.zone)}"


ROW_COLUMNS: list[Column[Row]] = [
    Column("state", lambda row: row.state, style=_style),
    Column("since", lambda row: row.since),
    Column("until", lambda row: row.until, _until),
    Column("duration", lambda row: None, _duration, right=True),
    Column("events", lambda row: row.events, right=True),
    Column("note", lambda row: row.note, _note, wraps=True),
]


def _known_of(field: documents.Field[Span]) -> Callable[[Row], Any]:
    return lambda row: None if row.span is None else field.value(row.span)


WIDE_COLUMNS: list[Column[Row]] = [
    *ROW_COLUMNS,
    *(
        Column(field.name, _known_of(field))
        for field in documents.SPAN
        if field.name in ("source", "certain", "seen_at")
    ),
]
"""Of a span that a gap cuts, each piece has what is known of the whole."""

"""Reports as tables for a person, and as the contract has them for a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from archiver.cli import times
from archiver.cli.escape import escape
from archiver.cli.listing.columns import Column, machine_columns
from archiver.cli.listing.machine import enclosed
from archiver.cli.listing.output import render
from archiver.cli.presentation import NOTHING, Presentation
from archiver.cli.words.causes import candidates
from archiver.cli.words.changes import BY, WHY
from archiver.cli.words.coverage import watched_line
from archiver.cli.words.namesakes import Namesakes, subject_of, told_apart
from archiver.cli.words.states import GREEN, RED, YELLOW
from archiver.model.nearby import Nearby
from archiver.model.reports import Available, Deploy, Flap, Report, Restart, Restarts, Subject, Watched
from archiver.report import reports as documents


def lines(presentation: Presentation, report: Report) -> Iterator[str]:
    """The lines of a report in the format asked for."""
    columns = told_apart(_columns(report), Namesakes(map(_subject, report.rows)), _subject)
    if presentation.format == "json":
        shown = presentation._replace(format="jsonl")
        return enclosed(documents.head(report), "rows", render(shown, columns, report.rows))
    rows = report.rows
    if presentation.format == "table" and report.total is not None and len(rows) > 1:
        rows = (*rows, report.total._replace(day="in all", subject=Subject(None, "total", "in all")))
    listed = render(presentation, _flat(columns), rows)
    return _headed(presentation, report, listed) if presentation.format == "table" else listed


def _headed(presentation: Presentation, report: Report, listed: Iterator[str]) -> Iterator[str]:
    watched = watched_line(presentation, report)
    about = None if report.resource is None else subject_of(report.resource)
    yield watched if about is None else f"{Namesakes(typed=True).called(presentation, about)}: {watched}"
    for number, line in enumerate(listed):
        yield from ("", line) if not number else (line,)


def _columns(report: Report) -> list[Column[Any]]:
    shown: Sequence[Column[Any]]
    if report.report == "availability":
        shown = AVAILABILITY
    elif report.report in _NO_SUBJECT:
        shown = _SHOWN[report.report]
        if shown is DEPLOYS and all(row.containers is None for row in report.rows):
            shown = [column for column in DEPLOYS if column.name not in ("containers", "changed")]
    else:
        shown = RESTARTS if report.per is None else COUNTS
    first: list[Column[Any]] = [DAY] if report.per == "day" else [] if report.report in _NO_SUBJECT else [WHAT]
    if report.report == "restarts" and report.per is None:
        first = []
    return [*first, *shown, *machine_columns(documents.fields(report))]


def _subject(row: Any) -> Subject | None:
    if isinstance(row, Nearby):
        return Subject(row.uri, row.type, row.name, row.platform)
    found: Subject | None = getattr(row, "subject", None)
    return found


def _flat(columns: Sequence[Column[Any]]) -> list[Column[Any]]:
    """Where a cell is a word: of a cause its kind, the exit code, and what proves it."""
    flat: list[Column[Any]] = []
    for column in columns:
        flat += CAUSE if column.name == "cause" and column.machine else [column]
    return flat


_NO_SUBJECT = frozenset({"coverage", "changes", "deploys", "flaps"})


def _word(value: Any) -> str:
    if value is None:
        return NOTHING
    return escape(", ".join(value) if isinstance(value, tuple) else str(value)) or NOTHING


def _images(row: Deploy) -> str:
    if row.image_before is None or row.image_before == row.image_after:
        return escape(row.image_after or NOTHING)
    return f"{escape(row.image_before)} -> {escape(row.image_after or NOTHING)}"


def _outcome(row: Deploy) -> str:
    return {"ok": GREEN, "open": YELLOW}.get(row.result, RED)


def _length(seconds: float) -> str:
    return times.duration(timedelta(seconds=seconds)) if seconds else NOTHING


def _lasted(seconds: float | None) -> str:
    return NOTHING if seconds is None else times.duration(timedelta(seconds=seconds))


def _down(row: Restart) -> str:
    return "never back" if row.down_seconds is None else _lasted(row.down_seconds)


def _percent(part: float | None) -> str:
    """As many digits as a service is sold by; 100 only where it is all."""
    if part is None:
        return NOTHING
    shown = f"{part * 100:.2f}"
    return "99.99" if shown == "100.00" and part < 1 else f"{float(shown):g}"


def ratio(row: Available) -> str:
    """How available something was, with the bounds within which that lies where not all is known, and how much is."""
    bounded = _bounded(row)
    return f"{bounded[:-1]}, {_length(row.unknown_seconds)} not known)" if bounded.endswith(")") else bounded


def _bounded(row: Available) -> str:
    if row.availability is None and row.worst is None:
        return NOTHING
    if row.unknown_seconds == 0:
        return f"{_percent(row.availability)} %"
    known = NOTHING if row.availability is None else f"{_percent(row.availability)} %"
    return f"{known} ({_percent(row.worst)}-{_percent(row.best)})"


def _shade(row: Available) -> str:
    part = row.availability
    return "" if part is None else GREEN if part >= 0.999 else YELLOW if part >= 0.95 else RED


def _proof(row: Restart | Nearby) -> str | None:
    return row.cause.actions[0].uri if row.cause and len(row.cause.actions) == 1 else None


CAUSE: list[Column[Any]] = [
    Column("cause", lambda row: row.cause and row.cause.kind, table=False),
    Column("exit_code", lambda row: row.cause and row.cause.exit_code, table=False),
    Column("action_uri", _proof, table=False),
]
DAY: Column[Any] = Column("day", lambda row: row.day, machine=False)
WHAT: Column[Any] = Column("what", lambda row: None, machine=False)
"""How what it is about is called depends on what else there is (`namesakes`)."""
AVAILABILITY: list[Column[Available]] = [
    Column("up", lambda row: None, lambda _, row: _length(row.up_seconds), right=True, machine=False),
    Column("down", lambda row: None, lambda _, row: _length(row.down_seconds), right=True, machine=False),
    Column("planned", lambda row: None, lambda _, row: _length(row.planned_seconds), right=True, machine=False),
    Column("not_known", lambda row: None, lambda _, row: _length(row.unknown_seconds), right=True, machine=False),
    Column("availability", lambda row: None, lambda _, row: _bounded(row), style=_shade, machine=False),
]
RESTARTS: list[Column[Restart]] = [
    Column("stopped_at", lambda row: row.stopped_at, machine=False),
    Column("down", lambda row: None, lambda _, row: _down(row), right=True, machine=False),
    WHAT,
    Column("cause", lambda row: row.cause.kind, machine=False),
    Column("exit", lambda row: row.cause.exit_code, right=True, machine=False),
    Column(
        "action", lambda row: None, lambda _, row: escape(candidates(row.cause)) or NOTHING, machine=False, wraps=True
    ),
]
COUNTS: list[Column[Restarts]] = [
    Column("restarts", lambda row: row.restarts, right=True, machine=False),
    Column("told", lambda row: row.told, right=True, machine=False),
    Column("forced", lambda row: row.forced, right=True, machine=False),
    Column("crash", lambda row: row.crash, right=True, machine=False),
    Column("oom", lambda row: row.oom, right=True, machine=False),
    Column("unknown", lambda row: row.unknown, right=True, machine=False),
    Column(
        "down",
        lambda row: None,
        lambda _, row: _lasted(row.down_seconds if row.restarts else None),
        right=True,
        machine=False,
    ),
    Column("never_back", lambda row: row.not_back, right=True, machine=False),
]
CHANGES: list[Column[Nearby]] = [
    Column("at", lambda row: row.at, machine=False),
    Column("change", lambda row: row.change, machine=False),
    WHAT,
    Column("before", lambda row: None, lambda _, row: _word(row.before), machine=False),
    Column("after", lambda row: None, lambda _, row: _word(row.after), machine=False),
    WHY,
    BY,
]
DEPLOYS: list[Column[Deploy]] = [
    Column("started_at", lambda row: row.started_at, machine=False),
    Column("duration", lambda row: None, lambda _, row: _lasted(row.seconds), right=True, machine=False),
    WHAT,
    Column("result", lambda row: row.result, style=lambda row: _outcome(row), machine=False),
    Column("containers", lambda row: row.containers, right=True, machine=False),
    Column("changed", lambda row: row.why, machine=False),
    Column("image", lambda row: None, lambda _, row: _images(row), machine=False),
    BY,
]
FLAPS: list[Column[Flap]] = [
    Column("since", lambda row: row.since, machine=False),
    Column("duration", lambda row: None, lambda _, row: _lasted(row.seconds), right=True, machine=False),
    Column("changes", lambda row: row.changes, right=True, machine=False),
    WHAT,
]
COVERAGE: list[Column[Watched]] = [
    Column("stream", lambda row: row.stream, machine=False),
    Column("watched", lambda row: None, lambda _, row: _length(row.watched_seconds), right=True, machine=False),
    Column("not_watched", lambda row: None, lambda _, row: _length(row.unwatched_seconds), right=True, machine=False),
    Column("gaps", lambda row: row.gaps, right=True, machine=False),
    Column("longest", lambda row: None, lambda _, row: _length(row.longest_seconds), right=True, machine=False),
]
"""What a person reads; programs get the contract's values."""
_SHOWN: dict[str, Sequence[Column[Any]]] = {
    "coverage": COVERAGE,
    "changes": CHANGES,
    "deploys": DEPLOYS,
    "flaps": FLAPS,
}

"""`archiver status`: how things stand with the archive and its streams."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import typer

from archiver.cli import times
from archiver.cli.asking.question import Question, question
from archiver.cli.common import examples
from archiver.cli.escape import escape
from archiver.cli.listing.cells import plain_cell, to_json
from archiver.cli.listing.columns import Column, refuse_fields
from archiver.cli.listing.output import render
from archiver.cli.listing.tables import table_lines
from archiver.cli.presentation import NOTHING, Format, Presentation
from archiver.cli.words.states import GREEN, RED
from archiver.cli.writing import write_lines
from archiver.model import Status, StreamStatus, ToldStatus
from archiver.model.health import Limits, Waiting
from archiver.report import documents
from archiver.report.documents import machine_value
from archiver.storage.database.address import is_postgres

NOT_WELL = 6
MOST_DAYS = 9999
"""A disk that is not full before is not said to become it."""
CLOCK_SECONDS = 1.0
"""How far a platform's clock may be off before it is worth a line."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "status",
        epilog=examples(
            "archiver status",
            "archiver status --max-silence 1d > /dev/null || echo 'not well'",
            "archiver status -o json | jq '.streams[] | select(.connected | not)'",
        ),
    )(question(status, ranged=False, strict=False))


MaxLag = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="What is received is archived so soon: 90s, 5m; default: 1m.", show_default=False
    ),
]
MaxSilence = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Something happens so often: 30m, 1d; default: never need it.", show_default=False
    ),
]


StatusOutput = Annotated[
    Literal[Format, "prom"] | None,
    typer.Option(
        "-o", "--output", help="As everywhere; prom: numbers for Prometheus' textfile collector.", show_default=False
    ),
]


def status(
    asked: Question, output: StatusOutput = None, max_lag: MaxLag = None, max_silence: MaxSilence = None
) -> None:
    """How things stand with the archive and its streams: connected or not, the last event, the gaps, what is not well.

    Ends with code 6, and says why, when a stream is not listened to, what is received is not archived, or there is no
    room. CSV has one record a stream, with what is known of the archive at its end; plain one name and value a line,
    and of each stream one line of them.
    """
    limits = Limits(*(None if text is None else times.parse_length(text) for text in (max_lag, max_silence)))
    waiting = _waiting(asked)
    found = asked.archive.status(limits, waiting)._replace(told=_told(asked))
    if output == "prom":
        _write_numbers(asked, found, waiting)
        return  # what is not well is a number, too
    write_lines(lines(asked.shown_as(output), found))
    if asked.presentation.format != "table":
        for problem in found.problems:
            asked.note(f"not well: {problem.text}; {problem.hint}")
    if found.well is False:
        raise typer.Exit(NOT_WELL)


def _write_numbers(asked: Question, status: Status, waiting: Waiting | None) -> None:
    from archiver.api.metrics import Counted, of_status, of_waiting
    from archiver.codec.prometheus import exposition

    spool = of_waiting(waiting) if waiting is not None else ()
    counted = Counted().families(asked.archive, asked.presentation.now)
    write_lines(exposition([*of_status(status), *spool, *counted]).splitlines())


def _waiting(asked: Question) -> Waiting | None:
    """What waits in the spool of the daemon that fills this archive, as far as this user may see."""
    from archiver.recording.spool.glance import glance

    config = asked.config()
    found = glance(config.spool.value, config.spool_limit.value, asked.archive.archived_of)
    # The spools of PostgreSQL's archives are all called the same.
    return None if found is None else found._replace(ours=not is_postgres(config.database.value))


def _told(asked: Question) -> tuple[ToldStatus, ...]:
    """How things stand with those whom the daemon tells that fills this archive, as far as this user may see."""
    from archiver.recording.outward.cursors import told

    return told(asked.config().spool.value, asked.archive.position().cursor.partition("-")[0])


def lines(presentation: Presentation, status: Status) -> Iterator[str]:
    """The lines of a status in the format asked for."""
    if presentation.format == "json":
        refuse_fields(presentation)
    if presentation.fields or presentation.format in ("csv", "tsv"):
        yield from _flat(presentation, status)
    elif presentation.format == "name":
        yield from render(presentation, STREAM_COLUMNS, status.streams)
    elif presentation.format == "table":
        yield from _for_people(presentation, status)
    elif presentation.format == "plain":
        yield from _plain(documents.status(status))
    else:
        yield to_json(documents.status(status), indent=2 if presentation.format == "json" else None)


def _flat(presentation: Presentation, status: Status) -> Iterator[str]:
    """A record a stream, each with what is known of the archive; where there is no stream, that alone."""
    columns: list[Column[StreamStatus | None]] = [*map(_of_stream, STREAM_COLUMNS)]
    whole = documents.status(status) | {"problems": " ".join(problem.kind for problem in status.problems)}
    columns += [_always(name, value) for name, value in whole.items() if name not in ("streams", "told")]
    records: list[StreamStatus | None] = [*status.streams]
    yield from render(presentation, columns, records or [None])


def _of_stream(column: Column[StreamStatus]) -> Column[StreamStatus | None]:
    def value(stream: StreamStatus | None) -> Any:
        return None if stream is None else column.value(stream)

    def shown(presentation: Presentation, stream: StreamStatus | None) -> str:
        return NOTHING if stream is None else column.shown(presentation, stream)

    return Column(column.name, value, shown, right=column.right)


def _always(name: str, value: Any) -> Column[StreamStatus | None]:
    return Column(name, lambda _stream: value)


def _plain(whole: dict[str, Any]) -> Iterator[str]:
    for name, value in whole.items():
        if name == "problems":
            for problem in value:
                yield "\t".join(["problem", *map(plain_cell, problem.values())])
        elif name not in ("streams", "told"):
            yield f"{name}\t{plain_cell(value)}"
    for label, key, records in (("stream", "url", whole["streams"]), ("told", "name", whole["told"])):
        for one in records:
            named = (f"{name}={plain_cell(machine_value(value))}" for name, value in one.items() if name != key)
            yield "\t".join([label, plain_cell(one[key]), *named])


def _for_people(presentation: Presentation, status: Status) -> Iterator[str]:
    facts = {
        "archive": escape(status.database)
        + (f" ({_bytes(status.size_bytes)})" if status.size_bytes is not None else ""),
        "schema": escape(status.revision),
        "events": f"{status.events:,}" + (f", {status.rejects:,} rejects" if status.rejects else ""),
        "resources": f"{status.resources:,}",
        "first event": _ago(presentation, status.first_event_at),
        "last event": _ago(presentation, status.last_event_at),
    }
    if status.bytes_per_day is not None:
        facts["growth"] = f"{_bytes(status.bytes_per_day)} a day{_full(presentation, status)}"
    for name, value in facts.items():
        yield f"{name:<12} {value}"
    yield ""
    yield from (f"not well: {escape(problem.text)}; {escape(problem.hint)}" for problem in status.problems)
    if status.problems:
        yield ""
    if status.streams:
        yield from table_lines(presentation, STREAM_COLUMNS, status.streams)
        for stream in status.streams:
            yield from (f"{escape(stream.url)}: {remark}" for remark in _remarks(presentation, stream))
    elif not status.problems:
        yield "no stream is recorded: what is here was imported; to record one: archiver run --stream URL"
    else:
        yield "no stream has been recorded yet; start with: archiver run --stream URL"
    if status.told:
        yield ""
        yield from table_lines(presentation, TOLD_COLUMNS, status.told)


def _remarks(presentation: Presentation, stream: StreamStatus) -> Iterator[str]:
    """What of a stream is not as it should be, beside what its columns say."""
    if stream.trouble is not None:
        yield f"{escape(stream.trouble)} (at {presentation.instant(stream.trouble_since)})"
    if stream.clock_offset_seconds is not None and abs(stream.clock_offset_seconds) >= CLOCK_SECONDS:
        way = "ahead of" if stream.clock_offset_seconds > 0 else "behind"
        yield f"its clock is {times.duration(timedelta(seconds=abs(stream.clock_offset_seconds)))} {way} ours"


def _ago(presentation: Presentation, moment: datetime | None) -> str:
    return NOTHING if moment is None else f"{presentation.instant(moment)} ({times.age(moment, presentation.now)} ago)"


def _full(presentation: Presentation, status: Status) -> str:
    if status.free_bytes is None:
        return ""
    room = f", {_bytes(status.free_bytes)} free"
    if status.full_at is None or (days := (status.full_at - presentation.now).days) > MOST_DAYS:
        return room
    return f"{room}: full in {days} days"


def _bytes(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


STREAM_COLUMNS: list[Column[StreamStatus]] = [
    Column("url", lambda stream: stream.url),
    Column(
        "connected",
        lambda stream: stream.connected,
        lambda presentation, stream: "yes" if stream.connected else "no",
        style=lambda stream: GREEN if stream.connected else RED,
    ),
    Column("opened_at", lambda stream: stream.opened_at),
    Column("last_seen_at", lambda stream: stream.last_seen_at),
    Column("closed_at", lambda stream: stream.closed_at),
    Column("reason", lambda stream: stream.reason),
    Column("gaps", lambda stream: stream.gaps, right=True),
]

TOLD_COLUMNS: list[Column[ToldStatus]] = [
    Column("told", lambda one: one.name),
    Column("event", lambda one: one.event, right=True),
    Column("delivered_at", lambda one: one.delivered_at),
    Column("failed_at", lambda one: one.failed_at, style=lambda one: RED),
    Column("trouble", lambda one: one.trouble),
]

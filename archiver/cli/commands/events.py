"""`archiver events`: the events as they came, the last ones, or as they come."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archiver.cli import completion
from archiver.cli.cells import to_json
from archiver.cli.columns import Column, machine_columns, refuse_fields
from archiver.cli.common import Covered, Healthchecks, examples, warn
from archiver.cli.cursor_file import keep_cursor, read_cursor, require_place
from archiver.cli.files import require_other
from archiver.cli.folding import Repeated, fold, folded, left_out
from archiver.cli.output import render
from archiver.cli.presentation import Presentation
from archiver.cli.question import Question, question
from archiver.cli.states import state_style
from archiver.cli.writing import wait_for_reader, write_lines, writing
from archiver.errors import ArchiveReplaced, DatabaseMissing, NoSuchResource, UsageError
from archiver.model import ArchivedEvent, TimeRange
from archiver.report import documents

if TYPE_CHECKING:
    from archiver.api.archive import Position

POLL = 0.5
"""Seconds between two looks at the archive when following."""
HELD_BACK = 10_000
"""Up to so many events are read before the first is written, to tell whether there are older ones."""
_OLDER = "... older events exist, use -n 0 for all"

Under = Annotated[
    list[str] | None,
    typer.Option(
        metavar="REF",
        help="Only of this resource and of all that was under it then; a pattern, or - for standard input, as well.",
        autocompletion=completion.references,
        show_default=False,
    ),
]
Lines = Annotated[
    int | None,
    typer.Option(
        "-n",
        "--lines",
        min=0,
        max=1_000_000_000,
        metavar="N",
        help="The last N: 100, or 10 with -f; 0 is all.",
        show_default=False,
    ),
]
Follow = Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes, until Ctrl-C.")]
Number = Annotated[
    int | None,
    typer.Option(
        "--id",
        min=1,
        max=2**63 - 1,
        metavar="N",
        help="The event of this number alone; with -o json all that it said, as received: command lines and labels, "
        "too, which may hold secrets and stand in no other answer.",
        show_default=False,
    ),
]
CursorFile = Annotated[
    Path | None,
    typer.Option(
        "--cursor-file",
        metavar="FILE",
        help="All that was archived since the last time, in that order, and FILE remembers how far; the first time "
        "from the first event on. Nothing is missed or written twice from one time to the next.",
        dir_okay=False,
        show_default=False,
    ),
]
Type = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="Only events of this type; '!TEXT': of any other.",
        autocompletion=completion.types,
        show_default=False,
    ),
]
State = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="Only events with this state: exited is exited (137) too, '!running' any other, 'Partly*' a pattern.",
        autocompletion=completion.states,
        show_default=False,
    ),
]
ActionWord = Annotated[
    list[str] | None,
    typer.Option(
        "--action",
        metavar="TEXT",
        help="Only events of this action: create, update, delete ...",
        autocompletion=completion.actions,
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "events",
        epilog=examples(
            "archiver events --type container --state Stopped --state Terminated --since 2h",
            "archiver events --under my-stack -n 0 -o jsonl | jq -r .state | sort | uniq -c",
            "archiver events -f",
            "archiver events --cursor-file ~/.events.cursor -o jsonl >> events.jsonl",
            "archiver events --id 4711 -o json",
        ),
    )(question(events, turned=True, told=True))


def events(
    asked: Question,
    id: Number = None,
    type: Type = None,
    state: State = None,
    action: ActionWord = None,
    under: Under = None,
    lines: Lines = None,
    all_: Healthchecks = False,
    follow: Follow = False,
    cursor_file: CursorFile = None,
    coverage: Covered = False,
) -> None:
    """The events as they came, the oldest first.

    The same filter given twice means either; different filters must all fit. A filter with a ! means: and not this.
    In a table, what repeats is one row.
    """
    if id is not None:
        chosen = type or state or action or under or follow or coverage or cursor_file or lines is not None
        if chosen or asked.range != TimeRange():
            raise UsageError(reason="--id names one event; nothing else chooses beside it", hint="leave the others out")
        _one(asked, id)
        return
    if follow and asked.range.until is not None:
        raise UsageError(reason="--follow has no end and --until is one", hint="leave one of them out")
    if asked.presentation.reverse and (follow or cursor_file is not None):
        reason = "--reverse begins with the last, and what comes has none"
        raise UsageError(reason=reason, hint="leave out --reverse, or --follow and --cursor-file")
    if follow and cursor_file is not None:
        raise UsageError(reason="--follow has no end after which --cursor-file could be written", hint="leave one out")
    if follow and (coverage or asked.strict):
        flag = "--coverage" if coverage else "--strict"
        raise UsageError(reason=f"{flag} judges a range, and --follow has no end", hint="leave one of them out")
    filters: dict[str, Any] = {
        "types": tuple(type or ()),
        "states": tuple(state or ()),
        "actions": tuple(action or ()),
        "under": asked.about(under).resources if under else None,
        "healthchecks": all_,
        "stream": asked.stream,
    }
    if follow:
        _unheard(asked, type, state, action)
        _follow(asked, filters, limit=lines if lines is not None else 10)
        return
    if cursor_file is not None:
        if lines is not None or coverage or asked.strict or asked.range != TimeRange():
            reason = "--cursor-file asks for all since the last time; no number or range goes with it"
            raise UsageError(reason=reason, hint="leave the others out")
        _since_last_time(asked, filters, cursor_file)
        return
    limit = lines if lines is not None else 100
    about = {"nothing": "no such events", "about": filters["under"], "coverage": coverage, "name": "events"}
    if asked.presentation.folds and not all_:
        asked.listing(folded(COLUMNS, "action"), _last_rows(asked, filters, limit), **about)
    else:
        asked.listing(COLUMNS, _last(asked, filters, limit), **about)
    _unheard(asked, type, state, action)


def _unheard(asked: Question, type: list[str] | None, state: list[str] | None, action: list[str] | None) -> None:
    asked.unheard("event_types", "type", type)
    asked.unheard("event_states", "state", state)
    asked.unheard("event_actions", "action", action)


def _one(asked: Question, number: int) -> None:
    """Writes one event; JSON has all of it."""
    whole = asked.archive.event(number)
    asked.answered = True
    if asked.presentation.format not in ("json", "jsonl"):
        asked.listing(COLUMNS, [whole.event], nothing="")
        asked.note("-o json shows all that it said")
        return
    refuse_fields(asked.presentation)
    known = {"stream": whole.stream, "session": whole.session, "noted": dict(whole.noted), "said": dict(whole.said)}
    indent = 2 if asked.presentation.format == "json" else None
    write_lines([to_json({**documents.record(documents.EVENT, whole.event), **known}, indent=indent)])


def _since_last_time(asked: Question, filters: dict[str, Any], path: Path) -> None:
    """Writes what was archived since then; only what was written to its end is remembered."""
    require_other(path, asked.config(), "archiver events --cursor-file events.cursor -o jsonl")
    cursor = read_cursor(path)
    require_place(path)
    end = asked.archive.position()
    begin = end._replace(event=0) if cursor is None else asked.archive.resume(cursor)
    last = end.event

    def noted(events: Iterator[ArchivedEvent]) -> Iterator[ArchivedEvent]:
        nonlocal last
        for event in events:
            last = max(last, event.id)
            yield event

    asked.listing(COLUMNS, noted(asked.archive.follow(**filters, after=begin)), nothing="")
    with writing("the output"):
        sys.stdout.flush()
    keep_cursor(path, end._replace(event=last).cursor)


def _last(asked: Question, filters: dict[str, Any], limit: int) -> Iterator[ArchivedEvent]:
    """The last `limit` events; says on stderr when there are older ones."""
    if not 0 < limit <= HELD_BACK:
        yield from asked.archive.events(**filters, range=asked.range, limit=limit)
        return
    found = list(asked.archive.events(**filters, range=asked.range, limit=limit + 1))
    yield from found[-limit:]
    if len(found) > limit:
        asked.note(_OLDER)


def _last_rows(asked: Question, filters: dict[str, Any], limit: int) -> Iterator[Repeated[ArchivedEvent]]:
    """The last `limit` rows of a table in which what repeats is one row, out of no more than `HELD_BACK` events."""
    if not 0 < limit <= HELD_BACK:
        repeated = 0
        for row in fold(asked.archive.events(**filters, range=asked.range, limit=limit), _kind, _when):
            repeated += row.times - 1
            yield row
        _say_repeated(asked, repeated)
        return
    wanted = limit
    while True:
        found = list(asked.archive.events(**filters, range=asked.range, limit=wanted + 1))
        rows = list(fold(found[-wanted:], _kind, _when))
        if len(rows) >= limit or len(found) <= wanted or wanted >= HELD_BACK:
            break
        wanted = min(4 * wanted, HELD_BACK)
    yield from rows[-limit:]
    _say_repeated(asked, left_out(rows[-limit:]))
    if len(found) > wanted or len(rows) > limit:
        asked.note(_OLDER)


def _say_repeated(asked: Question, repeated: int) -> None:
    if repeated:
        asked.note(f"... {repeated:,} repetitions are one row with what they repeat, --all shows them")


def _kind(event: ArchivedEvent) -> Hashable:
    """What repeats when it comes again: of actions, each of which is another, the same on the same."""
    about = event.parents if event.type == "action" else event.resource_uri
    return (event.type, event.action, event.state, about)


def _when(event: ArchivedEvent) -> datetime:
    return event.occurred_at


def _follow(asked: Question, filters: dict[str, Any], limit: int) -> None:
    """Writes the last events, then each that comes; a table takes its widths from those that are there already."""
    end = asked.archive.position()
    last = asked.archive.events(**filters, range=asked.range, limit=limit)
    first = [event for event in last if event.id <= end.event]
    records = chain(first, _coming(asked, filters, end))
    shown = asked.presentation if asked.presentation.format != "json" else asked.presentation._replace(format="jsonl")
    write_lines(render(shown, COLUMNS, records, measure=max(1, len(first))), flush=True)


def _coming(asked: Question, filters: dict[str, Any], end: Position) -> Iterator[ArchivedEvent]:
    looked, gone = datetime.now(UTC), False
    while True:
        before, look = end, datetime.now(UTC)
        try:
            for event in asked.archive.follow(**filters, after=end):
                end = end._replace(event=event.id)
                yield event
            looked, gone = look, False
        except ArchiveReplaced:
            # What both archives have was shown, or was not asked for; what was received since then was not.
            end = asked.archive.position(heard_before=looked)
            filters |= {"under": filters["under"] and [resource.uri for resource in filters["under"]]}
            warn("another archive took the place of the one that was followed; from here on come the events of that")
            continue
        except NoSuchResource:
            pass  # what is followed is not in the other archive yet
        except DatabaseMissing as missing:
            if not gone:
                warn(f"{missing}: it was moved or removed; waiting for it to come back")
            gone = True
        if end == before:
            wait_for_reader(POLL)


def _resource(presentation: Presentation, event: ArchivedEvent) -> str:
    return presentation.uri(event.resource_uri)


COLUMNS: list[Column[ArchivedEvent]] = [
    Column("time", lambda event: event.occurred_at, machine=False),
    Column("type", lambda event: event.type, machine=False),
    Column("action", lambda event: event.action, machine=False),
    Column("state", lambda event: event.state, style=lambda event: state_style(event.state), machine=False),
    Column("resource", lambda event: event.resource_uri, _resource, machine=False),
    Column("name", lambda event: event.name, machine=False),
    *machine_columns(documents.EVENT),
]
"""Machine formats have the contract's values in the contract's order; the table what a person looks at."""

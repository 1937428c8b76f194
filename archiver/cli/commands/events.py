"""`archiver events`: the events as they came, the last ones, or as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from archiver.cli.answers.event_following import follow_events
from archiver.cli.answers.event_rows import COLUMNS, last_events, last_rows
from archiver.cli.asking.question import Question, question
from archiver.cli.common import Covered, Healthchecks, examples
from archiver.cli.cursor_file import keep_cursor, read_cursor, require_place
from archiver.cli.event_options import ActionWord, CursorFile, Follow, Lines, Number, State, Type, Under
from archiver.cli.files import require_other
from archiver.cli.listing.cells import to_json
from archiver.cli.listing.columns import refuse_fields
from archiver.cli.listing.folding import folded
from archiver.cli.writing import write_lines, writing
from archiver.errors import UsageError
from archiver.model import ArchivedEvent, TimeRange
from archiver.report import documents

if TYPE_CHECKING:
    pass


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
        follow_events(asked, filters, limit=lines if lines is not None else 10)
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
        asked.listing(folded(COLUMNS, "action"), last_rows(asked, filters, limit), **about)
    else:
        asked.listing(COLUMNS, last_events(asked, filters, limit), **about)
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

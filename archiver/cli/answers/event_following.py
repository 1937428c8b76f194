"""Events as they come: the last ones, and then each when it is archived."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from archiver.cli.answers.event_rows import COLUMNS
from archiver.cli.asking.question import Question
from archiver.cli.common import warn
from archiver.cli.listing.output import render
from archiver.cli.writing import wait_for_reader, write_lines
from archiver.errors import ArchiveReplaced, DatabaseMissing, NoSuchResource
from archiver.model import ArchivedEvent

if TYPE_CHECKING:
    from archiver.api.archive import Position

POLL = 0.5
"""Seconds between two looks at the archive when following."""


def follow_events(asked: Question, filters: dict[str, Any], limit: int) -> None:
    """Writes the last events, then each that comes; a table takes its widths from those that are there already."""
    end = asked.archive.position()
    last = asked.archive.events(**filters, range=asked.range, limit=limit)
    first = [event for event in last if event.id <= end.event]
    records = chain(first, _coming(asked, filters, end))
    shown = asked.presentation if asked.presentation.format != "json" else asked.presentation._replace(format="jsonl")
    write_lines(render(shown, COLUMNS, records, measure=max(1, len(first)), endless=True), flush=True)


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

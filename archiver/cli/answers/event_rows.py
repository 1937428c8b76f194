"""The last events as rows, in a table what repeats as one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import datetime
from typing import Any

from archiver.cli.asking.question import Question
from archiver.cli.listing.columns import Column, machine_columns
from archiver.cli.listing.folding import Repeated, fold, left_out
from archiver.cli.presentation import Presentation
from archiver.cli.words.states import state_style
from archiver.model import ArchivedEvent
from archiver.report import documents

HELD_BACK = 10_000
"""Up to so many events are read before the first is written, to tell whether there are older ones."""
_OLDER = "... older events exist, use -n 0 for all"


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


def last_events(asked: Question, filters: dict[str, Any], limit: int) -> Iterator[ArchivedEvent]:
    """The last `limit` events; says on stderr when there are older ones."""
    if not 0 < limit <= HELD_BACK:
        yield from asked.archive.events(**filters, range=asked.range, limit=limit)
        return
    found = list(asked.archive.events(**filters, range=asked.range, limit=limit + 1))
    yield from found[-limit:]
    if len(found) > limit:
        asked.note(_OLDER)


def last_rows(asked: Question, filters: dict[str, Any], limit: int) -> Iterator[Repeated[ArchivedEvent]]:
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

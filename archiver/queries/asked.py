"""What a report is about, and what is said beside its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple

from archiver.model import Coverage, Empty, Resource, TimeRange
from archiver.model.reports import Available, Per, Remark, Report, Sentence, Subject
from archiver.queries.coverage import coverage, emptiness, speaking
from archiver.queries.unchanged import judged_alone
from archiver.storage.database.reading import Connection
from archiver.storage.pages import Ask

_OF_STATES = ("availability", "restarts")
"""Reports of states alone: a gap in which nothing changed hides nothing of them."""
_SOME = 20
"""So many notes of one kind are given, and how many more there were."""


class Asked(NamedTuple):
    """What a report is about."""

    resource: Resource | None
    range: TimeRange
    per: Per | None
    now: datetime
    zone: tzinfo | None
    """Of which zone days are; None: of the machine's."""
    stream: int | None = None
    """Of which stream alone it is asked how well that was watched; None: of those that speak for the resource."""

    @property
    def since(self) -> datetime:
        """When the range begins, or the first of all instants."""
        return self.range.since or datetime.min.replace(tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """When the range ends, or now."""
        return self.now if self.range.until is None else min(self.range.until, self.now)

    @property
    def zone_name(self) -> str:
        """What that zone is called; one that has no name of its own, by what it was called within the range."""
        if self.zone is UTC:
            return "UTC"
        if key := getattr(self.zone, "key", None):
            return str(key)
        ends = [end for end in (self.range.since, self.end) if end is not None]
        return "/".join(dict.fromkeys(str(end.astimezone(self.zone).tzname()) for end in ends))


def report(
    ask: Ask,
    name: str,
    asked: Asked,
    rows: Sequence[Any],
    notes: Sequence[Sentence] = (),
    total: Available | None = None,
) -> Report:
    """A report of such rows, and what the coverage leaves open."""
    found = ask(coverage_of, asked)
    if asked.resource is not None and name in _OF_STATES:
        found = ask(judged_alone, found, [asked.resource.id])
    alike = _alike([*(getattr(row, "subject", None) for row in rows), *(part for note in notes for part in note)])
    said = tuple([Remark(note, alike) for note in (*notes, *_said_of(found))])
    empty = None if rows else ask(_why_empty, asked, found)
    return Report(name, asked.resource, asked.range, asked.per, asked.zone_name, found, tuple(rows), said, total, empty)


def _why_empty(connection: Connection, asked: Asked, watched: Coverage) -> Empty:
    return emptiness(connection, asked.range, watched, streams_of(connection, asked))


def _alike(named: Iterable[object]) -> set[str]:
    """The names that several of the things in a report have."""
    bearers = {(each.name, each.uri) for each in named if isinstance(each, Subject) and each.name and each.uri}
    return {name for name, count in Counter(name for name, _ in bearers).items() if count > 1}


def coverage_of(connection: Connection, asked: Asked) -> Coverage:
    """The coverage of the streams that speak for what is asked about."""
    return coverage(connection, asked.range, asked.now, streams_of(connection, asked))


def streams_of(connection: Connection, asked: Asked) -> list[int] | None:
    """The streams that speak for what is asked about; None: all."""
    if asked.stream is not None:
        return [asked.stream]
    return None if asked.resource is None else speaking(connection, [asked.resource], asked.range)


def some(notes: Sequence[Sentence], what: str) -> Iterator[Sentence]:
    """The first of some notes, and how many more there are."""
    yield from notes[:_SOME]
    if len(notes) > _SOME:
        yield (f"... and {len(notes) - _SOME:,} more {what}",)


def order(subject: Subject | None) -> tuple[str, str, str]:
    """By what subjects are ordered."""
    return ("", "", "") if subject is None else (subject.name or "", subject.uri or "", subject.platform or "")


def _said_of(found: Coverage) -> Iterator[Sentence]:
    """What the coverage leaves open."""
    if any(gap.kind == "imported" for gap in found.gaps):
        yield ("nobody wrote down whether anybody was watching (imported): what is not told counts as not watched",)
    elif not found.complete:
        yield ("nobody was watching for a part of the range: what happened then may be missing",)

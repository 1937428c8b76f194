"""Cuts long answers into portions of a bounded size; a cursor says where the next portion begins."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from archiver.codec.text import dump, parse
from archiver.errors import UsageError
from archiver.model import Resource, Span, Timeline, TimeRange, rfc3339
from archiver.report import documents

if TYPE_CHECKING:
    from archiver.api.archive import Archive

BUDGET = 60_000
"""Characters of JSON of one portion; a single record that is longer still is given, by itself."""
_MICROSECOND = timedelta(microseconds=1)

Record = dict[str, Any]


class Portion(NamedTuple):
    """Some records of an answer, and where the next ones are: None is nowhere."""

    records: list[Record]
    cursor: str | None


def length(record: Record) -> int:
    """How many characters a record takes."""
    return len(dump(record))


def _pack(**place: Any) -> str:
    """A place as the opaque text that a reader gives back."""
    return base64.urlsafe_b64encode(dump(place).encode()).decode().rstrip("=")


def _unpack(cursor: str | None, **kinds: type) -> dict[str, Any]:
    """The place that a cursor means; without one, nothing. Raises UsageError for a text that is none of ours."""
    if cursor is None:
        return {}
    try:
        place = parse(base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True).decode())
        if not isinstance(place, dict) or place.keys() != kinds.keys():
            raise ValueError("it has other values")
        for name, kind in kinds.items():
            place[name] = _value(kind, place[name])
    except (ValueError, OverflowError, RecursionError) as error:
        reason = "the cursor is none that an answer to this question gave"
        raise UsageError(reason=reason, hint="ask without a cursor, from the beginning") from error
    return place


def _value(kind: type, value: Any) -> Any:
    if kind is datetime and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("an instant without its zone")
        return (moment.astimezone(UTC) + _MICROSECOND) - _MICROSECOND  # neither is beyond what an instant can be
    if isinstance(value, bool) or not isinstance(value, kind) or (isinstance(value, int) and not 0 <= value < 2**62):
        raise ValueError("a value of another kind")
    return value


def _fitting(records: Iterable[Record], limit: int) -> Iterator[Record]:
    """The first records, up to a number and a size, and at least one."""
    size = 0
    for number, record in enumerate(records):
        size += length(record)
        if number and (number >= limit or size > BUDGET):
            return
        yield record


def spans(
    archive: Archive, resource: Resource, range: TimeRange, limit: int, cursor: str | None
) -> tuple[Timeline, Portion]:
    """The states of a resource, the oldest first, and the timeline they are of."""
    place = _unpack(cursor, since=datetime, skip=int, before=str)
    timeline = archive.timeline(resource, range._replace(since=place["since"]) if place else range)
    found = list(islice(_behind(timeline.spans, place), limit + 1))
    records = list(_fitting((documents.span(placed.span) for placed in found), limit))
    if len(records) == len(found):
        return timeline, Portion(records, None)
    last = found[len(records) - 1]
    return timeline, Portion(records, _pack(since=rfc3339(last.span.since), skip=last.order, before=last.before))


class _Placed(NamedTuple):
    """A span, the how many-th it is of those that begin at its instant, and the state before all of these."""

    span: Span
    order: int
    before: str


def _behind(spans: Iterable[Span], place: dict[str, Any]) -> Iterator[_Placed]:
    """The spans behind a place: behind so many that begin at its instant, after the state that ends there."""
    since, skipped, before = place.get("since"), place.get("skip", 0), place.get("before", "")
    instant, order, state = since, 0, before
    for number, span in enumerate(spans):
        if place and number == 0 and span.since == since and span.state.lower() == before.lower():
            continue  # its last word was heard at this very instant; it began before
        if span.since != instant:
            instant, order, before = span.since, 0, state
        order, state = order + 1, span.state
        if not place or span.since != since or order > skipped:
            yield _Placed(span, order, before)


def actions(
    archive: Archive, refs: Sequence[Resource], range: TimeRange, limit: int, cursor: str | None, healthchecks: bool
) -> Portion:
    """The actions on some resources and on what was under them, the oldest first."""
    place = _unpack(cursor, since=datetime, uri=str)
    begun = (place["since"], place["uri"]) if place else None
    within = range._replace(since=place["since"]) if place else range
    listed = archive.actions(refs, within, healthchecks=healthchecks)
    behind = (action for action in listed if begun is None or (action.started_at, action.uri) > begun)
    taken = list(islice(behind, limit + 1))
    records = list(_fitting((documents.record(documents.ACTION, action) for action in taken), limit))
    if len(records) == len(taken):
        return Portion(records, None)
    last = taken[len(records) - 1]
    return Portion(records, _pack(since=rfc3339(last.started_at), uri=last.uri))


def events(archive: Archive, filters: dict[str, Any], range: TimeRange, limit: int, cursor: str | None) -> Portion:
    """The last events, the oldest first; the next portion are those before them."""
    place = _unpack(cursor, until=datetime, id=int)
    within, known = range, 0
    if place:
        # Several events may have one time: those of that time with a lower number are still to come.
        instant = TimeRange(place["until"], place["until"] + _MICROSECOND)
        beside = archive.events(**filters, range=instant, limit=0)
        known = sum(event.id >= place["id"] for event in beside)
        within = range._replace(until=instant.until)
    wanted = limit + known + 1
    found = list(archive.events(**filters, range=within, limit=wanted))
    older = [event for event in found if not place or (event.occurred_at, event.id) < (place["until"], place["id"])]
    newest_first = (documents.record(documents.EVENT, event) for event in reversed(older))
    records = list(_fitting(newest_first, limit))[::-1]
    if len(records) == len(older) and len(found) < wanted:
        return Portion(records, None)
    if not records:  # as many have come in the meantime that have this very time
        return Portion([], cursor)
    first = older[-len(records)]
    return Portion(records, _pack(until=rfc3339(first.occurred_at), id=first.id))


def numbered(records: Sequence[Record], limit: int, cursor: str | None) -> Portion:
    """Records that are all at hand, from the first on."""
    place = _unpack(cursor, skip=int)
    begin = place.get("skip", 0)
    taken = list(_fitting(records[begin:], limit))
    end = begin + len(taken)
    return Portion(taken, _pack(skip=end) if end < len(records) else None)

"""The containers that were below something within a range: where each belongs, and the states that it went through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from archiver.model import MICROSECOND, Cause, Gap, Resource, Span, TimeRange
from archiver.model.reports import Subject
from archiver.queries.causes import family, is_down
from archiver.queries.history import timeline
from archiver.queries.under import descend
from archiver.queries.windows import Window
from archiver.storage.pages import Ask
from archiver.storage.reading import Connection, instant
from archiver.storage.statements import chunks, statement
from archiver.storage.words import PARENT

CONTAINER = "container"

_OF_THESE = (
    "SELECT r.id, r.uri, r.key, r.platform_id, n.text AS name, s.text AS slot, i.text AS image"
    " FROM resources r JOIN event_types t ON t.id = r.type_id JOIN present p ON p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id LEFT JOIN texts s ON s.id = p.slot_id"
    " LEFT JOIN texts i ON i.id = p.image_id WHERE r.id IN :numbers AND t.text = :container ORDER BY r.uri"
)
# Of everything there is no way down: what lived within the range is looked up among all containers.
_OF_ALL = (
    "SELECT p.resource_id FROM present p JOIN event_types t ON t.id = p.type_id"
    " WHERE t.text = :container AND p.first_at < :until AND (p.gone_at IS NULL OR p.gone_at >= :since)"
)
_PLACES = (
    "SELECT f.resource_id, r.uri, t.text AS type, n.text AS name FROM facts f JOIN resources r ON r.id = f.value"
    " JOIN event_types t ON t.id = r.type_id LEFT JOIN present p ON p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id"
    f" WHERE f.resource_id IN :numbers AND f.what = {PARENT} ORDER BY f.resource_id, f.since"
)
_FAR_BACK = (20, 500, 10_000)
"""So many words back an end is looked for, a few first."""
_BACK = tuple(
    f"SELECT e.{at} AS at, {rank} AS rank, e.id, s.text AS state"
    f" FROM {table} e JOIN event_states s ON s.id = e.state_id"
    f" WHERE e.resource_id = :number AND e.{at} <= :at ORDER BY e.{at} DESC, e.id DESC LIMIT :words"
    for rank, (table, at) in enumerate((("events", "occurred_at"), ("observations", "observed_at")))
)
_KINDS = "SELECT k.state, k.kind FROM state_kinds k"

KindOf = Callable[[str], str | None]


class Lived(NamedTuple):
    """A container, where it was last, and what it went through within a range."""

    resource: Resource
    platform_id: int
    slot: str | None
    image: str | None
    places: Mapping[str, Subject]
    """By type: service, node, stack ..."""
    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]
    carried: Cause | None = None
    """Why it had stopped, when the range begins with what had."""

    @property
    def subject(self) -> Subject:
        """What a row about it says."""
        return Subject(self.resource.uri, CONTAINER, self.resource.name)


def lived(ask: Ask, root: Resource | None, range: TimeRange, now: datetime) -> Iterator[Lived]:
    """The containers that were under a resource (None: all) within a range, or the resource, when it is one."""
    window = Window.of(TimeRange(range.since, range.until or now))
    numbers = ask(_numbers, root, window)
    for part in chunks(numbers):
        rows, places = ask(_rows, part)
        for row in rows:
            resource = Resource(row.id, row.uri, CONTAINER, row.key, row.name)
            found = timeline(ask, resource, range, now)
            spans = tuple(found.spans)
            carried: Cause | None = None
            if spans and spans[0].since == range.since and is_down(spans[0].state) and spans[0].cause is None:
                stop = last_stop(ask, resource, spans[0].since, now)
                carried = stop and stop.cause
                if stop is not None and stop.since == range.since:
                    spans = (spans[0]._replace(cause=carried), *spans[1:])
            if spans:
                told = (row.slot, row.image, places.get(row.id, {}))
                yield Lived(resource, row.platform_id, *told, spans, found.coverage.gaps, carried)


def last_stop(ask: Ask, resource: Resource, at: datetime, now: datetime) -> Span | None:
    """The end that came last until an instant, with its cause; None: none is known."""
    ran = next(filter(None, (ask(_ran_last, resource.id, at, words) for words in _FAR_BACK)), None)
    if ran is None:
        return None
    found = timeline(ask, resource, TimeRange(ran, at + MICROSECOND), now)
    ends = [span for span in found.spans if span.cause]
    return ends[-1] if ends else None


def _ran_last(connection: Connection, number: int, at: datetime, words: int) -> datetime | None:
    """When that was told which came before the last end, among so many last words: what was in no state of an end."""
    down = False
    values = {"number": number, "at": at, "words": words}
    found = [row for query in _BACK for row in connection.execute(statement(query), values)]
    for row in sorted(found, key=lambda row: (row.at, row.rank, row.id), reverse=True)[:words]:
        if down and not is_down(row.state):
            return instant(row.at)
        down = down or is_down(row.state)
    return None


def kinds(connection: Connection) -> KindOf:
    """Says of what kind a container's state is: up, down, starting, gone; None where `state_kinds` does not say."""
    known = {row.state: row.kind for row in connection.execute(statement(_KINDS))}

    def kind(state: str) -> str | None:
        words = [word for text in (state.lower(), family(state)) for word in (f"{CONTAINER} {text}", text)]
        return next((known[word] for word in words if word in known), None)

    return kind


def _numbers(connection: Connection, root: Resource | None, window: Window) -> list[int]:
    if root is not None:
        return sorted(descend(connection, [root.id], window))
    values = {"container": CONTAINER, **window._asdict()}
    return [row.resource_id for row in connection.execute(statement(_OF_ALL), values)]


def _rows(connection: Connection, numbers: Any) -> tuple[list[Any], dict[int, dict[str, Subject]]]:
    rows = connection.execute(statement(_OF_THESE), {"numbers": numbers, "container": CONTAINER}).all()
    places: dict[int, dict[str, Subject]] = {}
    for part in chunks(row.id for row in rows):
        for row in connection.execute(statement(_PLACES), {"numbers": part}):
            places.setdefault(row.resource_id, {})[row.type] = Subject(row.uri, row.type, row.name)
    return rows, places

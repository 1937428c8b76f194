"""What stopped within a range, whether and when it came back, itself or what took its slot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from archiver.model import MICROSECOND, Cause, Micros, Number, Span, numbers_of, to_micros
from archiver.model.reports import Sentence
from archiver.queries.asked import Asked
from archiver.queries.containers import KindOf, Lived
from archiver.queries.windows import Part, Window, begun, overlapping
from archiver.storage.causes import SUCCEEDS_AFTER, SUCCEEDS_BEFORE
from archiver.storage.database.reading import Connection, instant
from archiver.storage.database.statements import statement
from archiver.storage.pages import Ask
from archiver.storage.words import PARENT, SLOT

# The view `restarts` says the same: made so shortly before the end, or within so long behind it, for the same service.
# Not looked for among all that the service ever had (+ 0).
_SUCCESSORS = (
    "SELECT DISTINCT o.resource_id FROM texts n CROSS JOIN facts o"
    f" WHERE n.text = :slot AND o.platform_id = :platform AND o.value = n.id AND o.what = {SLOT} AND {{}}"
    " AND o.resource_id <> :number"
    " AND EXISTS (SELECT 1 FROM facts g JOIN facts h ON h.platform_id = g.platform_id AND h.value + 0 = g.value + 0"
    " JOIN resources a ON a.platform_id = g.platform_id AND a.id = g.value JOIN event_types t ON t.id = a.type_id"
    f" WHERE g.platform_id = :platform AND g.resource_id = :number AND g.what = {PARENT}"
    f" AND h.platform_id = o.platform_id AND h.resource_id = o.resource_id AND h.what = {PARENT}"
    " AND t.text = 'service')"
)
_STATES = "SELECT s.id, s.text FROM event_states s"
_UP = tuple(
    f"SELECT e.{at} AS at FROM {table} e"
    f" WHERE e.platform_id = :platform AND e.resource_id = :number AND e.{at} >= :at AND e.state_id IN :ups"
    f" ORDER BY e.{at} LIMIT 1"
    for table, at in (("events", "occurred_at"), ("observations", "observed_at"))
)


_ONE: Mapping[int, str] = {}


class Stopped(NamedTuple):
    """An end, and when it, or what took its slot, ran again."""

    lived: Lived
    span: Span
    start: datetime | None
    """None: it never did, as far as the archive knows; also behind the range."""

    @property
    def is_missing(self) -> bool:
        """Whether it never came back; what is no more since it was told to stop, or ended well, is not missed."""
        cause = self.span.cause
        if self.start is not None or cause is None:
            return False
        return self.lived.gone is None or (cause.kind not in ("told", "forced") and cause.exit_code != 0)


class Stops:
    """Finds the ends of containers within a range, and what followed on each."""

    def __init__(self, ask: Ask, asked: Asked, kind: KindOf) -> None:
        self._ask, self._asked, self._kind = ask, asked, kind
        self._ups = ask(_ups, kind)

    def of(self, each: Lived) -> Iterator[Stopped]:
        """The ends of a container while it was below what is asked about."""
        for place, span in enumerate(each.spans):
            within = span.cause is not None and self._asked.since <= span.since < self._asked.end
            if within and each.was_below(span.since):
                yield Stopped(each, span, self._back(each, place))

    def never_back(self, each: Lived) -> Stopped | None:
        """The end from which a container never came back; None: it did, or is not missed."""
        ups = (n for n, span in enumerate(each.spans) if self._kind(span.state) == "up")
        rest = each.spans[max(ups, default=0) :]
        return next((stopped for stopped in self.of(each._replace(spans=rest)) if stopped.is_missing), None)

    def _back(self, each: Lived, place: int) -> datetime | None:
        """When a container, or what took its slot, ran first after an end: of one instant, what was told later is."""
        span = each.spans[place]
        behind = (each.spans[later] for later in range(place + 1, len(each.spans)))
        own = next((again.since for again in behind if self._kind(again.state) == "up"), None)
        found = [own or self._up_from(each.resource.id, each.spans[-1].since + MICROSECOND)]
        slot = each.stays.at(span.since).slot
        if slot is not None:
            successors = self._ask(_successors, each.resource.id, slot, to_micros(span.since))
            found += [self._up_from(number, span.since) for number in successors]
        return min((at for at in found if at is not None), default=None)

    def _up_from(self, number: Number, at: datetime) -> datetime | None:
        return self._ask(_up_from, number, at, self._ups) if self._ups else None


def said(missing: Stopped, names: Mapping[int, str] = _ONE) -> Sentence:
    """That something has not come back; `names`: those of platforms, where there are several."""
    lived, cause = missing.lived, missing.span.cause
    assert cause is not None
    subject = lived.subject._replace(platform=names.get(lived.platform_id))
    return subject, f" {how(cause)} at ", missing.span.since, " and has not come back"


def how(cause: Cause) -> str:
    """That something stopped, in words."""
    return "ended by itself" if cause.kind == "crash" and cause.exit_code == 0 else _HOW[cause.kind]


_HOW = {
    "told": "was told to stop",
    "forced": "was told to stop, and killed,",
    "crash": "crashed",
    "oom": "was out of memory",
    "unknown": "stopped, watched by nobody,",
}


def _ups(connection: Connection, kind: KindOf) -> list[int]:
    """The states in which a container is up."""
    return [row.id for row in connection.execute(_STATES) if kind(row.text) == "up"]


def of_slot(connection: Connection, number: Number, slot: str, window: Window) -> list[Number]:
    """The other containers that filled a slot of the same service within a window."""
    return _succeeding(connection, number, slot, overlapping(window))


def _successors(connection: Connection, number: Number, slot: str, at: Micros) -> list[Number]:
    window = Window(at - SUCCEEDS_BEFORE, at + SUCCEEDS_AFTER + 1)
    return _succeeding(connection, number, slot, begun(window))


def _succeeding(connection: Connection, number: Number, slot: str, parts: Sequence[Part]) -> list[Number]:
    found: set[Number] = set()
    for condition, values in parts:
        query = statement(_SUCCESSORS.format(condition.replace("f.", "o.")))
        told = {"platform": number.platform, "number": number, "slot": slot, **values}
        found.update(map(numbers_of(number.platform), connection.scalars(query, told)))
    return sorted(found)


def _up_from(connection: Connection, number: Number, at: datetime, ups: Sequence[int]) -> datetime | None:
    values = {"platform": number.platform, "number": number, "at": at, "ups": ups}
    rows = [connection.execute(statement(query), values).first() for query in _UP]
    return min((instant(row.at) for row in rows if row is not None), default=None)

"""One change of one resource, and how sure it is that it came when it was told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from archiver.model import Cause, Number, TimeRange, to_micros
from archiver.model.nearby import Became
from archiver.queries.coverage import coverage
from archiver.queries.sureness import Heard as Last
from archiver.queries.sureness import is_sure, streams_of
from archiver.queries.unchanged import is_bridged, unchanged
from archiver.storage.database.reading import Connection, instant
from archiver.storage.database.statements import statement

_ROUNDED = timedelta(seconds=1)
"""Platforms date by the second: what is heard first may seem so much older than the session it came in."""
_LAST = tuple(
    f"SELECT max(e.{at}) AS at FROM {table} e"
    f" WHERE e.platform_id = :platform AND e.resource_id = :number AND e.{at} < :at"
    for table, at in (("events", "occurred_at"), ("observations", "observed_at"))
)


class Heard(NamedTuple):
    """Who told of a change, and how long it had been known before how the resource was."""

    session_id: int | None
    """None: imported, and nobody wrote down who told."""
    known: datetime | None = None
    """When its state was told last before; None: that is not looked up yet, or it never was."""
    found: bool = False
    """Somebody asked; it was not told."""


class Step(NamedTuple):
    """One change of one resource."""

    number: Number
    change: Became
    before: Any
    after: Any
    at: datetime
    heard: Heard
    action: str | None = None
    by: str | None = None
    cause: Cause | None = None


def sure(connection: Connection, steps: Sequence[Step], range: TimeRange, now: datetime) -> list[bool | None]:
    """Of each step within a range: whether somebody was watching since its resource was last heard of.

    None: nobody wrote that down. Of what was first found by asking nobody knows since when it had been there.
    """
    judge = _Judge(connection, steps, range, now)
    return [judge(step) for step in steps]


class _Judge:
    """Says how sure steps are, by when the streams that told of them were watched."""

    def __init__(self, connection: Connection, steps: Sequence[Step], range: TimeRange, now: datetime) -> None:
        self._connection, self._since, self._now = connection, range.since, now
        self._streams = streams_of(connection, {step.heard.session_id for step in steps})
        self._gaps = {stream: coverage(connection, range, now, [stream]).gaps for stream in set(self._streams.values())}
        first = {step.number: step for step in steps if self._is_early(step.heard.known)}
        self._sure = self._watched_before({(n, step.heard.known, step.heard.session_id) for n, step in first.items()})

    def __call__(self, step: Step) -> bool | None:
        session, known, is_found = step.heard
        if session not in self._streams:
            return None
        if step.change == "appeared":
            return not is_found
        if step.change == "action" or (known is not None and self._watched(step, known, step.number in self._sure)):
            return True
        # A word that says no state is one all the same.
        last = self._last_word(step)
        if last is None or (known is not None and last <= known):
            return known is None
        early = self._is_early(last) and bool(self._watched_before({(step.number, last, session)}))
        return self._watched(step, last, early)

    def _is_early(self, known: datetime | None) -> bool:
        return known is not None and self._since is not None and known < self._since

    def _watched_before(self, known: Collection[tuple[Number, datetime | None, int | None]]) -> set[Number]:
        """Of resources, heard of last before the range, those that were watched from then on to its beginning."""
        heard = {number: Last(to_micros(at), session) for number, at, session in known if at is not None}
        if self._since is None or not heard:
            return set()
        return is_sure(self._connection, heard, to_micros(self._since), self._now)

    def _watched(self, step: Step, known: datetime, early: bool) -> bool:
        if self._is_early(known) and not early:
            return False
        hiding = [
            gap
            for gap in self._gaps[self._streams[step.heard.session_id]]
            if (gap.since is None or gap.since < step.at)
            and (gap.until is not None and gap.until <= step.at and gap.until - known >= _ROUNDED)
        ]
        if hiding:
            stretches = unchanged(self._connection, [step.number], hiding).get(step.number, ())
            return all(is_bridged(gap, stretches) for gap in hiding)
        return True

    def _last_word(self, step: Step) -> datetime | None:
        """When a resource was last heard of before a step."""
        values = {"platform": step.number.platform, "number": step.number, "at": step.at}
        rows = [self._connection.execute(statement(query), values).one() for query in _LAST]
        return max((instant(row.at) for row in rows if row.at is not None), default=None)

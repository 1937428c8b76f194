"""How sure what was last told is at an instant: whether anybody was watching since then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from archiver.model import Gap, Micros, Number, TimeRange, to_datetime, to_micros
from archiver.queries.coverage import coverage
from archiver.queries.unchanged import around, is_bridged
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import chunks, statement

_ROUNDED = timedelta(seconds=1)
"""An event may be dated so much before the session that heard it: platforms date by the second."""
_MARGIN = timedelta(seconds=2)
_EARLIEST = datetime.min.replace(tzinfo=UTC) + _MARGIN


class Heard(NamedTuple):
    """When something was told last, and in which session; None: imported without."""

    at: Micros
    session_id: int | None


def is_sure(
    connection: Connection, heard: Mapping[Number, Heard], at: Micros, now: datetime, *, lasting: bool = True
) -> set[Number]:
    """Those of some resources whose stream was watched from when they were heard last until an instant.

    Where it was not, those that are proven not to have changed meanwhile.

    `lasting` False: or until its last sign of life: a gap that lasts makes nothing doubtful.
    """
    if at > to_micros(now):
        return set()
    streams = streams_of(connection, {word.session_id for word in heard.values()})
    earliest: dict[int, Micros] = {}
    for word in heard.values():
        if word.session_id in streams:
            stream = streams[word.session_id]
            earliest[stream] = min(word.at, earliest.get(stream, word.at))
    moment = to_datetime(at)
    gaps = {stream: _gaps(connection, stream, to_datetime(since), moment, now) for stream, since in earliest.items()}
    hiding = {
        number: [gap for gap in gaps[streams[word.session_id]] if _hides(gap, to_datetime(word.at), lasting)]
        for number, word in heard.items()
        if word.session_id in streams
    }
    doubtful = [number for number, found in hiding.items() if found]
    stretches = around(connection, doubtful, moment)
    return {
        number
        for number, found in hiding.items()
        if all(is_bridged(gap, stretches.get(number, ()), to_datetime(heard[number].at)) for gap in found)
    }


def streams_of(connection: Connection, sessions: Iterable[int | None]) -> dict[int | None, int]:
    """The stream of each session."""
    found: dict[int | None, int] = {}
    for numbers in chunks(number for number in sessions if number is not None):
        rows = connection.execute(statement(_STREAMS), {"numbers": numbers})
        found.update((row.id, row.stream_id) for row in rows)
    return found


_STREAMS = "SELECT s.id, s.stream_id FROM sessions s WHERE s.id IN :numbers"


def _gaps(connection: Connection, stream: int, since: datetime, at: datetime, now: datetime) -> Sequence[Gap]:
    """When nobody was watching a stream, of what began before an instant."""
    margin = TimeRange(max(since, _EARLIEST) - _MARGIN, at + _MARGIN)
    found = coverage(connection, margin, now, [stream]).gaps
    return [gap for gap in found if gap.since is None or gap.since < at]


def _hides(gap: Gap, moment: datetime, lasting: bool) -> bool:
    """Whether what came after an instant may have been missed in a gap."""
    if gap.until is None:
        return lasting
    return gap.until - moment >= _ROUNDED or (gap.until > moment and moment.microsecond != 0)

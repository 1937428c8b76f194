"""Tries rejects again, within the recorder's transaction: what can be an event by now becomes one, the rest stays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from archiver.model import Batch, Dialect, Event, Micros, Observation
from archiver.storage import properties
from archiver.storage.duplicates import drop_duplicates
from archiver.storage.inventory import Inventory
from archiver.storage.schema import rejects, sessions, streams
from archiver.storage.words import REJECTS_RETRIED, REJECTS_TRIED_BY
from archiver.storage.writer import Writer

PAGE = 100
"""Rejects that are tried in one transaction; no more than one after so many bytes."""
_PAGE_BYTES = 1 << 20
_c = rejects.c


class Kept(NamedTuple):
    """A reject as it is kept, and where it came from; None where it was imported."""

    platform_id: int
    id: int
    payload: bytes
    received_at: Micros
    session: str | None
    stream: str | None
    dialect: Dialect | None


Decode = Callable[[Kept], Sequence[Event | Observation]]
"""What the message of a reject tells by now; nothing where it still cannot be read."""


class Which(NamedTuple):
    """Rejects that are to be tried."""

    after: int
    upto: int
    """Their numbers, the first not included."""
    numbers: Sequence[int] | None = None
    """Of those the ones with these numbers only."""
    most: int = PAGE
    """As many at once."""


class Retried(NamedTuple):
    """What came of some rejects."""

    tried: int = 0
    events: int = 0
    """Events, and answers to questions, that they turned into."""
    duplicates: int = 0
    """Of them were told by others already."""
    left: int = 0
    """Rejects that stay what they are."""
    last: int = 0
    """The number of the last one that was tried; 0 when there was none."""


def retry(
    connection: Connection, writer: Writer, which: Which, decode: Decode, now: Micros, held: Inventory
) -> Retried:
    """Tries the next of some rejects. What was `held` before them they told already, and were imported once more."""
    kept = _next(connection, which)
    if not kept:
        return Retried()
    told = [(reject.id, word) for reject in kept for word in decode(reject)]
    events = [(number, word) for number, word in told if isinstance(word, Event)]
    placed = writer.placed(connection, Batch([event for _, event in events]).events)
    conflicts = set(drop_duplicates(connection, placed).conflicts)
    refused = {number for (number, _), event in zip(events, placed.events(), strict=True) if event in conflicts}
    taken = [(number, word) for number, word in told if number not in refused]
    words = Batch([word for _, word in taken])
    done = writer.write(connection, words, None, check_uuids=True, inventory=held) if taken else None
    gone = {number for number, _ in taken}
    if gone:
        connection.execute(delete(rejects).where(*_which(kept, gone)))
        _count(connection, len(gone))
    stay = {reject.id for reject in kept} - gone
    if stay:
        connection.execute(update(rejects).where(*_which(kept, stay)).values(retried_at=now))
    observed = sum(1 for _, word in taken if isinstance(word, Observation))
    came = (done.events + observed, done.duplicates) if done else (0, 0)
    return Retried(len(kept), *came, len(stay), kept[-1].id)


def _which(kept: Sequence[Kept], numbers: Collection[int]) -> tuple[ColumnElement[bool], ...]:
    """Those rejects, on their platforms."""
    return _c.platform_id.in_({reject.platform_id for reject in kept}), _c.id.in_(numbers)


def _next(connection: Connection, which: Which) -> list[Kept]:
    """In the order of their numbers, on whichever platforms."""
    size = func.length(_c.payload)
    asked = select(_c.id, size).where(_c.id > which.after, _c.id <= which.upto).order_by(_c.id).limit(which.most)
    if which.numbers is not None:
        asked = asked.where(_c.id.in_(which.numbers))
    chosen: list[int] = []
    held = 0
    for number, length in connection.execute(asked):
        if chosen and held + length > _PAGE_BYTES:
            break
        chosen.append(number)
        held += length
    told = (_c.platform_id, _c.id, _c.payload, _c.received_at, sessions.c.key, streams.c.url, streams.c.dialect)
    joined = rejects.outerjoin(sessions, sessions.c.id == _c.session_id)
    joined = joined.outerjoin(streams, streams.c.id == sessions.c.stream_id)
    rows = connection.execute(select(*told).select_from(joined).where(_c.id.in_(chosen)).order_by(_c.id))
    return [Kept(row[0], row[1], bytes(row[2]), *row[3:]) for row in rows]


# --- what is kept in mind -------------------------------------------------------------------------------------------


def _count(connection: Connection, more: int) -> None:
    """That so many rejects are no rejects any more: who says how many there are need not count them."""
    known = int(properties.kept(connection, REJECTS_RETRIED) or 0)
    properties.keep(connection, REJECTS_RETRIED, str(known + more))


def last_reject(connection: Connection) -> int:
    """The number of the last reject; 0 when there is none."""
    return connection.scalar(select(func.max(_c.id))) or 0


def is_due(connection: Connection, version: str) -> bool:
    """Whether there are rejects which this version has not tried; where there are none, it has tried all."""
    if properties.kept(connection, REJECTS_TRIED_BY) == version:
        return False
    if connection.scalar(select(_c.id).limit(1)) is not None:
        return True
    properties.keep(connection, REJECTS_TRIED_BY, version)
    return False

"""Says since when nobody has watched a stream, for who asks its platform about what was missed."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from archiver.model import Micros, to_datetime, to_micros
from archiver.storage.schema import sessions
from archiver.storage.stream_rows import known_stream

_s = sessions.c


class Watched(NamedTuple):
    """How well a stream was watched of late."""

    is_known: bool
    """Whether the archive knows the stream."""
    unwatched_since: Micros
    """The oldest instant at which nobody watched, of those that count; where there is none, the last sign of life."""
    last_gap: Micros
    """Since when a session watches, for which it was asked, else when the last one ended; 0: there was none."""


def watched(connection: Connection, stream: str, session: str | None, since: Micros) -> Watched:
    """How a stream was watched since an instant, and from its first session on; `session` is the one that is open."""
    known = known_stream(connection, stream)
    number = None if known is None else known.id
    first = connection.scalar(select(func.min(_s.covered_from)).where(_s.stream_id == number))
    if first is None:
        return Watched(number is not None, since, 0)
    ended = func.coalesce(_s.closed_at, _s.last_seen_at)
    told = select(_s.key, _s.covered_from, ended).where(_s.stream_id == number, ended >= to_datetime(since))
    reached, unwatched, own = max(since, to_micros(first)), None, None
    for key, covered_from, end in connection.execute(told.order_by(_s.covered_from)):
        begin = to_micros(covered_from)
        if begin > reached and unwatched is None:
            unwatched = reached
        reached = max(reached, to_micros(end))
        own = begin if key == session else own
    last = connection.scalar(select(func.max(ended)).where(_s.stream_id == number))
    gap = own if own is not None else to_micros(last) if last is not None else 0
    return Watched(True, unwatched if unwatched is not None else reached, gap)

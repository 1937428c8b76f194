"""What is compared of two instants: what was told of between them, or where that is more, all that stood."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from archiver.model import Micros, Number
from archiver.queries.altered import Ends, Instants, altered, words_between
from archiver.queries.snapshot import Snapshot, children, edges, how_many, of_platform, of_resource, small, some
from archiver.queries.standing import stood, who_told
from archiver.storage.reading import Connection
from archiver.storage.statements import statement

_FEW, _MORE = 25, 16
"""Of so many resources all are looked at rather than that more words be read; then of so many times as many."""
_WORDS = 2
"""So many words cost as much as a resource that is looked at."""
_SAMPLE = 20
"""Of so many that stood it is looked who told of them, where nothing changed that says it."""

_SPEAKERS = "SELECT s.id FROM streams s"
_OF_PLATFORM = f"{_SPEAKERS} WHERE s.platform_id = :platform OR s.platform_id IS NULL"

Compared = tuple[Ends, list[int] | None]
"""What is compared, and the streams that told of all that stood at either instant, as `who_told`."""


def compared(connection: Connection, root: Number | None, instants: Instants, now: datetime) -> Compared:
    """What may stand otherwise at one of two instants than at the other, under a resource or (None) anywhere."""
    most = _FEW
    while (words := words_between(connection, root, instants, most * _WORDS)) is None:
        if root is None:
            if how_many(connection, most + 1) <= most:
                break
        elif (first := small(connection, root, instants[0], now, most)) is not None:
            return _whole(connection, root, instants, now, first)
        most *= _MORE
    else:
        ends = altered(connection, root, instants, now, words)
        streams = _all_who_told(connection, ends, root, instants[0], now)
        if streams is not None:
            return ends, streams
    return _whole(connection, root, instants, now)


def _all_who_told(
    connection: Connection, ends: Ends, root: Number | None, at: Micros, now: datetime
) -> list[int] | None:
    """Who told of all that stood, as far as what changed, and some of the rest, says it; None: others may have."""
    values = {} if root is None else {"platform": root.platform}
    speakers = set(connection.scalars(statement(_SPEAKERS if root is None else _OF_PLATFORM), values))
    told = [each for snapshot in ends.snapshots for each in snapshot.stood.values()]
    streams = who_told(connection, told)
    if streams is None or not speakers.issubset(streams):
        told += stood(connection, _sample(connection, ends, root, at), at, now).values()
        streams = who_told(connection, [each for each in told if each.gone_at is None])
    return streams if streams is not None and speakers.issubset(streams) else None


def _sample(connection: Connection, ends: Ends, root: Number | None, at: Micros) -> set[Number]:
    if root is None:
        return set(some(connection, at, _SAMPLE))
    if root not in ends.snapshots[0].stood:
        return set()
    return set(islice((child for _, child in children(connection, [root], at)), _SAMPLE)) - {root}


def _whole(
    connection: Connection, root: Number | None, instants: Instants, now: datetime, first: Snapshot | None = None
) -> Compared:
    """All that stood at either instant."""
    snapshots = (
        first or _snapshot(connection, root, instants[0], now),
        _snapshot(connection, root, instants[1], now),
    )
    before, after = (snapshot.stood for snapshot in snapshots)
    then = stood(connection, after.keys() - before.keys(), instants[0], now)
    later = stood(connection, before.keys() - after.keys(), instants[1], now)
    known = {**before, **then}, {**after, **later}
    stayed = [n for n in known[0].keys() & known[1].keys() if known[0][n].gone_at is known[1][n].gone_at is None]
    above = edges(connection, stayed, instants[0]), edges(connection, stayed, instants[1])
    return Ends(snapshots, known, above), who_told(connection, [*before.values(), *after.values()])


def _snapshot(connection: Connection, root: Number | None, at: Micros, now: datetime) -> Snapshot:
    if root is None:
        return of_platform(connection, at, now)
    return of_resource(connection, root, at, now)

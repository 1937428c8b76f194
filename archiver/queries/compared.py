"""What is compared of two instants: what was told of between them, or where that is more, all that stood."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from archiver.model import Micros, Number
from archiver.queries.altered import Ends, Instants, altered, words_between
from archiver.queries.reach import reach
from archiver.queries.snapshot import (
    Snapshot,
    branches,
    children,
    edges_at_both,
    grown,
    how_many,
    met_from,
    of_platform,
    some,
)
from archiver.queries.standing import Stood, Vocabulary, stood, stood_later, who_told
from archiver.queries.under import Edge
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import statement

_FEW, _MORE = 25, 16
"""Of so many resources all are looked at rather than that more words be read; then of so many times as many."""
_FEW_WORDS = 8
"""Of more words all of a small tree is looked at."""
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
    most, words_most = _FEW, _FEW_WORDS
    while (words := words_between(connection, root, instants, words_most)) is None:
        if root is None:
            if how_many(connection, most + 1) <= most:
                break
        elif (found := branches(connection, root, instants, most)) is not None:
            return _below(connection, root, instants, now, found)
        most *= _MORE
        words_most = most * _WORDS
    else:
        ends = altered(connection, root, instants, now, words)
        streams = _all_who_told(connection, ends, root, instants[0], now)
        if streams is not None:
            return ends, streams
    if root is None:
        return _whole(connection, instants, now)
    found = branches(connection, root, instants)
    assert found is not None
    return _below(connection, root, instants, now, found)


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
    edges, _ = children(connection, [root], (at, at), reach(connection))
    return set(islice((child for _, child in edges), _SAMPLE)) - {root}


def _below(
    connection: Connection, root: Number, instants: Instants, now: datetime, found: tuple[set[Edge], set[Edge]]
) -> Compared:
    """All that stood under a resource at either instant, where it is known what was under what."""
    numbers = met_from(root, found)
    words = Vocabulary.of(connection)
    first = stood(connection, numbers, instants[0], now, words)
    known = first, stood_later(connection, first, numbers, *instants, now, words)
    snapshots = grown(root, found[0], known[0]), grown(root, found[1], known[1])
    return _ends(connection, snapshots, known, instants)


def _whole(connection: Connection, instants: Instants, now: datetime) -> Compared:
    """All that stood at either instant."""
    snapshots = of_platform(connection, instants[0], now), of_platform(connection, instants[1], now)
    before, after = (snapshot.stood for snapshot in snapshots)
    then = stood(connection, after.keys() - before.keys(), instants[0], now)
    later = stood(connection, before.keys() - after.keys(), instants[1], now)
    return _ends(connection, snapshots, ({**before, **then}, {**after, **later}), instants)


def _ends(
    connection: Connection,
    snapshots: tuple[Snapshot, Snapshot],
    known: tuple[Mapping[Number, Stood], Mapping[Number, Stood]],
    instants: Instants,
) -> Compared:
    """What is compared of two snapshots, of which it is known how that which stands in either stood at both."""
    before, after = (snapshot.stood for snapshot in snapshots)
    stayed = [
        number
        for number in before.keys() | after.keys()
        if number in known[0] and number in known[1] and known[0][number].gone_at is known[1][number].gone_at is None
    ]
    above = edges_at_both(connection, stayed, instants)
    return Ends(snapshots, known, above), who_told(connection, [*before.values(), *after.values()])

"""Says in which gaps a resource is proven not to have changed: they hide nothing of it (the view `unchanged`)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from archiver.model import Coverage, Gap, Number
from archiver.queries.under import heads
from archiver.storage.database.reading import Connection, instant
from archiver.storage.database.statements import Among, by_platform, statement

Stretch = tuple[datetime, datetime]
"""From one answer to the next, with nothing told between them, that said the same of a state and a life."""

_DURING = (
    "SELECT u.resource_id, u.since, u.until FROM (SELECT r.id AS id, coalesce(("
    "SELECT o.observed_at FROM observations o"
    " WHERE o.platform_id = r.platform_id AND o.resource_id = r.id AND o.state_id IS NOT NULL"
    " AND o.observed_at >= :last ORDER BY o.observed_at LIMIT 1), :last) AS last FROM resources r"
    " WHERE r.platform_id = :platform AND r.id IN :numbers) x"
    " JOIN unchanged u ON u.platform_id = :platform AND u.resource_id = x.id"
    " AND u.until >= :first AND u.until <= x.last"
    " ORDER BY u.resource_id, u.since, u.until"
)
_FIRST = (
    "(SELECT o.id FROM observations o WHERE o.platform_id = r.platform_id AND o.resource_id = r.id"
    " AND o.state_id IS NOT NULL AND o.observed_at {} :moment ORDER BY o.observed_at, o.id LIMIT 1)"
)
_AROUND = (
    "SELECT u.resource_id, u.since, u.until FROM resources r JOIN unchanged u"
    f" ON u.observation_id IN ({_FIRST.format('>=')}, {_FIRST.format('>')})"
    " WHERE r.platform_id = :platform AND r.id IN :numbers"
)


def judged(connection: Connection, watched: Coverage, number: Number) -> Coverage:
    """The coverage of what is said of one resource: the gaps that hide nothing of it are `proven`."""
    return watched._replace(gaps=proven(watched.gaps, unchanged(connection, [number], watched.gaps).get(number, ())))


def judged_alone(connection: Connection, watched: Coverage, numbers: Collection[Number]) -> Coverage:
    """The coverage of what is said of some resources and all under them: the same, where nothing ever was under them.

    What a gap hides of others, which may have come and gone in it, no answer about one proves.
    """
    if not watched.gaps or any(heads(connection, numbers)):
        return watched
    stretches = unchanged(connection, numbers, watched.gaps)
    known = [stretches.get(number, ()) for number in numbers]
    if len(known) == 1:
        return watched._replace(gaps=proven(watched.gaps, known[0]))
    gaps = [gap._replace(proven=all(is_bridged(gap, own) for own in known)) for gap in watched.gaps]
    return watched._replace(gaps=tuple(gaps))


def unchanged(
    connection: Connection, numbers: Collection[Number], gaps: Sequence[Gap]
) -> Mapping[Number, Sequence[Stretch]]:
    """The stretches in which some resources are proven not to have changed, of those about some gaps; by time."""
    over = [(gap.since, gap.until) for gap in gaps if gap.since is not None and gap.until is not None]
    found: dict[Number, list[Stretch]] = {}
    if over:
        ends = {"first": min(until for _, until in over), "last": max(until for _, until in over)}
        for among in by_platform(numbers):
            _add(found, among, connection.execute(statement(_DURING), among.values(**ends)))
    return found


def around(connection: Connection, numbers: Collection[Number], moment: datetime) -> Mapping[Number, Sequence[Stretch]]:
    """Of some resources the stretches that the first answer at an instant, and the first behind it, end."""
    found: dict[Number, list[Stretch]] = {}
    for among in by_platform(numbers):
        _add(found, among, connection.execute(statement(_AROUND), among.values(moment=moment)))
    return found


def _add(found: dict[Number, list[Stretch]], among: Among, rows: Iterable[tuple[int, object, object]]) -> None:
    for number, since, until in rows:
        found.setdefault(among.of(number), []).append((instant(since), instant(until)))


def proven(gaps: Iterable[Gap], stretches: Sequence[Stretch]) -> tuple[Gap, ...]:
    """The gaps, cut where one of some stretches begins that reaches over its end: from there on they are `proven`."""
    return tuple([piece for gap in gaps for piece in _cut(gap, stretches)])


def _cut(gap: Gap, stretches: Sequence[Stretch]) -> Iterator[Gap]:
    since, until = gap.since, gap.until
    if not stretches or not _is_between(gap) or since is None or until is None:
        yield gap
        return
    place = bisect_left(stretches, until, key=lambda stretch: stretch[0])
    if place == 0 or stretches[place - 1][1] < until:
        yield gap
        return
    begin = max(since, stretches[place - 1][0])
    if since < begin:
        yield gap._replace(until=begin)
    yield gap._replace(since=begin, proven=True)


def is_bridged(gap: Gap, stretches: Sequence[Stretch], known: datetime | None = None) -> bool:
    """Whether a gap, as far as it lies behind an instant (None: all of it), lies within one of some stretches."""
    since, until = gap.since, gap.until
    if not _is_between(gap) or since is None or until is None:
        return False
    begin = since if known is None else max(since, known)
    return any(first <= begin and until <= last for first, last in stretches)


def _is_between(gap: Gap) -> bool:
    """Whether it is known that somebody had watched before a gap."""
    return gap.stream is not None and gap.kind != "before"

"""Says in which gaps a resource is proven not to have changed: they hide nothing of it (the view `unchanged`)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from archiver.model import Coverage, Gap
from archiver.queries.under import heads
from archiver.storage.reading import Connection, instant
from archiver.storage.statements import chunks, statement

Stretch = tuple[datetime, datetime]
"""From one answer to the next, with nothing told between them, that said the same of a state and a life."""

_DURING = (
    "SELECT u.resource_id, u.since, u.until FROM (SELECT r.id AS id, coalesce(("
    "SELECT o.observed_at FROM observations o WHERE o.resource_id = r.id AND o.state_id IS NOT NULL"
    " AND o.observed_at >= :last ORDER BY o.observed_at LIMIT 1), :last) AS last FROM resources r"
    " WHERE r.id IN :numbers) x JOIN unchanged u ON u.resource_id = x.id AND u.until >= :first AND u.until <= x.last"
    " ORDER BY u.resource_id, u.since, u.until"
)
_AROUND = (
    "SELECT u.resource_id, u.since, u.until FROM resources r JOIN unchanged u ON u.observation_id = ("
    "SELECT o.id FROM observations o WHERE o.resource_id = r.id AND o.state_id IS NOT NULL"
    " AND o.observed_at > :moment ORDER BY o.observed_at, o.id LIMIT 1) WHERE r.id IN :numbers"
)


def judged(connection: Connection, watched: Coverage, number: int) -> Coverage:
    """The coverage of what is said of one resource: the gaps that hide nothing of it are `proven`."""
    return watched._replace(gaps=proven(watched.gaps, unchanged(connection, [number], watched.gaps).get(number, ())))


def judged_alone(connection: Connection, watched: Coverage, numbers: Collection[int]) -> Coverage:
    """The coverage of what is said of some resources and all under them: the same, where nothing ever was under them.

    What a gap hides of others, which may have come and gone in it, no answer about one proves.
    """
    if not watched.gaps or any(heads(connection, numbers)):
        return watched
    stretches = unchanged(connection, numbers, watched.gaps)
    known = [stretches.get(number, ()) for number in numbers]
    gaps = [gap._replace(proven=all(is_bridged(gap, own) for own in known)) for gap in watched.gaps]
    return watched._replace(gaps=tuple(gaps))


def unchanged(connection: Connection, numbers: Collection[int], gaps: Sequence[Gap]) -> Mapping[int, Sequence[Stretch]]:
    """The stretches in which some resources are proven not to have changed, of those about some gaps; by time."""
    over = [(gap.since, gap.until) for gap in gaps if gap.since is not None and gap.until is not None]
    found: dict[int, list[Stretch]] = {}
    if over:
        ends = {"first": min(until for _, until in over), "last": max(until for _, until in over)}
        for part in chunks(numbers):
            _add(found, connection.execute(statement(_DURING), {"numbers": part, **ends}))
    return found


def around(connection: Connection, numbers: Collection[int], moment: datetime) -> Mapping[int, Sequence[Stretch]]:
    """Of some resources the stretch that the first answer behind an instant ends, where there is one."""
    found: dict[int, list[Stretch]] = {}
    for part in chunks(numbers):
        _add(found, connection.execute(statement(_AROUND), {"numbers": part, "moment": moment}))
    return found


def _add(found: dict[int, list[Stretch]], rows: Iterable[tuple[int, object, object]]) -> None:
    for number, since, until in rows:
        found.setdefault(number, []).append((instant(since), instant(until)))


def proven(gaps: Iterable[Gap], stretches: Sequence[Stretch]) -> tuple[Gap, ...]:
    """The gaps; those that lie within one of some stretches, which are in order, are `proven`."""
    return tuple([gap._replace(proven=True) if stretches and is_bridged(gap, stretches) else gap for gap in gaps])


def is_bridged(gap: Gap, stretches: Sequence[Stretch]) -> bool:
    """Whether a gap between two sessions lies within one of some stretches, which are in order."""
    if gap.stream is None or gap.kind == "before" or gap.since is None or gap.until is None:
        return False
    place = bisect_right(stretches, gap.since, key=lambda stretch: stretch[0])
    return place > 0 and gap.until <= stretches[place - 1][1]

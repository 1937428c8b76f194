"""What was otherwise at one instant than at another: what appeared, vanished, moved, and what else changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from archiver.model import Change, Diff, Micros, Number, Resource, TimeRange, to_datetime, to_micros
from archiver.queries.altered import Ends
from archiver.queries.compared import compared
from archiver.queries.coverage import coverage, coverage_at, emptiness
from archiver.queries.ended import Changed, with_causes
from archiver.queries.last_words import States, is_running
from archiver.queries.moment import not_then
from archiver.queries.platforms import of_resources
from archiver.queries.replicas import began_to_run, ceased_to_run
from archiver.queries.snapshot import Snapshot
from archiver.queries.standing import Stood, began_to_live
from archiver.queries.sureness import streams_of
from archiver.queries.unchanged import judged_alone
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.words import PARENT


class _Ends(NamedTuple):
    """How a resource stood at both instants; None: it did not live."""

    before: Stood | None
    after: Stood | None


class _Sure(NamedTuple):
    """How sure each side of a change is."""

    before: bool | None
    after: bool | None


def difference(
    connection: Connection, resource: Resource | None, range: TimeRange, now: datetime, *, causes: bool = False
) -> Diff:
    """What was otherwise at the end of a range, both ends of which are given, than at its beginning.

    Of a resource and all that was under it at either end; None: of the whole platform. `causes`: why what ended did.
    Raises NotThen when the resource lived at neither.
    """
    assert range.since is not None
    assert range.until is not None
    instants = to_micros(range.since), to_micros(range.until)
    root = None if resource is None else resource.id
    ends, streams = compared(connection, root, instants, now)
    if resource is not None and not any(snapshot.stood for snapshot in ends.snapshots):
        raise not_then(connection, resource, instants[0], now)
    changed = list(_Comparison(connection, ends, instants, now).changes())
    told = with_causes(connection, changed, range, now) if causes else [each.change for each in changed]
    found = sorted(told, key=_order)
    watched = coverage(connection, range, now, streams)
    if resource is not None:
        watched = judged_alone(connection, watched, [resource.id])
    empty = None if found else emptiness(connection, range, watched, streams)
    return Diff(resource, range, watched, tuple(found), empty)


_ORDER = ("appeared", "moved", "name", "image", "tags", "state", "replicas", "vanished")


def _order(change: Change) -> tuple[datetime, int, str]:
    return change.at, _ORDER.index(change.change), change.uri


class _Comparison:
    """Two snapshots, and what is asked about what stands in one of them only, or otherwise."""

    def __init__(
        self,
        connection: Connection,
        ends: Ends,
        instants: tuple[Micros, Micros],
        now: datetime,
    ) -> None:
        self._connection = connection
        self._snapshots = ends.snapshots
        first, second = (snapshot.stood for snapshot in ends.snapshots)
        self._first_at, self._second_at = instants
        self._now = now
        then, later = ends.known
        self._gone_before = {n for n in second.keys() - first.keys() & then.keys() if then[n].gone_at is not None}
        self._ended = {n: later[n] for n in first.keys() - second.keys() & later.keys() if later[n].gone_at is not None}
        self._ends = {
            number: _Ends(
                first.get(number) or _alive(then.get(number)), second.get(number) or _alive(later.get(number))
            )
            for number in first.keys() | second.keys()
        }
        stayed = [number for number, (before, after) in self._ends.items() if before and after]
        self._above = ends.above
        self._moved = {n for n in stayed if self._above[0].get(n, set()) != self._above[1].get(n, set())}
        self._moved_at = _moves(connection, self._moved, self._above, instants)
        self._platforms = of_resources(connection, self._ends.keys())

    def changes(self) -> Iterator[Changed]:
        """All that is otherwise, in no order."""
        for number, change in chain(self._of_each(), self._replicas()):
            yield Changed(number, change._replace(platform=self._platforms.get(number)))

    def _of_each(self) -> Iterator[tuple[Number, Change]]:
        """What each is otherwise in, by its number."""
        appeared = [number for number, ends in self._ends.items() if ends.before is None]
        births = began_to_live(self._connection, appeared, self._second_at)
        doubtful = self._unwatched_before(ends.after for ends in self._ends.values() if not ends.before and ends.after)
        uris = self._uris()
        for number, (before, after) in self._ends.items():
            if before is None and after is not None:
                sure = _Sure(number not in doubtful, after.certain)
                yield number, _change("appeared", after, None, after.state, births[number], sure)
            elif before is not None and after is None:
                last = self._ended[number]
                sure = _Sure(before.certain, last.certain)
                yield number, _change("vanished", before, before.state, last.state, last.gone_at, sure)
            elif before is not None and after is not None:
                if number in self._moved:
                    was, is_ = (tuple(sorted(uris[n] for n in above.get(number, ()))) for above in self._above)
                    sure = _Sure(before.certain, after.certain)
                    yield number, _change("moved", after, was, is_, self._moved_at[number], sure)
                yield from ((number, change) for change in _altered(before, after))

    def _uris(self) -> dict[int, str]:
        numbers = {parent for above in self._above for number in self._moved for parent in above.get(number, ())}
        found: dict[int, str] = {}
        for among in by_platform(numbers):
            found.update((row.id, row.uri) for row in self._connection.execute(statement(_URIS), among.values()))
        return found

    def _replicas(self) -> Iterator[tuple[Number, Change]]:
        """Of each service that was there at both instants, by its number: how many of its containers ran."""
        states: States | None = None
        counted = [_running(snapshot) for snapshot in self._snapshots]
        for number in self._snapshots[0].stood.keys() & self._snapshots[1].stood.keys():
            before, after = self._ends[number]
            if before is None or after is None or after.type != "service":
                continue
            ran, run = (running.get(number, set()) for running in counted)
            if len(ran) != len(run):
                states = states or States(self._connection)
                became = began_to_run(self._connection, run - ran, number, self._second_at, states)
                became |= ceased_to_run(self._connection, ran - run, number, self._second_at, states)
                sure = _Sure(*map(_all_sure, zip(*(self._ends[each] for each in ran | run), strict=True)))
                instant = max(became.values(), default=self._second_at)
                yield number, _change("replicas", after, len(ran), len(run), instant, sure)

    def _unwatched_before(self, appeared: Iterable[Stood]) -> set[Number]:
        """Of what lived at the second instant only, what may have been there at the first: nobody was watching then."""
        found: set[Number] = set()
        moment = to_datetime(self._first_at)
        for stream, numbers in _by_stream(self._connection, appeared).items():
            if coverage_at(self._connection, moment, self._now, [stream]).gaps:
                found |= numbers
        return found - self._gone_before


_URIS = "SELECT r.id, r.uri FROM resources r WHERE r.platform_id = :platform AND r.id IN :numbers"
_BOUNDS = (
    "SELECT f.resource_id, f.value, f.since, f.until FROM facts f"
    " WHERE f.platform_id = :platform AND f.resource_id IN :numbers"
    f" AND f.what = {PARENT} AND f.since <= :last AND f.until > :first"
)


def _by_stream(connection: Connection, told_of: Iterable[Stood]) -> Mapping[int, set[Number]]:
    """The streams that told last of some resources, each with these."""
    told_of = list(told_of)
    streams = streams_of(connection, {session for each in told_of for session in each.sessions})
    found: dict[int, set[Number]] = {}
    for each in told_of:
        for session in each.sessions & streams.keys():
            found.setdefault(streams[session], set()).add(each.id)
    return found


def _alive(found: Stood | None) -> Stood | None:
    return None if found is None or found.gone_at is not None else found


def _change(kind: str, subject: Stood, before: object, after: object, at: Micros | None, sure: _Sure) -> Change:
    assert at is not None
    doubtful = tuple([side for side, certain in sure._asdict().items() if certain is False])
    told_of = (subject.uri, subject.type, subject.name, before, after, to_datetime(at), _both(*sure))
    return Change(kind, *told_of, doubtful=doubtful)  # type: ignore[arg-type]


def _altered(before: Stood, after: Stood) -> Iterator[Change]:
    """What else a resource that lived at both instants is otherwise in."""
    sure = _Sure(before.certain, after.certain)
    if after.state is not None and (before.state or "").lower() != after.state.lower():
        yield _change("state", after, before.state, after.state, after.state_since, sure)
    if before.image != after.image:
        yield _change("image", after, before.image, after.image, after.image_since, sure)
    if before.name != after.name:
        yield _change("name", after, before.name, after.name, after.name_since, sure)
    if before.tags != after.tags:
        yield _change("tags", after, before.tags, after.tags, after.tags_since, sure)


def _all_sure(ends: Iterable[Stood | None]) -> bool | None:
    """Whether all that lived of some is certain."""
    return _both(*(end.certain for end in ends if end is not None))


def _both(*certain: bool | None) -> bool | None:
    """Whether all are certain; of one of which nothing is known nobody can tell."""
    if False in certain:
        return False
    return None if None in certain else True


def _moves(
    connection: Connection,
    moved: Collection[Number],
    above: tuple[Mapping[Number, set[Number]], Mapping[Number, set[Number]]],
    instants: tuple[Micros, Micros],
) -> dict[int, Micros]:
    """When each came to be where it was at the second instant: the last that it came under, or left."""
    first, last = instants
    found: dict[int, Micros] = {}
    for among in by_platform(moved):
        rows = connection.execute(statement(_BOUNDS), among.values(first=first, last=last))
        for number, parent, since, until in rows:
            was, is_ = (parent in edges.get(among.of(number), ()) for edges in above)
            ends = [since] if is_ and not was and until > last else [until] if was and not is_ and until <= last else []
            for instant in ends:
                found[number] = max(instant, found.get(number, instant))
    return found


def _running(snapshot: Snapshot) -> Mapping[Number, set[Number]]:
    """The containers that run directly under each resource."""
    found: dict[Number, set[Number]] = {}
    for number, parents in snapshot.parents.items():
        if (
            number in snapshot.stood
            and snapshot.stood[number].type == "container"
            and is_running(snapshot.stood[number].state)
        ):
            for parent in parents:
                found.setdefault(parent, set()).add(number)
    return found

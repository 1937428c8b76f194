"""Which actions ran at all, or on some resources and on everything that was under them when each began."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from archiver.model import Micros, Number, numbers_of
from archiver.queries.reach import reach
from archiver.queries.under import TARGETS, Descent, ascend, descend, is_within
from archiver.queries.windows import NEVER, Part, Window, begun, reaching
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import Among, by_platform, statement
from archiver.storage.words import OPEN, TARGET

_TOGETHER = 500
"""Actions about which is asked at once."""
_FEW = 200
"""So many actions are each asked what they ran under, rather than everything below the roots be found first."""


class Run(NamedTuple):
    """An action, when it began, and what it applies to."""

    since: Micros
    id: Number
    target: Number
    """0: it names no object."""


_RUNS = "SELECT f.since, f.resource_id, f.value, f.platform_id FROM facts f WHERE {} AND {}"
_HOW_MANY = "SELECT count(*) FROM (SELECT 1 FROM facts f WHERE {} AND {} LIMIT {}) found"
_BEGUN = "f.since >= :since AND f.since < :until"
_IS_RUN = f"f.what = {TARGET}"
# Not "= 2": SQLite would take it for a question to an index of all actions, and look through those of the time.
RUN_ON_SOME = f"f.what = {TARGET} + 0"
"""The condition that a fact is an action, where it is asked what ran on some resources."""
# SQLite believes that few facts are of one kind, or of one platform, and would look through those of this one.
_OF_ANY = {"sqlite": f"likelihood({_IS_RUN}, 0.5)", "postgresql": _IS_RUN}
_OF_PLATFORM = {
    "sqlite": f"{_OF_ANY['sqlite']} AND +f.platform_id = :platform",
    "postgresql": f"{_IS_RUN} AND f.platform_id = :platform",
}


def worth_knowing(connection: Connection, roots: Collection[Number], window: Window) -> Descent | None:
    """What was under the roots within a window; None: so few actions began in it that each is asked what it was under.

    A cluster has thousands of containers in an hour, of which most do nothing.
    """
    is_bounded = window.since > NEVER and all(
        _how_many(connection, platform, window, _FEW + 1) <= _FEW for platform in _platforms(roots)
    )
    return None if is_bounded else descend(connection, roots, window)


def selected(connection: Connection, roots: Collection[Number], below: Descent | None, window: Window) -> Iterator[Run]:
    """The actions that ran within a window on what was under the roots (`below`) when they began, in no order."""
    own = set(roots)
    yield from _ran(connection, window, sorted(own))
    platforms = _platforms(roots)
    of_platform = _OF_PLATFORM[connection.dialect.name]
    for platform in platforms:  # what ran on one of another ran on nothing that is under these
        here = below if below is None or len(platforms) == 1 else _of(platform, below)
        values: dict[str, Any] = {"platform": platform}
        if here is None:
            yield from _under(connection, own, _runs(connection, _BEGUN, values | window._asdict(), of_platform))
        else:
            for run in _begun_within(connection, platform, here, window):
                if run.id not in own and run.target in here and is_within(here[run.target], run.since):
                    yield run
        for condition, nodes in reaching(window.since):
            yield from _under(connection, own, _runs(connection, condition, values | nodes, of_platform))


def all_of(connection: Connection, window: Window) -> Iterator[Run]:
    """Every action that ran within a window, in no order."""
    of_any = _OF_ANY[connection.dialect.name]
    yield from _runs(connection, _BEGUN, window._asdict(), of_any)
    for condition, nodes in reaching(window.since):
        yield from _runs(connection, condition, nodes, of_any)


def _platforms(roots: Collection[Number]) -> list[int]:
    return sorted({root.platform for root in roots})


def _of(platform: int, below: Descent) -> Descent:
    return {number: stretches for number, stretches in below.items() if number.platform == platform}


def targets(connection: Connection, window: Window) -> set[Number]:
    """What those actions apply to that began within a window."""
    found = _runs(connection, _BEGUN, window._asdict(), _OF_ANY[connection.dialect.name])
    return {run.target for run in found if run.target}


def _under(connection: Connection, own: Collection[Number], every: Iterable[Run]) -> Iterator[Run]:
    """Those of some actions that ran on the roots, or on what was under them when they began."""
    for runs in batches(sorted(every)):
        above = ascend(connection, {(run.target, run.since) for run in runs})
        for run in runs:
            is_under = run.target in own or not above[run.target, run.since].isdisjoint(own)
            if run.id not in own and is_under:
                yield run


def _ran(connection: Connection, window: Window, own: Sequence[Number]) -> Iterator[Run]:
    """Those of the roots that are actions."""
    ran = statement(f"{TARGETS} AND f.since < :until AND f.until >= :since")
    for among in by_platform(own):
        for since, number, value in connection.execute(ran, among.values(**window._asdict())):
            yield Run(since, among.of(number), among.of(value))


def _begun_within(connection: Connection, platform: int, below: Collection[Number], window: Window) -> Iterator[Run]:
    """Those that began within the window on anything below, or more, where all that began are not so many."""
    if window.since > NEVER and _how_many(connection, platform, window, len(below)) < len(below):
        values = {"platform": platform, **window._asdict()}
        yield from _runs(connection, _BEGUN, values, _OF_PLATFORM[connection.dialect.name])
        return
    parts = begun(window, reach(connection))
    for among in by_platform(below):
        for condition, values in where_any_ran(connection, among, parts):
            yield from _runs(connection, f"{condition} AND {_ON_THESE}", among.values(**values), RUN_ON_SOME)


def begun_on(connection: Connection, targets: Collection[Number], window: Window) -> Iterator[Run]:
    """The actions on some resources that began within a window, in no order."""
    for platform in _platforms(targets):
        here = {number for number in targets if number.platform == platform}
        for run in _begun_within(connection, platform, here, window):
            if run.target in here:
                yield run


def where_any_ran(connection: Connection, among: Among, parts: Iterable[Part]) -> Iterator[Part]:
    """Conditions of actions on some objects, with those of their nodes alone at which any of them is.

    At a node are the actions that ran at one instant, of all objects: that costs less than to look for each object at
    each node. Where so many ran that it would not, all nodes are left. Of what runs still each object is asked.
    """
    of_platform = _OF_PLATFORM[connection.dialect.name]
    own = set(among.numbers)
    for condition, values in parts:
        nodes = [node for node in values.get("nodes", ()) if node != OPEN]
        if len(own) > 1 and nodes:
            most = len(own) * len(nodes)
            asked = statement(_AT_NODES.format(of_platform))
            rows = connection.execute(asked, {"platform": among.platform, "nodes": nodes, "most": most}).all()
            if len(rows) < most:
                left = {node for node, target in rows if target in own}.union({OPEN}.intersection(values["nodes"]))
                if left:
                    yield Part(condition, {**values, "nodes": sorted(left)})
                continue
        yield Part(condition, values)


_AT_NODES = "SELECT f.node, f.value FROM facts f WHERE {} AND f.node IN EACH :nodes LIMIT :most"
_ON_THESE = "f.platform_id = :platform AND f.value IN :numbers"


def _how_many(connection: Connection, platform: int, window: Window, most: int) -> int:
    """How many actions began within a window on a platform; they are counted no further than this."""
    counted = statement(_HOW_MANY.format(_OF_PLATFORM[connection.dialect.name], _BEGUN, most))
    return connection.scalar(counted, {"platform": platform, **window._asdict()}) or 0


def _runs(connection: Connection, condition: str, values: Mapping[str, Any], of: str) -> Iterator[Run]:
    for since, number, value, platform in connection.execute(statement(_RUNS.format(of, condition)), values):
        own = numbers_of(platform)
        yield Run(since, own(number), own(value))


def batches(runs: Iterable[Run]) -> Iterator[list[Run]]:
    """Some actions at a time, as questions are put about them."""
    rest = iter(runs)
    while batch := list(islice(rest, _TOGETHER)):
        yield batch

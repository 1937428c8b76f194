"""Which actions ran on some resources, and on everything that was under them when each began."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple

from archiver.model import Micros
from archiver.queries.under import TARGETS, Descent, ascend, descend, is_within
from archiver.queries.windows import NEVER, Part, Window, begun, reaching
from archiver.storage.reading import Connection
from archiver.storage.statements import chunks, statement
from archiver.storage.words import TARGET

_TOGETHER = 500
"""Actions about which is asked at once."""
_FEW = 200
"""So many actions are each asked what they ran under, rather than everything below the roots be found first."""


class Run(NamedTuple):
    """An action, when it began, and what it applies to."""

    since: Micros
    id: int
    target: int
    """0: it names no object."""


_RUNS = "SELECT f.since, f.resource_id, f.value FROM facts f WHERE {} AND {}"
_HOW_MANY = "SELECT count(*) FROM (SELECT 1 FROM facts f WHERE {} AND {} LIMIT {}) found"
_BEGUN = "f.since >= :since AND f.since < :until"
_IS_RUN = f"f.what = {TARGET}"
# SQLite believes that few facts are of one kind, and would look through those of this one.
_OF_ANY = {"sqlite": f"likelihood({_IS_RUN}, 0.5)", "postgresql": _IS_RUN}


def worth_knowing(connection: Connection, roots: Collection[int], window: Window) -> Descent | None:
    """What was under the roots within a window; None: so few actions began in it that each is asked what it was under.

    A cluster has thousands of containers in an hour, of which most do nothing.
    """
    is_bounded = window.since > NEVER and _how_many(connection, window, _FEW + 1) <= _FEW
    return None if is_bounded else descend(connection, roots, window)


def selected(connection: Connection, roots: Collection[int], below: Descent | None, window: Window) -> Iterator[Run]:
    """The actions that ran within a window on what was under the roots (`below`) when they began, in no order."""
    own = set(roots)
    yield from _ran(connection, window, sorted(own))
    of_any = _OF_ANY[connection.dialect.name]
    if below is None:
        yield from _under(connection, own, _runs(connection, _BEGUN, window._asdict(), of_any))
    else:
        for run in _begun_within(connection, below, window):
            if run.id not in own and run.target in below and is_within(below[run.target], run.since):
                yield run
    yield from _under(connection, own, _of_parts(connection, reaching(window.since), of=of_any))


def targets(connection: Connection, window: Window) -> set[int]:
    """What those actions apply to that began within a window."""
    found = _runs(connection, _BEGUN, window._asdict(), _OF_ANY[connection.dialect.name])
    return {run.target for run in found if run.target}


def _under(connection: Connection, own: Collection[int], every: Iterable[Run]) -> Iterator[Run]:
    """Those of some actions that ran on the roots, or on what was under them when they began."""
    for runs in batches(sorted(every)):
        above = ascend(connection, {(run.target, run.since) for run in runs})
        for run in runs:
            is_under = run.target in own or not above[run.target, run.since].isdisjoint(own)
            if run.id not in own and is_under:
                yield run


def _ran(connection: Connection, window: Window, own: Sequence[int]) -> Iterator[Run]:
    """Those of the roots that are actions."""
    among = statement(f"{TARGETS} AND f.since < :until AND f.until >= :since")
    for part in chunks(own):
        yield from map(Run._make, connection.execute(among, {"numbers": part, **window._asdict()}))


def _begun_within(connection: Connection, below: Descent, window: Window) -> Iterator[Run]:
    """Those that began within the window on anything below, or more, where all that began are not so many."""
    if window.since > NEVER and _how_many(connection, window, len(below)) < len(below):
        yield from _runs(connection, _BEGUN, window._asdict(), _OF_ANY[connection.dialect.name])
        return
    parts = begun(window)
    for numbers in chunks(below):
        yield from _of_parts(connection, parts, " AND f.value IN :numbers", {"numbers": numbers})


def _how_many(connection: Connection, window: Window, most: int) -> int:
    """How many actions began within a window; they are counted no further than this."""
    counted = statement(_HOW_MANY.format(_OF_ANY[connection.dialect.name], _BEGUN, most))
    return connection.scalar(counted, window._asdict()) or 0


def _of_parts(
    connection: Connection,
    parts: Sequence[Part],
    more: str = "",
    values: Mapping[str, Any] = MappingProxyType({}),
    of: str = _IS_RUN,
) -> Iterator[Run]:
    for condition, own in parts:
        yield from _runs(connection, condition + more, {**own, **values}, of)


def _runs(connection: Connection, condition: str, values: Mapping[str, Any], of: str = _IS_RUN) -> Iterator[Run]:
    return map(Run._make, connection.execute(statement(_RUNS.format(of, condition)), values))


def batches(runs: Iterable[Run]) -> Iterator[list[Run]]:
    """Some actions at a time, as questions are put about them."""
    rest = iter(runs)
    while batch := list(islice(rest, _TOGETHER)):
        yield batch

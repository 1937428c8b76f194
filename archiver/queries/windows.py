"""Which facts held in a stretch of time: conditions of SQL on the interval tree (`storage.intervals`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from archiver.model import Micros, TimeRange, to_micros
from archiver.storage.intervals import way_to
from archiver.storage.words import OPEN

NEVER = -OPEN
"""Before every instant."""


class Window(NamedTuple):
    """From `since` (inclusive) to `until` (exclusive), in microseconds."""

    since: Micros
    until: Micros

    @classmethod
    def of(cls, range: TimeRange) -> Window:
        """The window that is a range of time."""
        since = NEVER if range.since is None else to_micros(range.since)
        return cls(since, OPEN if range.until is None else to_micros(range.until))


_CLOSE = 1 << 22
"""Microseconds: at nodes within such a stretch of four seconds is what lasted no longer."""
ALWAYS = Window(NEVER, OPEN)
NOW = Window(OPEN - 1, OPEN)
"""The window of what still holds."""


class Part(NamedTuple):
    """One of the conditions of which every fact that is wanted fulfils one; its lists are parameters that expand."""

    condition: str
    values: dict[str, Any]


# The planner is to use one end of an interval with the node; the other end is compared all the same (`+` keeps it from
# the index), since instants before 1970 share a node.


def overlapping(window: Window, reach: Window = ALWAYS) -> list[Part]:
    """The conditions of facts `f` that held at some instant of a window; of an archive with that reach."""
    if window == ALWAYS:
        return [Part("1 = 1", {})]
    if window == NOW:
        return [Part(f"f.node = {OPEN}", {})]
    since, last = window.since, window.until - 1
    # A look at each node on the way costs more than one at all that lie close together.
    low, high = max(since, 0) // _CLOSE * _CLOSE, max(last, 0) // _CLOSE * _CLOSE + _CLOSE - 1
    before = _within(reach, [node for node in way_to(since).before if node < low])
    after = _within(reach, [node for node in way_to(last).after if node > high])
    ends = {"first": since, "last": last}
    parts = [
        Part("f.node IN :nodes AND f.until > :first AND +f.since <= :last", {"nodes": before} | ends),
        Part(
            "f.node BETWEEN :low AND :high AND +f.until > :first AND +f.since <= :last",
            {"low": low, "high": high} | ends,
        ),
        Part("f.node IN :nodes AND f.since <= :last AND +f.until > :first", {"nodes": after} | ends),
    ]
    return [part for part in parts if part.values.get("nodes") != []]


def _within(reach: Window, nodes: Iterable[Micros]) -> list[Micros]:
    """The nodes at which anything is: they lie within what is there, or it still holds; instants before 1970 are 0."""
    return [node for node in nodes if node == OPEN or max(reach.since, 0) <= node < max(reach.until, 1)]


def holding(at: Micros) -> list[Part]:
    """The conditions of facts `f` that held at an instant."""
    return [] if at == NEVER else overlapping(Window(at, at + 1))


def holding_about(first: Micros, last: Micros, reach: Window = ALWAYS) -> list[Part]:
    """The conditions of facts `f` that held at the first of two instants or at the second; some held at neither.

    The ways to both are the same for most of their length.
    """
    low, high = (max(at, 0) // _CLOSE * _CLOSE for at in (first, last))
    ranges = [(low, low + _CLOSE - 1), (high, high + _CLOSE - 1)] if low + _CLOSE < high else [(low, high + _CLOSE - 1)]
    (_, begin), (end, top) = ranges[0], ranges[-1]
    ways = way_to(first), way_to(last)
    ends = {"first": first, "last": last}
    listed = [
        ("f.until > :first AND +f.since <= :last", {node for way in ways for node in way.before if node < low}),
        ("f.since <= :first AND +f.until > :first", {node for node in ways[0].after if begin < node < end}),
        ("f.until > :last AND +f.since <= :last", {node for node in ways[1].before if begin < node < end}),
        ("f.since <= :last AND +f.until > :first", {node for way in ways for node in way.after if node > top}),
    ]
    parts = [
        Part("f.node BETWEEN :low AND :high AND +f.until > :first AND +f.since <= :last", {"low": a, "high": b} | ends)
        for a, b in ranges
    ]
    for condition, nodes in listed:
        if left := _within(reach, sorted(nodes)):
            parts.append(Part(f"f.node IN :nodes AND {condition}", {"nodes": left} | ends))
    return parts


def reaching(at: Micros) -> list[Part]:
    """The conditions of facts `f` that began before an instant and had not ended before it."""
    if at == NEVER:
        return []
    way = way_to(at)
    return [
        Part("f.node IN EACH :nodes AND f.until >= :at AND +f.since < :at", {"nodes": way.before, "at": at}),
        Part("f.node IN EACH :nodes AND +f.until >= :at AND +f.since < :at", {"nodes": way.after, "at": at}),
    ]


def begun(window: Window, reach: Window = ALWAYS) -> list[Part]:
    """The conditions of facts `f` that began within a window, of an archive with that reach."""
    if window.since <= NEVER + 1 and window.until == OPEN:
        return [Part("1 = 1", {})]
    if window.since >= window.until:
        return []
    since, last = window
    last -= 1
    ends = {"since": since, "last": last}
    between = {"low": max(since, 0), "high": max(last, 0)}
    return [
        Part("f.node BETWEEN :low AND :high AND +f.since >= :since AND +f.since <= :last", ends | between),
        Part(
            "f.node IN :nodes AND f.since >= :since AND f.since <= :last",
            ends | {"nodes": _within(reach, way_to(last).after)},
        ),
    ]

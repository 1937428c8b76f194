"""A picture as a trace that Chrome and Perfetto open: a hole in what is known is a hole in the trace."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from archiver.codec.text import dump
from archiver.model import Action, Lane, Lanes, to_micros
from archiver.report.called import shown
from archiver.report.exits import exits, is_oom
from archiver.report.headline import title_of
from archiver.report.picture import picture
from archiver.report.pieces import Bounds, Piece, unwatched

_WATCHING, _LANES = 1, 2
"""The processes of the trace: one for when nobody was watching, one for all lanes."""


def trace(lanes: Lanes, now: datetime) -> Iterator[str]:
    """The lines of a JSON document in the trace event format; instants and lengths are microseconds.

    States are complete events on a thread for each lane, actions are asynchronous ones, as they overlap; exits are
    instants.
    """
    yield '{"displayTimeUnit": "ms", "traceEvents": ['
    held = None
    for event in _events(lanes, now):
        if held is not None:
            yield held + ","
        held = dump(event)
    yield held or ""
    yield "]}"


def _events(lanes: Lanes, now: datetime) -> Iterator[dict[str, Any]]:
    drawn = picture(lanes, now)
    within = drawn.within
    yield _name("process_name", _WATCHING, 0, "not watched")
    yield _name("process_name", _LANES, 0, title_of(lanes))
    yield from _unwatched(lanes, within)
    for thread, (lane, cut, _, called) in enumerate(drawn.cut, 1):
        yield _name("thread_name", _LANES, thread, f"{'  ' * lane.depth}{shown(lane.type)} {called}")
        yield {"ph": "M", "name": "thread_sort_index", "pid": _LANES, "tid": thread, "args": {"sort_index": thread}}
        yield from (_state(lane, piece, thread) for piece in cut)
        yield from (_exit(piece, thread) for piece in exits(cut))
        for action in lane.actions:
            yield from _action(action, thread, within)


def _name(what: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": process, "tid": thread, "args": {"name": name}}


def _unwatched(lanes: Lanes, within: Bounds) -> Iterator[dict[str, Any]]:
    """A thread for each stream, on which its gaps are."""
    threads: dict[str, int] = {}
    for (since, until), gap in unwatched(lanes.coverage, within):
        stream = shown(gap.stream)
        if stream not in threads:
            threads[stream] = len(threads) + 1
            yield _name("thread_name", _WATCHING, threads[stream], stream)
        about = {"reason": shown(gap.reason), "kind": gap.kind}
        place = {"ph": "X", "pid": _WATCHING, "tid": threads[stream], "cat": "gap"}
        yield place | {
            "name": "nobody was watching",
            "ts": to_micros(since),
            "dur": _length(since, until),
            "args": about,
        }


def _state(lane: Lane, piece: Piece, thread: int) -> dict[str, Any]:
    span = piece.span
    about = {"uri": shown(lane.uri), "certain": piece.certain, "source": span.source}
    place = {"ph": "X", "pid": _LANES, "tid": thread, "cat": span.kind or "other"}
    name = shown(span.state) + ("" if piece.certain else "?")
    return place | {"name": name, "ts": to_micros(piece.since), "dur": _length(piece.since, piece.until), "args": about}


def _exit(piece: Piece, thread: int) -> dict[str, Any]:
    name = "out of memory" if is_oom(piece) else "exit"
    place = {"ph": "i", "s": "t", "pid": _LANES, "tid": thread, "cat": "exit", "name": name}
    return place | {"ts": to_micros(piece.since), "args": {"state": shown(piece.span.state)}}


def _action(action: Action, thread: int, within: Bounds) -> Iterator[dict[str, Any]]:
    name = shown(action.name) or "action"
    place = {"pid": _LANES, "tid": thread, "cat": "action", "id": shown(action.uri), "name": name}
    yield place | {"ph": "b", "ts": to_micros(action.started_at), "args": {"state": shown(action.state)}}
    yield place | {"ph": "e", "ts": to_micros(max(action.finished_at or within.until, action.started_at))}


def _length(since: datetime, until: datetime) -> int:
    return to_micros(until) - to_micros(since)

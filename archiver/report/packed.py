"""A picture as its page carries it: JSON, and in it the states as numbers of seven bits a byte."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from archiver.codec.text import dump
from archiver.model import CauseKind, Lane, Lanes
from archiver.queries.causes import is_stop, stays_ended
from archiver.report.called import shown
from archiver.report.exits import is_oom
from archiver.report.picture import Picture
from archiver.report.pieces import Bounds, Piece, unwatched
from archiver.report.strips import KINDS, place_of

CAUSES: tuple[CauseKind, ...] = ("told", "forced", "crash", "oom", "unknown")
_UNCERTAIN, _BEHIND_HOLE, _NOTED = 1, 2, 4
_GOES_ON, _OOM = 1, 2


def document(picture: Picture, title: str, said: Sequence[str]) -> str:
    """The picture as ASCII JSON in one line, which is safe within a page as well."""
    lanes, within = picture.lanes, picture.within
    states = _States()
    packed = bytearray()
    for each in picture.cut:
        packed += _varints(_numbers(each.pieces, within, states))
    value: dict[str, Any] = {
        "title": title,
        "said": list(said),
        "since": _ms(within.since),
        "until": _ms(within.until),
        "kinds": KINDS,
        "causes": CAUSES,
        "states": states.listed,
        "lanes": [[each.called, shown(each.lane.type), shown(each.lane.uri), each.lane.depth] for each in picture.cut],
        "gaps": _gaps(lanes, within),
        "actions": list(_actions(lanes.lanes)),
        "pieces": base64.b64encode(packed).decode(),
    }
    return dump(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000)


def _gaps(lanes: Lanes, within: Bounds) -> list[list[Any]]:
    """When nobody was watching what: the same stretch of several streams is one."""
    found: dict[tuple[int, int], list[str]] = {}
    for (since, until), gap in unwatched(lanes.coverage, within):
        found.setdefault((_ms(since), _ms(until)), []).append(f"{shown(gap.reason)} ({shown(gap.stream)})")
    return [[since, until, "; ".join(why)] for (since, until), why in found.items()]


def _actions(lanes: Sequence[Lane]) -> Iterator[list[Any]]:
    """What was done, where and when, and which ends it is proven to have caused: each a lane and an instant."""
    caused: dict[str, list[tuple[int, int]]] = {}
    for place, lane in enumerate(lanes):
        for span in lane.spans:
            if span.cause is not None and len(span.cause.actions) == 1:
                caused.setdefault(span.cause.actions[0].uri, []).append((place, _ms(span.since)))
    for place, lane in enumerate(lanes):
        for action in lane.actions:
            ended = None if action.finished_at is None else _ms(action.finished_at)
            said = (shown(action.name), shown(action.state), shown(action.uri))
            ends = [caused[action.uri]] if action.uri in caused else []
            yield [place, *said, _ms(action.started_at), ended, *ends]


class _States:
    """The states that occur, each once: its text, its kind, and whether it is an exit."""

    def __init__(self) -> None:
        self.listed: list[tuple[str, int, int]] = []
        self._places: dict[tuple[str, str | None, bool], int] = {}

    def place(self, state: str, kind: str | None, exits: bool) -> int:
        key = (state, kind, exits)
        if key not in self._places:
            self._places[key] = len(self.listed)
            self.listed.append((shown(state), place_of(kind), int(exits)))
        return self._places[key]


def _numbers(cut: Sequence[Piece], within: Bounds, states: _States) -> Iterator[int]:
    """How many pieces; of each its head, what is noted of it, the hole before it and how long it is."""
    yield len(cut)
    reached, before = _ms(within.since), None
    for piece in cut:
        span, since, until = piece.span, max(_ms(piece.since), reached), _ms(piece.until)
        exits = piece.begins and is_stop(before, span.state)
        head, noted = states.place(span.state, span.kind, exits) << 3, _noted(piece)
        yield head | (not piece.certain) * _UNCERTAIN | (since > reached) * _BEHIND_HOLE | (noted > 0) * _NOTED
        if noted:
            yield noted
        if since > reached:
            yield since - reached
        reached = max(since, until)
        yield reached - since
        before = before if stays_ended(before, span.state) else span.state


def _noted(piece: Piece) -> int:
    """Whether a piece goes on behind a gap; else how it began: for want of memory, for what cause."""
    if not piece.begins:
        return _GOES_ON
    cause = piece.span.cause
    return (_OOM if is_oom(piece) else 0) | (0 if cause is None else CAUSES.index(cause.kind) + 1) << 2


def _varints(numbers: Iterable[int]) -> bytes:
    """Whole numbers as seven bits a byte, the lowest first; the eighth says that more follow."""
    packed = bytearray()
    for number in numbers:
        while number > 127:
            packed.append(number & 127 | 128)
            number >>= 7
        packed.append(number)
    return bytes(packed)

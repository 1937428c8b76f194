"""Lanes drawn on a terminal: of each column the worst that happened in it, and no state where nobody was watching."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from archiver.cli import times
from archiver.cli.listing.cutting import cut, width
from archiver.cli.presentation import Presentation
from archiver.cli.words.states import DIM, GREEN, RED, YELLOW
from archiver.model import Lanes
from archiver.report.called import shown
from archiver.report.exits import exits, is_oom
from archiver.report.headline import title_of, watched
from archiver.report.picture import Cut, Picture, picture
from archiver.report.pieces import Bounds
from archiver.report.strips import columns, covered, kind_of_rank

ACTION, EXIT, OOM, BLIND, UNSURE = "action", "exit", "out of memory", "nobody was watching", "last known"
SIGNS = {
    "up": ("━", "=", GREEN),
    "starting": ("┅", "~", YELLOW),
    "down": ("╳", "x", RED),
    "gone": ("·", ".", DIM),
    "other": ("─", "-", ""),
    UNSURE: ("?", "?", DIM),
    BLIND: ("░", ":", DIM),
    ACTION: ("┿", "+", "35"),
    EXIT: ("▼", "V", "31;1"),
    OOM: ("!", "!", "31;1"),
}
"""What is drawn for what: a sign, the same in ASCII, and its style."""
_NARROWEST = 20
_DAY = timedelta(days=1)


def lines(presentation: Presentation, lanes: Lanes, room: int, *, most: int | None = None) -> Iterator[str]:
    """A picture in so many columns of a terminal; of more than `most` lanes the first."""
    drawn = picture(lanes, presentation.now, most=most)
    labels = [_label(each) for each in drawn.cut]
    left = min(max(map(width, labels), default=0), max(12, room * 2 // 5))
    strip = max(_NARROWEST, room - left - 2)
    yield beginning(f"{title_of(lanes)}: {_range(presentation, drawn.within)}", room)
    yield beginning(watched(drawn), room)
    if not labels:
        return
    yield ""
    yield " " * (left + 2) + _axis(presentation, drawn.within, strip)
    used: set[str] = set()
    for found, label in zip(drawn.cut, labels, strict=True):
        signs = _strip(found, drawn, strip)
        used.update(signs)
        shown_label = cut(label, left, ascii=presentation.ascii)
        yield shown_label + " " * (left + 2 - width(shown_label)) + _painted(presentation, signs)
    yield ""
    yield from _legend(presentation, used, room)
    if len(lanes.lanes) > len(labels):
        yield f"... {len(lanes.lanes) - len(labels):,} more"


def beginning(text: str, room: int) -> str:
    """The beginning of a text that has room."""
    if width(text) <= room:
        return text
    while text and width(text) > room - 1:
        text = text[:-1]
    return text + "…" if room > 0 else ""


def _legend(presentation: Presentation, drawn: set[str], room: int) -> Iterator[str]:
    """What the signs mean that were drawn, in as many lines as that takes."""
    line, used = "", 0
    for word in (word for word in SIGNS if word in drawn):
        sign, plain, style = SIGNS[word]
        told = presentation.paint(plain if presentation.ascii else sign, style) + f" {word}"
        if used and used + len(word) + 5 > room:
            yield line
            line, used = "", 0
        line, used = (f"{line}   {told}", used + len(word) + 5) if used else (told, len(word) + 2)
    if line:
        yield line


def _label(told: Cut) -> str:
    lane = told.lane
    return "  " * min(lane.depth, 8) + (told.called if lane.depth else f"{shown(lane.type)} {told.called}")


def _range(presentation: Presentation, within: Bounds) -> str:
    ends = [times.clock(moment.replace(microsecond=0), presentation.now, presentation.zone) for moment in within]
    return f"{ends[0]} to {ends[1]} ({times.duration(within.until - within.since)})"


def _axis(presentation: Presentation, within: Bounds, room: int) -> str:
    """Times at the ends and, where there is room, in the middle."""
    long = within.until - within.since >= _DAY

    def at(moment: datetime) -> str:
        local = moment.astimezone(presentation.zone)
        return f"{local:%Y-%m-%d %H:%M}" if long else f"{local:%H:%M:%S}"

    first, last = at(within.since), at(within.until)
    middle = at(within.since + (within.until - within.since) / 2)
    line = first.ljust(room - len(last)) + last
    start = (room - len(middle)) // 2
    free = line[start - 2 : start + len(middle) + 2]
    return line[:start] + middle + line[start + len(middle) :] if start > 0 and not free.strip() else line


def _strip(cut: Cut, drawn: Picture, room: int) -> list[str]:
    """Of each column what is drawn there; empty: nothing is known."""
    within = drawn.within
    strip = [_word(rank) for rank in columns(cut.pieces, within, room)]
    for column, is_blind in enumerate(covered(cut.gaps, within, room)):
        strip[column] = BLIND if is_blind else strip[column]
    for action in cut.lane.actions:
        _mark(strip, action.started_at, within, ACTION)
    for piece in exits(cut.pieces):
        _mark(strip, piece.since, within, OOM if is_oom(piece) else EXIT)
    return strip


def _word(rank: int) -> str:
    kind, certain = kind_of_rank(rank) if rank else ("", True)
    return kind if certain else UNSURE


def _mark(strip: list[str], moment: datetime, within: Bounds, word: str) -> None:
    column = int((moment - within.since) / (within.until - within.since) * len(strip))
    if 0 <= column < len(strip) and strip[column] != OOM:
        strip[column] = word


def _painted(presentation: Presentation, strip: Sequence[str]) -> str:
    """The signs, with one sequence of colour for each stretch of the same."""
    drawn = ""
    for word, same in groupby(strip):
        sign, plain, style = SIGNS.get(word, (" ", " ", ""))
        drawn += presentation.paint((plain if presentation.ascii else sign) * len(list(same)), style)
    return drawn.rstrip()

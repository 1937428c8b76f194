"""A picture for whoever has no JavaScript, and for paper: a drawing in columns, and the same as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from html import escape as quoted
from itertools import pairwise

from archiver.model import duration, iso, to_micros
from archiver.report.called import shown
from archiver.report.exits import exits, is_oom
from archiver.report.picture import Cut, Picture
from archiver.report.pieces import Bounds
from archiver.report.strips import columns, kind_of_rank, runs

MOST_DRAWN = 300
"""So many lanes are drawn; the table has more."""
MOST_LISTED = 300
"""So many lanes are listed."""
_MOST_RUNS, _MOST_MARKS = 12_000, 6_000
"""The columns are as fine as so many stretches allow, were they all to change everywhere."""
_SHORT = timedelta(minutes=20)
"""So long a time has ticks that need their seconds."""
_GUTTER, _WIDTH, _ROW, _TOP = 230, 760, 16, 24


def still(picture: Picture) -> Iterator[str]:
    """The drawing and the table, in pieces of HTML."""
    listed = picture.cut[:MOST_LISTED]
    yield '<section class="said-in-words plain-only">'
    yield from _drawing(picture.cut[:MOST_DRAWN], picture)
    yield "</section>"
    yield '<details class="said-in-words" open><summary>In words</summary>'
    yield from _table(listed, picture)
    if len(picture.cut) > len(listed):
        yield f"<p>{len(picture.cut) - len(listed):,} more lanes are left out here.</p>"
    yield "</details>"


# --- drawn ----------------------------------------------------------------------------------------------------------


def _drawing(told: Sequence[Cut], picture: Picture) -> Iterator[str]:
    if not told:
        return
    within = picture.within
    height = _TOP + _ROW * len(told) + 4
    count = max(40, min(_WIDTH, _MOST_RUNS // len(told)))
    apart = max(2, _WIDTH * len(told) // _MOST_MARKS)
    yield f'<svg class="still" viewBox="0 0 {_GUTTER + _WIDTH} {height}" width="{_GUTTER + _WIDTH}" height="{height}"'
    yield ' role="img" aria-label="the states of each lane in time; the table below says the same">'
    yield from _axis(within, height)
    for row, each in enumerate(told):
        y = _TOP + row * _ROW
        name = _fitting(each.called, max(8, 36 - 2 * each.lane.depth))
        yield f'<text x="{4 + 10 * min(each.lane.depth, 12)}" y="{y + 11}">{quoted(name)}</text>'
        yield from _bands(each, y, within, count)
    for since, until in picture.gaps:
        x, width = _x(since, within), max(1.0, _x(until, within) - _x(since, within))
        place = f'x="{x:.1f}" y="{_TOP}" width="{width:.1f}" height="{height - _TOP}"'
        yield f'<rect fill="url(#hatch)" {place}/>'
    for row, each in enumerate(told):
        yield from _marks(each, _TOP + row * _ROW, within, apart)
    yield "</svg>"


def _fitting(name: str, room: int) -> str:
    """A name in so many characters; what is too much goes from its middle, as its end may be all that tells it."""
    return name if len(name) <= room else f"{name[: room - 13]}…{name[-12:]}" if room > 20 else name[:room]


def _x(moment: datetime, within: Bounds) -> float:
    return _GUTTER + _WIDTH * ((moment - within.since) / (within.until - within.since))


def _axis(within: Bounds, height: int) -> Iterator[str]:
    tick = _exact if within.until - within.since < _SHORT else _minute
    for part in range(5):
        moment = within.since + (within.until - within.since) * part / 4
        x = _x(moment, within)
        anchor = "end" if part == 4 else "start" if part == 0 else "middle"
        text = tick(moment) if part in (0, 4) else tick(moment)[11:]
        yield f'<path class="rule" d="M{x:.1f} {_TOP - 6}V{height}"/>'
        yield f'<text class="soft" x="{x:.1f}" y="12" text-anchor="{anchor}">{text}</text>'


def _bands(told: Cut, y: int, within: Bounds, count: int) -> Iterator[str]:
    """A path for each kind, with a stroke as broad as a band for each run of columns."""
    paths: dict[tuple[str, bool], list[str]] = {}
    ends: dict[tuple[str, bool], int] = {}
    for first, last, rank in runs(columns(told.pieces, within, count)):
        kind = kind_of_rank(rank)
        paths.setdefault(kind, [f"M0 {y + 8}"]).append(f"m{first - ends.get(kind, 0)} 0h{last - first}")
        ends[kind] = last
    scale = f'transform="translate({_GUTTER}) scale({_WIDTH / count:g} 1)"'
    for (which, certain), path in paths.items():
        unsure = "" if certain else ' opacity=".4"'
        broad = 2 if which == "gone" else 10
        yield f'<path {scale} stroke="url(#{which})" stroke-width="{broad}"{unsure} d="{"".join(path)}"/>'


def _marks(told: Cut, y: int, within: Bounds, apart: int) -> Iterator[str]:
    """What was done and where it ended; of marks that stand closer than so many pixels one."""

    def place(moment: datetime) -> int:
        return round(_x(max(moment, within.since), within) / apart) * apart

    if ticks := {place(action.started_at) for action in told.lane.actions}:
        yield f'<path class="action" d="{_triangles(sorted(ticks), y + 16, "h6l-3-6z")}"/>'
    ends = {place(piece.since): is_oom(piece) for piece in sorted(exits(told.pieces), key=is_oom)}
    if ends:
        yield f'<path class="exit" d="{_triangles(sorted(ends), y, "h6l-3 5z")}"/>'
    yield from (f'<text x="{x + 5}" y="{y + 8}">OOM</text>' for x, memory in sorted(ends.items()) if memory)


def _triangles(places: Sequence[int], y: int, shape: str) -> str:
    """A path of the same shape at each place."""
    steps = (f"m{x - before} 0{shape}" for before, x in pairwise((3, *places)))
    return f"M0 {y}" + "".join(steps)


# --- listed ---------------------------------------------------------------------------------------------------------

_HEADS = ("what", "up", "starting", "down", "gone", "other", "exits", "of these oom", "actions", "last state", "since")


def _table(told: Iterable[Cut], picture: Picture) -> Iterator[str]:
    within, gaps = picture.within, picture.gaps
    blinded = sum((until - since for since, until in gaps), timedelta(0))
    yield (
        f"<p>From {_exact(within.since)} to {_exact(within.until)} UTC;"
        f" {duration(blinded)} of that nobody was watching."
        " How long each was in a state of a kind, as far as that is certain.</p>"
    )
    yield "<table><thead><tr>" + "".join(f'<th scope="col">{head}</th>' for head in _HEADS) + "</tr></thead><tbody>"
    for each in told:
        yield _row(each)
    yield "</tbody></table>"
    if gaps:
        yield "<h3>Not watched</h3><ul>"
        yield from (f"<li>{_exact(since)} to {_exact(until)} ({duration(until - since)})</li>" for since, until in gaps)
        yield "</ul>"


def _row(told: Cut) -> str:
    lane, ended = told.lane, list(exits(told.pieces))
    memory = sum(map(is_oom, ended))
    last = lane.spans[-1] if lane.spans else None
    indent = "\u2003" * min(lane.depth, 12)
    cells = [
        f'<th scope="row">{indent}{quoted(told.called)} <span class="quiet">{quoted(shown(lane.type))}</span></th>'
    ]
    for kind in ("up", "starting", "down", "gone", "other"):
        length = _in_kind(told, kind)
        cells.append(f'<td class="n">{duration(length) if length else ""}</td>')
    cells += [f'<td class="n">{count or ""}</td>' for count in (len(ended), memory, len(lane.actions))]
    cells += [f"<td>{quoted(shown(last.state))}</td><td>{_exact(last.since)}</td>" if last else "<td></td><td></td>"]
    return "<tr>" + "".join(cells) + "</tr>"


def _in_kind(told: Cut, kind: str) -> timedelta:
    """For how long a lane was in a kind of state, for certain."""
    certain = (piece for piece in told.pieces if piece.certain and (piece.span.kind or "other") == kind)
    return sum((piece.until - piece.since for piece in certain), timedelta(0))


def _exact(moment: datetime) -> str:
    return iso(to_micros(moment))[:19].replace("T", " ")


def _minute(moment: datetime) -> str:
    return _exact(moment)[:16]

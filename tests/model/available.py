"""How long a container was up, down, planned to be down, or not watched, reckoned instant by instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from archiver.model import Micros, ResourceRef, now_micros

from . import semantics
from .replay import Archived
from .semantics import Run
from .watched import SECOND, Range, Told, session_of
from .watching import Blind

_KINDS = {"running": "up", "starting": "down", "stopped": "down", "exited (0)": "down"}
_TEN_MINUTES = 600 * SECOND


class Parts(NamedTuple):
    """The parts of a life within a range."""

    up: Micros = 0
    down: Micros = 0
    planned: Micros = 0
    unknown: Micros = 0


def parts(
    expected: Archived, ref: ResourceRef, asked: tuple[Micros | None, Micros], causes: Mapping[Micros, str]
) -> Parts | None:
    """The parts of a container's life; `causes` says why it stopped, by when. None: it is not modelled.

    Modelled is what one stream told of, and of which no word came in the second before a gap ended: dates are rounded.
    """
    told = Told(expected, ref, (None, None))
    runs = semantics.runs(expected.told, ref)
    words = [word for run in runs for word in run.words]
    if not words or None in {session_of(expected, word) for word in words}:
        return None
    gaps = told.doubtful()
    if any(gap.until is not None and 0 < gap.until - word.at < SECOND for gap in gaps for word in words):
        return None
    return _Life(expected, ref, runs, gaps, causes).parts(asked)


class _Life:
    def __init__(
        self,
        expected: Archived,
        ref: ResourceRef,
        runs: Sequence[Run],
        gaps: Sequence[Blind],
        causes: Mapping[Micros, str],
    ) -> None:
        self._lives = semantics.rule_1_lives(expected.told, ref)
        self._runs, self._gaps, self._causes = runs, gaps, causes
        self._loops = list(_loops(sorted(at for at, kind in causes.items() if kind in ("crash", "oom"))))

    def parts(self, asked: tuple[Micros | None, Micros]) -> Parts:
        since, until = asked
        first = self._lives[0].since if self._lives else until
        since = first if since is None else max(since, first)
        edges = {since, until, *(edge for loop in self._loops for edge in loop)}
        edges |= {edge for life in self._lives for edge in life}
        edges |= {word.at for run in self._runs for word in run.words}
        edges |= {edge for gap in self._gaps for edge in (gap.since, gap.until) if edge is not None}
        found = dict.fromkeys(Parts._fields, 0)
        for begin, end in pairwise(sorted(edge for edge in edges if since <= edge <= until)):
            if any(life.since <= begin < life.until for life in self._lives):
                found[self._status(begin)] += end - begin
        return Parts(**found)

    def _status(self, at: Micros) -> str:
        heard = [run for run in self._runs if run.since <= at]
        if not heard or self._is_doubtful(heard, at):
            return "unknown"
        status = _KINDS.get(heard[-1].state.lower(), "unknown")
        if status == "up" and any(first <= at < last for first, last in self._loops):
            return "down"
        return "planned" if status == "down" and self._is_wanted(heard) else status

    def _is_doubtful(self, heard: Sequence[Run], at: Micros) -> bool:
        """Whether a gap in the state, or over its beginning, has begun, and it was not told again behind that."""
        run = heard[-1]
        again = [word.at for word in run.words[1:] if word.at <= at]
        return any(
            (gap.since is None or gap.since <= at)
            and (gap.until is None or gap.until > run.since)
            and not any(gap.until is not None and gap.until <= word for word in again)
            for gap in self._gaps
        )

    def _is_wanted(self, heard: Sequence[Run]) -> bool:
        """Whether somebody told it to be down, and it was neither up since nor went down by itself."""
        wanted, before = False, None
        for run in heard:
            kind = _KINDS.get(run.state.lower())
            if run.since in self._causes and (before is None or kind != "up"):
                wanted = self._causes[run.since] in ("told", "forced")
            elif "up" in (kind, before):
                wanted = False
            before = kind
        return wanted


def _loops(crashes: Sequence[Micros]) -> list[tuple[Micros, Micros]]:
    """From the first to the last crash of each loop: three within ten minutes, until ten quiet ones."""
    found: list[tuple[Micros, Micros]] = []
    for place, first in enumerate(crashes):
        if found and first <= found[-1][1]:
            continue
        if len(crashes) <= place + 2 or crashes[place + 2] - first > _TEN_MINUTES:
            continue
        last = place + 2
        while last + 1 < len(crashes) and crashes[last + 1] - crashes[last] <= _TEN_MINUTES:
            last += 1
        found.append((first, crashes[last]))
    return found


def bounded(asked: Range, last: Micros) -> tuple[Micros | None, Micros]:
    """A range that ends: what still is goes on until then, and what is dated in the future has not been yet."""
    since, until = asked
    end = until if until is not None else max(last, since or last) + 100 * SECOND
    return since, min(end, max(now_micros(), since or 0))

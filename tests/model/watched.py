"""How sure the states of a range are: whether anybody was watching while they were so, and before the range began."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from archiver.model import Micros, ResourceRef, Span, now_micros, to_micros

from . import semantics
from .replay import Archived, Watch
from .semantics import EVENT, Run, Stretch, Word
from .watching import Blind, blind

SECOND = 1_000_000
Range = tuple[Micros | None, Micros | None]


class Spell(NamedTuple):
    """One state within a range."""

    state: str
    since: Micros
    until: Micros | None
    events: int
    observed: bool
    seen: tuple[Micros, ...]
    certain: bool | None
    assumed: bool


def is_in(at: Micros, asked: Range) -> bool:
    """Whether an instant is of a range."""
    since, until = asked
    return (since is None or at >= since) and (until is None or at < until)


def is_certain(expected: Archived, word: Word, at: Micros) -> bool:
    """Whether the stream of a word was watched from it on until an instant, or it is proven that nothing changed."""
    session = session_of(expected, word)
    if session is None or at > now_micros():
        return False
    own = [other for other in expected.sessions.values() if other.stream == session.stream]
    gaps = blind(own, word.at - 2 * SECOND, at + 2 * SECOND, now_micros())
    began = [gap for gap in gaps if gap.since is None or gap.since < at]
    hiding = [gap for gap in began if gap.until is None or not is_over(gap.until, word.at)]
    assert word.about is not None
    unchanged = semantics.rule_10_unchanged(expected.told, word.about)
    return all(proven_from(gap, unchanged) <= max(gap.since or semantics.ALWAYS, word.at) for gap in hiding)


def proven_from(gap: Blind, unchanged: Iterable[Stretch]) -> Micros:
    """From when on a gap between two sessions hides nothing: where a stretch without a change begins that ends it."""
    if gap.why is None or gap.since is None or gap.until is None:
        return semantics.OPEN
    over = [stretch.since for stretch in unchanged if stretch.since < gap.until <= stretch.until]
    return max(over, default=semantics.OPEN)


def session_of(expected: Archived, word: Word) -> Watch | None:
    """The session that a word came in; None: it was imported."""
    source = expected.events if word.source == EVENT else expected.observations
    return expected.sessions.get(source[word.number].session or "")


class Told:
    """What was told of the states of one resource within a range, and what held when it began."""

    def __init__(self, expected: Archived, ref: ResourceRef, asked: Range) -> None:
        self._expected, self._asked = expected, asked
        since, until = asked
        self._runs = semantics.runs(expected.told, ref)
        before = [word for run in self._runs for word in run.words if since is not None and word.at < since]
        self.carried = before[-1] if before else None
        self._words = [word for run in self._runs for word in run.words if is_in(word.at, asked)]
        if self.carried is not None and (until is None or self.carried.at < until):
            self._words = [self.carried, *self._words]
        self._sessions = {session_of(expected, word) for word in self._words}
        self._unchanged = semantics.rule_10_unchanged(expected.told, ref)

    @property
    def is_imported(self) -> bool:
        """Whether nobody wrote down whether anybody was watching."""
        return self._sessions == {None}

    def gaps(self) -> list[tuple[str, Blind]]:
        """When nobody was watching one of the streams that told of it; where none did, any stream."""
        since, until = self._asked
        if since is None and self._words:
            since = self._words[0].at
        sessions = self._expected.sessions.values()
        streams = {found.stream for found in self._sessions if found} or {found.stream for found in sessions}
        return [
            (stream, gap)
            for stream in sorted(streams)
            for gap in blind([each for each in sessions if each.stream == stream], since, until, now_micros())
        ]

    def judged(self) -> Iterator[tuple[str, Blind, bool]]:
        """The gaps, cut where it is proven from then on that it did not change in them."""
        for stream, gap in self.gaps():
            begin = proven_from(gap, self._unchanged)
            if begin == semantics.OPEN or gap.since is None:
                yield stream, gap, False
                continue
            if gap.since < begin:
                yield stream, gap._replace(until=begin), False
            yield stream, gap._replace(since=max(begin, gap.since)), True

    def _as_it_lasts(self, stream: str, gap: Blind, _proven: bool) -> Blind:
        """A gap that ends with the range has no end where nobody watched the stream behind it."""
        until, sessions = self._asked[1], self._expected.sessions.values()
        begins = any(each.stream == stream and until is not None and each.covered_from >= until for each in sessions)
        return gap if gap.until != until or begins else gap._replace(until=None)

    def doubtful(self) -> list[Blind]:
        """The gaps that may hide something."""
        return [gap for _, gap, proven in self.judged() if not proven]

    def spells(self) -> Iterator[Spell]:
        """The states, the one that held when the range began first."""
        gaps = [] if self.is_imported else [self._as_it_lasts(*found) for found in self.judged() if not found[-1]]
        for place, run in enumerate(self._runs):
            end = self._runs[place + 1].since if place + 1 < len(self._runs) else None
            yield from self._spell(run, end, gaps)

    def _spell(self, run: Run, end: Micros | None, gaps: Sequence[Blind]) -> Iterator[Spell]:
        since, until = self._asked
        inside = since is None or run.since >= since
        over = not inside and end is not None and since is not None and end <= since
        if over or (until is not None and run.since >= until) or not any(word in self._words for word in run.words):
            return
        start = run.since if inside else since
        assert start is not None
        # A range that ends in the future leaves the last state open: nobody knows yet how long it lasts.
        cut = until if until is None or until <= now_micros() else None
        last = cut if end is None or (until is not None and end > until) else end
        ended = semantics.is_end(run.state)
        assumed = not (inside or ended or self.is_imported) and not self._was_watched(since)
        hidden = assumed or any(hides(gap, start, start if ended else last) for gap in gaps)
        yield Spell(
            run.state.lower(),
            start,
            last,
            sum(1 for word in run.words if word.source == EVENT and is_in(word.at, self._asked)),
            (run.words[0] if inside else self.carried or run.words[0]).source == semantics.OBSERVATION,
            tuple(self._seen(run.words, gaps, assumed=assumed)),
            None if self.is_imported else not hidden,
            assumed,
        )

    def _was_watched(self, since: Micros | None) -> bool:
        assert self.carried is not None
        assert since is not None
        return is_certain(self._expected, self.carried, since)

    def _seen(self, words: Iterable[Word], gaps: Sequence[Blind], *, assumed: bool) -> Iterator[Micros]:
        """When it was told again behind a gap; what was assumed when the range began, when it was told first in it."""
        for before, word in pairwise(words):
            if not is_in(word.at, self._asked):
                continue
            if any(gap.until is not None and before.at < gap.until <= word.at for gap in gaps) or assumed:
                assumed = False
                yield word.at


def hides(gap: Blind, since: Micros, until: Micros | None) -> bool:
    """Whether a gap hides how it was from an instant to another; one that lasts, only when it had begun before."""
    if gap.until is None:
        return gap.since is None or gap.since <= since
    if is_over(gap.until, since):
        return False
    return gap.since is None or gap.since <= since or until is None or gap.since < until


def is_over(until: Micros, at: Micros) -> bool:
    """Whether a gap that ended was over at an instant; what is dated by the second may seem so much older."""
    return until <= at or (at % SECOND == 0 and until - at < SECOND)


def spell(told: Span) -> Spell:
    """A span of an answer, in the words of the model."""
    until = None if told.until is None else to_micros(told.until)
    seen = tuple(map(to_micros, told.seen))
    values = (told.state.lower(), to_micros(told.since), until, told.events, told.observed, seen)
    return Spell(*values, told.certain, told.assumed)

"""All that was under a resource within a range, lane by lane: its states, what was done to it, and who watched."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from archiver.errors import TooMuchForPicture
from archiver.model import (
    Action,
    Coverage,
    Gap,
    Lane,
    Lanes,
    Number,
    Resource,
    Span,
    TimeRange,
)
from archiver.queries.actions import actions
from archiver.queries.causes import is_stop
from archiver.queries.causing import Told, explained_together
from archiver.queries.coverage import as_they_last, emptiness
from archiver.queries.history import Known, carried_surely, coverage_of, spans_of, without_earlier
from archiver.queries.kinds import kind_of, state_kinds
from archiver.queries.lane_places import Place, places
from archiver.queries.lane_words import words_of
from archiver.queries.notes import as_actions, notes
from archiver.queries.numbers import last_numbers
from archiver.queries.telling import urls_of
from archiver.queries.unchanged import proven, unchanged
from archiver.queries.under import Descent
from archiver.queries.windows import Window
from archiver.storage.pages import Ask

MOST_LANES = 20_000
"""A picture of more resources is refused."""
MOST_CHANGES = 200_000
"""So is one of more words about them (changes of states, and what confirms them) and actions together."""
MOST_EXPLAINED = 500
"""Of more ends the causes are not looked up."""


def lanes(
    ask: Ask,
    root: Resource | None,
    range: TimeRange,
    now: datetime,
    *,
    most_lanes: int = MOST_LANES,
    most_changes: int = MOST_CHANGES,
) -> Lanes:
    """What was under a resource at any instant of a range, and itself; without one, all that there was.

    Health checks are left out. Raises TooMuchForPicture when there is more than can be held and drawn.
    """
    ends = ask(last_numbers)
    window = Window.of(range)
    found = ask(places, root, window, most_lanes)
    read = words_of(ask, [place.resource.id for place in found], window, ends, most_changes)
    words = {number: list(without_earlier(known, range)) for number, known in read.items()}
    watched = _coverage(ask, words, range, now)
    gaps = _own_gaps(ask, words, watched.gaps)
    for number, stretches in ask(unchanged, [place.resource.id for place in found], watched.gaps).items():
        gaps[number] = proven(gaps.get(number, watched.gaps), stretches)
    states = _states(ask, found, words, range, now, watched, gaps)
    done = _actions(ask, root, found, range, most_changes - sum(map(len, words.values())))
    drawn = tuple([_lane(place, states, done, gaps) for place in found])
    empty = None if done or any(states.values()) else ask(emptiness, range, watched)
    return Lanes(root, range, watched, drawn, empty)


def _lane(
    place: Place,
    states: Mapping[Number, tuple[Span, ...]],
    done: Mapping[str, Sequence[Action]],
    gaps: Mapping[Number, tuple[Gap, ...]],
) -> Lane:
    drawn, depth = place
    actions = tuple(done.get(drawn.uri, ()))
    return Lane(drawn.uri, drawn.type, drawn.name, depth, states[drawn.id], actions, gaps.get(drawn.id))


def _states(
    ask: Ask,
    found: Sequence[Place],
    words: Mapping[Number, Sequence[Known]],
    range: TimeRange,
    now: datetime,
    watched: Coverage,
    gaps: Mapping[Number, tuple[Gap, ...]],
) -> dict[Number, tuple[Span, ...]]:
    """The states of each with their kinds; unless there are too many ends, with the cause of each."""
    sure = ask(carried_surely, words, range, now)

    lasting = ask(as_they_last, watched.gaps, range)
    own = {number: ask(as_they_last, known, range) for number, known in gaps.items()}

    def gaps_of(each: Resource) -> Sequence[Gap]:
        return own.get(each.id, lasting)

    states = {
        each.id: list(spans_of(words.get(each.id, ()), range, now, gaps_of(each), sure=each.id in sure))
        for each, _ in found
    }
    if sum(map(_ends, states.values())) <= MOST_EXPLAINED:
        whole = explained_together(ask, [Told(each, states[each.id], gaps_of(each)) for each, _ in found])
        states = {each.id: list(spans) for (each, _), spans in zip(found, whole, strict=True)}
    kinds = ask(state_kinds)
    return {
        each.id: tuple([span._replace(kind=kind_of(kinds, span.state, each.type)) for span in states[each.id]])
        for each, _ in found
    }


def _ends(spans: Sequence[Span]) -> int:
    return sum(is_stop(before.state, span.state) for before, span in pairwise(spans))


# --- who watched, and what was done ---------------------------------------------------------------------------------


def _coverage(ask: Ask, words: Mapping[Number, Sequence[Known]], range: TimeRange, now: datetime) -> Coverage:
    """The coverage of the streams that told of anything in the picture, from the first that is in it."""
    heard = {word.session_id for known in words.values() for word in known if word.state is not None}
    first = min((known[0].at for known in words.values()), default=None)
    return ask(coverage_of, TimeRange(range.since or first, range.until), now, heard)


def _own_gaps(
    ask: Ask, words: Mapping[Number, Sequence[Known]], gaps: tuple[Gap, ...]
) -> dict[Number, tuple[Gap, ...]]:
    """Of each resource of which not all streams of the picture told: the gaps of those that did."""
    if not gaps:
        return {}
    heard = {
        number: frozenset(word.session_id for word in known if word.state is not None and word.session_id is not None)
        for number, known in words.items()
    }
    urls = ask(urls_of, {session for sessions in heard.values() for session in sessions})
    if len(set(urls.values())) < 2:
        return {}
    by_streams: dict[frozenset[str], tuple[Gap, ...]] = {}
    found = {}
    for number, sessions in heard.items():
        if streams := frozenset(urls[session] for session in sessions):
            if streams not in by_streams:
                by_streams[streams] = tuple([gap for gap in gaps if gap.stream is None or gap.stream in streams])
            found[number] = by_streams[streams]
    return found


def _actions(
    ask: Ask, root: Resource | None, found: Sequence[Place], range: TimeRange, left: int
) -> dict[str, list[Action]]:
    """What was done to each, by its URI; what was done to none that is drawn (of an action itself) is at the first."""
    drawn = {each.uri for each, _ in found}
    everything = [each for each, _ in found] if root is None else [root]
    below: Descent | None = dict.fromkeys([each.id for each in everything], Window.of(range)) if root is None else None
    done: dict[str, list[Action]] = {}
    drawn_numbers = None if root is None else {each.id for each, _ in found}
    noted = as_actions(notes(ask, range, drawn_numbers))
    told = actions(ask, everything, range, healthchecks=False, below=below)
    for action in heapq.merge(told, noted, key=lambda action: action.started_at):
        where = action.target if action.target in drawn else found[0].resource.uri
        done.setdefault(str(where), []).append(action)
        left -= 1
        if left < 0:
            raise TooMuchForPicture(found="more changes and actions than can be drawn")
    return done

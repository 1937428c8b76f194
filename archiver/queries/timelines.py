"""The state timelines of many resources within a range, asked for together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from archiver.errors import TooMuchForPicture
from archiver.model import Gap, Number, Resource, Span, TimeRange
from archiver.queries.causing import Told, explained_together
from archiver.queries.coverage import as_they_last
from archiver.queries.history import Known, carried_surely, coverage_of, spans_of, timeline, without_earlier
from archiver.queries.lane_words import words_of
from archiver.queries.numbers import last_numbers
from archiver.queries.unchanged import proven, unchanged
from archiver.queries.windows import Window
from archiver.storage.database.reading import Connection
from archiver.storage.pages import Ask

_WORDS = 20_000
"""So many words are held at once."""


class Course(NamedTuple):
    """The states that a resource went through, and when nobody was watching it."""

    spans: tuple[Span, ...]
    gaps: tuple[Gap, ...]


def courses(ask: Ask, resources: Sequence[Resource], range: TimeRange, now: datetime) -> list[Course]:
    """What `timeline` says of each; of so many together as can be held."""
    numbers = [each.id for each in resources]
    try:
        read = words_of(ask, numbers, Window.of(range), ask(last_numbers), _WORDS)
    except TooMuchForPicture:
        if len(resources) > 1:
            half = len(resources) // 2
            return [found for some in (resources[:half], resources[half:]) for found in courses(ask, some, range, now)]
        (resource,) = resources
        found = timeline(ask, resource, range, now)
        return [Course(tuple(found.spans), found.coverage.gaps)]
    words = {number: list(without_earlier(read.get(number, ()), range)) for number in numbers}
    sure = ask(carried_surely, words, range, now)
    watched = ask(_watched, words, range, now, sure)
    told = []
    for each in resources:
        gaps, lasting = watched[each.id]
        spans = list(spans_of(words[each.id], range, now, lasting, sure=each.id in sure))
        told.append(Told(each, spans, gaps))
    explained = explained_together(ask, told)
    return [Course(spans, watched[each.resource.id].gaps) for spans, each in zip(explained, told, strict=True)]


class _Watched(NamedTuple):
    """The gaps of those who told of a resource, and the same as they last."""

    gaps: tuple[Gap, ...]
    lasting: Sequence[Gap]


def _watched(
    connection: Connection,
    words: Mapping[Number, Sequence[Known]],
    range: TimeRange,
    now: datetime,
    sure: set[Number],
) -> dict[Number, _Watched]:
    """When nobody was watching each; those of which the same sessions told are asked about together."""
    alike: dict[tuple[TimeRange, frozenset[int | None]], list[Number]] = {}
    for number, known in words.items():
        heard = frozenset(word.session_id for word in known if word.state is not None)
        since = range.since
        if since is None:
            first = next(spans_of(known, range, now, sure=number in sure), None)
            since = first and first.since
        alike.setdefault((TimeRange(since, range.until), heard), []).append(number)
    found: dict[Number, _Watched] = {}
    for (whole, heard), numbers in alike.items():
        gaps = coverage_of(connection, whole, now, set(heard)).gaps
        lasting = as_they_last(connection, gaps, range)
        stretches = unchanged(connection, numbers, gaps)
        for number in numbers:
            found[number] = _Watched(gaps, lasting)
            if number in stretches:
                own = proven(gaps, stretches[number])
                found[number] = _Watched(own, as_they_last(connection, own, range))
    return found

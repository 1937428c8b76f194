"""All that was under a resource within a range, lane by lane: its states, what was done to it, and who watched."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

from archiver.errors import TooMuchForPicture
from archiver.model import (
    Action,
    Coverage,
    Lane,
    Lanes,
    Micros,
    Resource,
    Span,
    TimeRange,
    to_datetime,
    to_micros,
)
from archiver.queries.actions import actions
from archiver.queries.causes import is_stop
from archiver.queries.causing import explained
from archiver.queries.coverage import emptiness
from archiver.queries.history import Known, coverage_of, number_of_oom, spans_of
from archiver.queries.kinds import kind_of, state_kinds
from archiver.queries.numbers import last_number
from archiver.queries.tree import Places
from archiver.queries.under import descend, heads
from archiver.queries.windows import NEVER, Window
from archiver.storage.pages import Ask
from archiver.storage.reading import Connection, Row, instant
from archiver.storage.statements import chunks, statement
from archiver.storage.words import OPEN, PARENT

MOST_LANES = 20_000
"""A picture of more resources is refused."""
MOST_CHANGES = 200_000
"""So is one of more words about them (changes of states, and what confirms them) and actions together."""
MOST_EXPLAINED = 1_000
"""Of more ends the causes are not looked up."""
_EARLIEST, _LATEST = to_micros(datetime(1, 1, 1, tzinfo=UTC)), to_micros(datetime(9999, 12, 31, tzinfo=UTC))
_PAGE = 10_000
"""Words that are read at once."""
_TOP = 0
"""What stands for all there is, above what is under nothing."""


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
    ends = {table: ask(last_number, table) for table in _OF}
    window = Window.of(range)
    places = ask(_places, root, ask(_members, root, window, most_lanes), window)
    words = _words(ask, [place.resource.id for place in places], window, ends, most_changes)
    watched = _coverage(ask, words, range, now)
    states = _states(ask, places, words, range, now, watched)
    done = _actions(ask, root, places, range, most_changes - sum(map(len, words.values())))
    drawn = tuple([_lane(place, states, done) for place in places])
    empty = None if done or any(states.values()) else ask(emptiness, range, watched)
    return Lanes(root, range, watched, drawn, empty)


def _lane(place: _Place, states: Mapping[int, tuple[Span, ...]], done: Mapping[str, Sequence[Action]]) -> Lane:
    drawn, depth = place
    return Lane(drawn.uri, drawn.type, drawn.name, depth, states[drawn.id], tuple(done.get(drawn.uri, ())))


def _states(
    ask: Ask,
    places: Sequence[_Place],
    words: Mapping[int, Sequence[Known]],
    range: TimeRange,
    now: datetime,
    watched: Coverage,
) -> dict[int, tuple[Span, ...]]:
    """The states of each with their kinds; unless there are too many ends, with the cause of each."""
    gaps = watched.gaps
    states = {each.id: list(spans_of(words.get(each.id, ()), range, now, gaps)) for each, _ in places}
    if sum(map(_ends, states.values())) <= MOST_EXPLAINED:
        states = {each.id: list(explained(ask, each, states[each.id], gaps)) for each, _ in places}
    kinds = ask(state_kinds)
    return {
        each.id: tuple([span._replace(kind=kind_of(kinds, span.state, each.type)) for span in states[each.id]])
        for each, _ in places
    }


def _ends(spans: Sequence[Span]) -> int:
    return sum(is_stop(before.state, span.state) for before, span in pairwise(spans))


# --- who is in the picture, and where -------------------------------------------------------------------------------

_TYPES = "SELECT t.id FROM event_types t WHERE t.text <> 'action'"
# What lives has an index of its own, from which nothing may draw the planner (+); what is no more has said so, within
# the range or later.
_LIVING = (
    "SELECT p.resource_id FROM present p"
    " WHERE p.type_id IN :numbers AND p.gone_at IS NULL AND +p.first_at < :until LIMIT :most"
)
_EVER = "SELECT p.resource_id FROM present p WHERE p.type_id IN :numbers LIMIT :most"
_HEARD = "SELECT DISTINCT w.resource_id FROM {} w WHERE w.{} >= :since AND w.{} < :until"
_OF_TYPES = "SELECT p.resource_id FROM present p WHERE p.resource_id IN :numbers AND +p.type_id IN :nodes"


def _members(connection: Connection, root: Resource | None, window: Window, most: int) -> list[int]:
    found = {root.id} if root is not None else _known_within(connection, window, most)
    if len(found) <= most:
        # One by one from the top: of all at once PostgreSQL would rather read everything that was ever below them.
        parents = _parents(connection, _TOP, list(found), window)
        for number in list(heads(connection, found)):
            if parents[number] == {_TOP} or root is not None:
                found |= descend(connection, [number], window).keys()
    if len(found) > most:
        raise TooMuchForPicture(found=f"more than {most:,} resources")
    return sorted(found)


def _known_within(connection: Connection, window: Window, most: int) -> set[int]:
    """What lives, and what anything was told of within a window; not the actions."""
    types = list(connection.scalars(statement(_TYPES)))
    if not types:
        return set()
    values = {"numbers": types, "most": most + 1}
    if window.since == NEVER:
        return set(connection.scalars(statement(_EVER), values))
    found = set(connection.scalars(statement(_LIVING), values | {"until": window.until}))
    ends = {"since": _bound(window.since), "until": _bound(window.until)}
    for table, (at, _) in _OF.items():
        heard = set(connection.scalars(statement(_HEARD.format(table, at, at)), ends)) - found - {None}
        for numbers in chunks(heard):
            found.update(connection.scalars(statement(_OF_TYPES), {"numbers": numbers, "nodes": types}))
    return found


class _Place(NamedTuple):
    """A resource and how deep it stands."""

    resource: Resource
    depth: int


_EDGES = (
    "SELECT f.resource_id, f.value, f.until FROM facts f"
    f" WHERE f.resource_id IN :numbers AND f.what = {PARENT} AND f.since < :until AND f.until > :since"
)
_NAMED = (
    "SELECT r.id, r.uri, r.key, t.text AS type, n.text AS name"
    " FROM resources r JOIN event_types t ON t.id = r.type_id LEFT JOIN present p ON p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE r.id IN :numbers"
)


def _places(connection: Connection, root: Resource | None, members: Sequence[int], window: Window) -> list[_Place]:
    """The members in the order of a tree; each where it was last within the window."""
    top = _TOP if root is None else root.id
    parents = _parents(connection, top, members, window)
    asked = (connection.execute(statement(_NAMED), {"numbers": numbers}) for numbers in chunks(members))
    rows = {row.id: row for part in asked for row in part}
    places = Places(top, parents, {_TOP: "", **{number: row.uri for number, row in rows.items()}})
    below: dict[int, list[int]] = {}
    for number in sorted(rows, key=lambda number: (rows[number].name or "", rows[number].uri), reverse=True):
        if number != top:
            below.setdefault(places.closest(number), []).append(number)
    waiting = [(top, 0)] if root is not None else [(number, 0) for number in below.get(_TOP, ())]
    found, seen = [], set()
    while waiting:
        number, depth = waiting.pop()
        if number in rows and number not in seen:
            seen.add(number)
            row = rows[number]
            found.append(_Place(Resource(number, row.uri, row.type, row.key, row.name), depth))
            waiting.extend((child, depth + 1) for child in below.get(number, ()))
    return found


def _parents(connection: Connection, top: int, members: Sequence[int], window: Window) -> dict[int, set[int]]:
    """The last parents of each member within the window that are members as well, else the top."""
    within = set(members)
    last: dict[int, tuple[int, set[int]]] = {}
    for numbers in chunks(members):
        for child, parent, until in connection.execute(statement(_EDGES), {"numbers": numbers, **window._asdict()}):
            if parent not in within or child == top:
                continue
            latest, found = last.get(child, (until, set()))
            if until > latest:
                found = set()
            if until >= latest:
                last[child] = (until, found | {parent})
    return {top: set(), **{number: last[number][1] if number in last else {top} for number in members if number != top}}


# --- what was told of them ------------------------------------------------------------------------------------------

_OF = {"events": ("occurred_at", 0), "observations": ("observed_at", 1)}
"""Where words stand: by which instant they are ordered, and which come first of one instant."""
_WORDS = (
    "SELECT w.resource_id, w.{at} AS at, w.id, s.text AS state, w.session_id FROM {table} w"
    " LEFT JOIN event_states s ON s.id = w.state_id WHERE {of}"
)
_WITHIN = "w.resource_id IN :numbers AND {said} AND w.id + 0 <= :end AND {range} ORDER BY w.resource_id, w.{at}, w.id"
_BEFORE = (
    "SELECT (SELECT w.id FROM {table} w WHERE w.resource_id = r.id AND w.state_id IS NOT NULL AND w.id + 0 <= :end"
    " AND w.{at} < :since ORDER BY w.{at} DESC, w.id DESC LIMIT 1) AS word FROM resources r WHERE r.id IN :numbers"
)

_Word = tuple[int, Known]
"""A resource, and something that is known of it."""


def _words(
    ask: Ask, numbers: Sequence[int], window: Window, ends: Mapping[str, int], most: int
) -> dict[int, list[Known]]:
    """What is known of each, beginning with the state that holds when the window begins."""
    words: dict[int, list[Known]] = {}
    left = most
    for part in chunks(sorted(numbers)):
        told = [_of(ask, table, part, window, end) for table, end in ends.items()]
        for number, word in heapq.merge(*told):
            words.setdefault(number, []).append(word)
            left -= 1
            if left < 0:
                raise TooMuchForPicture(found=f"more than {most:,} changes")
    return words


def _of(ask: Ask, table: str, numbers: Sequence[int], window: Window, end: int) -> Iterable[_Word]:
    within = _within(ask, table, numbers, window, end)
    if window.since == NEVER:
        return within
    return heapq.merge(sorted(ask(_before, table, numbers, window.since, end)), within)


def _before(connection: Connection, table: str, numbers: Sequence[int], since: Micros, end: int) -> list[_Word]:
    """The last word of each before an instant, of those that say a state."""
    at, rank = _OF[table]
    ends = {"end": end, "since": _bound(since)}
    asked = connection.execute(statement(_BEFORE.format(table=table, at=at)), {"numbers": numbers, **ends})
    last = [row.word for row in asked if row.word is not None]
    words = statement(_WORDS.format(table=table, at=at, of="w.id IN :numbers"))
    return [_word(row, rank) for row in (connection.execute(words, {"numbers": last}) if last else ())]


def _within(ask: Ask, table: str, numbers: Sequence[int], window: Window, end: int) -> Iterator[_Word]:
    """The words within a window, resource by resource, some thousands at once."""
    waiting = numbers
    while waiting:
        page = ask(_page, table, waiting, window, end, None)
        yield from page
        if len(page) < _PAGE:
            return
        while len(page) == _PAGE:
            place = page[-1]
            page = ask(_page, table, [place[0]], window, end, place[1])
            yield from page
        waiting = [number for number in waiting if number > place[0]]


def _page(
    connection: Connection, table: str, numbers: Sequence[int], window: Window, end: int, place: Known | None
) -> list[_Word]:
    """The next words, behind a place of the only resource that is asked about."""
    at, rank = _OF[table]
    values: dict[str, Any] = {"numbers": numbers, "end": end, "page": _PAGE}
    said, within = "w.state_id IS NOT NULL", []
    if table == "events" and (oom := number_of_oom(connection)) is not None:
        said, values["oom"] = "(w.state_id IS NOT NULL OR w.action_id = :oom)", oom
    for name, sign, end_of in (("since", ">=", window.since), ("until", "<", window.until)):
        if abs(end_of) != OPEN:
            within.append(f"w.{at} {sign} :{name}")
            values[name] = _bound(end_of)
    if place is not None:
        within.append(f"w.{at} >= :place AND (w.{at} > :place OR w.id > :last)")
        values |= {"place": _bound(to_micros(place.at)), "last": place.id}
    of = _WITHIN.format(at=at, said=said, range=" AND ".join(within) or "1 = 1") + " LIMIT :page"
    words = connection.execute(statement(_WORDS.format(table=table, at=at, of=of)), values)
    return [_word(row, rank) for row in words]


def _word(row: Row, rank: int) -> _Word:
    return row.resource_id, Known(instant(row.at), rank, row.id, row.state, row.session_id)


def _bound(moment: Micros) -> datetime:
    """An instant, as far as a `datetime` goes."""
    return to_datetime(min(max(moment, _EARLIEST), _LATEST))


# --- who watched, and what was done ---------------------------------------------------------------------------------


def _coverage(ask: Ask, words: Mapping[int, Sequence[Known]], range: TimeRange, now: datetime) -> Coverage:
    """The coverage of the streams that told of anything in the picture, from the first that is in it."""
    heard = {word.session_id for known in words.values() for word in known}
    first = min((known[0].at for known in words.values()), default=None)
    return ask(coverage_of, TimeRange(range.since or first, range.until), now, heard)


def _actions(
    ask: Ask, root: Resource | None, places: Sequence[_Place], range: TimeRange, left: int
) -> dict[str, list[Action]]:
    """What was done to each, by its URI; what was done to none that is drawn (of an action itself) is at the first."""
    drawn = {each.uri for each, _ in places}
    everything = [each for each, _ in places] if root is None else [root]
    below = dict.fromkeys([each.id for each in everything], Window.of(range)) if root is None else None
    done: dict[str, list[Action]] = {}
    for action in actions(ask, everything, range, healthchecks=False, below=below):
        where = action.target if action.target in drawn else places[0].resource.uri
        done.setdefault(str(where), []).append(action)
        left -= 1
        if left < 0:
            raise TooMuchForPicture(found="more changes and actions than can be drawn")
    return done

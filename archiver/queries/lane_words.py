"""What was told of many resources within a range: resource by resource, some thousands of words at once."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from archiver.errors import TooMuchForPicture
from archiver.model import Micros, Number, to_datetime, to_micros
from archiver.queries.history import EXTRA, Known, earlier, is_oom, number_of_oom
from archiver.queries.windows import NEVER, Window
from archiver.storage.database.reading import Connection, Row, instant
from archiver.storage.database.statements import Among, by_platform, statement
from archiver.storage.pages import Ask
from archiver.storage.words import OPEN

_EARLIEST, _LATEST = to_micros(datetime(1, 1, 1, tzinfo=UTC)), to_micros(datetime(9999, 12, 31, tzinfo=UTC))
_PAGE = 10_000
"""Words that are read at once."""

SOURCES = {"events": ("occurred_at", 0), "observations": ("observed_at", 1)}
"""Where words stand: by which instant they are ordered, and which come first of one instant."""
_WORDS = (
    "SELECT w.resource_id, w.{at} AS at, w.id, s.text AS state, w.session_id, {oom} AS oom FROM {table} w"
    " LEFT JOIN event_states s ON s.id = w.state_id WHERE {of}"
)
_WITHIN = (
    "w.platform_id = :platform AND w.resource_id IN :numbers AND {said} AND w.id + 0 <= :end AND {range}"
    " ORDER BY w.resource_id, w.{at}, w.id"
)
_BEFORE = (
    "SELECT (SELECT w.id FROM {table} w WHERE w.platform_id = r.platform_id AND w.resource_id = r.id"
    " AND w.state_id IS NOT NULL AND w.id + 0 <= :end"
    " AND w.{at} < :since ORDER BY w.{at} DESC, w.id DESC LIMIT 1) AS word"
    " FROM resources r WHERE r.platform_id = :platform AND r.id IN :numbers"
)
_THESE = "w.platform_id = :platform AND w.id IN :numbers"

_Word = tuple[Number, Known]
"""A resource, and something that is known of it."""


def words_of(
    ask: Ask, numbers: Sequence[Number], window: Window, ends: Mapping[str, int], most: int
) -> dict[Number, list[Known]]:
    """What is known of each, beginning with the last state before the window, or with what explains the first in it."""
    words: dict[Number, list[Known]] = {}
    left = most
    for among in by_platform(sorted(numbers)):
        told = [_of(ask, table, among, window, end) for table, end in ends.items()]
        for number, word in heapq.merge(*told):
            words.setdefault(number, []).append(word)
            left -= 1
            if left < 0:
                raise TooMuchForPicture(found=f"more than {most:,} changes")
    return words


def _of(ask: Ask, table: str, among: Among, window: Window, end: int) -> Iterable[_Word]:
    within = _within(ask, table, among, window, end)
    if window.since == NEVER:
        return within
    return heapq.merge(sorted(ask(_before, table, among, window.since, end)), within)


def _before(connection: Connection, table: str, among: Among, since: Micros, end: int) -> list[_Word]:
    """The last word of each before an instant, of those that say a state."""
    at, rank = SOURCES[table]
    values = among.values(end=end, since=bound(since))
    asked = connection.execute(statement(_BEFORE.format(table=table, at=at)), values)
    last = among._replace(numbers=[row.word for row in asked if row.word is not None])
    words = statement(_WORDS.format(table=table, at=at, oom=EXTRA[rank].format("w"), of=_THESE))
    return [_word(among, row, rank) for row in (connection.execute(words, last.values()) if last.numbers else ())]


def _within(ask: Ask, table: str, among: Among, window: Window, end: int) -> Iterator[_Word]:
    """The words within a window, resource by resource, some thousands at once."""
    waiting = among
    while waiting.numbers:
        page = ask(_page, table, waiting, window, end, None)
        yield from page
        if len(page) < _PAGE:
            return
        while len(page) == _PAGE:
            place = page[-1]
            page = ask(_page, table, among._replace(numbers=[place[0]]), window, end, place[1])
            yield from page
        waiting = among._replace(numbers=[number for number in waiting.numbers if number > place[0]])


def _page(
    connection: Connection, table: str, among: Among, window: Window, end: int, place: Known | None
) -> list[_Word]:
    """The next words, behind a place of the only resource that is asked about."""
    at, rank = SOURCES[table]
    values: dict[str, Any] = {**among.values(), "end": end, "page": _PAGE}
    said, within = "w.state_id IS NOT NULL", []
    if table == "events" and (oom := number_of_oom(connection)) is not None:
        said, values["oom"] = "(w.state_id IS NOT NULL OR w.action_id = :oom)", oom
    for name, sign, end_of in (("since", ">=", window.since), ("until", "<", window.until)):
        if abs(end_of) != OPEN:
            within.append(f"w.{at} {sign} :{name}")
            values[name] = earlier(bound(end_of)) if name == "since" else bound(end_of)
    if place is not None:
        within.append(f"w.{at} >= :place AND (w.{at} > :place OR w.id > :last)")
        values |= {"place": bound(to_micros(place.at)), "last": place.id}
    of = _WITHIN.format(at=at, said=said, range=" AND ".join(within) or "1 = 1") + " LIMIT :page"
    words = connection.execute(statement(_WORDS.format(table=table, at=at, oom=EXTRA[rank].format("w"), of=of)), values)
    return [_word(among, row, rank) for row in words]


def _word(among: Among, row: Row, rank: int) -> _Word:
    known = Known(instant(row.at), rank, row.id, row.state, row.session_id, oom=is_oom(rank, row.state, row.oom))
    return among.of(row.resource_id), known


def bound(moment: Micros) -> datetime:
    """An instant, as far as a `datetime` goes."""
    return to_datetime(min(max(moment, _EARLIEST), _LATEST))

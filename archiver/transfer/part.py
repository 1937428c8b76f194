"""Writes a part of the archive's events as an export has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from archiver.model import Number, TimeRange, iso, to_micros
from archiver.storage.database.reading import Connection
from archiver.storage.database.revision import HEAD
from archiver.storage.event_rows import original, parents_of
from archiver.storage.pages import Ask
from archiver.transfer.exported_rows import Platforms, counted, events_of, platforms_of, texts_of
from archiver.transfer.format import (
    end_line,
    event_line,
    part_head_line,
    platform_line,
)

_PAGE = 500


def export_part(ask: Ask, numbers: Iterator[Number], of: TimeRange, under: Sequence[str]) -> Iterator[str]:
    """The lines of some events, which are `of` a range and what was under some URIs; in the order of their numbers.

    Neither sessions nor what was asked are in it: where it is imported, nobody watched.
    """
    platforms = ask(platforms_of)
    since, until = (None if end is None else iso(to_micros(end)) for end in of)
    yield part_head_line(HEAD, since, until, under)
    counts: Counter[str] = Counter()
    alone = (platform._replace(streams=()) for platform in platforms.lines)
    yield from counted(counts, "platform", map(platform_line, alone))
    while some := list(islice(numbers, _PAGE)):
        yield from counted(counts, "event", iter(ask(_events_of, platforms, some)))
    yield end_line(counts)


def _events_of(connection: Connection, platforms: Platforms, numbers: Sequence[Number]) -> list[str]:
    rows = events_of(connection, numbers)
    parents = parents_of(connection, rows.values())
    return [
        event_line(
            row.id, None, row.received_at, texts_of(row), original(row, above), platforms.stated(row.platform_id, None)
        )
        for row in map(rows.__getitem__, numbers)
        for above in (parents[row.parent_list_id],)
    ]

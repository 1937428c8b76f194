"""Which words of an open vocabulary events had, how often, and from when until when."""

from __future__ import annotations

from typing import Literal

from archiver.model import TimeRange
from archiver.model.values import Value
from archiver.queries.event_filter import where, within
from archiver.storage.database.reading import Connection, instant
from archiver.storage.database.statements import statement

Vocabulary = Literal["state", "type", "action"]

_COUNTED = (
    "SELECT w.text AS value, c.events, c.first_at, c.last_at FROM (SELECT e.{word}_id AS id, count(*) AS events,"
    " min(e.occurred_at) AS first_at, max(e.occurred_at) AS last_at FROM events e{where} GROUP BY e.{word}_id) c"
    " JOIN event_{word}s w ON w.id = c.id ORDER BY c.events DESC, w.text"
)


def values(connection: Connection, of: Vocabulary, range: TimeRange) -> list[Value]:
    """Every word, the most frequent first.

    Every event of the range is looked at: that costs as much as the range has, and without one as much as the archive.
    """
    asked = statement(_COUNTED.format(word=of, where=where(within(range))))
    rows = connection.execute(asked, range._asdict())
    return [Value(row.value, row.events, instant(row.first_at), instant(row.last_at)) for row in rows]

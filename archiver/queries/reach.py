"""From when until when an archive knows of anything: no fact has its node outside, and none is looked for there."""

from __future__ import annotations

from time import time

from archiver.platforms.facts import LINGERS
from archiver.queries.windows import ALWAYS, Window
from archiver.storage.database.reading import Connection, micros

_ENDS = (
    "SELECT (SELECT min(e.occurred_at) FROM events e) AS told_first, (SELECT max(e.occurred_at) FROM events e)"
    " AS told_last, (SELECT min(o.observed_at) FROM observations o) AS asked_first,"
    " (SELECT max(o.observed_at) FROM observations o) AS asked_last"
)


def reach(connection: Connection) -> Window:
    """From the first word to now, or to the last where that is yet to come, and as long on as a place outlives an end.

    Facts begin with words, and end with them or so long behind. Not to the last word in any case: what a question about
    the past costs is not to depend on how old an archive is. Of PostgreSQL it is not asked: its tables may be divided
    by platform, and a question about one looks into no other.
    """
    if connection.dialect.name == "postgresql":
        return ALWAYS
    ends = [micros(end) for end in connection.execute(_ENDS).one() if end is not None]
    last = max(*ends, round(time() * 1e6), 0)
    return Window(min(ends, default=0), last + LINGERS * 1_000_000 + 1)

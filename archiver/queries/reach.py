"""From when until when an archive knows of anything: no fact begins or ends outside, and none is looked for there."""

from __future__ import annotations

from time import time

from archiver.queries.windows import Window
from archiver.storage.reading import Connection, micros

_ENDS = (
    "SELECT (SELECT min(e.occurred_at) FROM events e) AS told_first, (SELECT max(e.occurred_at) FROM events e)"
    " AS told_last, (SELECT min(o.observed_at) FROM observations o) AS asked_first,"
    " (SELECT max(o.observed_at) FROM observations o) AS asked_last"
)


def reach(connection: Connection) -> Window:
    """From the first word to now, or to the last where that is yet to come: facts begin with words, and end with them.

    Not to the last one in any case: what a question about the past costs is not to depend on how old an archive is.
    """
    ends = [micros(end) for end in connection.execute(_ENDS).one() if end is not None]
    return Window(min(ends, default=0), max(*ends, round(time() * 1e6), 0) + 1)

"""The figure of a report: time in every state of every container over a day, as plain SQL asks it of the archive."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from archiver.model import TimeRange, to_micros
from bench.costs import Cost, spent_here
from bench.figures import Figure, alternating

# What lived that day first, then the spans of each: an aggregate over a join with a view would read the whole view.
OF_ARCHIVE = """
WITH lived AS (
  SELECT uri FROM current_states WHERE type = 'container' AND gone_us IS NULL
  UNION ALL SELECT uri FROM current_states WHERE type = 'container' AND gone_us > :since
), spans AS MATERIALIZED (
  SELECT s.uri, s.state, s.since_us, coalesce(s.until_us, :until) AS until_us
  FROM lived l JOIN state_spans s ON s.uri = l.uri WHERE s.state <> 'Terminated'
)
SELECT uri, state, sum(min(until_us, :until) - max(since_us, :since)) * 1e-6 AS seconds
FROM spans WHERE since_us < :until AND until_us > :since
GROUP BY uri, state ORDER BY uri, state
"""

OF_TABLE = """
SELECT uri, state, sum(unixepoch(min(coalesce(until, :until), :until)) - unixepoch(max(since, :since))) AS seconds
FROM (
  SELECT resource_uri AS uri, state, date AS since,
         lead(date) OVER (PARTITION BY resource_uri ORDER BY date, rowid) AS until
  FROM events WHERE type = 'container' AND date < :until
)
WHERE state <> 'Terminated' AND (until > :since OR until IS NULL)
GROUP BY uri, state ORDER BY uri, state
"""


def figures(archive: Path, table: Path, day: TimeRange, events: int, rounds: int) -> list[Figure]:
    """The same question, to `state_spans` and to the table that sqlite-utils made, by window."""
    since, until = day.since, day.until
    assert since is not None
    assert until is not None
    own, other = alternating(
        rounds,
        lambda: _asked(archive, OF_ARCHIVE, {"since": to_micros(since), "until": to_micros(until)}),
        lambda: _asked(table, OF_TABLE, {"since": since.isoformat(), "until": until.isoformat()}),
    )
    what = f"time in state of every container over a day, CPU, {events:,} events"
    against = f"the table of sqlite-utils, by window: {other.cpu * 1000:.0f} ms"
    return [Figure(what, f"{own.cpu * 1000:.0f} ms", against, own.cpu / other.cpu, 0.5, at_most=True)]


def _asked(path: Path, question: str, values: dict[str, object]) -> Cost:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection, spent_here() as cost:
        for _ in connection.execute(question, values):
            pass
    return cost

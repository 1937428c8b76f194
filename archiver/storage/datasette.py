"""What Datasette is told of a SQLite archive: the meaning of views and columns, units, and queries to begin with."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, NamedTuple

from archiver.storage.schema import metadata as tables
from archiver.storage.views import VIEWS, View

_UNITS = {"seconds": "s"}
"""By the last word of a column's name (https://docs.datasette.io/en/0.65/metadata.html#specifying-units-for-a-column).

Instants have none: Datasette would shorten microseconds since 1970 to gigaseconds. Their descriptions say it.
"""


class Canned(NamedTuple):
    """A question that Datasette offers as a page; what it asks its reader for stands as :name in the statement."""

    title: str
    description: str
    sql: str
    params: tuple[str, ...] = ()


CANNED = {
    "history": Canned(
        "The history of a resource",
        "Its states one after the other, and how sure each is. uri: as in the view inventory.",
        """SELECT state, kind, since, until, seconds, certain, watched
FROM watched_spans
WHERE uri = :uri AND holds = 0
ORDER BY since_us""",
        ("uri",),
    ),
    "died_last_day": Canned(
        "What died in the last day",
        "What stopped within 24 hours, why, and when it came back, if it did; the last one first.",
        """SELECT stopped_at, name, stack, cause, exit_code, started_at, down_seconds, certain, uri
FROM restarts
WHERE stopped_at >= strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-1 day')
ORDER BY stopped_us DESC, name""",
    ),
    "restarts_of_stack": Canned(
        "Which containers of a stack restarted most",
        "How often each came back, and after how many crashes. stack: its URI, as in the view inventory.",
        """WITH found AS MATERIALIZED (
  SELECT r.name, r.cause
  FROM subtree s
  JOIN restarts r ON r.uri = s.descendant_uri
  WHERE s.ancestor_uri = :stack AND s.descendant_type = 'container' AND r.started_us IS NOT NULL
    AND r.stopped_us >= s.since_us AND (s.until_us IS NULL OR r.stopped_us <= s.until_us)
)
SELECT name, count(*) AS restarts, sum(CASE WHEN cause IN ('crash', 'oom') THEN 1 ELSE 0 END) AS crashes
FROM found
GROUP BY name
ORDER BY restarts DESC, name""",
        ("stack",),
    ),
    "available": Canned(
        "How available containers were on a day",
        "Up, down, planned to be down and unknown, with the bounds of what nobody watched. day: 2026-11-23, of UTC.",
        """SELECT name, availability, worst, best, up_seconds, down_seconds, planned_seconds, unknown_seconds, uri
FROM availability_daily
WHERE day = :day
ORDER BY availability, name""",
        ("day",),
    ),
    "gaps": Canned(
        "When nobody was watching",
        "The gaps of every stream, and why; what still lasts first, then the longest.",
        """SELECT stream, since, until, seconds, reason
FROM gap_log
ORDER BY CASE WHEN until IS NULL THEN 0 ELSE 1 END, seconds DESC, since""",
    ),
}
"""By the name under which Datasette has its page."""


def datasette_metadata(file: str) -> dict[str, Any]:
    """Metadata in the form of Datasette 0.65 for the archive in this file, whose name is that of the database there.

    The tables below the views are described as well, and hidden: they may change with a release.
    """
    found: dict[str, Any] = {view.name: _view(view) for view in VIEWS}
    for table in tables.sorted_tables:
        columns = {column.name: column.comment or "" for column in table.columns}
        found[table.name] = {"description": f"{table.comment}.", "columns": columns, "hidden": True}
    about = "What happened on a container platform. Instants are UTC; questions go to the views."
    queries = {name: canned._asdict() | {"params": list(canned.params)} for name, canned in CANNED.items()}
    return {
        "title": "Archive of a container platform",
        "description": about,
        "databases": {PurePath(file).stem: {"description": about, "tables": found, "queries": queries}},
    }


def _view(view: View) -> dict[str, Any]:
    units = {column: unit for column in view.columns if (unit := _UNITS.get(column.rpartition("_")[2]))}
    title = view.name.replace("_", " ").capitalize()
    about = f"{view.comment}.{' Other views are made of it.' if view.is_part else ''}"
    return {"title": title, "description": about, "columns": view.columns} | ({"units": units} if units else {})

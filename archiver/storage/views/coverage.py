"""The view of how long each stream was watched, day by day."""

from __future__ import annotations

from archiver.storage.views.days import DAY
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.view import View, seconds
from archiver.storage.views.watched import before_session, ends_gap, reached

_BEGUN = """(SELECT q.covered_from FROM sessions q WHERE q.stream_id = st.id ORDER BY q.covered_from LIMIT 1)"""


def _coverage_daily(say: Idioms) -> str:
    morning = say.day_us("d.day")
    begun = say.micros(_BEGUN)
    # What lies before the first session is no gap: nobody was meant to watch.
    since = say.latest([morning, begun])
    until = say.earliest([f"{morning} + {DAY}", say.now])
    first_behind = f"""coalesce((SELECT q.covered_from FROM sessions q
        WHERE q.stream_id = st.id AND q.covered_from > {say.instant(f"({morning} + {DAY})")}
        ORDER BY q.covered_from LIMIT 1), {say.never})"""
    gap_since = say.latest([since, f"coalesce({reached(say, 'y.stream_id', before_session('y'))}, {since})"])
    gaps = f"""SELECT {gap_since} AS since_us, {say.earliest([until, say.micros("y.covered_from")])} AS until_us
      FROM sessions y WHERE y.stream_id = st.id AND y.covered_from > {say.instant(morning)}
        AND y.covered_from <= {first_behind} AND y.covered_from > {_BEGUN} AND {ends_gap(say, "y")}
      UNION ALL
      SELECT {say.latest([since, reached(say, "st.id", "b.id > 0")])} AS since_us, {until} AS until_us
      FROM (SELECT 1 AS one) l WHERE {first_behind} = {say.never}"""

    def over(what: str) -> str:
        return f"(SELECT {what} FROM ({gaps}) g WHERE g.since_us < g.until_us)"

    unwatched = f"CAST({over('coalesce(sum(g.until_us - g.since_us), 0)')} AS bigint)"
    longest = over("coalesce(max(g.until_us - g.since_us), 0)")
    return f"""
SELECT d.day AS day, st.url AS stream, {seconds(since, f"{until} - {unwatched}")} AS watched_seconds,
  {seconds("0", unwatched)} AS unwatched_seconds, {over("count(*)")} AS gaps,
  {seconds("0", longest)} AS longest_seconds, {morning} AS day_us
FROM streams st
JOIN days d ON d.day >= {say.day(begun)} AND d.day <= {say.day(say.now)}
"""


coverage_daily = View(
    "coverage_daily",
    "How long each stream was watched on each day of UTC, from its first session on",
    {
        "day": "The day, 2026-11-23",
        "stream": "URL of the stream",
        "watched_seconds": "How long somebody was watching",
        "unwatched_seconds": "How long nobody was, from the first session until now",
        "gaps": "In how many stretches",
        "longest_seconds": "How long the longest of them was, as far as it is of this day",
        "day_us": "When the day begins, in microseconds since 1970",
    },
    _coverage_daily,
)

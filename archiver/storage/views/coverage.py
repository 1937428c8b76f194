"""The view of how long each stream was watched, day by day."""

from __future__ import annotations

from archiver.storage.views.days import DAY
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.sessions import reached
from archiver.storage.views.view import View, seconds

_BEGUN = """(SELECT q.covered_from FROM sessions q WHERE q.stream_id = st.id ORDER BY q.covered_from LIMIT 1)"""


def _coverage_daily(say: Idioms) -> str:
    morning = say.day_us("d.day")
    begun = say.micros(_BEGUN)
    # What lies before the first session is no gap: nobody was meant to watch.
    days = f"""SELECT st.id AS id, st.url AS url, d.day AS day, {morning} AS day_us, {_BEGUN} AS begun,
    {say.latest([morning, begun])} AS since_us, {say.earliest([f"{morning} + {DAY}", say.now])} AS until_us,
    {say.instant(morning)} AS morning,
    coalesce((SELECT q.covered_from FROM sessions q
      WHERE q.stream_id = st.id AND q.covered_from > {say.instant(f"({morning} + {DAY})")}
      ORDER BY q.covered_from LIMIT 1), {say.never}) AS behind
  FROM streams st
  JOIN days d ON d.day >= {say.day(begun)} AND d.day <= {say.day(say.now)}"""
    gaps = f"""SELECT {say.latest(["x.since_us", "coalesce(y.before_us, x.since_us)"])} AS since_us,
        {say.earliest(["x.until_us", "y.covered_us"])} AS until_us
      FROM session_log y WHERE y.stream_id = x.id AND y.covered_from > x.morning
        AND y.covered_from <= x.behind AND y.covered_from > x.begun AND coalesce(y.before_us, 0) < y.covered_us
      UNION ALL
      SELECT {say.latest(["x.since_us", reached("x.id")])} AS since_us, x.until_us AS until_us
      FROM (SELECT 1 AS one) l WHERE x.behind = {say.never}"""

    def over(what: str) -> str:
        return f"(SELECT {what} FROM ({gaps}) g WHERE g.since_us < g.until_us)"

    unwatched = f"CAST({over('coalesce(sum(g.until_us - g.since_us), 0)')} AS bigint)"
    longest = over("coalesce(max(g.until_us - g.since_us), 0)")
    return f"""
SELECT v.day AS day, v.url AS stream, {seconds("v.since_us", "v.until_us - v.unwatched")} AS watched_seconds,
  {seconds("0", "v.unwatched")} AS unwatched_seconds, v.gaps AS gaps,
  {seconds("0", "v.longest")} AS longest_seconds, v.day_us AS day_us
FROM (SELECT x.*, {unwatched} AS unwatched, {over("count(*)")} AS gaps, {longest} AS longest FROM ({days}) x) v
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

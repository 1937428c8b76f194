"""The view of how available each resource was, day by day, as far as anybody was watching."""

from __future__ import annotations

from archiver.platforms.tutum.facts import SPECIFIC
from archiver.storage.schema import OPEN
from archiver.storage.views.days import DAY
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.kinds import kind_of
from archiver.storage.views.places import NAMES, listed, names
from archiver.storage.views.planned import is_planned
from archiver.storage.views.states import OF_A_TYPE
from archiver.storage.views.view import View, seconds
from archiver.storage.views.watched import next_gap

RUNNING = (*sorted(SPECIFIC), "pod")
"""Types of what runs: a network or an image is just there."""


def _next(say: Idioms, table: str, at: str) -> str:
    return f"""coalesce((SELECT {say.micros(f"o.{at}")} FROM {table} o
        WHERE o.resource_id = p.resource_id AND o.state_id IS NOT NULL AND o.{at} > w.at
        ORDER BY o.{at} LIMIT 1), {OPEN})"""


def _pieces(say: Idioms, table: str, at: str, morning: str, evening: str, last: str) -> str:
    """For each word about a resource p that counts on a day: kind, begin and end of what is known from it for sure."""
    told = f"o.resource_id = p.resource_id AND o.state_id IS NOT NULL AND o.{at} <= {say.instant(morning)}"
    first = f"(SELECT o.{at} FROM {table} o WHERE {told} ORDER BY o.{at} DESC LIMIT 1)"
    following = say.earliest([_next(say, "events", "occurred_at"), _next(say, "observations", "observed_at"), last])
    kind = kind_of(say, "s.text", "t.text")
    planned = f"CASE WHEN {kind} IN ('down', 'starting') THEN {is_planned(say)} ELSE 0 END"
    return f"""SELECT {kind} AS kind, {planned} AS planned, {say.latest([morning, say.micros("w.at")])} AS since_us,
        CASE WHEN {kind} = 'gone' THEN {following}
          ELSE {say.earliest([following, next_gap(say, evening)])} END AS until_us
      FROM (SELECT o.resource_id AS resource_id, o.{at} AS at, o.state_id AS state_id, o.session_id AS session_id
        FROM {table} o WHERE o.resource_id = p.resource_id AND o.state_id IS NOT NULL
          AND o.{at} >= coalesce({first}, {say.instant(morning)}) AND o.{at} < {say.instant(evening)}) w
      JOIN event_states s ON s.id = w.state_id
      LEFT JOIN sessions h ON h.id = w.session_id"""


def _availability_daily(say: Idioms) -> str:
    morning = say.day_us("d.day")
    evening = f"({morning} + {DAY})"
    last = say.earliest([evening, say.now])
    begin = say.latest([morning, "p.first_at"])
    tables = (("events", "occurred_at"), ("observations", "observed_at"))
    pieces = "\n      UNION ALL\n      ".join(_pieces(say, *table, morning, evening, last) for table in tables)

    def over(which: str) -> str:
        return f"""CAST((SELECT coalesce(sum(v.until_us - v.since_us), 0) FROM (
      {pieces}) v WHERE v.until_us > v.since_us AND {which}) AS bigint)"""

    day = say.apart(
        {
            "up_us": over("v.kind = 'up'"),
            "asked_us": over("v.kind IN ('up', 'down', 'starting') AND v.planned = 0"),
            "planned_us": over("v.planned = 1"),
            "unknown_us": f"({last} - {begin} - {over('v.kind IS NOT NULL')})",
            "end_us": last,
        },
        "",
        "true",
    )
    up, asked, planned, unknown = (day.columns[name] for name in ("up_us", "asked_us", "planned_us", "unknown_us"))

    def ratio(of: str, total: str) -> str:
        return f"CAST({of} AS double precision) / nullif({total}, 0)"

    return f"""
SELECT d.day AS day, r.uri AS uri, t.text AS type,
  {listed(names("r.id", "p.type_id", last))},
  {seconds("0", up)} AS up_seconds, {seconds(up, asked)} AS down_seconds, {seconds("0", planned)} AS planned_seconds,
  {seconds("0", unknown)} AS unknown_seconds, {ratio(up, asked)} AS availability,
  {ratio(up, f"({asked} + {unknown})")} AS worst, {ratio(f"({up} + {unknown})", f"({asked} + {unknown})")} AS best,
  {morning} AS day_us
FROM present p
JOIN resources r ON r.id = p.resource_id
JOIN event_types t ON {say.likely("t.id = p.type_id", OF_A_TYPE)}
JOIN days d ON d.day >= {say.day("p.first_at")} AND d.day <= {say.day(f"coalesce(p.gone_at, {say.now})")}
{day.joins}
WHERE {day.where} AND p.state_id IS NOT NULL AND t.text IN ({", ".join(f"'{kind}'" for kind in RUNNING)})
"""


availability_daily = View(
    "availability_daily",
    "How long each resource that runs was up on each day of UTC, in four parts that make up its life of that day",
    {
        "day": "The day, 2026-11-23",
        "uri": "URI of the resource",
        "type": "Its type",
        **NAMES,
        "up_seconds": "How long it was up, as far as somebody was watching",
        "down_seconds": "How long it was down or starting, and nobody wanted it so",
        "planned_seconds": "How long it was down or starting since somebody wanted it so: an action or a deploy",
        "unknown_seconds": "How long nobody knows: nobody was watching, or its state is of no kind",
        "availability": "up / (up + down), from 0 to 1; NULL: nothing of both is known",
        "worst": "up / (up + down + unknown): had it been down whenever nobody knows",
        "best": "(up + unknown) / (up + down + unknown): had it been up whenever nobody knows",
        "day_us": "When the day begins, in microseconds since 1970",
    },
    _availability_daily,
)

"""The view of how available each container was, day by day: it says what the report says of that container."""

from __future__ import annotations

from archiver.platforms import facts
from archiver.storage.lasting import CLASSES, FEW, OF_CLASS, lived
from archiver.storage.views.causes import among
from archiver.storage.views.days import DAY
from archiver.storage.views.events import PLATFORM, PLATFORM_SAID
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.kinds import kind_of
from archiver.storage.views.places import NAMES, listed, names
from archiver.storage.views.sessions import reached
from archiver.storage.views.unchanged import ends_unchanged
from archiver.storage.views.view import View, seconds
from archiver.storage.words import OPEN

CRASHES, WITHIN, QUIET = 3, 600_000_000, 600_000_000
"""So many crashes within so many microseconds make a loop, which ends with the last before so long a quiet."""
_ROUNDED = 1_000_000
"""An event may be dated so much before the session that heard it: platforms date by the second."""

_SOURCES = {"told": ("events", "occurred_at"), "found": ("observations", "observed_at")}


# --- the words of a day ---------------------------------------------------------------------------------------------


def _next(table: str, at: str, than: str, later: str) -> str:
    return f"""(SELECT o.{at} FROM {table} o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.{at} >= {than} AND (o.{at} > {than} OR {later}) ORDER BY o.{at} LIMIT 1)"""


def _last(table: str, at: str, until: str) -> str:
    return f"""SELECT max(o.{at}) AS at FROM {table} o
    WHERE o.platform_id = p.platform_id AND o.resource_id = p.resource_id
      AND o.state_id IS NOT NULL AND o.{at} <= {until}"""


def _day_words(say: Idioms, source: str) -> str:
    (table, at), is_found = _SOURCES[source], source == "found"
    morning = say.day_us("d.day")
    begin, evening = say.instant(morning), say.instant(f"({morning} + {DAY})")
    carried = f"""coalesce((SELECT max(b.at) FROM ({_last("events", "occurred_at", begin)}
      UNION ALL {_last("observations", "observed_at", begin)}) b), {say.ever})"""
    later = {"events": "1 = 0" if is_found else "o.id > w.id", "observations": "o.id > w.id" if is_found else "1 = 1"}
    ends = [_next(each, column, f"w.{at}", later[each]) for each, column in _SOURCES.values()]
    next_us = say.earliest([f"coalesce({say.micros(end)}, {OPEN})" for end in ends])
    words = f"""SELECT p.platform_id AS platform_id, p.resource_id AS resource_id, d.day AS day, {morning} AS day_us,
  w.{at} AS at, w.id AS id, w.state_id AS state_id, w.session_id AS session_id, {say.micros(f"w.{at}")} AS at_us,
  {next_us} AS next_us
FROM present p
JOIN days d ON d.day >= {say.day("p.first_at")} AND d.day <= {say.day(say.now)}
JOIN {table} w ON w.platform_id = p.platform_id AND w.resource_id = p.resource_id AND w.{at} >= {carried}
  AND w.{at} < {evening} AND w.state_id IS NOT NULL"""
    stream = "(SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id)"
    since = say.latest(["v.at_us", "v.day_us"])
    until = say.latest([since, say.earliest(["v.next_us", f"v.day_us + {DAY}", say.now])])
    gap = f"""coalesce((SELECT q.before_us FROM session_log q WHERE q.stream_id = {stream} AND q.covered_from > v.at
      AND q.covered_from <= coalesce((SELECT u.covered_from FROM sessions u WHERE u.stream_id = {stream}
        AND u.covered_from > {say.instant("e.until_us")} ORDER BY u.covered_from LIMIT 1), {say.never})
      AND coalesce(q.before_us, {-OPEN}) < q.covered_us AND (q.covered_us - v.at_us >= {_ROUNDED}
        OR v.at_us / {_ROUNDED} * {_ROUNDED} <> v.at_us)
    ORDER BY q.covered_from LIMIT 1), {reached(stream)}, {-OPEN})"""
    # In a SELECT that is from nowhere it is reckoned once, however often it is named.
    watched = say.earliest(["e.until_us", say.latest(["e.since_us", gap])])
    if is_found:
        watched = f"CASE WHEN {ends_unchanged('v')} THEN e.until_us ELSE {watched} END"
    known = f"(SELECT {watched}\n    FROM (SELECT {since} AS since_us, {until} AS until_us) e)"
    return f"""
SELECT v.platform_id AS platform_id, v.resource_id AS resource_id, v.day AS day, v.at AS at,
  v.at_us AS at_us, v.id AS id,
  {kind_of(say, "s.text", "'container'")} AS kind, {since} AS since_us, {until} AS until_us, {known} AS known_us
FROM ({words}) v
JOIN event_states s ON s.id = v.state_id
"""


def _words_of(source: str, verb: str, what: str) -> View:
    return View(
        f"{source}_of_day",
        f"The states that everything was {verb} to be in, on each day that one lasted",
        {
            "platform_id": "Number of the platform that it is on",
            "resource_id": "Number of the resource",
            "day": "The day of UTC, 2026-11-23",
            "at": f"When it was {verb}, UTC: on that day, or last before",
            "at_us": "The same in microseconds since 1970",
            "id": f"Number of the {what}",
            "kind": "up, down, starting or gone, as `state_kinds` says of a container; NULL: it says nothing of it",
            "since_us": "From when on it was so on that day, in microseconds since 1970",
            "until_us": "Until when on that day: until another word, the end of the day, or now",
            "known_us": "Until when on that day somebody was watching since, or it is proven; since_us: nobody was",
        },
        lambda say: _day_words(say, source),
        is_part=True,
    )


told_of_day, found_of_day = _words_of("told", "told", "event"), _words_of("found", "found", "observation")


# --- what they add up to --------------------------------------------------------------------------------------------


def _loops(say: Idioms) -> str:
    """From which crash to which x was in a loop, on the day and as far as they began on the day before."""

    def within(at: str) -> str:
        begin, end = (say.instant(f"(x.day_us {distance})") for distance in (f"- {DAY}", f"+ {DAY + QUIET}"))
        return f"{at} >= {begin} AND {at} <= {end}"

    # Which words are ends, and of which cause, is dear to say: of most containers too few could be.
    enough = f"""(SELECT sum(o.one) FROM (SELECT 1 AS one FROM events o
          WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND {within("o.occurred_at")}
            AND (SELECT b.down FROM state_words b WHERE b.id = o.state_id) = 1 LIMIT {CRASHES}) o) = {CRASHES}"""
    # As a WITH, since SQLite's parser reads brackets within brackets only so deep. Few stop soon after they did.
    return f"""WITH told AS (SELECT q.id AS id, q.stopped_us AS us FROM told_ends q
        WHERE {enough} AND q.platform_id = x.platform_id AND q.resource_id = x.resource_id
          AND {within("q.stopped_at")}),
      beside AS (SELECT q.id AS id, q.us AS us, coalesce(q.us - lag(q.us) OVER (ORDER BY q.us, q.id), {OPEN}) AS before,
          coalesce(lead(q.us) OVER (ORDER BY q.us, q.id) - q.us, {OPEN}) AS behind FROM told q),
      crashed AS (SELECT q.us AS us FROM beside q WHERE (q.before <= {QUIET} OR q.behind <= {QUIET})
        AND EXISTS (SELECT 1 FROM told_stops b
          WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.id = q.id
            AND b.cause IN ('crash', 'oom'))),
      crashes AS (SELECT q.us AS us,
          CASE WHEN lead(q.us, {CRASHES - 1}) OVER (ORDER BY q.us) - q.us <= {WITHIN} THEN q.us END AS dense_us,
          CASE WHEN q.us - lag(q.us) OVER (ORDER BY q.us) <= {QUIET} THEN 0 ELSE 1 END AS starts
        FROM crashed q),
      runs AS (SELECT c.*, sum(c.starts) OVER (ORDER BY c.us) AS run FROM crashes c)
      SELECT min(r.dense_us) AS first_us, max(r.us) AS last_us FROM runs r GROUP BY r.run"""


def _is_planned(say: Idioms) -> str:
    """1 where what is down at a word v was told to be, by what was said last of that since it was up."""

    def up(table: str, at: str) -> str:
        return f"""SELECT max(o.{at}) AS at FROM {table} o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.{at} <= v.at
          AND (SELECT b.runs FROM state_words b WHERE b.id = o.state_id) = 1"""

    ran = " UNION ALL ".join(up(*source) for source in _SOURCES.values())
    leaving = among("(SELECT b.word FROM state_words b WHERE b.id = o.state_id)", facts.LEAVING)
    announced = [
        f"""coalesce((SELECT {say.micros(f"max(o.{at})")} FROM {table} o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.{at} >= u.up_at
          AND o.{at} <= v.at AND {leaving}), -1) * 2 + 1"""
        for table, at in _SOURCES.values()
    ]
    # What was said when, in one number: of an end whether it was told, behind its time.
    ended = """coalesce((SELECT o.stopped_us * 2 + CASE WHEN o.cause IN ('told', 'forced') THEN 1 ELSE 0 END
        FROM told_stops o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.stopped_at >= u.up_at
          AND o.stopped_at <= v.at
        ORDER BY o.stopped_at DESC, o.id DESC LIMIT 1), 0)"""
    since_up = f"SELECT coalesce((SELECT max(u.at) FROM ({ran}) u), {say.ever}) AS up_at"
    return f"(SELECT {say.latest([ended, *announced])} & 1 FROM ({since_up}) u)"


def _availability_daily(say: Idioms) -> str:
    morning = say.day_us("d.day")
    days = f"""SELECT p.resource_id AS resource_id, r.uri AS uri, r.platform_id AS platform_id, t.text AS type,
    d.day AS day, {morning} AS day_us, {say.latest([morning, "p.first_at"])} AS since_us,
    {say.earliest([f"{morning} + {DAY}", say.now, f"coalesce(p.gone_at, {OPEN})"])} AS until_us
  FROM present p
  JOIN {CLASSES} l ON {say.likely(FEW, 0.5)} AND {say.likely(OF_CLASS, 0.5)}
  JOIN event_types t ON {say.likely("t.id = p.type_id", 0.5)} AND t.text = 'container'
  JOIN resources r ON r.platform_id = p.platform_id AND r.id = p.resource_id
  JOIN days d ON d.day >= {say.day("p.first_at")} AND d.day <= {say.day(f"coalesce(p.gone_at, {say.now})")}
    AND {lived(morning, f"{morning} + {DAY}")}"""
    words = " UNION ALL ".join(
        f"""SELECT v.at AS at, v.at_us AS at_us, v.kind AS kind, v.known_us - v.since_us AS known,
      v.until_us - v.since_us AS us FROM {source}_of_day v
      WHERE v.platform_id = x.platform_id AND v.resource_id = x.resource_id AND v.day = x.day
        AND v.at_us < x.until_us"""
        for source in _SOURCES
    )
    is_down = "v.kind IN ('down', 'starting') AND v.known > 0"
    sums = {
        "up": "CASE WHEN v.kind = 'up' THEN v.known END",
        "looped": "CASE WHEN v.kind = 'up' AND g.first_us IS NOT NULL THEN v.known END",
        "not_up": f"CASE WHEN {is_down} THEN v.known END",
        "planned": f"CASE WHEN {is_down} THEN v.known * {_is_planned(say)} END",
        "gone": "CASE WHEN v.kind = 'gone' THEN v.us END",
    }
    found = say.summed(
        {name: f"coalesce(sum({of}), 0)" for name, of in sums.items()},
        # Joined, and not asked of each word: what is in a loop has many.
        f"({words}) v LEFT JOIN ({_loops(say)}) g ON v.at_us >= g.first_us AND v.at_us < g.last_us",
    )
    up, down, life = "(y.up - y.looped)", "(y.not_up - y.planned + y.looped)", "(y.life - y.gone - y.planned)"

    def part(of: str, whole: str) -> str:
        return f"CAST({of} AS double precision) / nullif({whole}, 0)"

    return f"""
SELECT y.day AS day, y.uri AS uri, y.type AS type,
  {listed(names("y.resource_id", "(y.until_us - 1)"))},
  {seconds("0", up)} AS up_seconds, {seconds("0", down)} AS down_seconds,
  {seconds("0", "y.planned")} AS planned_seconds,
  {seconds("(y.up + y.not_up)", "y.life - y.gone")} AS unknown_seconds,
  {part(up, f"{up} + {down}")} AS availability, {part(up, life)} AS worst, {part(f"{life} - {down}", life)} AS best,
  y.day_us AS day_us, {PLATFORM.format("y")} AS platform
FROM (SELECT x.*, x.until_us - x.since_us AS life, {listed(found.columns)}
FROM ({days}) x
{found.joins}
WHERE x.since_us < x.until_us) y
WHERE y.life > y.gone
"""


availability_daily = View(
    "availability_daily",
    "How long each container was up, down, planned to be down or not known on each day of UTC, from its first sign on",
    {
        "day": "The day, 2026-11-23",
        "uri": "URI of the container",
        "type": "Its type",
        **NAMES,
        "up_seconds": "How long it was up, as far as somebody was watching",
        "down_seconds": "How long it was down or starting, and nobody wanted it so; in a loop of crashes also while up",
        "planned_seconds": "How long it was down or starting since somebody told it to stop",
        "unknown_seconds": "How long nobody was watching, or it was not told again since, or its state is of no kind",
        "availability": "up / (up + down), from 0 to 1; NULL: nothing of both is known",
        "worst": "The same, had it been down whenever nobody knows",
        "best": "The same, had it been up whenever nobody knows",
        "day_us": "When the day begins, in microseconds since 1970",
        "platform": PLATFORM_SAID,
    },
    _availability_daily,
)

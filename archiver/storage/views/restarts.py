"""The view of restarts: what stopped, why, and how long it took to come back, if it did."""

from __future__ import annotations

from archiver.platforms import facts
from archiver.storage.causes import SUCCEEDS_AFTER, SUCCEEDS_BEFORE
from archiver.storage.schema import OPEN, PARENT, SLOT
from archiver.storage.views import causes
from archiver.storage.views.events import PLATFORM, PLATFORM_SAID
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.places import NAMES, listed, names
from archiver.storage.views.sessions import reached
from archiver.storage.views.states import state_before
from archiver.storage.views.unchanged import doubts
from archiver.storage.views.view import View, seconds

_WORD = "(w.at, w.source, w.id)"
"""Where a word stands among those of its resource: of one instant events come first, each as it was archived."""
_EVENT, _OBSERVATION = "(e.occurred_at, 0, e.id)", "(e.observed_at, 1, e.id)"
_DOWN = "(SELECT b.down FROM state_words b WHERE b.id = e.state_id)"


def _word(alias: str, when: str, down: int, order: str = "") -> str:
    """Joins the first (DESC: the last) event of the container that says a state in which it is down, or is not."""
    return f"""LEFT JOIN events {alias} ON {alias}.platform_id = w.platform_id
  AND {alias}.id = (SELECT e.id FROM events e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND e.state_id IS NOT NULL
    AND {when} AND {_DOWN} = {down}
  ORDER BY e.occurred_at {order}, e.id {order} LIMIT 1)"""


_UP = "(SELECT b.runs FROM state_words b WHERE b.id = e.state_id) = 1"
"""That the state of a word is one in which a container runs."""


_SLOT = f"""(SELECT f.value FROM facts f WHERE f.platform_id = x.platform_id
      AND f.resource_id = x.resource_id AND f.what = {SLOT}
      AND f.since <= x.stopped_us ORDER BY f.since DESC LIMIT 1)"""
"""The slot that x had when it stopped; NULL: none."""


def _successor(say: Idioms) -> str:
    """When that first ran which took the slot of x within the same service; OPEN: nothing did."""
    low, high = f"(x.stopped_us - {SUCCEEDS_BEFORE})", f"(x.stopped_us + {SUCCEEDS_AFTER})"
    service = "(SELECT c.id FROM event_types c WHERE c.text = 'service')"
    same_service = f"""EXISTS (SELECT 1 FROM facts g JOIN facts h ON h.platform_id = g.platform_id AND h.value = g.value
        JOIN resources a ON a.platform_id = g.platform_id AND a.id = g.value
      WHERE g.platform_id = x.platform_id AND g.resource_id = x.resource_id AND g.what = {PARENT}
        AND h.resource_id = o.resource_id AND h.what = {PARENT} AND a.type_id = {service})"""

    def ran(table: str, at: str) -> str:
        return f"""coalesce((SELECT {say.micros(f"e.{at}")} FROM {table} e
        WHERE e.platform_id = x.platform_id AND e.resource_id = o.resource_id AND e.{at} >= x.stopped_at AND {_UP}
        ORDER BY e.{at} LIMIT 1), {OPEN})"""

    first = say.earliest([ran("events", "occurred_at"), ran("observations", "observed_at")])
    filled = " UNION ALL ".join(
        f"""SELECT o.resource_id FROM facts o WHERE o.platform_id = x.platform_id AND o.value = {_SLOT}
          AND o.what = {SLOT}
        AND {where} AND o.since >= {low} AND o.since <= {high}"""
        for where in (f"o.node IN ({causes.nodes(high)})", causes.between("o.node", low, high))
    )
    return f"""CASE WHEN {_SLOT} IS NULL THEN {OPEN} ELSE coalesce((SELECT min({first}) FROM ({filled}) o
      WHERE o.resource_id <> x.resource_id AND {same_service}), {OPEN}) END"""


_END = {
    "platform_id": "Number of the platform that it is on",
    "resource_id": "Number of the resource",
    "uri": "URI of the resource",
    "id": "Number of the event (source 0) or of the observation (1)",
    "source": "0: an event; 1: an observation",
    "session_id": "Number of the session that heard it; NULL: nobody wrote it down",
    "stopped_at": "When it stopped, UTC",
    "stopped_us": "When it stopped, in microseconds since 1970",
    "state": "The state that says so, in lower case",
    "before": "The state before, in lower case",
    "exit_code": "The exit code, where it is known",
    "ran_since_us": "Since when it had run, in microseconds since 1970",
    "live_us": "When it was next told to be alive, in microseconds since 1970; 2^62: never",
    "next_us": "When it ended again, in microseconds since 1970; 2^62: never",
}
_COUNTED = {
    **_END,
    "type": "Type of the resource",
    "gone_us": "When it was gone for good, in microseconds since 1970; NULL: it is not",
    "own_us": "When it ran again itself, in microseconds since 1970; 2^62: never",
}


def _ends(say: Idioms) -> str:
    """The words that end what ran, and what was before and behind each, with when it ran again itself."""
    again = f"""
LEFT JOIN events up ON up.platform_id = w.platform_id AND up.id = (SELECT e.id FROM events e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND {_EVENT} > {_WORD}
    AND {_UP} ORDER BY e.occurred_at LIMIT 1)
LEFT JOIN observations seen ON seen.platform_id = w.platform_id AND seen.id = (SELECT e.id FROM observations e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND {_OBSERVATION} > {_WORD}
    AND {_UP} ORDER BY e.observed_at LIMIT 1)"""
    starts = [f"coalesce({say.micros(found)}, {OPEN})" for found in ("up.occurred_at", "seen.observed_at")]
    return _ends_of(say, "words", "w.type = 'container' AND ", {"own_us": say.earliest(starts)}, again)


def _ends_of(say: Idioms, words: str, of: str, more: dict[str, str], joins: str) -> str:
    """The ends among some words: from one to the next (Stopped, Terminating, Terminated) nothing runs in between."""
    leaving = causes.among("b.word", facts.LEAVING)
    said = "(SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id)"
    # That it says a state at all is what the indexes ask for.
    stays = f"o.state_id IS NOT NULL AND NOT {causes.among(said, facts.LEAVING)}"
    found = say.apart(
        {
            "state": "s.word",
            "before": "b.word",
            "exit_code": "s.exit_code",
            "ran_since_us": f"coalesce({say.micros('bg.occurred_at')}, {-OPEN})",
            "live_us": f"coalesce({say.micros('lv.occurred_at')}, {OPEN})",
            "next_us": f"coalesce({say.micros('ag.occurred_at')}, {OPEN})",
            **more,
        },
        f"""JOIN state_words s ON s.id = w.state_id AND s.down = 1
JOIN state_words b ON b.id = {state_before()} AND b.down = 0 AND NOT (b.word = 'created' AND s.gone = 1)
LEFT JOIN state_words had ON had.id = CASE WHEN {leaving} THEN {state_before(which=stays)} END{joins}
{_word("ed", f"{_EVENT} < {_WORD}", 1, "DESC")}
{_word("bg", "(e.occurred_at, e.id) > (ed.occurred_at, ed.id)", 0)}
{_word("lv", f"{_EVENT} > {_WORD}", 0)}
{_word("ag", "(e.occurred_at, e.id) > (lv.occurred_at, lv.id)", 1)}""",
        "coalesce(had.down, 0) = 0",
    )
    return f"""SELECT w.*, w.at AS stopped_at, {say.micros("w.at")} AS stopped_us,
  {listed(found.columns)}
FROM {words} w
{found.joins}
WHERE {of}{found.where}"""


_STREAM = "(SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id)"


def _reached(upto: str) -> str:
    """Until when those sessions of the stream watched that began until an instant."""
    return reached(_STREAM, f"b.covered_from <= {upto}")


def _gap_between(since: str, until: str) -> str:
    """That a gap of the stream that may hide something of x ended behind an instant, and until another."""
    return f"""EXISTS (SELECT 1 FROM sessions q
      WHERE q.stream_id = {_STREAM} AND q.covered_from > {since} AND q.covered_from <= {until}
        AND {doubts("q", "x.resource_id")})"""


def _unwatched(say: Idioms) -> str:
    """1 where nobody was watching when x, of which somebody told, ended."""
    return f"""CASE WHEN x.session_id IS NULL THEN 0
      WHEN coalesce({_reached("x.stopped_at")}, 0) >= x.stopped_us THEN 0
      WHEN x.stopped_us / 1000000 * 1000000 = x.stopped_us
        AND coalesce({_reached(say.instant("(x.stopped_us + 999999)"))}, 0) >= x.stopped_us THEN 0 ELSE 1 END"""


def _unwatched_or_unfound(say: Idioms) -> str:
    """The same; of what was found to have ended, since it was last known to run."""
    known = """(SELECT max(e.occurred_at) FROM events e
      WHERE e.platform_id = x.platform_id AND e.resource_id = x.resource_id AND e.state_id IS NOT NULL
        AND e.occurred_at <= x.stopped_at)"""
    found = f"""CASE WHEN x.session_id IS NULL THEN 1
      WHEN coalesce({_reached("x.stopped_at")}, 0) < x.stopped_us THEN 1
      WHEN {_gap_between(known, "x.stopped_at")} THEN 1 ELSE 0 END"""
    return f"CASE x.source WHEN 0 THEN {_unwatched(say)} ELSE {found} END"


def _caused(say: Idioms, ends: str, more: dict[str, str]) -> str:
    """Ends, as SELECT, with what explains them."""
    explained = say.once(
        {
            "told": causes.told_counts(),
            "ran_over": causes.over(say),
            "oom": causes.oom(say),
            **more,
        }
    )
    found = f"""SELECT x.*, {listed(explained.columns)}
FROM ({ends}) x {explained.joins} WHERE {explained.where}"""
    return f"SELECT x.*, {causes.KIND} AS cause FROM (SELECT x.*, {causes.PROOFS} AS proofs FROM ({found}) x) x"


def _counted_stops(say: Idioms) -> str:
    announced = causes.among("x.before", facts.LEAVING)
    wanted = f"{announced} AND NOT {causes.short_of_memory(say)}"
    columns = {column: f"x.{column}" for column in _COUNTED}
    return f"""SELECT {listed(columns)}
FROM ({_ends(say)}) x
WHERE x.own_us < {OPEN} OR x.gone_us IS NULL OR (coalesce(x.exit_code, 1) <> 0 AND NOT ({wanted}))
  OR {_SLOT} IS NOT NULL"""


counted_stops = View(
    "counted_stops",
    "The stops of containers but for those that are known at once to be left out of `restarts`: what never came back,"
    " had no slot that another may have taken, was told to stop, or ended with 0, and is gone",
    _COUNTED,
    _counted_stops,
    is_part=True,
)


def _restarts(say: Idioms) -> str:
    caused = _caused(
        say,
        "SELECT * FROM counted_stops",
        {"unwatched": _unwatched_or_unfound(say), "started_us": say.earliest(["x.own_us", _successor(say)])},
    )
    back_us = f"nullif(x.started_us, {OPEN})"
    started_at = say.instant(back_us)
    certain = f"""CASE WHEN x.session_id IS NULL THEN NULL
    WHEN x.unwatched = 1 OR coalesce({_reached("x.stopped_at")}, 0) < x.stopped_us
      OR {_gap_between("x.stopped_at", f"coalesce({started_at}, {say.never})")} THEN 0 ELSE 1 END"""
    return f"""
SELECT x.stopped_at AS stopped_at, {started_at} AS started_at,
  {seconds("x.stopped_us", back_us)} AS down_seconds, x.uri AS uri, x.type AS type,
  {listed(names("x.resource_id", "x.stopped_us"))},
  x.cause AS cause, x.exit_code AS exit_code, {causes.proof()} AS action_uri, {certain} AS certain,
  x.stopped_us AS stopped_us, {back_us} AS started_us,
  {PLATFORM.format("x")} AS platform
FROM ({caused}) x
WHERE x.started_us < {OPEN} OR x.gone_us IS NULL
  OR (x.cause NOT IN ('told', 'forced') AND coalesce(x.exit_code, 1) <> 0)
"""


restarts = View(
    "restarts",
    "What stopped, with its cause, and when it started again, itself or what took its slot within an hour: one row per"
    " stop, but for what was told to stop, or ended with 0, and was then removed",
    {
        "stopped_at": "When it stopped, UTC",
        "started_at": "When it, or what took its slot, ran again, UTC; NULL: never",
        "down_seconds": "How long that took; NULL: it never came back",
        "uri": "URI of the container",
        "type": "Its type",
        **NAMES,
        "cause": "told, forced (told, and killed when its grace was over), crash, oom, or unknown: nobody was watching",
        "exit_code": "The exit code, where it is known",
        "action_uri": "URI of the action that proves why it stopped; NULL: none does, or several may",
        "certain": "1: watched from the stop to the start, if any; 0: not; NULL: nobody wrote down whether anybody was",
        "stopped_us": "When it stopped, in microseconds since 1970",
        "started_us": "When it, or what took its slot, ran again, in microseconds since 1970; NULL: never",
        "platform": PLATFORM_SAID,
    },
    _restarts,
)


_TOLD = """(SELECT e.platform_id AS platform_id, e.resource_id AS resource_id, r.uri AS uri, e.occurred_at AS at,
  0 AS source, e.id AS id, e.state_id AS state_id, e.session_id AS session_id FROM events e
  JOIN resources r ON r.platform_id = e.platform_id AND r.id = e.resource_id)"""


def _told_ends(say: Idioms) -> str:
    return f"SELECT {listed({column: f'x.{column}' for column in _END})}\nFROM ({_ends_of(say, _TOLD, '', {}, '')}) x"


told_ends = View(
    "told_ends",
    "Every end that was told of what ran, also of what is gone since: what is to be known of it to say why",
    _END,
    _told_ends,
    is_part=True,
)


def _told_stops(say: Idioms) -> str:
    return f"""
SELECT x.platform_id AS platform_id, x.resource_id AS resource_id, x.id AS id, x.stopped_at AS stopped_at,
  x.stopped_us AS stopped_us,
  x.cause AS cause
FROM ({_caused(say, "SELECT * FROM told_ends", {"unwatched": _unwatched(say)})}) x
"""


told_stops = View(
    "told_stops",
    "Every end that was told of what ran, with its cause, also of what is gone since",
    {
        "platform_id": "Number of the platform that it is on",
        "resource_id": "Number of the resource",
        "id": "Number of the event",
        "stopped_at": "When it stopped, UTC",
        "stopped_us": "When it stopped, in microseconds since 1970",
        "cause": "told, forced, crash, oom or unknown",
    },
    _told_stops,
    is_part=True,
)

"""The view of restarts: what stopped and came back, why, and how long that took."""

from __future__ import annotations

from archiver.storage.causes import SUCCEEDS_AFTER, SUCCEEDS_BEFORE
from archiver.storage.schema import OPEN, PARENT, SLOT
from archiver.storage.views import causes
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.kinds import kind_of
from archiver.storage.views.places import NAMES, listed, names
from archiver.storage.views.states import OF_A_TYPE, before
from archiver.storage.views.view import View, seconds
from archiver.storage.views.watched import LOOK_BACK, ends_gap, watched_to

_WORDS = (
    "SELECT resource_id, occurred_at AS at, 0 AS source, id, state_id, session_id FROM events",
    "SELECT resource_id, observed_at AS at, 1 AS source, id, state_id, session_id FROM observations",
)


_STATE = "(SELECT lower(b.text) FROM event_states b WHERE b.id = e.state_id)"


def _word(alias: str, when: str, said: str, order: str = "") -> str:
    """Joins the first (DESC: the last) event of the container that says such a state."""
    return f"""LEFT JOIN events {alias} ON {alias}.id = (SELECT e.id FROM events e
  WHERE e.resource_id = w.resource_id AND e.state_id IS NOT NULL AND {when} AND {said}
  ORDER BY e.occurred_at {order} LIMIT 1)"""


def _up(say: Idioms, alias: str) -> str:
    """That the state of a word is one in which a container runs."""
    state = f"(SELECT b.text FROM event_states b WHERE b.id = {alias}.state_id)"
    return f"{kind_of(say, state, repr('container'))} = 'up'"


def _successor(say: Idioms) -> str:
    """When that first ran which took the slot of x within the same service; OPEN: nothing did."""
    low, high = f"(x.stopped_us - {SUCCEEDS_BEFORE})", f"(x.stopped_us + {SUCCEEDS_AFTER})"
    mine = f"""(SELECT f.value FROM facts f WHERE f.resource_id = x.resource_id AND f.what = {SLOT}
      AND f.since <= x.stopped_us ORDER BY f.since DESC LIMIT 1)"""
    service = "(SELECT c.id FROM event_types c WHERE c.text = 'service')"
    same_service = f"""EXISTS (SELECT 1 FROM facts g JOIN facts h ON h.value = g.value
        JOIN resources a ON a.id = g.value
      WHERE g.resource_id = x.resource_id AND g.what = {PARENT} AND h.resource_id = o.resource_id
        AND h.what = {PARENT} AND a.type_id = {service})"""

    def first(where: str) -> str:
        return f"""coalesce((SELECT min({say.micros("e.occurred_at")}) FROM facts o
      JOIN events e ON e.resource_id = o.resource_id AND e.occurred_at > x.stopped_at AND {_up(say, "e")}
      WHERE o.value = {mine} AND o.what = {SLOT} AND {where} AND o.since >= {low} AND o.since <= {high}
        AND o.resource_id <> x.resource_id AND {same_service}), {OPEN})"""

    return say.earliest([first(f"o.node IN ({causes.nodes(high)})"), first(f"o.node BETWEEN {low} AND {high}")])


def _ends(say: Idioms, words: str) -> str:
    """The words that end what ran, and what was before and behind each."""
    down = causes.is_down(say, _STATE)
    alive = f"NOT {down}"
    starts = [f"coalesce({say.micros(found)}, {OPEN})" for found in ("up.occurred_at", "seen.observed_at")]
    found = say.apart(
        {
            "state": "lower(s.text)",
            "before": before(),
            "exit_code": causes.exit_code("lower(s.text)"),
            "ran_since_us": f"coalesce({say.micros('bg.occurred_at')}, {-OPEN})",
            "live_us": f"coalesce({say.micros('lv.occurred_at')}, {OPEN})",
            "next_us": f"coalesce({say.micros('ag.occurred_at')}, {OPEN})",
            "own_us": say.earliest(starts),
        },
        f"""LEFT JOIN event_states s ON s.id = w.state_id
{_word("ed", "e.occurred_at < w.at", down, "DESC")}
{_word("bg", "e.occurred_at > ed.occurred_at", alive)}
{_word("lv", "e.occurred_at > w.at", alive)}
{_word("ag", "e.occurred_at > lv.occurred_at", down)}
LEFT JOIN events up ON up.id = (SELECT e.id FROM events e
  WHERE e.resource_id = w.resource_id AND e.occurred_at > w.at AND {_up(say, "e")} ORDER BY e.occurred_at LIMIT 1)
LEFT JOIN observations seen ON seen.id = (SELECT e.id FROM observations e
  WHERE e.resource_id = w.resource_id AND e.observed_at > w.at AND {_up(say, "e")} ORDER BY e.observed_at LIMIT 1)""",
        f"{causes.is_down(say, 'lower(s.text)')} AND {causes.is_stop(say, before(), 'lower(s.text)')}",
    )
    return f"""
SELECT r.uri AS uri, t.text AS type, r.id AS resource_id, p.type_id AS type_id, w.session_id AS session_id,
  w.source AS source, w.at AS stopped_at, {say.micros("w.at")} AS stopped_us,
  {listed(found.columns)}
FROM {words} w
JOIN resources r ON r.id = w.resource_id
JOIN present p ON p.resource_id = w.resource_id
JOIN event_types t ON {say.likely("t.id = p.type_id", OF_A_TYPE)}
{found.joins}
WHERE t.text = 'container' AND {found.where}
"""


_STREAM = "(SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id)"


def _reached(say: Idioms, upto: str) -> str:
    """Until when those sessions of the stream watched that began until an instant."""
    return f"""(SELECT max({watched_to(say, "o")}) FROM (
      SELECT b.closed_at AS closed_at, b.last_seen_at AS last_seen_at
      FROM sessions b WHERE b.stream_id = {_STREAM} AND b.covered_from <= {upto}
      ORDER BY b.covered_from DESC LIMIT {LOOK_BACK}) o)"""


def _gap_between(say: Idioms, since: str, until: str) -> str:
    """That a gap of the stream ended behind an instant, and until another."""
    return f"""EXISTS (SELECT 1 FROM sessions q
      WHERE q.stream_id = {_STREAM} AND q.covered_from > {since} AND q.covered_from <= {until}
        AND {ends_gap(say, "q")})"""


def _unwatched(say: Idioms) -> str:
    """1 where nobody was watching when x ended; of what was found to have ended, since it was last known to run."""
    told = f"""CASE WHEN x.session_id IS NULL THEN 0
      WHEN coalesce({_reached(say, "x.stopped_at")}, 0) >= x.stopped_us THEN 0
      WHEN mod(x.stopped_us, 1000000) = 0
        AND coalesce({_reached(say, say.instant("(x.stopped_us + 999999)"))}, 0) >= x.stopped_us THEN 0 ELSE 1 END"""
    known = """(SELECT max(e.occurred_at) FROM events e
      WHERE e.resource_id = x.resource_id AND e.state_id IS NOT NULL AND e.occurred_at <= x.stopped_at)"""
    found = f"""CASE WHEN x.session_id IS NULL THEN 1
      WHEN coalesce({_reached(say, "x.stopped_at")}, 0) < x.stopped_us THEN 1
      WHEN {_gap_between(say, known, "x.stopped_at")} THEN 1 ELSE 0 END"""
    return f"CASE x.source WHEN 0 THEN {told} ELSE {found} END"


def _restarts(say: Idioms) -> str:
    explained = say.apart(
        {
            "told": causes.told_counts(say),
            "ran_over": causes.over_counts(say),
            "unwatched": _unwatched(say),
            "started_us": say.earliest(["x.own_us", _successor(say)]),
        },
        "",
        "1 = 1",
    )
    ends = say.either(lambda words: _ends(say, words), _WORDS)
    found = f"""SELECT x.*, {listed(explained.columns)}
FROM ({ends}) x {explained.joins} WHERE {explained.where}"""
    started_at = say.instant("x.started_us")
    certain = f"""CASE WHEN x.session_id IS NULL THEN NULL
    WHEN x.unwatched = 1 OR coalesce({_reached(say, "x.stopped_at")}, 0) < x.stopped_us
      OR {_gap_between(say, "x.stopped_at", started_at)} THEN 0 ELSE 1 END"""
    return f"""
SELECT x.stopped_at AS stopped_at, {started_at} AS started_at,
  {seconds("x.stopped_us", "x.started_us")} AS down_seconds, x.uri AS uri, x.type AS type,
  {listed(names("x.resource_id", "x.type_id", "x.stopped_us"))},
  {causes.kind(say)} AS cause, x.exit_code AS exit_code, {causes.proof(say)} AS action_uri, {certain} AS certain,
  x.stopped_us AS stopped_us, x.started_us AS started_us
FROM ({found}) x
WHERE x.started_us < {OPEN}
"""


restarts = View(
    "restarts",
    "What stopped and started again, itself or what took its slot within an hour: one row per stop, with its cause",
    {
        "stopped_at": "When it stopped, UTC",
        "started_at": "When it, or what took its slot, ran again, UTC",
        "down_seconds": "How long that took",
        "uri": "URI of the container",
        "type": "Its type",
        **NAMES,
        "cause": "told, forced (told, and killed when its grace was over), crash, oom, or unknown: nobody was watching",
        "exit_code": "The exit code, where it is known",
        "action_uri": "URI of the action that proves why it stopped; NULL: none does, or several may",
        "certain": "1: watched from the stop to the start; 0: not; NULL: nobody wrote down whether anybody was",
        "stopped_us": "When it stopped, in microseconds since 1970",
        "started_us": "When it, or what took its slot, ran again, in microseconds since 1970",
    },
    _restarts,
)

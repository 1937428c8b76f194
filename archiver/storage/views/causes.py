"""Why something stopped, in SQL: the rules of `queries.causes` over one end, in the alias x.

Of it must be known: platform_id, resource_id, uri, stopped_us, state and before (in lower case), exit_code, unwatched,
since when it had run, when it was next seen alive, and when it ended again (ran_since_us, live_us, next_us).
"""

from __future__ import annotations

from collections.abc import Iterable

from archiver.platforms import facts
from archiver.storage.causes import (
    ALL_GONE,
    AT_ONCE,
    GRACE,
    KILLED,
    OOM_EXPLAINS,
    SLACK,
    STOPPED,
    TOLD_AFTER,
    UNFINISHED,
)
from archiver.storage.schema import OPEN, PARENT, TARGET
from archiver.storage.views.idioms import Idioms


def among(state: str, words: Iterable[str]) -> str:
    """That a state is one of some words."""
    return f"{state} IN ({', '.join(repr(word) for word in sorted(words))})"


def is_engines(uri: str) -> str:
    """That a URI is of something of an engine. (Not by LIKE: drivers of PostgreSQL take its sign for a parameter.)"""
    return f"substr({uri}, 1, {len(facts.OF_ENGINES)}) = '{facts.OF_ENGINES}'"


def says(extra: str, text: str) -> str:
    """That a text, given as an expression, stands in what is kept of an action."""
    return f"coalesce(replace({extra}, {text}, '') <> {extra}, false)"


def says_signal(extra: str, signal: str) -> str:
    """That what is kept of a `kill` says which signal it sent: this one, given as an expression."""
    said = f"'{facts.SIGNAL}' || {signal} || '\"'"
    return says(extra, said)


def is_down(say: Idioms, state: str) -> str:
    """That what is in a state, given in lower case, does not run any more."""
    return among(say.family(state), STOPPED | ALL_GONE)


def exit_code(state: str) -> str:
    """The exit code that a state in lower case tells."""
    code = f"substr({state}, 9, length({state}) - 9)"
    is_exit = f"substr({state}, 1, 8) = 'exited (' AND substr({state}, length({state}), 1) = ')'"
    is_number = f"{code} <> '' AND ltrim({code}, '0123456789') = '' AND length({code}) < 10"
    return f"CASE WHEN {is_exit} AND {is_number} THEN CAST({code} AS integer) END"


# --- what an engine tells, when it is done ---------------------------------------------------------------------------

_PRECEDES = f"(d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - {GRACE} AND d.since_us <= x.stopped_us)"
_FOLLOWS = f"(d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + {TOLD_AFTER} AND d.since_us < x.next_us)"
_DID_IT = says_signal("d.extra", "(x.exit_code - 128)")
_KILLS = f"d.name = 'kill' AND {_PRECEDES} AND (d.deadly = 1 OR {_DID_IT})"
_STOPS = f"d.name = 'stop' AND ({_PRECEDES} OR {_FOLLOWS})"
_RESTARTS = f"d.name = 'restart' AND {_FOLLOWS}"
_RESTARTS_AT_ONCE = f"{_RESTARTS} AND d.since_us <= x.stopped_us + {AT_ONCE}"


def _told(what: str, which: str) -> str:
    """What an engine told of the container, or of the pod that it was in, about its end."""
    above = f"""SELECT f.value FROM facts f WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id
        AND f.what = {PARENT} AND f.since < x.stopped_us AND f.until >= x.stopped_us"""
    return f"""(SELECT {what} FROM engine_actions d
      WHERE d.platform_id = x.platform_id AND d.target_id IN (SELECT x.resource_id UNION ALL {above})
        AND d.since_us >= x.stopped_us - {GRACE} AND d.since_us <= x.stopped_us + {TOLD_AFTER} AND {which})"""


# --- what takes its time ---------------------------------------------------------------------------------------------


_CLOSE = 22
"""At nodes within a stretch of so many bits, four seconds, is what lasted no longer: one look for all of them."""


def nodes(at: str) -> str:
    """The nodes of the interval tree (storage.intervals) at which what holds then can be, but for close ones."""
    return f"""SELECT (({at} >> (b.n + 1)) << (b.n + 1)) | (CAST(1 AS bigint) << b.n) AS node FROM index_levels b
          WHERE b.n >= {_CLOSE}"""


def between(node: str, low: str, high: str) -> str:
    """That a node lies between two instants, or close to them."""
    return f"{node} BETWEEN {low} & {-1 << _CLOSE} AND {high} | {(1 << _CLOSE) - 1}"


def _places() -> str:
    """The object, and what it was under just before it ended."""
    held = "f{n}.what = 1 AND f{n}.since < x.stopped_us AND f{n}.until >= x.stopped_us"
    levels = ["SELECT x.resource_id AS value"]
    for level in (1, 2, 3):
        joins = "".join(
            f" JOIN facts f{n} ON f{n}.platform_id = x.platform_id AND f{n}.resource_id = f{n - 1}.value"
            f" AND {held.format(n=n)}"
            for n in range(2, level + 1)
        )
        levels.append(
            f"SELECT f{level}.value FROM facts f1{joins}"
            f" WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND {held.format(n=1)}"
        )
    return " UNION ALL ".join(levels)


def _spares() -> str:
    """That the last word of an action's name is of one that stops nothing."""
    name = "' ' || lower(coalesce(n.text, '')) || '|'"
    return "(" + " OR ".join(f"replace({name}, ' {word}|', '') <> {name}" for word in facts.SPARING) + ")"


def _ran_over(say: Idioms, what: str) -> str:
    """The actions that ran on it, or on what it was under, when it ended."""
    low, high = f"(x.stopped_us - {SLACK})", f"(x.stopped_us + {SLACK})"
    ended = f"CASE WHEN d.until = {OPEN} THEN d.since + {UNFINISHED} ELSE d.until END"
    failed = among("lower(coalesce(s.text, ''))", facts.UNDONE)
    announced = among("x.before", facts.LEAVING)
    # As a difference, for which no index serves: that of all actions by time is no way to those of one place.
    near = between("d.node", low, high)
    mine = f"d.platform_id = x.platform_id AND {say.likely(f'd.what = {TARGET}', 0.5)}"
    ran = f"d.since - {high} <= 0 AND {ended} >= {low}"
    # The nodes as a table: a list would be reckoned anew for each place.
    found = f"""SELECT d.resource_id, d.value, d.since, d.until
          FROM (SELECT p.value AS value FROM ({_places()}) p GROUP BY p.value) p
          CROSS JOIN (SELECT n.node FROM ({nodes(low)} UNION ALL {nodes(high)}) n GROUP BY n.node) n
          JOIN facts d ON d.value = p.value AND d.node = n.node
          WHERE {mine} AND NOT {near} AND {ran}
        UNION ALL SELECT d.resource_id, d.value, d.since, d.until FROM facts d
          WHERE {mine} AND d.value IN ({_places()}) AND {near} AND {ran}"""
    return f"""(SELECT {what} FROM ({found}) c
      JOIN resources a ON a.platform_id = x.platform_id AND a.id = c.resource_id
      LEFT JOIN present q ON q.platform_id = x.platform_id AND q.resource_id = c.resource_id
      LEFT JOIN texts n ON n.id = q.name_id
      LEFT JOIN event_states s ON s.id = q.state_id
      JOIN resources g ON g.platform_id = x.platform_id AND g.id = c.value
      JOIN event_types t ON t.id = g.type_id
      WHERE NOT {is_engines("a.uri")} AND NOT {_spares()}
        AND ({announced} OR NOT ({failed} OR {among("t.text", facts.CARRYING)})))"""


# --- together --------------------------------------------------------------------------------------------------------


_SORTS = ("stops", "kills", "matching", "soft", "restarts", "at_once")
_DIGIT = 10
"""So many bits hold how many actions of one sort there are: all are counted in one look-up."""


def told_counts() -> str:
    """How many actions of each sort explain an end x that an engine told, in one number."""
    sorts = {
        "stops": _STOPS,
        "kills": _KILLS,
        "matching": f"{_KILLS} AND {_DID_IT}",
        "soft": f"{_KILLS} AND d.soft = 1",
        "restarts": _RESTARTS,
        "at_once": _RESTARTS_AT_ONCE,
    }
    counts = [
        f"coalesce(sum(CASE WHEN {sorts[sort]} THEN {1 << (_DIGIT * place)} END), 0)"
        for place, sort in enumerate(_SORTS)
    ]
    counted = _told(f"CAST({' + '.join(counts)} AS bigint)", "d.name IN ('kill', 'restart', 'stop')")
    return f"CASE WHEN {is_engines('x.uri')} THEN {counted} ELSE 0 END"


def over(say: Idioms) -> str:
    """The URI of the action that takes its time and explains an end x; an empty text: several do; NULL: none.

    Where any was under way when it came, what was told to be over before explains nothing.
    """
    still = "c.until >= x.stopped_us"
    any_still = f"max(CASE WHEN c.since <= x.stopped_us AND {still} THEN 1 ELSE 0 END) = 1"
    one = f"""CASE WHEN {any_still} AND sum(CASE WHEN {still} THEN 1 ELSE 0 END) = 1
        THEN min(CASE WHEN {still} THEN a.uri END)
        WHEN count(*) > 1 THEN '' ELSE min(a.uri) END"""
    return f"CASE WHEN NOT {is_engines('x.uri')} THEN {_ran_over(say, one)} END"


def _count(sort: str) -> str:
    return f"((x.told >> {_DIGIT * _SORTS.index(sort)}) & {(1 << _DIGIT) - 1})"


_STOPS_N, _KILLS_N, _MATCHING_N, _SOFT_N, _RESTARTS_N, _AT_ONCE_N = map(_count, _SORTS)
PROOFS = f"""CASE WHEN {_STOPS_N} > 0 AND {_RESTARTS_N} > 0 THEN {_RESTARTS_N} WHEN {_STOPS_N} > 0 THEN {_STOPS_N}
    WHEN {_MATCHING_N} > 0 THEN {_MATCHING_N} WHEN {_KILLS_N} > 0 THEN {_KILLS_N}
    WHEN {_AT_ONCE_N} > 0 THEN {_AT_ONCE_N} WHEN x.ran_over IS NULL THEN 0 WHEN x.ran_over = '' THEN 2 ELSE 1 END"""
"""How many actions prove why x ended; of those that take their time no more than two are told apart."""


def short_of_memory(say: Idioms, until: str = "") -> str:
    """That an engine told of the want of memory beside the end x, or says so of what it was found to have come to."""
    near = [say.instant(f"(x.stopped_us {sign} {OOM_EXPLAINS})") for sign in "-+"]
    found = f"""x.source = 1 AND x.exit_code = {KILLED} AND EXISTS (SELECT 1 FROM observations b
      WHERE b.platform_id = x.platform_id AND b.id = x.id AND {says("b.extra", f"'{facts.OOM_KILLED}'")})"""
    return f"""(({found}) OR EXISTS (SELECT 1 FROM events b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id
      AND b.occurred_at >= {near[0]} AND b.occurred_at <= {near[1]}{until}
      AND b.action_id = (SELECT c.id FROM event_actions c WHERE c.text = '{facts.OOM}')))"""


def oom(say: Idioms) -> str:
    """The same, told before x lived again."""
    return short_of_memory(say, f" AND {say.micros('b.occurred_at')} <= x.live_us")


_GRACEFUL = f"({_STOPS_N} > 0 OR ({_KILLS_N} = 0 AND {_AT_ONCE_N} > 0) OR x.ran_over IS NOT NULL OR {_SOFT_N} > 0)"
_IS_OOM = f"x.oom AND (x.exit_code IS NULL OR x.exit_code = {KILLED} OR x.proofs = 0)"
KIND = f"""CASE WHEN {_IS_OOM} THEN 'oom'
    WHEN x.proofs > 0 OR {among("x.before", facts.LEAVING)} THEN
      CASE WHEN x.exit_code = {KILLED} AND {_GRACEFUL} THEN 'forced' ELSE 'told' END
    WHEN x.unwatched = 1 THEN 'unknown' ELSE 'crash' END"""
"""The kind of the cause of an end x, of which is counted what explains it; what was told and obeyed had memory."""


def proof() -> str:
    """The URI of the one action that proves why x, of which the cause is known, ended; NULL: none does, or several."""
    which = f"""CASE WHEN {_STOPS_N} > 0 AND {_RESTARTS_N} > 0 THEN {_RESTARTS} WHEN {_STOPS_N} > 0 THEN {_STOPS}
        WHEN {_MATCHING_N} > 0 THEN {_KILLS} AND {_DID_IT} WHEN {_KILLS_N} > 0 THEN {_KILLS}
        ELSE {_RESTARTS_AT_ONCE} END"""
    return f"""CASE WHEN x.proofs <> 1 OR ({_IS_OOM}) THEN NULL
    WHEN x.ran_over IS NOT NULL THEN x.ran_over ELSE {_told("min(d.uri)", which)} END"""

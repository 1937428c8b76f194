"""Why something stopped, in SQL: the rules of `queries.causes` over one end, in the alias x.

Of it must be known: resource_id, uri, stopped_us, state and before (in lower case), exit_code, unwatched, since when it
had run, when it was next seen alive, and when it ended again (ran_since_us, live_us, next_us).
"""

from __future__ import annotations

from collections.abc import Iterable

from archiver.platforms.docker import facts as docker
from archiver.platforms.tutum import facts as tutum
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

_BITS = 63


def among(state: str, words: Iterable[str]) -> str:
    """That a state is one of some words."""
    return f"{state} IN ({', '.join(repr(word) for word in sorted(words))})"


def _is_engines(uri: str) -> str:
    """That a URI is of something of an engine. (Not by LIKE: drivers of PostgreSQL take its sign for a parameter.)"""
    return f"substr({uri}, 1, {len(docker.DOCKER)}) = '{docker.DOCKER}'"


def is_down(say: Idioms, state: str) -> str:
    """That what is in a state, given in lower case, does not run any more."""
    return among(say.family(state), STOPPED | ALL_GONE)


def is_stop(say: Idioms, before: str, state: str) -> str:
    """That a state that follows on another one is an end."""
    never_ran = f"({before} = 'created' AND {among(state, ALL_GONE)})"
    return f"({before} IS NOT NULL AND {is_down(say, state)} AND NOT {is_down(say, before)} AND NOT {never_ran})"


def exit_code(state: str) -> str:
    """The exit code that a state in lower case tells."""
    code = f"substr({state}, 9, length({state}) - 9)"
    is_exit = f"substr({state}, 1, 8) = 'exited (' AND substr({state}, length({state}), 1) = ')'"
    is_number = f"{code} <> '' AND ltrim({code}, '0123456789') = '' AND length({code}) < 10"
    return f"CASE WHEN {is_exit} AND {is_number} THEN CAST({code} AS integer) END"


# --- what an engine tells, when it is done ---------------------------------------------------------------------------

_PRECEDES = f"(d.since >= x.ran_since_us AND d.since >= x.stopped_us - {GRACE} AND d.since <= x.stopped_us)"
_FOLLOWS = f"(d.since > x.stopped_us AND d.since <= x.stopped_us + {TOLD_AFTER} AND d.since < x.next_us)"
_KEPT = "(SELECT b.extra FROM events b WHERE b.resource_id = d.resource_id LIMIT 1)"


def _has(text: str) -> str:
    """That a text, given as an expression, stands in what is kept of an action d."""
    return f"coalesce(replace({_KEPT}, {text}, '') <> {_KEPT}, false)"


def _sent(signal: str) -> str:
    """That a `kill` says which signal it sent: this one, given as an expression of SQL."""
    return _has(f"'{docker.SIGNAL}' || {signal} || '\"'")


_TELLS_NONE = f"NOT {_has(repr(docker.SIGNAL))}"
_DID_IT = _sent("(x.exit_code - 128)")
_IS_DEADLY = " OR ".join([_TELLS_NONE, _DID_IT, *(_sent(f"'{signal}'") for signal in sorted(docker.DEADLY))])
_KILLS = f"n.text = 'kill' AND {_PRECEDES} AND ({_IS_DEADLY})"
_STOPS = f"n.text = 'stop' AND ({_PRECEDES} OR {_FOLLOWS})"
_RESTARTS = f"n.text = 'restart' AND {_FOLLOWS}"
_RESTARTS_AT_ONCE = f"{_RESTARTS} AND d.since <= x.stopped_us + {AT_ONCE}"


def _told(say: Idioms, what: str, which: str) -> str:
    """What an engine told of the container, or of the pod that it was in, about its end."""
    above = f"""SELECT f.value FROM facts f WHERE f.resource_id = x.resource_id AND f.what = {PARENT}
        AND f.since < x.stopped_us AND f.until >= x.stopped_us"""
    return f"""(SELECT {what} FROM facts d
      JOIN resources a ON a.id = d.resource_id
      JOIN present q ON q.resource_id = d.resource_id
      JOIN texts n ON n.id = q.name_id
      WHERE {say.likely(f"d.what = {TARGET}", 0.5)} AND d.value IN (SELECT x.resource_id UNION ALL {above})
        AND d.node >= x.stopped_us - {GRACE} AND d.node <= x.stopped_us + {TOLD_AFTER} AND d.since = d.node
        AND {_is_engines("a.uri")} AND {which})"""


# --- what takes its time ---------------------------------------------------------------------------------------------


def nodes(at: str) -> str:
    """The nodes of the interval tree (storage.intervals) at which what holds at an instant can be."""
    digit = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(8))
    bits = f"(SELECT l.n + 8 * h.n AS n FROM ({digit}) l CROSS JOIN ({digit}) h)"
    return f"""SELECT (({at} >> (b.n + 1)) << (b.n + 1)) | (CAST(1 AS bigint) << b.n) FROM {bits} b
          WHERE b.n < {_BITS} UNION ALL SELECT {at}"""


def _places() -> str:
    """The object, and what it was under just before it ended."""
    held = "f{n}.what = 1 AND f{n}.since < x.stopped_us AND f{n}.until >= x.stopped_us"
    levels = ["SELECT x.resource_id"]
    for level in (1, 2, 3):
        joins = "".join(
            f" JOIN facts f{n} ON f{n}.resource_id = f{n - 1}.value AND {held.format(n=n)}" for n in range(2, level + 1)
        )
        levels.append(
            f"SELECT f{level}.value FROM facts f1{joins} WHERE f1.resource_id = x.resource_id AND {held.format(n=1)}"
        )
    return " UNION ALL ".join(levels)


def _spares() -> str:
    """That the last word of an action's name is of one that stops nothing."""
    name = "' ' || lower(coalesce(n.text, '')) || '|'"
    return "(" + " OR ".join(f"replace({name}, ' {word}|', '') <> {name}" for word in tutum.SPARING) + ")"


def _ran_over(say: Idioms, what: str) -> str:
    """The actions that ran on it, or on what it was under, when it ended."""
    low, high = f"(x.stopped_us - {SLACK})", f"(x.stopped_us + {SLACK})"
    ended = f"CASE WHEN d.until = {OPEN} THEN d.since + {UNFINISHED} ELSE d.until END"
    failed = among("lower(coalesce(s.text, ''))", tutum.UNDONE)
    announced = among("x.before", tutum.LEAVING)
    # As a difference, for which no index serves: that of all actions by time is no way to those of one place.
    near = f"d.node BETWEEN {low} AND {high}"
    found = " UNION ALL ".join(
        f"""SELECT d.resource_id FROM facts d
          WHERE {say.likely(f"d.what = {TARGET}", 0.5)} AND d.value IN ({_places()}) AND {where}
            AND d.since - {high} <= 0 AND {ended} >= {low}"""
        for where in (f"d.node IN ({nodes(low)} UNION ALL {nodes(high)}) AND NOT {near}", near)
    )
    return f"""(SELECT {what} FROM ({found}) c
      JOIN resources a ON a.id = c.resource_id
      LEFT JOIN present q ON q.resource_id = c.resource_id
      LEFT JOIN texts n ON n.id = q.name_id
      LEFT JOIN event_states s ON s.id = q.state_id
      WHERE NOT {_is_engines("a.uri")} AND NOT {_spares()} AND ({announced} OR NOT {failed}))"""


# --- together --------------------------------------------------------------------------------------------------------


_SORTS = ("stops", "kills", "matching", "soft", "restarts", "at_once")
_DIGIT = 10
"""So many bits hold how many actions of one sort there are: all are counted in one look-up."""


def told_counts(say: Idioms) -> str:
    """How many actions of each sort explain an end x that an engine told, in one number."""
    sorts = {
        "stops": _STOPS,
        "kills": _KILLS,
        "matching": f"{_KILLS} AND {_DID_IT}",
        "soft": f"{_KILLS} AND NOT {_TELLS_NONE} AND NOT {_sent(repr('9'))}",
        "restarts": _RESTARTS,
        "at_once": _RESTARTS_AT_ONCE,
    }
    counts = [
        f"coalesce(sum(CASE WHEN {sorts[sort]} THEN {1 << (_DIGIT * place)} END), 0)"
        for place, sort in enumerate(_SORTS)
    ]
    of_any = "n.text IN ('kill', 'restart', 'stop')"
    counted = _told(say, f"CAST({' + '.join(counts)} AS bigint)", of_any)
    return f"CASE WHEN {_is_engines('x.uri')} THEN {counted} ELSE 0 END"


def over_counts(say: Idioms) -> str:
    """How many actions that take their time explain an end x."""
    return f"CASE WHEN {_is_engines('x.uri')} THEN 0 ELSE {_ran_over(say, 'count(*)')} END"


def _count(sort: str) -> str:
    return f"((x.told >> {_DIGIT * _SORTS.index(sort)}) & {(1 << _DIGIT) - 1})"


_STOPS_N, _KILLS_N, _MATCHING_N, _SOFT_N, _RESTARTS_N, _AT_ONCE_N = map(_count, _SORTS)
_PROOFS = f"""CASE WHEN {_STOPS_N} > 0 AND {_RESTARTS_N} > 0 THEN {_RESTARTS_N} WHEN {_STOPS_N} > 0 THEN {_STOPS_N}
    WHEN {_MATCHING_N} > 0 THEN {_MATCHING_N} WHEN {_KILLS_N} > 0 THEN {_KILLS_N}
    WHEN {_AT_ONCE_N} > 0 THEN {_AT_ONCE_N} ELSE x.ran_over END"""


def _is_oom(say: Idioms) -> str:
    """That x ended because memory was short; what was told and obeyed it had not to be."""
    near = [say.instant(f"(x.stopped_us {sign} {OOM_EXPLAINS})") for sign in "-+"]
    oom = f"""EXISTS (SELECT 1 FROM events b WHERE b.resource_id = x.resource_id
      AND b.occurred_at >= {near[0]} AND b.occurred_at <= {near[1]} AND {say.micros("b.occurred_at")} <= x.live_us
      AND b.action_id = (SELECT c.id FROM event_actions c WHERE c.text = '{docker.OOM}'))"""
    return f"((x.exit_code IS NULL OR x.exit_code = {KILLED} OR NOT ({_PROOFS}) > 0) AND {oom})"


def kind(say: Idioms) -> str:
    """The kind of the cause of an end x, of which is counted what explains it."""
    told = f"{_PROOFS} > 0"
    graceful = f"({_STOPS_N} > 0 OR ({_KILLS_N} = 0 AND {_AT_ONCE_N} > 0) OR x.ran_over > 0 OR {_SOFT_N} > 0)"
    return f"""CASE WHEN {_is_oom(say)} THEN 'oom'
    WHEN {told} OR {among("x.before", tutum.LEAVING)} THEN
      CASE WHEN x.exit_code = {KILLED} AND {graceful} THEN 'forced' ELSE 'told' END
    WHEN x.unwatched = 1 THEN 'unknown' ELSE 'crash' END"""


def proof(say: Idioms) -> str:
    """The URI of the one action that proves why x ended; NULL where there is none, or several."""
    first = "min(a.uri)"
    return f"""CASE WHEN {_PROOFS} <> 1 OR {_is_oom(say)} THEN NULL
    WHEN {_STOPS_N} > 0 AND {_RESTARTS_N} > 0 THEN {_told(say, first, _RESTARTS)}
    WHEN {_STOPS_N} > 0 THEN {_told(say, first, _STOPS)}
    WHEN {_MATCHING_N} > 0 THEN {_told(say, first, f"{_KILLS} AND {_DID_IT}")}
    WHEN {_KILLS_N} > 0 THEN {_told(say, first, _KILLS)}
    WHEN {_AT_ONCE_N} > 0 THEN {_told(say, first, _RESTARTS_AT_ONCE)}
    ELSE {_ran_over(say, first)} END"""

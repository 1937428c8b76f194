"""The view of states as far as somebody watched: spans that end, split where nobody did, each with its kind."""

from __future__ import annotations

from archiver.storage.views.idioms import Idioms
from archiver.storage.views.kinds import kind_of
from archiver.storage.views.places import NAMES, listed, names
from archiver.storage.views.states import OF_A_TYPE, UNTIL, before, joined_with_next
from archiver.storage.views.view import View, seconds
from archiver.storage.words import OPEN, SILENT_SECONDS

LOOK_BACK = 16
"""Of the sessions of a stream so many are looked at to see whether one that began earlier was still watching."""
_ROUNDED = 1_000_000
"""An event may be dated so much before the session that heard it: platforms date by the second."""

_WORDS = (
    "SELECT resource_id, occurred_at AS at, occurred_at AS told_at, 0 AS source, id, state_id, session_id FROM events",
    "SELECT resource_id, observed_at AS at, observed_at AS told_at, 1 AS source, id, state_id, session_id"
    " FROM observations",
)
FROM_WORD, UNWATCHED, ASSUMED, AGAIN, STILL = range(5)
"""The pieces of a span: from the word that told it; for each gap within it that ends, the gap, what follows until the
state is told again, and from then on; the gap that still is."""


def alive(say: Idioms, session: str) -> str:
    """That a session is open and its receiver alive."""
    return (
        f"({session}.closed_at IS NULL"
        f" AND {say.micros(f'{session}.last_seen_at')} > {say.now} - {SILENT_SECONDS * 1_000_000})"
    )


def watched_to(say: Idioms, session: str) -> str:
    """Until when a session watched, in microseconds; OPEN while it is alive."""
    ended = say.micros(f"coalesce({session}.closed_at, {session}.last_seen_at)")
    return f"CASE WHEN {alive(say, session)} THEN {OPEN} ELSE {ended} END"


def _earlier(stream: str, which: str) -> str:
    return f"""(SELECT b.id AS id, b.closed_at AS closed_at, b.last_seen_at AS last_seen_at FROM sessions b
        WHERE b.stream_id = {stream} AND {which} ORDER BY b.covered_from DESC LIMIT {LOOK_BACK})"""


def before_session(session: str) -> str:
    return (
        f"b.covered_from <= {session}.covered_from AND (b.covered_from < {session}.covered_from OR b.id < {session}.id)"
    )


def ends_gap(say: Idioms, session: str) -> str:
    """That nobody was watching the stream just before a session began to."""
    reaches = f"({alive(say, 'o')} OR coalesce(o.closed_at, o.last_seen_at) >= {session}.covered_from)"
    earlier = _earlier(f"{session}.stream_id", before_session(session))
    return f"NOT EXISTS (SELECT 1 FROM {earlier} o WHERE {reaches})"


def reaching(say: Idioms, stream: str, which: str = "b.id > 0") -> str:
    """Of a stream's sessions, the one that watched longest."""
    return f"""(SELECT o.id FROM {_earlier(stream, which)} o
      ORDER BY {watched_to(say, "o")} DESC LIMIT 1)"""


def reached(say: Idioms, stream: str, which: str) -> str:
    """How far of a stream's sessions that watched longest did, in microseconds; NULL: there is none."""
    return f"""(SELECT max(o.watched_us) FROM (
        SELECT {watched_to(say, "b")} AS watched_us FROM sessions b
        WHERE b.stream_id = {stream} AND {which} ORDER BY b.covered_from DESC LIMIT {LOOK_BACK}) o)"""


def next_gap(say: Idioms, upto: str) -> str:
    """When nobody was watching any more after a word w heard in the session h, looked for until some instant."""
    us = say.micros("w.at")
    first_behind = f"""(SELECT q.covered_from FROM sessions q
        WHERE q.stream_id = h.stream_id AND q.covered_from > {say.instant(upto)} ORDER BY q.covered_from LIMIT 1)"""
    ended = f"""(SELECT coalesce({reached(say, "q.stream_id", before_session("q"))}, 0)
        FROM sessions q WHERE q.stream_id = h.stream_id AND q.covered_from > w.at
          AND q.covered_from <= coalesce({first_behind}, {say.never})
          AND {say.micros("q.covered_from")} - {us} >= {_ROUNDED} AND {ends_gap(say, "q")}
        ORDER BY q.covered_from LIMIT 1)"""
    still = f"CASE WHEN {first_behind} IS NULL THEN {reached(say, 'h.stream_id', 'b.id > 0')} ELSE {OPEN} END"
    return f"CASE WHEN h.id IS NULL THEN 0 ELSE coalesce({ended}, {still}) END"


def _gone_for_good() -> str:
    return f"(p.gone_at IS NOT NULL AND {UNTIL} IS NULL)"


def _is_gap(say: Idioms) -> str:
    """That nobody was watching just before the session y, of which x is that which reached farthest before it."""
    return f"(y.id IS NOT NULL AND (x.id IS NULL OR {watched_to(say, 'x')} < {say.micros('y.covered_from')}))"


def _looked_up(say: Idioms) -> str:
    """For each word, where it begins a span: what ended that, and all sessions that say how well it was watched."""
    us = say.micros("w.at")

    def later(session: str, than: str) -> str:
        return (
            f"{session}.stream_id = h.stream_id AND {session}.covered_from > {than}"
            f" AND {session}.covered_from <= coalesce(u.covered_from, {say.never})"
            f" AND {say.micros(f'{session}.covered_from')} - {us} >= {_ROUNDED}"
        )

    next_gap = f"""(SELECT q.id FROM sessions q
      WHERE {later("q", f"CASE k.part WHEN {FROM_WORD} THEN w.at ELSE y.covered_from END")} AND {ends_gap(say, "q")}
      ORDER BY q.covered_from LIMIT 1)"""
    splits = f"NOT {_gone_for_good()}"
    goes_on = f"{splits} AND (k.part = {FROM_WORD} OR (k.part IN ({ASSUMED}, {AGAIN}) AND {_is_gap(say)}))"
    return f"""LEFT JOIN event_states s ON s.id = w.state_id
{joined_with_next(us, "coalesce(w.state_id, 0)", "coalesce(lower(s.text), '')")}
LEFT JOIN sessions h ON h.id = w.session_id
LEFT JOIN sessions u ON u.id = (SELECT q.id FROM sessions q
  WHERE q.stream_id = h.stream_id AND q.covered_from > {UNTIL} ORDER BY q.covered_from LIMIT 1)
CROSS JOIN ({" UNION ALL ".join(f"SELECT {part} AS part" for part in range(5))}) k
LEFT JOIN sessions y ON k.part IN ({UNWATCHED}, {ASSUMED}, {AGAIN}) AND {splits} AND {later("y", "w.at")}
LEFT JOIN sessions x ON x.id = CASE WHEN y.id IS NOT NULL THEN {reaching(say, "y.stream_id", before_session("y"))} END
LEFT JOIN sessions z ON z.id = CASE WHEN {goes_on} THEN {next_gap} END
LEFT JOIN sessions e ON e.id = CASE WHEN z.id IS NOT NULL THEN {reaching(say, "z.stream_id", before_session("z"))}
    WHEN u.id IS NULL AND ({goes_on} OR (k.part = {STILL} AND {splits})) THEN {reaching(say, "h.stream_id")} END"""


def _begins() -> str:
    """That a word begins a span: it says another state than the one before, or is the first; or nobody said any."""
    return f"""CASE w.source WHEN 2 THEN {before("w.source = 2 OR (w.source = 1 AND o.id < w.id)")} IS NULL
  ELSE coalesce({before()} <> lower(s.text), s.text IS NOT NULL) END"""


def _told_again(say: Idioms) -> str:
    """When the state was told or found again after the gap that a session ended; OPEN: it was not."""

    def first(table: str, at: str) -> str:
        return f"""coalesce((SELECT {say.micros(f"o.{at}")} FROM {table} o
      WHERE o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.{at} >= y.covered_from
      ORDER BY o.{at} LIMIT 1), {OPEN})"""

    return say.earliest([first("events", "occurred_at"), first("observations", "observed_at")])


def _watched_spans(say: Idioms) -> str:
    begin = say.micros("w.at")
    end = f"CASE WHEN {UNTIL} IS NULL THEN {say.latest([say.now, begin])} ELSE {say.micros(UNTIL)} END"
    resumed = say.micros("y.covered_from")
    next_gap = f"""CASE WHEN e.id IS NOT NULL THEN {watched_to(say, "e")}
    WHEN z.id IS NOT NULL THEN 0 ELSE {OPEN} END"""
    again = _told_again(say)
    since = f"""CASE k.part WHEN {FROM_WORD} THEN {begin}
    WHEN {UNWATCHED} THEN {say.latest([begin, f"coalesce({watched_to(say, 'x')}, {begin})"])}
    WHEN {ASSUMED} THEN {resumed} WHEN {AGAIN} THEN {again}
    ELSE {say.latest([begin, next_gap])} END"""
    until = f"""CASE k.part WHEN {UNWATCHED} THEN {say.earliest([end, resumed])}
    WHEN {ASSUMED} THEN {say.earliest([end, next_gap, again])} WHEN {STILL} THEN {end}
    ELSE {say.earliest([end, next_gap])} END"""
    certain = f"""CASE WHEN s.text IS NULL THEN NULL WHEN h.id IS NULL THEN 0
    WHEN k.part = {AGAIN} OR (k.part = {FROM_WORD} AND {next_gap} > {begin}) THEN 1 ELSE 0 END"""
    watched = f"""CASE WHEN h.id IS NULL THEN NULL
    WHEN k.part IN ({UNWATCHED}, {STILL}) OR (k.part = {FROM_WORD} AND {next_gap} <= {begin}) THEN 0 ELSE 1 END"""

    found = say.apart(
        {
            "state": "s.text",
            "begin_us": begin,
            "end_us": end,
            "since_us": since,
            "until_us": until,
            "certain": certain,
            "watched": watched,
            "is_last": f"CASE WHEN {UNTIL} IS NULL THEN 1 ELSE 0 END",
            "is_first": f"CASE k.part WHEN {FROM_WORD} THEN 1 ELSE 0 END",
            "is_piece": f"CASE WHEN k.part IN ({FROM_WORD}, {STILL}) OR {_is_gap(say)} THEN 1 ELSE 0 END",
        },
        _looked_up(say),
        _begins(),
    )

    def pieces(words: str) -> str:
        return f"""
SELECT r.uri AS uri, t.text AS type, r.id AS resource_id, p.type_id AS type_id, w.told_at AS state_since,
  {listed(found.columns)}
FROM {words} w
JOIN resources r ON r.id = w.resource_id
JOIN present p ON p.resource_id = w.resource_id
JOIN event_types t ON {say.likely("t.id = p.type_id", OF_A_TYPE)}
{found.joins}
WHERE {found.where}
"""

    silent = (
        f"SELECT resource_id, {say.instant('first_at')} AS at, CAST(NULL AS {say.instant_type}) AS told_at,"
        " 2 AS source, CAST(0 AS bigint) AS id, CAST(NULL AS bigint) AS state_id, CAST(NULL AS bigint) AS session_id"
        " FROM present"
    )
    return f"""
SELECT v.uri AS uri, v.type AS type,
  {listed(names("v.resource_id", "v.type_id", "v.begin_us"))},
  v.state AS state, {kind_of(say, "v.state", "v.type")} AS kind,
  {say.instant("v.since_us")} AS since, {say.instant("v.until_us")} AS until,
  {seconds("v.since_us", "v.until_us")} AS seconds, v.certain AS certain, v.watched AS watched,
  CASE WHEN v.until_us = v.end_us THEN v.is_last ELSE 0 END AS holds, v.state_since AS state_since,
  v.since_us AS since_us, v.until_us AS until_us,
  CASE WHEN v.state IS NOT NULL THEN v.begin_us END AS state_since_us
FROM ({say.either(pieces, (*_WORDS, silent))}) v
WHERE (v.since_us < v.until_us AND v.is_piece = 1) OR (v.is_first = 1 AND v.begin_us = v.end_us)
"""


watched_spans = View(
    "watched_spans",
    "The states of every resource until now, split where nobody was watching: one row per stretch that is equally sure",
    {
        "uri": "URI of the resource",
        "type": "Its type",
        **NAMES,
        "state": "The state, as first told; NULL: the resource was named by others, and none was told yet",
        "kind": "up, down, starting or gone, as `state_kinds` says; NULL: it says nothing of that state",
        "since": "From when on, UTC",
        "until": "Until when, UTC; what still is ends now",
        "seconds": "How long",
        "certain": "1: somebody was watching since the state was told; 0: known from before a gap, and assumed;"
        " NULL: nothing known",
        "watched": "1: somebody was watching; 0: nobody; NULL: nobody wrote that down (imported)",
        "holds": "1: it still is so; 0: it was",
        "state_since": "When the state began, UTC: what to give a range of time",
        "since_us": "From when on, in microseconds since 1970",
        "until_us": "Until when, in microseconds since 1970",
        "state_since_us": "When the state began, in microseconds since 1970",
    },
    _watched_spans,
)

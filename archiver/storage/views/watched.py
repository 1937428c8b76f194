"""The view of states as far as somebody watched: spans that end, split where nobody did, each with its kind."""

from __future__ import annotations

from archiver.storage.views.events import PLATFORM, PLATFORM_SAID
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.kinds import kind_of
from archiver.storage.views.places import NAMES, listed, names
from archiver.storage.views.sessions import earlier_than, ends_gap, of_session, reaching
from archiver.storage.views.states import UNTIL, before, joined_with_next
from archiver.storage.views.unchanged import bridging
from archiver.storage.views.view import View, seconds
from archiver.storage.views.words import SOURCES, said
from archiver.storage.words import OPEN

_ROUNDED = 1_000_000
"""An event may be dated so much before the session that heard it: platforms date by the second."""

FROM_WORD, UNWATCHED, ASSUMED, AGAIN, STILL = range(5)
"""The pieces of a span: from the word that told it; for each gap within it that ends, the gap, what follows until the
state is told again, and from then on; the gap that still is."""

_SPLITS = f"NOT (w.gone_us IS NOT NULL AND {UNTIL} IS NULL)"
"""That a gap may be within the span: what is gone for good is so, whether anybody watches or not."""
_IS_GAP = f"(y.id IS NOT NULL AND (x.id IS NULL OR {of_session('x', 'watched_us')} < {of_session('y', 'covered_us')}))"
"""That nobody was watching just before the session y, of which x is that which reached farthest before it."""


def _looked_up(say: Idioms) -> str:
    """For each word, where it begins a span: what ended that, and all sessions that say how well it was watched."""
    us = say.micros("w.at")

    def later(session: str, than: str) -> str:
        return (
            f"{session}.stream_id = h.stream_id AND {session}.covered_from > {than}"
            f" AND {session}.covered_from <= coalesce(u.covered_from, {say.never})"
            f" AND ({say.micros(f'{session}.covered_from')} - {us} >= {_ROUNDED}"
            f" OR {us} / {_ROUNDED} * {_ROUNDED} <> {us})"
        )

    next_gap = f"""(SELECT q.id FROM sessions q
      WHERE {later("q", f"CASE k.part WHEN {FROM_WORD} THEN w.at ELSE y.covered_from END")} AND {ends_gap("q")}
      ORDER BY q.covered_from LIMIT 1)"""
    return f"""LEFT JOIN event_states s ON s.id = w.state_id
{joined_with_next(us, "coalesce(w.state_id, 0)", "coalesce(lower(s.text), '')")}
LEFT JOIN sessions h ON h.id = w.session_id
LEFT JOIN sessions u ON u.id = (SELECT q.id FROM sessions q
  WHERE q.stream_id = h.stream_id AND q.covered_from > {UNTIL} ORDER BY q.covered_from LIMIT 1)
CROSS JOIN ({" UNION ALL ".join(f"SELECT {part} AS part" for part in range(5))}) k
LEFT JOIN sessions y ON k.part IN ({UNWATCHED}, {ASSUMED}, {AGAIN}) AND {_SPLITS} AND {later("y", "w.at")}
LEFT JOIN sessions x ON x.id = CASE WHEN y.id IS NOT NULL THEN {reaching("y.stream_id", earlier_than("y"))} END
LEFT JOIN sessions z ON z.id = CASE WHEN {_GOES_ON} THEN {next_gap} END
LEFT JOIN sessions e ON e.id = CASE WHEN z.id IS NOT NULL THEN {reaching("z.stream_id", earlier_than("z"))}
    WHEN u.id IS NULL AND ({_GOES_ON} OR (k.part = {STILL} AND {_SPLITS})) THEN {reaching("h.stream_id")} END"""


_GOES_ON = f"{_SPLITS} AND (k.part = {FROM_WORD} OR (k.part IN ({ASSUMED}, {AGAIN}) AND {_IS_GAP}))"


def _begins() -> str:
    """That a word begins a span: it says another state than the one before, or is the first; or nobody said any."""
    return f"""CASE w.source WHEN 2 THEN {before("w.source = 2 OR (w.source = 1 AND o.id < w.id)")} IS NULL
  ELSE coalesce({before()} <> lower(s.text), s.text IS NOT NULL) END"""


def _told_again(say: Idioms) -> str:
    """When the state was told or found again after the gap that a session ended; OPEN: it was not."""

    def first(table: str, at: str) -> str:
        return f"""coalesce((SELECT {say.micros(f"o.{at}")} FROM {table} o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.{at} >= y.covered_from
      ORDER BY o.{at} LIMIT 1), {OPEN})"""

    return say.earliest([first("events", "occurred_at"), first("observations", "observed_at")])


def _proven() -> str:
    """From when on it is proven that nothing changed in the gap that a session ended; NULL: it is not.

    What was found in an earlier gap is proven there, too, from then on.
    """
    found = bridging("w.resource_id", "y.covered_from")
    return f"CASE WHEN x.id IS NOT NULL AND k.part <> {FROM_WORD} THEN (SELECT p.since_us {found}) END"


def _watched_spans(say: Idioms) -> str:
    begin = say.micros("w.at")
    found = say.apart(
        {
            "part": "k.part",
            "heard_by": "h.id",
            "state": "s.text",
            "begin_us": begin,
            "is_last": f"CASE WHEN {UNTIL} IS NULL THEN 1 ELSE 0 END",
            "end_us": f"CASE WHEN {UNTIL} IS NULL THEN {say.latest([say.now, begin])} ELSE {say.micros(UNTIL)} END",
            "before_us": f"CASE WHEN x.id IS NULL THEN {begin} ELSE {of_session('x', 'watched_us')} END",
            "resumed_us": say.micros("y.covered_from"),
            "again_us": f"CASE WHEN y.id IS NULL THEN {OPEN} ELSE {_told_again(say)} END",
            "proven_us": _proven(),
            "gap_us": f"""CASE WHEN e.id IS NOT NULL THEN {of_session("e", "watched_us")}
    WHEN z.id IS NOT NULL THEN 0 ELSE {OPEN} END""",
            "is_piece": f"CASE WHEN k.part IN ({FROM_WORD}, {STILL}) OR {_IS_GAP} THEN 1 ELSE 0 END",
        },
        _looked_up(say),
        f"{_begins()} AND (k.part = {FROM_WORD} OR (h.id IS NOT NULL AND {_SPLITS}))",
    )
    silent = (
        f"SELECT platform_id, resource_id, CAST({say.instant('first_at')} AS {say.instant_type}) AS at, 2 AS source,"
        " CAST(0 AS bigint) AS id, CAST(NULL AS bigint) AS state_id, CAST(NULL AS bigint) AS session_id,"
        f" CAST(NULL AS {say.instant_type}) AS told_at FROM present"
    )
    told = [f"SELECT b.*, b.at AS told_at FROM ({source}) b" for source in SOURCES]
    since = f"""CASE v.part WHEN {FROM_WORD} THEN v.begin_us
    WHEN {UNWATCHED} THEN {say.latest(["v.begin_us", "v.before_us"])}
    WHEN {ASSUMED} THEN {say.latest(["v.begin_us", "v.before_us", "coalesce(v.proven_us, v.resumed_us)"])}
    WHEN {AGAIN} THEN CASE WHEN v.proven_us IS NULL THEN v.again_us ELSE v.resumed_us END
    ELSE {say.latest(["v.begin_us", "v.gap_us"])} END"""
    doubted = say.earliest(["v.end_us", "v.gap_us", "v.again_us"])
    until = f"""CASE v.part
    WHEN {UNWATCHED} THEN {say.earliest(["v.end_us", "v.resumed_us", "coalesce(v.proven_us, v.resumed_us)"])}
    WHEN {ASSUMED} THEN
      CASE WHEN v.proven_us IS NULL THEN {doubted} ELSE {say.earliest(["v.end_us", "v.resumed_us"])} END
    WHEN {STILL} THEN v.end_us
    ELSE {say.earliest(["v.end_us", "v.gap_us"])} END"""
    is_proven = f"(v.part = {ASSUMED} AND v.proven_us IS NOT NULL)"
    certain = f"""CASE WHEN v.state IS NULL THEN NULL WHEN v.heard_by IS NULL THEN 0
    WHEN v.part = {AGAIN} OR {is_proven} OR (v.part = {FROM_WORD} AND v.gap_us > v.begin_us) THEN 1 ELSE 0 END"""
    watched = f"""CASE WHEN v.heard_by IS NULL THEN NULL WHEN v.part IN ({UNWATCHED}, {STILL}) OR {is_proven}
      OR (v.part = {FROM_WORD} AND v.gap_us <= v.begin_us) THEN 0 ELSE 1 END"""
    return f"""
SELECT x.uri AS uri, x.type AS type,
  {listed(names("x.resource_id", "x.begin_us"))},
  x.state AS state, {kind_of(say, "x.state", "x.type")} AS kind,
  {say.instant("x.since_us")} AS since, {say.instant("x.until_us")} AS until,
  {seconds("x.since_us", "x.until_us")} AS seconds, x.certain AS certain, x.watched AS watched,
  CASE WHEN x.until_us = x.end_us THEN x.is_last ELSE 0 END AS holds,
  x.told_at AS state_since,
  x.since_us AS since_us, x.until_us AS until_us,
  {say.micros("x.told_at")} AS state_since_us,
  {PLATFORM.format("x")} AS platform
FROM (SELECT v.*, {since} AS since_us, {until} AS until_us, {certain} AS certain, {watched} AS watched
FROM (SELECT w.*, {listed(found.columns)}
FROM ({said(say, (*told, silent), ", w.told_at AS told_at")}) w
{found.joins}
WHERE {found.where}) v) x
WHERE (x.since_us < x.until_us AND x.is_piece = 1) OR (x.part = {FROM_WORD} AND x.begin_us = x.end_us)
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
        "certain": "1: somebody was watching since the state was told, or it is proven; 0: known from before a gap;"
        " NULL: nothing known",
        "watched": "1: somebody was watching; 0: nobody; NULL: nobody wrote that down (imported)",
        "holds": "1: it still is so; 0: it was",
        "state_since": "When the state began, UTC: what to give a range of time",
        "since_us": "From when on, in microseconds since 1970",
        "until_us": "Until when, in microseconds since 1970",
        "state_since_us": "When the state began, in microseconds since 1970",
        "platform": PLATFORM_SAID,
    },
    _watched_spans,
)

"""The view of flaps: stretches in which a resource changed its state again and again."""

from __future__ import annotations

from archiver.storage.causes import FLAP, FLAPS_WITHIN
from archiver.storage.views.events import PLATFORM, PLATFORM_SAID
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.places import NAMES, PLACES, listed, place_then
from archiver.storage.views.states import before
from archiver.storage.views.unchanged import doubts
from archiver.storage.views.view import View, seconds
from archiver.storage.views.words import SOURCES
from archiver.storage.words import OPEN


def _state_changes(say: Idioms) -> str:
    def rows(source: str) -> str:
        return f"""
SELECT w.platform_id AS platform_id, w.resource_id AS resource_id, w.at AS at, w.source AS source, w.id AS id
FROM {source} w
WHERE w.state_id IS NOT NULL
  AND coalesce({before()} <> (SELECT lower(b.text) FROM event_states b WHERE b.id = w.state_id), true)
"""

    return say.either(rows, SOURCES)


state_changes = View(
    "state_changes",
    "Every word that says another state than the one before, or the first",
    {
        "platform_id": "Number of the platform that it is on",
        "resource_id": "Number of the resource",
        "at": "When it was told or found, UTC",
        "source": "0: an event; 1: an observation",
        "id": "Number of the event, or of the observation",
    },
    _state_changes,
    is_part=True,
)


def _changes(of: str, where: str, what: str = "1") -> str:
    """Changes c of the resource of another row."""
    mine = f"c.platform_id = {of}.platform_id AND c.resource_id = {of}.resource_id"
    return f"(SELECT {what} FROM state_changes c WHERE {mine} AND {where})"


def _beside(say: Idioms, at: str, micros: str) -> str:
    return say.instant(f"({say.micros(at)} {micros})")


def _dense(say: Idioms, of: str) -> str:
    """That enough changes are within the window that begins then."""
    within = f"c.at >= {of}.at AND c.at <= {_beside(say, f'{of}.at', f'+ {FLAPS_WITHIN}')} LIMIT {FLAP}"
    return f"(SELECT sum(c.one) FROM {_changes(of, within, '1 AS one')} c) = {FLAP}"


def _says_enough(say: Idioms) -> str:
    """That w and what follows within the window are as many words: it is seen at once, and of most they are not."""

    def said(table: str, at: str) -> str:
        return f"""SELECT 1 AS one FROM {table} o WHERE o.platform_id = w.platform_id
        AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.{at} >= w.at AND o.{at} <= {_beside(say, "w.at", f"+ {FLAPS_WITHIN}")}"""

    words = f"{said('events', 'occurred_at')} UNION ALL {said('observations', 'observed_at')}"
    return f"(SELECT sum(o.one) FROM ({words} LIMIT {FLAP}) o) = {FLAP}"


def _begins(say: Idioms, of: str) -> str:
    """That there was none in the ten minutes before."""
    within = f"c.at < {of}.at AND c.at > {_beside(say, f'{of}.at', f'- {FLAPS_WITHIN}')} LIMIT 1"
    return f"{_changes(of, within)} IS NULL"


def _ends(say: Idioms, of: str) -> str:
    """That there is none in the ten minutes behind."""
    within = f"c.at > {of}.at AND c.at < {_beside(say, f'{of}.at', f'+ {FLAPS_WITHIN}')} LIMIT 1"
    return f"{_changes(of, within)} IS NULL"


def _of_w(what: str, where: str) -> str:
    """Changes b of the resource of w."""
    mine = "b.platform_id = w.platform_id AND b.resource_id = w.resource_id"
    return f"(SELECT {what} FROM state_changes b WHERE {mine} AND {where} LIMIT 1)"


def _is_first(say: Idioms) -> str:
    """That with w, which has enough behind it, a flap begins: nothing before it in its run has."""
    # One change stands for all of its instant.
    at_once = "c.at >= w.at AND c.at <= w.at AND (c.source < w.source OR (c.source = w.source AND c.id < w.id)) LIMIT 1"
    just_before = f"b.at < w.at AND b.at > {_beside(say, 'w.at', f'- {FLAPS_WITHIN}')} AND {_dense(say, 'b')}"
    either = f"b.at < w.at AND ({_begins(say, 'b')} OR {_dense(say, 'b')}) ORDER BY b.at DESC"
    back = _of_w(f"b.at AS at, CASE WHEN {_dense(say, 'b')} THEN 1 ELSE 0 END AS dense", either)
    return f"""{_dense(say, "w")} AND {_changes("w", at_once)} IS NULL AND {_of_w("1", just_before)} IS NULL
      AND ({_begins(say, "w")} OR (SELECT c.dense FROM {back} c LIMIT 1) = 0)"""


def _end(say: Idioms) -> str:
    """When the run of w ends: first among the events, so that of the observations no more is looked at than before."""
    ends = f"b.at >= w.at AND {_ends(say, 'b')}"
    told = _of_w("b.at AS at", f"b.source = 0 AND {ends} ORDER BY b.at")
    found = _of_w("b.at AS at", f"b.at <= coalesce({told}, {say.never}) AND {ends} ORDER BY b.at")
    return f"(SELECT {say.micros('c.at')} FROM {found} c LIMIT 1)"


def _names() -> dict[str, str]:
    """Name and place as the view `inventory` has them."""

    def word(column: str) -> str:
        return f"""(SELECT b.text FROM present p JOIN texts b ON b.id = p.{column}
    WHERE p.platform_id = w.platform_id AND p.resource_id = w.resource_id)"""

    places = {name: place_then(name, "w.resource_id", str(OPEN)) for name in PLACES}
    words = {name: word(f"{name}_id") for name in ("name", "slot", "image")}
    return {name: (places | words)[name] for name in NAMES}


def _flaps(say: Idioms) -> str:
    ended = say.instant("w.until_us")
    # With a LIMIT: SQLite brings no filter through a sum to the tables below.
    changes = _changes("w", f"c.at >= w.at AND c.at <= {ended} LIMIT {OPEN}", "1 AS one")
    heard = """(SELECT o.session_id FROM events o WHERE o.platform_id = w.platform_id
    AND o.resource_id = w.resource_id AND o.occurred_at = w.at ORDER BY o.session_id LIMIT 1)"""
    gap = f"""EXISTS (SELECT 1 FROM sessions h JOIN sessions q ON q.stream_id = h.stream_id
    WHERE h.id = {heard} AND q.covered_from > w.at AND q.covered_from <= {ended}
      AND {doubts("q", "w.resource_id")})"""
    # It names something of each table: else PostgreSQL, to which it is dear, weighs no join behind it.
    is_first = f"""w.uri <> '' AND w.type <> 'action' AND {_says_enough(say)}
      AND coalesce({before()} <> lower(s.text), true) AND {_is_first(say)}"""
    found = say.once({"until_us": f"CASE WHEN {is_first} THEN {_end(say)} END"})
    return f"""
SELECT w.uri AS uri, w.type AS type,
  {listed(_names())},
  w.at AS since, {ended} AS until, {seconds("w.since_us", "w.until_us")} AS seconds,
  CAST((SELECT sum(c.one) FROM {changes} c) AS bigint) AS changes,
  CASE WHEN {heard} IS NULL THEN NULL WHEN {gap} THEN 0 ELSE 1 END AS certain,
  w.since_us AS since_us, w.until_us AS until_us, {PLATFORM.format("w")} AS platform
FROM (SELECT w.*, {say.micros("w.at")} AS since_us, {listed(found.columns)}
FROM words w
JOIN event_states s ON s.id = w.state_id
{found.joins}
WHERE {found.where}) w
WHERE w.until_us IS NOT NULL
"""


flaps = View(
    "flaps",
    "When a resource changed its state at least six times within ten minutes, until ten quiet minutes",
    {
        "uri": "URI of the resource",
        "type": "Its type",
        **NAMES,
        "since": "The first of these changes, UTC",
        "until": "The last change before ten quiet minutes, or the last one known, UTC",
        "seconds": "How long",
        "changes": "How many changes of state",
        "certain": "1: watched throughout, or proven; 0: there may have been more; NULL: nobody wrote that down",
        "since_us": "The first of these changes, in microseconds since 1970",
        "until_us": "The last of them, in microseconds since 1970",
        "platform": PLATFORM_SAID,
    },
    _flaps,
)

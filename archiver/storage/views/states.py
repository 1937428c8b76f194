"""The views of states: every stretch of one state, and the state in which every object is."""

from __future__ import annotations

from archiver.storage.views.events import PLATFORM, PLATFORM_SAID, name_then
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.kinds import kind_of
from archiver.storage.views.view import View, seconds


def _last(table: str, at: str, source: int, earlier: str, which: str) -> str:
    """The last word of a table before a word: the last of the last instant, without sorting what lies before."""
    said = f"o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND {which}"
    return f"""SELECT b.{at} AS at, {source} AS source, b.state_id AS state_id FROM {table} b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.{at} AS at FROM {table} o WHERE {said} AND o.{at} <= w.at AND (o.{at} < w.at OR {earlier})
          ORDER BY o.{at} DESC LIMIT 1
        ) x CROSS JOIN {table} o WHERE {said} AND o.{at} >= x.at AND o.{at} <= x.at AND (o.{at} < w.at OR {earlier}))"""


def state_before(first: str = "(w.source = 1 AND o.id < w.id)", which: str = "o.state_id IS NOT NULL") -> str:
    """The number of the state in the word before: a span begins only where it is another, or where there is none.

    `first`: which observations of the very instant of the word come before it; `which`: which words are looked at.
    """
    return f"""(
    SELECT o.state_id FROM (
      {_last("events", "occurred_at", 0, "w.source >= 1 OR o.id < w.id", which)}
      UNION ALL
      {_last("observations", "observed_at", 1, first, which)}
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )"""


def before(first: str = "(w.source = 1 AND o.id < w.id)") -> str:
    """That state in lower case."""
    return f"(SELECT lower(b.text) FROM event_states b WHERE b.id = {state_before(first)})"


def joined_with_next(us: str, state_id: str = "w.state_id", state: str = "lower(s.text)") -> str:
    """The tables `events` and `observations`, joined as the words of each that end the span of a word at `us`."""
    told = _next("events", "occurred_at", "(w.source = 0 AND o.id > w.id)", us, state_id, state)
    found = _next("observations", "observed_at", "w.source = 0 OR o.id > w.id", us, state_id, state)
    return f"LEFT JOIN events ON {told}\nLEFT JOIN observations ON {found}"


def _next(table: str, at: str, later: str, us: str, state_id: str, state: str) -> str:
    """The first word of a table that ends the span of a word; of several at one instant, any.

    Behind the instant at which the present state began there is none, and nothing is looked for.
    """

    def first(where: str) -> str:
        return f"""(SELECT o.id FROM {table} o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND {where} AND o.state_id <> {state_id}
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> {state}
      ORDER BY o.{at} LIMIT 1)"""

    then = first(f"o.{at} >= w.at AND (o.{at} > w.at OR {later})")
    at_once = first(f"o.{at} >= w.at AND o.{at} <= w.at AND ({later})")
    mine = f"{table}.platform_id = w.platform_id AND {table}.id"
    return f"{mine} = CASE WHEN {us} < w.last_since_us THEN {then}\n    ELSE {at_once} END"


UNTIL = """CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END"""
"""When the words so joined end the span, the earlier of both; NULL: none does."""


def _state_spans(say: Idioms) -> str:
    since_us, until_us = say.micros("v.since"), say.micros("v.until")
    return f"""
SELECT v.uri AS uri, v.type AS type, v.state AS state, v.since AS since, v.until AS until,
  {seconds(since_us, until_us)} AS seconds, v.source AS source,
  {since_us} AS since_us, {until_us} AS until_us, {name_then("v.resource_id", since_us)} AS name,
  {PLATFORM.format("v")} AS platform
FROM (
SELECT w.uri AS uri, w.type AS type, s.text AS state, w.at AS since, {UNTIL} AS until,
  CASE WHEN w.source = 0 THEN 'event' ELSE 'observation' END AS source,
  w.resource_id AS resource_id, w.platform_id AS platform_id
FROM words w
JOIN event_states s ON s.id = w.state_id
{joined_with_next(say.micros("w.at"))}
WHERE coalesce({before()} <> lower(s.text), true)
) v
"""


state_spans = View(
    "state_spans",
    "The state timeline of every resource: one row per state and stretch of time",
    {
        "uri": "URI of the resource",
        "type": "Its type",
        "state": "The state, as first told",
        "since": "From when on, UTC",
        "until": "Until when, UTC; NULL: still so",
        "seconds": "How long; NULL: still so",
        "source": "event, or observation when the state was learnt by asking",
        "since_us": "From when on, in microseconds since 1970",
        "until_us": "Until when, in microseconds since 1970; NULL: still so",
        "name": "What the resource was called when it began",
        "platform": PLATFORM_SAID,
    },
    _state_spans,
)


_TEXT = "(SELECT b.text FROM texts b WHERE b.id = p.{})"
_NAME, _IMAGE, _SLOT = map(_TEXT.format, ("name_id", "image_id", "slot_id"))


def _current_states(say: Idioms) -> str:
    return f"""
SELECT r.uri AS uri, t.text AS type, {_NAME} AS name, s.text AS state, {say.instant("p.state_at")} AS seen_at,
  CASE WHEN p.state_source = 0 THEN 'event' ELSE 'observation' END AS source,
  {say.instant("p.state_since")} AS since, {say.instant("p.gone_at")} AS gone_at,
  {say.instant("p.first_at")} AS first_at,
  p.state_at AS seen_us, p.state_since AS since_us, p.gone_at AS gone_us, p.first_at AS first_us,
  {_IMAGE} AS image, {_SLOT} AS slot, {PLATFORM.format("r")} AS platform,
  {kind_of(say, "s.text", "t.text")} AS kind
FROM present p
JOIN resources r ON r.platform_id = p.platform_id AND r.id = p.resource_id
JOIN event_types t ON t.id = p.type_id{say.fewer("p.resource_id", 3)}
JOIN event_states s ON s.id = p.state_id
"""


current_states = View(
    "current_states",
    "The last known state of every resource",
    {
        "uri": "URI of the resource",
        "type": "Its type",
        "name": "Its name, where known",
        "state": "The last state known",
        "seen_at": "When that was last told or found, UTC",
        "source": "event, or observation when the state was learnt by asking",
        "since": "Since when it is in that state, UTC",
        "gone_at": "Since when it is no more, UTC; NULL: it lives",
        "first_at": "When it was first heard of, UTC",
        "seen_us": "When its state was last told or found, in microseconds since 1970",
        "since_us": "Since when it is in that state, in microseconds since 1970",
        "gone_us": "Since when it is no more, in microseconds since 1970; NULL: it lives",
        "first_us": "When it was first heard of, in microseconds since 1970",
        "image": "The last image known, as the platform writes it",
        "slot": "The slot that it fills, or filled last: what lives on when a container is replaced",
        "platform": PLATFORM_SAID,
        "kind": "up, down, starting or gone, as `state_kinds` says; NULL: it says nothing of that state",
    },
    _current_states,
)

"""The view of deploys: a service or a stack that is updated or redeployed, until it is settled again."""

from __future__ import annotations

from archiver.storage.schema import IMAGE, OPEN, TARGET
from archiver.storage.views.events import PLATFORM, PLATFORM_SAID
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.kinds import kind_of
from archiver.storage.views.places import NAMES, listed, names, word_then
from archiver.storage.views.sessions import reached
from archiver.storage.views.states import UNTIL, before, joined_with_next
from archiver.storage.views.unchanged import doubts
from archiver.storage.views.view import View, seconds

_DEPLOYING = ("updating", "redeploying")
_RECOVERED = ("running", "completed", "rollback_completed")
_UNDONE = ("paused", "partly running")
"""States of the kind `up` in which a deploy has failed all the same."""
_BESIDE = 15_000_000
"""An action so close to its beginning is what began it."""

_COLUMNS = ("name", "stack", "service", "node")


def _any(words: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


def _first_after(say: Idioms, at: str, which: str) -> str:
    """When a resource was first in such a state at an instant or later, in microseconds; OPEN: not as far as known."""

    def first(table: str, column: str) -> str:
        return f"""coalesce((SELECT {say.micros(f"o.{column}")} FROM {table} o JOIN event_states b ON b.id = o.state_id
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.{column} >= {at} AND {which}
      ORDER BY o.{column} LIMIT 1), {OPEN})"""

    return say.earliest([first("events", "occurred_at"), first("observations", "observed_at")])


def _deploys(say: Idioms) -> str:
    begun = say.micros("w.at")
    after = """CASE WHEN observations.observed_at < events.occurred_at THEN observations.state_id
    ELSE coalesce(events.state_id, observations.state_id) END"""
    back = "substr(lower(n.text), 1, 8) = 'rollback'"
    settled = _first_after(say, UNTIL, "lower(b.text) <> 'rollback_started'")
    end = f"CASE WHEN n.text IS NULL THEN {OPEN} WHEN {back} THEN {settled} ELSE {say.micros(UNTIL)} END"
    certain = f"""CASE WHEN h.id IS NULL THEN NULL WHEN (n.text IS NULL AND {reached("h.stream_id")} < {say.now})
    OR EXISTS (SELECT 1 FROM sessions q WHERE q.stream_id = h.stream_id AND q.covered_from > w.at
      AND q.covered_from <= coalesce({UNTIL}, {say.never}) AND {doubts("q", "w.resource_id")}) THEN 0 ELSE 1 END"""
    found = say.apart(
        {
            "begun_us": begun,
            "end_us": end,
            "recovered_us": _first_after(say, "w.at", f"lower(b.text) IN {_any(_RECOVERED)}"),
            "became": "lower(n.text)",
            "certain": certain,
        },
        f"""LEFT JOIN event_states s ON s.id = w.state_id
{joined_with_next(begun)}
LEFT JOIN event_states n ON n.id = {after}
LEFT JOIN sessions h ON h.id = w.session_id""",
        f"lower(s.text) IN {_any(_DEPLOYING)} AND coalesce({before()} <> lower(s.text), true)",
    )

    finished = f"CASE WHEN v.end_us < {OPEN} THEN v.end_us END"
    recovered = f"CASE WHEN v.recovered_us < {OPEN} THEN v.recovered_us END"
    began = names("v.resource_id", "v.begun_us")
    result = f"""CASE WHEN v.end_us = {OPEN} THEN 'open' WHEN substr(v.became, 1, 8) = 'rollback' THEN 'rolled back'
    WHEN v.became NOT IN {_any(_UNDONE)} AND {kind_of(say, "v.became", "v.type")} = 'up' THEN 'ok' ELSE 'failed' END"""
    # By time, of which there are few: the index by what they apply to has all of the service's past.
    action = f"""(SELECT a.uri FROM facts f JOIN resources a ON a.platform_id = f.platform_id AND a.id = f.resource_id
    WHERE {say.likely("f.platform_id = v.platform_id", 0.9)} AND f.what = {TARGET}
      AND f.since >= v.begun_us - {_BESIDE} AND f.since <= v.begun_us + {_BESIDE}
      AND f.value + 0 = v.resource_id ORDER BY f.since DESC LIMIT 1)"""
    return f"""
SELECT v.uri AS uri, v.type AS type,
  {listed({name: began[name] for name in _COLUMNS})},
  {action} AS action, v.at AS started_at, {say.instant(finished)} AS finished_at,
  {seconds("v.begun_us", finished)} AS seconds, {result} AS result,
  {word_then(IMAGE, "v.resource_id", "(v.begun_us - 1)")} AS image_before,
  {word_then(IMAGE, "v.resource_id", "v.end_us")} AS image_after,
  {seconds("v.begun_us", recovered)} AS recovered_seconds,
  v.certain AS certain,
  {say.micros("v.at")} AS started_us, {finished} AS finished_us, {PLATFORM.format("v")} AS platform
FROM (SELECT w.*, {listed(found.columns)}
FROM words w
{found.joins}
WHERE {found.where} AND w.type IN ('service', 'stack')) v
"""


deploys = View(
    "deploys",
    "Every update or redeploy of a service or a stack, until it was settled again",
    {
        "uri": "URI of the service or stack",
        "type": "Its type",
        **{name: NAMES[name] for name in _COLUMNS},
        "action": "URI of the action that began it, where one is known",
        "started_at": "When it began, UTC",
        "finished_at": "When it was settled, or rolled back to the end, UTC; NULL: not as far as known",
        "seconds": "How long it took; NULL: not as far as known",
        "result": "ok, failed, rolled back or open",
        "image_before": "The image before, where known",
        "image_after": "The image at its end, where known",
        "recovered_seconds": "How long until the service or stack ran again, whatever became of the deploy",
        "certain": "1: somebody was watching throughout; 0: not; NULL: nobody wrote down whether anybody was",
        "started_us": "When it began, in microseconds since 1970",
        "finished_us": "When it was settled, in microseconds since 1970; NULL: not as far as known",
        "platform": PLATFORM_SAID,
    },
    _deploys,
)

"""The view of actions: what ran, on what, from when until when."""

from __future__ import annotations

from archiver.storage.views.events import PLATFORM, PLATFORM_SAID, name_now
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.view import View, seconds
from archiver.storage.words import OPEN, TARGET

_FINISHED = f"CASE WHEN f.until < {OPEN} THEN f.until END"


_STATE = (
    "(SELECT b.text FROM present p JOIN event_states b ON b.id = p.state_id"
    " WHERE p.platform_id = f.platform_id AND p.resource_id = f.resource_id)"
)
_SEEN = "(SELECT p.state_at FROM present p WHERE p.platform_id = f.platform_id AND p.resource_id = f.resource_id)"


_BEGINNINGS = (
    "SELECT platform_id, resource_id, occurred_at AS at, 0 AS source, id FROM events",
    "SELECT platform_id, resource_id, observed_at AS at, 1 AS source, id FROM observations",
)
_HERE = "b.platform_id = e.platform_id AND b.resource_id = e.resource_id AND b.{} = e.at"
_EVENTS = f"FROM events b WHERE {_HERE.format('occurred_at')}"
_FOUND = f"FROM observations b WHERE {_HERE.format('observed_at')}"
# Of an action's words at its first instant, the first: so a range of the text is looked up in the index of events, or
# of observations.
_FIRST = f"""e.id = CASE e.source WHEN 0 THEN (SELECT min(b.id) {_EVENTS}) ELSE (SELECT min(b.id) {_FOUND}) END
  AND (e.source = 0 OR NOT EXISTS (SELECT 1 {_EVENTS}))"""


def _action_log(say: Idioms) -> str:
    def begun(source: str) -> str:
        return f"""
SELECT r.uri AS action, {name_now("f.resource_id")} AS name, o.uri AS target,
  {_STATE} AS state, e.at AS started_at,
  {say.instant(_FINISHED)} AS finished_at, {seconds("f.since", _FINISHED)} AS seconds,
  f.since AS started_us, {_FINISHED} AS finished_us, {_SEEN} AS seen_us,
  {PLATFORM.format("r")} AS platform
FROM facts f
JOIN {source} e ON e.platform_id = f.platform_id AND e.resource_id = f.resource_id
  AND {say.micros("e.at")} = f.since AND {_FIRST}
JOIN resources r ON r.platform_id = f.platform_id AND r.id = f.resource_id
LEFT JOIN resources o ON {say.likely("o.id = f.value", 0.00001)}
  AND {say.likely("o.platform_id = f.platform_id", 0.9)}
WHERE {say.likely(f"f.what = {TARGET}", 0.5)}
"""

    return say.either(begun, _BEGINNINGS)


action_log = View(
    "action_log",
    "Every action that ran on the platform",
    {
        "action": "URI of the action",
        "name": "What it does, where known",
        "target": "URI of the object it applies to",
        "state": "Its last state",
        "started_at": "When it was first heard of, UTC",
        "finished_at": "When it ended, UTC; NULL: not as far as known",
        "seconds": "How long it took",
        "started_us": "When it was first heard of, in microseconds since 1970",
        "finished_us": "When it ended, in microseconds since 1970; NULL: not as far as known",
        "seen_us": "When its last state was told, in microseconds since 1970",
        "platform": PLATFORM_SAID,
    },
    _action_log,
)

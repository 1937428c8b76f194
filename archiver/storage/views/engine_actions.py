"""The view of what engines told of their own commands: kill, stop, restart, with what is known of the signal."""

from __future__ import annotations

from archiver.platforms import facts
from archiver.storage.views.causes import is_engines, says, says_signal
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.view import View
from archiver.storage.words import TARGET

_EXTRA = "(SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1)"
_TELLS_ONE = says(_EXTRA, repr(facts.SIGNAL))


def _engine_actions(say: Idioms) -> str:
    deadly = " OR ".join(says_signal(_EXTRA, repr(signal)) for signal in sorted(facts.DEADLY))
    return f"""
SELECT a.uri AS uri, n.text AS name, d.value AS target_id, d.node AS since_us, {_EXTRA} AS extra,
  CASE WHEN {_TELLS_ONE} AND NOT ({deadly}) THEN 0 ELSE 1 END AS deadly,
  CASE WHEN {_TELLS_ONE} AND NOT {says_signal(_EXTRA, "'9'")} THEN 1 ELSE 0 END AS soft,
  d.platform_id AS platform_id
FROM facts d
JOIN resources a ON a.platform_id = d.platform_id AND a.id = d.resource_id
JOIN present q ON q.platform_id = d.platform_id AND q.resource_id = d.resource_id
JOIN texts n ON n.id = q.name_id
WHERE {say.likely(f"d.what = {TARGET}", 0.5)} AND d.since = d.node AND {is_engines("a.uri")}
"""


engine_actions = View(
    "engine_actions",
    "What engines told of commands that were carried out at once: kill, stop, restart and others, with the signal",
    {
        "uri": "URI of the action",
        "name": "What was done: kill, stop, restart ...",
        "target_id": "Number of the resource it was done to",
        "since_us": "When, in microseconds since 1970",
        "extra": "JSON object of what its first event alone says, the signal among it",
        "deadly": "1: it names no signal, or one that ends a process; 0: another signal",
        "soft": "1: it names a signal that a process may refuse; 0: none, or signal 9",
        "platform_id": "Number of the platform that it was done on",
    },
    _engine_actions,
    is_part=True,
)


def _index_levels(_say: Idioms) -> str:
    return " UNION ALL ".join(f"SELECT {n} AS n" for n in range(63))


index_levels = View(
    "index_levels",
    "The numbers 0 to 62: the levels of the index of what held when",
    {"n": "The number"},
    _index_levels,
    is_part=True,
)

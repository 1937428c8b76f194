"""The view of words: what was told or found of each resource, events and observations in one list."""

from __future__ import annotations

from collections.abc import Sequence

from archiver.storage.views.idioms import Idioms
from archiver.storage.views.view import View

OF_A_TYPE, NEARLY_ALL = 0.05, 0.9
# Of so many it is better to take a range of time, where there is one.

SOURCES = (
    "SELECT platform_id, resource_id, occurred_at AS at, 0 AS source, id, state_id, session_id FROM events",
    "SELECT platform_id, resource_id, observed_at AS at, 1 AS source, id, state_id, session_id FROM observations",
)


def said(say: Idioms, sources: Sequence[str] = SOURCES, more: str = "") -> str:
    """The rows of some sources, as SELECT, each with its resource and what is kept of that."""

    def rows(source: str) -> str:
        return f"""
SELECT r.uri AS uri, t.text AS type, w.at AS at, w.source AS source, w.id AS id, w.resource_id AS resource_id,
  w.state_id AS state_id, w.session_id AS session_id, p.type_id AS type_id, p.state_since AS last_since_us,
  p.gone_at AS gone_us, w.platform_id AS platform_id{more}
FROM {source} w
JOIN resources r ON r.id = w.resource_id AND {say.likely("r.platform_id = w.platform_id", NEARLY_ALL)}
JOIN present p ON p.resource_id = w.resource_id AND {say.likely("p.platform_id = w.platform_id", NEARLY_ALL)}
JOIN event_types t ON {say.likely("t.id = p.type_id", OF_A_TYPE)}{say.fewer("w.id", 2)}
"""

    return say.either(rows, sources)


words = View(
    "words",
    "What was told and found of each resource, one after the other: events and observations",
    {
        "uri": "URI of the resource",
        "type": "Its type",
        "at": "When it was told or found, UTC",
        "source": "0: an event; 1: an observation, which of one instant counts as the later",
        "id": "Number of the event, or of the observation",
        "resource_id": "Number of the resource",
        "state_id": "Number of the state that it says; NULL: it says none",
        "session_id": "Number of the session that heard it; NULL: imported",
        "type_id": "Number of the type",
        "last_since_us": "Since when the resource is in its last state, in microseconds since 1970",
        "gone_us": "Since when it is no more, in microseconds since 1970; NULL: it lives",
        "platform_id": "Number of the platform that it is on",
    },
    said,
    is_part=True,
)

"""The views of what was told: every event, and the parents that each names."""

from __future__ import annotations

from archiver.storage.views.idioms import Idioms
from archiver.storage.views.view import View, platform_of
from archiver.storage.whole import whole_extra
from archiver.storage.words import NAME, TIME_SOURCES

_TIME_SOURCE = " ".join(f"WHEN {number} THEN '{text}'" for number, text in enumerate(TIME_SOURCES))


# What is only shown is looked up where it is shown: PostgreSQL weighs the order of no more than eight tables, those of
# the other views that are joined included.
_STREAM = "(SELECT b.url FROM sessions o JOIN streams b ON b.id = o.stream_id WHERE o.id = e.session_id)"
_ACTION = "(SELECT b.text FROM event_actions b WHERE b.id = e.action_id)"

PLATFORM = "(SELECT b.name FROM platforms b WHERE b.id = {}.platform_id)"
"""What the platform of a resource is called."""
PLATFORM_SAID = "Name of the platform that it is on"


def name_now(resource: str) -> str:
    """The last name known of a resource."""
    return f"""(SELECT b.text FROM present o JOIN texts b ON b.id = o.name_id
   WHERE o.platform_id = {platform_of(resource)} AND o.resource_id = {resource})"""


def name_then(resource: str, micros: str) -> str:
    """What a resource was called at an instant."""
    return f"""(SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
   WHERE f.platform_id = {platform_of(resource)} AND f.resource_id = {resource} AND f.what = {NAME}
     AND f.since <= {micros} AND f.until > {micros})"""


def _event_log(say: Idioms) -> str:
    return f"""
SELECT e.id AS id, {_STREAM} AS stream, t.text AS type, {_ACTION} AS action, s.text AS state, r.uri AS uri,
  {name_now("e.resource_id")} AS name,
  e.occurred_at AS occurred_at, {say.instant("e.received_at")} AS received_at, {say.uuid("e.uuid")} AS uuid,
  {whole_extra("e")} AS extra, {say.micros("e.occurred_at")} AS occurred_us, e.received_at AS received_us,
  CASE e.time_source {_TIME_SOURCE} END AS time_source,
  {name_then("e.resource_id", say.micros("e.occurred_at"))} AS name_then, {PLATFORM.format("e")} AS platform
FROM events e
JOIN event_types t ON t.id = e.type_id{say.fewer("e.id", 2)}
LEFT JOIN event_states s ON s.id = e.state_id
LEFT JOIN resources r ON r.id = e.resource_id AND {say.likely("r.platform_id = e.platform_id", 0.9)}
"""


event_log = View(
    "event_log",
    "Every event, all texts joined in",
    {
        "id": "Number of the event, in the order of archiving",
        "stream": "The stream it came from; NULL when imported without a session",
        "type": "Type of the event",
        "action": "create, update, delete ...",
        "state": "The state the object is in from now on",
        "uri": "URI of the object it tells about",
        "name": "Name of that object, the last known",
        "occurred_at": "When it happened, UTC",
        "received_at": "When it was received, UTC",
        "uuid": "The platform's own identifier of the event",
        "extra": "JSON object of everything else the event says",
        "occurred_us": "When it happened, in microseconds since 1970",
        "received_us": "When it was received, in microseconds since 1970",
        "time_source": "Where occurred_at is from: the event's datetime or date, when it was received, or told anew,"
        " or the clock of an engine, put right",
        "name_then": "What the object was called when it happened",
        "platform": "Name of the platform that it happened in",
    },
    _event_log,
)


def _event_parents(_say: Idioms) -> str:
    return f"""
SELECT e.id AS event_id, m.position AS position, m.resource_id AS resource_id, r.uri AS uri,
  {PLATFORM.format("r")} AS platform
FROM events e
JOIN parent_list_members m ON m.platform_id = e.platform_id AND m.list_id = e.parent_list_id
JOIN resources r ON r.platform_id = m.platform_id AND r.id = m.resource_id
"""


event_parents = View(
    "event_parents",
    "The parents that each event names, in its order",
    {
        "event_id": "The event",
        "position": "Place in the event's list, from 0",
        "resource_id": "Number of the parent",
        "uri": "URI of the parent",
        "platform": PLATFORM_SAID,
    },
    _event_parents,
)

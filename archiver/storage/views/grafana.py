"""The views in the shapes that Grafana reads: annotations, and a state timeline."""

from __future__ import annotations

from archiver.codec.notes import NOTE
from archiver.storage.views.events import PLATFORM
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.view import View

_NAME = "(SELECT i.{} FROM inventory i WHERE i.uri = a.target AND i.platform = a.platform)"


def _annotations(say: Idioms) -> str:
    at_us = say.micros("e.occurred_at")
    place = """SELECT m.resource_id FROM parent_list_members m
      WHERE m.platform_id = e.platform_id AND m.list_id = e.parent_list_id LIMIT 1"""
    of = f"""(SELECT i.{{}} FROM resources r JOIN inventory i ON i.uri = r.uri AND i.platform = {PLATFORM.format("r")}
    WHERE r.platform_id = e.platform_id AND r.id = ({place}))"""
    stack = _NAME.format("stack")
    # The CAST: SQLite takes a UNION apart, so that a join finds its way into each part, where the types are the same.
    return f"""
SELECT a.started_us / 1000 AS time, a.finished_us / 1000 AS timeend,
  coalesce(a.name, 'action') || ' ' || coalesce({_NAME.format("name")}, a.target, '') AS text,
  'action' || CASE WHEN a.state IS NULL THEN '' ELSE ',' || lower(a.state) END
    || CASE WHEN {stack} IS NULL THEN '' ELSE ',' || {stack} END AS tags,
  a.target AS uri, a.started_at AS started_at, a.started_us AS started_us
FROM action_log a
UNION ALL
SELECT {at_us} / 1000 AS time, {at_us} / 1000 AS timeend,
  'note: ' || coalesce((SELECT n.text FROM texts n WHERE n.id = e.name_id), '') AS text,
  'note' || CASE WHEN {of.format("stack")} IS NULL THEN '' ELSE ',' || {of.format("stack")} END AS tags,
  (SELECT r.uri FROM resources r WHERE r.platform_id = e.platform_id AND r.id = ({place})) AS uri,
  e.occurred_at AS started_at, CAST({at_us} AS bigint) AS started_us
FROM events e
WHERE e.resource_id = 0 AND e.type_id = (SELECT t.id FROM event_types t WHERE t.text = '{NOTE}')
"""


grafana_annotations = View(
    "grafana_annotations",
    "Every action, and every note, as an annotation of Grafana",
    {
        "time": "When it began, in milliseconds since 1970",
        "timeend": "When it ended, in milliseconds since 1970; NULL: not as far as known",
        "text": "What was done, and to what; or what was noted",
        "tags": "action and its last state, or note; and the stack, with commas between",
        "uri": "URI of what it applies to",
        "started_at": "When it began, UTC: what to give a range of time",
        "started_us": "When it began, in microseconds since 1970",
    },
    _annotations,
)


def _state_timeline(_say: Idioms) -> str:
    return """
SELECT v.since_us / 1000 AS time, v.until_us / 1000 AS timeend, coalesce(v.name, v.uri) AS metric,
  CASE WHEN v.certain = 1 THEN v.state WHEN v.watched = 0 THEN NULL ELSE v.state || ' ?' END AS state, v.kind AS kind,
  v.uri AS uri, v.type AS type, v.stack AS stack, v.service AS service, v.node AS node, v.state_since AS state_since
FROM watched_spans v
WHERE v.until_us > v.since_us
"""


grafana_state_timeline = View(
    "grafana_state_timeline",
    "The states of every resource for Grafana's state timeline; where nobody was watching, none, unless it is proven",
    {
        "time": "From when on, in milliseconds since 1970",
        "timeend": "Until when, in milliseconds since 1970",
        "metric": "Name of the resource, or its URI where it has none: a row of the picture",
        "state": "The state; with a question mark where it is assumed; NULL: nobody was watching, nothing is proven",
        "kind": "up, down, starting or gone: what to colour by",
        "uri": "URI of the resource",
        "type": "Its type",
        "stack": "Name of the stack it was in",
        "service": "Name of the service it was of",
        "node": "Name of the node it was on",
        "state_since": "When the state began, UTC",
    },
    _state_timeline,
)

"""The published interface for plain SQL: six views, the same on both databases, each column described once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from archiver.platforms.tutum.facts import UNSETTLED


class Idioms(NamedTuple):
    """How one of the two databases says what has no common SQL; every value and answer is the text of an expression."""

    now: str
    ago: Callable[[int], str]
    """The instant so many seconds before now."""
    seconds: Callable[[str, str], str]
    """How many seconds lie between two instants."""


_IDIOMS = {
    "sqlite": Idioms(
        now="strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')",
        ago=lambda seconds: f"strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-{seconds} seconds')",
        seconds=lambda since, until: f"round((julianday({until}) - julianday({since})) * 86400.0, 3)",
    ),
    "postgresql": Idioms(
        now="now()",
        ago=lambda seconds: f"now() - interval '{seconds} seconds'",
        seconds=lambda since, until: f"round(extract(epoch FROM {until} - {since}), 3)::double precision",
    ),
}


@dataclass(frozen=True, slots=True)
class View:
    """One view: what its columns mean, and the function that writes its SELECT in a database's idioms."""

    name: str
    comment: str
    columns: dict[str, str]
    select: Callable[[Idioms], str]

    def create(self, database: str) -> list[str]:
        """The statements that create it on "sqlite" or "postgresql", comments included."""
        select = self.select(_IDIOMS[database]).strip()
        statements = [f"CREATE VIEW {self.name} ({', '.join(self.columns)}) AS\n{select}"]
        if database == "postgresql":
            statements.append(f"COMMENT ON VIEW {self.name} IS '{_quoted(self.comment)}'")
            statements += [
                f"COMMENT ON COLUMN {self.name}.{column} IS '{_quoted(text)}'" for column, text in self.columns.items()
            ]
        return statements


def _quoted(text: str) -> str:
    return text.replace("'", "''")


INTERRUPTED = "the archiver stopped without a word"
"""Why a session ended that nobody closed."""
SILENT = "no sign of life from the archiver"
"""Why nobody watches while a session is open: its receiver is dead, or cut off from the archive."""

# What a receiver that is alive never exceeds between two signs of life: a pong every ten seconds, and some slack.
SILENT_SECONDS = 20


def _event_log(_say: Idioms) -> str:
    return """
SELECT e.id, st.url, t.text, a.text, s.text, r.uri, r.name, e.occurred_at, e.received_at, e.uuid, e.extra
FROM events e
JOIN event_types t ON t.id = e.type_id
LEFT JOIN event_actions a ON a.id = e.action_id
LEFT JOIN event_states s ON s.id = e.state_id
LEFT JOIN resources r ON r.id = e.resource_id
LEFT JOIN sessions se ON se.id = e.session_id
LEFT JOIN streams st ON st.id = se.stream_id
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
        "name": "Name of that object, where known",
        "occurred_at": "When it happened, UTC",
        "received_at": "When it was received, UTC",
        "uuid": "The platform's own identifier of the event",
        "extra": "JSON object of everything else the event says",
    },
    _event_log,
)


# A filter on uri reaches the innermost selects only if every window is partitioned by it.
def _state_spans(say: Idioms) -> str:
    return f"""
SELECT uri, type, state, since, until, {say.seconds("since", "until")}, source
FROM (
  SELECT uri, type, state, since, source,
         lead(since) OVER (PARTITION BY uri ORDER BY since, rank, id) AS until
  FROM (
    SELECT uri, type, state, since, source, rank, id,
           lag(state) OVER (PARTITION BY uri ORDER BY since, rank, id) AS before
    FROM (
      SELECT r.uri AS uri, t.text AS type, s.text AS state, e.occurred_at AS since,
             'event' AS source, 0 AS rank, e.id AS id
      FROM resources r
      JOIN event_types t ON t.id = r.type_id
      JOIN events e ON e.resource_id = r.id
      JOIN event_states s ON s.id = e.state_id
      UNION ALL
      SELECT r.uri, t.text, s.text, o.observed_at, 'observation', 1, o.id
      FROM resources r
      JOIN event_types t ON t.id = r.type_id
      JOIN observations o ON o.resource_id = r.id
      JOIN event_states s ON s.id = o.state_id
    ) known
  ) changes
  WHERE before IS NULL OR before <> state
) spans
"""


state_spans = View(
    "state_spans",
    "The state timeline of every resource: one row per state and stretch of time",
    {
        "uri": "URI of the resource",
        "type": "Its type",
        "state": "The state",
        "since": "From when on, UTC",
        "until": "Until when, UTC; NULL: still so",
        "seconds": "How long; NULL: still so",
        "source": "event, or observation when the state was learnt by asking",
    },
    _state_spans,
)


def _last_event(column: str) -> str:
    return f"""SELECT e.{column} FROM events e
   WHERE e.resource_id = r.id AND e.state_id IS NOT NULL ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1"""


def _last_observation(column: str) -> str:
    return f"""SELECT o.{column} FROM observations o
   WHERE o.resource_id = r.id AND o.state_id IS NOT NULL ORDER BY o.observed_at DESC, o.id DESC LIMIT 1"""


def _current_states(_say: Idioms) -> str:
    return f"""
SELECT l.uri, t.text, l.name, s.text, l.seen_at, l.source
FROM (
  SELECT uri, type_id, name,
         CASE WHEN event_at IS NULL OR observed_at >= event_at THEN observed_state ELSE event_state END AS state_id,
         CASE WHEN event_at IS NULL OR observed_at >= event_at THEN observed_at ELSE event_at END AS seen_at,
         CASE WHEN event_at IS NULL OR observed_at >= event_at THEN 'observation' ELSE 'event' END AS source
  FROM (
    SELECT r.uri, r.type_id, r.name,
      ({_last_event("state_id")}) AS event_state,
      ({_last_event("occurred_at")}) AS event_at,
      ({_last_observation("state_id")}) AS observed_state,
      ({_last_observation("observed_at")}) AS observed_at
    FROM resources r
  ) b
) l
JOIN event_types t ON t.id = l.type_id
JOIN event_states s ON s.id = l.state_id
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
    },
    _current_states,
)


def _action_log(say: Idioms) -> str:
    return f"""
SELECT action, name, target, state, started_at, finished_at, {say.seconds("started_at", "finished_at")}
FROM (
  SELECT r.uri AS action, r.name AS name, p.uri AS target, s.text AS state, l.started_at AS started_at,
         CASE WHEN lower(s.text) IN ('{"', '".join(UNSETTLED)}') THEN NULL ELSE l.state_at END AS finished_at
  FROM (
    SELECT r.id AS id,
      (SELECT min(e.occurred_at) FROM events e WHERE e.resource_id = r.id) AS started_at,
      ({_last_event("state_id")}) AS state_id,
      ({_last_event("occurred_at")}) AS state_at
    FROM resources r
    WHERE r.type_id = (SELECT id FROM event_types WHERE text = 'action')
  ) l
  JOIN resources r ON r.id = l.id
  LEFT JOIN resources p ON p.id = r.target_id
  LEFT JOIN event_states s ON s.id = l.state_id
  WHERE l.started_at IS NOT NULL
) a
"""


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
    },
    _action_log,
)


def _subtree(_say: Idioms) -> str:
    return """
SELECT a.uri, d.uri, t.text, e.occurred_at
FROM resource_parents p
JOIN resources a ON a.id = p.parent_id
JOIN resources d ON d.id = p.child_id
JOIN event_types t ON t.id = d.type_id
LEFT JOIN events e ON e.id = p.first_event_id
"""


subtree = View(
    "subtree",
    "What is under what, over all levels",
    {
        "ancestor_uri": "URI of the resource above",
        "descendant_uri": "URI of the resource below",
        "descendant_type": "Type of the resource below",
        "since": "When the relation was first heard of, UTC; NULL: learnt by asking",
    },
    _subtree,
)


# Sessions that overlap or touch make an island of time that was watched; what lies behind one is a gap, with the
# reason of the session that reached farthest.
def _gap_log(say: Idioms) -> str:
    silent_since = say.ago(SILENT_SECONDS)
    return f"""
SELECT st.url, g.watched_to, g.next_from, {say.seconds("g.watched_to", "g.next_from")}, g.reason
FROM (
  SELECT stream_id, watched_to, alive, reason,
         lead(island_from) OVER (PARTITION BY stream_id ORDER BY island) AS next_from
  FROM (
    SELECT stream_id, island, watched_to, alive, reason,
           min(covered_from) OVER (PARTITION BY stream_id, island) AS island_from,
           row_number() OVER (PARTITION BY stream_id, island ORDER BY watched_to DESC, covered_from, id) AS place
    FROM (
      SELECT m.*, sum(starts) OVER (PARTITION BY stream_id ORDER BY covered_from, id) AS island
      FROM (
        SELECT w.*, CASE WHEN covered_from <= max(watched_to) OVER (
                      PARTITION BY stream_id ORDER BY covered_from, id
                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 0 ELSE 1 END AS starts
        FROM (
          SELECT s.id, s.stream_id, s.covered_from,
                 s.closed_at IS NULL AND s.last_seen_at > {silent_since} AS alive,
                 CASE WHEN s.closed_at IS NOT NULL THEN s.closed_at
                      WHEN s.last_seen_at > {silent_since} THEN {say.now}
                      ELSE s.last_seen_at END AS watched_to,
                 CASE WHEN s.closed_at IS NULL THEN '{SILENT}'
                      ELSE coalesce(s.reason, '{INTERRUPTED}') END AS reason
          FROM sessions s
        ) w
      ) m
    ) i
  ) e
  WHERE place = 1
) g
JOIN streams st ON st.id = g.stream_id
WHERE g.next_from IS NOT NULL OR NOT g.alive
"""


gap_log = View(
    "gap_log",
    "When nobody was watching a stream, and why",
    {
        "stream": "URL of the stream",
        "since": "From when on nobody was watching, UTC",
        "until": "Until when, UTC; NULL: still so",
        "seconds": "How long; NULL: still so",
        "reason": "Why the watching ended",
    },
    _gap_log,
)

VIEWS = (event_log, state_spans, current_states, action_log, subtree, gap_log)
"""All views, in an order in which they can be created."""

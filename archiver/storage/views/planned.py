"""When a resource was down since somebody wanted it so: beside an action, or while what it is of is deployed."""

from __future__ import annotations

from archiver.platforms.tutum.facts import LEAVING
from archiver.storage.schema import PARENT, TARGET
from archiver.storage.views.idioms import Idioms

BEFORE, AFTER = 60_000_000, 10_000_000
"""An action so long before something went down, or so soon after, is what did it: an engine tells of it behind it."""
STOPPING = (
    "kill",
    "stop",
    "restart",
    "update",
    "redeploy",
    "rollback",
    "scale",
    "upgrade",
    "terminate",
    "rm",
    "remove",
    "down",
    "drain",
)
"""The last word of the name of an action that may stop what it applies to. Of one without a name nobody knows."""
DEPLOYING = ("updating", "redeploying", "scaling", "rollback_started")
"""States of a service or stack during which what it is made of is stopped and started."""


def _texts(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _stops(name: str) -> str:
    ends = [f"substr(' ' || lower({name}), length({name}) - {len(word) - 1}) = ' {word}'" for word in STOPPING]
    return f"({name} IS NULL OR " + " OR ".join(ends) + ")"


def went_down(say: Idioms) -> str:
    """When the state that a word w of a resource p says had begun, its state being s; in microseconds."""

    def other(table: str, at: str) -> str:
        return f"""coalesce((SELECT o.{at} FROM {table} o JOIN event_states b ON b.id = o.state_id
        WHERE o.resource_id = p.resource_id AND o.{at} <= w.at AND lower(b.text) <> lower(s.text)
        ORDER BY o.{at} DESC LIMIT 1), {say.ever})"""

    told, found = other("events", "occurred_at"), other("observations", "observed_at")

    def first(table: str, at: str) -> str:
        return f"""coalesce((SELECT {say.micros(f"o.{at}")} FROM {table} o
        WHERE o.resource_id = p.resource_id AND o.state_id IS NOT NULL AND o.{at} >= {told} AND o.{at} >= {found}
          AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) = lower(s.text)
        ORDER BY o.{at} LIMIT 1), {say.micros("w.at")})"""

    return say.earliest([first("events", "occurred_at"), first("observations", "observed_at"), say.micros("w.at")])


def is_planned(say: Idioms) -> str:
    """That what a word w of a resource p says, its state being s, was wanted by somebody; 1 or 0."""
    at = went_down(say)
    above = f"""SELECT g.value FROM facts g
        WHERE g.resource_id = p.resource_id AND g.what = {PARENT} AND g.since <= {{at}}
        UNION ALL
        SELECT e.value FROM facts g JOIN facts e ON e.resource_id = g.value
        WHERE g.resource_id = p.resource_id AND g.what = {PARENT} AND g.since <= {{at}} AND e.what = {PARENT}
          AND e.since <= {{at}}"""
    acted = f"""EXISTS (SELECT 1 FROM (SELECT {at} AS down_us) x
      JOIN facts f ON f.what = {TARGET} AND f.since >= x.down_us - {BEFORE} AND f.since <= x.down_us + {AFTER}
      JOIN present a ON a.resource_id = f.resource_id
      LEFT JOIN texts n ON n.id = a.name_id
      WHERE {_stops("n.text")} AND (f.value + 0 = p.resource_id OR f.value + 0 IN ({above.format(at="x.down_us")})))"""
    state_above = f"""(SELECT lower(b.text) FROM events o JOIN event_states b ON b.id = o.state_id
      WHERE o.resource_id = m.value AND o.occurred_at <= {say.instant("x.down_us")}
      ORDER BY o.occurred_at DESC LIMIT 1)"""
    deployed = f"""EXISTS (SELECT 1 FROM (SELECT {at} AS down_us) x
      JOIN facts m ON m.resource_id = p.resource_id AND m.what = {PARENT} AND m.since <= x.down_us
      WHERE {state_above} IN ({_texts(DEPLOYING)}))"""
    return f"CASE WHEN lower(s.text) IN ({_texts(tuple(sorted(LEAVING)))}) OR {acted} OR {deployed} THEN 1 ELSE 0 END"

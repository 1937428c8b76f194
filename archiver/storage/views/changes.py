"""The view of changes: of every resource what became another one: its state, image, name, slot, tags or place."""

from __future__ import annotations

from archiver.storage.schema import ASKED, IMAGE, INFERRED, NAME, PARENT, SLOT, TAGS, TOLD
from archiver.storage.views.events import PLATFORM, PLATFORM_SAID
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.kinds import kind_of
from archiver.storage.views.places import NAMES, listed, names
from archiver.storage.views.states import state_before
from archiver.storage.views.unchanged import doubts
from archiver.storage.views.view import View

_STATE, _FACT = 0, 1
"""What of a word is looked at: the state that it says, and the facts that begin with it."""


def _at_its_instant(table: str, at: str, which: str) -> str:
    return f"""EXISTS (SELECT 1 FROM {table} e WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id
    AND e.{at} = w.at AND {which})"""


_TOLD_BY_IT = f"f.told_by = w.id AND f.how = CASE w.source WHEN 0 THEN {TOLD} ELSE {ASKED} END"
# What was told while the resource was gone holds from when it is back, which is the first word of that instant.
_HOLDS_AGAIN = f"""(f.how <> {INFERRED}
    AND NOT {_at_its_instant("events", "occurred_at", f"e.id = f.told_by AND f.how = {TOLD}")}
    AND NOT {_at_its_instant("observations", "observed_at", f"e.id = f.told_by AND f.how = {ASKED}")}
    AND NOT {_at_its_instant("events", "occurred_at", "(w.source = 1 OR e.id < w.id)")}
    AND NOT {_at_its_instant("observations", "observed_at", "w.source = 1 AND e.id < w.id")})"""


def _last_before(table: str, at: str) -> str:
    return f"""(SELECT o.{at} FROM {table} o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.{at} < w.at ORDER BY o.{at} DESC LIMIT 1)"""


def _certain(say: Idioms) -> str:
    """Whether somebody was watching from the word before until this one; of what appeared, whether it was told."""
    now = "CASE WHEN h.covered_from > w.at THEN h.covered_from ELSE w.at END"
    ends = f"""EXISTS (SELECT 1 FROM sessions y WHERE y.stream_id = h.stream_id AND y.covered_from > {{}}
      AND y.covered_from <= {now} AND {doubts("y", "w.resource_id")})"""
    told, found = _last_before("events", "occurred_at"), _last_before("observations", "observed_at")
    last = f"CASE WHEN {told} > {found} THEN {told} ELSE coalesce({found}, {told}) END"
    appeared = f"k.part = {_STATE} AND b.id IS NULL"
    watched = f"CASE WHEN {appeared} THEN 1 - w.source WHEN {ends.format(last)} THEN 0 ELSE 1 END"
    return f"CASE WHEN h.id IS NOT NULL THEN {watched} END"


def _changes(say: Idioms) -> str:
    at_us = say.micros("w.at")
    # The fact before: of a text the last one, of a parent the one of its type that ended just then.
    was_text = """(SELECT b.text FROM facts g JOIN texts b ON b.id = g.value
      WHERE g.platform_id = f.platform_id AND g.resource_id = f.resource_id AND g.what = f.what AND g.since < f.since
      ORDER BY g.since DESC LIMIT 1)"""
    was_under = f"""(SELECT b.uri FROM facts g JOIN resources b ON b.platform_id = g.platform_id AND b.id = g.value
      WHERE g.platform_id = f.platform_id AND g.resource_id = f.resource_id AND g.what = {PARENT} AND g.since < f.since
        AND g.until = f.since AND b.type_id = (SELECT q.type_id FROM resources q
          WHERE q.platform_id = f.platform_id AND q.id = f.value) LIMIT 1)"""
    is_text = "(SELECT b.text FROM texts b WHERE b.id = f.value)"
    is_under = "(SELECT b.uri FROM resources b WHERE b.platform_id = f.platform_id AND b.id = f.value)"
    whats = f"({PARENT}, {NAME}, {IMAGE}, {SLOT}, {TAGS})"
    named = {PARENT: "moved", NAME: "name", IMAGE: "image", SLOT: "slot", TAGS: "tags"}
    which = " ".join(f"WHEN {number} THEN '{name}'" for number, name in named.items())
    what = f"CASE f.what {which} END"
    state = f"""CASE WHEN b.id IS NULL THEN 'appeared'
    WHEN {kind_of(say, "s.text", "w.type")} = 'gone' THEN 'vanished' ELSE 'state' END"""
    was = f"CASE f.what WHEN {PARENT} THEN {was_under} ELSE {was_text} END"
    becomes = f"CASE f.what WHEN {PARENT} THEN {is_under} ELSE {is_text} END"
    found = say.apart(
        {
            "change": f"CASE k.part WHEN {_STATE} THEN {state} ELSE {what} END",
            "before": f"CASE k.part WHEN {_STATE} THEN b.text ELSE {was} END",
            "after": f"CASE k.part WHEN {_STATE} THEN s.text ELSE {becomes} END",
            "certain": _certain(say),
            "at_us": at_us,
        },
        f"""LEFT JOIN event_states s ON s.id = w.state_id
LEFT JOIN event_states b ON b.id = {state_before()}
CROSS JOIN (SELECT {_STATE} AS part UNION ALL SELECT {_FACT} AS part) k
LEFT JOIN facts f ON k.part = {_FACT} AND f.platform_id = w.platform_id AND f.resource_id = w.resource_id
  AND f.what IN {whats} AND f.since = {at_us} AND ({_TOLD_BY_IT} OR {_HOLDS_AGAIN})
LEFT JOIN sessions h ON h.id = w.session_id""",
        f"""CASE k.part WHEN {_STATE} THEN coalesce(lower(b.text) <> lower(s.text), s.text IS NOT NULL)
  ELSE {was} <> {becomes} END""",
    )

    return f"""
SELECT v.at AS at, v.change AS change, v.uri AS uri, v.type AS type,
  {listed(names("v.resource_id", "v.at_us"))},
  v.before AS before, v.after AS after, v.certain AS certain, {say.micros("v.at")} AS at_us,
  {PLATFORM.format("v")} AS platform
FROM (SELECT w.*, {listed(found.columns)}
FROM words w
{found.joins}
WHERE {found.where} AND w.type <> 'action') v
"""


changes = View(
    "changes",
    "What became another one of every resource but actions: one row per change",
    {
        "at": "When it was told or found, UTC",
        "change": "appeared (its first state), vanished, state, image, name, slot, tags or moved",
        "uri": "URI of the resource",
        "type": "Its type",
        **NAMES,
        "before": "What was so before; of a move the URI of the former parent, of tags all of them as a JSON list",
        "after": "What is so now; of a move the URI of the new parent, of tags all of them as a JSON list",
        "certain": "1: somebody was watching since the resource was last heard of, or told of its first state; 0: it"
        " may have been any time since; NULL: nobody wrote down whether anybody was",
        "at_us": "When it was told or found, in microseconds since 1970",
        "platform": PLATFORM_SAID,
    },
    _changes,
)

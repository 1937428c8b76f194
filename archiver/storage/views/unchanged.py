"""The view of when a resource is proven not to have changed: two answers in a row that say the same of its life."""

from __future__ import annotations

from archiver.storage.views.events import PLATFORM, PLATFORM_SAID
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.view import View, platform_of, seconds
from archiver.storage.words import OPEN


def _unchanged(say: Idioms) -> str:
    since_us, until_us = say.micros("a.observed_at"), say.micros("b.observed_at")
    return f"""
SELECT r.uri AS uri, (SELECT t.text FROM event_types t WHERE t.id = r.type_id) AS type,
  a.observed_at AS since, b.observed_at AS until, {seconds(since_us, until_us)} AS seconds,
  {since_us} AS since_us, {until_us} AS until_us, {PLATFORM.format("r")} AS platform,
  r.id AS resource_id, b.id AS observation_id, b.platform_id AS platform_id
FROM observations b
JOIN observations a ON a.platform_id = b.platform_id AND a.id = (SELECT o.id FROM observations o
  WHERE o.platform_id = b.platform_id AND o.resource_id = b.resource_id AND o.state_id IS NOT NULL
    AND (o.observed_at, o.id) < (b.observed_at, b.id)
  ORDER BY o.observed_at DESC, o.id DESC LIMIT 1)
JOIN resources r ON r.id = b.resource_id AND {say.likely("r.platform_id = b.platform_id", 0.9)}
WHERE b.mark = a.mark AND NOT EXISTS (SELECT 1 FROM events e
  WHERE e.platform_id = b.platform_id AND e.resource_id = b.resource_id
  AND e.state_id IS NOT NULL AND e.occurred_at > a.observed_at AND e.occurred_at <= b.observed_at)
"""


unchanged = View(
    "unchanged",
    "When a resource is proven not to have changed its state: between two answers in a row, with no state told between"
    " them, that say the same of its state and its life. A gap within such a stretch hides nothing of it",
    {
        "uri": "URI of the resource",
        "type": "Its type",
        "since": "When it was found in that state, UTC",
        "until": "When it was found in it again, UTC",
        "seconds": "How long",
        "since_us": "When it was found, in microseconds since 1970",
        "until_us": "When it was found again, in microseconds since 1970",
        "platform": PLATFORM_SAID,
        "resource_id": "Number of the resource",
        "observation_id": "Number of the second observation",
        "platform_id": "Number of the platform that it is on",
    },
    _unchanged,
)


def bridging(resource: str, until: str) -> str:
    """From such a stretch p of a resource as is ended by the first answer at an instant or later, and begins before."""
    platform = platform_of(resource)
    return f"""FROM unchanged p WHERE p.platform_id = {platform} AND p.observation_id = (SELECT o.id FROM observations o
      WHERE o.platform_id = {platform} AND o.resource_id = {resource} AND o.state_id IS NOT NULL
        AND o.observed_at >= {until}
      ORDER BY o.observed_at, o.id LIMIT 1) AND p.since < {until}"""


def ends_unchanged(found: str) -> str:
    """That the next answer says what one did, given by its resource, at and id, and that none is told between."""
    return f"""EXISTS (SELECT 1 FROM unchanged p WHERE p.platform_id = {found}.platform_id
      AND p.observation_id = (SELECT o.id FROM observations o
      WHERE o.platform_id = {found}.platform_id AND o.resource_id = {found}.resource_id AND o.state_id IS NOT NULL
        AND (o.observed_at, o.id) > ({found}.at, {found}.id) ORDER BY o.observed_at, o.id LIMIT 1))"""


def doubts(session: str, resource: str) -> str:
    """That nobody was watching the stream just before a session began to, and that it may hide something of one."""
    found = bridging(resource, "b.covered_from")
    return f"""(SELECT coalesce(b.before_us, {-OPEN}) < b.covered_us
        AND NOT EXISTS (SELECT 1 {found} AND p.since_us <= b.before_us) FROM session_log b WHERE b.id = {session}.id)"""

"""The view of what was told and found under something: every word with each resource that its object was under then."""

from __future__ import annotations

from archiver.storage.views.events import PLATFORM, PLATFORM_SAID
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.subtree import LEVELS
from archiver.storage.views.view import View
from archiver.storage.views.words import NEARLY_ALL, SOURCES
from archiver.storage.words import PARENT, TARGET


def _reaches(n: int) -> str:
    """That the n-th place above, or one above it, is a."""
    if n == LEVELS:
        return f"o{n}.value = a.id"
    return f"""o{n}.value = a.id OR (SELECT 1 FROM facts o{n + 1} WHERE o{n + 1}.platform_id = w.platform_id
      AND o{n + 1}.resource_id = o{n}.value AND {_held(n + 1)} AND ({_reaches(n + 1)}) LIMIT 1) = 1"""


def _held(n: int) -> str:
    return f"o{n}.what = {PARENT} AND o{n}.since <= m.at_us AND o{n}.until > m.at_us"


def _is_under(say: Idioms) -> str:
    """That the object of a word w was under a at that instant; an action is where it was done, as of its beginning."""
    return f"""(SELECT 1 FROM (SELECT coalesce(f.since, {say.micros("w.at")}) AS at_us,
      coalesce(f.value, w.resource_id) AS foot) m
    JOIN facts o1 ON o1.platform_id = w.platform_id AND o1.resource_id = m.foot AND {_held(1)}
    WHERE {_reaches(1)} LIMIT 1) = 1"""


def _words_under(say: Idioms) -> str:
    def rows(source: str) -> str:
        return f"""
SELECT a.uri AS ancestor_uri, r.uri AS uri, w.at AS at, {say.micros("w.at")} AS at_us,
  CASE w.source WHEN 0 THEN 'event' ELSE 'observation' END AS source, w.id AS id, {PLATFORM.format("a")} AS platform
FROM {source} w
JOIN resources a ON {say.likely("a.platform_id = w.platform_id", NEARLY_ALL)} AND a.id <> w.resource_id
JOIN resources r ON r.id = w.resource_id AND {say.likely("r.platform_id = w.platform_id", NEARLY_ALL)}
LEFT JOIN facts f ON f.platform_id = w.platform_id AND f.resource_id = w.resource_id AND f.what = {TARGET}
WHERE f.value = a.id OR {_is_under(say)}
"""

    return say.either(rows, SOURCES)


words_under = View(
    "words_under",
    "Everything that was told or found, with each resource that its object was under at that instant; an action as of"
    " its beginning",
    {
        "ancestor_uri": "URI of the resource above: what it is to be asked for",
        "uri": "URI of the resource below, of which was told or found",
        "at": "When it was told or found, UTC",
        "at_us": "When it was told or found, in microseconds since 1970",
        "source": "event, or observation when it was learnt by asking",
        "id": "Number of the event, as in `event_log`, or of the observation",
        "platform": PLATFORM_SAID,
    },
    _words_under,
)

"""The view of flaps: stretches in which a resource changed its state again and again."""

from __future__ import annotations

from archiver.storage.causes import FLAP, FLAPS_WITHIN
from archiver.storage.views.events import PLATFORM_SAID
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.places import NAMES, listed
from archiver.storage.views.sessions import ends_gap
from archiver.storage.views.view import View, seconds

_OF_ONE = "PARTITION BY uri, type, platform"


def _flaps(say: Idioms) -> str:
    name = "(SELECT i.{0} FROM inventory i WHERE i.uri = v.uri AND i.platform = v.platform)"
    began, ended = say.instant("v.since_us"), say.instant("v.until_us")
    heard = f"""(SELECT o.session_id FROM resources r
    JOIN events o ON o.platform_id = r.platform_id AND o.resource_id = r.id AND o.occurred_at = {began}
    WHERE r.uri = v.uri AND r.platform_id IN (SELECT b.id FROM platforms b WHERE b.name = v.platform)
    ORDER BY o.session_id LIMIT 1)"""
    # All windows of one level are of the same parts: else SQLite does not look for one resource alone.
    return f"""
SELECT v.uri AS uri, v.type AS type,
  {listed({column: name.format(column) for column in NAMES})},
  {began} AS since, {ended} AS until, {seconds("v.since_us", "v.until_us")} AS seconds,
  CAST(v.changes AS bigint) AS changes,
  CASE WHEN {heard} IS NULL THEN NULL WHEN EXISTS (SELECT 1 FROM sessions h JOIN sessions q ON q.stream_id = h.stream_id
    WHERE h.id = {heard} AND q.covered_from > {began} AND q.covered_from <= {ended} AND {ends_gap("q")})
    THEN 0 ELSE 1 END AS certain,
  v.since_us AS since_us, v.until_us AS until_us, v.platform AS platform
FROM (
  SELECT uri, type, platform, at_us AS since_us, flap_us, max(at_us) OVER ({_OF_ONE}, run) AS until_us,
    sum(CASE WHEN at_us >= flap_us THEN 1 ELSE 0 END) OVER ({_OF_ONE}, run) AS changes,
    lag(at_us) OVER ({_OF_ONE}, run ORDER BY at_us) AS before_us
  FROM (
    SELECT c.*, min(dense_us) OVER ({_OF_ONE}, run) AS flap_us
    FROM (
      SELECT b.*, sum(starts) OVER ({_OF_ONE} ORDER BY at_us ROWS UNBOUNDED PRECEDING) AS run
      FROM (
        SELECT s.uri AS uri, s.type AS type, s.platform AS platform, s.since_us AS at_us,
          CASE WHEN lead(s.since_us, {FLAP - 1}) OVER (PARTITION BY s.uri, s.type, s.platform ORDER BY s.since_us)
            - s.since_us <= {FLAPS_WITHIN} THEN s.since_us END AS dense_us,
          CASE WHEN s.since_us - lag(s.since_us) OVER (PARTITION BY s.uri, s.type, s.platform ORDER BY s.since_us)
            < {FLAPS_WITHIN} THEN 0 ELSE 1 END AS starts
        FROM state_spans s
        WHERE s.type <> 'action'
      ) b
    ) c
  ) d
) v
WHERE v.since_us = v.flap_us AND (v.before_us IS NULL OR v.before_us < v.since_us)
"""


flaps = View(
    "flaps",
    "When a resource changed its state at least six times within ten minutes, until ten quiet minutes",
    {
        "uri": "URI of the resource",
        "type": "Its type",
        **NAMES,
        "since": "The first of these changes, UTC",
        "until": "The last change before ten quiet minutes, or the last one known, UTC",
        "seconds": "How long",
        "changes": "How many changes of state",
        "certain": "1: somebody was watching throughout; 0: there may have been more; NULL: nobody wrote that down",
        "since_us": "The first of these changes, in microseconds since 1970",
        "until_us": "The last of them, in microseconds since 1970",
        "platform": PLATFORM_SAID,
    },
    _flaps,
)

"""The view of when nobody was watching a stream, and why."""

from __future__ import annotations

from archiver.storage.views.idioms import Idioms
from archiver.storage.views.view import View, seconds
from archiver.storage.words import INTERRUPTED, OPEN, SILENT, SILENT_SECONDS, UNHEARD


# Sessions that overlap or touch make an island of time that was watched; what lies behind one is a gap, with the
# reason of the session that reached farthest, of equals the first. A session that is alive has no end.
def _gap_log(say: Idioms) -> str:
    is_alive = f"s.closed_at IS NULL AND {say.micros('s.last_seen_at')} > {say.now} - {SILENT_SECONDS * 1_000_000}"
    return f"""
SELECT g.stream AS stream, {say.instant("g.watched_to")} AS since, {say.instant("g.next_from")} AS until,
  {seconds("g.watched_to", "g.next_from")} AS seconds, g.reason AS reason, g.kind AS kind,
  g.watched_to AS since_us, g.next_from AS until_us
FROM (
  SELECT stream, watched_to, reason, kind,
         lead(island_from) OVER (PARTITION BY stream_id, stream ORDER BY island) AS next_from
  FROM (
    SELECT stream_id, stream, island, watched_to, reason, kind,
           min(covered_from) OVER (PARTITION BY stream_id, stream, island) AS island_from,
           row_number() OVER (PARTITION BY stream_id, stream, island
                              ORDER BY watched_to DESC, covered_from, id) AS place
    FROM (
      SELECT m.*, sum(starts) OVER (PARTITION BY stream_id, stream ORDER BY covered_from, id) AS island
      FROM (
        SELECT w.*, CASE WHEN covered_from <= max(watched_to) OVER (
                      PARTITION BY stream_id, stream ORDER BY covered_from, id
                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 0 ELSE 1 END AS starts
        FROM (
          SELECT s.id AS id, s.stream_id AS stream_id, st.url AS stream, {say.micros("s.covered_from")} AS covered_from,
                 CASE WHEN {is_alive} THEN {OPEN}
                      ELSE {say.micros("coalesce(s.closed_at, s.last_seen_at)")} END AS watched_to,
                 CASE WHEN s.closed_at IS NULL THEN '{SILENT}' ELSE coalesce(s.reason, '{INTERRUPTED}') END AS reason,
                 CASE WHEN s.closed_at IS NULL THEN '{UNHEARD}' ELSE s.kind END AS kind
          FROM sessions s
          JOIN streams st ON st.id = s.stream_id
        ) w
      ) m
    ) i
  ) e
  WHERE place = 1
) g
WHERE g.watched_to < {OPEN}
"""


gap_log = View(
    "gap_log",
    "When nobody was watching a stream, and why",
    {
        "stream": "URL of the stream",
        "since": "From when on nobody was watching, UTC",
        "until": "Until when, UTC; NULL: still so",
        "seconds": "How long; NULL: still so",
        "reason": "Why the watching ended, in words",
        "kind": "Why it ended, for programs: stopped, lost, refused, silent ...; NULL: nobody wrote it down",
        "since_us": "From when on, in microseconds since 1970",
        "until_us": "Until when, in microseconds since 1970; NULL: still so",
    },
    _gap_log,
)

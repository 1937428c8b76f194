-- The published views as of revision 0001; frozen, never edited after the release.

CREATE VIEW event_log (id, stream, type, action, state, uri, name, occurred_at, received_at, uuid, extra) AS
SELECT e.id, st.url, t.text, a.text, s.text, r.uri, r.name, e.occurred_at, e.received_at, e.uuid, e.extra
FROM events e
JOIN event_types t ON t.id = e.type_id
LEFT JOIN event_actions a ON a.id = e.action_id
LEFT JOIN event_states s ON s.id = e.state_id
LEFT JOIN resources r ON r.id = e.resource_id
LEFT JOIN sessions se ON se.id = e.session_id
LEFT JOIN streams st ON st.id = se.stream_id;

CREATE VIEW state_spans (uri, type, state, since, until, seconds, source) AS
SELECT uri, type, state, since, until, round((julianday(until) - julianday(since)) * 86400.0, 3), source
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
) spans;

CREATE VIEW current_states (uri, type, name, state, seen_at, source) AS
SELECT l.uri, t.text, l.name, s.text, l.seen_at, l.source
FROM (
  SELECT uri, type_id, name,
         CASE WHEN event_at IS NULL OR observed_at >= event_at THEN observed_state ELSE event_state END AS state_id,
         CASE WHEN event_at IS NULL OR observed_at >= event_at THEN observed_at ELSE event_at END AS seen_at,
         CASE WHEN event_at IS NULL OR observed_at >= event_at THEN 'observation' ELSE 'event' END AS source
  FROM (
    SELECT r.uri, r.type_id, r.name,
      (SELECT e.state_id FROM events e
   WHERE e.resource_id = r.id AND e.state_id IS NOT NULL ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1) AS event_state,
      (SELECT e.occurred_at FROM events e
   WHERE e.resource_id = r.id AND e.state_id IS NOT NULL ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1) AS event_at,
      (SELECT o.state_id FROM observations o
   WHERE o.resource_id = r.id AND o.state_id IS NOT NULL ORDER BY o.observed_at DESC, o.id DESC LIMIT 1) AS observed_state,
      (SELECT o.observed_at FROM observations o
   WHERE o.resource_id = r.id AND o.state_id IS NOT NULL ORDER BY o.observed_at DESC, o.id DESC LIMIT 1) AS observed_at
    FROM resources r
  ) b
) l
JOIN event_types t ON t.id = l.type_id
JOIN event_states s ON s.id = l.state_id;

CREATE VIEW action_log (action, name, target, state, started_at, finished_at, seconds) AS
SELECT action, name, target, state, started_at, finished_at, round((julianday(finished_at) - julianday(started_at)) * 86400.0, 3)
FROM (
  SELECT r.uri AS action, r.name AS name, p.uri AS target, s.text AS state, l.started_at AS started_at,
         CASE WHEN lower(s.text) IN ('pending', 'in progress', 'canceling') THEN NULL ELSE l.state_at END AS finished_at
  FROM (
    SELECT r.id AS id,
      (SELECT min(e.occurred_at) FROM events e WHERE e.resource_id = r.id) AS started_at,
      (SELECT e.state_id FROM events e
   WHERE e.resource_id = r.id AND e.state_id IS NOT NULL ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1) AS state_id,
      (SELECT e.occurred_at FROM events e
   WHERE e.resource_id = r.id AND e.state_id IS NOT NULL ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1) AS state_at
    FROM resources r
    WHERE r.type_id = (SELECT id FROM event_types WHERE text = 'action')
  ) l
  JOIN resources r ON r.id = l.id
  LEFT JOIN resources p ON p.id = r.target_id
  LEFT JOIN event_states s ON s.id = l.state_id
  WHERE l.started_at IS NOT NULL
) a;

CREATE VIEW subtree (ancestor_uri, descendant_uri, descendant_type, since) AS
SELECT a.uri, d.uri, t.text, e.occurred_at
FROM resource_parents p
JOIN resources a ON a.id = p.parent_id
JOIN resources d ON d.id = p.child_id
JOIN event_types t ON t.id = d.type_id
LEFT JOIN events e ON e.id = p.first_event_id;

CREATE VIEW gap_log (stream, since, until, seconds, reason) AS
SELECT st.url, g.watched_to, g.next_from, round((julianday(g.next_from) - julianday(g.watched_to)) * 86400.0, 3), g.reason
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
                 s.closed_at IS NULL AND s.last_seen_at > strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-20 seconds') AS alive,
                 CASE WHEN s.closed_at IS NOT NULL THEN s.closed_at
                      WHEN s.last_seen_at > strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-20 seconds') THEN strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
                      ELSE s.last_seen_at END AS watched_to,
                 CASE WHEN s.closed_at IS NULL THEN 'no sign of life from the archiver'
                      ELSE coalesce(s.reason, 'the archiver stopped without a word') END AS reason
          FROM sessions s
        ) w
      ) m
    ) i
  ) e
  WHERE place = 1
) g
JOIN streams st ON st.id = g.stream_id
WHERE g.next_from IS NOT NULL OR NOT g.alive;

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

COMMENT ON VIEW event_log IS 'Every event, all texts joined in';

COMMENT ON COLUMN event_log.id IS 'Number of the event, in the order of archiving';

COMMENT ON COLUMN event_log.stream IS 'The stream it came from; NULL when imported without a session';

COMMENT ON COLUMN event_log.type IS 'Type of the event';

COMMENT ON COLUMN event_log.action IS 'create, update, delete ...';

COMMENT ON COLUMN event_log.state IS 'The state the object is in from now on';

COMMENT ON COLUMN event_log.uri IS 'URI of the object it tells about';

COMMENT ON COLUMN event_log.name IS 'Name of that object, where known';

COMMENT ON COLUMN event_log.occurred_at IS 'When it happened, UTC';

COMMENT ON COLUMN event_log.received_at IS 'When it was received, UTC';

COMMENT ON COLUMN event_log.uuid IS 'The platform''s own identifier of the event';

COMMENT ON COLUMN event_log.extra IS 'JSON object of everything else the event says';

CREATE VIEW state_spans (uri, type, state, since, until, seconds, source) AS
SELECT uri, type, state, since, until, round(extract(epoch FROM until - since), 3)::double precision, source
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

COMMENT ON VIEW state_spans IS 'The state timeline of every resource: one row per state and stretch of time';

COMMENT ON COLUMN state_spans.uri IS 'URI of the resource';

COMMENT ON COLUMN state_spans.type IS 'Its type';

COMMENT ON COLUMN state_spans.state IS 'The state';

COMMENT ON COLUMN state_spans.since IS 'From when on, UTC';

COMMENT ON COLUMN state_spans.until IS 'Until when, UTC; NULL: still so';

COMMENT ON COLUMN state_spans.seconds IS 'How long; NULL: still so';

COMMENT ON COLUMN state_spans.source IS 'event, or observation when the state was learnt by asking';

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

COMMENT ON VIEW current_states IS 'The last known state of every resource';

COMMENT ON COLUMN current_states.uri IS 'URI of the resource';

COMMENT ON COLUMN current_states.type IS 'Its type';

COMMENT ON COLUMN current_states.name IS 'Its name, where known';

COMMENT ON COLUMN current_states.state IS 'The last state known';

COMMENT ON COLUMN current_states.seen_at IS 'When that was last told or found, UTC';

COMMENT ON COLUMN current_states.source IS 'event, or observation when the state was learnt by asking';

CREATE VIEW action_log (action, name, target, state, started_at, finished_at, seconds) AS
SELECT action, name, target, state, started_at, finished_at, round(extract(epoch FROM finished_at - started_at), 3)::double precision
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

COMMENT ON VIEW action_log IS 'Every action that ran on the platform';

COMMENT ON COLUMN action_log.action IS 'URI of the action';

COMMENT ON COLUMN action_log.name IS 'What it does, where known';

COMMENT ON COLUMN action_log.target IS 'URI of the object it applies to';

COMMENT ON COLUMN action_log.state IS 'Its last state';

COMMENT ON COLUMN action_log.started_at IS 'When it was first heard of, UTC';

COMMENT ON COLUMN action_log.finished_at IS 'When it ended, UTC; NULL: not as far as known';

COMMENT ON COLUMN action_log.seconds IS 'How long it took';

CREATE VIEW subtree (ancestor_uri, descendant_uri, descendant_type, since) AS
SELECT a.uri, d.uri, t.text, e.occurred_at
FROM resource_parents p
JOIN resources a ON a.id = p.parent_id
JOIN resources d ON d.id = p.child_id
JOIN event_types t ON t.id = d.type_id
LEFT JOIN events e ON e.id = p.first_event_id;

COMMENT ON VIEW subtree IS 'What is under what, over all levels';

COMMENT ON COLUMN subtree.ancestor_uri IS 'URI of the resource above';

COMMENT ON COLUMN subtree.descendant_uri IS 'URI of the resource below';

COMMENT ON COLUMN subtree.descendant_type IS 'Type of the resource below';

COMMENT ON COLUMN subtree.since IS 'When the relation was first heard of, UTC; NULL: learnt by asking';

CREATE VIEW gap_log (stream, since, until, seconds, reason) AS
SELECT st.url, g.watched_to, g.next_from, round(extract(epoch FROM g.next_from - g.watched_to), 3)::double precision, g.reason
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
                 s.closed_at IS NULL AND s.last_seen_at > now() - interval '20 seconds' AS alive,
                 CASE WHEN s.closed_at IS NOT NULL THEN s.closed_at
                      WHEN s.last_seen_at > now() - interval '20 seconds' THEN now()
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

COMMENT ON VIEW gap_log IS 'When nobody was watching a stream, and why';

COMMENT ON COLUMN gap_log.stream IS 'URL of the stream';

COMMENT ON COLUMN gap_log.since IS 'From when on nobody was watching, UTC';

COMMENT ON COLUMN gap_log.until IS 'Until when, UTC; NULL: still so';

COMMENT ON COLUMN gap_log.seconds IS 'How long; NULL: still so';

COMMENT ON COLUMN gap_log.reason IS 'Why the watching ended';

-- The published views as of revision 0002; frozen, never edited after the release.

CREATE VIEW event_log AS
SELECT e.id AS id, (SELECT b.url FROM sessions o JOIN streams b ON b.id = o.stream_id WHERE o.id = e.session_id) AS stream, t.text AS type, (SELECT b.text FROM event_actions b WHERE b.id = e.action_id) AS action, s.text AS state, r.uri AS uri,
  (SELECT b.text FROM present o JOIN texts b ON b.id = o.name_id
   WHERE o.platform_id = e.platform_id AND o.resource_id = e.resource_id) AS name,
  e.occurred_at AS occurred_at, (to_timestamp(e.received_at / 1000000) + make_interval(secs => CAST(mod(e.received_at, 1000000) AS double precision) / 1e6)) AS received_at, CASE length(e.uuid) WHEN 16 THEN CAST(CAST(encode(e.uuid, 'hex') AS uuid) AS text) ELSE convert_from(ltrim(e.uuid, '\x00'), 'UTF8') END COLLATE "C" AS uuid,
  CASE WHEN e.shared_id IS NULL THEN e.extra ELSE replace(replace(e.extra, '"*":[]', (SELECT b.text FROM shared_texts b WHERE b.platform_id = e.platform_id AND b.id = e.shared_id)), '"**":[]', coalesce((SELECT b.text FROM shared_texts b WHERE b.platform_id = e.platform_id AND b.id = e.shared_too_id), '')) END AS extra, CAST(extract(epoch FROM e.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS occurred_us, e.received_at AS received_us,
  CASE e.time_source WHEN 0 THEN 'received' WHEN 1 THEN 'datetime' WHEN 2 THEN 'date' WHEN 3 THEN 'told' WHEN 4 THEN 'engine' END AS time_source,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
   WHERE f.platform_id = e.platform_id AND f.resource_id = e.resource_id AND f.what = 3
     AND f.since <= CAST(extract(epoch FROM e.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AND f.until > CAST(extract(epoch FROM e.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint)) AS name_then, (SELECT b.name FROM platforms b WHERE b.id = e.platform_id) AS platform
FROM events e
JOIN event_types t ON t.id = e.type_id AND e.id + 0 >= 0 AND e.id + 1 >= 1
LEFT JOIN event_states s ON s.id = e.state_id
LEFT JOIN resources r ON r.id = e.resource_id AND r.platform_id = e.platform_id;

COMMENT ON VIEW event_log IS 'Every event, all texts joined in';

COMMENT ON COLUMN event_log.id IS 'Number of the event, in the order of archiving';

COMMENT ON COLUMN event_log.stream IS 'The stream it came from; NULL when imported without a session';

COMMENT ON COLUMN event_log.type IS 'Type of the event';

COMMENT ON COLUMN event_log.action IS 'create, update, delete ...';

COMMENT ON COLUMN event_log.state IS 'The state the object is in from now on';

COMMENT ON COLUMN event_log.uri IS 'URI of the object it tells about';

COMMENT ON COLUMN event_log.name IS 'Name of that object, the last known';

COMMENT ON COLUMN event_log.occurred_at IS 'When it happened, UTC';

COMMENT ON COLUMN event_log.received_at IS 'When it was received, UTC';

COMMENT ON COLUMN event_log.uuid IS 'The platform''s own identifier of the event';

COMMENT ON COLUMN event_log.extra IS 'JSON object of everything else the event says';

COMMENT ON COLUMN event_log.occurred_us IS 'When it happened, in microseconds since 1970';

COMMENT ON COLUMN event_log.received_us IS 'When it was received, in microseconds since 1970';

COMMENT ON COLUMN event_log.time_source IS 'Where occurred_at is from: the event''s datetime or date, when it was received, or told anew, or the clock of an engine, put right';

COMMENT ON COLUMN event_log.name_then IS 'What the object was called when it happened';

COMMENT ON COLUMN event_log.platform IS 'Name of the platform that it happened in';

CREATE VIEW event_parents AS
SELECT e.id AS event_id, m.position AS position, m.resource_id AS resource_id, r.uri AS uri,
  (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform
FROM events e
JOIN parent_list_members m ON m.platform_id = e.platform_id AND m.list_id = e.parent_list_id
JOIN resources r ON r.platform_id = m.platform_id AND r.id = m.resource_id;

COMMENT ON VIEW event_parents IS 'The parents that each event names, in its order';

COMMENT ON COLUMN event_parents.event_id IS 'The event';

COMMENT ON COLUMN event_parents.position IS 'Place in the event''s list, from 0';

COMMENT ON COLUMN event_parents.resource_id IS 'Number of the parent';

COMMENT ON COLUMN event_parents.uri IS 'URI of the parent';

COMMENT ON COLUMN event_parents.platform IS 'Name of the platform that it is on';

CREATE VIEW words AS
SELECT r.uri AS uri, t.text AS type, w.at AS at, w.source AS source, w.id AS id, w.resource_id AS resource_id,
  w.state_id AS state_id, w.session_id AS session_id, p.type_id AS type_id, p.state_since AS last_since_us,
  p.gone_at AS gone_us, w.platform_id AS platform_id
FROM (
  SELECT platform_id, resource_id, occurred_at AS at, 0 AS source, id, state_id, session_id FROM events
  UNION ALL
  SELECT platform_id, resource_id, observed_at AS at, 1 AS source, id, state_id, session_id FROM observations
) w
JOIN resources r ON r.id = w.resource_id AND r.platform_id = w.platform_id
JOIN present p ON p.resource_id = w.resource_id AND p.platform_id = w.platform_id
JOIN event_types t ON t.id = p.type_id AND w.id + 0 >= 0 AND w.id + 1 >= 1;

COMMENT ON VIEW words IS 'What was told and found of each resource, one after the other: events and observations';

COMMENT ON COLUMN words.uri IS 'URI of the resource';

COMMENT ON COLUMN words.type IS 'Its type';

COMMENT ON COLUMN words.at IS 'When it was told or found, UTC';

COMMENT ON COLUMN words.source IS '0: an event; 1: an observation, which of one instant counts as the later';

COMMENT ON COLUMN words.id IS 'Number of the event, or of the observation';

COMMENT ON COLUMN words.resource_id IS 'Number of the resource';

COMMENT ON COLUMN words.state_id IS 'Number of the state that it says; NULL: it says none';

COMMENT ON COLUMN words.session_id IS 'Number of the session that heard it; NULL: imported';

COMMENT ON COLUMN words.type_id IS 'Number of the type';

COMMENT ON COLUMN words.last_since_us IS 'Since when the resource is in its last state, in microseconds since 1970';

COMMENT ON COLUMN words.gone_us IS 'Since when it is no more, in microseconds since 1970; NULL: it lives';

COMMENT ON COLUMN words.platform_id IS 'Number of the platform that it is on';

CREATE VIEW session_log AS
SELECT s.id AS id, s.stream_id AS stream_id, s.covered_from AS covered_from,
  CAST(extract(epoch FROM s.covered_from - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS covered_us, CASE WHEN s.closed_at IS NULL AND CAST(extract(epoch FROM s.last_seen_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) > CAST(extract(epoch FROM now()) * 1000000 AS bigint) - 20000000 THEN 4611686018427387904 ELSE CAST(extract(epoch FROM coalesce(s.closed_at, s.last_seen_at) - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) END AS watched_us,
  (SELECT max(o.watched_us) FROM (SELECT CASE WHEN b.closed_at IS NULL AND CAST(extract(epoch FROM b.last_seen_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) > CAST(extract(epoch FROM now()) * 1000000 AS bigint) - 20000000 THEN 4611686018427387904 ELSE CAST(extract(epoch FROM coalesce(b.closed_at, b.last_seen_at) - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) END AS watched_us FROM sessions b
    WHERE b.stream_id = s.stream_id AND b.covered_from <= s.covered_from
      AND (b.covered_from < s.covered_from OR b.id < s.id)
    ORDER BY b.covered_from DESC LIMIT 16) o) AS before_us
FROM sessions s;

COMMENT ON VIEW session_log IS 'Every session: from when until when it watched, and until when those did that began before it';

COMMENT ON COLUMN session_log.id IS 'Number of the session';

COMMENT ON COLUMN session_log.stream_id IS 'Number of the stream';

COMMENT ON COLUMN session_log.covered_from IS 'From when on it watched, UTC';

COMMENT ON COLUMN session_log.covered_us IS 'From when on it watched, in microseconds since 1970';

COMMENT ON COLUMN session_log.watched_us IS 'Until when, in microseconds since 1970; 4611686018427387904: it still does';

COMMENT ON COLUMN session_log.before_us IS 'Until when those of its stream watched that began before it (of the last 16 the longest); NULL: it is the first. Less than covered_us: nobody was watching just before it';

CREATE VIEW unchanged AS
SELECT r.uri AS uri, (SELECT t.text FROM event_types t WHERE t.id = r.type_id) AS type,
  a.observed_at AS since, b.observed_at AS until, CAST(CAST(extract(epoch FROM b.observed_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) - CAST(extract(epoch FROM a.observed_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS double precision) / 1e6 AS seconds,
  CAST(extract(epoch FROM a.observed_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS since_us, CAST(extract(epoch FROM b.observed_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS until_us, (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform,
  r.id AS resource_id, b.id AS observation_id, b.platform_id AS platform_id
FROM observations b
JOIN observations a ON a.platform_id = b.platform_id AND a.id = (SELECT o.id FROM observations o
  WHERE o.platform_id = b.platform_id AND o.resource_id = b.resource_id AND o.state_id IS NOT NULL
    AND (o.observed_at, o.id) < (b.observed_at, b.id)
  ORDER BY o.observed_at DESC, o.id DESC LIMIT 1)
JOIN resources r ON r.id = b.resource_id AND r.platform_id = b.platform_id
WHERE b.mark = a.mark AND NOT EXISTS (SELECT 1 FROM events e
  WHERE e.platform_id = b.platform_id AND e.resource_id = b.resource_id
  AND e.state_id IS NOT NULL AND e.occurred_at > a.observed_at AND e.occurred_at <= b.observed_at);

COMMENT ON VIEW unchanged IS 'When a resource is proven not to have changed its state: between two answers in a row, with no state told between them, that say the same of its state and its life. A gap within such a stretch hides nothing of it';

COMMENT ON COLUMN unchanged.uri IS 'URI of the resource';

COMMENT ON COLUMN unchanged.type IS 'Its type';

COMMENT ON COLUMN unchanged.since IS 'When it was found in that state, UTC';

COMMENT ON COLUMN unchanged.until IS 'When it was found in it again, UTC';

COMMENT ON COLUMN unchanged.seconds IS 'How long';

COMMENT ON COLUMN unchanged.since_us IS 'When it was found, in microseconds since 1970';

COMMENT ON COLUMN unchanged.until_us IS 'When it was found again, in microseconds since 1970';

COMMENT ON COLUMN unchanged.platform IS 'Name of the platform that it is on';

COMMENT ON COLUMN unchanged.resource_id IS 'Number of the resource';

COMMENT ON COLUMN unchanged.observation_id IS 'Number of the second observation';

COMMENT ON COLUMN unchanged.platform_id IS 'Number of the platform that it is on';

CREATE VIEW resource_names AS
SELECT a.id AS resource_id, a.type_id AS type_id,
  coalesce((SELECT b.text FROM present o JOIN texts b ON b.id = o.name_id
   WHERE o.platform_id = a.platform_id AND o.resource_id = a.id), a.uri) AS called, a.platform_id AS platform_id
FROM resources a;

COMMENT ON VIEW resource_names IS 'What every resource was last called';

COMMENT ON COLUMN resource_names.resource_id IS 'Number of the resource';

COMMENT ON COLUMN resource_names.type_id IS 'Number of its type';

COMMENT ON COLUMN resource_names.called IS 'Its name; its URI where no name is known';

COMMENT ON COLUMN resource_names.platform_id IS 'Number of the platform that it is on';

CREATE VIEW direct_parents AS
SELECT f.resource_id AS resource_id, f.value AS parent_id, g.type_id AS type_id,
  g.called AS called,
  f.since AS since_us, f.platform_id AS platform_id
FROM facts f
CROSS JOIN LATERAL (SELECT a.type_id AS type_id,
  a.called AS called
FROM (SELECT 1 AS one) one
JOIN resource_names a ON a.platform_id = f.platform_id AND a.resource_id = f.value
WHERE a.resource_id > 0 OFFSET 0) g
WHERE f.what = 1 AND true;

COMMENT ON VIEW direct_parents IS 'What was directly above every resource';

COMMENT ON COLUMN direct_parents.resource_id IS 'Number of the resource';

COMMENT ON COLUMN direct_parents.parent_id IS 'Number of what is above it';

COMMENT ON COLUMN direct_parents.type_id IS 'Number of the type of what is above';

COMMENT ON COLUMN direct_parents.called IS 'What that was last called; its URI where no name is known';

COMMENT ON COLUMN direct_parents.since_us IS 'From when on it was above, in microseconds since 1970';

COMMENT ON COLUMN direct_parents.platform_id IS 'Number of the platform that both are on';

CREATE VIEW state_spans AS
SELECT v.uri AS uri, v.type AS type, v.state AS state, v.since AS since, v.until AS until,
  CAST(CAST(extract(epoch FROM v.until - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) - CAST(extract(epoch FROM v.since - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS double precision) / 1e6 AS seconds, v.source AS source,
  CAST(extract(epoch FROM v.since - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS since_us, CAST(extract(epoch FROM v.until - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS until_us, (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
   WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 3
     AND f.since <= CAST(extract(epoch FROM v.since - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AND f.until > CAST(extract(epoch FROM v.since - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint)) AS name,
  (SELECT b.name FROM platforms b WHERE b.id = v.platform_id) AS platform
FROM (
SELECT w.uri AS uri, w.type AS type, s.text AS state, w.at AS since, CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END AS until,
  CASE WHEN w.source = 0 THEN 'event' ELSE 'observation' END AS source,
  w.resource_id AS resource_id, w.platform_id AS platform_id
FROM words w
JOIN event_states s ON s.id = w.state_id
LEFT JOIN events ON events.platform_id = w.platform_id AND events.id = CASE WHEN CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) < w.last_since_us THEN (SELECT o.id FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND (o.occurred_at > w.at OR (w.source = 0 AND o.id > w.id)) AND o.state_id <> w.state_id
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> lower(s.text)
      ORDER BY o.occurred_at LIMIT 1)
    ELSE (SELECT o.id FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND o.occurred_at <= w.at AND ((w.source = 0 AND o.id > w.id)) AND o.state_id <> w.state_id
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> lower(s.text)
      ORDER BY o.occurred_at LIMIT 1) END
LEFT JOIN observations ON observations.platform_id = w.platform_id AND observations.id = CASE WHEN CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) < w.last_since_us THEN (SELECT o.id FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.observed_at >= w.at AND (o.observed_at > w.at OR w.source = 0 OR o.id > w.id) AND o.state_id <> w.state_id
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> lower(s.text)
      ORDER BY o.observed_at LIMIT 1)
    ELSE (SELECT o.id FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.observed_at >= w.at AND o.observed_at <= w.at AND (w.source = 0 OR o.id > w.id) AND o.state_id <> w.state_id
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> lower(s.text)
      ORDER BY o.observed_at LIMIT 1) END
WHERE coalesce((SELECT lower(b.text) FROM event_states b WHERE b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )) <> lower(s.text), true)
) v;

COMMENT ON VIEW state_spans IS 'The state timeline of every resource: one row per state and stretch of time';

COMMENT ON COLUMN state_spans.uri IS 'URI of the resource';

COMMENT ON COLUMN state_spans.type IS 'Its type';

COMMENT ON COLUMN state_spans.state IS 'The state, as first told';

COMMENT ON COLUMN state_spans.since IS 'From when on, UTC';

COMMENT ON COLUMN state_spans.until IS 'Until when, UTC; NULL: still so';

COMMENT ON COLUMN state_spans.seconds IS 'How long; NULL: still so';

COMMENT ON COLUMN state_spans.source IS 'event, or observation when the state was learnt by asking';

COMMENT ON COLUMN state_spans.since_us IS 'From when on, in microseconds since 1970';

COMMENT ON COLUMN state_spans.until_us IS 'Until when, in microseconds since 1970; NULL: still so';

COMMENT ON COLUMN state_spans.name IS 'What the resource was called when it began';

COMMENT ON COLUMN state_spans.platform IS 'Name of the platform that it is on';

CREATE VIEW current_states AS
SELECT r.uri AS uri, t.text AS type, (SELECT b.text FROM texts b WHERE b.id = p.name_id) AS name, s.text AS state, (to_timestamp(p.state_at / 1000000) + make_interval(secs => CAST(mod(p.state_at, 1000000) AS double precision) / 1e6)) AS seen_at,
  CASE WHEN p.state_source = 0 THEN 'event' ELSE 'observation' END AS source,
  (to_timestamp(p.state_since / 1000000) + make_interval(secs => CAST(mod(p.state_since, 1000000) AS double precision) / 1e6)) AS since, (to_timestamp(p.gone_at / 1000000) + make_interval(secs => CAST(mod(p.gone_at, 1000000) AS double precision) / 1e6)) AS gone_at,
  (to_timestamp(p.first_at / 1000000) + make_interval(secs => CAST(mod(p.first_at, 1000000) AS double precision) / 1e6)) AS first_at,
  p.state_at AS seen_us, p.state_since AS since_us, p.gone_at AS gone_us, p.first_at AS first_us,
  (SELECT b.text FROM texts b WHERE b.id = p.image_id) AS image, (SELECT b.text FROM texts b WHERE b.id = p.slot_id) AS slot, (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform,
  coalesce((SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (t.text || ' ' || lower(s.text)), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (CASE WHEN length(lower(s.text)) > length(t.text || ' ' || split_part(lower(s.text), ' (', 1)) THEN lower(s.text) ELSE t.text || ' ' || split_part(lower(s.text), ' (', 1) END), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (CASE WHEN length(lower(s.text)) > length(t.text || ' ' || split_part(lower(s.text), ' (', 1)) THEN t.text || ' ' || split_part(lower(s.text), ' (', 1) ELSE lower(s.text) END), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (split_part(lower(s.text), ' (', 1))) COLLATE "C" AS kind
FROM present p
JOIN resources r ON r.platform_id = p.platform_id AND r.id = p.resource_id
JOIN event_types t ON t.id = p.type_id AND p.resource_id + 0 >= 0 AND p.resource_id + 1 >= 1 AND p.resource_id + 2 >= 2
JOIN event_states s ON s.id = p.state_id;

COMMENT ON VIEW current_states IS 'The last known state of every resource';

COMMENT ON COLUMN current_states.uri IS 'URI of the resource';

COMMENT ON COLUMN current_states.type IS 'Its type';

COMMENT ON COLUMN current_states.name IS 'Its name, where known';

COMMENT ON COLUMN current_states.state IS 'The last state known';

COMMENT ON COLUMN current_states.seen_at IS 'When that was last told or found, UTC';

COMMENT ON COLUMN current_states.source IS 'event, or observation when the state was learnt by asking';

COMMENT ON COLUMN current_states.since IS 'Since when it is in that state, UTC';

COMMENT ON COLUMN current_states.gone_at IS 'Since when it is no more, UTC; NULL: it lives';

COMMENT ON COLUMN current_states.first_at IS 'When it was first heard of, UTC';

COMMENT ON COLUMN current_states.seen_us IS 'When its state was last told or found, in microseconds since 1970';

COMMENT ON COLUMN current_states.since_us IS 'Since when it is in that state, in microseconds since 1970';

COMMENT ON COLUMN current_states.gone_us IS 'Since when it is no more, in microseconds since 1970; NULL: it lives';

COMMENT ON COLUMN current_states.first_us IS 'When it was first heard of, in microseconds since 1970';

COMMENT ON COLUMN current_states.image IS 'The last image known, as the platform writes it';

COMMENT ON COLUMN current_states.slot IS 'The slot that it fills, or filled last: what lives on when a container is replaced';

COMMENT ON COLUMN current_states.platform IS 'Name of the platform that it is on';

COMMENT ON COLUMN current_states.kind IS 'up, down, starting or gone, as `state_kinds` says; NULL: it says nothing of that state';

CREATE VIEW action_log AS
SELECT r.uri AS action, (SELECT b.text FROM present o JOIN texts b ON b.id = o.name_id
   WHERE o.platform_id = f.platform_id AND o.resource_id = f.resource_id) AS name, o.uri AS target,
  (SELECT b.text FROM present p JOIN event_states b ON b.id = p.state_id WHERE p.platform_id = f.platform_id AND p.resource_id = f.resource_id) AS state, e.at AS started_at,
  (to_timestamp(CASE WHEN f.until < 4611686018427387904 THEN f.until END / 1000000) + make_interval(secs => CAST(mod(CASE WHEN f.until < 4611686018427387904 THEN f.until END, 1000000) AS double precision) / 1e6)) AS finished_at, CAST(CASE WHEN f.until < 4611686018427387904 THEN f.until END - f.since AS double precision) / 1e6 AS seconds,
  f.since AS started_us, CASE WHEN f.until < 4611686018427387904 THEN f.until END AS finished_us, (SELECT p.state_at FROM present p WHERE p.platform_id = f.platform_id AND p.resource_id = f.resource_id) AS seen_us,
  (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform
FROM facts f
JOIN (
  SELECT platform_id, resource_id, occurred_at AS at, 0 AS source, id FROM events
  UNION ALL
  SELECT platform_id, resource_id, observed_at AS at, 1 AS source, id FROM observations
) e ON e.platform_id = f.platform_id AND e.resource_id = f.resource_id
  AND CAST(extract(epoch FROM e.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) = f.since AND e.id = CASE e.source WHEN 0 THEN (SELECT min(b.id) FROM events b WHERE b.platform_id = e.platform_id AND b.resource_id = e.resource_id AND b.occurred_at = e.at) ELSE (SELECT min(b.id) FROM observations b WHERE b.platform_id = e.platform_id AND b.resource_id = e.resource_id AND b.observed_at = e.at) END
  AND (e.source = 0 OR NOT EXISTS (SELECT 1 FROM events b WHERE b.platform_id = e.platform_id AND b.resource_id = e.resource_id AND b.occurred_at = e.at))
JOIN resources r ON r.platform_id = f.platform_id AND r.id = f.resource_id
LEFT JOIN resources o ON o.id = f.value
  AND o.platform_id = f.platform_id
WHERE f.what = 2;

COMMENT ON VIEW action_log IS 'Every action that ran on the platform';

COMMENT ON COLUMN action_log.action IS 'URI of the action';

COMMENT ON COLUMN action_log.name IS 'What it does, where known';

COMMENT ON COLUMN action_log.target IS 'URI of the object it applies to';

COMMENT ON COLUMN action_log.state IS 'Its last state';

COMMENT ON COLUMN action_log.started_at IS 'When it was first heard of, UTC';

COMMENT ON COLUMN action_log.finished_at IS 'When it ended, UTC; NULL: not as far as known';

COMMENT ON COLUMN action_log.seconds IS 'How long it took';

COMMENT ON COLUMN action_log.started_us IS 'When it was first heard of, in microseconds since 1970';

COMMENT ON COLUMN action_log.finished_us IS 'When it ended, in microseconds since 1970; NULL: not as far as known';

COMMENT ON COLUMN action_log.seen_us IS 'When its last state was told, in microseconds since 1970';

COMMENT ON COLUMN action_log.platform IS 'Name of the platform that it is on';

CREATE VIEW subtree AS
SELECT u.ancestor_uri AS ancestor_uri, u.descendant_uri AS descendant_uri,
  (SELECT t.text FROM event_types t WHERE t.id = u.type_id) AS descendant_type,
  (to_timestamp(u.since_us / 1000000) + make_interval(secs => CAST(mod(u.since_us, 1000000) AS double precision) / 1e6)) AS since, (to_timestamp(CASE WHEN u.until_us < 4611686018427387904 THEN u.until_us END / 1000000) + make_interval(secs => CAST(mod(CASE WHEN u.until_us < 4611686018427387904 THEN u.until_us END, 1000000) AS double precision) / 1e6)) AS until, CASE u.how WHEN 0 THEN 'told' WHEN 1 THEN 'asked' WHEN 2 THEN 'inferred' END AS how, u.since_us AS since_us,
  CASE WHEN u.until_us < 4611686018427387904 THEN u.until_us END AS until_us, u.holds AS holds, (SELECT t.text FROM event_types t WHERE t.id = u.head_type_id) AS ancestor_type,
  (SELECT b.name FROM platforms b WHERE b.id = u.platform_id) AS platform
FROM (
SELECT w.ancestor_uri AS ancestor_uri, w.descendant_uri AS descendant_uri, w.type_id AS type_id,
  w.head_type_id AS head_type_id, CASE WHEN w.is_action = 1 THEN w.since_us
    WHEN coalesce((SELECT 1 FROM facts o1
    LEFT JOIN facts o2 ON o2.platform_id = w.platform_id AND o2.resource_id = o1.value AND o2.what = 1 AND o2.since <= (w.since_us - 1) AND o2.until > (w.since_us - 1)
    LEFT JOIN facts o3 ON o3.platform_id = w.platform_id AND o3.resource_id = o2.value AND o3.what = 1 AND o3.since <= (w.since_us - 1) AND o3.until > (w.since_us - 1)
    LEFT JOIN facts o4 ON o4.platform_id = w.platform_id AND o4.resource_id = o3.value AND o4.what = 1 AND o4.since <= (w.since_us - 1) AND o4.until > (w.since_us - 1)
    WHERE o1.platform_id = w.platform_id AND o1.resource_id = w.foot AND o1.what = 1 AND o1.since <= (w.since_us - 1)
      AND o1.until > (w.since_us - 1) AND (w.head IN (o1.value, o2.value, o3.value, o4.value)) LIMIT 1), 0) = 0 THEN w.since_us ELSE (
    SELECT max(b.since_us) FROM (
      SELECT CASE l.level WHEN 1 THEN o1.value WHEN 2 THEN o2.value WHEN 3 THEN o3.value WHEN 4 THEN o4.value END AS head, CASE l.level WHEN 1 THEN o1.since WHEN 2 THEN greatest(o1.since, o2.since) WHEN 3 THEN greatest(o1.since, o2.since, o3.since) WHEN 4 THEN greatest(o1.since, o2.since, o3.since, o4.since) END AS since_us, CASE l.level WHEN 1 THEN o1.until WHEN 2 THEN least(o1.until, o2.until) WHEN 3 THEN least(o1.until, o2.until, o3.until) WHEN 4 THEN least(o1.until, o2.until, o3.until, o4.until) END AS until_us
      FROM facts o1
      LEFT JOIN facts o2 ON o2.platform_id = w.platform_id AND o2.resource_id = o1.value AND o2.what = 1
      LEFT JOIN facts o3 ON o3.platform_id = w.platform_id AND o3.resource_id = o2.value AND o3.what = 1
      LEFT JOIN facts o4 ON o4.platform_id = w.platform_id AND o4.resource_id = o3.value AND o4.what = 1
      CROSS JOIN (SELECT 1 AS level UNION ALL SELECT 2 AS level UNION ALL SELECT 3 AS level UNION ALL SELECT 4 AS level) l
      WHERE o1.platform_id = w.platform_id AND o1.resource_id = w.foot AND o1.what = 1
    ) b
    WHERE b.head = w.head AND b.since_us < b.until_us AND b.since_us < w.since_us
      AND coalesce((SELECT 1 FROM facts o1
    LEFT JOIN facts o2 ON o2.platform_id = w.platform_id AND o2.resource_id = o1.value AND o2.what = 1 AND o2.since <= (b.since_us - 1) AND o2.until > (b.since_us - 1)
    LEFT JOIN facts o3 ON o3.platform_id = w.platform_id AND o3.resource_id = o2.value AND o3.what = 1 AND o3.since <= (b.since_us - 1) AND o3.until > (b.since_us - 1)
    LEFT JOIN facts o4 ON o4.platform_id = w.platform_id AND o4.resource_id = o3.value AND o4.what = 1 AND o4.since <= (b.since_us - 1) AND o4.until > (b.since_us - 1)
    WHERE o1.platform_id = w.platform_id AND o1.resource_id = w.foot AND o1.what = 1 AND o1.since <= (b.since_us - 1)
      AND o1.until > (b.since_us - 1) AND (w.head IN (o1.value, o2.value, o3.value, o4.value)) LIMIT 1), 0) = 0) END AS since_us,
  w.until_us AS until_us, w.how AS how, w.holds AS holds, w.platform_id AS platform_id
FROM (
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(0 AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(f1.since AS bigint) AS since_us, CAST(4611686018427387904 AS bigint) AS until_us, CAST(f1.how AS bigint) AS how,
    1 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 1 AS edges
  FROM facts f1 
  JOIN resources a ON a.id = f1.value
    AND a.platform_id = f1.platform_id
  JOIN resources d ON d.platform_id = f1.platform_id AND d.id = f1.resource_id
  WHERE f1.what = 1 AND f1.node = 4611686018427387904 AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(greatest(f1.since, f2.since) AS bigint) AS since_us, CAST(4611686018427387904 AS bigint) AS until_us, CAST(greatest(f1.how, f2.how) AS bigint) AS how,
    1 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 2 AS edges
  FROM facts f1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND f2.resource_id = f1.value AND f2.what = 1
  JOIN resources a ON a.id = f2.value
    AND a.platform_id = f2.platform_id
  JOIN resources d ON d.platform_id = f1.platform_id AND d.id = f1.resource_id
  WHERE f1.what = 1 AND f1.node = 4611686018427387904 AND f2.node = 4611686018427387904 AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(f2.value AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(greatest(f1.since, f2.since, f3.since) AS bigint) AS since_us, CAST(4611686018427387904 AS bigint) AS until_us, CAST(greatest(f1.how, f2.how, f3.how) AS bigint) AS how,
    1 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 3 AS edges
  FROM facts f1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND f2.resource_id = f1.value AND f2.what = 1 JOIN facts f3 ON f3.platform_id = f2.platform_id AND f3.resource_id = f2.value AND f3.what = 1
  JOIN resources a ON a.id = f3.value
    AND a.platform_id = f3.platform_id
  JOIN resources d ON d.platform_id = f1.platform_id AND d.id = f1.resource_id
  WHERE f1.what = 1 AND f1.node = 4611686018427387904 AND f2.node = 4611686018427387904 AND f3.node = 4611686018427387904 AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(f2.value AS bigint) AS v2, CAST(f3.value AS bigint) AS v3, CAST(greatest(f1.since, f2.since, f3.since, f4.since) AS bigint) AS since_us, CAST(4611686018427387904 AS bigint) AS until_us, CAST(greatest(f1.how, f2.how, f3.how, f4.how) AS bigint) AS how,
    1 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 4 AS edges
  FROM facts f1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND f2.resource_id = f1.value AND f2.what = 1 JOIN facts f3 ON f3.platform_id = f2.platform_id AND f3.resource_id = f2.value AND f3.what = 1 JOIN facts f4 ON f4.platform_id = f3.platform_id AND f4.resource_id = f3.value AND f4.what = 1
  JOIN resources a ON a.id = f4.value
    AND a.platform_id = f4.platform_id
  JOIN resources d ON d.platform_id = f1.platform_id AND d.id = f1.resource_id
  WHERE f1.what = 1 AND f1.node = 4611686018427387904 AND f2.node = 4611686018427387904 AND f3.node = 4611686018427387904 AND f4.node = 4611686018427387904 AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(0 AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(f1.since AS bigint) AS since_us, CAST(f1.until AS bigint) AS until_us, CAST(f1.how AS bigint) AS how,
    0 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 1 AS edges
  FROM facts f1 
  JOIN resources a ON a.id = f1.value
    AND a.platform_id = f1.platform_id
  JOIN resources d ON d.platform_id = f1.platform_id AND d.id = f1.resource_id
  WHERE f1.what = 1 AND f1.until < 4611686018427387904 AND f1.since < f1.until AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(greatest(f1.since, f2.since) AS bigint) AS since_us, CAST(least(f1.until, f2.until) AS bigint) AS until_us, CAST(greatest(f1.how, f2.how) AS bigint) AS how,
    0 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 2 AS edges
  FROM facts f1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND f2.resource_id = f1.value AND f2.what = 1
  JOIN resources a ON a.id = f2.value
    AND a.platform_id = f2.platform_id
  JOIN resources d ON d.platform_id = f1.platform_id AND d.id = f1.resource_id
  WHERE f1.what = 1 AND least(f1.until, f2.until) < 4611686018427387904 AND greatest(f1.since, f2.since) < least(f1.until, f2.until) AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(f2.value AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(greatest(f1.since, f2.since, f3.since) AS bigint) AS since_us, CAST(least(f1.until, f2.until, f3.until) AS bigint) AS until_us, CAST(greatest(f1.how, f2.how, f3.how) AS bigint) AS how,
    0 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 3 AS edges
  FROM facts f1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND f2.resource_id = f1.value AND f2.what = 1 JOIN facts f3 ON f3.platform_id = f2.platform_id AND f3.resource_id = f2.value AND f3.what = 1
  JOIN resources a ON a.id = f3.value
    AND a.platform_id = f3.platform_id
  JOIN resources d ON d.platform_id = f1.platform_id AND d.id = f1.resource_id
  WHERE f1.what = 1 AND least(f1.until, f2.until, f3.until) < 4611686018427387904 AND greatest(f1.since, f2.since, f3.since) < least(f1.until, f2.until, f3.until) AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(f2.value AS bigint) AS v2, CAST(f3.value AS bigint) AS v3, CAST(greatest(f1.since, f2.since, f3.since, f4.since) AS bigint) AS since_us, CAST(least(f1.until, f2.until, f3.until, f4.until) AS bigint) AS until_us, CAST(greatest(f1.how, f2.how, f3.how, f4.how) AS bigint) AS how,
    0 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 4 AS edges
  FROM facts f1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND f2.resource_id = f1.value AND f2.what = 1 JOIN facts f3 ON f3.platform_id = f2.platform_id AND f3.resource_id = f2.value AND f3.what = 1 JOIN facts f4 ON f4.platform_id = f3.platform_id AND f4.resource_id = f3.value AND f4.what = 1
  JOIN resources a ON a.id = f4.value
    AND a.platform_id = f4.platform_id
  JOIN resources d ON d.platform_id = f1.platform_id AND d.id = f1.resource_id
  WHERE f1.what = 1 AND least(f1.until, f2.until, f3.until, f4.until) < 4611686018427387904 AND greatest(f1.since, f2.since, f3.since, f4.since) < least(f1.until, f2.until, f3.until, f4.until) AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(0 AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(f0.since AS bigint) AS since_us, CAST(f0.until AS bigint) AS until_us, CAST(f0.how AS bigint) AS how,
    0 AS holds, 1 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f0.value AS foot, 0 AS edges
  FROM facts f0 
  JOIN resources a ON a.id = f0.value
    AND a.platform_id = f0.platform_id
  JOIN resources d ON d.platform_id = f0.platform_id AND d.id = f0.resource_id
  WHERE f0.what = 2 AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(0 AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(f0.since AS bigint) AS since_us, CAST(f0.until AS bigint) AS until_us, CAST(greatest(f0.how, f1.how) AS bigint) AS how,
    0 AS holds, 1 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f0.value AS foot, 1 AS edges
  FROM facts f0 JOIN facts f1 ON f1.platform_id = f0.platform_id AND f1.resource_id = f0.value AND f1.what = 1
  JOIN resources a ON a.id = f1.value
    AND a.platform_id = f1.platform_id
  JOIN resources d ON d.platform_id = f0.platform_id AND d.id = f0.resource_id
  WHERE f0.what = 2 AND f0.since - f1.since >= 0 AND f1.until - f0.since > 0 AND a.id <> d.id AND a.id <> f0.value
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(f0.since AS bigint) AS since_us, CAST(f0.until AS bigint) AS until_us, CAST(greatest(f0.how, f1.how, f2.how) AS bigint) AS how,
    0 AS holds, 1 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f0.value AS foot, 2 AS edges
  FROM facts f0 JOIN facts f1 ON f1.platform_id = f0.platform_id AND f1.resource_id = f0.value AND f1.what = 1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND f2.resource_id = f1.value AND f2.what = 1
  JOIN resources a ON a.id = f2.value
    AND a.platform_id = f2.platform_id
  JOIN resources d ON d.platform_id = f0.platform_id AND d.id = f0.resource_id
  WHERE f0.what = 2 AND f0.since - f1.since >= 0 AND f1.until - f0.since > 0 AND f0.since - f2.since >= 0 AND f2.until - f0.since > 0 AND a.id <> d.id AND a.id <> f0.value
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(f2.value AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(f0.since AS bigint) AS since_us, CAST(f0.until AS bigint) AS until_us, CAST(greatest(f0.how, f1.how, f2.how, f3.how) AS bigint) AS how,
    0 AS holds, 1 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f0.value AS foot, 3 AS edges
  FROM facts f0 JOIN facts f1 ON f1.platform_id = f0.platform_id AND f1.resource_id = f0.value AND f1.what = 1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND f2.resource_id = f1.value AND f2.what = 1 JOIN facts f3 ON f3.platform_id = f2.platform_id AND f3.resource_id = f2.value AND f3.what = 1
  JOIN resources a ON a.id = f3.value
    AND a.platform_id = f3.platform_id
  JOIN resources d ON d.platform_id = f0.platform_id AND d.id = f0.resource_id
  WHERE f0.what = 2 AND f0.since - f1.since >= 0 AND f1.until - f0.since > 0 AND f0.since - f2.since >= 0 AND f2.until - f0.since > 0 AND f0.since - f3.since >= 0 AND f3.until - f0.since > 0 AND a.id <> d.id AND a.id <> f0.value
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(f2.value AS bigint) AS v2, CAST(f3.value AS bigint) AS v3, CAST(f0.since AS bigint) AS since_us, CAST(f0.until AS bigint) AS until_us, CAST(greatest(f0.how, f1.how, f2.how, f3.how, f4.how) AS bigint) AS how,
    0 AS holds, 1 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f0.value AS foot, 4 AS edges
  FROM facts f0 JOIN facts f1 ON f1.platform_id = f0.platform_id AND f1.resource_id = f0.value AND f1.what = 1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND f2.resource_id = f1.value AND f2.what = 1 JOIN facts f3 ON f3.platform_id = f2.platform_id AND f3.resource_id = f2.value AND f3.what = 1 JOIN facts f4 ON f4.platform_id = f3.platform_id AND f4.resource_id = f3.value AND f4.what = 1
  JOIN resources a ON a.id = f4.value
    AND a.platform_id = f4.platform_id
  JOIN resources d ON d.platform_id = f0.platform_id AND d.id = f0.resource_id
  WHERE f0.what = 2 AND f0.since - f1.since >= 0 AND f1.until - f0.since > 0 AND f0.since - f2.since >= 0 AND f2.until - f0.since > 0 AND f0.since - f3.since >= 0 AND f3.until - f0.since > 0 AND f0.since - f4.since >= 0 AND f4.until - f0.since > 0 AND a.id <> d.id AND a.id <> f0.value
) w
WHERE (w.edges < 2 OR coalesce((SELECT 1 FROM facts o1
    LEFT JOIN facts o2 ON o2.platform_id = w.platform_id AND o2.resource_id = o1.value AND o2.what = 1 AND o2.since <= CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END AND o2.until > CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END
    LEFT JOIN facts o3 ON o3.platform_id = w.platform_id AND o3.resource_id = o2.value AND o3.what = 1 AND o3.since <= CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END AND o3.until > CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END
    LEFT JOIN facts o4 ON o4.platform_id = w.platform_id AND o4.resource_id = o3.value AND o4.what = 1 AND o4.since <= CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END AND o4.until > CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END
    WHERE o1.platform_id = w.platform_id AND o1.resource_id = w.foot AND o1.what = 1 AND o1.since <= CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END
      AND o1.until > CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END AND ((o1.value = w.head AND w.edges > 1) OR (o2.value = w.head AND (w.edges > 2 OR (w.edges = 2 AND (o1.value) < (w.v1)))) OR (o3.value = w.head AND (w.edges > 3 OR (w.edges = 3 AND (o1.value, o2.value) < (w.v1, w.v2)))) OR (o4.value = w.head AND (w.edges > 4 OR (w.edges = 4 AND (o1.value, o2.value, o3.value) < (w.v1, w.v2, w.v3))))) LIMIT 1), 0) = 0)
  AND (w.holds = 1 OR w.is_action = 1 OR coalesce((SELECT 1 FROM facts o1
    LEFT JOIN facts o2 ON o2.platform_id = w.platform_id AND o2.resource_id = o1.value AND o2.what = 1 AND o2.since <= w.until_us AND o2.until > w.until_us
    LEFT JOIN facts o3 ON o3.platform_id = w.platform_id AND o3.resource_id = o2.value AND o3.what = 1 AND o3.since <= w.until_us AND o3.until > w.until_us
    LEFT JOIN facts o4 ON o4.platform_id = w.platform_id AND o4.resource_id = o3.value AND o4.what = 1 AND o4.since <= w.until_us AND o4.until > w.until_us
    WHERE o1.platform_id = w.platform_id AND o1.resource_id = w.foot AND o1.what = 1 AND o1.since <= w.until_us
      AND o1.until > w.until_us AND (w.head IN (o1.value, o2.value, o3.value, o4.value)) LIMIT 1), 0) = 0)
) u;

COMMENT ON VIEW subtree IS 'What was under what from when until when, over all levels; an action as of its beginning';

COMMENT ON COLUMN subtree.ancestor_uri IS 'URI of the resource above';

COMMENT ON COLUMN subtree.descendant_uri IS 'URI of the resource below';

COMMENT ON COLUMN subtree.descendant_type IS 'Type of the resource below';

COMMENT ON COLUMN subtree.since IS 'From when on it was under it, UTC; of an action: when that began';

COMMENT ON COLUMN subtree.until IS 'Until when, UTC; NULL: still so';

COMMENT ON COLUMN subtree.how IS 'told, asked, or inferred from what others say of themselves';

COMMENT ON COLUMN subtree.since_us IS 'From when on, in microseconds since 1970';

COMMENT ON COLUMN subtree.until_us IS 'Until when, in microseconds since 1970; NULL: still so';

COMMENT ON COLUMN subtree.holds IS '1: an object that is still under it; 0: one that was, or an action. To ask for 1 costs no past';

COMMENT ON COLUMN subtree.ancestor_type IS 'Type of the resource above';

COMMENT ON COLUMN subtree.platform IS 'Name of the platform that both are on';

CREATE VIEW gap_log AS
SELECT g.stream AS stream, (to_timestamp(g.watched_to / 1000000) + make_interval(secs => CAST(mod(g.watched_to, 1000000) AS double precision) / 1e6)) AS since, (to_timestamp(g.next_from / 1000000) + make_interval(secs => CAST(mod(g.next_from, 1000000) AS double precision) / 1e6)) AS until,
  CAST(g.next_from - g.watched_to AS double precision) / 1e6 AS seconds, g.reason AS reason, g.kind AS kind,
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
          SELECT s.id AS id, s.stream_id AS stream_id, st.url AS stream, CAST(extract(epoch FROM s.covered_from - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS covered_from,
                 CASE WHEN s.closed_at IS NULL AND CAST(extract(epoch FROM s.last_seen_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) > CAST(extract(epoch FROM now()) * 1000000 AS bigint) - 20000000 THEN 4611686018427387904
                      ELSE CAST(extract(epoch FROM coalesce(s.closed_at, s.last_seen_at) - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) END AS watched_to,
                 CASE WHEN s.closed_at IS NULL THEN 'no sign of life from the archiver' ELSE coalesce(s.reason, 'the archiver stopped without a word') END AS reason,
                 CASE WHEN s.closed_at IS NULL THEN 'silent' ELSE s.kind END AS kind
          FROM sessions s
          JOIN streams st ON st.id = s.stream_id
        ) w
      ) m
    ) i
  ) e
  WHERE place = 1
) g
WHERE g.watched_to < 4611686018427387904;

COMMENT ON VIEW gap_log IS 'When nobody was watching a stream, and why';

COMMENT ON COLUMN gap_log.stream IS 'URL of the stream';

COMMENT ON COLUMN gap_log.since IS 'From when on nobody was watching, UTC';

COMMENT ON COLUMN gap_log.until IS 'Until when, UTC; NULL: still so';

COMMENT ON COLUMN gap_log.seconds IS 'How long; NULL: still so';

COMMENT ON COLUMN gap_log.reason IS 'Why the watching ended, in words';

COMMENT ON COLUMN gap_log.kind IS 'Why it ended, for programs: stopped, lost, refused, silent ...; NULL: nobody wrote it down';

COMMENT ON COLUMN gap_log.since_us IS 'From when on, in microseconds since 1970';

COMMENT ON COLUMN gap_log.until_us IS 'Until when, in microseconds since 1970; NULL: still so';

CREATE VIEW watched_spans AS
SELECT x.uri AS uri, x.type AS type,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.what = 3 AND f.since <= x.begin_us
    ORDER BY f.since DESC LIMIT 1) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.since_us <= x.begin_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.platform_id = f.platform_id AND b.resource_id = f.parent_id AND b.since_us <= x.begin_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.since_us <= x.begin_us) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.since_us <= x.begin_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.what = 5 AND f.since <= x.begin_us
    ORDER BY f.since DESC LIMIT 1) AS slot,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.since_us <= x.begin_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.what = 4 AND f.since <= x.begin_us
    ORDER BY f.since DESC LIMIT 1) AS image,
  x.state AS state, coalesce((SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (x.type || ' ' || lower(x.state)), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (CASE WHEN length(lower(x.state)) > length(x.type || ' ' || split_part(lower(x.state), ' (', 1)) THEN lower(x.state) ELSE x.type || ' ' || split_part(lower(x.state), ' (', 1) END), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (CASE WHEN length(lower(x.state)) > length(x.type || ' ' || split_part(lower(x.state), ' (', 1)) THEN x.type || ' ' || split_part(lower(x.state), ' (', 1) ELSE lower(x.state) END), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (split_part(lower(x.state), ' (', 1))) COLLATE "C" AS kind,
  (to_timestamp(x.since_us / 1000000) + make_interval(secs => CAST(mod(x.since_us, 1000000) AS double precision) / 1e6)) AS since, (to_timestamp(x.until_us / 1000000) + make_interval(secs => CAST(mod(x.until_us, 1000000) AS double precision) / 1e6)) AS until,
  CAST(x.until_us - x.since_us AS double precision) / 1e6 AS seconds, x.certain AS certain, x.watched AS watched,
  CASE WHEN x.until_us = x.end_us THEN x.is_last ELSE 0 END AS holds,
  x.told_at AS state_since,
  x.since_us AS since_us, x.until_us AS until_us,
  CAST(extract(epoch FROM x.told_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS state_since_us,
  (SELECT b.name FROM platforms b WHERE b.id = x.platform_id) AS platform
FROM (SELECT v.*, CASE v.part WHEN 0 THEN v.begin_us
    WHEN 1 THEN greatest(v.begin_us, v.before_us)
    WHEN 2 THEN greatest(v.begin_us, v.before_us, coalesce(v.proven_us, v.resumed_us))
    WHEN 3 THEN CASE WHEN v.proven_us IS NULL THEN v.again_us ELSE v.resumed_us END
    ELSE greatest(v.begin_us, v.gap_us) END AS since_us, CASE v.part
    WHEN 1 THEN least(v.end_us, v.resumed_us, coalesce(v.proven_us, v.resumed_us))
    WHEN 2 THEN
      CASE WHEN v.proven_us IS NULL THEN least(v.end_us, v.gap_us, v.again_us) ELSE least(v.end_us, v.resumed_us) END
    WHEN 4 THEN v.end_us
    ELSE least(v.end_us, v.gap_us) END AS until_us, CASE WHEN v.state IS NULL THEN NULL WHEN v.heard_by IS NULL THEN 0
    WHEN v.part = 3 OR (v.part = 2 AND v.proven_us IS NOT NULL) OR (v.part = 0 AND v.gap_us > v.begin_us) THEN 1 ELSE 0 END AS certain, CASE WHEN v.heard_by IS NULL THEN NULL WHEN v.part IN (1, 4) OR (v.part = 2 AND v.proven_us IS NOT NULL)
      OR (v.part = 0 AND v.gap_us <= v.begin_us) THEN 0 ELSE 1 END AS watched
FROM (SELECT w.*, g.part AS part,
  g.heard_by AS heard_by,
  g.state AS state,
  g.begin_us AS begin_us,
  g.is_last AS is_last,
  g.end_us AS end_us,
  g.before_us AS before_us,
  g.resumed_us AS resumed_us,
  g.again_us AS again_us,
  g.proven_us AS proven_us,
  g.gap_us AS gap_us,
  g.is_piece AS is_piece
FROM (
SELECT r.uri AS uri, t.text AS type, w.at AS at, w.source AS source, w.id AS id, w.resource_id AS resource_id,
  w.state_id AS state_id, w.session_id AS session_id, p.type_id AS type_id, p.state_since AS last_since_us,
  p.gone_at AS gone_us, w.platform_id AS platform_id, w.told_at AS told_at
FROM (
  SELECT b.*, b.at AS told_at FROM (SELECT platform_id, resource_id, occurred_at AS at, 0 AS source, id, state_id, session_id FROM events) b
  UNION ALL
  SELECT b.*, b.at AS told_at FROM (SELECT platform_id, resource_id, observed_at AS at, 1 AS source, id, state_id, session_id FROM observations) b
  UNION ALL
  SELECT platform_id, resource_id, CAST((to_timestamp(first_at / 1000000) + make_interval(secs => CAST(mod(first_at, 1000000) AS double precision) / 1e6)) AS timestamptz) AS at, 2 AS source, CAST(0 AS bigint) AS id, CAST(NULL AS bigint) AS state_id, CAST(NULL AS bigint) AS session_id, CAST(NULL AS timestamptz) AS told_at FROM present
) w
JOIN resources r ON r.id = w.resource_id AND r.platform_id = w.platform_id
JOIN present p ON p.resource_id = w.resource_id AND p.platform_id = w.platform_id
JOIN event_types t ON t.id = p.type_id AND w.id + 0 >= 0 AND w.id + 1 >= 1
) w
CROSS JOIN LATERAL (SELECT k.part AS part,
  h.id AS heard_by,
  s.text AS state,
  CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS begin_us,
  CASE WHEN CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END IS NULL THEN 1 ELSE 0 END AS is_last,
  CASE WHEN CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END IS NULL THEN greatest(CAST(extract(epoch FROM now()) * 1000000 AS bigint), CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint)) ELSE CAST(extract(epoch FROM CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) END AS end_us,
  CASE WHEN x.id IS NULL THEN CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) ELSE (SELECT b.watched_us FROM session_log b WHERE b.id = x.id) END AS before_us,
  CAST(extract(epoch FROM y.covered_from - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS resumed_us,
  CASE WHEN y.id IS NULL THEN 4611686018427387904 ELSE least(coalesce((SELECT CAST(extract(epoch FROM o.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.occurred_at >= y.covered_from
      ORDER BY o.occurred_at LIMIT 1), 4611686018427387904), coalesce((SELECT CAST(extract(epoch FROM o.observed_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.observed_at >= y.covered_from
      ORDER BY o.observed_at LIMIT 1), 4611686018427387904)) END AS again_us,
  CASE WHEN x.id IS NOT NULL AND k.part <> 0 THEN (SELECT p.since_us FROM unchanged p WHERE p.platform_id = w.platform_id AND p.observation_id = (SELECT o.id FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.observed_at >= y.covered_from
      ORDER BY o.observed_at, o.id LIMIT 1) AND p.since < y.covered_from) END AS proven_us,
  CASE WHEN e.id IS NOT NULL THEN (SELECT b.watched_us FROM session_log b WHERE b.id = e.id)
    WHEN z.id IS NOT NULL THEN 0 ELSE 4611686018427387904 END AS gap_us,
  CASE WHEN k.part IN (0, 4) OR (y.id IS NOT NULL AND (x.id IS NULL OR (SELECT b.watched_us FROM session_log b WHERE b.id = x.id) < (SELECT b.covered_us FROM session_log b WHERE b.id = y.id))) THEN 1 ELSE 0 END AS is_piece
FROM (SELECT 1 AS one) one
LEFT JOIN event_states s ON s.id = w.state_id
LEFT JOIN events ON events.platform_id = w.platform_id AND events.id = CASE WHEN CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) < w.last_since_us THEN (SELECT o.id FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND (o.occurred_at > w.at OR (w.source = 0 AND o.id > w.id)) AND o.state_id <> coalesce(w.state_id, 0)
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> coalesce(lower(s.text), '')
      ORDER BY o.occurred_at LIMIT 1)
    ELSE (SELECT o.id FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND o.occurred_at <= w.at AND ((w.source = 0 AND o.id > w.id)) AND o.state_id <> coalesce(w.state_id, 0)
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> coalesce(lower(s.text), '')
      ORDER BY o.occurred_at LIMIT 1) END
LEFT JOIN observations ON observations.platform_id = w.platform_id AND observations.id = CASE WHEN CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) < w.last_since_us THEN (SELECT o.id FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.observed_at >= w.at AND (o.observed_at > w.at OR w.source = 0 OR o.id > w.id) AND o.state_id <> coalesce(w.state_id, 0)
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> coalesce(lower(s.text), '')
      ORDER BY o.observed_at LIMIT 1)
    ELSE (SELECT o.id FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.observed_at >= w.at AND o.observed_at <= w.at AND (w.source = 0 OR o.id > w.id) AND o.state_id <> coalesce(w.state_id, 0)
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> coalesce(lower(s.text), '')
      ORDER BY o.observed_at LIMIT 1) END
LEFT JOIN sessions h ON h.id = w.session_id
LEFT JOIN sessions u ON u.id = (SELECT q.id FROM sessions q
  WHERE q.stream_id = h.stream_id AND q.covered_from > CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END ORDER BY q.covered_from LIMIT 1)
CROSS JOIN (SELECT 0 AS part UNION ALL SELECT 1 AS part UNION ALL SELECT 2 AS part UNION ALL SELECT 3 AS part UNION ALL SELECT 4 AS part) k
LEFT JOIN sessions y ON k.part IN (1, 2, 3) AND NOT (w.gone_us IS NOT NULL AND CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END IS NULL) AND y.stream_id = h.stream_id AND y.covered_from > w.at AND y.covered_from <= coalesce(u.covered_from, CAST('infinity' AS timestamptz)) AND (CAST(extract(epoch FROM y.covered_from - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) - CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) >= 1000000 OR CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) / 1000000 * 1000000 <> CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint))
LEFT JOIN sessions x ON x.id = CASE WHEN y.id IS NOT NULL THEN (SELECT o.id FROM (SELECT b.id AS id, b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = y.stream_id AND b.covered_from <= y.covered_from AND (b.covered_from < y.covered_from OR b.id < y.id) ORDER BY b.covered_from DESC LIMIT 16) o
      ORDER BY o.watched_us DESC LIMIT 1) END
LEFT JOIN sessions z ON z.id = CASE WHEN NOT (w.gone_us IS NOT NULL AND CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END IS NULL) AND (k.part = 0 OR (k.part IN (2, 3) AND (y.id IS NOT NULL AND (x.id IS NULL OR (SELECT b.watched_us FROM session_log b WHERE b.id = x.id) < (SELECT b.covered_us FROM session_log b WHERE b.id = y.id))))) THEN (SELECT q.id FROM sessions q
      WHERE q.stream_id = h.stream_id AND q.covered_from > CASE k.part WHEN 0 THEN w.at ELSE y.covered_from END AND q.covered_from <= coalesce(u.covered_from, CAST('infinity' AS timestamptz)) AND (CAST(extract(epoch FROM q.covered_from - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) - CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) >= 1000000 OR CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) / 1000000 * 1000000 <> CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint)) AND (SELECT coalesce(b.before_us, -4611686018427387904) < b.covered_us FROM session_log b WHERE b.id = q.id)
      ORDER BY q.covered_from LIMIT 1) END
LEFT JOIN sessions e ON e.id = CASE WHEN z.id IS NOT NULL THEN (SELECT o.id FROM (SELECT b.id AS id, b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = z.stream_id AND b.covered_from <= z.covered_from AND (b.covered_from < z.covered_from OR b.id < z.id) ORDER BY b.covered_from DESC LIMIT 16) o
      ORDER BY o.watched_us DESC LIMIT 1)
    WHEN u.id IS NULL AND (NOT (w.gone_us IS NOT NULL AND CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END IS NULL) AND (k.part = 0 OR (k.part IN (2, 3) AND (y.id IS NOT NULL AND (x.id IS NULL OR (SELECT b.watched_us FROM session_log b WHERE b.id = x.id) < (SELECT b.covered_us FROM session_log b WHERE b.id = y.id))))) OR (k.part = 4 AND NOT (w.gone_us IS NOT NULL AND CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END IS NULL))) THEN (SELECT o.id FROM (SELECT b.id AS id, b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = h.stream_id AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o
      ORDER BY o.watched_us DESC LIMIT 1) END
WHERE CASE w.source WHEN 2 THEN (SELECT lower(b.text) FROM event_states b WHERE b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR w.source = 2 OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR w.source = 2 OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )) IS NULL
  ELSE coalesce((SELECT lower(b.text) FROM event_states b WHERE b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )) <> lower(s.text), s.text IS NOT NULL) END AND (k.part = 0 OR (h.id IS NOT NULL AND NOT (w.gone_us IS NOT NULL AND CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END IS NULL))) OFFSET 0) g
WHERE true) v) x
WHERE (x.since_us < x.until_us AND x.is_piece = 1) OR (x.part = 0 AND x.begin_us = x.end_us);

COMMENT ON VIEW watched_spans IS 'The states of every resource until now, split where nobody was watching: one row per stretch that is equally sure';

COMMENT ON COLUMN watched_spans.uri IS 'URI of the resource';

COMMENT ON COLUMN watched_spans.type IS 'Its type';

COMMENT ON COLUMN watched_spans.name IS 'What it was called, as last told';

COMMENT ON COLUMN watched_spans.stack IS 'Name of the stack that it was in, or is; its URI where no name is known';

COMMENT ON COLUMN watched_spans.service IS 'Name of the service that it was of, or is; its URI where no name is known';

COMMENT ON COLUMN watched_spans.slot IS 'What lives on when it is replaced, where the platform has such a thing: shop_web.1';

COMMENT ON COLUMN watched_spans.node IS 'Name of the node that it was on, or is; its URI where no name is known';

COMMENT ON COLUMN watched_spans.image IS 'Its image as told, where known: nginx:1.25';

COMMENT ON COLUMN watched_spans.state IS 'The state, as first told; NULL: the resource was named by others, and none was told yet';

COMMENT ON COLUMN watched_spans.kind IS 'up, down, starting or gone, as `state_kinds` says; NULL: it says nothing of that state';

COMMENT ON COLUMN watched_spans.since IS 'From when on, UTC';

COMMENT ON COLUMN watched_spans.until IS 'Until when, UTC; what still is ends now';

COMMENT ON COLUMN watched_spans.seconds IS 'How long';

COMMENT ON COLUMN watched_spans.certain IS '1: somebody was watching since the state was told, or it is proven; 0: known from before a gap; NULL: nothing known';

COMMENT ON COLUMN watched_spans.watched IS '1: somebody was watching; 0: nobody; NULL: nobody wrote that down (imported)';

COMMENT ON COLUMN watched_spans.holds IS '1: it still is so; 0: it was';

COMMENT ON COLUMN watched_spans.state_since IS 'When the state began, UTC: what to give a range of time';

COMMENT ON COLUMN watched_spans.since_us IS 'From when on, in microseconds since 1970';

COMMENT ON COLUMN watched_spans.until_us IS 'Until when, in microseconds since 1970';

COMMENT ON COLUMN watched_spans.state_since_us IS 'When the state began, in microseconds since 1970';

COMMENT ON COLUMN watched_spans.platform IS 'Name of the platform that it is on';

CREATE VIEW state_words AS
SELECT s.id AS id, s.text AS state, lower(s.text) AS word,
  CASE WHEN (SELECT k.kind FROM state_kinds k WHERE k.state IN ('container' || ' ' || lower(s.text), lower(s.text), 'container' || ' ' || split_part(lower(s.text), ' (', 1), split_part(lower(s.text), ' (', 1))
    ORDER BY length(k.state) DESC LIMIT 1) = 'up' THEN 1 ELSE 0 END AS runs,
  CASE WHEN split_part(lower(s.text), ' (', 1) IN ('dead', 'deleted', 'destroy', 'destroyed', 'die', 'exited', 'removed', 'stopped', 'terminated') THEN 1 ELSE 0 END AS down,
  CASE WHEN lower(s.text) IN ('deleted', 'destroy', 'destroyed', 'die', 'removed', 'terminated') THEN 1 ELSE 0 END AS gone, CASE WHEN substr(lower(s.text), 1, 8) = 'exited (' AND substr(lower(s.text), length(lower(s.text)), 1) = ')' AND substr(lower(s.text), 9, length(lower(s.text)) - 9) <> '' AND ltrim(substr(lower(s.text), 9, length(lower(s.text)) - 9), '0123456789') = '' AND length(substr(lower(s.text), 9, length(lower(s.text)) - 9)) < 10 THEN CAST(substr(lower(s.text), 9, length(lower(s.text)) - 9) AS integer) END AS exit_code
FROM event_states s;

COMMENT ON VIEW state_words IS 'Every state that was ever told, with what it says of a container';

COMMENT ON COLUMN state_words.id IS 'Number of the state';

COMMENT ON COLUMN state_words.state IS 'The state, as first told';

COMMENT ON COLUMN state_words.word IS 'The state in lower case';

COMMENT ON COLUMN state_words.runs IS '1: a container in it runs, as `state_kinds` says; 0: it does not';

COMMENT ON COLUMN state_words.down IS '1: a container in it has stopped, or is gone; 0: it has not';

COMMENT ON COLUMN state_words.gone IS '1: a container in it is no more; 0: it is, or was only stopped';

COMMENT ON COLUMN state_words.exit_code IS 'The exit code that it tells, if it does';

CREATE VIEW index_levels AS
SELECT 0 AS n UNION ALL SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n UNION ALL SELECT 4 AS n UNION ALL SELECT 5 AS n UNION ALL SELECT 6 AS n UNION ALL SELECT 7 AS n UNION ALL SELECT 8 AS n UNION ALL SELECT 9 AS n UNION ALL SELECT 10 AS n UNION ALL SELECT 11 AS n UNION ALL SELECT 12 AS n UNION ALL SELECT 13 AS n UNION ALL SELECT 14 AS n UNION ALL SELECT 15 AS n UNION ALL SELECT 16 AS n UNION ALL SELECT 17 AS n UNION ALL SELECT 18 AS n UNION ALL SELECT 19 AS n UNION ALL SELECT 20 AS n UNION ALL SELECT 21 AS n UNION ALL SELECT 22 AS n UNION ALL SELECT 23 AS n UNION ALL SELECT 24 AS n UNION ALL SELECT 25 AS n UNION ALL SELECT 26 AS n UNION ALL SELECT 27 AS n UNION ALL SELECT 28 AS n UNION ALL SELECT 29 AS n UNION ALL SELECT 30 AS n UNION ALL SELECT 31 AS n UNION ALL SELECT 32 AS n UNION ALL SELECT 33 AS n UNION ALL SELECT 34 AS n UNION ALL SELECT 35 AS n UNION ALL SELECT 36 AS n UNION ALL SELECT 37 AS n UNION ALL SELECT 38 AS n UNION ALL SELECT 39 AS n UNION ALL SELECT 40 AS n UNION ALL SELECT 41 AS n UNION ALL SELECT 42 AS n UNION ALL SELECT 43 AS n UNION ALL SELECT 44 AS n UNION ALL SELECT 45 AS n UNION ALL SELECT 46 AS n UNION ALL SELECT 47 AS n UNION ALL SELECT 48 AS n UNION ALL SELECT 49 AS n UNION ALL SELECT 50 AS n UNION ALL SELECT 51 AS n UNION ALL SELECT 52 AS n UNION ALL SELECT 53 AS n UNION ALL SELECT 54 AS n UNION ALL SELECT 55 AS n UNION ALL SELECT 56 AS n UNION ALL SELECT 57 AS n UNION ALL SELECT 58 AS n UNION ALL SELECT 59 AS n UNION ALL SELECT 60 AS n UNION ALL SELECT 61 AS n UNION ALL SELECT 62 AS n;

COMMENT ON VIEW index_levels IS 'The numbers 0 to 62: the levels of the index of what held when';

COMMENT ON COLUMN index_levels.n IS 'The number';

CREATE VIEW engine_actions AS
SELECT a.uri AS uri, n.text AS name, d.value AS target_id, d.node AS since_us, (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1) AS extra,
  CASE WHEN coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false) AND NOT (coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"' || '15' || '"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false) OR coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"' || '2' || '"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false) OR coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"' || '3' || '"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false) OR coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"' || '9' || '"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false)) THEN 0 ELSE 1 END AS deadly,
  CASE WHEN coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false) AND NOT coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"' || '9' || '"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false) THEN 1 ELSE 0 END AS soft,
  d.platform_id AS platform_id
FROM facts d
JOIN resources a ON a.platform_id = d.platform_id AND a.id = d.resource_id
JOIN present q ON q.platform_id = d.platform_id AND q.resource_id = d.resource_id
JOIN texts n ON n.id = q.name_id
WHERE d.what = 2 AND d.since = d.node AND substr(a.uri, 1, 11) = '/docker/v1/';

COMMENT ON VIEW engine_actions IS 'What engines told of commands that were carried out at once: kill, stop, restart and others, with the signal';

COMMENT ON COLUMN engine_actions.uri IS 'URI of the action';

COMMENT ON COLUMN engine_actions.name IS 'What was done: kill, stop, restart ...';

COMMENT ON COLUMN engine_actions.target_id IS 'Number of the resource it was done to';

COMMENT ON COLUMN engine_actions.since_us IS 'When, in microseconds since 1970';

COMMENT ON COLUMN engine_actions.extra IS 'JSON object of what its first event alone says, the signal among it';

COMMENT ON COLUMN engine_actions.deadly IS '1: it names no signal, or one that ends a process; 0: another signal';

COMMENT ON COLUMN engine_actions.soft IS '1: it names a signal that a process may refuse; 0: none, or signal 9';

COMMENT ON COLUMN engine_actions.platform_id IS 'Number of the platform that it was done on';

CREATE VIEW told_ends AS
SELECT x.platform_id AS platform_id,
  x.resource_id AS resource_id,
  x.uri AS uri,
  x.id AS id,
  x.source AS source,
  x.session_id AS session_id,
  x.stopped_at AS stopped_at,
  x.stopped_us AS stopped_us,
  x.state AS state,
  x.before AS before,
  x.exit_code AS exit_code,
  x.ran_since_us AS ran_since_us,
  x.live_us AS live_us,
  x.next_us AS next_us
FROM (SELECT w.*, w.at AS stopped_at, CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS stopped_us,
  g.state AS state,
  g.before AS before,
  g.exit_code AS exit_code,
  g.ran_since_us AS ran_since_us,
  g.live_us AS live_us,
  g.next_us AS next_us
FROM (SELECT e.platform_id AS platform_id, e.resource_id AS resource_id, r.uri AS uri, e.occurred_at AS at,
  0 AS source, e.id AS id, e.state_id AS state_id, e.session_id AS session_id FROM events e
  JOIN resources r ON r.platform_id = e.platform_id AND r.id = e.resource_id) w
CROSS JOIN LATERAL (SELECT s.word AS state,
  b.word AS before,
  s.exit_code AS exit_code,
  coalesce(CAST(extract(epoch FROM bg.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint), -4611686018427387904) AS ran_since_us,
  coalesce(CAST(extract(epoch FROM lv.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint), 4611686018427387904) AS live_us,
  coalesce(CAST(extract(epoch FROM ag.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint), 4611686018427387904) AS next_us
FROM (SELECT 1 AS one) one
JOIN state_words s ON s.id = w.state_id AND s.down = 1
JOIN state_words b ON b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  ) AND b.down = 0 AND NOT (b.word = 'created' AND s.gone = 1)
LEFT JOIN state_words had ON had.id = CASE WHEN b.word IN ('stopping', 'terminating') THEN (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  ) END
LEFT JOIN events ed ON ed.platform_id = w.platform_id
  AND ed.id = (SELECT e.id FROM events e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND e.state_id IS NOT NULL
    AND (e.occurred_at, 0, e.id) < (w.at, w.source, w.id) AND (SELECT b.down FROM state_words b WHERE b.id = e.state_id) = 1
  ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1)
LEFT JOIN events bg ON bg.platform_id = w.platform_id
  AND bg.id = (SELECT e.id FROM events e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND e.state_id IS NOT NULL
    AND (e.occurred_at, e.id) > (ed.occurred_at, ed.id) AND (SELECT b.down FROM state_words b WHERE b.id = e.state_id) = 0
  ORDER BY e.occurred_at , e.id  LIMIT 1)
LEFT JOIN events lv ON lv.platform_id = w.platform_id
  AND lv.id = (SELECT e.id FROM events e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND e.state_id IS NOT NULL
    AND (e.occurred_at, 0, e.id) > (w.at, w.source, w.id) AND (SELECT b.down FROM state_words b WHERE b.id = e.state_id) = 0
  ORDER BY e.occurred_at , e.id  LIMIT 1)
LEFT JOIN events ag ON ag.platform_id = w.platform_id
  AND ag.id = (SELECT e.id FROM events e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND e.state_id IS NOT NULL
    AND (e.occurred_at, e.id) > (lv.occurred_at, lv.id) AND (SELECT b.down FROM state_words b WHERE b.id = e.state_id) = 1
  ORDER BY e.occurred_at , e.id  LIMIT 1)
WHERE coalesce(had.down, 0) = 0 OFFSET 0) g
WHERE true) x;

COMMENT ON VIEW told_ends IS 'Every end that was told of what ran, also of what is gone since: what is to be known of it to say why';

COMMENT ON COLUMN told_ends.platform_id IS 'Number of the platform that it is on';

COMMENT ON COLUMN told_ends.resource_id IS 'Number of the resource';

COMMENT ON COLUMN told_ends.uri IS 'URI of the resource';

COMMENT ON COLUMN told_ends.id IS 'Number of the event (source 0) or of the observation (1)';

COMMENT ON COLUMN told_ends.source IS '0: an event; 1: an observation';

COMMENT ON COLUMN told_ends.session_id IS 'Number of the session that heard it; NULL: nobody wrote it down';

COMMENT ON COLUMN told_ends.stopped_at IS 'When it stopped, UTC';

COMMENT ON COLUMN told_ends.stopped_us IS 'When it stopped, in microseconds since 1970';

COMMENT ON COLUMN told_ends.state IS 'The state that says so, in lower case';

COMMENT ON COLUMN told_ends.before IS 'The state before, in lower case';

COMMENT ON COLUMN told_ends.exit_code IS 'The exit code, where it is known';

COMMENT ON COLUMN told_ends.ran_since_us IS 'Since when it had run, in microseconds since 1970';

COMMENT ON COLUMN told_ends.live_us IS 'When it was next told to be alive, in microseconds since 1970; 2^62: never';

COMMENT ON COLUMN told_ends.next_us IS 'When it ended again, in microseconds since 1970; 2^62: never';

CREATE VIEW told_stops AS
SELECT x.platform_id AS platform_id, x.resource_id AS resource_id, x.id AS id, x.stopped_at AS stopped_at,
  x.stopped_us AS stopped_us,
  x.cause AS cause
FROM (SELECT x.*, CASE WHEN x.oom AND (x.exit_code IS NULL OR x.exit_code = 137 OR x.proofs = 0) THEN 'oom'
    WHEN x.proofs > 0 OR x.before IN ('stopping', 'terminating') THEN
      CASE WHEN x.exit_code = 137 AND (((x.told >> 0) & 1023) > 0 OR (((x.told >> 10) & 1023) = 0 AND ((x.told >> 50) & 1023) > 0) OR x.ran_over IS NOT NULL OR ((x.told >> 30) & 1023) > 0) THEN 'forced' ELSE 'told' END
    WHEN x.unwatched = 1 THEN 'unknown' ELSE 'crash' END AS cause FROM (SELECT x.*, CASE WHEN ((x.told >> 0) & 1023) > 0 AND ((x.told >> 40) & 1023) > 0 THEN ((x.told >> 40) & 1023) WHEN ((x.told >> 0) & 1023) > 0 THEN ((x.told >> 0) & 1023)
    WHEN ((x.told >> 20) & 1023) > 0 THEN ((x.told >> 20) & 1023) WHEN ((x.told >> 10) & 1023) > 0 THEN ((x.told >> 10) & 1023)
    WHEN ((x.told >> 50) & 1023) > 0 THEN ((x.told >> 50) & 1023) WHEN x.ran_over IS NULL THEN 0 WHEN x.ran_over = '' THEN 2 ELSE 1 END AS proofs FROM (SELECT x.*, g.told AS told,
  g.ran_over AS ran_over,
  g.oom AS oom,
  g.unwatched AS unwatched
FROM (SELECT * FROM told_ends) x CROSS JOIN LATERAL (SELECT CASE WHEN substr(x.uri, 1, 11) = '/docker/v1/' THEN (SELECT CAST(coalesce(sum(CASE WHEN d.name = 'stop' AND ((d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) OR (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us)) THEN 1 END), 0) + coalesce(sum(CASE WHEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) THEN 1024 END), 0) + coalesce(sum(CASE WHEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) AND coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false) THEN 1048576 END), 0) + coalesce(sum(CASE WHEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) AND d.soft = 1 THEN 1073741824 END), 0) + coalesce(sum(CASE WHEN d.name = 'restart' AND (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us) THEN 1099511627776 END), 0) + coalesce(sum(CASE WHEN d.name = 'restart' AND (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us) AND d.since_us <= x.stopped_us + 2000000 THEN 1125899906842624 END), 0) AS bigint) FROM engine_actions d
      WHERE d.platform_id = x.platform_id AND d.target_id IN (SELECT x.resource_id UNION ALL SELECT f.value FROM facts f WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id
        AND f.what = 1 AND f.since < x.stopped_us AND f.until >= x.stopped_us)
        AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us + 10000000 AND d.name IN ('kill', 'restart', 'stop')) ELSE 0 END AS told,
  CASE WHEN NOT substr(x.uri, 1, 11) = '/docker/v1/' THEN (SELECT CASE WHEN max(CASE WHEN c.since <= x.stopped_us AND c.until >= x.stopped_us THEN 1 ELSE 0 END) = 1 AND sum(CASE WHEN c.until >= x.stopped_us THEN 1 ELSE 0 END) = 1
        THEN min(CASE WHEN c.until >= x.stopped_us THEN a.uri END)
        WHEN count(*) > 1 THEN '' ELSE min(a.uri) END FROM (SELECT d.resource_id, d.value, d.since, d.until
          FROM (SELECT p.value AS value FROM (SELECT x.resource_id AS value UNION ALL SELECT f1.value FROM facts f1 WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f2.value FROM facts f1 JOIN facts f2 ON f2.platform_id = x.platform_id AND f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f3.value FROM facts f1 JOIN facts f2 ON f2.platform_id = x.platform_id AND f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us JOIN facts f3 ON f3.platform_id = x.platform_id AND f3.resource_id = f2.value AND f3.what = 1 AND f3.since < x.stopped_us AND f3.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us) p GROUP BY p.value) p
          CROSS JOIN (SELECT n.node FROM (SELECT (((x.stopped_us - 2000000) >> (b.n + 1)) << (b.n + 1)) | (CAST(1 AS bigint) << b.n) AS node FROM index_levels b
          WHERE b.n >= 22 UNION ALL SELECT (((x.stopped_us + 2000000) >> (b.n + 1)) << (b.n + 1)) | (CAST(1 AS bigint) << b.n) AS node FROM index_levels b
          WHERE b.n >= 22) n GROUP BY n.node) n
          JOIN facts d ON d.value = p.value AND d.node = n.node
          WHERE d.platform_id = x.platform_id AND d.what = 2 AND NOT d.node BETWEEN (x.stopped_us - 2000000) & -4194304 AND (x.stopped_us + 2000000) | 4194303 AND d.since - (x.stopped_us + 2000000) <= 0 AND CASE WHEN d.until = 4611686018427387904 THEN d.since + 3600000000 ELSE d.until END >= (x.stopped_us - 2000000)
        UNION ALL SELECT d.resource_id, d.value, d.since, d.until FROM facts d
          WHERE d.platform_id = x.platform_id AND d.what = 2 AND d.value IN (SELECT x.resource_id AS value UNION ALL SELECT f1.value FROM facts f1 WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f2.value FROM facts f1 JOIN facts f2 ON f2.platform_id = x.platform_id AND f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f3.value FROM facts f1 JOIN facts f2 ON f2.platform_id = x.platform_id AND f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us JOIN facts f3 ON f3.platform_id = x.platform_id AND f3.resource_id = f2.value AND f3.what = 1 AND f3.since < x.stopped_us AND f3.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us) AND d.node BETWEEN (x.stopped_us - 2000000) & -4194304 AND (x.stopped_us + 2000000) | 4194303 AND d.since - (x.stopped_us + 2000000) <= 0 AND CASE WHEN d.until = 4611686018427387904 THEN d.since + 3600000000 ELSE d.until END >= (x.stopped_us - 2000000)) c
      JOIN resources a ON a.platform_id = x.platform_id AND a.id = c.resource_id
      LEFT JOIN present q ON q.platform_id = x.platform_id AND q.resource_id = c.resource_id
      LEFT JOIN texts n ON n.id = q.name_id
      LEFT JOIN event_states s ON s.id = q.state_id
      JOIN resources g ON g.platform_id = x.platform_id AND g.id = c.value
      JOIN event_types t ON t.id = g.type_id
      WHERE NOT substr(a.uri, 1, 11) = '/docker/v1/' AND NOT (replace(' ' || lower(coalesce(n.text, '')) || '|', ' create|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' deploy|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' exec|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' start|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' up|', '') <> ' ' || lower(coalesce(n.text, '')) || '|')
        AND (x.before IN ('stopping', 'terminating') OR NOT (lower(coalesce(s.text, '')) IN ('canceled', 'failed') OR t.text IN ('node', 'nodecluster')))) END AS ran_over,
  ((x.source = 1 AND x.exit_code = 137 AND EXISTS (SELECT 1 FROM observations b
      WHERE b.platform_id = x.platform_id AND b.id = x.id AND coalesce(replace(b.extra, '"oom_killed":true', '') <> b.extra, false))) OR EXISTS (SELECT 1 FROM events b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id
      AND b.occurred_at >= (to_timestamp((x.stopped_us - 10000000) / 1000000) + make_interval(secs => CAST(mod((x.stopped_us - 10000000), 1000000) AS double precision) / 1e6)) AND b.occurred_at <= (to_timestamp((x.stopped_us + 10000000) / 1000000) + make_interval(secs => CAST(mod((x.stopped_us + 10000000), 1000000) AS double precision) / 1e6)) AND CAST(extract(epoch FROM b.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) <= x.live_us
      AND b.action_id = (SELECT c.id FROM event_actions c WHERE c.text = 'oom'))) AS oom,
  CASE WHEN x.session_id IS NULL THEN 0
      WHEN coalesce((SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND b.covered_from <= x.stopped_at ORDER BY b.covered_from DESC LIMIT 16) o), 0) >= x.stopped_us THEN 0
      WHEN x.stopped_us / 1000000 * 1000000 = x.stopped_us
        AND coalesce((SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND b.covered_from <= (to_timestamp((x.stopped_us + 999999) / 1000000) + make_interval(secs => CAST(mod((x.stopped_us + 999999), 1000000) AS double precision) / 1e6)) ORDER BY b.covered_from DESC LIMIT 16) o), 0) >= x.stopped_us THEN 0 ELSE 1 END AS unwatched
FROM (SELECT 1 AS one) one

WHERE 1 = 1 OFFSET 0) g WHERE true) x) x) x;

COMMENT ON VIEW told_stops IS 'Every end that was told of what ran, with its cause, also of what is gone since';

COMMENT ON COLUMN told_stops.platform_id IS 'Number of the platform that it is on';

COMMENT ON COLUMN told_stops.resource_id IS 'Number of the resource';

COMMENT ON COLUMN told_stops.id IS 'Number of the event';

COMMENT ON COLUMN told_stops.stopped_at IS 'When it stopped, UTC';

COMMENT ON COLUMN told_stops.stopped_us IS 'When it stopped, in microseconds since 1970';

COMMENT ON COLUMN told_stops.cause IS 'told, forced, crash, oom or unknown';

CREATE VIEW counted_stops AS
SELECT x.platform_id AS platform_id,
  x.resource_id AS resource_id,
  x.uri AS uri,
  x.id AS id,
  x.source AS source,
  x.session_id AS session_id,
  x.stopped_at AS stopped_at,
  x.stopped_us AS stopped_us,
  x.state AS state,
  x.before AS before,
  x.exit_code AS exit_code,
  x.ran_since_us AS ran_since_us,
  x.live_us AS live_us,
  x.next_us AS next_us,
  x.type AS type,
  x.gone_us AS gone_us,
  x.own_us AS own_us
FROM (SELECT w.*, w.at AS stopped_at, CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS stopped_us,
  g.state AS state,
  g.before AS before,
  g.exit_code AS exit_code,
  g.ran_since_us AS ran_since_us,
  g.live_us AS live_us,
  g.next_us AS next_us,
  g.own_us AS own_us
FROM words w
CROSS JOIN LATERAL (SELECT s.word AS state,
  b.word AS before,
  s.exit_code AS exit_code,
  coalesce(CAST(extract(epoch FROM bg.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint), -4611686018427387904) AS ran_since_us,
  coalesce(CAST(extract(epoch FROM lv.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint), 4611686018427387904) AS live_us,
  coalesce(CAST(extract(epoch FROM ag.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint), 4611686018427387904) AS next_us,
  least(coalesce(CAST(extract(epoch FROM up.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint), 4611686018427387904), coalesce(CAST(extract(epoch FROM seen.observed_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint), 4611686018427387904)) AS own_us
FROM (SELECT 1 AS one) one
JOIN state_words s ON s.id = w.state_id AND s.down = 1
JOIN state_words b ON b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  ) AND b.down = 0 AND NOT (b.word = 'created' AND s.gone = 1)
LEFT JOIN state_words had ON had.id = CASE WHEN b.word IN ('stopping', 'terminating') THEN (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  ) END
LEFT JOIN events up ON up.platform_id = w.platform_id AND up.id = (SELECT e.id FROM events e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND (e.occurred_at, 0, e.id) > (w.at, w.source, w.id)
    AND (SELECT b.runs FROM state_words b WHERE b.id = e.state_id) = 1 ORDER BY e.occurred_at LIMIT 1)
LEFT JOIN observations seen ON seen.platform_id = w.platform_id AND seen.id = (SELECT e.id FROM observations e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND (e.observed_at, 1, e.id) > (w.at, w.source, w.id)
    AND (SELECT b.runs FROM state_words b WHERE b.id = e.state_id) = 1 ORDER BY e.observed_at LIMIT 1)
LEFT JOIN events ed ON ed.platform_id = w.platform_id
  AND ed.id = (SELECT e.id FROM events e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND e.state_id IS NOT NULL
    AND (e.occurred_at, 0, e.id) < (w.at, w.source, w.id) AND (SELECT b.down FROM state_words b WHERE b.id = e.state_id) = 1
  ORDER BY e.occurred_at DESC, e.id DESC LIMIT 1)
LEFT JOIN events bg ON bg.platform_id = w.platform_id
  AND bg.id = (SELECT e.id FROM events e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND e.state_id IS NOT NULL
    AND (e.occurred_at, e.id) > (ed.occurred_at, ed.id) AND (SELECT b.down FROM state_words b WHERE b.id = e.state_id) = 0
  ORDER BY e.occurred_at , e.id  LIMIT 1)
LEFT JOIN events lv ON lv.platform_id = w.platform_id
  AND lv.id = (SELECT e.id FROM events e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND e.state_id IS NOT NULL
    AND (e.occurred_at, 0, e.id) > (w.at, w.source, w.id) AND (SELECT b.down FROM state_words b WHERE b.id = e.state_id) = 0
  ORDER BY e.occurred_at , e.id  LIMIT 1)
LEFT JOIN events ag ON ag.platform_id = w.platform_id
  AND ag.id = (SELECT e.id FROM events e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND e.state_id IS NOT NULL
    AND (e.occurred_at, e.id) > (lv.occurred_at, lv.id) AND (SELECT b.down FROM state_words b WHERE b.id = e.state_id) = 1
  ORDER BY e.occurred_at , e.id  LIMIT 1)
WHERE coalesce(had.down, 0) = 0 OFFSET 0) g
WHERE w.type = 'container' AND true) x
WHERE x.own_us < 4611686018427387904 OR x.gone_us IS NULL OR (coalesce(x.exit_code, 1) <> 0 AND NOT (x.before IN ('stopping', 'terminating') AND NOT ((x.source = 1 AND x.exit_code = 137 AND EXISTS (SELECT 1 FROM observations b
      WHERE b.platform_id = x.platform_id AND b.id = x.id AND coalesce(replace(b.extra, '"oom_killed":true', '') <> b.extra, false))) OR EXISTS (SELECT 1 FROM events b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id
      AND b.occurred_at >= (to_timestamp((x.stopped_us - 10000000) / 1000000) + make_interval(secs => CAST(mod((x.stopped_us - 10000000), 1000000) AS double precision) / 1e6)) AND b.occurred_at <= (to_timestamp((x.stopped_us + 10000000) / 1000000) + make_interval(secs => CAST(mod((x.stopped_us + 10000000), 1000000) AS double precision) / 1e6))
      AND b.action_id = (SELECT c.id FROM event_actions c WHERE c.text = 'oom')))))
  OR (SELECT f.value FROM facts f WHERE f.platform_id = x.platform_id
      AND f.resource_id = x.resource_id AND f.what = 5
      AND f.since <= x.stopped_us ORDER BY f.since DESC LIMIT 1) IS NOT NULL;

COMMENT ON VIEW counted_stops IS 'The stops of containers but for those that are known at once to be left out of `restarts`: what never came back, had no slot that another may have taken, was told to stop, or ended with 0, and is gone';

COMMENT ON COLUMN counted_stops.platform_id IS 'Number of the platform that it is on';

COMMENT ON COLUMN counted_stops.resource_id IS 'Number of the resource';

COMMENT ON COLUMN counted_stops.uri IS 'URI of the resource';

COMMENT ON COLUMN counted_stops.id IS 'Number of the event (source 0) or of the observation (1)';

COMMENT ON COLUMN counted_stops.source IS '0: an event; 1: an observation';

COMMENT ON COLUMN counted_stops.session_id IS 'Number of the session that heard it; NULL: nobody wrote it down';

COMMENT ON COLUMN counted_stops.stopped_at IS 'When it stopped, UTC';

COMMENT ON COLUMN counted_stops.stopped_us IS 'When it stopped, in microseconds since 1970';

COMMENT ON COLUMN counted_stops.state IS 'The state that says so, in lower case';

COMMENT ON COLUMN counted_stops.before IS 'The state before, in lower case';

COMMENT ON COLUMN counted_stops.exit_code IS 'The exit code, where it is known';

COMMENT ON COLUMN counted_stops.ran_since_us IS 'Since when it had run, in microseconds since 1970';

COMMENT ON COLUMN counted_stops.live_us IS 'When it was next told to be alive, in microseconds since 1970; 2^62: never';

COMMENT ON COLUMN counted_stops.next_us IS 'When it ended again, in microseconds since 1970; 2^62: never';

COMMENT ON COLUMN counted_stops.type IS 'Type of the resource';

COMMENT ON COLUMN counted_stops.gone_us IS 'When it was gone for good, in microseconds since 1970; NULL: it is not';

COMMENT ON COLUMN counted_stops.own_us IS 'When it ran again itself, in microseconds since 1970; 2^62: never';

CREATE VIEW restarts AS
SELECT x.stopped_at AS stopped_at, (to_timestamp(nullif(x.started_us, 4611686018427387904) / 1000000) + make_interval(secs => CAST(mod(nullif(x.started_us, 4611686018427387904), 1000000) AS double precision) / 1e6)) AS started_at,
  CAST(nullif(x.started_us, 4611686018427387904) - x.stopped_us AS double precision) / 1e6 AS down_seconds, x.uri AS uri, x.type AS type,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.what = 3 AND f.since <= x.stopped_us
    ORDER BY f.since DESC LIMIT 1) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.since_us <= x.stopped_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.platform_id = f.platform_id AND b.resource_id = f.parent_id AND b.since_us <= x.stopped_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.since_us <= x.stopped_us) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.since_us <= x.stopped_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.what = 5 AND f.since <= x.stopped_us
    ORDER BY f.since DESC LIMIT 1) AS slot,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.since_us <= x.stopped_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.what = 4 AND f.since <= x.stopped_us
    ORDER BY f.since DESC LIMIT 1) AS image,
  x.cause AS cause, x.exit_code AS exit_code, CASE WHEN x.proofs <> 1 OR (x.oom AND (x.exit_code IS NULL OR x.exit_code = 137 OR x.proofs = 0)) THEN NULL
    WHEN x.ran_over IS NOT NULL THEN x.ran_over ELSE (SELECT min(d.uri) FROM engine_actions d
      WHERE d.platform_id = x.platform_id AND d.target_id IN (SELECT x.resource_id UNION ALL SELECT f.value FROM facts f WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id
        AND f.what = 1 AND f.since < x.stopped_us AND f.until >= x.stopped_us)
        AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us + 10000000 AND CASE WHEN ((x.told >> 0) & 1023) > 0 AND ((x.told >> 40) & 1023) > 0 THEN d.name = 'restart' AND (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us) WHEN ((x.told >> 0) & 1023) > 0 THEN d.name = 'stop' AND ((d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) OR (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us))
        WHEN ((x.told >> 20) & 1023) > 0 THEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) AND coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false) WHEN ((x.told >> 10) & 1023) > 0 THEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false))
        ELSE d.name = 'restart' AND (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us) AND d.since_us <= x.stopped_us + 2000000 END) END AS action_uri, CASE WHEN x.session_id IS NULL THEN NULL
    WHEN x.unwatched = 1 OR coalesce((SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND b.covered_from <= x.stopped_at ORDER BY b.covered_from DESC LIMIT 16) o), 0) < x.stopped_us
      OR EXISTS (SELECT 1 FROM sessions q
      WHERE q.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND q.covered_from > x.stopped_at AND q.covered_from <= coalesce((to_timestamp(nullif(x.started_us, 4611686018427387904) / 1000000) + make_interval(secs => CAST(mod(nullif(x.started_us, 4611686018427387904), 1000000) AS double precision) / 1e6)), CAST('infinity' AS timestamptz))
        AND (SELECT coalesce(b.before_us, -4611686018427387904) < b.covered_us
        AND NOT EXISTS (SELECT 1 FROM unchanged p WHERE p.platform_id = x.platform_id AND p.observation_id = (SELECT o.id FROM observations o
      WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.state_id IS NOT NULL
        AND o.observed_at >= b.covered_from
      ORDER BY o.observed_at, o.id LIMIT 1) AND p.since < b.covered_from AND p.since_us <= b.before_us) FROM session_log b WHERE b.id = q.id)) THEN 0 ELSE 1 END AS certain,
  x.stopped_us AS stopped_us, nullif(x.started_us, 4611686018427387904) AS started_us,
  (SELECT b.name FROM platforms b WHERE b.id = x.platform_id) AS platform
FROM (SELECT x.*, CASE WHEN x.oom AND (x.exit_code IS NULL OR x.exit_code = 137 OR x.proofs = 0) THEN 'oom'
    WHEN x.proofs > 0 OR x.before IN ('stopping', 'terminating') THEN
      CASE WHEN x.exit_code = 137 AND (((x.told >> 0) & 1023) > 0 OR (((x.told >> 10) & 1023) = 0 AND ((x.told >> 50) & 1023) > 0) OR x.ran_over IS NOT NULL OR ((x.told >> 30) & 1023) > 0) THEN 'forced' ELSE 'told' END
    WHEN x.unwatched = 1 THEN 'unknown' ELSE 'crash' END AS cause FROM (SELECT x.*, CASE WHEN ((x.told >> 0) & 1023) > 0 AND ((x.told >> 40) & 1023) > 0 THEN ((x.told >> 40) & 1023) WHEN ((x.told >> 0) & 1023) > 0 THEN ((x.told >> 0) & 1023)
    WHEN ((x.told >> 20) & 1023) > 0 THEN ((x.told >> 20) & 1023) WHEN ((x.told >> 10) & 1023) > 0 THEN ((x.told >> 10) & 1023)
    WHEN ((x.told >> 50) & 1023) > 0 THEN ((x.told >> 50) & 1023) WHEN x.ran_over IS NULL THEN 0 WHEN x.ran_over = '' THEN 2 ELSE 1 END AS proofs FROM (SELECT x.*, g.told AS told,
  g.ran_over AS ran_over,
  g.oom AS oom,
  g.unwatched AS unwatched,
  g.started_us AS started_us
FROM (SELECT * FROM counted_stops) x CROSS JOIN LATERAL (SELECT CASE WHEN substr(x.uri, 1, 11) = '/docker/v1/' THEN (SELECT CAST(coalesce(sum(CASE WHEN d.name = 'stop' AND ((d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) OR (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us)) THEN 1 END), 0) + coalesce(sum(CASE WHEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) THEN 1024 END), 0) + coalesce(sum(CASE WHEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) AND coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false) THEN 1048576 END), 0) + coalesce(sum(CASE WHEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) AND d.soft = 1 THEN 1073741824 END), 0) + coalesce(sum(CASE WHEN d.name = 'restart' AND (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us) THEN 1099511627776 END), 0) + coalesce(sum(CASE WHEN d.name = 'restart' AND (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us) AND d.since_us <= x.stopped_us + 2000000 THEN 1125899906842624 END), 0) AS bigint) FROM engine_actions d
      WHERE d.platform_id = x.platform_id AND d.target_id IN (SELECT x.resource_id UNION ALL SELECT f.value FROM facts f WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id
        AND f.what = 1 AND f.since < x.stopped_us AND f.until >= x.stopped_us)
        AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us + 10000000 AND d.name IN ('kill', 'restart', 'stop')) ELSE 0 END AS told,
  CASE WHEN NOT substr(x.uri, 1, 11) = '/docker/v1/' THEN (SELECT CASE WHEN max(CASE WHEN c.since <= x.stopped_us AND c.until >= x.stopped_us THEN 1 ELSE 0 END) = 1 AND sum(CASE WHEN c.until >= x.stopped_us THEN 1 ELSE 0 END) = 1
        THEN min(CASE WHEN c.until >= x.stopped_us THEN a.uri END)
        WHEN count(*) > 1 THEN '' ELSE min(a.uri) END FROM (SELECT d.resource_id, d.value, d.since, d.until
          FROM (SELECT p.value AS value FROM (SELECT x.resource_id AS value UNION ALL SELECT f1.value FROM facts f1 WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f2.value FROM facts f1 JOIN facts f2 ON f2.platform_id = x.platform_id AND f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f3.value FROM facts f1 JOIN facts f2 ON f2.platform_id = x.platform_id AND f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us JOIN facts f3 ON f3.platform_id = x.platform_id AND f3.resource_id = f2.value AND f3.what = 1 AND f3.since < x.stopped_us AND f3.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us) p GROUP BY p.value) p
          CROSS JOIN (SELECT n.node FROM (SELECT (((x.stopped_us - 2000000) >> (b.n + 1)) << (b.n + 1)) | (CAST(1 AS bigint) << b.n) AS node FROM index_levels b
          WHERE b.n >= 22 UNION ALL SELECT (((x.stopped_us + 2000000) >> (b.n + 1)) << (b.n + 1)) | (CAST(1 AS bigint) << b.n) AS node FROM index_levels b
          WHERE b.n >= 22) n GROUP BY n.node) n
          JOIN facts d ON d.value = p.value AND d.node = n.node
          WHERE d.platform_id = x.platform_id AND d.what = 2 AND NOT d.node BETWEEN (x.stopped_us - 2000000) & -4194304 AND (x.stopped_us + 2000000) | 4194303 AND d.since - (x.stopped_us + 2000000) <= 0 AND CASE WHEN d.until = 4611686018427387904 THEN d.since + 3600000000 ELSE d.until END >= (x.stopped_us - 2000000)
        UNION ALL SELECT d.resource_id, d.value, d.since, d.until FROM facts d
          WHERE d.platform_id = x.platform_id AND d.what = 2 AND d.value IN (SELECT x.resource_id AS value UNION ALL SELECT f1.value FROM facts f1 WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f2.value FROM facts f1 JOIN facts f2 ON f2.platform_id = x.platform_id AND f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f3.value FROM facts f1 JOIN facts f2 ON f2.platform_id = x.platform_id AND f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us JOIN facts f3 ON f3.platform_id = x.platform_id AND f3.resource_id = f2.value AND f3.what = 1 AND f3.since < x.stopped_us AND f3.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us) AND d.node BETWEEN (x.stopped_us - 2000000) & -4194304 AND (x.stopped_us + 2000000) | 4194303 AND d.since - (x.stopped_us + 2000000) <= 0 AND CASE WHEN d.until = 4611686018427387904 THEN d.since + 3600000000 ELSE d.until END >= (x.stopped_us - 2000000)) c
      JOIN resources a ON a.platform_id = x.platform_id AND a.id = c.resource_id
      LEFT JOIN present q ON q.platform_id = x.platform_id AND q.resource_id = c.resource_id
      LEFT JOIN texts n ON n.id = q.name_id
      LEFT JOIN event_states s ON s.id = q.state_id
      JOIN resources g ON g.platform_id = x.platform_id AND g.id = c.value
      JOIN event_types t ON t.id = g.type_id
      WHERE NOT substr(a.uri, 1, 11) = '/docker/v1/' AND NOT (replace(' ' || lower(coalesce(n.text, '')) || '|', ' create|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' deploy|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' exec|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' start|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' up|', '') <> ' ' || lower(coalesce(n.text, '')) || '|')
        AND (x.before IN ('stopping', 'terminating') OR NOT (lower(coalesce(s.text, '')) IN ('canceled', 'failed') OR t.text IN ('node', 'nodecluster')))) END AS ran_over,
  ((x.source = 1 AND x.exit_code = 137 AND EXISTS (SELECT 1 FROM observations b
      WHERE b.platform_id = x.platform_id AND b.id = x.id AND coalesce(replace(b.extra, '"oom_killed":true', '') <> b.extra, false))) OR EXISTS (SELECT 1 FROM events b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id
      AND b.occurred_at >= (to_timestamp((x.stopped_us - 10000000) / 1000000) + make_interval(secs => CAST(mod((x.stopped_us - 10000000), 1000000) AS double precision) / 1e6)) AND b.occurred_at <= (to_timestamp((x.stopped_us + 10000000) / 1000000) + make_interval(secs => CAST(mod((x.stopped_us + 10000000), 1000000) AS double precision) / 1e6)) AND CAST(extract(epoch FROM b.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) <= x.live_us
      AND b.action_id = (SELECT c.id FROM event_actions c WHERE c.text = 'oom'))) AS oom,
  CASE x.source WHEN 0 THEN CASE WHEN x.session_id IS NULL THEN 0
      WHEN coalesce((SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND b.covered_from <= x.stopped_at ORDER BY b.covered_from DESC LIMIT 16) o), 0) >= x.stopped_us THEN 0
      WHEN x.stopped_us / 1000000 * 1000000 = x.stopped_us
        AND coalesce((SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND b.covered_from <= (to_timestamp((x.stopped_us + 999999) / 1000000) + make_interval(secs => CAST(mod((x.stopped_us + 999999), 1000000) AS double precision) / 1e6)) ORDER BY b.covered_from DESC LIMIT 16) o), 0) >= x.stopped_us THEN 0 ELSE 1 END ELSE CASE WHEN x.session_id IS NULL THEN 1
      WHEN coalesce((SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND b.covered_from <= x.stopped_at ORDER BY b.covered_from DESC LIMIT 16) o), 0) < x.stopped_us THEN 1
      WHEN EXISTS (SELECT 1 FROM sessions q
      WHERE q.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND q.covered_from > (SELECT max(e.occurred_at) FROM events e
      WHERE e.platform_id = x.platform_id AND e.resource_id = x.resource_id AND e.state_id IS NOT NULL
        AND e.occurred_at <= x.stopped_at) AND q.covered_from <= x.stopped_at
        AND (SELECT coalesce(b.before_us, -4611686018427387904) < b.covered_us
        AND NOT EXISTS (SELECT 1 FROM unchanged p WHERE p.platform_id = x.platform_id AND p.observation_id = (SELECT o.id FROM observations o
      WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.state_id IS NOT NULL
        AND o.observed_at >= b.covered_from
      ORDER BY o.observed_at, o.id LIMIT 1) AND p.since < b.covered_from AND p.since_us <= b.before_us) FROM session_log b WHERE b.id = q.id)) THEN 1 ELSE 0 END END AS unwatched,
  least(x.own_us, CASE WHEN (SELECT f.value FROM facts f WHERE f.platform_id = x.platform_id
      AND f.resource_id = x.resource_id AND f.what = 5
      AND f.since <= x.stopped_us ORDER BY f.since DESC LIMIT 1) IS NULL THEN 4611686018427387904 ELSE coalesce((SELECT min(least(coalesce((SELECT CAST(extract(epoch FROM e.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) FROM events e
        WHERE e.platform_id = x.platform_id AND e.resource_id = o.resource_id AND e.occurred_at >= x.stopped_at AND (SELECT b.runs FROM state_words b WHERE b.id = e.state_id) = 1
        ORDER BY e.occurred_at LIMIT 1), 4611686018427387904), coalesce((SELECT CAST(extract(epoch FROM e.observed_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) FROM observations e
        WHERE e.platform_id = x.platform_id AND e.resource_id = o.resource_id AND e.observed_at >= x.stopped_at AND (SELECT b.runs FROM state_words b WHERE b.id = e.state_id) = 1
        ORDER BY e.observed_at LIMIT 1), 4611686018427387904))) FROM (SELECT o.resource_id FROM facts o WHERE o.platform_id = x.platform_id AND o.value = (SELECT f.value FROM facts f WHERE f.platform_id = x.platform_id
      AND f.resource_id = x.resource_id AND f.what = 5
      AND f.since <= x.stopped_us ORDER BY f.since DESC LIMIT 1)
          AND o.what = 5
        AND o.node IN (SELECT (((x.stopped_us + 3600000000) >> (b.n + 1)) << (b.n + 1)) | (CAST(1 AS bigint) << b.n) AS node FROM index_levels b
          WHERE b.n >= 22) AND o.since >= (x.stopped_us - 600000000) AND o.since <= (x.stopped_us + 3600000000) UNION ALL SELECT o.resource_id FROM facts o WHERE o.platform_id = x.platform_id AND o.value = (SELECT f.value FROM facts f WHERE f.platform_id = x.platform_id
      AND f.resource_id = x.resource_id AND f.what = 5
      AND f.since <= x.stopped_us ORDER BY f.since DESC LIMIT 1)
          AND o.what = 5
        AND o.node BETWEEN (x.stopped_us - 600000000) & -4194304 AND (x.stopped_us + 3600000000) | 4194303 AND o.since >= (x.stopped_us - 600000000) AND o.since <= (x.stopped_us + 3600000000)) o
      WHERE o.resource_id <> x.resource_id AND EXISTS (SELECT 1 FROM facts g JOIN facts h ON h.platform_id = g.platform_id AND h.value = g.value
        JOIN resources a ON a.platform_id = g.platform_id AND a.id = g.value
      WHERE g.platform_id = x.platform_id AND g.resource_id = x.resource_id AND g.what = 1
        AND h.resource_id = o.resource_id AND h.what = 1 AND a.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service'))), 4611686018427387904) END) AS started_us
FROM (SELECT 1 AS one) one

WHERE 1 = 1 OFFSET 0) g WHERE true) x) x) x
WHERE x.started_us < 4611686018427387904 OR x.gone_us IS NULL
  OR (x.cause NOT IN ('told', 'forced') AND coalesce(x.exit_code, 1) <> 0);

COMMENT ON VIEW restarts IS 'What stopped, with its cause, and when it started again, itself or what took its slot within an hour: one row per stop, but for what was told to stop, or ended with 0, and was then removed';

COMMENT ON COLUMN restarts.stopped_at IS 'When it stopped, UTC';

COMMENT ON COLUMN restarts.started_at IS 'When it, or what took its slot, ran again, UTC; NULL: never';

COMMENT ON COLUMN restarts.down_seconds IS 'How long that took; NULL: it never came back';

COMMENT ON COLUMN restarts.uri IS 'URI of the container';

COMMENT ON COLUMN restarts.type IS 'Its type';

COMMENT ON COLUMN restarts.name IS 'What it was called, as last told';

COMMENT ON COLUMN restarts.stack IS 'Name of the stack that it was in, or is; its URI where no name is known';

COMMENT ON COLUMN restarts.service IS 'Name of the service that it was of, or is; its URI where no name is known';

COMMENT ON COLUMN restarts.slot IS 'What lives on when it is replaced, where the platform has such a thing: shop_web.1';

COMMENT ON COLUMN restarts.node IS 'Name of the node that it was on, or is; its URI where no name is known';

COMMENT ON COLUMN restarts.image IS 'Its image as told, where known: nginx:1.25';

COMMENT ON COLUMN restarts.cause IS 'told, forced (told, and killed when its grace was over), crash, oom, or unknown: nobody was watching';

COMMENT ON COLUMN restarts.exit_code IS 'The exit code, where it is known';

COMMENT ON COLUMN restarts.action_uri IS 'URI of the action that proves why it stopped; NULL: none does, or several may';

COMMENT ON COLUMN restarts.certain IS '1: watched from the stop to the start, if any; 0: not; NULL: nobody wrote down whether anybody was';

COMMENT ON COLUMN restarts.stopped_us IS 'When it stopped, in microseconds since 1970';

COMMENT ON COLUMN restarts.started_us IS 'When it, or what took its slot, ran again, in microseconds since 1970; NULL: never';

COMMENT ON COLUMN restarts.platform IS 'Name of the platform that it is on';

CREATE VIEW inventory AS
SELECT r.uri AS uri, t.text AS type,
  (SELECT b.text FROM texts b WHERE b.id = p.name_id) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = r.platform_id AND b.resource_id = r.id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = r.platform_id AND b.resource_id = r.id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.platform_id = f.platform_id AND b.resource_id = f.parent_id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.platform_id = r.platform_id AND f.resource_id = r.id AND f.since_us <= 4611686018427387904) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = r.platform_id AND b.resource_id = r.id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = r.platform_id AND b.resource_id = r.id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  (SELECT b.text FROM texts b WHERE b.id = p.slot_id) AS slot,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = r.platform_id AND b.resource_id = r.id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = r.platform_id AND b.resource_id = r.id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT b.text FROM texts b WHERE b.id = p.image_id) AS image,
  (to_timestamp(p.first_at / 1000000) + make_interval(secs => CAST(mod(p.first_at, 1000000) AS double precision) / 1e6)) AS first_seen_at, (to_timestamp(p.last_at / 1000000) + make_interval(secs => CAST(mod(p.last_at, 1000000) AS double precision) / 1e6)) AS last_seen_at,
  CASE WHEN p.gone_at IS NULL THEN 1 ELSE 0 END AS live,
  p.first_at AS first_seen_us, p.last_at AS last_seen_us, (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform
FROM present p
JOIN resources r ON r.platform_id = p.platform_id AND r.id = p.resource_id
JOIN event_types t ON t.id = p.type_id;

COMMENT ON VIEW inventory IS 'Every resource that was ever heard of, with its name and its place';

COMMENT ON COLUMN inventory.uri IS 'URI of the resource';

COMMENT ON COLUMN inventory.type IS 'Its type';

COMMENT ON COLUMN inventory.name IS 'What it was called, as last told';

COMMENT ON COLUMN inventory.stack IS 'Name of the stack that it was in, or is; its URI where no name is known';

COMMENT ON COLUMN inventory.service IS 'Name of the service that it was of, or is; its URI where no name is known';

COMMENT ON COLUMN inventory.slot IS 'What lives on when it is replaced, where the platform has such a thing: shop_web.1';

COMMENT ON COLUMN inventory.node IS 'Name of the node that it was on, or is; its URI where no name is known';

COMMENT ON COLUMN inventory.image IS 'Its image as told, where known: nginx:1.25';

COMMENT ON COLUMN inventory.first_seen_at IS 'When it was first heard of, UTC';

COMMENT ON COLUMN inventory.last_seen_at IS 'When it was last told or asked about, UTC; NULL: only others ever named it';

COMMENT ON COLUMN inventory.live IS '1: it lives, as far as known; 0: it is gone';

COMMENT ON COLUMN inventory.first_seen_us IS 'When it was first heard of, in microseconds since 1970';

COMMENT ON COLUMN inventory.last_seen_us IS 'When it was last told or asked about, in microseconds since 1970';

COMMENT ON COLUMN inventory.platform IS 'Name of the platform that it is on';

CREATE VIEW resource_tags AS
SELECT r.uri AS uri, (SELECT t.text FROM event_types t WHERE t.id = r.type_id) AS type, (SELECT b.text FROM present o JOIN texts b ON b.id = o.name_id
   WHERE o.platform_id = r.platform_id AND o.resource_id = r.id) AS name,
  v.tag AS tag, (to_timestamp(v.since_us / 1000000) + make_interval(secs => CAST(mod(v.since_us, 1000000) AS double precision) / 1e6)) AS since, (to_timestamp(CASE WHEN v.until_us < 4611686018427387904 THEN v.until_us END / 1000000) + make_interval(secs => CAST(mod(CASE WHEN v.until_us < 4611686018427387904 THEN v.until_us END, 1000000) AS double precision) / 1e6)) AS until,
  CASE v.how WHEN 0 THEN 'told' WHEN 1 THEN 'asked' END AS how, v.since_us AS since_us,
  CASE WHEN v.until_us < 4611686018427387904 THEN v.until_us END AS until_us, (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform
FROM (
SELECT f.platform_id AS platform_id, f.resource_id AS resource_id, g.value AS tag, f.since AS since_us, f.how AS how,
  (SELECT l.until FROM facts l WHERE l.platform_id = f.platform_id AND l.resource_id = f.resource_id AND l.what = 6 AND l.since >= f.since
      AND coalesce((SELECT (SELECT count(*) FROM (SELECT 1 AS one) one CROSS JOIN jsonb_array_elements_text(CAST((SELECT b.text FROM texts b WHERE b.id = h.value AND h.what = 6) AS jsonb)) h_tag
        WHERE h_tag.value = g.value) FROM facts h
        WHERE h.platform_id = f.platform_id AND h.resource_id = f.resource_id AND h.what = 6 AND h.since = l.until LIMIT 1), 0) = 0 ORDER BY l.since LIMIT 1) AS until_us
FROM facts f CROSS JOIN jsonb_array_elements_text(CAST((SELECT b.text FROM texts b WHERE b.id = f.value AND f.what = 6) AS jsonb)) g
WHERE f.what = 6 AND coalesce((SELECT CASE p.until WHEN f.since THEN (SELECT count(*) FROM (SELECT 1 AS one) one CROSS JOIN jsonb_array_elements_text(CAST((SELECT b.text FROM texts b WHERE b.id = p.value AND p.what = 6) AS jsonb)) p_tag
        WHERE p_tag.value = g.value) ELSE 0 END FROM facts p
      WHERE p.platform_id = f.platform_id AND p.resource_id = f.resource_id AND p.what = 6 AND p.since < f.since ORDER BY p.since DESC LIMIT 1), 0) = 0
) v
JOIN resources r ON r.id = v.resource_id AND r.platform_id = v.platform_id;

COMMENT ON VIEW resource_tags IS 'Which tags a resource bore, each from when until when';

COMMENT ON COLUMN resource_tags.uri IS 'URI of the resource';

COMMENT ON COLUMN resource_tags.type IS 'Its type';

COMMENT ON COLUMN resource_tags.name IS 'The last name known of it';

COMMENT ON COLUMN resource_tags.tag IS 'The tag';

COMMENT ON COLUMN resource_tags.since IS 'Since when it bore it, UTC';

COMMENT ON COLUMN resource_tags.until IS 'Until when, UTC; NULL: it still does';

COMMENT ON COLUMN resource_tags.how IS 'told, or asked';

COMMENT ON COLUMN resource_tags.since_us IS 'Since when it bore it, in microseconds since 1970';

COMMENT ON COLUMN resource_tags.until_us IS 'Until when, in microseconds since 1970; NULL: it still does';

COMMENT ON COLUMN resource_tags.platform IS 'Name of the platform that it is on';

CREATE VIEW changes AS
SELECT v.at AS at, v.change AS change, v.uri AS uri, v.type AS type,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 3 AND f.since <= v.at_us
    ORDER BY f.since DESC LIMIT 1) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = v.platform_id AND b.resource_id = v.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = v.platform_id AND b.resource_id = v.resource_id AND b.since_us <= v.at_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.platform_id = f.platform_id AND b.resource_id = f.parent_id AND b.since_us <= v.at_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.since_us <= v.at_us) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = v.platform_id AND b.resource_id = v.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = v.platform_id AND b.resource_id = v.resource_id AND b.since_us <= v.at_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 5 AND f.since <= v.at_us
    ORDER BY f.since DESC LIMIT 1) AS slot,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = v.platform_id AND b.resource_id = v.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = v.platform_id AND b.resource_id = v.resource_id AND b.since_us <= v.at_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 4 AND f.since <= v.at_us
    ORDER BY f.since DESC LIMIT 1) AS image,
  v.before AS before, v.after AS after, v.certain AS certain, CAST(extract(epoch FROM v.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS at_us,
  (SELECT b.name FROM platforms b WHERE b.id = v.platform_id) AS platform
FROM (SELECT w.*, g.change AS change,
  g.before AS before,
  g.after AS after,
  g.certain AS certain,
  g.at_us AS at_us
FROM words w
CROSS JOIN LATERAL (SELECT CASE k.part WHEN 0 THEN CASE WHEN b.id IS NULL THEN 'appeared'
    WHEN coalesce((SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (w.type || ' ' || lower(s.text)), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (CASE WHEN length(lower(s.text)) > length(w.type || ' ' || split_part(lower(s.text), ' (', 1)) THEN lower(s.text) ELSE w.type || ' ' || split_part(lower(s.text), ' (', 1) END), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (CASE WHEN length(lower(s.text)) > length(w.type || ' ' || split_part(lower(s.text), ' (', 1)) THEN w.type || ' ' || split_part(lower(s.text), ' (', 1) ELSE lower(s.text) END), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (split_part(lower(s.text), ' (', 1))) COLLATE "C" = 'gone' THEN 'vanished' ELSE 'state' END ELSE CASE f.what WHEN 1 THEN 'moved' WHEN 3 THEN 'name' WHEN 4 THEN 'image' WHEN 5 THEN 'slot' WHEN 6 THEN 'tags' END END AS change,
  CASE k.part WHEN 0 THEN b.text ELSE CASE f.what WHEN 1 THEN (SELECT b.uri FROM facts g JOIN resources b ON b.platform_id = g.platform_id AND b.id = g.value
      WHERE g.platform_id = f.platform_id AND g.resource_id = f.resource_id AND g.what = 1 AND g.since < f.since
        AND g.until = f.since AND b.type_id = (SELECT q.type_id FROM resources q
          WHERE q.platform_id = f.platform_id AND q.id = f.value) LIMIT 1) ELSE (SELECT b.text FROM facts g JOIN texts b ON b.id = g.value
      WHERE g.platform_id = f.platform_id AND g.resource_id = f.resource_id AND g.what = f.what AND g.since < f.since
      ORDER BY g.since DESC LIMIT 1) END END AS before,
  CASE k.part WHEN 0 THEN s.text ELSE CASE f.what WHEN 1 THEN (SELECT b.uri FROM resources b WHERE b.platform_id = f.platform_id AND b.id = f.value) ELSE (SELECT b.text FROM texts b WHERE b.id = f.value) END END AS after,
  CASE WHEN h.id IS NOT NULL THEN CASE WHEN k.part = 0 AND b.id IS NULL THEN 1 - w.source WHEN EXISTS (SELECT 1 FROM sessions y WHERE y.stream_id = h.stream_id AND y.covered_from > CASE WHEN (SELECT o.occurred_at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.occurred_at < w.at ORDER BY o.occurred_at DESC LIMIT 1) > (SELECT o.observed_at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.observed_at < w.at ORDER BY o.observed_at DESC LIMIT 1) THEN (SELECT o.occurred_at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.occurred_at < w.at ORDER BY o.occurred_at DESC LIMIT 1) ELSE coalesce((SELECT o.observed_at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.observed_at < w.at ORDER BY o.observed_at DESC LIMIT 1), (SELECT o.occurred_at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.occurred_at < w.at ORDER BY o.occurred_at DESC LIMIT 1)) END
      AND y.covered_from <= CASE WHEN h.covered_from > w.at THEN h.covered_from ELSE w.at END AND (SELECT coalesce(b.before_us, -4611686018427387904) < b.covered_us
        AND NOT EXISTS (SELECT 1 FROM unchanged p WHERE p.platform_id = w.platform_id AND p.observation_id = (SELECT o.id FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.observed_at >= b.covered_from
      ORDER BY o.observed_at, o.id LIMIT 1) AND p.since < b.covered_from AND p.since_us <= b.before_us) FROM session_log b WHERE b.id = y.id)) THEN 0 ELSE 1 END END AS certain,
  CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS at_us
FROM (SELECT 1 AS one) one
LEFT JOIN event_states s ON s.id = w.state_id
LEFT JOIN event_states b ON b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )
CROSS JOIN (SELECT 0 AS part UNION ALL SELECT 1 AS part) k
LEFT JOIN facts f ON k.part = 1 AND f.platform_id = w.platform_id AND f.resource_id = w.resource_id
  AND f.what IN (1, 3, 4, 5, 6) AND f.since = CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AND (f.told_by = w.id AND f.how = CASE w.source WHEN 0 THEN 0 ELSE 1 END OR (f.how <> 2
    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id
    AND e.occurred_at = w.at AND e.id = f.told_by AND f.how = 0)
    AND NOT EXISTS (SELECT 1 FROM observations e WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id
    AND e.observed_at = w.at AND e.id = f.told_by AND f.how = 1)
    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id
    AND e.occurred_at = w.at AND (w.source = 1 OR e.id < w.id))
    AND NOT EXISTS (SELECT 1 FROM observations e WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id
    AND e.observed_at = w.at AND w.source = 1 AND e.id < w.id)))
LEFT JOIN sessions h ON h.id = w.session_id
WHERE CASE k.part WHEN 0 THEN coalesce(lower(b.text) <> lower(s.text), s.text IS NOT NULL)
  ELSE CASE f.what WHEN 1 THEN (SELECT b.uri FROM facts g JOIN resources b ON b.platform_id = g.platform_id AND b.id = g.value
      WHERE g.platform_id = f.platform_id AND g.resource_id = f.resource_id AND g.what = 1 AND g.since < f.since
        AND g.until = f.since AND b.type_id = (SELECT q.type_id FROM resources q
          WHERE q.platform_id = f.platform_id AND q.id = f.value) LIMIT 1) ELSE (SELECT b.text FROM facts g JOIN texts b ON b.id = g.value
      WHERE g.platform_id = f.platform_id AND g.resource_id = f.resource_id AND g.what = f.what AND g.since < f.since
      ORDER BY g.since DESC LIMIT 1) END <> CASE f.what WHEN 1 THEN (SELECT b.uri FROM resources b WHERE b.platform_id = f.platform_id AND b.id = f.value) ELSE (SELECT b.text FROM texts b WHERE b.id = f.value) END END OFFSET 0) g
WHERE true AND w.type <> 'action') v;

COMMENT ON VIEW changes IS 'What became another one of every resource but actions: one row per change';

COMMENT ON COLUMN changes.at IS 'When it was told or found, UTC';

COMMENT ON COLUMN changes.change IS 'appeared (its first state), vanished, state, image, name, slot, tags or moved';

COMMENT ON COLUMN changes.uri IS 'URI of the resource';

COMMENT ON COLUMN changes.type IS 'Its type';

COMMENT ON COLUMN changes.name IS 'What it was called, as last told';

COMMENT ON COLUMN changes.stack IS 'Name of the stack that it was in, or is; its URI where no name is known';

COMMENT ON COLUMN changes.service IS 'Name of the service that it was of, or is; its URI where no name is known';

COMMENT ON COLUMN changes.slot IS 'What lives on when it is replaced, where the platform has such a thing: shop_web.1';

COMMENT ON COLUMN changes.node IS 'Name of the node that it was on, or is; its URI where no name is known';

COMMENT ON COLUMN changes.image IS 'Its image as told, where known: nginx:1.25';

COMMENT ON COLUMN changes.before IS 'What was so before; of a move the URI of the former parent, of tags all of them as a JSON list';

COMMENT ON COLUMN changes.after IS 'What is so now; of a move the URI of the new parent, of tags all of them as a JSON list';

COMMENT ON COLUMN changes.certain IS '1: somebody was watching since the resource was last heard of, or told of its first state; 0: it may have been any time since; NULL: nobody wrote down whether anybody was';

COMMENT ON COLUMN changes.at_us IS 'When it was told or found, in microseconds since 1970';

COMMENT ON COLUMN changes.platform IS 'Name of the platform that it is on';

CREATE VIEW deploys AS
SELECT v.uri AS uri, v.type AS type,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 3 AND f.since <= v.begun_us
    ORDER BY f.since DESC LIMIT 1) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = v.platform_id AND b.resource_id = v.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = v.platform_id AND b.resource_id = v.resource_id AND b.since_us <= v.begun_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.platform_id = f.platform_id AND b.resource_id = f.parent_id AND b.since_us <= v.begun_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.since_us <= v.begun_us) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = v.platform_id AND b.resource_id = v.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = v.platform_id AND b.resource_id = v.resource_id AND b.since_us <= v.begun_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = v.platform_id AND b.resource_id = v.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = v.platform_id AND b.resource_id = v.resource_id AND b.since_us <= v.begun_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT a.uri FROM facts f JOIN resources a ON a.platform_id = f.platform_id AND a.id = f.resource_id
    WHERE f.platform_id = v.platform_id AND f.what = 2
      AND f.since >= v.begun_us - 15000000 AND f.since <= v.begun_us + 15000000
      AND f.value + 0 = v.resource_id ORDER BY f.since DESC LIMIT 1) AS action, v.at AS started_at, (to_timestamp(CASE WHEN v.end_us < 4611686018427387904 THEN v.end_us END / 1000000) + make_interval(secs => CAST(mod(CASE WHEN v.end_us < 4611686018427387904 THEN v.end_us END, 1000000) AS double precision) / 1e6)) AS finished_at,
  CAST(CASE WHEN v.end_us < 4611686018427387904 THEN v.end_us END - v.begun_us AS double precision) / 1e6 AS seconds, CASE WHEN v.end_us = 4611686018427387904 THEN 'open' WHEN substr(v.became, 1, 8) = 'rollback' THEN 'rolled back'
    WHEN v.became NOT IN ('paused', 'partly running') AND coalesce((SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (v.type || ' ' || lower(v.became)), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (CASE WHEN length(lower(v.became)) > length(v.type || ' ' || split_part(lower(v.became), ' (', 1)) THEN lower(v.became) ELSE v.type || ' ' || split_part(lower(v.became), ' (', 1) END), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (CASE WHEN length(lower(v.became)) > length(v.type || ' ' || split_part(lower(v.became), ' (', 1)) THEN v.type || ' ' || split_part(lower(v.became), ' (', 1) ELSE lower(v.became) END), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (split_part(lower(v.became), ' (', 1))) COLLATE "C" = 'up' THEN 'ok' ELSE 'failed' END AS result,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 4 AND f.since <= (v.begun_us - 1)
    ORDER BY f.since DESC LIMIT 1) AS image_before,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 4 AND f.since <= v.end_us
    ORDER BY f.since DESC LIMIT 1) AS image_after,
  CAST(CASE WHEN v.recovered_us < 4611686018427387904 THEN v.recovered_us END - v.begun_us AS double precision) / 1e6 AS recovered_seconds,
  v.certain AS certain,
  CAST(extract(epoch FROM v.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS started_us, CASE WHEN v.end_us < 4611686018427387904 THEN v.end_us END AS finished_us, (SELECT b.name FROM platforms b WHERE b.id = v.platform_id) AS platform
FROM (SELECT w.*, g.begun_us AS begun_us,
  g.end_us AS end_us,
  g.recovered_us AS recovered_us,
  g.became AS became,
  g.certain AS certain
FROM words w
CROSS JOIN LATERAL (SELECT CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS begun_us,
  CASE WHEN n.text IS NULL THEN 4611686018427387904 WHEN substr(lower(n.text), 1, 8) = 'rollback' THEN least(coalesce((SELECT CAST(extract(epoch FROM o.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) FROM events o JOIN event_states b ON b.id = o.state_id
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END AND lower(b.text) <> 'rollback_started'
      ORDER BY o.occurred_at LIMIT 1), 4611686018427387904), coalesce((SELECT CAST(extract(epoch FROM o.observed_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) FROM observations o JOIN event_states b ON b.id = o.state_id
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.observed_at >= CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END AND lower(b.text) <> 'rollback_started'
      ORDER BY o.observed_at LIMIT 1), 4611686018427387904)) ELSE CAST(extract(epoch FROM CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) END AS end_us,
  least(coalesce((SELECT CAST(extract(epoch FROM o.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) FROM events o JOIN event_states b ON b.id = o.state_id
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND lower(b.text) IN ('running', 'completed', 'rollback_completed')
      ORDER BY o.occurred_at LIMIT 1), 4611686018427387904), coalesce((SELECT CAST(extract(epoch FROM o.observed_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) FROM observations o JOIN event_states b ON b.id = o.state_id
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.observed_at >= w.at AND lower(b.text) IN ('running', 'completed', 'rollback_completed')
      ORDER BY o.observed_at LIMIT 1), 4611686018427387904)) AS recovered_us,
  lower(n.text) AS became,
  CASE WHEN h.id IS NULL THEN NULL WHEN (n.text IS NULL AND (SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = h.stream_id AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o) < CAST(extract(epoch FROM now()) * 1000000 AS bigint))
    OR EXISTS (SELECT 1 FROM sessions q WHERE q.stream_id = h.stream_id AND q.covered_from > w.at
      AND q.covered_from <= coalesce(CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END, CAST('infinity' AS timestamptz)) AND (SELECT coalesce(b.before_us, -4611686018427387904) < b.covered_us
        AND NOT EXISTS (SELECT 1 FROM unchanged p WHERE p.platform_id = w.platform_id AND p.observation_id = (SELECT o.id FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.observed_at >= b.covered_from
      ORDER BY o.observed_at, o.id LIMIT 1) AND p.since < b.covered_from AND p.since_us <= b.before_us) FROM session_log b WHERE b.id = q.id)) THEN 0 ELSE 1 END AS certain
FROM (SELECT 1 AS one) one
LEFT JOIN event_states s ON s.id = w.state_id
LEFT JOIN events ON events.platform_id = w.platform_id AND events.id = CASE WHEN CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) < w.last_since_us THEN (SELECT o.id FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND (o.occurred_at > w.at OR (w.source = 0 AND o.id > w.id)) AND o.state_id <> w.state_id
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> lower(s.text)
      ORDER BY o.occurred_at LIMIT 1)
    ELSE (SELECT o.id FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND o.occurred_at <= w.at AND ((w.source = 0 AND o.id > w.id)) AND o.state_id <> w.state_id
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> lower(s.text)
      ORDER BY o.occurred_at LIMIT 1) END
LEFT JOIN observations ON observations.platform_id = w.platform_id AND observations.id = CASE WHEN CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) < w.last_since_us THEN (SELECT o.id FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.observed_at >= w.at AND (o.observed_at > w.at OR w.source = 0 OR o.id > w.id) AND o.state_id <> w.state_id
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> lower(s.text)
      ORDER BY o.observed_at LIMIT 1)
    ELSE (SELECT o.id FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.observed_at >= w.at AND o.observed_at <= w.at AND (w.source = 0 OR o.id > w.id) AND o.state_id <> w.state_id
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> lower(s.text)
      ORDER BY o.observed_at LIMIT 1) END
LEFT JOIN event_states n ON n.id = CASE WHEN observations.observed_at < events.occurred_at THEN observations.state_id
    ELSE coalesce(events.state_id, observations.state_id) END
LEFT JOIN sessions h ON h.id = w.session_id
WHERE lower(s.text) IN ('updating', 'redeploying') AND coalesce((SELECT lower(b.text) FROM event_states b WHERE b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )) <> lower(s.text), true) OFFSET 0) g
WHERE true AND w.type IN ('service', 'stack')) v;

COMMENT ON VIEW deploys IS 'Every update or redeploy of a service or a stack, until it was settled again';

COMMENT ON COLUMN deploys.uri IS 'URI of the service or stack';

COMMENT ON COLUMN deploys.type IS 'Its type';

COMMENT ON COLUMN deploys.name IS 'What it was called, as last told';

COMMENT ON COLUMN deploys.stack IS 'Name of the stack that it was in, or is; its URI where no name is known';

COMMENT ON COLUMN deploys.service IS 'Name of the service that it was of, or is; its URI where no name is known';

COMMENT ON COLUMN deploys.node IS 'Name of the node that it was on, or is; its URI where no name is known';

COMMENT ON COLUMN deploys.action IS 'URI of the action that began it, where one is known';

COMMENT ON COLUMN deploys.started_at IS 'When it began, UTC';

COMMENT ON COLUMN deploys.finished_at IS 'When it was settled, or rolled back to the end, UTC; NULL: not as far as known';

COMMENT ON COLUMN deploys.seconds IS 'How long it took; NULL: not as far as known';

COMMENT ON COLUMN deploys.result IS 'ok, failed, rolled back or open';

COMMENT ON COLUMN deploys.image_before IS 'The image before, where known';

COMMENT ON COLUMN deploys.image_after IS 'The image at its end, where known';

COMMENT ON COLUMN deploys.recovered_seconds IS 'How long until the service or stack ran again, whatever became of the deploy';

COMMENT ON COLUMN deploys.certain IS '1: somebody was watching throughout; 0: not; NULL: nobody wrote down whether anybody was';

COMMENT ON COLUMN deploys.started_us IS 'When it began, in microseconds since 1970';

COMMENT ON COLUMN deploys.finished_us IS 'When it was settled, in microseconds since 1970; NULL: not as far as known';

COMMENT ON COLUMN deploys.platform IS 'Name of the platform that it is on';

CREATE VIEW state_changes AS
SELECT w.platform_id AS platform_id, w.resource_id AS resource_id, w.at AS at, w.source AS source, w.id AS id
FROM (
  SELECT platform_id, resource_id, occurred_at AS at, 0 AS source, id, state_id, session_id FROM events
  UNION ALL
  SELECT platform_id, resource_id, observed_at AS at, 1 AS source, id, state_id, session_id FROM observations
) w
WHERE w.state_id IS NOT NULL
  AND coalesce((SELECT lower(b.text) FROM event_states b WHERE b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )) <> (SELECT lower(b.text) FROM event_states b WHERE b.id = w.state_id), true);

COMMENT ON VIEW state_changes IS 'Every word that says another state than the one before, or the first';

COMMENT ON COLUMN state_changes.platform_id IS 'Number of the platform that it is on';

COMMENT ON COLUMN state_changes.resource_id IS 'Number of the resource';

COMMENT ON COLUMN state_changes.at IS 'When it was told or found, UTC';

COMMENT ON COLUMN state_changes.source IS '0: an event; 1: an observation';

COMMENT ON COLUMN state_changes.id IS 'Number of the event, or of the observation';

CREATE VIEW flaps AS
SELECT w.uri AS uri, w.type AS type,
  (SELECT b.text FROM present p JOIN texts b ON b.id = p.name_id
    WHERE p.platform_id = w.platform_id AND p.resource_id = w.resource_id) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.platform_id = f.platform_id AND b.resource_id = f.parent_id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.platform_id = w.platform_id AND f.resource_id = w.resource_id AND f.since_us <= 4611686018427387904) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  (SELECT b.text FROM present p JOIN texts b ON b.id = p.slot_id
    WHERE p.platform_id = w.platform_id AND p.resource_id = w.resource_id) AS slot,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT b.text FROM present p JOIN texts b ON b.id = p.image_id
    WHERE p.platform_id = w.platform_id AND p.resource_id = w.resource_id) AS image,
  w.at AS since, (to_timestamp(w.until_us / 1000000) + make_interval(secs => CAST(mod(w.until_us, 1000000) AS double precision) / 1e6)) AS until, CAST(w.until_us - w.since_us AS double precision) / 1e6 AS seconds,
  CAST((SELECT sum(c.one) FROM (SELECT 1 AS one FROM state_changes c WHERE c.platform_id = w.platform_id AND c.resource_id = w.resource_id AND c.at >= w.at AND c.at <= (to_timestamp(w.until_us / 1000000) + make_interval(secs => CAST(mod(w.until_us, 1000000) AS double precision) / 1e6)) LIMIT 4611686018427387904) c) AS bigint) AS changes,
  CASE WHEN (SELECT o.session_id FROM events o WHERE o.platform_id = w.platform_id
    AND o.resource_id = w.resource_id AND o.occurred_at = w.at ORDER BY o.session_id LIMIT 1) IS NULL THEN NULL WHEN EXISTS (SELECT 1 FROM sessions h JOIN sessions q ON q.stream_id = h.stream_id
    WHERE h.id = (SELECT o.session_id FROM events o WHERE o.platform_id = w.platform_id
    AND o.resource_id = w.resource_id AND o.occurred_at = w.at ORDER BY o.session_id LIMIT 1) AND q.covered_from > w.at AND q.covered_from <= (to_timestamp(w.until_us / 1000000) + make_interval(secs => CAST(mod(w.until_us, 1000000) AS double precision) / 1e6))
      AND (SELECT coalesce(b.before_us, -4611686018427387904) < b.covered_us
        AND NOT EXISTS (SELECT 1 FROM unchanged p WHERE p.platform_id = w.platform_id AND p.observation_id = (SELECT o.id FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.observed_at >= b.covered_from
      ORDER BY o.observed_at, o.id LIMIT 1) AND p.since < b.covered_from AND p.since_us <= b.before_us) FROM session_log b WHERE b.id = q.id)) THEN 0 ELSE 1 END AS certain,
  w.since_us AS since_us, w.until_us AS until_us, (SELECT b.name FROM platforms b WHERE b.id = w.platform_id) AS platform
FROM (SELECT w.*, CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS since_us, g.until_us AS until_us
FROM words w
JOIN event_states s ON s.id = w.state_id
CROSS JOIN LATERAL (SELECT CASE WHEN w.uri <> '' AND w.type <> 'action' AND (SELECT sum(o.one) FROM (SELECT 1 AS one FROM events o WHERE o.platform_id = w.platform_id
        AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.occurred_at >= w.at AND o.occurred_at <= (to_timestamp((CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000), 1000000) AS double precision) / 1e6)) UNION ALL SELECT 1 AS one FROM observations o WHERE o.platform_id = w.platform_id
        AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.observed_at >= w.at AND o.observed_at <= (to_timestamp((CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000), 1000000) AS double precision) / 1e6)) LIMIT 6) o) = 6
      AND coalesce((SELECT lower(b.text) FROM event_states b WHERE b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.platform_id = w.platform_id AND b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )) <> lower(s.text), true) AND (SELECT sum(c.one) FROM (SELECT 1 AS one FROM state_changes c WHERE c.platform_id = w.platform_id AND c.resource_id = w.resource_id AND c.at >= w.at AND c.at <= (to_timestamp((CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000), 1000000) AS double precision) / 1e6)) LIMIT 6) c) = 6 AND (SELECT 1 FROM state_changes c WHERE c.platform_id = w.platform_id AND c.resource_id = w.resource_id AND c.at >= w.at AND c.at <= w.at AND (c.source < w.source OR (c.source = w.source AND c.id < w.id)) LIMIT 1) IS NULL AND (SELECT 1 FROM state_changes b WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.at < w.at AND b.at > (to_timestamp((CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) - 600000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) - 600000000), 1000000) AS double precision) / 1e6)) AND (SELECT sum(c.one) FROM (SELECT 1 AS one FROM state_changes c WHERE c.platform_id = b.platform_id AND c.resource_id = b.resource_id AND c.at >= b.at AND c.at <= (to_timestamp((CAST(extract(epoch FROM b.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM b.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000), 1000000) AS double precision) / 1e6)) LIMIT 6) c) = 6 LIMIT 1) IS NULL
      AND ((SELECT 1 FROM state_changes c WHERE c.platform_id = w.platform_id AND c.resource_id = w.resource_id AND c.at < w.at AND c.at > (to_timestamp((CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) - 600000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) - 600000000), 1000000) AS double precision) / 1e6)) LIMIT 1) IS NULL OR (SELECT c.dense FROM (SELECT b.at AS at, CASE WHEN (SELECT sum(c.one) FROM (SELECT 1 AS one FROM state_changes c WHERE c.platform_id = b.platform_id AND c.resource_id = b.resource_id AND c.at >= b.at AND c.at <= (to_timestamp((CAST(extract(epoch FROM b.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM b.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000), 1000000) AS double precision) / 1e6)) LIMIT 6) c) = 6 THEN 1 ELSE 0 END AS dense FROM state_changes b WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.at < w.at AND ((SELECT 1 FROM state_changes c WHERE c.platform_id = b.platform_id AND c.resource_id = b.resource_id AND c.at < b.at AND c.at > (to_timestamp((CAST(extract(epoch FROM b.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) - 600000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM b.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) - 600000000), 1000000) AS double precision) / 1e6)) LIMIT 1) IS NULL OR (SELECT sum(c.one) FROM (SELECT 1 AS one FROM state_changes c WHERE c.platform_id = b.platform_id AND c.resource_id = b.resource_id AND c.at >= b.at AND c.at <= (to_timestamp((CAST(extract(epoch FROM b.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM b.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000), 1000000) AS double precision) / 1e6)) LIMIT 6) c) = 6) ORDER BY b.at DESC LIMIT 1) c LIMIT 1) = 0) THEN (SELECT CAST(extract(epoch FROM c.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) FROM (SELECT b.at AS at FROM state_changes b WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.at <= coalesce((SELECT b.at AS at FROM state_changes b WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.source = 0 AND b.at >= w.at AND (SELECT 1 FROM state_changes c WHERE c.platform_id = b.platform_id AND c.resource_id = b.resource_id AND c.at > b.at AND c.at < (to_timestamp((CAST(extract(epoch FROM b.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM b.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000), 1000000) AS double precision) / 1e6)) LIMIT 1) IS NULL ORDER BY b.at LIMIT 1), CAST('infinity' AS timestamptz)) AND b.at >= w.at AND (SELECT 1 FROM state_changes c WHERE c.platform_id = b.platform_id AND c.resource_id = b.resource_id AND c.at > b.at AND c.at < (to_timestamp((CAST(extract(epoch FROM b.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM b.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) + 600000000), 1000000) AS double precision) / 1e6)) LIMIT 1) IS NULL ORDER BY b.at LIMIT 1) c LIMIT 1) END AS until_us
FROM (SELECT 1 AS one) one

WHERE 1 = 1 OFFSET 0) g
WHERE true) w
WHERE w.until_us IS NOT NULL;

COMMENT ON VIEW flaps IS 'When a resource changed its state at least six times within ten minutes, until ten quiet minutes';

COMMENT ON COLUMN flaps.uri IS 'URI of the resource';

COMMENT ON COLUMN flaps.type IS 'Its type';

COMMENT ON COLUMN flaps.name IS 'What it was called, as last told';

COMMENT ON COLUMN flaps.stack IS 'Name of the stack that it was in, or is; its URI where no name is known';

COMMENT ON COLUMN flaps.service IS 'Name of the service that it was of, or is; its URI where no name is known';

COMMENT ON COLUMN flaps.slot IS 'What lives on when it is replaced, where the platform has such a thing: shop_web.1';

COMMENT ON COLUMN flaps.node IS 'Name of the node that it was on, or is; its URI where no name is known';

COMMENT ON COLUMN flaps.image IS 'Its image as told, where known: nginx:1.25';

COMMENT ON COLUMN flaps.since IS 'The first of these changes, UTC';

COMMENT ON COLUMN flaps.until IS 'The last change before ten quiet minutes, or the last one known, UTC';

COMMENT ON COLUMN flaps.seconds IS 'How long';

COMMENT ON COLUMN flaps.changes IS 'How many changes of state';

COMMENT ON COLUMN flaps.certain IS '1: watched throughout, or proven; 0: there may have been more; NULL: nobody wrote that down';

COMMENT ON COLUMN flaps.since_us IS 'The first of these changes, in microseconds since 1970';

COMMENT ON COLUMN flaps.until_us IS 'The last of them, in microseconds since 1970';

COMMENT ON COLUMN flaps.platform IS 'Name of the platform that it is on';

CREATE VIEW coverage_daily AS
SELECT v.day AS day, v.url AS stream, CAST(v.until_us - v.unwatched - v.since_us AS double precision) / 1e6 AS watched_seconds,
  CAST(v.unwatched - 0 AS double precision) / 1e6 AS unwatched_seconds, v.gaps AS gaps,
  CAST(v.longest - 0 AS double precision) / 1e6 AS longest_seconds, v.day_us AS day_us
FROM (SELECT x.*, CAST((SELECT coalesce(sum(g.until_us - g.since_us), 0) FROM (SELECT greatest(x.since_us, coalesce(y.before_us, x.since_us)) AS since_us,
        least(x.until_us, y.covered_us) AS until_us
      FROM session_log y WHERE y.stream_id = x.id AND y.covered_from > x.morning
        AND y.covered_from <= x.behind AND y.covered_from > x.begun AND coalesce(y.before_us, 0) < y.covered_us
      UNION ALL
      SELECT greatest(x.since_us, (SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = x.id AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o)) AS since_us, x.until_us AS until_us
      FROM (SELECT 1 AS one) l WHERE x.behind = CAST('infinity' AS timestamptz)) g WHERE g.since_us < g.until_us) AS bigint) AS unwatched, (SELECT count(*) FROM (SELECT greatest(x.since_us, coalesce(y.before_us, x.since_us)) AS since_us,
        least(x.until_us, y.covered_us) AS until_us
      FROM session_log y WHERE y.stream_id = x.id AND y.covered_from > x.morning
        AND y.covered_from <= x.behind AND y.covered_from > x.begun AND coalesce(y.before_us, 0) < y.covered_us
      UNION ALL
      SELECT greatest(x.since_us, (SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = x.id AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o)) AS since_us, x.until_us AS until_us
      FROM (SELECT 1 AS one) l WHERE x.behind = CAST('infinity' AS timestamptz)) g WHERE g.since_us < g.until_us) AS gaps, (SELECT coalesce(max(g.until_us - g.since_us), 0) FROM (SELECT greatest(x.since_us, coalesce(y.before_us, x.since_us)) AS since_us,
        least(x.until_us, y.covered_us) AS until_us
      FROM session_log y WHERE y.stream_id = x.id AND y.covered_from > x.morning
        AND y.covered_from <= x.behind AND y.covered_from > x.begun AND coalesce(y.before_us, 0) < y.covered_us
      UNION ALL
      SELECT greatest(x.since_us, (SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = x.id AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o)) AS since_us, x.until_us AS until_us
      FROM (SELECT 1 AS one) l WHERE x.behind = CAST('infinity' AS timestamptz)) g WHERE g.since_us < g.until_us) AS longest FROM (SELECT st.id AS id, st.url AS url, d.day AS day, CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) AS day_us, (SELECT q.covered_from FROM sessions q WHERE q.stream_id = st.id ORDER BY q.covered_from LIMIT 1) AS begun,
    greatest(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint), CAST(extract(epoch FROM (SELECT q.covered_from FROM sessions q WHERE q.stream_id = st.id ORDER BY q.covered_from LIMIT 1) - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint)) AS since_us, least(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) + 86400000000, CAST(extract(epoch FROM now()) * 1000000 AS bigint)) AS until_us,
    (to_timestamp(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) / 1000000) + make_interval(secs => CAST(mod(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint), 1000000) AS double precision) / 1e6)) AS morning,
    coalesce((SELECT q.covered_from FROM sessions q
      WHERE q.stream_id = st.id AND q.covered_from > (to_timestamp((CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) + 86400000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) + 86400000000), 1000000) AS double precision) / 1e6))
      ORDER BY q.covered_from LIMIT 1), CAST('infinity' AS timestamptz)) AS behind
  FROM streams st
  JOIN days d ON d.day >= to_char(timezone('UTC', to_timestamp((CAST(extract(epoch FROM (SELECT q.covered_from FROM sessions q WHERE q.stream_id = st.id ORDER BY q.covered_from LIMIT 1) - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint)) / 1000000)), 'YYYY-MM-DD') COLLATE "C" AND d.day <= to_char(timezone('UTC', to_timestamp((CAST(extract(epoch FROM now()) * 1000000 AS bigint)) / 1000000)), 'YYYY-MM-DD') COLLATE "C") x) v;

COMMENT ON VIEW coverage_daily IS 'How long each stream was watched on each day of UTC, from its first session on';

COMMENT ON COLUMN coverage_daily.day IS 'The day, 2026-11-23';

COMMENT ON COLUMN coverage_daily.stream IS 'URL of the stream';

COMMENT ON COLUMN coverage_daily.watched_seconds IS 'How long somebody was watching';

COMMENT ON COLUMN coverage_daily.unwatched_seconds IS 'How long nobody was, from the first session until now';

COMMENT ON COLUMN coverage_daily.gaps IS 'In how many stretches';

COMMENT ON COLUMN coverage_daily.longest_seconds IS 'How long the longest of them was, as far as it is of this day';

COMMENT ON COLUMN coverage_daily.day_us IS 'When the day begins, in microseconds since 1970';

CREATE VIEW told_of_day AS
SELECT v.platform_id AS platform_id, v.resource_id AS resource_id, v.day AS day, v.at AS at,
  v.at_us AS at_us, v.id AS id,
  coalesce((SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> ('container' || ' ' || lower(s.text)), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (CASE WHEN length(lower(s.text)) > length('container' || ' ' || split_part(lower(s.text), ' (', 1)) THEN lower(s.text) ELSE 'container' || ' ' || split_part(lower(s.text), ' (', 1) END), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (CASE WHEN length(lower(s.text)) > length('container' || ' ' || split_part(lower(s.text), ' (', 1)) THEN 'container' || ' ' || split_part(lower(s.text), ' (', 1) ELSE lower(s.text) END), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (split_part(lower(s.text), ' (', 1))) COLLATE "C" AS kind, greatest(v.at_us, v.day_us) AS since_us, greatest(greatest(v.at_us, v.day_us), least(v.next_us, v.day_us + 86400000000, CAST(extract(epoch FROM now()) * 1000000 AS bigint))) AS until_us, (SELECT least(e.until_us, greatest(e.since_us, coalesce((SELECT q.before_us FROM session_log q WHERE q.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id) AND q.covered_from > v.at
      AND q.covered_from <= coalesce((SELECT u.covered_from FROM sessions u WHERE u.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id)
        AND u.covered_from > (to_timestamp(e.until_us / 1000000) + make_interval(secs => CAST(mod(e.until_us, 1000000) AS double precision) / 1e6)) ORDER BY u.covered_from LIMIT 1), CAST('infinity' AS timestamptz))
      AND coalesce(q.before_us, -4611686018427387904) < q.covered_us AND (q.covered_us - v.at_us >= 1000000
        OR v.at_us / 1000000 * 1000000 <> v.at_us)
    ORDER BY q.covered_from LIMIT 1), (SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id) AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o), -4611686018427387904)))
    FROM (SELECT greatest(v.at_us, v.day_us) AS since_us, greatest(greatest(v.at_us, v.day_us), least(v.next_us, v.day_us + 86400000000, CAST(extract(epoch FROM now()) * 1000000 AS bigint))) AS until_us) e) AS known_us
FROM (SELECT p.platform_id AS platform_id, p.resource_id AS resource_id, d.day AS day, CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) AS day_us,
  w.occurred_at AS at, w.id AS id, w.state_id AS state_id, w.session_id AS session_id, CAST(extract(epoch FROM w.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS at_us,
  least(coalesce(CAST(extract(epoch FROM (SELECT o.occurred_at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.occurred_at >= w.occurred_at AND (o.occurred_at > w.occurred_at OR o.id > w.id) ORDER BY o.occurred_at LIMIT 1) - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint), 4611686018427387904), coalesce(CAST(extract(epoch FROM (SELECT o.observed_at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.observed_at >= w.occurred_at AND (o.observed_at > w.occurred_at OR 1 = 1) ORDER BY o.observed_at LIMIT 1) - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint), 4611686018427387904)) AS next_us
FROM present p
JOIN days d ON d.day >= to_char(timezone('UTC', to_timestamp((p.first_at) / 1000000)), 'YYYY-MM-DD') COLLATE "C" AND d.day <= to_char(timezone('UTC', to_timestamp((CAST(extract(epoch FROM now()) * 1000000 AS bigint)) / 1000000)), 'YYYY-MM-DD') COLLATE "C"
JOIN events w ON w.platform_id = p.platform_id AND w.resource_id = p.resource_id AND w.occurred_at >= coalesce((SELECT max(b.at) FROM (SELECT max(o.occurred_at) AS at FROM events o
    WHERE o.platform_id = p.platform_id AND o.resource_id = p.resource_id
      AND o.state_id IS NOT NULL AND o.occurred_at <= (to_timestamp(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) / 1000000) + make_interval(secs => CAST(mod(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint), 1000000) AS double precision) / 1e6))
      UNION ALL SELECT max(o.observed_at) AS at FROM observations o
    WHERE o.platform_id = p.platform_id AND o.resource_id = p.resource_id
      AND o.state_id IS NOT NULL AND o.observed_at <= (to_timestamp(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) / 1000000) + make_interval(secs => CAST(mod(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint), 1000000) AS double precision) / 1e6))) b), CAST('-infinity' AS timestamptz))
  AND w.occurred_at < (to_timestamp((CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) + 86400000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) + 86400000000), 1000000) AS double precision) / 1e6)) AND w.state_id IS NOT NULL) v
JOIN event_states s ON s.id = v.state_id;

COMMENT ON VIEW told_of_day IS 'The states that everything was told to be in, on each day that one lasted';

COMMENT ON COLUMN told_of_day.platform_id IS 'Number of the platform that it is on';

COMMENT ON COLUMN told_of_day.resource_id IS 'Number of the resource';

COMMENT ON COLUMN told_of_day.day IS 'The day of UTC, 2026-11-23';

COMMENT ON COLUMN told_of_day.at IS 'When it was told, UTC: on that day, or last before';

COMMENT ON COLUMN told_of_day.at_us IS 'The same in microseconds since 1970';

COMMENT ON COLUMN told_of_day.id IS 'Number of the event';

COMMENT ON COLUMN told_of_day.kind IS 'up, down, starting or gone, as `state_kinds` says of a container; NULL: it says nothing of it';

COMMENT ON COLUMN told_of_day.since_us IS 'From when on it was so on that day, in microseconds since 1970';

COMMENT ON COLUMN told_of_day.until_us IS 'Until when on that day: until another word, the end of the day, or now';

COMMENT ON COLUMN told_of_day.known_us IS 'Until when on that day somebody was watching since, or it is proven; since_us: nobody was';

CREATE VIEW found_of_day AS
SELECT v.platform_id AS platform_id, v.resource_id AS resource_id, v.day AS day, v.at AS at,
  v.at_us AS at_us, v.id AS id,
  coalesce((SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> ('container' || ' ' || lower(s.text)), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (CASE WHEN length(lower(s.text)) > length('container' || ' ' || split_part(lower(s.text), ' (', 1)) THEN lower(s.text) ELSE 'container' || ' ' || split_part(lower(s.text), ' (', 1) END), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (CASE WHEN length(lower(s.text)) > length('container' || ' ' || split_part(lower(s.text), ' (', 1)) THEN 'container' || ' ' || split_part(lower(s.text), ' (', 1) ELSE lower(s.text) END), (SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '') ->> (split_part(lower(s.text), ' (', 1))) COLLATE "C" AS kind, greatest(v.at_us, v.day_us) AS since_us, greatest(greatest(v.at_us, v.day_us), least(v.next_us, v.day_us + 86400000000, CAST(extract(epoch FROM now()) * 1000000 AS bigint))) AS until_us, (SELECT CASE WHEN EXISTS (SELECT 1 FROM unchanged p WHERE p.platform_id = v.platform_id
      AND p.observation_id = (SELECT o.id FROM observations o
      WHERE o.platform_id = v.platform_id AND o.resource_id = v.resource_id AND o.state_id IS NOT NULL
        AND (o.observed_at, o.id) > (v.at, v.id) ORDER BY o.observed_at, o.id LIMIT 1)) THEN e.until_us ELSE least(e.until_us, greatest(e.since_us, coalesce((SELECT q.before_us FROM session_log q WHERE q.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id) AND q.covered_from > v.at
      AND q.covered_from <= coalesce((SELECT u.covered_from FROM sessions u WHERE u.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id)
        AND u.covered_from > (to_timestamp(e.until_us / 1000000) + make_interval(secs => CAST(mod(e.until_us, 1000000) AS double precision) / 1e6)) ORDER BY u.covered_from LIMIT 1), CAST('infinity' AS timestamptz))
      AND coalesce(q.before_us, -4611686018427387904) < q.covered_us AND (q.covered_us - v.at_us >= 1000000
        OR v.at_us / 1000000 * 1000000 <> v.at_us)
    ORDER BY q.covered_from LIMIT 1), (SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id) AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o), -4611686018427387904))) END
    FROM (SELECT greatest(v.at_us, v.day_us) AS since_us, greatest(greatest(v.at_us, v.day_us), least(v.next_us, v.day_us + 86400000000, CAST(extract(epoch FROM now()) * 1000000 AS bigint))) AS until_us) e) AS known_us
FROM (SELECT p.platform_id AS platform_id, p.resource_id AS resource_id, d.day AS day, CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) AS day_us,
  w.observed_at AS at, w.id AS id, w.state_id AS state_id, w.session_id AS session_id, CAST(extract(epoch FROM w.observed_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS at_us,
  least(coalesce(CAST(extract(epoch FROM (SELECT o.occurred_at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.occurred_at >= w.observed_at AND (o.occurred_at > w.observed_at OR 1 = 0) ORDER BY o.occurred_at LIMIT 1) - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint), 4611686018427387904), coalesce(CAST(extract(epoch FROM (SELECT o.observed_at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.observed_at >= w.observed_at AND (o.observed_at > w.observed_at OR o.id > w.id) ORDER BY o.observed_at LIMIT 1) - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint), 4611686018427387904)) AS next_us
FROM present p
JOIN days d ON d.day >= to_char(timezone('UTC', to_timestamp((p.first_at) / 1000000)), 'YYYY-MM-DD') COLLATE "C" AND d.day <= to_char(timezone('UTC', to_timestamp((CAST(extract(epoch FROM now()) * 1000000 AS bigint)) / 1000000)), 'YYYY-MM-DD') COLLATE "C"
JOIN observations w ON w.platform_id = p.platform_id AND w.resource_id = p.resource_id AND w.observed_at >= coalesce((SELECT max(b.at) FROM (SELECT max(o.occurred_at) AS at FROM events o
    WHERE o.platform_id = p.platform_id AND o.resource_id = p.resource_id
      AND o.state_id IS NOT NULL AND o.occurred_at <= (to_timestamp(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) / 1000000) + make_interval(secs => CAST(mod(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint), 1000000) AS double precision) / 1e6))
      UNION ALL SELECT max(o.observed_at) AS at FROM observations o
    WHERE o.platform_id = p.platform_id AND o.resource_id = p.resource_id
      AND o.state_id IS NOT NULL AND o.observed_at <= (to_timestamp(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) / 1000000) + make_interval(secs => CAST(mod(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint), 1000000) AS double precision) / 1e6))) b), CAST('-infinity' AS timestamptz))
  AND w.observed_at < (to_timestamp((CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) + 86400000000) / 1000000) + make_interval(secs => CAST(mod((CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) + 86400000000), 1000000) AS double precision) / 1e6)) AND w.state_id IS NOT NULL) v
JOIN event_states s ON s.id = v.state_id;

COMMENT ON VIEW found_of_day IS 'The states that everything was found to be in, on each day that one lasted';

COMMENT ON COLUMN found_of_day.platform_id IS 'Number of the platform that it is on';

COMMENT ON COLUMN found_of_day.resource_id IS 'Number of the resource';

COMMENT ON COLUMN found_of_day.day IS 'The day of UTC, 2026-11-23';

COMMENT ON COLUMN found_of_day.at IS 'When it was found, UTC: on that day, or last before';

COMMENT ON COLUMN found_of_day.at_us IS 'The same in microseconds since 1970';

COMMENT ON COLUMN found_of_day.id IS 'Number of the observation';

COMMENT ON COLUMN found_of_day.kind IS 'up, down, starting or gone, as `state_kinds` says of a container; NULL: it says nothing of it';

COMMENT ON COLUMN found_of_day.since_us IS 'From when on it was so on that day, in microseconds since 1970';

COMMENT ON COLUMN found_of_day.until_us IS 'Until when on that day: until another word, the end of the day, or now';

COMMENT ON COLUMN found_of_day.known_us IS 'Until when on that day somebody was watching since, or it is proven; since_us: nobody was';

CREATE VIEW availability_daily AS
SELECT y.day AS day, y.uri AS uri, y.type AS type,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = y.platform_id AND f.resource_id = y.resource_id AND f.what = 3 AND f.since <= (y.until_us - 1)
    ORDER BY f.since DESC LIMIT 1) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = y.platform_id AND b.resource_id = y.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = y.platform_id AND b.resource_id = y.resource_id AND b.since_us <= (y.until_us - 1) AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.platform_id = f.platform_id AND b.resource_id = f.parent_id AND b.since_us <= (y.until_us - 1) AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.platform_id = y.platform_id AND f.resource_id = y.resource_id AND f.since_us <= (y.until_us - 1)) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = y.platform_id AND b.resource_id = y.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = y.platform_id AND b.resource_id = y.resource_id AND b.since_us <= (y.until_us - 1) AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = y.platform_id AND f.resource_id = y.resource_id AND f.what = 5 AND f.since <= (y.until_us - 1)
    ORDER BY f.since DESC LIMIT 1) AS slot,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.platform_id = y.platform_id AND b.resource_id = y.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.platform_id = y.platform_id AND b.resource_id = y.resource_id AND b.since_us <= (y.until_us - 1) AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = y.platform_id AND f.resource_id = y.resource_id AND f.what = 4 AND f.since <= (y.until_us - 1)
    ORDER BY f.since DESC LIMIT 1) AS image,
  CAST((y.up - y.looped) - 0 AS double precision) / 1e6 AS up_seconds, CAST((y.not_up - y.planned + y.looped) - 0 AS double precision) / 1e6 AS down_seconds,
  CAST(y.planned - 0 AS double precision) / 1e6 AS planned_seconds,
  CAST(y.life - y.gone - (y.up + y.not_up) AS double precision) / 1e6 AS unknown_seconds,
  CAST((y.up - y.looped) AS double precision) / nullif((y.up - y.looped) + (y.not_up - y.planned + y.looped), 0) AS availability, CAST((y.up - y.looped) AS double precision) / nullif((y.life - y.gone - y.planned), 0) AS worst, CAST((y.life - y.gone - y.planned) - (y.not_up - y.planned + y.looped) AS double precision) / nullif((y.life - y.gone - y.planned), 0) AS best,
  y.day_us AS day_us, (SELECT b.name FROM platforms b WHERE b.id = y.platform_id) AS platform
FROM (SELECT x.*, x.until_us - x.since_us AS life, g.up AS up,
  g.looped AS looped,
  g.not_up AS not_up,
  g.planned AS planned,
  g.gone AS gone
FROM (SELECT p.resource_id AS resource_id, r.uri AS uri, r.platform_id AS platform_id, t.text AS type,
    d.day AS day, CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) AS day_us, greatest(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint), p.first_at) AS since_us,
    least(CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) + 86400000000, CAST(extract(epoch FROM now()) * 1000000 AS bigint), coalesce(p.gone_at, 4611686018427387904)) AS until_us
  FROM present p
  JOIN (VALUES (20, 1048576), (21, 2097152), (22, 4194304), (23, 8388608), (24, 16777216), (25, 33554432), (26, 67108864), (27, 134217728), (28, 268435456), (29, 536870912), (30, 1073741824), (31, 2147483648), (32, 4294967296), (33, 8589934592), (34, 17179869184), (35, 34359738368), (36, 68719476736), (37, 137438953472), (38, 274877906944), (39, 549755813888), (40, 1099511627776), (41, 2199023255552), (42, 4398046511104), (43, 8796093022208), (44, 17592186044416), (45, 35184372088832), (46, 70368744177664), (47, 140737488355328), (48, 281474976710656), (49, 562949953421312), (50, 1125899906842624), (51, 2251799813685248), (52, 4503599627370496), (53, 9007199254740992), (54, 18014398509481984), (55, 36028797018963968), (56, 72057594037927936), (57, 144115188075855872), (58, 288230376151711744), (59, 576460752303423488), (63, 4611686018427387904)) l ON l.column1 = l.column1 + 0 AND p.lasted + 0 = l.column1
  JOIN event_types t ON t.id = p.type_id AND t.text = 'container'
  JOIN resources r ON r.platform_id = p.platform_id AND r.id = p.resource_id
  JOIN days d ON d.day >= to_char(timezone('UTC', to_timestamp((p.first_at) / 1000000)), 'YYYY-MM-DD') COLLATE "C" AND d.day <= to_char(timezone('UTC', to_timestamp((coalesce(p.gone_at, CAST(extract(epoch FROM now()) * 1000000 AS bigint))) / 1000000)), 'YYYY-MM-DD') COLLATE "C"
    AND p.first_at + 0 > (CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint)) - l.column2 AND p.first_at + 0 < CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint) + 86400000000 AND (p.gone_at IS NULL OR p.gone_at >= CAST(extract(epoch FROM CAST(d.day || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint))) x
CROSS JOIN LATERAL (SELECT CAST(coalesce(sum(CASE WHEN v.kind = 'up' THEN v.known END), 0) AS bigint) AS up, CAST(coalesce(sum(CASE WHEN v.kind = 'up' AND g.first_us IS NOT NULL THEN v.known END), 0) AS bigint) AS looped, CAST(coalesce(sum(CASE WHEN v.kind IN ('down', 'starting') AND v.known > 0 THEN v.known END), 0) AS bigint) AS not_up, CAST(coalesce(sum(CASE WHEN v.kind IN ('down', 'starting') AND v.known > 0 THEN v.known * (SELECT greatest(coalesce((SELECT o.stopped_us * 2 + CASE WHEN o.cause IN ('told', 'forced') THEN 1 ELSE 0 END
        FROM told_stops o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.stopped_at >= u.up_at
          AND o.stopped_at <= v.at
        ORDER BY o.stopped_at DESC, o.id DESC LIMIT 1), 0), coalesce((SELECT CAST(extract(epoch FROM max(o.occurred_at) - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) FROM events o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.occurred_at >= u.up_at
          AND o.occurred_at <= v.at AND (SELECT b.word FROM state_words b WHERE b.id = o.state_id) IN ('stopping', 'terminating')), -1) * 2 + 1, coalesce((SELECT CAST(extract(epoch FROM max(o.observed_at) - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) FROM observations o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.observed_at >= u.up_at
          AND o.observed_at <= v.at AND (SELECT b.word FROM state_words b WHERE b.id = o.state_id) IN ('stopping', 'terminating')), -1) * 2 + 1) & 1 FROM (SELECT coalesce((SELECT max(u.at) FROM (SELECT max(o.occurred_at) AS at FROM events o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.occurred_at <= v.at
          AND (SELECT b.runs FROM state_words b WHERE b.id = o.state_id) = 1 UNION ALL SELECT max(o.observed_at) AS at FROM observations o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.observed_at <= v.at
          AND (SELECT b.runs FROM state_words b WHERE b.id = o.state_id) = 1) u), CAST('-infinity' AS timestamptz)) AS up_at) u) END), 0) AS bigint) AS planned, CAST(coalesce(sum(CASE WHEN v.kind = 'gone' THEN v.us END), 0) AS bigint) AS gone FROM (SELECT v.at AS at, v.at_us AS at_us, v.kind AS kind, v.known_us - v.since_us AS known,
      v.until_us - v.since_us AS us FROM told_of_day v
      WHERE v.platform_id = x.platform_id AND v.resource_id = x.resource_id AND v.day = x.day
        AND v.at_us < x.until_us UNION ALL SELECT v.at AS at, v.at_us AS at_us, v.kind AS kind, v.known_us - v.since_us AS known,
      v.until_us - v.since_us AS us FROM found_of_day v
      WHERE v.platform_id = x.platform_id AND v.resource_id = x.resource_id AND v.day = x.day
        AND v.at_us < x.until_us) v LEFT JOIN (WITH told AS (SELECT q.id AS id, q.stopped_us AS us FROM told_ends q
        WHERE (SELECT sum(o.one) FROM (SELECT 1 AS one FROM events o
          WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.occurred_at >= (to_timestamp((x.day_us - 86400000000) / 1000000) + make_interval(secs => CAST(mod((x.day_us - 86400000000), 1000000) AS double precision) / 1e6)) AND o.occurred_at <= (to_timestamp((x.day_us + 87000000000) / 1000000) + make_interval(secs => CAST(mod((x.day_us + 87000000000), 1000000) AS double precision) / 1e6))
            AND (SELECT b.down FROM state_words b WHERE b.id = o.state_id) = 1 LIMIT 3) o) = 3 AND q.platform_id = x.platform_id AND q.resource_id = x.resource_id
          AND q.stopped_at >= (to_timestamp((x.day_us - 86400000000) / 1000000) + make_interval(secs => CAST(mod((x.day_us - 86400000000), 1000000) AS double precision) / 1e6)) AND q.stopped_at <= (to_timestamp((x.day_us + 87000000000) / 1000000) + make_interval(secs => CAST(mod((x.day_us + 87000000000), 1000000) AS double precision) / 1e6))),
      beside AS (SELECT q.id AS id, q.us AS us, coalesce(q.us - lag(q.us) OVER (ORDER BY q.us, q.id), 4611686018427387904) AS before,
          coalesce(lead(q.us) OVER (ORDER BY q.us, q.id) - q.us, 4611686018427387904) AS behind FROM told q),
      crashed AS (SELECT q.us AS us FROM beside q WHERE (q.before <= 600000000 OR q.behind <= 600000000)
        AND EXISTS (SELECT 1 FROM told_stops b
          WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id AND b.id = q.id
            AND b.cause IN ('crash', 'oom'))),
      crashes AS (SELECT q.us AS us,
          CASE WHEN lead(q.us, 2) OVER (ORDER BY q.us) - q.us <= 600000000 THEN q.us END AS dense_us,
          CASE WHEN q.us - lag(q.us) OVER (ORDER BY q.us) <= 600000000 THEN 0 ELSE 1 END AS starts
        FROM crashed q),
      runs AS (SELECT c.*, sum(c.starts) OVER (ORDER BY c.us) AS run FROM crashes c)
      SELECT min(r.dense_us) AS first_us, max(r.us) AS last_us FROM runs r GROUP BY r.run) g ON v.at_us >= g.first_us AND v.at_us < g.last_us) g
WHERE x.since_us < x.until_us) y
WHERE y.life > y.gone;

COMMENT ON VIEW availability_daily IS 'How long each container was up, down, planned to be down or not known on each day of UTC, from its first sign on';

COMMENT ON COLUMN availability_daily.day IS 'The day, 2026-11-23';

COMMENT ON COLUMN availability_daily.uri IS 'URI of the container';

COMMENT ON COLUMN availability_daily.type IS 'Its type';

COMMENT ON COLUMN availability_daily.name IS 'What it was called, as last told';

COMMENT ON COLUMN availability_daily.stack IS 'Name of the stack that it was in, or is; its URI where no name is known';

COMMENT ON COLUMN availability_daily.service IS 'Name of the service that it was of, or is; its URI where no name is known';

COMMENT ON COLUMN availability_daily.slot IS 'What lives on when it is replaced, where the platform has such a thing: shop_web.1';

COMMENT ON COLUMN availability_daily.node IS 'Name of the node that it was on, or is; its URI where no name is known';

COMMENT ON COLUMN availability_daily.image IS 'Its image as told, where known: nginx:1.25';

COMMENT ON COLUMN availability_daily.up_seconds IS 'How long it was up, as far as somebody was watching';

COMMENT ON COLUMN availability_daily.down_seconds IS 'How long it was down or starting, and nobody wanted it so; in a loop of crashes also while up';

COMMENT ON COLUMN availability_daily.planned_seconds IS 'How long it was down or starting since somebody told it to stop';

COMMENT ON COLUMN availability_daily.unknown_seconds IS 'How long nobody was watching, or it was not told again since, or its state is of no kind';

COMMENT ON COLUMN availability_daily.availability IS 'up / (up + down), from 0 to 1; NULL: nothing of both is known';

COMMENT ON COLUMN availability_daily.worst IS 'The same, had it been down whenever nobody knows';

COMMENT ON COLUMN availability_daily.best IS 'The same, had it been up whenever nobody knows';

COMMENT ON COLUMN availability_daily.day_us IS 'When the day begins, in microseconds since 1970';

COMMENT ON COLUMN availability_daily.platform IS 'Name of the platform that it is on';

CREATE VIEW grafana_annotations AS
SELECT a.started_us / 1000 AS time, a.finished_us / 1000 AS timeend,
  coalesce(a.name, 'action') || ' ' || coalesce((SELECT i.name FROM inventory i WHERE i.uri = a.target AND i.platform = a.platform), a.target, '') AS text,
  'action' || CASE WHEN a.state IS NULL THEN '' ELSE ',' || lower(a.state) END
    || CASE WHEN (SELECT i.stack FROM inventory i WHERE i.uri = a.target AND i.platform = a.platform) IS NULL THEN '' ELSE ',' || (SELECT i.stack FROM inventory i WHERE i.uri = a.target AND i.platform = a.platform) END AS tags,
  a.target AS uri, a.started_at AS started_at, a.started_us AS started_us
FROM action_log a
UNION ALL
SELECT CAST(extract(epoch FROM e.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) / 1000 AS time, CAST(extract(epoch FROM e.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) / 1000 AS timeend,
  'note: ' || coalesce((SELECT n.text FROM texts n WHERE n.id = e.name_id), '') AS text,
  'note' || CASE WHEN (SELECT i.stack FROM resources r JOIN inventory i ON i.uri = r.uri AND i.platform = (SELECT b.name FROM platforms b WHERE b.id = r.platform_id)
    WHERE r.platform_id = e.platform_id AND r.id = (SELECT m.resource_id FROM parent_list_members m
      WHERE m.platform_id = e.platform_id AND m.list_id = e.parent_list_id LIMIT 1)) IS NULL THEN '' ELSE ',' || (SELECT i.stack FROM resources r JOIN inventory i ON i.uri = r.uri AND i.platform = (SELECT b.name FROM platforms b WHERE b.id = r.platform_id)
    WHERE r.platform_id = e.platform_id AND r.id = (SELECT m.resource_id FROM parent_list_members m
      WHERE m.platform_id = e.platform_id AND m.list_id = e.parent_list_id LIMIT 1)) END AS tags,
  (SELECT r.uri FROM resources r WHERE r.platform_id = e.platform_id AND r.id = (SELECT m.resource_id FROM parent_list_members m
      WHERE m.platform_id = e.platform_id AND m.list_id = e.parent_list_id LIMIT 1)) AS uri,
  e.occurred_at AS started_at, CAST(CAST(extract(epoch FROM e.occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS bigint) AS started_us
FROM events e
WHERE e.resource_id = 0 AND e.type_id = (SELECT t.id FROM event_types t WHERE t.text = 'note');

COMMENT ON VIEW grafana_annotations IS 'Every action, and every note, as an annotation of Grafana';

COMMENT ON COLUMN grafana_annotations.time IS 'When it began, in milliseconds since 1970';

COMMENT ON COLUMN grafana_annotations.timeend IS 'When it ended, in milliseconds since 1970; NULL: not as far as known';

COMMENT ON COLUMN grafana_annotations.text IS 'What was done, and to what; or what was noted';

COMMENT ON COLUMN grafana_annotations.tags IS 'action and its last state, or note; and the stack, with commas between';

COMMENT ON COLUMN grafana_annotations.uri IS 'URI of what it applies to';

COMMENT ON COLUMN grafana_annotations.started_at IS 'When it began, UTC: what to give a range of time';

COMMENT ON COLUMN grafana_annotations.started_us IS 'When it began, in microseconds since 1970';

CREATE VIEW grafana_state_timeline AS
SELECT v.since_us / 1000 AS time, v.until_us / 1000 AS timeend, coalesce(v.name, v.uri) AS metric,
  CASE WHEN v.certain = 1 THEN v.state WHEN v.watched = 0 THEN NULL ELSE v.state || ' ?' END AS state, v.kind AS kind,
  v.uri AS uri, v.type AS type, v.stack AS stack, v.service AS service, v.node AS node, v.state_since AS state_since
FROM watched_spans v
WHERE v.until_us > v.since_us;

COMMENT ON VIEW grafana_state_timeline IS 'The states of every resource for Grafana''s state timeline; where nobody was watching, none, unless it is proven';

COMMENT ON COLUMN grafana_state_timeline.time IS 'From when on, in milliseconds since 1970';

COMMENT ON COLUMN grafana_state_timeline.timeend IS 'Until when, in milliseconds since 1970';

COMMENT ON COLUMN grafana_state_timeline.metric IS 'Name of the resource, or its URI where it has none: a row of the picture';

COMMENT ON COLUMN grafana_state_timeline.state IS 'The state; with a question mark where it is assumed; NULL: nobody was watching, nothing is proven';

COMMENT ON COLUMN grafana_state_timeline.kind IS 'up, down, starting or gone: what to colour by';

COMMENT ON COLUMN grafana_state_timeline.uri IS 'URI of the resource';

COMMENT ON COLUMN grafana_state_timeline.type IS 'Its type';

COMMENT ON COLUMN grafana_state_timeline.stack IS 'Name of the stack it was in';

COMMENT ON COLUMN grafana_state_timeline.service IS 'Name of the service it was of';

COMMENT ON COLUMN grafana_state_timeline.node IS 'Name of the node it was on';

COMMENT ON COLUMN grafana_state_timeline.state_since IS 'When the state began, UTC';

CREATE VIEW words_under AS
SELECT a.uri AS ancestor_uri, r.uri AS uri, w.at AS at, CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint) AS at_us,
  CASE w.source WHEN 0 THEN 'event' ELSE 'observation' END AS source, w.id AS id, (SELECT b.name FROM platforms b WHERE b.id = a.platform_id) AS platform
FROM (
  SELECT platform_id, resource_id, occurred_at AS at, 0 AS source, id, state_id, session_id FROM events
  UNION ALL
  SELECT platform_id, resource_id, observed_at AS at, 1 AS source, id, state_id, session_id FROM observations
) w
JOIN resources a ON a.platform_id = w.platform_id AND a.id <> w.resource_id
JOIN resources r ON r.id = w.resource_id AND r.platform_id = w.platform_id
LEFT JOIN facts f ON f.platform_id = w.platform_id AND f.resource_id = w.resource_id AND f.what = 2
WHERE f.value = a.id OR (SELECT 1 FROM (SELECT coalesce(f.since, CAST(extract(epoch FROM w.at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint)) AS at_us,
      coalesce(f.value, w.resource_id) AS foot) m
    JOIN facts o1 ON o1.platform_id = w.platform_id AND o1.resource_id = m.foot AND o1.what = 1 AND o1.since <= m.at_us AND o1.until > m.at_us
    WHERE o1.value = a.id OR (SELECT 1 FROM facts o2 WHERE o2.platform_id = w.platform_id
      AND o2.resource_id = o1.value AND o2.what = 1 AND o2.since <= m.at_us AND o2.until > m.at_us AND (o2.value = a.id OR (SELECT 1 FROM facts o3 WHERE o3.platform_id = w.platform_id
      AND o3.resource_id = o2.value AND o3.what = 1 AND o3.since <= m.at_us AND o3.until > m.at_us AND (o3.value = a.id OR (SELECT 1 FROM facts o4 WHERE o4.platform_id = w.platform_id
      AND o4.resource_id = o3.value AND o4.what = 1 AND o4.since <= m.at_us AND o4.until > m.at_us AND (o4.value = a.id) LIMIT 1) = 1) LIMIT 1) = 1) LIMIT 1) = 1 LIMIT 1) = 1;

COMMENT ON VIEW words_under IS 'Everything that was told or found, with each resource that its object was under at that instant; an action as of its beginning';

COMMENT ON COLUMN words_under.ancestor_uri IS 'URI of the resource above: what it is to be asked for';

COMMENT ON COLUMN words_under.uri IS 'URI of the resource below, of which was told or found';

COMMENT ON COLUMN words_under.at IS 'When it was told or found, UTC';

COMMENT ON COLUMN words_under.at_us IS 'When it was told or found, in microseconds since 1970';

COMMENT ON COLUMN words_under.source IS 'event, or observation when it was learnt by asking';

COMMENT ON COLUMN words_under.id IS 'Number of the event, as in `event_log`, or of the observation';

COMMENT ON COLUMN words_under.platform IS 'Name of the platform that it is on';

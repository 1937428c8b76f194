-- The published views as of revision 0002; frozen, never edited after the release.

CREATE VIEW event_log AS
SELECT e.id AS id, (SELECT b.url FROM sessions o JOIN streams b ON b.id = o.stream_id WHERE o.id = e.session_id) AS stream, t.text AS type, (SELECT b.text FROM event_actions b WHERE b.id = e.action_id) AS action, s.text AS state, r.uri AS uri,
  (SELECT b.text FROM present o JOIN texts b ON b.id = o.name_id
   WHERE o.platform_id = e.platform_id AND o.resource_id = e.resource_id) AS name,
  e.occurred_at AS occurred_at, strftime('%Y-%m-%dT%H:%M:%S', (e.received_at + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (e.received_at + 62135596800000000) % 1000000) AS received_at, CASE length(e.uuid) WHEN 16 THEN substr(lower(hex(e.uuid)), 1, 8) || '-' || substr(lower(hex(e.uuid)), 9, 4) || '-' || substr(lower(hex(e.uuid)), 13, 4) || '-' || substr(lower(hex(e.uuid)), 17, 4) || '-' || substr(lower(hex(e.uuid)), 21, 12) ELSE CAST(CASE substr(e.uuid, 1, 1) WHEN x'00' THEN substr(e.uuid, 2) ELSE e.uuid END AS text) END AS uuid,
  CASE WHEN e.shared_id IS NULL THEN e.extra ELSE replace(replace(e.extra, '"*":[]', (SELECT b.text FROM shared_texts b WHERE b.id = e.shared_id)), '"**":[]', coalesce((SELECT b.text FROM shared_texts b WHERE b.id = e.shared_too_id), '')) END AS extra, (CAST(strftime('%s', substr(e.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(e.occurred_at, 21, 6) AS integer)) AS occurred_us, e.received_at AS received_us,
  CASE e.time_source WHEN 0 THEN 'received' WHEN 1 THEN 'datetime' WHEN 2 THEN 'date' WHEN 3 THEN 'told' WHEN 4 THEN 'engine' END AS time_source,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
   WHERE f.platform_id = e.platform_id AND f.resource_id = e.resource_id AND f.what = 3
     AND f.since <= (CAST(strftime('%s', substr(e.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(e.occurred_at, 21, 6) AS integer)) AND f.until > (CAST(strftime('%s', substr(e.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(e.occurred_at, 21, 6) AS integer))) AS name_then, (SELECT b.name FROM platforms b WHERE b.id = e.platform_id) AS platform
FROM events e
JOIN event_types t ON t.id = e.type_id
LEFT JOIN event_states s ON s.id = e.state_id
LEFT JOIN resources r ON r.id = e.resource_id AND likelihood(r.platform_id = e.platform_id, 0.9);

CREATE VIEW event_parents AS
SELECT e.id AS event_id, m.position AS position, m.resource_id AS resource_id, r.uri AS uri,
  (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform
FROM events e
JOIN parent_list_members m ON m.list_id = e.parent_list_id
JOIN resources r ON r.id = m.resource_id;

CREATE VIEW words AS SELECT * FROM (
/* /* */ SELECT r.uri AS uri, t.text AS type, w.at AS at, w.source AS source, w.id AS id, w.resource_id AS resource_id,
  w.state_id AS state_id, w.session_id AS session_id, p.type_id AS type_id, p.state_since AS last_since_us,
  p.gone_at AS gone_us, w.platform_id AS platform_id
FROM (SELECT platform_id, resource_id, occurred_at AS at, 0 AS source, id, state_id, session_id FROM events) w
JOIN resources r ON r.id = w.resource_id AND likelihood(r.platform_id = w.platform_id, 0.9)
JOIN present p ON p.resource_id = w.resource_id AND likelihood(p.platform_id = w.platform_id, 0.9)
JOIN event_types t ON likelihood(t.id = p.type_id, 0.05)

UNION ALL

SELECT r.uri AS uri, t.text AS type, w.at AS at, w.source AS source, w.id AS id, w.resource_id AS resource_id,
  w.state_id AS state_id, w.session_id AS session_id, p.type_id AS type_id, p.state_since AS last_since_us,
  p.gone_at AS gone_us, w.platform_id AS platform_id
FROM (SELECT platform_id, resource_id, observed_at AS at, 1 AS source, id, state_id, session_id FROM observations) w
JOIN resources r ON r.id = w.resource_id AND likelihood(r.platform_id = w.platform_id, 0.9)
JOIN present p ON p.resource_id = w.resource_id AND likelihood(p.platform_id = w.platform_id, 0.9)
JOIN event_types t ON likelihood(t.id = p.type_id, 0.05)
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW session_log AS
SELECT s.id AS id, s.stream_id AS stream_id, s.covered_from AS covered_from,
  (CAST(strftime('%s', substr(s.covered_from, 1, 19)) AS integer) * 1000000 + CAST(substr(s.covered_from, 21, 6) AS integer)) AS covered_us, CASE WHEN s.closed_at IS NULL AND (CAST(strftime('%s', substr(s.last_seen_at, 1, 19)) AS integer) * 1000000 + CAST(substr(s.last_seen_at, 21, 6) AS integer)) > (CAST(strftime('%s', 'now') AS integer) * 1000000) - 20000000 THEN 4611686018427387904 ELSE (CAST(strftime('%s', substr(coalesce(s.closed_at, s.last_seen_at), 1, 19)) AS integer) * 1000000 + CAST(substr(coalesce(s.closed_at, s.last_seen_at), 21, 6) AS integer)) END AS watched_us,
  (SELECT max(o.watched_us) FROM (SELECT CASE WHEN b.closed_at IS NULL AND (CAST(strftime('%s', substr(b.last_seen_at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.last_seen_at, 21, 6) AS integer)) > (CAST(strftime('%s', 'now') AS integer) * 1000000) - 20000000 THEN 4611686018427387904 ELSE (CAST(strftime('%s', substr(coalesce(b.closed_at, b.last_seen_at), 1, 19)) AS integer) * 1000000 + CAST(substr(coalesce(b.closed_at, b.last_seen_at), 21, 6) AS integer)) END AS watched_us FROM sessions b
    WHERE b.stream_id = s.stream_id AND b.covered_from <= s.covered_from
      AND (b.covered_from < s.covered_from OR b.id < s.id)
    ORDER BY b.covered_from DESC LIMIT 16) o) AS before_us
FROM sessions s;

CREATE VIEW full_unchanged AS SELECT * FROM (
/* /* */ SELECT r.uri AS uri, (SELECT t.text FROM event_types t WHERE t.id = r.type_id) AS type,
  a.observed_at AS since, b.observed_at AS until, CAST((CAST(strftime('%s', substr(b.observed_at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.observed_at, 21, 6) AS integer)) - (CAST(strftime('%s', substr(a.observed_at, 1, 19)) AS integer) * 1000000 + CAST(substr(a.observed_at, 21, 6) AS integer)) AS double precision) / 1e6 AS seconds,
  (CAST(strftime('%s', substr(a.observed_at, 1, 19)) AS integer) * 1000000 + CAST(substr(a.observed_at, 21, 6) AS integer)) AS since_us, (CAST(strftime('%s', substr(b.observed_at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.observed_at, 21, 6) AS integer)) AS until_us, (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform,
  r.id AS resource_id, b.id AS observation_id, b.platform_id AS platform_id
FROM observations b
JOIN observations a ON a.id = (SELECT o.id FROM observations o
  WHERE o.platform_id = b.platform_id AND o.resource_id = b.resource_id AND o.state_id IS NOT NULL
    AND (o.observed_at, o.id) < (b.observed_at, b.id)
  ORDER BY o.observed_at DESC, o.id DESC LIMIT 1)
JOIN resources r ON r.id = b.resource_id AND likelihood(r.platform_id = b.platform_id, 0.9)
WHERE b.mark = a.mark AND NOT EXISTS (SELECT 1 FROM events e
  WHERE e.platform_id = b.platform_id AND e.resource_id = b.resource_id
  AND e.state_id IS NOT NULL AND e.occurred_at > a.observed_at AND e.occurred_at <= b.observed_at)
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW unchanged AS
SELECT v.uri AS uri, v.type AS type, v.since AS since, v.until AS until, v.seconds AS seconds, v.since_us AS since_us, v.until_us AS until_us, v.platform AS platform, v.resource_id AS resource_id, v.observation_id AS observation_id, v.platform_id AS platform_id FROM full_unchanged v;

CREATE VIEW resource_names AS
SELECT a.id AS resource_id, a.type_id AS type_id,
  coalesce((SELECT b.text FROM present o JOIN texts b ON b.id = o.name_id
   WHERE o.platform_id = a.platform_id AND o.resource_id = a.id), a.uri) AS called, a.platform_id AS platform_id
FROM resources a;

CREATE VIEW direct_parents AS
SELECT f.resource_id AS resource_id, f.value AS parent_id, a.type_id AS type_id,
  a.called AS called,
  f.since AS since_us, f.platform_id AS platform_id
FROM facts f
JOIN resource_names a ON a.resource_id = f.value
WHERE f.what = 1 AND a.resource_id > 0;

CREATE VIEW full_state_spans AS SELECT * FROM (
/* /* */ SELECT v.uri AS uri, v.type AS type, v.state AS state, v.since AS since, v.until AS until,
  CAST((CAST(strftime('%s', substr(v.until, 1, 19)) AS integer) * 1000000 + CAST(substr(v.until, 21, 6) AS integer)) - (CAST(strftime('%s', substr(v.since, 1, 19)) AS integer) * 1000000 + CAST(substr(v.since, 21, 6) AS integer)) AS double precision) / 1e6 AS seconds, v.source AS source,
  (CAST(strftime('%s', substr(v.since, 1, 19)) AS integer) * 1000000 + CAST(substr(v.since, 21, 6) AS integer)) AS since_us, (CAST(strftime('%s', substr(v.until, 1, 19)) AS integer) * 1000000 + CAST(substr(v.until, 21, 6) AS integer)) AS until_us, (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
   WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 3
     AND f.since <= (CAST(strftime('%s', substr(v.since, 1, 19)) AS integer) * 1000000 + CAST(substr(v.since, 21, 6) AS integer)) AND f.until > (CAST(strftime('%s', substr(v.since, 1, 19)) AS integer) * 1000000 + CAST(substr(v.since, 21, 6) AS integer))) AS name,
  (SELECT b.name FROM platforms b WHERE b.id = v.platform_id) AS platform
FROM (
SELECT w.uri AS uri, w.type AS type, s.text AS state, w.at AS since, CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END AS until,
  CASE WHEN w.source = 0 THEN 'event' ELSE 'observation' END AS source,
  w.resource_id AS resource_id, w.platform_id AS platform_id
FROM words w
JOIN event_states s ON s.id = w.state_id
LEFT JOIN events ON events.id = CASE WHEN (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) < w.last_since_us THEN (SELECT o.id FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND (o.occurred_at > w.at OR (w.source = 0 AND o.id > w.id)) AND o.state_id <> w.state_id
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> lower(s.text)
      ORDER BY o.occurred_at LIMIT 1)
    ELSE (SELECT o.id FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND o.occurred_at <= w.at AND ((w.source = 0 AND o.id > w.id)) AND o.state_id <> w.state_id
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> lower(s.text)
      ORDER BY o.occurred_at LIMIT 1) END
LEFT JOIN observations ON observations.id = CASE WHEN (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) < w.last_since_us THEN (SELECT o.id FROM observations o
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
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )) <> lower(s.text), true)
) v
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW state_spans AS
SELECT v.uri AS uri, v.type AS type, v.state AS state, v.since AS since, v.until AS until, v.seconds AS seconds, v.source AS source, v.since_us AS since_us, v.until_us AS until_us, v.name AS name, v.platform AS platform FROM full_state_spans v;

CREATE VIEW current_states AS
SELECT r.uri AS uri, t.text AS type, (SELECT b.text FROM texts b WHERE b.id = p.name_id) AS name, s.text AS state, strftime('%Y-%m-%dT%H:%M:%S', (p.state_at + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (p.state_at + 62135596800000000) % 1000000) AS seen_at,
  CASE WHEN p.state_source = 0 THEN 'event' ELSE 'observation' END AS source,
  strftime('%Y-%m-%dT%H:%M:%S', (p.state_since + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (p.state_since + 62135596800000000) % 1000000) AS since, strftime('%Y-%m-%dT%H:%M:%S', (p.gone_at + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (p.gone_at + 62135596800000000) % 1000000) AS gone_at,
  strftime('%Y-%m-%dT%H:%M:%S', (p.first_at + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (p.first_at + 62135596800000000) % 1000000) AS first_at,
  p.state_at AS seen_us, p.state_since AS since_us, p.gone_at AS gone_us, p.first_at AS first_us,
  (SELECT b.text FROM texts b WHERE b.id = p.image_id) AS image, (SELECT b.text FROM texts b WHERE b.id = p.slot_id) AS slot, (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform,
  (SELECT k.kind FROM state_kinds k WHERE k.state IN (t.text || ' ' || lower(s.text), lower(s.text), t.text || ' ' || substr(lower(s.text), 1, instr(lower(s.text) || ' (', ' (') - 1), substr(lower(s.text), 1, instr(lower(s.text) || ' (', ' (') - 1))
    ORDER BY length(k.state) DESC LIMIT 1) AS kind
FROM present p
JOIN resources r ON r.id = p.resource_id
JOIN event_types t ON t.id = p.type_id
JOIN event_states s ON s.id = p.state_id;

CREATE VIEW full_action_log AS SELECT * FROM (
/* /* */ SELECT r.uri AS action, (SELECT b.text FROM present o JOIN texts b ON b.id = o.name_id
   WHERE o.platform_id = f.platform_id AND o.resource_id = f.resource_id) AS name, o.uri AS target,
  (SELECT b.text FROM present p JOIN event_states b ON b.id = p.state_id WHERE p.platform_id = f.platform_id AND p.resource_id = f.resource_id) AS state, e.at AS started_at,
  strftime('%Y-%m-%dT%H:%M:%S', (CASE WHEN f.until < 4611686018427387904 THEN f.until END + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (CASE WHEN f.until < 4611686018427387904 THEN f.until END + 62135596800000000) % 1000000) AS finished_at, CAST(CASE WHEN f.until < 4611686018427387904 THEN f.until END - f.since AS double precision) / 1e6 AS seconds,
  f.since AS started_us, CASE WHEN f.until < 4611686018427387904 THEN f.until END AS finished_us, (SELECT p.state_at FROM present p WHERE p.resource_id = f.resource_id) AS seen_us,
  (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform
FROM facts f
JOIN (SELECT platform_id, resource_id, occurred_at AS at, 0 AS source, id FROM events) e ON e.platform_id = f.platform_id AND e.resource_id = f.resource_id
  AND (CAST(strftime('%s', substr(e.at, 1, 19)) AS integer) * 1000000 + CAST(substr(e.at, 21, 6) AS integer)) = f.since AND e.id = CASE e.source WHEN 0 THEN (SELECT min(b.id) FROM events b WHERE b.platform_id = e.platform_id AND b.resource_id = e.resource_id AND b.occurred_at = e.at) ELSE (SELECT min(b.id) FROM observations b WHERE b.platform_id = e.platform_id AND b.resource_id = e.resource_id AND b.observed_at = e.at) END
  AND (e.source = 0 OR NOT EXISTS (SELECT 1 FROM events b WHERE b.platform_id = e.platform_id AND b.resource_id = e.resource_id AND b.occurred_at = e.at))
JOIN resources r ON r.id = f.resource_id
LEFT JOIN resources o ON likelihood(o.id = f.value, 1e-05)
  AND likelihood(o.platform_id = f.platform_id, 0.9)
WHERE likelihood(f.what = 2, 0.5)

UNION ALL

SELECT r.uri AS action, (SELECT b.text FROM present o JOIN texts b ON b.id = o.name_id
   WHERE o.platform_id = f.platform_id AND o.resource_id = f.resource_id) AS name, o.uri AS target,
  (SELECT b.text FROM present p JOIN event_states b ON b.id = p.state_id WHERE p.platform_id = f.platform_id AND p.resource_id = f.resource_id) AS state, e.at AS started_at,
  strftime('%Y-%m-%dT%H:%M:%S', (CASE WHEN f.until < 4611686018427387904 THEN f.until END + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (CASE WHEN f.until < 4611686018427387904 THEN f.until END + 62135596800000000) % 1000000) AS finished_at, CAST(CASE WHEN f.until < 4611686018427387904 THEN f.until END - f.since AS double precision) / 1e6 AS seconds,
  f.since AS started_us, CASE WHEN f.until < 4611686018427387904 THEN f.until END AS finished_us, (SELECT p.state_at FROM present p WHERE p.resource_id = f.resource_id) AS seen_us,
  (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform
FROM facts f
JOIN (SELECT platform_id, resource_id, observed_at AS at, 1 AS source, id FROM observations) e ON e.platform_id = f.platform_id AND e.resource_id = f.resource_id
  AND (CAST(strftime('%s', substr(e.at, 1, 19)) AS integer) * 1000000 + CAST(substr(e.at, 21, 6) AS integer)) = f.since AND e.id = CASE e.source WHEN 0 THEN (SELECT min(b.id) FROM events b WHERE b.platform_id = e.platform_id AND b.resource_id = e.resource_id AND b.occurred_at = e.at) ELSE (SELECT min(b.id) FROM observations b WHERE b.platform_id = e.platform_id AND b.resource_id = e.resource_id AND b.observed_at = e.at) END
  AND (e.source = 0 OR NOT EXISTS (SELECT 1 FROM events b WHERE b.platform_id = e.platform_id AND b.resource_id = e.resource_id AND b.occurred_at = e.at))
JOIN resources r ON r.id = f.resource_id
LEFT JOIN resources o ON likelihood(o.id = f.value, 1e-05)
  AND likelihood(o.platform_id = f.platform_id, 0.9)
WHERE likelihood(f.what = 2, 0.5)
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW action_log AS
SELECT v.action AS action, v.name AS name, v.target AS target, v.state AS state, v.started_at AS started_at, v.finished_at AS finished_at, v.seconds AS seconds, v.started_us AS started_us, v.finished_us AS finished_us, v.seen_us AS seen_us, v.platform AS platform FROM full_action_log v;

CREATE VIEW full_subtree AS SELECT * FROM (
/* /* */ SELECT u.ancestor_uri AS ancestor_uri, u.descendant_uri AS descendant_uri,
  (SELECT t.text FROM event_types t WHERE t.id = u.type_id) AS descendant_type,
  strftime('%Y-%m-%dT%H:%M:%S', (u.since_us + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (u.since_us + 62135596800000000) % 1000000) AS since, strftime('%Y-%m-%dT%H:%M:%S', (CASE WHEN u.until_us < 4611686018427387904 THEN u.until_us END + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (CASE WHEN u.until_us < 4611686018427387904 THEN u.until_us END + 62135596800000000) % 1000000) AS until, CASE u.how WHEN 0 THEN 'told' WHEN 1 THEN 'asked' WHEN 2 THEN 'inferred' END AS how, u.since_us AS since_us,
  CASE WHEN u.until_us < 4611686018427387904 THEN u.until_us END AS until_us, u.holds AS holds, (SELECT t.text FROM event_types t WHERE t.id = u.head_type_id) AS ancestor_type,
  (SELECT b.name FROM platforms b WHERE b.id = u.platform_id) AS platform
FROM (
SELECT w.ancestor_uri AS ancestor_uri, w.descendant_uri AS descendant_uri, w.type_id AS type_id,
  w.head_type_id AS head_type_id, CASE WHEN w.is_action = 1 THEN w.since_us
    WHEN coalesce((SELECT 1 FROM facts o1
    LEFT JOIN facts o2 ON o2.resource_id = o1.value AND o2.what = 1 AND o2.since <= (w.since_us - 1) AND o2.until > (w.since_us - 1)
    LEFT JOIN facts o3 ON o3.resource_id = o2.value AND o3.what = 1 AND o3.since <= (w.since_us - 1) AND o3.until > (w.since_us - 1)
    LEFT JOIN facts o4 ON o4.resource_id = o3.value AND o4.what = 1 AND o4.since <= (w.since_us - 1) AND o4.until > (w.since_us - 1)
    WHERE o1.platform_id = w.platform_id AND o1.resource_id = w.foot AND o1.what = 1 AND o1.since <= (w.since_us - 1)
      AND o1.until > (w.since_us - 1) AND (w.head IN (o1.value, o2.value, o3.value, o4.value)) LIMIT 1), 0) = 0 THEN w.since_us ELSE (
    SELECT max(b.since_us) FROM (
      SELECT CASE l.level WHEN 1 THEN o1.value WHEN 2 THEN o2.value WHEN 3 THEN o3.value WHEN 4 THEN o4.value END AS head, CASE l.level WHEN 1 THEN o1.since WHEN 2 THEN max(o1.since, o2.since) WHEN 3 THEN max(o1.since, o2.since, o3.since) WHEN 4 THEN max(o1.since, o2.since, o3.since, o4.since) END AS since_us, CASE l.level WHEN 1 THEN o1.until WHEN 2 THEN min(o1.until, o2.until) WHEN 3 THEN min(o1.until, o2.until, o3.until) WHEN 4 THEN min(o1.until, o2.until, o3.until, o4.until) END AS until_us
      FROM facts o1
      LEFT JOIN facts o2 ON o2.resource_id = o1.value AND o2.what = 1
      LEFT JOIN facts o3 ON o3.resource_id = o2.value AND o3.what = 1
      LEFT JOIN facts o4 ON o4.resource_id = o3.value AND o4.what = 1
      CROSS JOIN (SELECT 1 AS level UNION ALL SELECT 2 AS level UNION ALL SELECT 3 AS level UNION ALL SELECT 4 AS level) l
      WHERE o1.platform_id = w.platform_id AND o1.resource_id = w.foot AND o1.what = 1
    ) b
    WHERE b.head = w.head AND b.since_us < b.until_us AND b.since_us < w.since_us
      AND coalesce((SELECT 1 FROM facts o1
    LEFT JOIN facts o2 ON o2.resource_id = o1.value AND o2.what = 1 AND o2.since <= (b.since_us - 1) AND o2.until > (b.since_us - 1)
    LEFT JOIN facts o3 ON o3.resource_id = o2.value AND o3.what = 1 AND o3.since <= (b.since_us - 1) AND o3.until > (b.since_us - 1)
    LEFT JOIN facts o4 ON o4.resource_id = o3.value AND o4.what = 1 AND o4.since <= (b.since_us - 1) AND o4.until > (b.since_us - 1)
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
  JOIN resources a ON likelihood(a.id = f1.value, 1e-05)
    AND likelihood(a.platform_id = f1.platform_id, 0.9)
  JOIN resources d ON d.id = f1.resource_id
  WHERE likelihood(f1.what = 1, 0.5) AND f1.node = 4611686018427387904 AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(max(f1.since, f2.since) AS bigint) AS since_us, CAST(4611686018427387904 AS bigint) AS until_us, CAST(max(f1.how, f2.how) AS bigint) AS how,
    1 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 2 AS edges
  FROM facts f1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND likelihood(f2.resource_id = f1.value, 1e-05) AND likelihood(f2.what = 1, 0.5)
  JOIN resources a ON likelihood(a.id = f2.value, 1e-05)
    AND likelihood(a.platform_id = f2.platform_id, 0.9)
  JOIN resources d ON d.id = f1.resource_id
  WHERE likelihood(f1.what = 1, 0.5) AND f1.node = 4611686018427387904 AND f2.node = 4611686018427387904 AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(f2.value AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(max(f1.since, f2.since, f3.since) AS bigint) AS since_us, CAST(4611686018427387904 AS bigint) AS until_us, CAST(max(f1.how, f2.how, f3.how) AS bigint) AS how,
    1 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 3 AS edges
  FROM facts f1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND likelihood(f2.resource_id = f1.value, 1e-05) AND likelihood(f2.what = 1, 0.5) JOIN facts f3 ON f3.platform_id = f2.platform_id AND likelihood(f3.resource_id = f2.value, 1e-05) AND likelihood(f3.what = 1, 0.5)
  JOIN resources a ON likelihood(a.id = f3.value, 1e-05)
    AND likelihood(a.platform_id = f3.platform_id, 0.9)
  JOIN resources d ON d.id = f1.resource_id
  WHERE likelihood(f1.what = 1, 0.5) AND f1.node = 4611686018427387904 AND f2.node = 4611686018427387904 AND f3.node = 4611686018427387904 AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(f2.value AS bigint) AS v2, CAST(f3.value AS bigint) AS v3, CAST(max(f1.since, f2.since, f3.since, f4.since) AS bigint) AS since_us, CAST(4611686018427387904 AS bigint) AS until_us, CAST(max(f1.how, f2.how, f3.how, f4.how) AS bigint) AS how,
    1 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 4 AS edges
  FROM facts f1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND likelihood(f2.resource_id = f1.value, 1e-05) AND likelihood(f2.what = 1, 0.5) JOIN facts f3 ON f3.platform_id = f2.platform_id AND likelihood(f3.resource_id = f2.value, 1e-05) AND likelihood(f3.what = 1, 0.5) JOIN facts f4 ON f4.platform_id = f3.platform_id AND likelihood(f4.resource_id = f3.value, 1e-05) AND likelihood(f4.what = 1, 0.5)
  JOIN resources a ON likelihood(a.id = f4.value, 1e-05)
    AND likelihood(a.platform_id = f4.platform_id, 0.9)
  JOIN resources d ON d.id = f1.resource_id
  WHERE likelihood(f1.what = 1, 0.5) AND f1.node = 4611686018427387904 AND f2.node = 4611686018427387904 AND f3.node = 4611686018427387904 AND f4.node = 4611686018427387904 AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(0 AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(f1.since AS bigint) AS since_us, CAST(f1.until AS bigint) AS until_us, CAST(f1.how AS bigint) AS how,
    0 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 1 AS edges
  FROM facts f1 
  JOIN resources a ON likelihood(a.id = f1.value, 1e-05)
    AND likelihood(a.platform_id = f1.platform_id, 0.9)
  JOIN resources d ON d.id = f1.resource_id
  WHERE likelihood(f1.what = 1, 0.5) AND f1.until < 4611686018427387904 AND f1.since < f1.until AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(max(f1.since, f2.since) AS bigint) AS since_us, CAST(min(f1.until, f2.until) AS bigint) AS until_us, CAST(max(f1.how, f2.how) AS bigint) AS how,
    0 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 2 AS edges
  FROM facts f1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND likelihood(f2.resource_id = f1.value, 1e-05) AND likelihood(f2.what = 1, 0.5)
  JOIN resources a ON likelihood(a.id = f2.value, 1e-05)
    AND likelihood(a.platform_id = f2.platform_id, 0.9)
  JOIN resources d ON d.id = f1.resource_id
  WHERE likelihood(f1.what = 1, 0.5) AND min(f1.until, f2.until) < 4611686018427387904 AND max(f1.since, f2.since) < min(f1.until, f2.until) AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(f2.value AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(max(f1.since, f2.since, f3.since) AS bigint) AS since_us, CAST(min(f1.until, f2.until, f3.until) AS bigint) AS until_us, CAST(max(f1.how, f2.how, f3.how) AS bigint) AS how,
    0 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 3 AS edges
  FROM facts f1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND likelihood(f2.resource_id = f1.value, 1e-05) AND likelihood(f2.what = 1, 0.5) JOIN facts f3 ON f3.platform_id = f2.platform_id AND likelihood(f3.resource_id = f2.value, 1e-05) AND likelihood(f3.what = 1, 0.5)
  JOIN resources a ON likelihood(a.id = f3.value, 1e-05)
    AND likelihood(a.platform_id = f3.platform_id, 0.9)
  JOIN resources d ON d.id = f1.resource_id
  WHERE likelihood(f1.what = 1, 0.5) AND min(f1.until, f2.until, f3.until) < 4611686018427387904 AND max(f1.since, f2.since, f3.since) < min(f1.until, f2.until, f3.until) AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(f2.value AS bigint) AS v2, CAST(f3.value AS bigint) AS v3, CAST(max(f1.since, f2.since, f3.since, f4.since) AS bigint) AS since_us, CAST(min(f1.until, f2.until, f3.until, f4.until) AS bigint) AS until_us, CAST(max(f1.how, f2.how, f3.how, f4.how) AS bigint) AS how,
    0 AS holds, 0 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f1.resource_id AS foot, 4 AS edges
  FROM facts f1 JOIN facts f2 ON f2.platform_id = f1.platform_id AND likelihood(f2.resource_id = f1.value, 1e-05) AND likelihood(f2.what = 1, 0.5) JOIN facts f3 ON f3.platform_id = f2.platform_id AND likelihood(f3.resource_id = f2.value, 1e-05) AND likelihood(f3.what = 1, 0.5) JOIN facts f4 ON f4.platform_id = f3.platform_id AND likelihood(f4.resource_id = f3.value, 1e-05) AND likelihood(f4.what = 1, 0.5)
  JOIN resources a ON likelihood(a.id = f4.value, 1e-05)
    AND likelihood(a.platform_id = f4.platform_id, 0.9)
  JOIN resources d ON d.id = f1.resource_id
  WHERE likelihood(f1.what = 1, 0.5) AND min(f1.until, f2.until, f3.until, f4.until) < 4611686018427387904 AND max(f1.since, f2.since, f3.since, f4.since) < min(f1.until, f2.until, f3.until, f4.until) AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(0 AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(f0.since AS bigint) AS since_us, CAST(f0.until AS bigint) AS until_us, CAST(f0.how AS bigint) AS how,
    0 AS holds, 1 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f0.value AS foot, 0 AS edges
  FROM facts f0 
  JOIN resources a ON likelihood(a.id = f0.value, 1e-05)
    AND likelihood(a.platform_id = f0.platform_id, 0.9)
  JOIN resources d ON d.id = f0.resource_id
  WHERE likelihood(f0.what = 2, 0.5) AND a.id <> d.id
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(0 AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(f0.since AS bigint) AS since_us, CAST(f0.until AS bigint) AS until_us, CAST(max(f0.how, f1.how) AS bigint) AS how,
    0 AS holds, 1 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f0.value AS foot, 1 AS edges
  FROM facts f0 JOIN facts f1 ON f1.platform_id = f0.platform_id AND likelihood(f1.resource_id = f0.value, 1e-05) AND likelihood(f1.what = 1, 0.5)
  JOIN resources a ON likelihood(a.id = f1.value, 1e-05)
    AND likelihood(a.platform_id = f1.platform_id, 0.9)
  JOIN resources d ON d.id = f0.resource_id
  WHERE likelihood(f0.what = 2, 0.5) AND f0.since - f1.since >= 0 AND f1.until - f0.since > 0 AND a.id <> d.id AND a.id <> f0.value
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(0 AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(f0.since AS bigint) AS since_us, CAST(f0.until AS bigint) AS until_us, CAST(max(f0.how, f1.how, f2.how) AS bigint) AS how,
    0 AS holds, 1 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f0.value AS foot, 2 AS edges
  FROM facts f0 JOIN facts f1 ON f1.platform_id = f0.platform_id AND likelihood(f1.resource_id = f0.value, 1e-05) AND likelihood(f1.what = 1, 0.5) JOIN facts f2 ON f2.platform_id = f1.platform_id AND likelihood(f2.resource_id = f1.value, 1e-05) AND likelihood(f2.what = 1, 0.5)
  JOIN resources a ON likelihood(a.id = f2.value, 1e-05)
    AND likelihood(a.platform_id = f2.platform_id, 0.9)
  JOIN resources d ON d.id = f0.resource_id
  WHERE likelihood(f0.what = 2, 0.5) AND f0.since - f1.since >= 0 AND f1.until - f0.since > 0 AND f0.since - f2.since >= 0 AND f2.until - f0.since > 0 AND a.id <> d.id AND a.id <> f0.value
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(f2.value AS bigint) AS v2, CAST(0 AS bigint) AS v3, CAST(f0.since AS bigint) AS since_us, CAST(f0.until AS bigint) AS until_us, CAST(max(f0.how, f1.how, f2.how, f3.how) AS bigint) AS how,
    0 AS holds, 1 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f0.value AS foot, 3 AS edges
  FROM facts f0 JOIN facts f1 ON f1.platform_id = f0.platform_id AND likelihood(f1.resource_id = f0.value, 1e-05) AND likelihood(f1.what = 1, 0.5) JOIN facts f2 ON f2.platform_id = f1.platform_id AND likelihood(f2.resource_id = f1.value, 1e-05) AND likelihood(f2.what = 1, 0.5) JOIN facts f3 ON f3.platform_id = f2.platform_id AND likelihood(f3.resource_id = f2.value, 1e-05) AND likelihood(f3.what = 1, 0.5)
  JOIN resources a ON likelihood(a.id = f3.value, 1e-05)
    AND likelihood(a.platform_id = f3.platform_id, 0.9)
  JOIN resources d ON d.id = f0.resource_id
  WHERE likelihood(f0.what = 2, 0.5) AND f0.since - f1.since >= 0 AND f1.until - f0.since > 0 AND f0.since - f2.since >= 0 AND f2.until - f0.since > 0 AND f0.since - f3.since >= 0 AND f3.until - f0.since > 0 AND a.id <> d.id AND a.id <> f0.value
  UNION ALL
  SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    CAST(f1.value AS bigint) AS v1, CAST(f2.value AS bigint) AS v2, CAST(f3.value AS bigint) AS v3, CAST(f0.since AS bigint) AS since_us, CAST(f0.until AS bigint) AS until_us, CAST(max(f0.how, f1.how, f2.how, f3.how, f4.how) AS bigint) AS how,
    0 AS holds, 1 AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    f0.value AS foot, 4 AS edges
  FROM facts f0 JOIN facts f1 ON f1.platform_id = f0.platform_id AND likelihood(f1.resource_id = f0.value, 1e-05) AND likelihood(f1.what = 1, 0.5) JOIN facts f2 ON f2.platform_id = f1.platform_id AND likelihood(f2.resource_id = f1.value, 1e-05) AND likelihood(f2.what = 1, 0.5) JOIN facts f3 ON f3.platform_id = f2.platform_id AND likelihood(f3.resource_id = f2.value, 1e-05) AND likelihood(f3.what = 1, 0.5) JOIN facts f4 ON f4.platform_id = f3.platform_id AND likelihood(f4.resource_id = f3.value, 1e-05) AND likelihood(f4.what = 1, 0.5)
  JOIN resources a ON likelihood(a.id = f4.value, 1e-05)
    AND likelihood(a.platform_id = f4.platform_id, 0.9)
  JOIN resources d ON d.id = f0.resource_id
  WHERE likelihood(f0.what = 2, 0.5) AND f0.since - f1.since >= 0 AND f1.until - f0.since > 0 AND f0.since - f2.since >= 0 AND f2.until - f0.since > 0 AND f0.since - f3.since >= 0 AND f3.until - f0.since > 0 AND f0.since - f4.since >= 0 AND f4.until - f0.since > 0 AND a.id <> d.id AND a.id <> f0.value
) w
WHERE (w.edges < 2 OR coalesce((SELECT 1 FROM facts o1
    LEFT JOIN facts o2 ON o2.resource_id = o1.value AND o2.what = 1 AND o2.since <= CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END AND o2.until > CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END
    LEFT JOIN facts o3 ON o3.resource_id = o2.value AND o3.what = 1 AND o3.since <= CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END AND o3.until > CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END
    LEFT JOIN facts o4 ON o4.resource_id = o3.value AND o4.what = 1 AND o4.since <= CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END AND o4.until > CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END
    WHERE o1.platform_id = w.platform_id AND o1.resource_id = w.foot AND o1.what = 1 AND o1.since <= CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END
      AND o1.until > CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END AND ((o1.value = w.head AND w.edges > 1) OR (o2.value = w.head AND (w.edges > 2 OR (w.edges = 2 AND (o1.value) < (w.v1)))) OR (o3.value = w.head AND (w.edges > 3 OR (w.edges = 3 AND (o1.value, o2.value) < (w.v1, w.v2)))) OR (o4.value = w.head AND (w.edges > 4 OR (w.edges = 4 AND (o1.value, o2.value, o3.value) < (w.v1, w.v2, w.v3))))) LIMIT 1), 0) = 0)
  AND (w.holds = 1 OR w.is_action = 1 OR coalesce((SELECT 1 FROM facts o1
    LEFT JOIN facts o2 ON o2.resource_id = o1.value AND o2.what = 1 AND o2.since <= w.until_us AND o2.until > w.until_us
    LEFT JOIN facts o3 ON o3.resource_id = o2.value AND o3.what = 1 AND o3.since <= w.until_us AND o3.until > w.until_us
    LEFT JOIN facts o4 ON o4.resource_id = o3.value AND o4.what = 1 AND o4.since <= w.until_us AND o4.until > w.until_us
    WHERE o1.platform_id = w.platform_id AND o1.resource_id = w.foot AND o1.what = 1 AND o1.since <= w.until_us
      AND o1.until > w.until_us AND (w.head IN (o1.value, o2.value, o3.value, o4.value)) LIMIT 1), 0) = 0)
) u
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW subtree AS
SELECT v.ancestor_uri AS ancestor_uri, v.descendant_uri AS descendant_uri, v.descendant_type AS descendant_type, v.since AS since, v.until AS until, v.how AS how, v.since_us AS since_us, v.until_us AS until_us, v.holds AS holds, v.ancestor_type AS ancestor_type, v.platform AS platform FROM full_subtree v;

CREATE VIEW gap_log AS
SELECT g.stream AS stream, strftime('%Y-%m-%dT%H:%M:%S', (g.watched_to + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (g.watched_to + 62135596800000000) % 1000000) AS since, strftime('%Y-%m-%dT%H:%M:%S', (g.next_from + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (g.next_from + 62135596800000000) % 1000000) AS until,
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
          SELECT s.id AS id, s.stream_id AS stream_id, st.url AS stream, (CAST(strftime('%s', substr(s.covered_from, 1, 19)) AS integer) * 1000000 + CAST(substr(s.covered_from, 21, 6) AS integer)) AS covered_from,
                 CASE WHEN s.closed_at IS NULL AND (CAST(strftime('%s', substr(s.last_seen_at, 1, 19)) AS integer) * 1000000 + CAST(substr(s.last_seen_at, 21, 6) AS integer)) > (CAST(strftime('%s', 'now') AS integer) * 1000000) - 20000000 THEN 4611686018427387904
                      ELSE (CAST(strftime('%s', substr(coalesce(s.closed_at, s.last_seen_at), 1, 19)) AS integer) * 1000000 + CAST(substr(coalesce(s.closed_at, s.last_seen_at), 21, 6) AS integer)) END AS watched_to,
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

CREATE VIEW full_watched_spans AS SELECT * FROM (
/* /* */ SELECT x.uri AS uri, x.type AS type,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.what = 3 AND f.since <= x.begin_us
    ORDER BY f.since DESC LIMIT 1) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = x.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = x.resource_id AND b.since_us <= x.begin_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.resource_id = f.parent_id AND b.since_us <= x.begin_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.resource_id = x.resource_id AND f.since_us <= x.begin_us) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = x.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = x.resource_id AND b.since_us <= x.begin_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.what = 5 AND f.since <= x.begin_us
    ORDER BY f.since DESC LIMIT 1) AS slot,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = x.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = x.resource_id AND b.since_us <= x.begin_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.what = 4 AND f.since <= x.begin_us
    ORDER BY f.since DESC LIMIT 1) AS image,
  x.state AS state, (SELECT k.kind FROM state_kinds k WHERE k.state IN (x.type || ' ' || lower(x.state), lower(x.state), x.type || ' ' || substr(lower(x.state), 1, instr(lower(x.state) || ' (', ' (') - 1), substr(lower(x.state), 1, instr(lower(x.state) || ' (', ' (') - 1))
    ORDER BY length(k.state) DESC LIMIT 1) AS kind,
  strftime('%Y-%m-%dT%H:%M:%S', (x.since_us + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (x.since_us + 62135596800000000) % 1000000) AS since, strftime('%Y-%m-%dT%H:%M:%S', (x.until_us + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (x.until_us + 62135596800000000) % 1000000) AS until,
  CAST(x.until_us - x.since_us AS double precision) / 1e6 AS seconds, x.certain AS certain, x.watched AS watched,
  CASE WHEN x.until_us = x.end_us THEN x.is_last ELSE 0 END AS holds,
  x.told_at AS state_since,
  x.since_us AS since_us, x.until_us AS until_us,
  (CAST(strftime('%s', substr(x.told_at, 1, 19)) AS integer) * 1000000 + CAST(substr(x.told_at, 21, 6) AS integer)) AS state_since_us,
  (SELECT b.name FROM platforms b WHERE b.id = x.platform_id) AS platform
FROM (SELECT v.*, CASE v.part WHEN 0 THEN v.begin_us
    WHEN 1 THEN max(v.begin_us, v.before_us)
    WHEN 2 THEN max(v.begin_us, v.before_us, coalesce(v.proven_us, v.resumed_us))
    WHEN 3 THEN CASE WHEN v.proven_us IS NULL THEN v.again_us ELSE v.resumed_us END
    ELSE max(v.begin_us, v.gap_us) END AS since_us, CASE v.part
    WHEN 1 THEN min(v.end_us, v.resumed_us, coalesce(v.proven_us, v.resumed_us))
    WHEN 2 THEN
      CASE WHEN v.proven_us IS NULL THEN min(v.end_us, v.gap_us, v.again_us) ELSE min(v.end_us, v.resumed_us) END
    WHEN 4 THEN v.end_us
    ELSE min(v.end_us, v.gap_us) END AS until_us, CASE WHEN v.state IS NULL THEN NULL WHEN v.heard_by IS NULL THEN 0
    WHEN v.part = 3 OR (v.part = 2 AND v.proven_us IS NOT NULL) OR (v.part = 0 AND v.gap_us > v.begin_us) THEN 1 ELSE 0 END AS certain, CASE WHEN v.heard_by IS NULL THEN NULL WHEN v.part IN (1, 4) OR (v.part = 2 AND v.proven_us IS NOT NULL)
      OR (v.part = 0 AND v.gap_us <= v.begin_us) THEN 0 ELSE 1 END AS watched
FROM (SELECT w.*, k.part AS part,
  h.id AS heard_by,
  s.text AS state,
  (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) AS begin_us,
  CASE WHEN CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END IS NULL THEN 1 ELSE 0 END AS is_last,
  CASE WHEN CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END IS NULL THEN max((CAST(strftime('%s', 'now') AS integer) * 1000000), (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer))) ELSE (CAST(strftime('%s', substr(CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END, 1, 19)) AS integer) * 1000000 + CAST(substr(CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END, 21, 6) AS integer)) END AS end_us,
  CASE WHEN x.id IS NULL THEN (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) ELSE (SELECT b.watched_us FROM session_log b WHERE b.id = x.id) END AS before_us,
  (CAST(strftime('%s', substr(y.covered_from, 1, 19)) AS integer) * 1000000 + CAST(substr(y.covered_from, 21, 6) AS integer)) AS resumed_us,
  CASE WHEN y.id IS NULL THEN 4611686018427387904 ELSE min(coalesce((SELECT (CAST(strftime('%s', substr(o.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(o.occurred_at, 21, 6) AS integer)) FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.occurred_at >= y.covered_from
      ORDER BY o.occurred_at LIMIT 1), 4611686018427387904), coalesce((SELECT (CAST(strftime('%s', substr(o.observed_at, 1, 19)) AS integer) * 1000000 + CAST(substr(o.observed_at, 21, 6) AS integer)) FROM observations o
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
FROM (
SELECT r.uri AS uri, t.text AS type, w.at AS at, w.source AS source, w.id AS id, w.resource_id AS resource_id,
  w.state_id AS state_id, w.session_id AS session_id, p.type_id AS type_id, p.state_since AS last_since_us,
  p.gone_at AS gone_us, w.platform_id AS platform_id, w.told_at AS told_at
FROM (SELECT b.*, b.at AS told_at FROM (SELECT platform_id, resource_id, occurred_at AS at, 0 AS source, id, state_id, session_id FROM events) b) w
JOIN resources r ON r.id = w.resource_id AND likelihood(r.platform_id = w.platform_id, 0.9)
JOIN present p ON p.resource_id = w.resource_id AND likelihood(p.platform_id = w.platform_id, 0.9)
JOIN event_types t ON likelihood(t.id = p.type_id, 0.05)

UNION ALL

SELECT r.uri AS uri, t.text AS type, w.at AS at, w.source AS source, w.id AS id, w.resource_id AS resource_id,
  w.state_id AS state_id, w.session_id AS session_id, p.type_id AS type_id, p.state_since AS last_since_us,
  p.gone_at AS gone_us, w.platform_id AS platform_id, w.told_at AS told_at
FROM (SELECT b.*, b.at AS told_at FROM (SELECT platform_id, resource_id, observed_at AS at, 1 AS source, id, state_id, session_id FROM observations) b) w
JOIN resources r ON r.id = w.resource_id AND likelihood(r.platform_id = w.platform_id, 0.9)
JOIN present p ON p.resource_id = w.resource_id AND likelihood(p.platform_id = w.platform_id, 0.9)
JOIN event_types t ON likelihood(t.id = p.type_id, 0.05)

UNION ALL

SELECT r.uri AS uri, t.text AS type, w.at AS at, w.source AS source, w.id AS id, w.resource_id AS resource_id,
  w.state_id AS state_id, w.session_id AS session_id, p.type_id AS type_id, p.state_since AS last_since_us,
  p.gone_at AS gone_us, w.platform_id AS platform_id, w.told_at AS told_at
FROM (SELECT platform_id, resource_id, CAST(strftime('%Y-%m-%dT%H:%M:%S', (first_at + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (first_at + 62135596800000000) % 1000000) AS text) AS at, 2 AS source, CAST(0 AS bigint) AS id, CAST(NULL AS bigint) AS state_id, CAST(NULL AS bigint) AS session_id, CAST(NULL AS text) AS told_at FROM present) w
JOIN resources r ON r.id = w.resource_id AND likelihood(r.platform_id = w.platform_id, 0.9)
JOIN present p ON p.resource_id = w.resource_id AND likelihood(p.platform_id = w.platform_id, 0.9)
JOIN event_types t ON likelihood(t.id = p.type_id, 0.05)
) w
LEFT JOIN event_states s ON s.id = w.state_id
LEFT JOIN events ON events.id = CASE WHEN (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) < w.last_since_us THEN (SELECT o.id FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND (o.occurred_at > w.at OR (w.source = 0 AND o.id > w.id)) AND o.state_id <> coalesce(w.state_id, 0)
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> coalesce(lower(s.text), '')
      ORDER BY o.occurred_at LIMIT 1)
    ELSE (SELECT o.id FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND o.occurred_at <= w.at AND ((w.source = 0 AND o.id > w.id)) AND o.state_id <> coalesce(w.state_id, 0)
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> coalesce(lower(s.text), '')
      ORDER BY o.occurred_at LIMIT 1) END
LEFT JOIN observations ON observations.id = CASE WHEN (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) < w.last_since_us THEN (SELECT o.id FROM observations o
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
    ELSE coalesce(events.occurred_at, observations.observed_at) END IS NULL) AND y.stream_id = h.stream_id AND y.covered_from > w.at AND y.covered_from <= coalesce(u.covered_from, '9999-12-31T23:59:59.999999Z') AND ((CAST(strftime('%s', substr(y.covered_from, 1, 19)) AS integer) * 1000000 + CAST(substr(y.covered_from, 21, 6) AS integer)) - (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) >= 1000000 OR (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) / 1000000 * 1000000 <> (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)))
LEFT JOIN sessions x ON x.id = CASE WHEN y.id IS NOT NULL THEN (SELECT o.id FROM (SELECT b.id AS id, b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = y.stream_id AND b.covered_from <= y.covered_from AND (b.covered_from < y.covered_from OR b.id < y.id) ORDER BY b.covered_from DESC LIMIT 16) o
      ORDER BY o.watched_us DESC LIMIT 1) END
LEFT JOIN sessions z ON z.id = CASE WHEN NOT (w.gone_us IS NOT NULL AND CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END IS NULL) AND (k.part = 0 OR (k.part IN (2, 3) AND (y.id IS NOT NULL AND (x.id IS NULL OR (SELECT b.watched_us FROM session_log b WHERE b.id = x.id) < (SELECT b.covered_us FROM session_log b WHERE b.id = y.id))))) THEN (SELECT q.id FROM sessions q
      WHERE q.stream_id = h.stream_id AND q.covered_from > CASE k.part WHEN 0 THEN w.at ELSE y.covered_from END AND q.covered_from <= coalesce(u.covered_from, '9999-12-31T23:59:59.999999Z') AND ((CAST(strftime('%s', substr(q.covered_from, 1, 19)) AS integer) * 1000000 + CAST(substr(q.covered_from, 21, 6) AS integer)) - (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) >= 1000000 OR (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) / 1000000 * 1000000 <> (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer))) AND (SELECT coalesce(b.before_us, -4611686018427387904) < b.covered_us FROM session_log b WHERE b.id = q.id)
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
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.id = (
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
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )) <> lower(s.text), s.text IS NOT NULL) END AND (k.part = 0 OR (h.id IS NOT NULL AND NOT (w.gone_us IS NOT NULL AND CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END IS NULL)))) v) x
WHERE (x.since_us < x.until_us AND x.is_piece = 1) OR (x.part = 0 AND x.begin_us = x.end_us)
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW watched_spans AS
SELECT v.uri AS uri, v.type AS type, v.name AS name, v.stack AS stack, v.service AS service, v.slot AS slot, v.node AS node, v.image AS image, v.state AS state, v.kind AS kind, v.since AS since, v.until AS until, v.seconds AS seconds, v.certain AS certain, v.watched AS watched, v.holds AS holds, v.state_since AS state_since, v.since_us AS since_us, v.until_us AS until_us, v.state_since_us AS state_since_us, v.platform AS platform FROM full_watched_spans v;

CREATE VIEW state_words AS SELECT * FROM (
/* /* */ SELECT s.id AS id, s.text AS state, lower(s.text) AS word,
  CASE WHEN (SELECT k.kind FROM state_kinds k WHERE k.state IN ('container' || ' ' || lower(s.text), lower(s.text), 'container' || ' ' || substr(lower(s.text), 1, instr(lower(s.text) || ' (', ' (') - 1), substr(lower(s.text), 1, instr(lower(s.text) || ' (', ' (') - 1))
    ORDER BY length(k.state) DESC LIMIT 1) = 'up' THEN 1 ELSE 0 END AS runs,
  CASE WHEN substr(lower(s.text), 1, instr(lower(s.text) || ' (', ' (') - 1) IN ('dead', 'deleted', 'destroy', 'destroyed', 'die', 'exited', 'removed', 'stopped', 'terminated') THEN 1 ELSE 0 END AS down,
  CASE WHEN lower(s.text) IN ('deleted', 'destroy', 'destroyed', 'die', 'removed', 'terminated') THEN 1 ELSE 0 END AS gone, CASE WHEN substr(lower(s.text), 1, 8) = 'exited (' AND substr(lower(s.text), length(lower(s.text)), 1) = ')' AND substr(lower(s.text), 9, length(lower(s.text)) - 9) <> '' AND ltrim(substr(lower(s.text), 9, length(lower(s.text)) - 9), '0123456789') = '' AND length(substr(lower(s.text), 9, length(lower(s.text)) - 9)) < 10 THEN CAST(substr(lower(s.text), 9, length(lower(s.text)) - 9) AS integer) END AS exit_code
FROM event_states s
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW index_levels AS SELECT * FROM (
/* /* */ SELECT 0 AS n UNION ALL SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n UNION ALL SELECT 4 AS n UNION ALL SELECT 5 AS n UNION ALL SELECT 6 AS n UNION ALL SELECT 7 AS n UNION ALL SELECT 8 AS n UNION ALL SELECT 9 AS n UNION ALL SELECT 10 AS n UNION ALL SELECT 11 AS n UNION ALL SELECT 12 AS n UNION ALL SELECT 13 AS n UNION ALL SELECT 14 AS n UNION ALL SELECT 15 AS n UNION ALL SELECT 16 AS n UNION ALL SELECT 17 AS n UNION ALL SELECT 18 AS n UNION ALL SELECT 19 AS n UNION ALL SELECT 20 AS n UNION ALL SELECT 21 AS n UNION ALL SELECT 22 AS n UNION ALL SELECT 23 AS n UNION ALL SELECT 24 AS n UNION ALL SELECT 25 AS n UNION ALL SELECT 26 AS n UNION ALL SELECT 27 AS n UNION ALL SELECT 28 AS n UNION ALL SELECT 29 AS n UNION ALL SELECT 30 AS n UNION ALL SELECT 31 AS n UNION ALL SELECT 32 AS n UNION ALL SELECT 33 AS n UNION ALL SELECT 34 AS n UNION ALL SELECT 35 AS n UNION ALL SELECT 36 AS n UNION ALL SELECT 37 AS n UNION ALL SELECT 38 AS n UNION ALL SELECT 39 AS n UNION ALL SELECT 40 AS n UNION ALL SELECT 41 AS n UNION ALL SELECT 42 AS n UNION ALL SELECT 43 AS n UNION ALL SELECT 44 AS n UNION ALL SELECT 45 AS n UNION ALL SELECT 46 AS n UNION ALL SELECT 47 AS n UNION ALL SELECT 48 AS n UNION ALL SELECT 49 AS n UNION ALL SELECT 50 AS n UNION ALL SELECT 51 AS n UNION ALL SELECT 52 AS n UNION ALL SELECT 53 AS n UNION ALL SELECT 54 AS n UNION ALL SELECT 55 AS n UNION ALL SELECT 56 AS n UNION ALL SELECT 57 AS n UNION ALL SELECT 58 AS n UNION ALL SELECT 59 AS n UNION ALL SELECT 60 AS n UNION ALL SELECT 61 AS n UNION ALL SELECT 62 AS n
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW engine_actions AS SELECT * FROM (
/* /* */ SELECT a.uri AS uri, n.text AS name, d.value AS target_id, d.node AS since_us, (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1) AS extra,
  CASE WHEN coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false) AND NOT (coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"' || '15' || '"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false) OR coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"' || '2' || '"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false) OR coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"' || '3' || '"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false) OR coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"' || '9' || '"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false)) THEN 0 ELSE 1 END AS deadly,
  CASE WHEN coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false) AND NOT coalesce(replace((SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), '"signal":"' || '9' || '"', '') <> (SELECT b.extra FROM events b WHERE b.platform_id = d.platform_id AND b.resource_id = d.resource_id LIMIT 1), false) THEN 1 ELSE 0 END AS soft,
  d.platform_id AS platform_id
FROM facts d
JOIN resources a ON a.id = d.resource_id
JOIN present q ON q.resource_id = d.resource_id
JOIN texts n ON n.id = q.name_id
WHERE likelihood(d.what = 2, 0.5) AND d.since = d.node AND substr(a.uri, 1, 11) = '/docker/v1/'
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW told_ends AS SELECT * FROM (
/* /* */ SELECT x.platform_id AS platform_id,
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
FROM (SELECT w.*, w.at AS stopped_at, (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) AS stopped_us,
  s.word AS state,
  b.word AS before,
  s.exit_code AS exit_code,
  coalesce((CAST(strftime('%s', substr(bg.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(bg.occurred_at, 21, 6) AS integer)), -4611686018427387904) AS ran_since_us,
  coalesce((CAST(strftime('%s', substr(lv.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(lv.occurred_at, 21, 6) AS integer)), 4611686018427387904) AS live_us,
  coalesce((CAST(strftime('%s', substr(ag.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(ag.occurred_at, 21, 6) AS integer)), 4611686018427387904) AS next_us
FROM (SELECT e.platform_id AS platform_id, e.resource_id AS resource_id, r.uri AS uri, e.occurred_at AS at,
  0 AS source, e.id AS id, e.state_id AS state_id, e.session_id AS session_id FROM events e
  JOIN resources r ON r.id = e.resource_id) w
JOIN state_words s ON s.id = w.state_id AND s.down = 1
JOIN state_words b ON b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.id = (
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
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.id = (
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
WHERE coalesce(had.down, 0) = 0) x
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW told_stops AS SELECT * FROM (
/* /* */ SELECT x.platform_id AS platform_id, x.resource_id AS resource_id, x.id AS id, x.stopped_at AS stopped_at,
  x.stopped_us AS stopped_us,
  x.cause AS cause
FROM (SELECT x.*, CASE WHEN x.oom AND (x.exit_code IS NULL OR x.exit_code = 137 OR x.proofs = 0) THEN 'oom'
    WHEN x.proofs > 0 OR x.before IN ('stopping', 'terminating') THEN
      CASE WHEN x.exit_code = 137 AND (((x.told >> 0) & 1023) > 0 OR (((x.told >> 10) & 1023) = 0 AND ((x.told >> 50) & 1023) > 0) OR x.ran_over IS NOT NULL OR ((x.told >> 30) & 1023) > 0) THEN 'forced' ELSE 'told' END
    WHEN x.unwatched = 1 THEN 'unknown' ELSE 'crash' END AS cause FROM (SELECT x.*, CASE WHEN ((x.told >> 0) & 1023) > 0 AND ((x.told >> 40) & 1023) > 0 THEN ((x.told >> 40) & 1023) WHEN ((x.told >> 0) & 1023) > 0 THEN ((x.told >> 0) & 1023)
    WHEN ((x.told >> 20) & 1023) > 0 THEN ((x.told >> 20) & 1023) WHEN ((x.told >> 10) & 1023) > 0 THEN ((x.told >> 10) & 1023)
    WHEN ((x.told >> 50) & 1023) > 0 THEN ((x.told >> 50) & 1023) WHEN x.ran_over IS NULL THEN 0 WHEN x.ran_over = '' THEN 2 ELSE 1 END AS proofs FROM (SELECT x.*, json_extract(g.value, '$[0]') AS told,
  json_extract(g.value, '$[1]') AS ran_over,
  json_extract(g.value, '$[2]') AS oom,
  json_extract(g.value, '$[3]') AS unwatched
FROM (SELECT * FROM told_ends) x JOIN json_each(json_array(json_array(CASE WHEN substr(x.uri, 1, 11) = '/docker/v1/' THEN (SELECT CAST(coalesce(sum(CASE WHEN d.name = 'stop' AND ((d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) OR (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us)) THEN 1 END), 0) + coalesce(sum(CASE WHEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) THEN 1024 END), 0) + coalesce(sum(CASE WHEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) AND coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false) THEN 1048576 END), 0) + coalesce(sum(CASE WHEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) AND d.soft = 1 THEN 1073741824 END), 0) + coalesce(sum(CASE WHEN d.name = 'restart' AND (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us) THEN 1099511627776 END), 0) + coalesce(sum(CASE WHEN d.name = 'restart' AND (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us) AND d.since_us <= x.stopped_us + 2000000 THEN 1125899906842624 END), 0) AS bigint) FROM engine_actions d
      WHERE d.platform_id = x.platform_id AND d.target_id IN (SELECT x.resource_id UNION ALL SELECT f.value FROM facts f WHERE f.resource_id = x.resource_id
        AND f.what = 1 AND f.since < x.stopped_us AND f.until >= x.stopped_us)
        AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us + 10000000 AND d.name IN ('kill', 'restart', 'stop')) ELSE 0 END, CASE WHEN NOT substr(x.uri, 1, 11) = '/docker/v1/' THEN (SELECT CASE WHEN max(CASE WHEN c.since <= x.stopped_us AND c.until >= x.stopped_us THEN 1 ELSE 0 END) = 1 AND sum(CASE WHEN c.until >= x.stopped_us THEN 1 ELSE 0 END) = 1
        THEN min(CASE WHEN c.until >= x.stopped_us THEN a.uri END)
        WHEN count(*) > 1 THEN '' ELSE min(a.uri) END FROM (SELECT d.resource_id, d.value, d.since, d.until
          FROM (SELECT p.value AS value FROM (SELECT x.resource_id AS value UNION ALL SELECT f1.value FROM facts f1 WHERE f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f2.value FROM facts f1 JOIN facts f2 ON f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f3.value FROM facts f1 JOIN facts f2 ON f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us JOIN facts f3 ON f3.resource_id = f2.value AND f3.what = 1 AND f3.since < x.stopped_us AND f3.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us) p GROUP BY p.value) p
          CROSS JOIN (SELECT n.node FROM (SELECT (((x.stopped_us - 2000000) >> (b.n + 1)) << (b.n + 1)) | (CAST(1 AS bigint) << b.n) AS node FROM index_levels b
          WHERE b.n >= 22 UNION ALL SELECT (((x.stopped_us + 2000000) >> (b.n + 1)) << (b.n + 1)) | (CAST(1 AS bigint) << b.n) AS node FROM index_levels b
          WHERE b.n >= 22) n GROUP BY n.node) n
          JOIN facts d ON d.value = p.value AND d.node = n.node
          WHERE d.platform_id = x.platform_id AND likelihood(d.what = 2, 0.5) AND NOT d.node BETWEEN (x.stopped_us - 2000000) & -4194304 AND (x.stopped_us + 2000000) | 4194303 AND d.since - (x.stopped_us + 2000000) <= 0 AND CASE WHEN d.until = 4611686018427387904 THEN d.since + 3600000000 ELSE d.until END >= (x.stopped_us - 2000000)
        UNION ALL SELECT d.resource_id, d.value, d.since, d.until FROM facts d
          WHERE d.platform_id = x.platform_id AND likelihood(d.what = 2, 0.5) AND d.value IN (SELECT x.resource_id AS value UNION ALL SELECT f1.value FROM facts f1 WHERE f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f2.value FROM facts f1 JOIN facts f2 ON f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f3.value FROM facts f1 JOIN facts f2 ON f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us JOIN facts f3 ON f3.resource_id = f2.value AND f3.what = 1 AND f3.since < x.stopped_us AND f3.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us) AND d.node BETWEEN (x.stopped_us - 2000000) & -4194304 AND (x.stopped_us + 2000000) | 4194303 AND d.since - (x.stopped_us + 2000000) <= 0 AND CASE WHEN d.until = 4611686018427387904 THEN d.since + 3600000000 ELSE d.until END >= (x.stopped_us - 2000000)) c
      JOIN resources a ON a.id = c.resource_id
      LEFT JOIN present q ON q.resource_id = c.resource_id
      LEFT JOIN texts n ON n.id = q.name_id
      LEFT JOIN event_states s ON s.id = q.state_id
      JOIN resources g ON g.id = c.value
      JOIN event_types t ON t.id = g.type_id
      WHERE NOT substr(a.uri, 1, 11) = '/docker/v1/' AND NOT (replace(' ' || lower(coalesce(n.text, '')) || '|', ' create|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' deploy|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' exec|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' start|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' up|', '') <> ' ' || lower(coalesce(n.text, '')) || '|')
        AND (x.before IN ('stopping', 'terminating') OR NOT (lower(coalesce(s.text, '')) IN ('canceled', 'failed') OR t.text IN ('node', 'nodecluster')))) END, ((x.source = 1 AND x.exit_code = 137 AND EXISTS (SELECT 1 FROM observations b
      WHERE b.id = x.id AND coalesce(replace(b.extra, '"oom_killed":true', '') <> b.extra, false))) OR EXISTS (SELECT 1 FROM events b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id
      AND b.occurred_at >= strftime('%Y-%m-%dT%H:%M:%S', ((x.stopped_us - 10000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((x.stopped_us - 10000000) + 62135596800000000) % 1000000) AND b.occurred_at <= strftime('%Y-%m-%dT%H:%M:%S', ((x.stopped_us + 10000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((x.stopped_us + 10000000) + 62135596800000000) % 1000000) AND (CAST(strftime('%s', substr(b.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.occurred_at, 21, 6) AS integer)) <= x.live_us
      AND b.action_id = (SELECT c.id FROM event_actions c WHERE c.text = 'oom'))), CASE WHEN x.session_id IS NULL THEN 0
      WHEN coalesce((SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND b.covered_from <= x.stopped_at ORDER BY b.covered_from DESC LIMIT 16) o), 0) >= x.stopped_us THEN 0
      WHEN x.stopped_us / 1000000 * 1000000 = x.stopped_us
        AND coalesce((SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND b.covered_from <= strftime('%Y-%m-%dT%H:%M:%S', ((x.stopped_us + 999999) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((x.stopped_us + 999999) + 62135596800000000) % 1000000) ORDER BY b.covered_from DESC LIMIT 16) o), 0) >= x.stopped_us THEN 0 ELSE 1 END))) g WHERE 1 = 1) x) x) x
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW counted_stops AS SELECT * FROM (
/* /* */ SELECT x.platform_id AS platform_id,
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
FROM (SELECT w.*, w.at AS stopped_at, (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) AS stopped_us,
  s.word AS state,
  b.word AS before,
  s.exit_code AS exit_code,
  coalesce((CAST(strftime('%s', substr(bg.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(bg.occurred_at, 21, 6) AS integer)), -4611686018427387904) AS ran_since_us,
  coalesce((CAST(strftime('%s', substr(lv.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(lv.occurred_at, 21, 6) AS integer)), 4611686018427387904) AS live_us,
  coalesce((CAST(strftime('%s', substr(ag.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(ag.occurred_at, 21, 6) AS integer)), 4611686018427387904) AS next_us,
  min(coalesce((CAST(strftime('%s', substr(up.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(up.occurred_at, 21, 6) AS integer)), 4611686018427387904), coalesce((CAST(strftime('%s', substr(seen.observed_at, 1, 19)) AS integer) * 1000000 + CAST(substr(seen.observed_at, 21, 6) AS integer)), 4611686018427387904)) AS own_us
FROM words w
JOIN state_words s ON s.id = w.state_id AND s.down = 1
JOIN state_words b ON b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.id = (
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
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND NOT (SELECT lower(q.text) FROM event_states q WHERE q.id = o.state_id) IN ('stopping', 'terminating') AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  ) END
LEFT JOIN events up ON up.id = (SELECT e.id FROM events e
  WHERE e.platform_id = w.platform_id AND e.resource_id = w.resource_id AND (e.occurred_at, 0, e.id) > (w.at, w.source, w.id)
    AND (SELECT b.runs FROM state_words b WHERE b.id = e.state_id) = 1 ORDER BY e.occurred_at LIMIT 1)
LEFT JOIN observations seen ON seen.id = (SELECT e.id FROM observations e
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
WHERE w.type = 'container' AND coalesce(had.down, 0) = 0) x
WHERE x.own_us < 4611686018427387904 OR x.gone_us IS NULL OR (coalesce(x.exit_code, 1) <> 0 AND NOT (x.before IN ('stopping', 'terminating') AND NOT ((x.source = 1 AND x.exit_code = 137 AND EXISTS (SELECT 1 FROM observations b
      WHERE b.id = x.id AND coalesce(replace(b.extra, '"oom_killed":true', '') <> b.extra, false))) OR EXISTS (SELECT 1 FROM events b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id
      AND b.occurred_at >= strftime('%Y-%m-%dT%H:%M:%S', ((x.stopped_us - 10000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((x.stopped_us - 10000000) + 62135596800000000) % 1000000) AND b.occurred_at <= strftime('%Y-%m-%dT%H:%M:%S', ((x.stopped_us + 10000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((x.stopped_us + 10000000) + 62135596800000000) % 1000000)
      AND b.action_id = (SELECT c.id FROM event_actions c WHERE c.text = 'oom')))))
  OR (SELECT f.value FROM facts f WHERE f.platform_id = x.platform_id
      AND f.resource_id = x.resource_id AND f.what = 5
      AND f.since <= x.stopped_us ORDER BY f.since DESC LIMIT 1) IS NOT NULL
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW full_restarts AS SELECT * FROM (
/* /* */ SELECT x.stopped_at AS stopped_at, strftime('%Y-%m-%dT%H:%M:%S', (nullif(x.started_us, 4611686018427387904) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (nullif(x.started_us, 4611686018427387904) + 62135596800000000) % 1000000) AS started_at,
  CAST(nullif(x.started_us, 4611686018427387904) - x.stopped_us AS double precision) / 1e6 AS down_seconds, x.uri AS uri, x.type AS type,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.what = 3 AND f.since <= x.stopped_us
    ORDER BY f.since DESC LIMIT 1) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = x.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = x.resource_id AND b.since_us <= x.stopped_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.resource_id = f.parent_id AND b.since_us <= x.stopped_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.resource_id = x.resource_id AND f.since_us <= x.stopped_us) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = x.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = x.resource_id AND b.since_us <= x.stopped_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.what = 5 AND f.since <= x.stopped_us
    ORDER BY f.since DESC LIMIT 1) AS slot,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = x.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = x.resource_id AND b.since_us <= x.stopped_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = x.platform_id AND f.resource_id = x.resource_id AND f.what = 4 AND f.since <= x.stopped_us
    ORDER BY f.since DESC LIMIT 1) AS image,
  x.cause AS cause, x.exit_code AS exit_code, CASE WHEN x.proofs <> 1 OR (x.oom AND (x.exit_code IS NULL OR x.exit_code = 137 OR x.proofs = 0)) THEN NULL
    WHEN x.ran_over IS NOT NULL THEN x.ran_over ELSE (SELECT min(d.uri) FROM engine_actions d
      WHERE d.platform_id = x.platform_id AND d.target_id IN (SELECT x.resource_id UNION ALL SELECT f.value FROM facts f WHERE f.resource_id = x.resource_id
        AND f.what = 1 AND f.since < x.stopped_us AND f.until >= x.stopped_us)
        AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us + 10000000 AND CASE WHEN ((x.told >> 0) & 1023) > 0 AND ((x.told >> 40) & 1023) > 0 THEN d.name = 'restart' AND (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us) WHEN ((x.told >> 0) & 1023) > 0 THEN d.name = 'stop' AND ((d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) OR (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us))
        WHEN ((x.told >> 20) & 1023) > 0 THEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) AND coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false) WHEN ((x.told >> 10) & 1023) > 0 THEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false))
        ELSE d.name = 'restart' AND (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us) AND d.since_us <= x.stopped_us + 2000000 END) END AS action_uri, CASE WHEN x.session_id IS NULL THEN NULL
    WHEN x.unwatched = 1 OR coalesce((SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND b.covered_from <= x.stopped_at ORDER BY b.covered_from DESC LIMIT 16) o), 0) < x.stopped_us
      OR EXISTS (SELECT 1 FROM sessions q
      WHERE q.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND q.covered_from > x.stopped_at AND q.covered_from <= coalesce(strftime('%Y-%m-%dT%H:%M:%S', (nullif(x.started_us, 4611686018427387904) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (nullif(x.started_us, 4611686018427387904) + 62135596800000000) % 1000000), '9999-12-31T23:59:59.999999Z')
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
    WHEN ((x.told >> 50) & 1023) > 0 THEN ((x.told >> 50) & 1023) WHEN x.ran_over IS NULL THEN 0 WHEN x.ran_over = '' THEN 2 ELSE 1 END AS proofs FROM (SELECT x.*, json_extract(g.value, '$[0]') AS told,
  json_extract(g.value, '$[1]') AS ran_over,
  json_extract(g.value, '$[2]') AS oom,
  json_extract(g.value, '$[3]') AS unwatched,
  json_extract(g.value, '$[4]') AS started_us
FROM (SELECT * FROM counted_stops) x JOIN json_each(json_array(json_array(CASE WHEN substr(x.uri, 1, 11) = '/docker/v1/' THEN (SELECT CAST(coalesce(sum(CASE WHEN d.name = 'stop' AND ((d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) OR (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us)) THEN 1 END), 0) + coalesce(sum(CASE WHEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) THEN 1024 END), 0) + coalesce(sum(CASE WHEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) AND coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false) THEN 1048576 END), 0) + coalesce(sum(CASE WHEN d.name = 'kill' AND (d.since_us >= x.ran_since_us AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us) AND (d.deadly = 1 OR coalesce(replace(d.extra, '"signal":"' || (x.exit_code - 128) || '"', '') <> d.extra, false)) AND d.soft = 1 THEN 1073741824 END), 0) + coalesce(sum(CASE WHEN d.name = 'restart' AND (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us) THEN 1099511627776 END), 0) + coalesce(sum(CASE WHEN d.name = 'restart' AND (d.since_us > x.stopped_us AND d.since_us <= x.stopped_us + 10000000 AND d.since_us < x.next_us) AND d.since_us <= x.stopped_us + 2000000 THEN 1125899906842624 END), 0) AS bigint) FROM engine_actions d
      WHERE d.platform_id = x.platform_id AND d.target_id IN (SELECT x.resource_id UNION ALL SELECT f.value FROM facts f WHERE f.resource_id = x.resource_id
        AND f.what = 1 AND f.since < x.stopped_us AND f.until >= x.stopped_us)
        AND d.since_us >= x.stopped_us - 15000000 AND d.since_us <= x.stopped_us + 10000000 AND d.name IN ('kill', 'restart', 'stop')) ELSE 0 END, CASE WHEN NOT substr(x.uri, 1, 11) = '/docker/v1/' THEN (SELECT CASE WHEN max(CASE WHEN c.since <= x.stopped_us AND c.until >= x.stopped_us THEN 1 ELSE 0 END) = 1 AND sum(CASE WHEN c.until >= x.stopped_us THEN 1 ELSE 0 END) = 1
        THEN min(CASE WHEN c.until >= x.stopped_us THEN a.uri END)
        WHEN count(*) > 1 THEN '' ELSE min(a.uri) END FROM (SELECT d.resource_id, d.value, d.since, d.until
          FROM (SELECT p.value AS value FROM (SELECT x.resource_id AS value UNION ALL SELECT f1.value FROM facts f1 WHERE f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f2.value FROM facts f1 JOIN facts f2 ON f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f3.value FROM facts f1 JOIN facts f2 ON f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us JOIN facts f3 ON f3.resource_id = f2.value AND f3.what = 1 AND f3.since < x.stopped_us AND f3.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us) p GROUP BY p.value) p
          CROSS JOIN (SELECT n.node FROM (SELECT (((x.stopped_us - 2000000) >> (b.n + 1)) << (b.n + 1)) | (CAST(1 AS bigint) << b.n) AS node FROM index_levels b
          WHERE b.n >= 22 UNION ALL SELECT (((x.stopped_us + 2000000) >> (b.n + 1)) << (b.n + 1)) | (CAST(1 AS bigint) << b.n) AS node FROM index_levels b
          WHERE b.n >= 22) n GROUP BY n.node) n
          JOIN facts d ON d.value = p.value AND d.node = n.node
          WHERE d.platform_id = x.platform_id AND likelihood(d.what = 2, 0.5) AND NOT d.node BETWEEN (x.stopped_us - 2000000) & -4194304 AND (x.stopped_us + 2000000) | 4194303 AND d.since - (x.stopped_us + 2000000) <= 0 AND CASE WHEN d.until = 4611686018427387904 THEN d.since + 3600000000 ELSE d.until END >= (x.stopped_us - 2000000)
        UNION ALL SELECT d.resource_id, d.value, d.since, d.until FROM facts d
          WHERE d.platform_id = x.platform_id AND likelihood(d.what = 2, 0.5) AND d.value IN (SELECT x.resource_id AS value UNION ALL SELECT f1.value FROM facts f1 WHERE f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f2.value FROM facts f1 JOIN facts f2 ON f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us UNION ALL SELECT f3.value FROM facts f1 JOIN facts f2 ON f2.resource_id = f1.value AND f2.what = 1 AND f2.since < x.stopped_us AND f2.until >= x.stopped_us JOIN facts f3 ON f3.resource_id = f2.value AND f3.what = 1 AND f3.since < x.stopped_us AND f3.until >= x.stopped_us WHERE f1.platform_id = x.platform_id AND f1.resource_id = x.resource_id AND f1.what = 1 AND f1.since < x.stopped_us AND f1.until >= x.stopped_us) AND d.node BETWEEN (x.stopped_us - 2000000) & -4194304 AND (x.stopped_us + 2000000) | 4194303 AND d.since - (x.stopped_us + 2000000) <= 0 AND CASE WHEN d.until = 4611686018427387904 THEN d.since + 3600000000 ELSE d.until END >= (x.stopped_us - 2000000)) c
      JOIN resources a ON a.id = c.resource_id
      LEFT JOIN present q ON q.resource_id = c.resource_id
      LEFT JOIN texts n ON n.id = q.name_id
      LEFT JOIN event_states s ON s.id = q.state_id
      JOIN resources g ON g.id = c.value
      JOIN event_types t ON t.id = g.type_id
      WHERE NOT substr(a.uri, 1, 11) = '/docker/v1/' AND NOT (replace(' ' || lower(coalesce(n.text, '')) || '|', ' create|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' deploy|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' exec|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' start|', '') <> ' ' || lower(coalesce(n.text, '')) || '|' OR replace(' ' || lower(coalesce(n.text, '')) || '|', ' up|', '') <> ' ' || lower(coalesce(n.text, '')) || '|')
        AND (x.before IN ('stopping', 'terminating') OR NOT (lower(coalesce(s.text, '')) IN ('canceled', 'failed') OR t.text IN ('node', 'nodecluster')))) END, ((x.source = 1 AND x.exit_code = 137 AND EXISTS (SELECT 1 FROM observations b
      WHERE b.id = x.id AND coalesce(replace(b.extra, '"oom_killed":true', '') <> b.extra, false))) OR EXISTS (SELECT 1 FROM events b
    WHERE b.platform_id = x.platform_id AND b.resource_id = x.resource_id
      AND b.occurred_at >= strftime('%Y-%m-%dT%H:%M:%S', ((x.stopped_us - 10000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((x.stopped_us - 10000000) + 62135596800000000) % 1000000) AND b.occurred_at <= strftime('%Y-%m-%dT%H:%M:%S', ((x.stopped_us + 10000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((x.stopped_us + 10000000) + 62135596800000000) % 1000000) AND (CAST(strftime('%s', substr(b.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.occurred_at, 21, 6) AS integer)) <= x.live_us
      AND b.action_id = (SELECT c.id FROM event_actions c WHERE c.text = 'oom'))), CASE x.source WHEN 0 THEN CASE WHEN x.session_id IS NULL THEN 0
      WHEN coalesce((SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND b.covered_from <= x.stopped_at ORDER BY b.covered_from DESC LIMIT 16) o), 0) >= x.stopped_us THEN 0
      WHEN x.stopped_us / 1000000 * 1000000 = x.stopped_us
        AND coalesce((SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = x.session_id) AND b.covered_from <= strftime('%Y-%m-%dT%H:%M:%S', ((x.stopped_us + 999999) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((x.stopped_us + 999999) + 62135596800000000) % 1000000) ORDER BY b.covered_from DESC LIMIT 16) o), 0) >= x.stopped_us THEN 0 ELSE 1 END ELSE CASE WHEN x.session_id IS NULL THEN 1
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
      ORDER BY o.observed_at, o.id LIMIT 1) AND p.since < b.covered_from AND p.since_us <= b.before_us) FROM session_log b WHERE b.id = q.id)) THEN 1 ELSE 0 END END, min(x.own_us, CASE WHEN (SELECT f.value FROM facts f WHERE f.platform_id = x.platform_id
      AND f.resource_id = x.resource_id AND f.what = 5
      AND f.since <= x.stopped_us ORDER BY f.since DESC LIMIT 1) IS NULL THEN 4611686018427387904 ELSE coalesce((SELECT min(min(coalesce((SELECT (CAST(strftime('%s', substr(e.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(e.occurred_at, 21, 6) AS integer)) FROM events e
        WHERE e.platform_id = x.platform_id AND e.resource_id = o.resource_id AND e.occurred_at >= x.stopped_at AND (SELECT b.runs FROM state_words b WHERE b.id = e.state_id) = 1
        ORDER BY e.occurred_at LIMIT 1), 4611686018427387904), coalesce((SELECT (CAST(strftime('%s', substr(e.observed_at, 1, 19)) AS integer) * 1000000 + CAST(substr(e.observed_at, 21, 6) AS integer)) FROM observations e
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
        JOIN resources a ON a.id = g.value
      WHERE g.platform_id = x.platform_id AND g.resource_id = x.resource_id AND g.what = 1
        AND h.resource_id = o.resource_id AND h.what = 1 AND a.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service'))), 4611686018427387904) END)))) g WHERE 1 = 1) x) x) x
WHERE x.started_us < 4611686018427387904 OR x.gone_us IS NULL
  OR (x.cause NOT IN ('told', 'forced') AND coalesce(x.exit_code, 1) <> 0)
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW restarts AS
SELECT v.stopped_at AS stopped_at, v.started_at AS started_at, v.down_seconds AS down_seconds, v.uri AS uri, v.type AS type, v.name AS name, v.stack AS stack, v.service AS service, v.slot AS slot, v.node AS node, v.image AS image, v.cause AS cause, v.exit_code AS exit_code, v.action_uri AS action_uri, v.certain AS certain, v.stopped_us AS stopped_us, v.started_us AS started_us, v.platform AS platform FROM full_restarts v;

CREATE VIEW inventory AS
SELECT r.uri AS uri, t.text AS type,
  (SELECT b.text FROM texts b WHERE b.id = p.name_id) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = r.id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = r.id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.resource_id = f.parent_id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.resource_id = r.id AND f.since_us <= 4611686018427387904) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = r.id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = r.id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  (SELECT b.text FROM texts b WHERE b.id = p.slot_id) AS slot,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = r.id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = r.id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT b.text FROM texts b WHERE b.id = p.image_id) AS image,
  strftime('%Y-%m-%dT%H:%M:%S', (p.first_at + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (p.first_at + 62135596800000000) % 1000000) AS first_seen_at, strftime('%Y-%m-%dT%H:%M:%S', (p.last_at + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (p.last_at + 62135596800000000) % 1000000) AS last_seen_at,
  CASE WHEN p.gone_at IS NULL THEN 1 ELSE 0 END AS live,
  p.first_at AS first_seen_us, p.last_at AS last_seen_us, (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform
FROM present p
JOIN resources r ON r.id = p.resource_id
JOIN event_types t ON t.id = p.type_id;

CREATE VIEW full_resource_tags AS SELECT * FROM (
/* /* */ SELECT r.uri AS uri, (SELECT t.text FROM event_types t WHERE t.id = r.type_id) AS type, (SELECT b.text FROM present o JOIN texts b ON b.id = o.name_id
   WHERE o.platform_id = r.platform_id AND o.resource_id = r.id) AS name,
  v.tag AS tag, strftime('%Y-%m-%dT%H:%M:%S', (v.since_us + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (v.since_us + 62135596800000000) % 1000000) AS since, strftime('%Y-%m-%dT%H:%M:%S', (CASE WHEN v.until_us < 4611686018427387904 THEN v.until_us END + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (CASE WHEN v.until_us < 4611686018427387904 THEN v.until_us END + 62135596800000000) % 1000000) AS until,
  CASE v.how WHEN 0 THEN 'told' WHEN 1 THEN 'asked' END AS how, v.since_us AS since_us,
  CASE WHEN v.until_us < 4611686018427387904 THEN v.until_us END AS until_us, (SELECT b.name FROM platforms b WHERE b.id = r.platform_id) AS platform
FROM (
SELECT f.platform_id AS platform_id, f.resource_id AS resource_id, g.value AS tag, f.since AS since_us, f.how AS how,
  (SELECT l.until FROM facts l WHERE l.resource_id = f.resource_id AND l.what = 6 AND l.since >= f.since
      AND coalesce((SELECT (SELECT count(*) FROM (SELECT 1 AS one) one CROSS JOIN json_each((SELECT b.text FROM texts b WHERE b.id = h.value AND h.what = 6)) h_tag
        WHERE h_tag.value = g.value) FROM facts h
        WHERE h.resource_id = f.resource_id AND h.what = 6 AND h.since = l.until LIMIT 1), 0) = 0 ORDER BY l.since LIMIT 1) AS until_us
FROM facts f CROSS JOIN json_each((SELECT b.text FROM texts b WHERE b.id = f.value AND f.what = 6)) g
WHERE f.what = 6 AND coalesce((SELECT CASE p.until WHEN f.since THEN (SELECT count(*) FROM (SELECT 1 AS one) one CROSS JOIN json_each((SELECT b.text FROM texts b WHERE b.id = p.value AND p.what = 6)) p_tag
        WHERE p_tag.value = g.value) ELSE 0 END FROM facts p
      WHERE p.resource_id = f.resource_id AND p.what = 6 AND p.since < f.since ORDER BY p.since DESC LIMIT 1), 0) = 0
) v
JOIN resources r ON r.id = v.resource_id AND likelihood(r.platform_id = v.platform_id, 0.9)
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW resource_tags AS
SELECT v.uri AS uri, v.type AS type, v.name AS name, v.tag AS tag, v.since AS since, v.until AS until, v.how AS how, v.since_us AS since_us, v.until_us AS until_us, v.platform AS platform FROM full_resource_tags v;

CREATE VIEW full_changes AS SELECT * FROM (
/* /* */ SELECT v.at AS at, v.change AS change, v.uri AS uri, v.type AS type,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 3 AND f.since <= v.at_us
    ORDER BY f.since DESC LIMIT 1) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = v.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = v.resource_id AND b.since_us <= v.at_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.resource_id = f.parent_id AND b.since_us <= v.at_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.resource_id = v.resource_id AND f.since_us <= v.at_us) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = v.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = v.resource_id AND b.since_us <= v.at_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 5 AND f.since <= v.at_us
    ORDER BY f.since DESC LIMIT 1) AS slot,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = v.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = v.resource_id AND b.since_us <= v.at_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 4 AND f.since <= v.at_us
    ORDER BY f.since DESC LIMIT 1) AS image,
  v.before AS before, v.after AS after, v.certain AS certain, (CAST(strftime('%s', substr(v.at, 1, 19)) AS integer) * 1000000 + CAST(substr(v.at, 21, 6) AS integer)) AS at_us,
  (SELECT b.name FROM platforms b WHERE b.id = v.platform_id) AS platform
FROM (SELECT w.*, CASE k.part WHEN 0 THEN CASE WHEN b.id IS NULL THEN 'appeared'
    WHEN (SELECT k.kind FROM state_kinds k WHERE k.state IN (w.type || ' ' || lower(s.text), lower(s.text), w.type || ' ' || substr(lower(s.text), 1, instr(lower(s.text) || ' (', ' (') - 1), substr(lower(s.text), 1, instr(lower(s.text) || ' (', ' (') - 1))
    ORDER BY length(k.state) DESC LIMIT 1) = 'gone' THEN 'vanished' ELSE 'state' END ELSE CASE f.what WHEN 1 THEN 'moved' WHEN 3 THEN 'name' WHEN 4 THEN 'image' WHEN 5 THEN 'slot' WHEN 6 THEN 'tags' END END AS change,
  CASE k.part WHEN 0 THEN b.text ELSE CASE f.what WHEN 1 THEN (SELECT b.uri FROM facts g JOIN resources b ON b.id = g.value
      WHERE g.platform_id = f.platform_id AND g.resource_id = f.resource_id AND g.what = 1 AND g.since < f.since
        AND g.until = f.since AND b.type_id = (SELECT q.type_id FROM resources q
          WHERE q.id = f.value) LIMIT 1) ELSE (SELECT b.text FROM facts g JOIN texts b ON b.id = g.value
      WHERE g.platform_id = f.platform_id AND g.resource_id = f.resource_id AND g.what = f.what AND g.since < f.since
      ORDER BY g.since DESC LIMIT 1) END END AS before,
  CASE k.part WHEN 0 THEN s.text ELSE CASE f.what WHEN 1 THEN (SELECT b.uri FROM resources b WHERE b.id = f.value) ELSE (SELECT b.text FROM texts b WHERE b.id = f.value) END END AS after,
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
  (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) AS at_us
FROM words w
LEFT JOIN event_states s ON s.id = w.state_id
LEFT JOIN event_states b ON b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )
CROSS JOIN (SELECT 0 AS part UNION ALL SELECT 1 AS part) k
LEFT JOIN facts f ON k.part = 1 AND f.platform_id = w.platform_id AND f.resource_id = w.resource_id
  AND f.what IN (1, 3, 4, 5, 6) AND f.since = (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) AND (f.told_by = w.id AND f.how = CASE w.source WHEN 0 THEN 0 ELSE 1 END OR (f.how <> 2
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
  ELSE CASE f.what WHEN 1 THEN (SELECT b.uri FROM facts g JOIN resources b ON b.id = g.value
      WHERE g.platform_id = f.platform_id AND g.resource_id = f.resource_id AND g.what = 1 AND g.since < f.since
        AND g.until = f.since AND b.type_id = (SELECT q.type_id FROM resources q
          WHERE q.id = f.value) LIMIT 1) ELSE (SELECT b.text FROM facts g JOIN texts b ON b.id = g.value
      WHERE g.platform_id = f.platform_id AND g.resource_id = f.resource_id AND g.what = f.what AND g.since < f.since
      ORDER BY g.since DESC LIMIT 1) END <> CASE f.what WHEN 1 THEN (SELECT b.uri FROM resources b WHERE b.id = f.value) ELSE (SELECT b.text FROM texts b WHERE b.id = f.value) END END AND w.type <> 'action') v
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW changes AS
SELECT v.at AS at, v.change AS change, v.uri AS uri, v.type AS type, v.name AS name, v.stack AS stack, v.service AS service, v.slot AS slot, v.node AS node, v.image AS image, v.before AS before, v.after AS after, v.certain AS certain, v.at_us AS at_us, v.platform AS platform FROM full_changes v;

CREATE VIEW full_deploys AS SELECT * FROM (
/* /* */ SELECT v.uri AS uri, v.type AS type,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 3 AND f.since <= v.begun_us
    ORDER BY f.since DESC LIMIT 1) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = v.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = v.resource_id AND b.since_us <= v.begun_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.resource_id = f.parent_id AND b.since_us <= v.begun_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.resource_id = v.resource_id AND f.since_us <= v.begun_us) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = v.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = v.resource_id AND b.since_us <= v.begun_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = v.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = v.resource_id AND b.since_us <= v.begun_us AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT a.uri FROM facts f JOIN resources a ON a.id = f.resource_id
    WHERE likelihood(f.platform_id = v.platform_id, 0.9) AND f.what = 2
      AND f.since >= v.begun_us - 15000000 AND f.since <= v.begun_us + 15000000
      AND f.value + 0 = v.resource_id ORDER BY f.since DESC LIMIT 1) AS action, v.at AS started_at, strftime('%Y-%m-%dT%H:%M:%S', (CASE WHEN v.end_us < 4611686018427387904 THEN v.end_us END + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (CASE WHEN v.end_us < 4611686018427387904 THEN v.end_us END + 62135596800000000) % 1000000) AS finished_at,
  CAST(CASE WHEN v.end_us < 4611686018427387904 THEN v.end_us END - v.begun_us AS double precision) / 1e6 AS seconds, CASE WHEN v.end_us = 4611686018427387904 THEN 'open' WHEN substr(v.became, 1, 8) = 'rollback' THEN 'rolled back'
    WHEN v.became NOT IN ('paused', 'partly running') AND (SELECT k.kind FROM state_kinds k WHERE k.state IN (v.type || ' ' || lower(v.became), lower(v.became), v.type || ' ' || substr(lower(v.became), 1, instr(lower(v.became) || ' (', ' (') - 1), substr(lower(v.became), 1, instr(lower(v.became) || ' (', ' (') - 1))
    ORDER BY length(k.state) DESC LIMIT 1) = 'up' THEN 'ok' ELSE 'failed' END AS result,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 4 AND f.since <= (v.begun_us - 1)
    ORDER BY f.since DESC LIMIT 1) AS image_before,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = v.platform_id AND f.resource_id = v.resource_id AND f.what = 4 AND f.since <= v.end_us
    ORDER BY f.since DESC LIMIT 1) AS image_after,
  CAST(CASE WHEN v.recovered_us < 4611686018427387904 THEN v.recovered_us END - v.begun_us AS double precision) / 1e6 AS recovered_seconds,
  v.certain AS certain,
  (CAST(strftime('%s', substr(v.at, 1, 19)) AS integer) * 1000000 + CAST(substr(v.at, 21, 6) AS integer)) AS started_us, CASE WHEN v.end_us < 4611686018427387904 THEN v.end_us END AS finished_us, (SELECT b.name FROM platforms b WHERE b.id = v.platform_id) AS platform
FROM (SELECT w.*, (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) AS begun_us,
  CASE WHEN n.text IS NULL THEN 4611686018427387904 WHEN substr(lower(n.text), 1, 8) = 'rollback' THEN min(coalesce((SELECT (CAST(strftime('%s', substr(o.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(o.occurred_at, 21, 6) AS integer)) FROM events o JOIN event_states b ON b.id = o.state_id
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END AND lower(b.text) <> 'rollback_started'
      ORDER BY o.occurred_at LIMIT 1), 4611686018427387904), coalesce((SELECT (CAST(strftime('%s', substr(o.observed_at, 1, 19)) AS integer) * 1000000 + CAST(substr(o.observed_at, 21, 6) AS integer)) FROM observations o JOIN event_states b ON b.id = o.state_id
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.observed_at >= CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END AND lower(b.text) <> 'rollback_started'
      ORDER BY o.observed_at LIMIT 1), 4611686018427387904)) ELSE (CAST(strftime('%s', substr(CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END, 1, 19)) AS integer) * 1000000 + CAST(substr(CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END, 21, 6) AS integer)) END AS end_us,
  min(coalesce((SELECT (CAST(strftime('%s', substr(o.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(o.occurred_at, 21, 6) AS integer)) FROM events o JOIN event_states b ON b.id = o.state_id
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND lower(b.text) IN ('running', 'completed', 'rollback_completed')
      ORDER BY o.occurred_at LIMIT 1), 4611686018427387904), coalesce((SELECT (CAST(strftime('%s', substr(o.observed_at, 1, 19)) AS integer) * 1000000 + CAST(substr(o.observed_at, 21, 6) AS integer)) FROM observations o JOIN event_states b ON b.id = o.state_id
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.observed_at >= w.at AND lower(b.text) IN ('running', 'completed', 'rollback_completed')
      ORDER BY o.observed_at LIMIT 1), 4611686018427387904)) AS recovered_us,
  lower(n.text) AS became,
  CASE WHEN h.id IS NULL THEN NULL WHEN (n.text IS NULL AND (SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = h.stream_id AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o) < (CAST(strftime('%s', 'now') AS integer) * 1000000))
    OR EXISTS (SELECT 1 FROM sessions q WHERE q.stream_id = h.stream_id AND q.covered_from > w.at
      AND q.covered_from <= coalesce(CASE
    WHEN observations.observed_at < events.occurred_at THEN observations.observed_at
    ELSE coalesce(events.occurred_at, observations.observed_at) END, '9999-12-31T23:59:59.999999Z') AND (SELECT coalesce(b.before_us, -4611686018427387904) < b.covered_us
        AND NOT EXISTS (SELECT 1 FROM unchanged p WHERE p.platform_id = w.platform_id AND p.observation_id = (SELECT o.id FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.observed_at >= b.covered_from
      ORDER BY o.observed_at, o.id LIMIT 1) AND p.since < b.covered_from AND p.since_us <= b.before_us) FROM session_log b WHERE b.id = q.id)) THEN 0 ELSE 1 END AS certain
FROM words w
LEFT JOIN event_states s ON s.id = w.state_id
LEFT JOIN events ON events.id = CASE WHEN (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) < w.last_since_us THEN (SELECT o.id FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND (o.occurred_at > w.at OR (w.source = 0 AND o.id > w.id)) AND o.state_id <> w.state_id
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> lower(s.text)
      ORDER BY o.occurred_at LIMIT 1)
    ELSE (SELECT o.id FROM events o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.occurred_at >= w.at AND o.occurred_at <= w.at AND ((w.source = 0 AND o.id > w.id)) AND o.state_id <> w.state_id
        AND (SELECT lower(b.text) FROM event_states b WHERE b.id = o.state_id) <> lower(s.text)
      ORDER BY o.occurred_at LIMIT 1) END
LEFT JOIN observations ON observations.id = CASE WHEN (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) < w.last_since_us THEN (SELECT o.id FROM observations o
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
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )) <> lower(s.text), true) AND w.type IN ('service', 'stack')) v
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW deploys AS
SELECT v.uri AS uri, v.type AS type, v.name AS name, v.stack AS stack, v.service AS service, v.node AS node, v.action AS action, v.started_at AS started_at, v.finished_at AS finished_at, v.seconds AS seconds, v.result AS result, v.image_before AS image_before, v.image_after AS image_after, v.recovered_seconds AS recovered_seconds, v.certain AS certain, v.started_us AS started_us, v.finished_us AS finished_us, v.platform AS platform FROM full_deploys v;

CREATE VIEW state_changes AS SELECT * FROM (
/* /* */ SELECT w.platform_id AS platform_id, w.resource_id AS resource_id, w.at AS at, w.source AS source, w.id AS id
FROM (SELECT platform_id, resource_id, occurred_at AS at, 0 AS source, id, state_id, session_id FROM events) w
WHERE w.state_id IS NOT NULL
  AND coalesce((SELECT lower(b.text) FROM event_states b WHERE b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )) <> (SELECT lower(b.text) FROM event_states b WHERE b.id = w.state_id), true)

UNION ALL

SELECT w.platform_id AS platform_id, w.resource_id AS resource_id, w.at AS at, w.source AS source, w.id AS id
FROM (SELECT platform_id, resource_id, observed_at AS at, 1 AS source, id, state_id, session_id FROM observations) w
WHERE w.state_id IS NOT NULL
  AND coalesce((SELECT lower(b.text) FROM event_states b WHERE b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )) <> (SELECT lower(b.text) FROM event_states b WHERE b.id = w.state_id), true)
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW full_flaps AS SELECT * FROM (
/* /* */ SELECT w.uri AS uri, w.type AS type,
  (SELECT b.text FROM present p JOIN texts b ON b.id = p.name_id
    WHERE p.platform_id = w.platform_id AND p.resource_id = w.resource_id) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = w.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = w.resource_id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.resource_id = f.parent_id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.resource_id = w.resource_id AND f.since_us <= 4611686018427387904) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = w.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = w.resource_id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  (SELECT b.text FROM present p JOIN texts b ON b.id = p.slot_id
    WHERE p.platform_id = w.platform_id AND p.resource_id = w.resource_id) AS slot,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = w.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = w.resource_id AND b.since_us <= 4611686018427387904 AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT b.text FROM present p JOIN texts b ON b.id = p.image_id
    WHERE p.platform_id = w.platform_id AND p.resource_id = w.resource_id) AS image,
  w.at AS since, strftime('%Y-%m-%dT%H:%M:%S', (w.until_us + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (w.until_us + 62135596800000000) % 1000000) AS until, CAST(w.until_us - w.since_us AS double precision) / 1e6 AS seconds,
  CAST((SELECT sum(c.one) FROM (SELECT 1 AS one FROM state_changes c WHERE c.platform_id = w.platform_id AND c.resource_id = w.resource_id AND c.at >= w.at AND c.at <= strftime('%Y-%m-%dT%H:%M:%S', (w.until_us + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (w.until_us + 62135596800000000) % 1000000) LIMIT 4611686018427387904) c) AS bigint) AS changes,
  CASE WHEN (SELECT o.session_id FROM events o WHERE o.platform_id = w.platform_id
    AND o.resource_id = w.resource_id AND o.occurred_at = w.at ORDER BY o.session_id LIMIT 1) IS NULL THEN NULL WHEN EXISTS (SELECT 1 FROM sessions h JOIN sessions q ON q.stream_id = h.stream_id
    WHERE h.id = (SELECT o.session_id FROM events o WHERE o.platform_id = w.platform_id
    AND o.resource_id = w.resource_id AND o.occurred_at = w.at ORDER BY o.session_id LIMIT 1) AND q.covered_from > w.at AND q.covered_from <= strftime('%Y-%m-%dT%H:%M:%S', (w.until_us + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (w.until_us + 62135596800000000) % 1000000)
      AND (SELECT coalesce(b.before_us, -4611686018427387904) < b.covered_us
        AND NOT EXISTS (SELECT 1 FROM unchanged p WHERE p.platform_id = w.platform_id AND p.observation_id = (SELECT o.id FROM observations o
      WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.observed_at >= b.covered_from
      ORDER BY o.observed_at, o.id LIMIT 1) AND p.since < b.covered_from AND p.since_us <= b.before_us) FROM session_log b WHERE b.id = q.id)) THEN 0 ELSE 1 END AS certain,
  w.since_us AS since_us, w.until_us AS until_us, (SELECT b.name FROM platforms b WHERE b.id = w.platform_id) AS platform
FROM (SELECT w.*, (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) AS since_us, json_extract(g.value, '$[0]') AS until_us
FROM words w
JOIN event_states s ON s.id = w.state_id
JOIN json_each(json_array(json_array(CASE WHEN w.uri <> '' AND w.type <> 'action' AND (SELECT sum(o.one) FROM (SELECT 1 AS one FROM events o WHERE o.platform_id = w.platform_id
        AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.occurred_at >= w.at AND o.occurred_at <= strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) % 1000000) UNION ALL SELECT 1 AS one FROM observations o WHERE o.platform_id = w.platform_id
        AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL
        AND o.observed_at >= w.at AND o.observed_at <= strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) % 1000000) LIMIT 6) o) = 6
      AND coalesce((SELECT lower(b.text) FROM event_states b WHERE b.id = (
    SELECT o.state_id FROM (
      SELECT b.occurred_at AS at, 0 AS source, b.state_id AS state_id FROM events b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.occurred_at AS at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at <= w.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id)
          ORDER BY o.occurred_at DESC LIMIT 1
        ) x CROSS JOIN events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.occurred_at >= x.at AND o.occurred_at <= x.at AND (o.occurred_at < w.at OR w.source >= 1 OR o.id < w.id))
      UNION ALL
      SELECT b.observed_at AS at, 1 AS source, b.state_id AS state_id FROM observations b
      WHERE b.id = (
        SELECT max(o.id) FROM (
          SELECT o.observed_at AS at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at <= w.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id))
          ORDER BY o.observed_at DESC LIMIT 1
        ) x CROSS JOIN observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id AND o.state_id IS NOT NULL AND o.observed_at >= x.at AND o.observed_at <= x.at AND (o.observed_at < w.at OR (w.source = 1 AND o.id < w.id)))
      ORDER BY at DESC, source DESC LIMIT 1
    ) o
  )) <> lower(s.text), true) AND (SELECT sum(c.one) FROM (SELECT 1 AS one FROM state_changes c WHERE c.platform_id = w.platform_id AND c.resource_id = w.resource_id AND c.at >= w.at AND c.at <= strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) % 1000000) LIMIT 6) c) = 6 AND (SELECT 1 FROM state_changes c WHERE c.platform_id = w.platform_id AND c.resource_id = w.resource_id AND c.at >= w.at AND c.at <= w.at AND (c.source < w.source OR (c.source = w.source AND c.id < w.id)) LIMIT 1) IS NULL AND (SELECT 1 FROM state_changes b WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.at < w.at AND b.at > strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) - 600000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) - 600000000) + 62135596800000000) % 1000000) AND (SELECT sum(c.one) FROM (SELECT 1 AS one FROM state_changes c WHERE c.platform_id = b.platform_id AND c.resource_id = b.resource_id AND c.at >= b.at AND c.at <= strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', substr(b.at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', substr(b.at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) % 1000000) LIMIT 6) c) = 6 LIMIT 1) IS NULL
      AND ((SELECT 1 FROM state_changes c WHERE c.platform_id = w.platform_id AND c.resource_id = w.resource_id AND c.at < w.at AND c.at > strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) - 600000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) - 600000000) + 62135596800000000) % 1000000) LIMIT 1) IS NULL OR (SELECT c.dense FROM (SELECT b.at AS at, CASE WHEN (SELECT sum(c.one) FROM (SELECT 1 AS one FROM state_changes c WHERE c.platform_id = b.platform_id AND c.resource_id = b.resource_id AND c.at >= b.at AND c.at <= strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', substr(b.at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', substr(b.at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) % 1000000) LIMIT 6) c) = 6 THEN 1 ELSE 0 END AS dense FROM state_changes b WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.at < w.at AND ((SELECT 1 FROM state_changes c WHERE c.platform_id = b.platform_id AND c.resource_id = b.resource_id AND c.at < b.at AND c.at > strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', substr(b.at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.at, 21, 6) AS integer)) - 600000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', substr(b.at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.at, 21, 6) AS integer)) - 600000000) + 62135596800000000) % 1000000) LIMIT 1) IS NULL OR (SELECT sum(c.one) FROM (SELECT 1 AS one FROM state_changes c WHERE c.platform_id = b.platform_id AND c.resource_id = b.resource_id AND c.at >= b.at AND c.at <= strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', substr(b.at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', substr(b.at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) % 1000000) LIMIT 6) c) = 6) ORDER BY b.at DESC LIMIT 1) c LIMIT 1) = 0) THEN (SELECT (CAST(strftime('%s', substr(c.at, 1, 19)) AS integer) * 1000000 + CAST(substr(c.at, 21, 6) AS integer)) FROM (SELECT b.at AS at FROM state_changes b WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.at <= coalesce((SELECT b.at AS at FROM state_changes b WHERE b.platform_id = w.platform_id AND b.resource_id = w.resource_id AND b.source = 0 AND b.at >= w.at AND (SELECT 1 FROM state_changes c WHERE c.platform_id = b.platform_id AND c.resource_id = b.resource_id AND c.at > b.at AND c.at < strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', substr(b.at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', substr(b.at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) % 1000000) LIMIT 1) IS NULL ORDER BY b.at LIMIT 1), '9999-12-31T23:59:59.999999Z') AND b.at >= w.at AND (SELECT 1 FROM state_changes c WHERE c.platform_id = b.platform_id AND c.resource_id = b.resource_id AND c.at > b.at AND c.at < strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', substr(b.at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', substr(b.at, 1, 19)) AS integer) * 1000000 + CAST(substr(b.at, 21, 6) AS integer)) + 600000000) + 62135596800000000) % 1000000) LIMIT 1) IS NULL ORDER BY b.at LIMIT 1) c LIMIT 1) END))) g
WHERE 1 = 1) w
WHERE w.until_us IS NOT NULL
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW flaps AS
SELECT v.uri AS uri, v.type AS type, v.name AS name, v.stack AS stack, v.service AS service, v.slot AS slot, v.node AS node, v.image AS image, v.since AS since, v.until AS until, v.seconds AS seconds, v.changes AS changes, v.certain AS certain, v.since_us AS since_us, v.until_us AS until_us, v.platform AS platform FROM full_flaps v;

CREATE VIEW full_coverage_daily AS SELECT * FROM (
/* /* */ SELECT v.day AS day, v.url AS stream, CAST(v.until_us - v.unwatched - v.since_us AS double precision) / 1e6 AS watched_seconds,
  CAST(v.unwatched - 0 AS double precision) / 1e6 AS unwatched_seconds, v.gaps AS gaps,
  CAST(v.longest - 0 AS double precision) / 1e6 AS longest_seconds, v.day_us AS day_us
FROM (SELECT x.*, CAST((SELECT coalesce(sum(g.until_us - g.since_us), 0) FROM (SELECT max(x.since_us, coalesce(y.before_us, x.since_us)) AS since_us,
        min(x.until_us, y.covered_us) AS until_us
      FROM session_log y WHERE y.stream_id = x.id AND y.covered_from > x.morning
        AND y.covered_from <= x.behind AND y.covered_from > x.begun AND coalesce(y.before_us, 0) < y.covered_us
      UNION ALL
      SELECT max(x.since_us, (SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = x.id AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o)) AS since_us, x.until_us AS until_us
      FROM (SELECT 1 AS one) l WHERE x.behind = '9999-12-31T23:59:59.999999Z') g WHERE g.since_us < g.until_us) AS bigint) AS unwatched, (SELECT count(*) FROM (SELECT max(x.since_us, coalesce(y.before_us, x.since_us)) AS since_us,
        min(x.until_us, y.covered_us) AS until_us
      FROM session_log y WHERE y.stream_id = x.id AND y.covered_from > x.morning
        AND y.covered_from <= x.behind AND y.covered_from > x.begun AND coalesce(y.before_us, 0) < y.covered_us
      UNION ALL
      SELECT max(x.since_us, (SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = x.id AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o)) AS since_us, x.until_us AS until_us
      FROM (SELECT 1 AS one) l WHERE x.behind = '9999-12-31T23:59:59.999999Z') g WHERE g.since_us < g.until_us) AS gaps, (SELECT coalesce(max(g.until_us - g.since_us), 0) FROM (SELECT max(x.since_us, coalesce(y.before_us, x.since_us)) AS since_us,
        min(x.until_us, y.covered_us) AS until_us
      FROM session_log y WHERE y.stream_id = x.id AND y.covered_from > x.morning
        AND y.covered_from <= x.behind AND y.covered_from > x.begun AND coalesce(y.before_us, 0) < y.covered_us
      UNION ALL
      SELECT max(x.since_us, (SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = x.id AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o)) AS since_us, x.until_us AS until_us
      FROM (SELECT 1 AS one) l WHERE x.behind = '9999-12-31T23:59:59.999999Z') g WHERE g.since_us < g.until_us) AS longest FROM (SELECT st.id AS id, st.url AS url, d.day AS day, (CAST(strftime('%s', d.day) AS integer) * 1000000) AS day_us, (SELECT q.covered_from FROM sessions q WHERE q.stream_id = st.id ORDER BY q.covered_from LIMIT 1) AS begun,
    max((CAST(strftime('%s', d.day) AS integer) * 1000000), (CAST(strftime('%s', substr((SELECT q.covered_from FROM sessions q WHERE q.stream_id = st.id ORDER BY q.covered_from LIMIT 1), 1, 19)) AS integer) * 1000000 + CAST(substr((SELECT q.covered_from FROM sessions q WHERE q.stream_id = st.id ORDER BY q.covered_from LIMIT 1), 21, 6) AS integer))) AS since_us, min((CAST(strftime('%s', d.day) AS integer) * 1000000) + 86400000000, (CAST(strftime('%s', 'now') AS integer) * 1000000)) AS until_us,
    strftime('%Y-%m-%dT%H:%M:%S', ((CAST(strftime('%s', d.day) AS integer) * 1000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((CAST(strftime('%s', d.day) AS integer) * 1000000) + 62135596800000000) % 1000000) AS morning,
    coalesce((SELECT q.covered_from FROM sessions q
      WHERE q.stream_id = st.id AND q.covered_from > strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', d.day) AS integer) * 1000000) + 86400000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', d.day) AS integer) * 1000000) + 86400000000) + 62135596800000000) % 1000000)
      ORDER BY q.covered_from LIMIT 1), '9999-12-31T23:59:59.999999Z') AS behind
  FROM streams st
  JOIN days d ON d.day >= strftime('%Y-%m-%d', ((CAST(strftime('%s', substr((SELECT q.covered_from FROM sessions q WHERE q.stream_id = st.id ORDER BY q.covered_from LIMIT 1), 1, 19)) AS integer) * 1000000 + CAST(substr((SELECT q.covered_from FROM sessions q WHERE q.stream_id = st.id ORDER BY q.covered_from LIMIT 1), 21, 6) AS integer))) / 1000000, 'unixepoch') AND d.day <= strftime('%Y-%m-%d', ((CAST(strftime('%s', 'now') AS integer) * 1000000)) / 1000000, 'unixepoch')) x) v
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW coverage_daily AS
SELECT v.day AS day, v.stream AS stream, v.watched_seconds AS watched_seconds, v.unwatched_seconds AS unwatched_seconds, v.gaps AS gaps, v.longest_seconds AS longest_seconds, v.day_us AS day_us FROM full_coverage_daily v;

CREATE VIEW told_of_day AS SELECT * FROM (
/* /* */ SELECT v.platform_id AS platform_id, v.resource_id AS resource_id, v.day AS day, v.at AS at,
  v.at_us AS at_us, v.id AS id,
  (SELECT k.kind FROM state_kinds k WHERE k.state IN ('container' || ' ' || lower(s.text), lower(s.text), 'container' || ' ' || substr(lower(s.text), 1, instr(lower(s.text) || ' (', ' (') - 1), substr(lower(s.text), 1, instr(lower(s.text) || ' (', ' (') - 1))
    ORDER BY length(k.state) DESC LIMIT 1) AS kind, max(v.at_us, v.day_us) AS since_us, max(max(v.at_us, v.day_us), min(v.next_us, v.day_us + 86400000000, (CAST(strftime('%s', 'now') AS integer) * 1000000))) AS until_us, (SELECT min(e.until_us, max(e.since_us, coalesce((SELECT q.before_us FROM session_log q WHERE q.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id) AND q.covered_from > v.at
      AND q.covered_from <= coalesce((SELECT u.covered_from FROM sessions u WHERE u.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id)
        AND u.covered_from > strftime('%Y-%m-%dT%H:%M:%S', (e.until_us + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (e.until_us + 62135596800000000) % 1000000) ORDER BY u.covered_from LIMIT 1), '9999-12-31T23:59:59.999999Z')
      AND coalesce(q.before_us, -4611686018427387904) < q.covered_us AND (q.covered_us - v.at_us >= 1000000
        OR v.at_us / 1000000 * 1000000 <> v.at_us)
    ORDER BY q.covered_from LIMIT 1), (SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id) AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o), -4611686018427387904)))
    FROM (SELECT max(v.at_us, v.day_us) AS since_us, max(max(v.at_us, v.day_us), min(v.next_us, v.day_us + 86400000000, (CAST(strftime('%s', 'now') AS integer) * 1000000))) AS until_us) e) AS known_us
FROM (SELECT p.platform_id AS platform_id, p.resource_id AS resource_id, d.day AS day, (CAST(strftime('%s', d.day) AS integer) * 1000000) AS day_us,
  w.occurred_at AS at, w.id AS id, w.state_id AS state_id, w.session_id AS session_id, (CAST(strftime('%s', substr(w.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.occurred_at, 21, 6) AS integer)) AS at_us,
  min(coalesce((CAST(strftime('%s', substr((SELECT o.occurred_at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.occurred_at >= w.occurred_at AND (o.occurred_at > w.occurred_at OR o.id > w.id) ORDER BY o.occurred_at LIMIT 1), 1, 19)) AS integer) * 1000000 + CAST(substr((SELECT o.occurred_at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.occurred_at >= w.occurred_at AND (o.occurred_at > w.occurred_at OR o.id > w.id) ORDER BY o.occurred_at LIMIT 1), 21, 6) AS integer)), 4611686018427387904), coalesce((CAST(strftime('%s', substr((SELECT o.observed_at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.observed_at >= w.occurred_at AND (o.observed_at > w.occurred_at OR 1 = 1) ORDER BY o.observed_at LIMIT 1), 1, 19)) AS integer) * 1000000 + CAST(substr((SELECT o.observed_at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.observed_at >= w.occurred_at AND (o.observed_at > w.occurred_at OR 1 = 1) ORDER BY o.observed_at LIMIT 1), 21, 6) AS integer)), 4611686018427387904)) AS next_us
FROM present p
JOIN days d ON d.day >= strftime('%Y-%m-%d', (p.first_at) / 1000000, 'unixepoch') AND d.day <= strftime('%Y-%m-%d', ((CAST(strftime('%s', 'now') AS integer) * 1000000)) / 1000000, 'unixepoch')
JOIN events w ON w.platform_id = p.platform_id AND w.resource_id = p.resource_id AND w.occurred_at >= coalesce((SELECT max(b.at) FROM (SELECT max(o.occurred_at) AS at FROM events o
    WHERE o.platform_id = p.platform_id AND o.resource_id = p.resource_id
      AND o.state_id IS NOT NULL AND o.occurred_at <= strftime('%Y-%m-%dT%H:%M:%S', ((CAST(strftime('%s', d.day) AS integer) * 1000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((CAST(strftime('%s', d.day) AS integer) * 1000000) + 62135596800000000) % 1000000)
      UNION ALL SELECT max(o.observed_at) AS at FROM observations o
    WHERE o.platform_id = p.platform_id AND o.resource_id = p.resource_id
      AND o.state_id IS NOT NULL AND o.observed_at <= strftime('%Y-%m-%dT%H:%M:%S', ((CAST(strftime('%s', d.day) AS integer) * 1000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((CAST(strftime('%s', d.day) AS integer) * 1000000) + 62135596800000000) % 1000000)) b), '')
  AND w.occurred_at < strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', d.day) AS integer) * 1000000) + 86400000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', d.day) AS integer) * 1000000) + 86400000000) + 62135596800000000) % 1000000) AND w.state_id IS NOT NULL) v
JOIN event_states s ON s.id = v.state_id
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW found_of_day AS SELECT * FROM (
/* /* */ SELECT v.platform_id AS platform_id, v.resource_id AS resource_id, v.day AS day, v.at AS at,
  v.at_us AS at_us, v.id AS id,
  (SELECT k.kind FROM state_kinds k WHERE k.state IN ('container' || ' ' || lower(s.text), lower(s.text), 'container' || ' ' || substr(lower(s.text), 1, instr(lower(s.text) || ' (', ' (') - 1), substr(lower(s.text), 1, instr(lower(s.text) || ' (', ' (') - 1))
    ORDER BY length(k.state) DESC LIMIT 1) AS kind, max(v.at_us, v.day_us) AS since_us, max(max(v.at_us, v.day_us), min(v.next_us, v.day_us + 86400000000, (CAST(strftime('%s', 'now') AS integer) * 1000000))) AS until_us, (SELECT CASE WHEN EXISTS (SELECT 1 FROM unchanged p WHERE p.platform_id = v.platform_id
      AND p.observation_id = (SELECT o.id FROM observations o
      WHERE o.platform_id = v.platform_id AND o.resource_id = v.resource_id AND o.state_id IS NOT NULL
        AND (o.observed_at, o.id) > (v.at, v.id) ORDER BY o.observed_at, o.id LIMIT 1)) THEN e.until_us ELSE min(e.until_us, max(e.since_us, coalesce((SELECT q.before_us FROM session_log q WHERE q.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id) AND q.covered_from > v.at
      AND q.covered_from <= coalesce((SELECT u.covered_from FROM sessions u WHERE u.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id)
        AND u.covered_from > strftime('%Y-%m-%dT%H:%M:%S', (e.until_us + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (e.until_us + 62135596800000000) % 1000000) ORDER BY u.covered_from LIMIT 1), '9999-12-31T23:59:59.999999Z')
      AND coalesce(q.before_us, -4611686018427387904) < q.covered_us AND (q.covered_us - v.at_us >= 1000000
        OR v.at_us / 1000000 * 1000000 <> v.at_us)
    ORDER BY q.covered_from LIMIT 1), (SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = (SELECT h.stream_id FROM sessions h WHERE h.id = v.session_id) AND b.id > 0 ORDER BY b.covered_from DESC LIMIT 16) o), -4611686018427387904))) END
    FROM (SELECT max(v.at_us, v.day_us) AS since_us, max(max(v.at_us, v.day_us), min(v.next_us, v.day_us + 86400000000, (CAST(strftime('%s', 'now') AS integer) * 1000000))) AS until_us) e) AS known_us
FROM (SELECT p.platform_id AS platform_id, p.resource_id AS resource_id, d.day AS day, (CAST(strftime('%s', d.day) AS integer) * 1000000) AS day_us,
  w.observed_at AS at, w.id AS id, w.state_id AS state_id, w.session_id AS session_id, (CAST(strftime('%s', substr(w.observed_at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.observed_at, 21, 6) AS integer)) AS at_us,
  min(coalesce((CAST(strftime('%s', substr((SELECT o.occurred_at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.occurred_at >= w.observed_at AND (o.occurred_at > w.observed_at OR 1 = 0) ORDER BY o.occurred_at LIMIT 1), 1, 19)) AS integer) * 1000000 + CAST(substr((SELECT o.occurred_at FROM events o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.occurred_at >= w.observed_at AND (o.occurred_at > w.observed_at OR 1 = 0) ORDER BY o.occurred_at LIMIT 1), 21, 6) AS integer)), 4611686018427387904), coalesce((CAST(strftime('%s', substr((SELECT o.observed_at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.observed_at >= w.observed_at AND (o.observed_at > w.observed_at OR o.id > w.id) ORDER BY o.observed_at LIMIT 1), 1, 19)) AS integer) * 1000000 + CAST(substr((SELECT o.observed_at FROM observations o WHERE o.platform_id = w.platform_id AND o.resource_id = w.resource_id
        AND o.state_id IS NOT NULL AND o.observed_at >= w.observed_at AND (o.observed_at > w.observed_at OR o.id > w.id) ORDER BY o.observed_at LIMIT 1), 21, 6) AS integer)), 4611686018427387904)) AS next_us
FROM present p
JOIN days d ON d.day >= strftime('%Y-%m-%d', (p.first_at) / 1000000, 'unixepoch') AND d.day <= strftime('%Y-%m-%d', ((CAST(strftime('%s', 'now') AS integer) * 1000000)) / 1000000, 'unixepoch')
JOIN observations w ON w.platform_id = p.platform_id AND w.resource_id = p.resource_id AND w.observed_at >= coalesce((SELECT max(b.at) FROM (SELECT max(o.occurred_at) AS at FROM events o
    WHERE o.platform_id = p.platform_id AND o.resource_id = p.resource_id
      AND o.state_id IS NOT NULL AND o.occurred_at <= strftime('%Y-%m-%dT%H:%M:%S', ((CAST(strftime('%s', d.day) AS integer) * 1000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((CAST(strftime('%s', d.day) AS integer) * 1000000) + 62135596800000000) % 1000000)
      UNION ALL SELECT max(o.observed_at) AS at FROM observations o
    WHERE o.platform_id = p.platform_id AND o.resource_id = p.resource_id
      AND o.state_id IS NOT NULL AND o.observed_at <= strftime('%Y-%m-%dT%H:%M:%S', ((CAST(strftime('%s', d.day) AS integer) * 1000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((CAST(strftime('%s', d.day) AS integer) * 1000000) + 62135596800000000) % 1000000)) b), '')
  AND w.observed_at < strftime('%Y-%m-%dT%H:%M:%S', (((CAST(strftime('%s', d.day) AS integer) * 1000000) + 86400000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', (((CAST(strftime('%s', d.day) AS integer) * 1000000) + 86400000000) + 62135596800000000) % 1000000) AND w.state_id IS NOT NULL) v
JOIN event_states s ON s.id = v.state_id
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW full_availability_daily AS SELECT * FROM (
/* /* */ SELECT y.day AS day, y.uri AS uri, y.type AS type,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = y.platform_id AND f.resource_id = y.resource_id AND f.what = 3 AND f.since <= (y.until_us - 1)
    ORDER BY f.since DESC LIMIT 1) AS name,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = y.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = y.resource_id AND b.since_us <= (y.until_us - 1) AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
    ORDER BY b.since_us DESC LIMIT 1), (SELECT x.called FROM (SELECT f.since_us AS since_us, (SELECT b.called FROM direct_parents b
      WHERE b.resource_id = f.parent_id AND b.since_us <= (y.until_us - 1) AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'stack')
      ORDER BY b.since_us DESC LIMIT 1) AS called
    FROM direct_parents f WHERE f.resource_id = y.resource_id AND f.since_us <= (y.until_us - 1)) x
    WHERE x.called IS NOT NULL ORDER BY x.since_us DESC LIMIT 1)) AS stack,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = y.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = y.resource_id AND b.since_us <= (y.until_us - 1) AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'service')
    ORDER BY b.since_us DESC LIMIT 1)) AS service,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = y.platform_id AND f.resource_id = y.resource_id AND f.what = 5 AND f.since <= (y.until_us - 1)
    ORDER BY f.since DESC LIMIT 1) AS slot,
  coalesce((SELECT b.called FROM resource_names b
    WHERE b.resource_id = y.resource_id AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')), (SELECT b.called FROM direct_parents b WHERE b.resource_id = y.resource_id AND b.since_us <= (y.until_us - 1) AND b.type_id = (SELECT c.id FROM event_types c WHERE c.text = 'node')
    ORDER BY b.since_us DESC LIMIT 1)) AS node,
  (SELECT b.text FROM facts f JOIN texts b ON b.id = f.value
    WHERE f.platform_id = y.platform_id AND f.resource_id = y.resource_id AND f.what = 4 AND f.since <= (y.until_us - 1)
    ORDER BY f.since DESC LIMIT 1) AS image,
  CAST((y.up - y.looped) - 0 AS double precision) / 1e6 AS up_seconds, CAST((y.not_up - y.planned + y.looped) - 0 AS double precision) / 1e6 AS down_seconds,
  CAST(y.planned - 0 AS double precision) / 1e6 AS planned_seconds,
  CAST(y.life - y.gone - (y.up + y.not_up) AS double precision) / 1e6 AS unknown_seconds,
  CAST((y.up - y.looped) AS double precision) / nullif((y.up - y.looped) + (y.not_up - y.planned + y.looped), 0) AS availability, CAST((y.up - y.looped) AS double precision) / nullif((y.life - y.gone - y.planned), 0) AS worst, CAST((y.life - y.gone - y.planned) - (y.not_up - y.planned + y.looped) AS double precision) / nullif((y.life - y.gone - y.planned), 0) AS best,
  y.day_us AS day_us, (SELECT b.name FROM platforms b WHERE b.id = y.platform_id) AS platform
FROM (SELECT x.*, x.until_us - x.since_us AS life, json_extract(g.value, '$[0]') AS up,
  json_extract(g.value, '$[1]') AS looped,
  json_extract(g.value, '$[2]') AS not_up,
  json_extract(g.value, '$[3]') AS planned,
  json_extract(g.value, '$[4]') AS gone
FROM (SELECT p.resource_id AS resource_id, r.uri AS uri, r.platform_id AS platform_id, t.text AS type,
    d.day AS day, (CAST(strftime('%s', d.day) AS integer) * 1000000) AS day_us, max((CAST(strftime('%s', d.day) AS integer) * 1000000), p.first_at) AS since_us,
    min((CAST(strftime('%s', d.day) AS integer) * 1000000) + 86400000000, (CAST(strftime('%s', 'now') AS integer) * 1000000), coalesce(p.gone_at, 4611686018427387904)) AS until_us
  FROM present p
  JOIN (VALUES (20, 1048576), (21, 2097152), (22, 4194304), (23, 8388608), (24, 16777216), (25, 33554432), (26, 67108864), (27, 134217728), (28, 268435456), (29, 536870912), (30, 1073741824), (31, 2147483648), (32, 4294967296), (33, 8589934592), (34, 17179869184), (35, 34359738368), (36, 68719476736), (37, 137438953472), (38, 274877906944), (39, 549755813888), (40, 1099511627776), (41, 2199023255552), (42, 4398046511104), (43, 8796093022208), (44, 17592186044416), (45, 35184372088832), (46, 70368744177664), (47, 140737488355328), (48, 281474976710656), (49, 562949953421312), (50, 1125899906842624), (51, 2251799813685248), (52, 4503599627370496), (53, 9007199254740992), (54, 18014398509481984), (55, 36028797018963968), (56, 72057594037927936), (57, 144115188075855872), (58, 288230376151711744), (59, 576460752303423488), (63, 4611686018427387904)) l ON likelihood(l.column1 = l.column1 + 0, 0.5) AND likelihood(p.lasted + 0 = l.column1, 0.5)
  JOIN event_types t ON likelihood(t.id = p.type_id, 0.5) AND t.text = 'container'
  JOIN resources r ON r.id = p.resource_id
  JOIN days d ON d.day >= strftime('%Y-%m-%d', (p.first_at) / 1000000, 'unixepoch') AND d.day <= strftime('%Y-%m-%d', (coalesce(p.gone_at, (CAST(strftime('%s', 'now') AS integer) * 1000000))) / 1000000, 'unixepoch')
    AND p.first_at + 0 > ((CAST(strftime('%s', d.day) AS integer) * 1000000)) - l.column2 AND p.first_at + 0 < (CAST(strftime('%s', d.day) AS integer) * 1000000) + 86400000000 AND (p.gone_at IS NULL OR p.gone_at >= (CAST(strftime('%s', d.day) AS integer) * 1000000))) x
JOIN json_each((SELECT json_array(json_array(coalesce(sum(CASE WHEN v.kind = 'up' THEN v.known END), 0), coalesce(sum(CASE WHEN v.kind = 'up' AND g.first_us IS NOT NULL THEN v.known END), 0), coalesce(sum(CASE WHEN v.kind IN ('down', 'starting') AND v.known > 0 THEN v.known END), 0), coalesce(sum(CASE WHEN v.kind IN ('down', 'starting') AND v.known > 0 THEN v.known * (SELECT max(coalesce((SELECT o.stopped_us * 2 + CASE WHEN o.cause IN ('told', 'forced') THEN 1 ELSE 0 END
        FROM told_stops o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.stopped_at >= u.up_at
          AND o.stopped_at <= v.at
        ORDER BY o.stopped_at DESC, o.id DESC LIMIT 1), 0), coalesce((SELECT (CAST(strftime('%s', substr(max(o.occurred_at), 1, 19)) AS integer) * 1000000 + CAST(substr(max(o.occurred_at), 21, 6) AS integer)) FROM events o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.occurred_at >= u.up_at
          AND o.occurred_at <= v.at AND (SELECT b.word FROM state_words b WHERE b.id = o.state_id) IN ('stopping', 'terminating')), -1) * 2 + 1, coalesce((SELECT (CAST(strftime('%s', substr(max(o.observed_at), 1, 19)) AS integer) * 1000000 + CAST(substr(max(o.observed_at), 21, 6) AS integer)) FROM observations o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.observed_at >= u.up_at
          AND o.observed_at <= v.at AND (SELECT b.word FROM state_words b WHERE b.id = o.state_id) IN ('stopping', 'terminating')), -1) * 2 + 1) & 1 FROM (SELECT coalesce((SELECT max(u.at) FROM (SELECT max(o.occurred_at) AS at FROM events o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.occurred_at <= v.at
          AND (SELECT b.runs FROM state_words b WHERE b.id = o.state_id) = 1 UNION ALL SELECT max(o.observed_at) AS at FROM observations o
        WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.observed_at <= v.at
          AND (SELECT b.runs FROM state_words b WHERE b.id = o.state_id) = 1) u), '') AS up_at) u) END), 0), coalesce(sum(CASE WHEN v.kind = 'gone' THEN v.us END), 0))) FROM (SELECT v.at AS at, v.at_us AS at_us, v.kind AS kind, v.known_us - v.since_us AS known,
      v.until_us - v.since_us AS us FROM told_of_day v
      WHERE v.platform_id = x.platform_id AND v.resource_id = x.resource_id AND v.day = x.day
        AND v.at_us < x.until_us UNION ALL SELECT v.at AS at, v.at_us AS at_us, v.kind AS kind, v.known_us - v.since_us AS known,
      v.until_us - v.since_us AS us FROM found_of_day v
      WHERE v.platform_id = x.platform_id AND v.resource_id = x.resource_id AND v.day = x.day
        AND v.at_us < x.until_us) v LEFT JOIN (WITH told AS (SELECT q.id AS id, q.stopped_us AS us FROM told_ends q
        WHERE (SELECT sum(o.one) FROM (SELECT 1 AS one FROM events o
          WHERE o.platform_id = x.platform_id AND o.resource_id = x.resource_id AND o.occurred_at >= strftime('%Y-%m-%dT%H:%M:%S', ((x.day_us - 86400000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((x.day_us - 86400000000) + 62135596800000000) % 1000000) AND o.occurred_at <= strftime('%Y-%m-%dT%H:%M:%S', ((x.day_us + 87000000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((x.day_us + 87000000000) + 62135596800000000) % 1000000)
            AND (SELECT b.down FROM state_words b WHERE b.id = o.state_id) = 1 LIMIT 3) o) = 3 AND q.platform_id = x.platform_id AND q.resource_id = x.resource_id
          AND q.stopped_at >= strftime('%Y-%m-%dT%H:%M:%S', ((x.day_us - 86400000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((x.day_us - 86400000000) + 62135596800000000) % 1000000) AND q.stopped_at <= strftime('%Y-%m-%dT%H:%M:%S', ((x.day_us + 87000000000) + 62135596800000000) / 1000000 - 62135596800, 'unixepoch') || printf('.%06dZ', ((x.day_us + 87000000000) + 62135596800000000) % 1000000)),
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
      SELECT min(r.dense_us) AS first_us, max(r.us) AS last_us FROM runs r GROUP BY r.run) g ON v.at_us >= g.first_us AND v.at_us < g.last_us)) g
WHERE x.since_us < x.until_us) y
WHERE y.life > y.gone
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW availability_daily AS
SELECT v.day AS day, v.uri AS uri, v.type AS type, v.name AS name, v.stack AS stack, v.service AS service, v.slot AS slot, v.node AS node, v.image AS image, v.up_seconds AS up_seconds, v.down_seconds AS down_seconds, v.planned_seconds AS planned_seconds, v.unknown_seconds AS unknown_seconds, v.availability AS availability, v.worst AS worst, v.best AS best, v.day_us AS day_us, v.platform AS platform FROM full_availability_daily v;

CREATE VIEW full_grafana_annotations AS SELECT * FROM (
/* /* */ SELECT a.started_us / 1000 AS time, a.finished_us / 1000 AS timeend,
  coalesce(a.name, 'action') || ' ' || coalesce((SELECT i.name FROM inventory i WHERE i.uri = a.target AND i.platform = a.platform), a.target, '') AS text,
  'action' || CASE WHEN a.state IS NULL THEN '' ELSE ',' || lower(a.state) END
    || CASE WHEN (SELECT i.stack FROM inventory i WHERE i.uri = a.target AND i.platform = a.platform) IS NULL THEN '' ELSE ',' || (SELECT i.stack FROM inventory i WHERE i.uri = a.target AND i.platform = a.platform) END AS tags,
  a.target AS uri, a.started_at AS started_at, a.started_us AS started_us
FROM action_log a
UNION ALL
SELECT (CAST(strftime('%s', substr(e.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(e.occurred_at, 21, 6) AS integer)) / 1000 AS time, (CAST(strftime('%s', substr(e.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(e.occurred_at, 21, 6) AS integer)) / 1000 AS timeend,
  'note: ' || coalesce((SELECT n.text FROM texts n WHERE n.id = e.name_id), '') AS text,
  'note' || CASE WHEN (SELECT i.stack FROM resources r JOIN inventory i ON i.uri = r.uri AND i.platform = (SELECT b.name FROM platforms b WHERE b.id = r.platform_id)
    WHERE r.id = (SELECT m.resource_id FROM parent_list_members m
      WHERE m.list_id = e.parent_list_id LIMIT 1)) IS NULL THEN '' ELSE ',' || (SELECT i.stack FROM resources r JOIN inventory i ON i.uri = r.uri AND i.platform = (SELECT b.name FROM platforms b WHERE b.id = r.platform_id)
    WHERE r.id = (SELECT m.resource_id FROM parent_list_members m
      WHERE m.list_id = e.parent_list_id LIMIT 1)) END AS tags,
  (SELECT r.uri FROM resources r WHERE r.id = (SELECT m.resource_id FROM parent_list_members m
      WHERE m.list_id = e.parent_list_id LIMIT 1)) AS uri,
  e.occurred_at AS started_at, CAST((CAST(strftime('%s', substr(e.occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(e.occurred_at, 21, 6) AS integer)) AS bigint) AS started_us
FROM events e
WHERE e.resource_id = 0 AND e.type_id = (SELECT t.id FROM event_types t WHERE t.text = 'note')
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW grafana_annotations AS
SELECT v.time AS time, v.timeend AS timeend, v.text AS text, v.tags AS tags, v.uri AS uri, v.started_at AS started_at, v.started_us AS started_us FROM full_grafana_annotations v;

CREATE VIEW grafana_state_timeline AS
SELECT v.since_us / 1000 AS time, v.until_us / 1000 AS timeend, coalesce(v.name, v.uri) AS metric,
  CASE WHEN v.certain = 1 THEN v.state WHEN v.watched = 0 THEN NULL ELSE v.state || ' ?' END AS state, v.kind AS kind,
  v.uri AS uri, v.type AS type, v.stack AS stack, v.service AS service, v.node AS node, v.state_since AS state_since
FROM watched_spans v
WHERE v.until_us > v.since_us;

CREATE VIEW full_words_under AS SELECT * FROM (
/* /* */ SELECT a.uri AS ancestor_uri, r.uri AS uri, w.at AS at, (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) AS at_us,
  CASE w.source WHEN 0 THEN 'event' ELSE 'observation' END AS source, w.id AS id, (SELECT b.name FROM platforms b WHERE b.id = a.platform_id) AS platform
FROM (SELECT platform_id, resource_id, occurred_at AS at, 0 AS source, id, state_id, session_id FROM events) w
JOIN resources a ON likelihood(a.platform_id = w.platform_id, 0.9) AND a.id <> w.resource_id
JOIN resources r ON r.id = w.resource_id AND likelihood(r.platform_id = w.platform_id, 0.9)
LEFT JOIN facts f ON f.resource_id = w.resource_id AND f.what = 2
WHERE f.value = a.id OR (SELECT 1 FROM (SELECT coalesce(f.since, (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer))) AS at_us,
      coalesce(f.value, w.resource_id) AS foot) m
    JOIN facts o1 ON o1.resource_id = m.foot AND o1.what = 1 AND o1.since <= m.at_us AND o1.until > m.at_us
    WHERE o1.value = a.id OR (SELECT 1 FROM facts o2 WHERE o2.platform_id = w.platform_id
      AND o2.resource_id = o1.value AND o2.what = 1 AND o2.since <= m.at_us AND o2.until > m.at_us AND (o2.value = a.id OR (SELECT 1 FROM facts o3 WHERE o3.platform_id = w.platform_id
      AND o3.resource_id = o2.value AND o3.what = 1 AND o3.since <= m.at_us AND o3.until > m.at_us AND (o3.value = a.id OR (SELECT 1 FROM facts o4 WHERE o4.platform_id = w.platform_id
      AND o4.resource_id = o3.value AND o4.what = 1 AND o4.since <= m.at_us AND o4.until > m.at_us AND (o4.value = a.id) LIMIT 1) = 1) LIMIT 1) = 1) LIMIT 1) = 1 LIMIT 1) = 1

UNION ALL

SELECT a.uri AS ancestor_uri, r.uri AS uri, w.at AS at, (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer)) AS at_us,
  CASE w.source WHEN 0 THEN 'event' ELSE 'observation' END AS source, w.id AS id, (SELECT b.name FROM platforms b WHERE b.id = a.platform_id) AS platform
FROM (SELECT platform_id, resource_id, observed_at AS at, 1 AS source, id, state_id, session_id FROM observations) w
JOIN resources a ON likelihood(a.platform_id = w.platform_id, 0.9) AND a.id <> w.resource_id
JOIN resources r ON r.id = w.resource_id AND likelihood(r.platform_id = w.platform_id, 0.9)
LEFT JOIN facts f ON f.resource_id = w.resource_id AND f.what = 2
WHERE f.value = a.id OR (SELECT 1 FROM (SELECT coalesce(f.since, (CAST(strftime('%s', substr(w.at, 1, 19)) AS integer) * 1000000 + CAST(substr(w.at, 21, 6) AS integer))) AS at_us,
      coalesce(f.value, w.resource_id) AS foot) m
    JOIN facts o1 ON o1.resource_id = m.foot AND o1.what = 1 AND o1.since <= m.at_us AND o1.until > m.at_us
    WHERE o1.value = a.id OR (SELECT 1 FROM facts o2 WHERE o2.platform_id = w.platform_id
      AND o2.resource_id = o1.value AND o2.what = 1 AND o2.since <= m.at_us AND o2.until > m.at_us AND (o2.value = a.id OR (SELECT 1 FROM facts o3 WHERE o3.platform_id = w.platform_id
      AND o3.resource_id = o2.value AND o3.what = 1 AND o3.since <= m.at_us AND o3.until > m.at_us AND (o3.value = a.id OR (SELECT 1 FROM facts o4 WHERE o4.platform_id = w.platform_id
      AND o4.resource_id = o3.value AND o4.what = 1 AND o4.since <= m.at_us AND o4.until > m.at_us AND (o4.value = a.id) LIMIT 1) = 1) LIMIT 1) = 1) LIMIT 1) = 1 LIMIT 1) = 1
-- */ SELECT 'a part of the other views, for SQLite alone' AS note
);

CREATE VIEW words_under AS
SELECT v.ancestor_uri AS ancestor_uri, v.uri AS uri, v.at AS at, v.at_us AS at_us, v.source AS source, v.id AS id, v.platform AS platform FROM full_words_under v;

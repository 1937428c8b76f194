-- An archive of revision 0001 with rows; never edited after the release.
BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

CREATE TABLE archive_properties (
    "key" VARCHAR NOT NULL, 
    value VARCHAR NOT NULL, 
    CONSTRAINT pk_archive_properties PRIMARY KEY ("key")
);

CREATE TABLE event_actions (
    id INTEGER NOT NULL, 
    text VARCHAR NOT NULL, 
    CONSTRAINT pk_event_actions PRIMARY KEY (id), 
    CONSTRAINT uq_event_actions_text UNIQUE (text)
);

CREATE TABLE event_states (
    id INTEGER NOT NULL, 
    text VARCHAR NOT NULL, 
    CONSTRAINT pk_event_states PRIMARY KEY (id), 
    CONSTRAINT uq_event_states_text UNIQUE (text)
);

CREATE TABLE event_types (
    id INTEGER NOT NULL, 
    text VARCHAR NOT NULL, 
    CONSTRAINT pk_event_types PRIMARY KEY (id), 
    CONSTRAINT uq_event_types_text UNIQUE (text)
);

CREATE TABLE receivers (
    id INTEGER NOT NULL, 
    "key" VARCHAR NOT NULL, 
    position BIGINT NOT NULL, 
    duplicates BIGINT NOT NULL, 
    updated_at VARCHAR NOT NULL, 
    CONSTRAINT pk_receivers PRIMARY KEY (id), 
    CONSTRAINT uq_receivers_key UNIQUE ("key")
);

CREATE TABLE streams (
    id INTEGER NOT NULL, 
    url VARCHAR NOT NULL, 
    dialect VARCHAR NOT NULL, 
    CONSTRAINT pk_streams PRIMARY KEY (id), 
    CONSTRAINT uq_streams_url UNIQUE (url)
);

CREATE TABLE resources (
    id INTEGER NOT NULL, 
    type_id INTEGER NOT NULL, 
    "key" VARCHAR NOT NULL, 
    uri VARCHAR NOT NULL, 
    name VARCHAR, 
    target_id INTEGER, 
    CONSTRAINT pk_resources PRIMARY KEY (id), 
    CONSTRAINT fk_resources_target_id FOREIGN KEY(target_id) REFERENCES resources (id), 
    CONSTRAINT fk_resources_type_id FOREIGN KEY(type_id) REFERENCES event_types (id), 
    CONSTRAINT uq_resources_key_type_id UNIQUE ("key", type_id)
);

CREATE INDEX ix_resources_name ON resources (name) WHERE name IS NOT NULL;

CREATE INDEX ix_resources_target_id ON resources (target_id) WHERE target_id IS NOT NULL;

CREATE INDEX ix_resources_type_id ON resources (type_id);

CREATE INDEX ix_resources_uri ON resources (uri);

CREATE TABLE sessions (
    id INTEGER NOT NULL, 
    stream_id INTEGER NOT NULL, 
    receiver_id INTEGER, 
    "key" VARCHAR NOT NULL, 
    opened_at VARCHAR NOT NULL, 
    covered_from VARCHAR NOT NULL, 
    authenticated_at VARCHAR, 
    last_seen_at VARCHAR NOT NULL, 
    closed_at VARCHAR, 
    reason VARCHAR, 
    CONSTRAINT pk_sessions PRIMARY KEY (id), 
    CONSTRAINT fk_sessions_receiver_id FOREIGN KEY(receiver_id) REFERENCES receivers (id), 
    CONSTRAINT fk_sessions_stream_id FOREIGN KEY(stream_id) REFERENCES streams (id), 
    CONSTRAINT uq_sessions_key UNIQUE ("key")
);

CREATE INDEX ix_sessions_stream_id_covered_from ON sessions (stream_id, covered_from);

CREATE TABLE events (
    id INTEGER NOT NULL, 
    session_id INTEGER, 
    resource_id INTEGER, 
    type_id INTEGER NOT NULL, 
    action_id INTEGER, 
    state_id INTEGER, 
    occurred_at VARCHAR NOT NULL, 
    time_source VARCHAR NOT NULL, 
    received_at VARCHAR NOT NULL, 
    uuid VARCHAR, 
    extra VARCHAR, 
    CONSTRAINT pk_events PRIMARY KEY (id), 
    CONSTRAINT fk_events_action_id FOREIGN KEY(action_id) REFERENCES event_actions (id), 
    CONSTRAINT fk_events_resource_id FOREIGN KEY(resource_id) REFERENCES resources (id), 
    CONSTRAINT fk_events_session_id FOREIGN KEY(session_id) REFERENCES sessions (id), 
    CONSTRAINT fk_events_state_id FOREIGN KEY(state_id) REFERENCES event_states (id), 
    CONSTRAINT fk_events_type_id FOREIGN KEY(type_id) REFERENCES event_types (id)
);

CREATE INDEX ix_events_occurred_at ON events (occurred_at);

CREATE INDEX ix_events_resource_id_occurred_at ON events (resource_id, occurred_at);

CREATE UNIQUE INDEX ix_events_uuid ON events (uuid) WHERE uuid IS NOT NULL;

CREATE TABLE observations (
    id INTEGER NOT NULL, 
    session_id INTEGER, 
    resource_id INTEGER NOT NULL, 
    state_id INTEGER, 
    observed_at VARCHAR NOT NULL, 
    extra VARCHAR, 
    CONSTRAINT pk_observations PRIMARY KEY (id), 
    CONSTRAINT fk_observations_resource_id FOREIGN KEY(resource_id) REFERENCES resources (id), 
    CONSTRAINT fk_observations_session_id FOREIGN KEY(session_id) REFERENCES sessions (id), 
    CONSTRAINT fk_observations_state_id FOREIGN KEY(state_id) REFERENCES event_states (id)
);

CREATE INDEX ix_observations_resource_id_observed_at ON observations (resource_id, observed_at);

CREATE TABLE rejects (
    id INTEGER NOT NULL, 
    session_id INTEGER, 
    received_at VARCHAR NOT NULL, 
    reason VARCHAR NOT NULL, 
    payload BLOB NOT NULL, 
    CONSTRAINT pk_rejects PRIMARY KEY (id), 
    CONSTRAINT fk_rejects_session_id FOREIGN KEY(session_id) REFERENCES sessions (id)
);

CREATE TABLE event_parents (
    event_id INTEGER NOT NULL, 
    position SMALLINT NOT NULL, 
    resource_id INTEGER NOT NULL, 
    CONSTRAINT pk_event_parents PRIMARY KEY (event_id, position), 
    CONSTRAINT fk_event_parents_event_id FOREIGN KEY(event_id) REFERENCES events (id), 
    CONSTRAINT fk_event_parents_resource_id FOREIGN KEY(resource_id) REFERENCES resources (id)
)
 WITHOUT ROWID;

CREATE TABLE resource_parents (
    child_id INTEGER NOT NULL, 
    parent_id INTEGER NOT NULL, 
    first_event_id INTEGER, 
    derived SMALLINT NOT NULL, 
    CONSTRAINT pk_resource_parents PRIMARY KEY (child_id, parent_id), 
    CONSTRAINT fk_resource_parents_child_id FOREIGN KEY(child_id) REFERENCES resources (id), 
    CONSTRAINT fk_resource_parents_first_event_id FOREIGN KEY(first_event_id) REFERENCES events (id) DEFERRABLE INITIALLY DEFERRED, 
    CONSTRAINT fk_resource_parents_parent_id FOREIGN KEY(parent_id) REFERENCES resources (id)
)
 WITHOUT ROWID;

CREATE INDEX ix_resource_parents_parent_id_child_id ON resource_parents (parent_id, child_id);

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

INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING version_num;

COMMIT;

INSERT INTO streams VALUES (1, 'ws://stream.example/v1/events', 'tutum');
INSERT INTO receivers VALUES (1, 'spool', 4, 0, '2016-02-01T12:00:09.000000Z');
INSERT INTO sessions (id, stream_id, receiver_id, key, opened_at, covered_from, authenticated_at, last_seen_at, closed_at, reason) VALUES
  (1, 1, 1, 'first', '2016-02-01T12:00:00.000000Z', '2016-02-01T12:00:00.000000Z', '2016-02-01T12:00:01.000000Z', '2016-02-01T12:00:09.000000Z', '2016-02-01T12:00:09.000000Z', 'cut');
INSERT INTO event_types VALUES (1, 'container'), (2, 'stack');
INSERT INTO event_actions VALUES (1, 'create'), (2, 'update');
INSERT INTO event_states VALUES (1, 'Starting'), (2, 'Running');
INSERT INTO resources (id, type_id, key, uri, name, target_id) VALUES (1, 1, '1', '/api/v1/container/1/', 'web', NULL), (2, 2, '1', '/api/v1/stack/1/', NULL, NULL);
INSERT INTO events (id, session_id, resource_id, type_id, action_id, state_id, occurred_at, time_source, received_at, uuid, extra) VALUES
  (1, 1, 1, 1, 1, 1, '2016-02-01T12:00:01.000000Z', 'datetime', '2016-02-01T12:00:01.500000Z', 'u1', NULL),
  (2, 1, 1, 1, 2, 2, '2016-02-01T12:00:03.000000Z', 'datetime', '2016-02-01T12:00:03.500000Z', NULL, '{"more":[1]}');
INSERT INTO event_parents VALUES (1, 0, 2), (2, 0, 2);
INSERT INTO resource_parents VALUES (1, 2, 1, 0);
INSERT INTO observations (id, session_id, resource_id, state_id, observed_at, extra) VALUES (1, 1, 1, 2, '2016-02-01T12:00:05.000000Z', NULL);
INSERT INTO rejects VALUES (1, 1, '2016-02-01T12:00:06.000000Z', 'not UTF-8', X'FF00');

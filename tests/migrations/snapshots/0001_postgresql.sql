-- An archive of revision 0001 with rows; never edited after the release.
BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

CREATE TABLE archive_properties (
    key TEXT COLLATE "C" NOT NULL, 
    value TEXT COLLATE "C" NOT NULL, 
    CONSTRAINT pk_archive_properties PRIMARY KEY (key)
);

COMMENT ON TABLE archive_properties IS 'What identifies this archive';

COMMENT ON COLUMN archive_properties.key IS 'Name of the property';

COMMENT ON COLUMN archive_properties.value IS 'Its value';

CREATE TABLE event_actions (
    id BIGINT NOT NULL, 
    text TEXT COLLATE "C" NOT NULL, 
    CONSTRAINT pk_event_actions PRIMARY KEY (id), 
    CONSTRAINT uq_event_actions_text UNIQUE (text)
);

COMMENT ON TABLE event_actions IS 'Every action ever seen; an open vocabulary, one row per distinct text';

COMMENT ON COLUMN event_actions.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN event_actions.text IS 'The action as the platform spells it';

CREATE TABLE event_states (
    id BIGINT NOT NULL, 
    text TEXT COLLATE "C" NOT NULL, 
    CONSTRAINT pk_event_states PRIMARY KEY (id), 
    CONSTRAINT uq_event_states_text UNIQUE (text)
);

COMMENT ON TABLE event_states IS 'Every state ever seen; an open vocabulary, one row per distinct text';

COMMENT ON COLUMN event_states.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN event_states.text IS 'The state as the platform spells it';

CREATE TABLE event_types (
    id BIGINT NOT NULL, 
    text TEXT COLLATE "C" NOT NULL, 
    CONSTRAINT pk_event_types PRIMARY KEY (id), 
    CONSTRAINT uq_event_types_text UNIQUE (text)
);

COMMENT ON TABLE event_types IS 'Every type ever seen; an open vocabulary, one row per distinct text';

COMMENT ON COLUMN event_types.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN event_types.text IS 'The type as the platform spells it';

CREATE TABLE receivers (
    id BIGINT NOT NULL, 
    key TEXT COLLATE "C" NOT NULL, 
    position BIGINT NOT NULL, 
    duplicates BIGINT NOT NULL, 
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    CONSTRAINT pk_receivers PRIMARY KEY (id), 
    CONSTRAINT uq_receivers_key UNIQUE (key)
);

COMMENT ON TABLE receivers IS 'How far each spool has been archived; moves in the transaction that writes the rows';

COMMENT ON COLUMN receivers.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN receivers.key IS 'Identity of the spool (or export) that is read from';

COMMENT ON COLUMN receivers.position IS 'Everything of it up to this number is in the archive';

COMMENT ON COLUMN receivers.duplicates IS 'Events recognised by uuid as already archived';

COMMENT ON COLUMN receivers.updated_at IS 'When the position last moved, UTC';

CREATE TABLE streams (
    id BIGINT NOT NULL, 
    url TEXT COLLATE "C" NOT NULL, 
    dialect TEXT COLLATE "C" NOT NULL, 
    CONSTRAINT pk_streams PRIMARY KEY (id), 
    CONSTRAINT uq_streams_url UNIQUE (url)
);

COMMENT ON TABLE streams IS 'Places that events come from';

COMMENT ON COLUMN streams.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN streams.url IS 'Where the events come from, without credentials';

COMMENT ON COLUMN streams.dialect IS 'How its messages are decoded: tutum or docker';

CREATE TABLE resources (
    id BIGINT NOT NULL, 
    type_id BIGINT NOT NULL, 
    key TEXT COLLATE "C" NOT NULL, 
    uri TEXT COLLATE "C" NOT NULL, 
    name TEXT COLLATE "C", 
    target_id BIGINT, 
    CONSTRAINT pk_resources PRIMARY KEY (id), 
    CONSTRAINT fk_resources_target_id FOREIGN KEY(target_id) REFERENCES resources (id), 
    CONSTRAINT fk_resources_type_id FOREIGN KEY(type_id) REFERENCES event_types (id), 
    CONSTRAINT uq_resources_key_type_id UNIQUE (key, type_id)
);

COMMENT ON TABLE resources IS 'Objects of the platform; (type, key) identifies one in every spelling of its URI';

COMMENT ON COLUMN resources.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN resources.type_id IS 'What kind of object it is';

COMMENT ON COLUMN resources.key IS 'Identity within the type, on most platforms a uuid';

COMMENT ON COLUMN resources.uri IS 'Its URI as first seen';

COMMENT ON COLUMN resources.name IS 'Its name, where the platform told';

COMMENT ON COLUMN resources.target_id IS 'For an action: the object it applies to';

CREATE INDEX ix_resources_name ON resources (name) WHERE name IS NOT NULL;

CREATE INDEX ix_resources_target_id ON resources (target_id) WHERE target_id IS NOT NULL;

CREATE INDEX ix_resources_type_id ON resources (type_id);

CREATE INDEX ix_resources_uri ON resources (uri);

CREATE TABLE sessions (
    id BIGINT NOT NULL, 
    stream_id BIGINT NOT NULL, 
    receiver_id BIGINT, 
    key TEXT COLLATE "C" NOT NULL, 
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    covered_from TIMESTAMP WITH TIME ZONE NOT NULL, 
    authenticated_at TIMESTAMP WITH TIME ZONE, 
    last_seen_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    closed_at TIMESTAMP WITH TIME ZONE, 
    reason TEXT COLLATE "C", 
    CONSTRAINT pk_sessions PRIMARY KEY (id), 
    CONSTRAINT fk_sessions_receiver_id FOREIGN KEY(receiver_id) REFERENCES receivers (id), 
    CONSTRAINT fk_sessions_stream_id FOREIGN KEY(stream_id) REFERENCES streams (id), 
    CONSTRAINT uq_sessions_key UNIQUE (key)
);

COMMENT ON TABLE sessions IS 'Connections to a stream, from open to close: when somebody was watching';

COMMENT ON COLUMN sessions.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN sessions.stream_id IS 'The stream connected to';

COMMENT ON COLUMN sessions.receiver_id IS 'The receiver that had it; NULL when imported';

COMMENT ON COLUMN sessions.key IS 'Identity of the session, given when it opened';

COMMENT ON COLUMN sessions.opened_at IS 'When the connection was open, UTC';

COMMENT ON COLUMN sessions.covered_from IS 'From when on it delivers everything, UTC';

COMMENT ON COLUMN sessions.authenticated_at IS 'When the platform showed that it accepts the credentials, UTC';

COMMENT ON COLUMN sessions.last_seen_at IS 'Last sign of life, UTC';

COMMENT ON COLUMN sessions.closed_at IS 'Last instant known to be watched, UTC; NULL while open';

COMMENT ON COLUMN sessions.reason IS 'Why it ended';

CREATE INDEX ix_sessions_stream_id_covered_from ON sessions (stream_id, covered_from);

CREATE TABLE events (
    id BIGINT NOT NULL, 
    session_id BIGINT, 
    resource_id BIGINT, 
    type_id BIGINT NOT NULL, 
    action_id BIGINT, 
    state_id BIGINT, 
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    time_source TEXT COLLATE "C" NOT NULL, 
    received_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    uuid TEXT COLLATE "C", 
    extra TEXT COLLATE "C", 
    CONSTRAINT pk_events PRIMARY KEY (id), 
    CONSTRAINT fk_events_action_id FOREIGN KEY(action_id) REFERENCES event_actions (id), 
    CONSTRAINT fk_events_resource_id FOREIGN KEY(resource_id) REFERENCES resources (id), 
    CONSTRAINT fk_events_session_id FOREIGN KEY(session_id) REFERENCES sessions (id), 
    CONSTRAINT fk_events_state_id FOREIGN KEY(state_id) REFERENCES event_states (id), 
    CONSTRAINT fk_events_type_id FOREIGN KEY(type_id) REFERENCES event_types (id)
);

COMMENT ON TABLE events IS 'Everything that happened: one row per event, in the order of archiving';

COMMENT ON COLUMN events.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN events.session_id IS 'The session it came in; NULL when imported without';

COMMENT ON COLUMN events.resource_id IS 'The object it tells about';

COMMENT ON COLUMN events.type_id IS 'Its type';

COMMENT ON COLUMN events.action_id IS 'Its action: create, update, delete ...';

COMMENT ON COLUMN events.state_id IS 'The state the object is in from now on';

COMMENT ON COLUMN events.occurred_at IS 'When it happened, UTC';

COMMENT ON COLUMN events.time_source IS 'Where occurred_at is from: datetime, date or received';

COMMENT ON COLUMN events.received_at IS 'When it was received, UTC';

COMMENT ON COLUMN events.uuid IS 'The platform''s own identifier of the event';

COMMENT ON COLUMN events.extra IS 'JSON object of everything the columns do not hold';

CREATE INDEX ix_events_occurred_at ON events (occurred_at);

CREATE INDEX ix_events_resource_id_occurred_at ON events (resource_id, occurred_at);

CREATE UNIQUE INDEX ix_events_uuid ON events (uuid) WHERE uuid IS NOT NULL;

CREATE TABLE observations (
    id BIGINT NOT NULL, 
    session_id BIGINT, 
    resource_id BIGINT NOT NULL, 
    state_id BIGINT, 
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    extra TEXT COLLATE "C", 
    CONSTRAINT pk_observations PRIMARY KEY (id), 
    CONSTRAINT fk_observations_resource_id FOREIGN KEY(resource_id) REFERENCES resources (id), 
    CONSTRAINT fk_observations_session_id FOREIGN KEY(session_id) REFERENCES sessions (id), 
    CONSTRAINT fk_observations_state_id FOREIGN KEY(state_id) REFERENCES event_states (id)
);

COMMENT ON TABLE observations IS 'States learnt by asking the platform; never events';

COMMENT ON COLUMN observations.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN observations.session_id IS 'The session in which was asked';

COMMENT ON COLUMN observations.resource_id IS 'The object asked about';

COMMENT ON COLUMN observations.state_id IS 'The state it was found in';

COMMENT ON COLUMN observations.observed_at IS 'When it was asked, UTC';

COMMENT ON COLUMN observations.extra IS 'JSON object of what else the platform told';

CREATE INDEX ix_observations_resource_id_observed_at ON observations (resource_id, observed_at);

CREATE TABLE rejects (
    id BIGINT NOT NULL, 
    session_id BIGINT, 
    received_at TIMESTAMP WITH TIME ZONE NOT NULL, 
    reason TEXT COLLATE "C" NOT NULL, 
    payload BYTEA NOT NULL, 
    CONSTRAINT pk_rejects PRIMARY KEY (id), 
    CONSTRAINT fk_rejects_session_id FOREIGN KEY(session_id) REFERENCES sessions (id)
);

COMMENT ON TABLE rejects IS 'Messages that could not become events';

COMMENT ON COLUMN rejects.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN rejects.session_id IS 'The session it came in';

COMMENT ON COLUMN rejects.received_at IS 'When it was received, UTC';

COMMENT ON COLUMN rejects.reason IS 'Why it could not become an event';

COMMENT ON COLUMN rejects.payload IS 'The message, byte for byte';

CREATE TABLE event_parents (
    event_id BIGINT NOT NULL, 
    position SMALLINT NOT NULL, 
    resource_id BIGINT NOT NULL, 
    CONSTRAINT pk_event_parents PRIMARY KEY (event_id, position), 
    CONSTRAINT fk_event_parents_event_id FOREIGN KEY(event_id) REFERENCES events (id), 
    CONSTRAINT fk_event_parents_resource_id FOREIGN KEY(resource_id) REFERENCES resources (id)
);

COMMENT ON TABLE event_parents IS 'The parents that each event names, in its order';

COMMENT ON COLUMN event_parents.event_id IS 'The event';

COMMENT ON COLUMN event_parents.position IS 'Place in the event''s list, from 0';

COMMENT ON COLUMN event_parents.resource_id IS 'The parent';

CREATE TABLE resource_parents (
    child_id BIGINT NOT NULL, 
    parent_id BIGINT NOT NULL, 
    first_event_id BIGINT, 
    derived SMALLINT NOT NULL, 
    CONSTRAINT pk_resource_parents PRIMARY KEY (child_id, parent_id), 
    CONSTRAINT fk_resource_parents_child_id FOREIGN KEY(child_id) REFERENCES resources (id), 
    CONSTRAINT fk_resource_parents_first_event_id FOREIGN KEY(first_event_id) REFERENCES events (id) DEFERRABLE INITIALLY DEFERRED, 
    CONSTRAINT fk_resource_parents_parent_id FOREIGN KEY(parent_id) REFERENCES resources (id)
);

COMMENT ON TABLE resource_parents IS 'What is under what: every distinct pair, closed over all levels';

COMMENT ON COLUMN resource_parents.child_id IS 'The resource below';

COMMENT ON COLUMN resource_parents.parent_id IS 'The resource above, at any distance';

COMMENT ON COLUMN resource_parents.first_event_id IS 'The event that told; NULL when learnt by asking';

COMMENT ON COLUMN resource_parents.derived IS '0: an event or answer names the pair; 1: it follows';

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

INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING alembic_version.version_num;

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
INSERT INTO rejects VALUES (1, 1, '2016-02-01T12:00:06.000000Z', 'not UTF-8', '\xff00');

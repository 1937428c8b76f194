-- The base tables as of revision 0002; frozen, never edited after the release.

CREATE TABLE archive_properties (
  "key" VARCHAR NOT NULL,
  value VARCHAR NOT NULL,
  CONSTRAINT pk_archive_properties PRIMARY KEY ("key")
);

CREATE TABLE platforms (
  id INTEGER NOT NULL,
  "key" VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  dialect VARCHAR,
  CONSTRAINT pk_platforms PRIMARY KEY (id),
  CONSTRAINT uq_platforms_key UNIQUE ("key"),
  CONSTRAINT uq_platforms_name UNIQUE (name)
);

CREATE TABLE numbers (
  name VARCHAR NOT NULL,
  last BIGINT NOT NULL,
  CONSTRAINT pk_numbers PRIMARY KEY (name)
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

CREATE TABLE event_types (
  id INTEGER NOT NULL,
  text VARCHAR NOT NULL,
  CONSTRAINT pk_event_types PRIMARY KEY (id),
  CONSTRAINT uq_event_types_text UNIQUE (text)
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

CREATE TABLE state_kinds (
  state VARCHAR NOT NULL,
  kind VARCHAR NOT NULL,
  CONSTRAINT pk_state_kinds PRIMARY KEY (state),
  CONSTRAINT ck_state_kinds_in_lower_case CHECK (state = lower(state)),
  CONSTRAINT ck_state_kinds_known CHECK (kind IN ('up', 'down', 'starting', 'gone'))
);

CREATE TABLE days (
  day VARCHAR NOT NULL,
  CONSTRAINT pk_days PRIMARY KEY (day)
)
 WITHOUT ROWID;

CREATE TABLE texts (
  id INTEGER NOT NULL,
  text VARCHAR NOT NULL,
  CONSTRAINT pk_texts PRIMARY KEY (id),
  CONSTRAINT uq_texts_text UNIQUE (text)
);

CREATE TABLE parent_lists (
  id INTEGER NOT NULL,
  platform_id INTEGER NOT NULL,
  digest BLOB NOT NULL,
  CONSTRAINT pk_parent_lists PRIMARY KEY (id),
  CONSTRAINT uq_parent_lists_platform_id_digest UNIQUE (digest, platform_id)
);

CREATE TABLE parent_list_members (
  platform_id INTEGER NOT NULL,
  list_id INTEGER NOT NULL,
  position SMALLINT NOT NULL,
  resource_id INTEGER NOT NULL,
  CONSTRAINT pk_parent_list_members PRIMARY KEY (list_id, position)
)
 WITHOUT ROWID;

CREATE INDEX ix_parent_list_members_resource_id_platform_id_list_id ON parent_list_members (resource_id, platform_id, list_id);

CREATE TABLE shared_texts (
  id INTEGER NOT NULL,
  platform_id INTEGER NOT NULL,
  digest BLOB NOT NULL,
  text VARCHAR NOT NULL,
  CONSTRAINT pk_shared_texts PRIMARY KEY (id),
  CONSTRAINT uq_shared_texts_platform_id_digest UNIQUE (digest, platform_id)
);

CREATE TABLE events (
  id INTEGER NOT NULL,
  platform_id INTEGER NOT NULL,
  session_id INTEGER,
  resource_id INTEGER NOT NULL,
  type_id INTEGER NOT NULL,
  action_id INTEGER,
  state_id INTEGER,
  parent_list_id INTEGER,
  name_id INTEGER,
  image_id INTEGER,
  slot_id INTEGER,
  tags_id INTEGER,
  occurred_at VARCHAR NOT NULL,
  time_source SMALLINT NOT NULL,
  received_at INTEGER NOT NULL,
  uuid BLOB,
  extra VARCHAR,
  shared_id INTEGER,
  shared_too_id INTEGER,
  CONSTRAINT pk_events PRIMARY KEY (id)
);

CREATE INDEX ix_events_occurred_us ON events (((CAST(strftime('%s', substr(occurred_at, 1, 19)) AS integer) * 1000000 + CAST(substr(occurred_at, 21, 6) AS integer))));

CREATE INDEX ix_events_resource_id_platform_id_occurred_at ON events (resource_id, platform_id, occurred_at);

CREATE UNIQUE INDEX uq_events_occurred_at_uuid ON events (occurred_at, uuid, platform_id);

CREATE TABLE told_anew (
  platform_id INTEGER NOT NULL,
  uuid BLOB NOT NULL,
  event_id INTEGER NOT NULL,
  CONSTRAINT pk_told_anew PRIMARY KEY (uuid, platform_id)
)
 WITHOUT ROWID;

CREATE TABLE tellings (
  platform_id INTEGER NOT NULL,
  event_id INTEGER NOT NULL,
  session_id INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  CONSTRAINT pk_tellings PRIMARY KEY (event_id, session_id)
)
 WITHOUT ROWID;

CREATE TABLE observations (
  id INTEGER NOT NULL,
  platform_id INTEGER NOT NULL,
  session_id INTEGER,
  resource_id INTEGER NOT NULL,
  state_id INTEGER,
  parent_list_id INTEGER,
  name_id INTEGER,
  image_id INTEGER,
  slot_id INTEGER,
  tags_id INTEGER,
  observed_at VARCHAR NOT NULL,
  extra VARCHAR,
  shared_id INTEGER,
  shared_too_id INTEGER,
  mark INTEGER,
  CONSTRAINT pk_observations PRIMARY KEY (id)
);

CREATE INDEX ix_observations_observed_at ON observations (observed_at);

CREATE INDEX ix_observations_observed_us ON observations (((CAST(strftime('%s', substr(observed_at, 1, 19)) AS integer) * 1000000 + CAST(substr(observed_at, 21, 6) AS integer))));

CREATE INDEX ix_observations_resource_id_platform_id_observed_at ON observations (resource_id, platform_id, observed_at);

CREATE TABLE rejects (
  id INTEGER NOT NULL,
  platform_id INTEGER NOT NULL,
  session_id INTEGER,
  received_at INTEGER NOT NULL,
  reason VARCHAR NOT NULL,
  payload BLOB NOT NULL,
  retried_at INTEGER,
  CONSTRAINT pk_rejects PRIMARY KEY (id)
);

CREATE TABLE facts (
  platform_id INTEGER NOT NULL,
  resource_id INTEGER NOT NULL,
  what SMALLINT NOT NULL,
  since INTEGER NOT NULL,
  value INTEGER NOT NULL,
  until INTEGER NOT NULL,
  node INTEGER NOT NULL,
  told_by INTEGER,
  how SMALLINT NOT NULL,
  CONSTRAINT pk_facts PRIMARY KEY (resource_id, what, since, value)
)
 WITHOUT ROWID;

CREATE INDEX ix_facts_node_until ON facts (node, until, platform_id) WHERE what = 2;

CREATE INDEX ix_facts_since ON facts (since, platform_id) WHERE what = 2;

CREATE INDEX ix_facts_tags ON facts (resource_id, platform_id, since) WHERE what = 6;

CREATE INDEX ix_facts_value_platform_id_what_node_since_resource_id ON facts (value, platform_id, what, node, since, resource_id);

CREATE INDEX ix_facts_value_platform_id_what_node_until_resource_id ON facts (value, platform_id, what, node, until, resource_id);

CREATE TABLE implied (
  platform_id INTEGER NOT NULL,
  resource_id INTEGER NOT NULL,
  type_id INTEGER NOT NULL,
  since INTEGER NOT NULL,
  value INTEGER NOT NULL,
  told_by INTEGER,
  CONSTRAINT pk_implied PRIMARY KEY (resource_id, type_id, since)
)
 WITHOUT ROWID;

CREATE TABLE present (
  resource_id INTEGER NOT NULL,
  platform_id INTEGER NOT NULL,
  type_id INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER,
  last_source SMALLINT,
  state_id INTEGER,
  state_since INTEGER,
  state_at INTEGER,
  state_source SMALLINT,
  gone_at INTEGER,
  lasted SMALLINT NOT NULL,
  name_id INTEGER,
  image_id INTEGER,
  slot_id INTEGER,
  tags_id INTEGER,
  list_id INTEGER,
  heads SMALLINT NOT NULL,
  CONSTRAINT pk_present PRIMARY KEY (resource_id)
);

CREATE INDEX ix_present_first_at ON present (first_at);

CREATE INDEX ix_present_gone_at ON present (gone_at) WHERE gone_at IS NOT NULL;

CREATE INDEX ix_present_list_id_platform_id ON present (list_id, platform_id);

CREATE INDEX ix_present_lived ON present (type_id, (lasted + 0), (first_at + 0));

CREATE INDEX ix_present_type_id_first_at ON present (type_id, first_at);

CREATE INDEX ix_present_type_id_gone_at ON present (type_id, gone_at) WHERE gone_at IS NULL;

CREATE TABLE platform_identities (
  "key" VARCHAR NOT NULL,
  platform_id INTEGER NOT NULL,
  CONSTRAINT pk_platform_identities PRIMARY KEY ("key"),
  CONSTRAINT fk_platform_identities_platform_id FOREIGN KEY(platform_id) REFERENCES platforms (id)
);

CREATE TABLE streams (
  id INTEGER NOT NULL,
  url VARCHAR NOT NULL,
  dialect VARCHAR NOT NULL,
  platform_id INTEGER,
  CONSTRAINT pk_streams PRIMARY KEY (id),
  CONSTRAINT uq_streams_url UNIQUE (url),
  CONSTRAINT fk_streams_platform_id FOREIGN KEY(platform_id) REFERENCES platforms (id)
);

CREATE TABLE resources (
  id INTEGER NOT NULL,
  platform_id INTEGER NOT NULL,
  type_id INTEGER NOT NULL,
  "key" VARCHAR NOT NULL,
  uri VARCHAR NOT NULL,
  CONSTRAINT pk_resources PRIMARY KEY (id),
  CONSTRAINT uq_resources_platform_id_key_type_id UNIQUE ("key", platform_id, type_id),
  CONSTRAINT fk_resources_platform_id FOREIGN KEY(platform_id) REFERENCES platforms (id),
  CONSTRAINT fk_resources_type_id FOREIGN KEY(type_id) REFERENCES event_types (id)
);

CREATE INDEX ix_resources_uri ON resources (uri);

CREATE TABLE stream_conditions (
  stream_id INTEGER NOT NULL,
  about VARCHAR NOT NULL,
  found_at INTEGER NOT NULL,
  value VARCHAR NOT NULL,
  receiver_id INTEGER,
  CONSTRAINT pk_stream_conditions PRIMARY KEY (stream_id, about),
  CONSTRAINT fk_stream_conditions_stream_id FOREIGN KEY(stream_id) REFERENCES streams (id),
  CONSTRAINT fk_stream_conditions_receiver_id FOREIGN KEY(receiver_id) REFERENCES receivers (id)
);

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
  kind VARCHAR,
  reason VARCHAR,
  CONSTRAINT pk_sessions PRIMARY KEY (id),
  CONSTRAINT fk_sessions_stream_id FOREIGN KEY(stream_id) REFERENCES streams (id),
  CONSTRAINT fk_sessions_receiver_id FOREIGN KEY(receiver_id) REFERENCES receivers (id),
  CONSTRAINT uq_sessions_key UNIQUE ("key")
);

CREATE INDEX ix_sessions_stream_id_covered_from ON sessions (stream_id, covered_from);

INSERT INTO numbers (name, last) VALUES ('events', 0);

INSERT INTO numbers (name, last) VALUES ('observations', 0);

INSERT INTO numbers (name, last) VALUES ('rejects', 0);

INSERT INTO numbers (name, last) VALUES ('resources', 0);

INSERT INTO numbers (name, last) VALUES ('sessions', 0);

INSERT INTO numbers (name, last) VALUES ('platforms', 0);

INSERT INTO numbers (name, last) VALUES ('streams', 0);

INSERT INTO numbers (name, last) VALUES ('receivers', 0);

INSERT INTO numbers (name, last) VALUES ('texts', 0);

INSERT INTO numbers (name, last) VALUES ('parent_lists', 0);

INSERT INTO numbers (name, last) VALUES ('shared_texts', 0);

INSERT INTO numbers (name, last) VALUES ('event_types', 0);

INSERT INTO numbers (name, last) VALUES ('event_actions', 0);

INSERT INTO numbers (name, last) VALUES ('event_states', 0);

INSERT INTO days (day) SELECT strftime('%Y-%m-%d', (CAST(86400000000 AS bigint) * (1 * d0.n + 10 * d1.n + 100 * d2.n + 1000 * d3.n + 10000 * d4.n)) / 1000000, 'unixepoch') FROM (SELECT 0 AS n UNION ALL SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n UNION ALL SELECT 4 AS n UNION ALL SELECT 5 AS n UNION ALL SELECT 6 AS n UNION ALL SELECT 7 AS n UNION ALL SELECT 8 AS n UNION ALL SELECT 9 AS n) d0 CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n UNION ALL SELECT 4 AS n UNION ALL SELECT 5 AS n UNION ALL SELECT 6 AS n UNION ALL SELECT 7 AS n UNION ALL SELECT 8 AS n UNION ALL SELECT 9 AS n) d1 CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n UNION ALL SELECT 4 AS n UNION ALL SELECT 5 AS n UNION ALL SELECT 6 AS n UNION ALL SELECT 7 AS n UNION ALL SELECT 8 AS n UNION ALL SELECT 9 AS n) d2 CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n UNION ALL SELECT 4 AS n UNION ALL SELECT 5 AS n UNION ALL SELECT 6 AS n UNION ALL SELECT 7 AS n UNION ALL SELECT 8 AS n UNION ALL SELECT 9 AS n) d3 CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n UNION ALL SELECT 4 AS n UNION ALL SELECT 5 AS n UNION ALL SELECT 6 AS n UNION ALL SELECT 7 AS n UNION ALL SELECT 8 AS n UNION ALL SELECT 9 AS n) d4 WHERE 1 * d0.n + 10 * d1.n + 100 * d2.n + 1000 * d3.n + 10000 * d4.n BETWEEN 15706 AND 27028;

INSERT INTO state_kinds (state, kind) VALUES ('completed', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('config created', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('created', 'starting');

INSERT INTO state_kinds (state, kind) VALUES ('dead', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('deleted', 'gone');

INSERT INTO state_kinds (state, kind) VALUES ('deployed', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('deploying', 'starting');

INSERT INTO state_kinds (state, kind) VALUES ('destroy', 'gone');

INSERT INTO state_kinds (state, kind) VALUES ('destroyed', 'gone');

INSERT INTO state_kinds (state, kind) VALUES ('die', 'gone');

INSERT INTO state_kinds (state, kind) VALUES ('disabled', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('disconnected', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('down', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('empty cluster', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('enabled', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('exited', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('image created', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('init', 'starting');

INSERT INTO state_kinds (state, kind) VALUES ('network created', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('not running', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('partly deployed', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('partly running', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('paused', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('ready', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('redeploying', 'starting');

INSERT INTO state_kinds (state, kind) VALUES ('removed', 'gone');

INSERT INTO state_kinds (state, kind) VALUES ('removing', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('restarting', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('rollback_completed', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('rollback_paused', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('rollback_started', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('running', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('running (starting)', 'starting');

INSERT INTO state_kinds (state, kind) VALUES ('running (unhealthy)', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('scaling', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('secret created', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('service created', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('service paused', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('started', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('starting', 'starting');

INSERT INTO state_kinds (state, kind) VALUES ('stopped', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('stopping', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('terminated', 'gone');

INSERT INTO state_kinds (state, kind) VALUES ('terminating', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('unknown', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('unreachable', 'down');

INSERT INTO state_kinds (state, kind) VALUES ('updating', 'up');

INSERT INTO state_kinds (state, kind) VALUES ('upgrading', 'starting');

INSERT INTO state_kinds (state, kind) VALUES ('volume created', 'up');

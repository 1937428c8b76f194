-- The base tables as of revision 0002; frozen, never edited after the release.

CREATE TABLE archive_properties (
  key TEXT COLLATE "C" NOT NULL,
  value TEXT COLLATE "C" NOT NULL,
  CONSTRAINT pk_archive_properties PRIMARY KEY (key),
  CONSTRAINT ck_archive_properties_not_of_0_1_0 CHECK (key <> 'last writer')
);

COMMENT ON TABLE archive_properties IS 'What identifies this archive';

COMMENT ON COLUMN archive_properties.key IS 'Name of the property';

COMMENT ON COLUMN archive_properties.value IS 'Its value';

CREATE TABLE platforms (
  id BIGINT NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  dialect TEXT COLLATE "C",
  CONSTRAINT pk_platforms PRIMARY KEY (id),
  CONSTRAINT uq_platforms_key UNIQUE (key),
  CONSTRAINT uq_platforms_name UNIQUE (name)
);

COMMENT ON TABLE platforms IS 'What objects live in: accounts, swarms, engines';

COMMENT ON COLUMN platforms.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN platforms.key IS 'What tells it from all others, as it was first known';

COMMENT ON COLUMN platforms.name IS 'What people call it';

COMMENT ON COLUMN platforms.dialect IS 'What is spoken of it: tutum or docker; NULL: nobody said';

CREATE TABLE numbers (
  name TEXT COLLATE "C" NOT NULL,
  last BIGINT NOT NULL,
  CONSTRAINT pk_numbers PRIMARY KEY (name)
);

COMMENT ON TABLE numbers IS 'Numbers given so far; moves in the transaction that writes the rows';

COMMENT ON COLUMN numbers.name IS 'Name of a table';

COMMENT ON COLUMN numbers.last IS 'The last number that was given in it; none is given twice';

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

CREATE TABLE event_types (
  id BIGINT NOT NULL,
  text TEXT COLLATE "C" NOT NULL,
  CONSTRAINT pk_event_types PRIMARY KEY (id),
  CONSTRAINT uq_event_types_text UNIQUE (text)
);

COMMENT ON TABLE event_types IS 'Every type ever seen; an open vocabulary, one row per distinct text';

COMMENT ON COLUMN event_types.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN event_types.text IS 'The type as the platform spells it';

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

CREATE TABLE state_kinds (
  state TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  CONSTRAINT pk_state_kinds PRIMARY KEY (state),
  CONSTRAINT ck_state_kinds_in_lower_case CHECK (state = lower(state)),
  CONSTRAINT ck_state_kinds_known CHECK (kind IN ('up', 'down', 'starting', 'gone'))
);

COMMENT ON TABLE state_kinds IS 'Of what kind each state is; yours to extend. Of what fits a state, the longest counts';

COMMENT ON COLUMN state_kinds.state IS 'A state, its family, or a type and a state; in lower case';

COMMENT ON COLUMN state_kinds.kind IS 'up, down, starting or gone';

CREATE TABLE days (
  day TEXT COLLATE "C" NOT NULL,
  CONSTRAINT pk_days PRIMARY KEY (day)
);

COMMENT ON TABLE days IS 'Every day of UTC from 2013 to 2043, for the views that have a row per day';

COMMENT ON COLUMN days.day IS 'The day, 2026-11-23';

CREATE TABLE texts (
  id BIGINT NOT NULL,
  text TEXT COLLATE "C" NOT NULL,
  CONSTRAINT pk_texts PRIMARY KEY (id),
  CONSTRAINT uq_texts_text UNIQUE (text)
);

COMMENT ON TABLE texts IS 'Every name, image or slot of an object, and all tags of one ever seen; an open vocabulary, one row per distinct text';

COMMENT ON COLUMN texts.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN texts.text IS 'The name, image or slot of an object, and all tags of one as the platform spells it';

CREATE TABLE parent_lists (
  id BIGINT NOT NULL,
  platform_id BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  CONSTRAINT pk_parent_lists PRIMARY KEY (platform_id, id),
  CONSTRAINT uq_parent_lists_platform_id_digest UNIQUE (platform_id, digest)
);

CREATE INDEX ix_parent_lists_id ON parent_lists (id);

COMMENT ON TABLE parent_lists IS 'Every distinct list of parents, once';

COMMENT ON COLUMN parent_lists.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN parent_lists.platform_id IS 'The platform that its members live in';

COMMENT ON COLUMN parent_lists.digest IS 'What tells the list from all others';

CREATE TABLE parent_list_members (
  platform_id BIGINT NOT NULL,
  list_id BIGINT NOT NULL,
  position SMALLINT NOT NULL,
  resource_id BIGINT NOT NULL,
  CONSTRAINT pk_parent_list_members PRIMARY KEY (platform_id, list_id, position)
);

CREATE INDEX ix_parent_list_members_platform_id_resource_id_list_id ON parent_list_members (platform_id, resource_id, list_id);

COMMENT ON TABLE parent_list_members IS 'The parents in each list, in its order';

COMMENT ON COLUMN parent_list_members.platform_id IS 'The platform that they live in';

COMMENT ON COLUMN parent_list_members.list_id IS 'The list';

COMMENT ON COLUMN parent_list_members.position IS 'Place in the list, from 0';

COMMENT ON COLUMN parent_list_members.resource_id IS 'The parent';

CREATE TABLE shared_texts (
  id BIGINT NOT NULL,
  platform_id BIGINT NOT NULL,
  digest BYTEA NOT NULL,
  text TEXT COLLATE "C" NOT NULL,
  CONSTRAINT pk_shared_texts PRIMARY KEY (platform_id, id),
  CONSTRAINT uq_shared_texts_platform_id_digest UNIQUE (platform_id, digest)
);

CREATE INDEX ix_shared_texts_id ON shared_texts (id);

COMMENT ON TABLE shared_texts IS 'What events and observations repeat word for word, once';

COMMENT ON COLUMN shared_texts.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN shared_texts.platform_id IS 'The platform that said it';

COMMENT ON COLUMN shared_texts.digest IS 'What tells the text from all others';

COMMENT ON COLUMN shared_texts.text IS 'Members of a JSON object, without its braces: mostly labels';

CREATE TABLE events (
  id BIGINT NOT NULL,
  platform_id BIGINT NOT NULL,
  session_id BIGINT,
  resource_id BIGINT NOT NULL,
  type_id BIGINT NOT NULL,
  action_id BIGINT,
  state_id BIGINT,
  parent_list_id BIGINT,
  name_id BIGINT,
  image_id BIGINT,
  slot_id BIGINT,
  tags_id BIGINT,
  occurred_at TIMESTAMP WITH TIME ZONE NOT NULL,
  time_source SMALLINT NOT NULL,
  received_at BIGINT NOT NULL,
  uuid BYTEA,
  extra TEXT COLLATE "C",
  shared_id BIGINT,
  shared_too_id BIGINT,
  CONSTRAINT pk_events PRIMARY KEY (platform_id, resource_id, occurred_at, id)
);

CREATE INDEX ix_events_id ON events (id);

CREATE INDEX ix_events_occurred_at ON events (occurred_at);

CREATE INDEX ix_events_occurred_us ON events ((CAST(extract(epoch FROM occurred_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint)));

CREATE UNIQUE INDEX uq_events_occurred_at_uuid ON events (platform_id, occurred_at, uuid);

COMMENT ON TABLE events IS 'Everything that happened: one row per event, in the order of archiving';

COMMENT ON COLUMN events.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN events.platform_id IS 'The platform that it happened in';

COMMENT ON COLUMN events.session_id IS 'The session it came in; NULL when imported without';

COMMENT ON COLUMN events.resource_id IS 'The object it tells about; 0: none';

COMMENT ON COLUMN events.type_id IS 'Its type';

COMMENT ON COLUMN events.action_id IS 'Its action: create, update, delete ...';

COMMENT ON COLUMN events.state_id IS 'The state the object is in from now on';

COMMENT ON COLUMN events.parent_list_id IS 'The parents it names; NULL when none';

COMMENT ON COLUMN events.name_id IS 'The name it gives the object; NULL when none';

COMMENT ON COLUMN events.image_id IS 'The image it says the object is made of; NULL when none';

COMMENT ON COLUMN events.slot_id IS 'The slot it says the object fills; NULL when none';

COMMENT ON COLUMN events.tags_id IS 'All the tags it says the object bears, as a JSON list; NULL when it says nothing';

COMMENT ON COLUMN events.occurred_at IS 'When it happened, UTC';

COMMENT ON COLUMN events.time_source IS 'Where occurred_at is from: 0 received, 1 datetime, 2 date, 3 when it was told, by each who tells anew, 4 the clock of an engine, put right by each who hears';

COMMENT ON COLUMN events.received_at IS 'When it was received, microseconds since 1970';

COMMENT ON COLUMN events.uuid IS 'The platform''s own identifier; 16 bytes of a uuid, else its text in UTF-8';

COMMENT ON COLUMN events.extra IS 'JSON object of everything the columns do not hold, but what is shared';

COMMENT ON COLUMN events.shared_id IS 'The text in the place of its member `*`; NULL when there is none';

COMMENT ON COLUMN events.shared_too_id IS 'The text in the place of its member `**`; NULL when there is none';

CREATE TABLE told_anew (
  platform_id BIGINT NOT NULL,
  uuid BYTEA NOT NULL,
  event_id BIGINT NOT NULL,
  CONSTRAINT pk_told_anew PRIMARY KEY (platform_id, uuid)
);

COMMENT ON TABLE told_anew IS 'The events that have another time with each who tells or hears: their uuids alone say which they are';

COMMENT ON COLUMN told_anew.platform_id IS 'The platform that the event happened in';

COMMENT ON COLUMN told_anew.uuid IS 'The event''s uuid, as `events` has it';

COMMENT ON COLUMN told_anew.event_id IS 'The event';

CREATE TABLE tellings (
  platform_id BIGINT NOT NULL,
  event_id BIGINT NOT NULL,
  session_id BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  CONSTRAINT pk_tellings PRIMARY KEY (platform_id, event_id, session_id)
);

COMMENT ON TABLE tellings IS 'Who else told of an event, beside the session it was first received in';

COMMENT ON COLUMN tellings.platform_id IS 'The platform that the event happened in';

COMMENT ON COLUMN tellings.event_id IS 'The event';

COMMENT ON COLUMN tellings.session_id IS 'A session that told it as well';

COMMENT ON COLUMN tellings.received_at IS 'When it was received there, microseconds since 1970';

CREATE TABLE observations (
  id BIGINT NOT NULL,
  platform_id BIGINT NOT NULL,
  session_id BIGINT,
  resource_id BIGINT NOT NULL,
  state_id BIGINT,
  parent_list_id BIGINT,
  name_id BIGINT,
  image_id BIGINT,
  slot_id BIGINT,
  tags_id BIGINT,
  observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  extra TEXT COLLATE "C",
  shared_id BIGINT,
  shared_too_id BIGINT,
  mark BIGINT,
  CONSTRAINT pk_observations PRIMARY KEY (platform_id, resource_id, observed_at, id)
);

CREATE INDEX ix_observations_id ON observations (id);

CREATE INDEX ix_observations_observed_at ON observations (observed_at);

CREATE INDEX ix_observations_observed_us ON observations ((CAST(extract(epoch FROM observed_at - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint)));

COMMENT ON TABLE observations IS 'States learnt by asking the platform; never events';

COMMENT ON COLUMN observations.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN observations.platform_id IS 'The platform that was asked';

COMMENT ON COLUMN observations.session_id IS 'The session in which was asked';

COMMENT ON COLUMN observations.resource_id IS 'The object asked about';

COMMENT ON COLUMN observations.state_id IS 'The state it was found in';

COMMENT ON COLUMN observations.parent_list_id IS 'The parents it was found to have; NULL when none were told';

COMMENT ON COLUMN observations.name_id IS 'The name it was found to have; NULL when none was told';

COMMENT ON COLUMN observations.image_id IS 'The image it was found to be made of; NULL when none was told';

COMMENT ON COLUMN observations.slot_id IS 'The slot it was found to fill; NULL when none was told';

COMMENT ON COLUMN observations.tags_id IS 'All the tags it was found to bear, as a JSON list; NULL when nothing was told';

COMMENT ON COLUMN observations.observed_at IS 'When it was so, by the answer, UTC';

COMMENT ON COLUMN observations.extra IS 'JSON object of what else the platform told, but what is shared';

COMMENT ON COLUMN observations.shared_id IS 'The text in the place of its member `*`; NULL when there is none';

COMMENT ON COLUMN observations.shared_too_id IS 'The text in the place of its member `**`; NULL when there is none';

COMMENT ON COLUMN observations.mark IS 'What tells the life and state that it was found in from all others (storage.marks): two answers in a row with one mark prove that nothing changed between them; NULL: it proves nothing';

CREATE TABLE rejects (
  id BIGINT NOT NULL,
  platform_id BIGINT NOT NULL,
  session_id BIGINT,
  received_at BIGINT NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  payload BYTEA NOT NULL,
  retried_at BIGINT,
  CONSTRAINT pk_rejects PRIMARY KEY (platform_id, id)
);

CREATE INDEX ix_rejects_id ON rejects (id);

COMMENT ON TABLE rejects IS 'Messages that could not become events';

COMMENT ON COLUMN rejects.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN rejects.platform_id IS 'The platform that told it; 0: not known';

COMMENT ON COLUMN rejects.session_id IS 'The session it came in';

COMMENT ON COLUMN rejects.received_at IS 'When it was received, microseconds since 1970';

COMMENT ON COLUMN rejects.reason IS 'Why it could not become an event';

COMMENT ON COLUMN rejects.payload IS 'The message, byte for byte';

COMMENT ON COLUMN rejects.retried_at IS 'When it was tried again last, in vain, microseconds since 1970; NULL: never';

CREATE TABLE facts (
  platform_id BIGINT NOT NULL,
  resource_id BIGINT NOT NULL,
  what SMALLINT NOT NULL,
  since BIGINT NOT NULL,
  value BIGINT NOT NULL,
  until BIGINT NOT NULL,
  node BIGINT NOT NULL,
  told_by BIGINT,
  how SMALLINT NOT NULL,
  CONSTRAINT pk_facts PRIMARY KEY (platform_id, resource_id, what, since, value)
);

CREATE INDEX ix_facts_node_until ON facts (node, until) WHERE what = 2;

CREATE INDEX ix_facts_platform_id_value_what_node_since_resource_id ON facts (platform_id, value, what, node, since, resource_id);

CREATE INDEX ix_facts_platform_id_value_what_node_until_resource_id ON facts (platform_id, value, what, node, until, resource_id);

CREATE INDEX ix_facts_since ON facts (since) WHERE what = 2;

CREATE INDEX ix_facts_tags ON facts (platform_id, resource_id, since) WHERE what = 6;

COMMENT ON TABLE facts IS 'What was true of an object from when until when: what it was under, applied to, was called, was made of';

COMMENT ON COLUMN facts.platform_id IS 'The platform that the object lives in';

COMMENT ON COLUMN facts.resource_id IS 'The object it is true of';

COMMENT ON COLUMN facts.what IS '1: it is under `value`; 2: applies to it; 3: is called so; 4: is of that image; 5: fills that slot; 6: bears those tags';

COMMENT ON COLUMN facts.since IS 'From when on, microseconds since 1970';

COMMENT ON COLUMN facts.value IS 'A resource, of 3 to 6 a text; 0: an action that names no object';

COMMENT ON COLUMN facts.until IS 'Until when, exclusive; 2^62: still so';

COMMENT ON COLUMN facts.node IS 'Place in the interval tree (storage.intervals)';

COMMENT ON COLUMN facts.told_by IS 'The event, or the observation where asked, that told';

COMMENT ON COLUMN facts.how IS '0: told; 1: asked; 2: inferred from what others say';

CREATE TABLE implied (
  platform_id BIGINT NOT NULL,
  resource_id BIGINT NOT NULL,
  type_id BIGINT NOT NULL,
  since BIGINT NOT NULL,
  value BIGINT NOT NULL,
  told_by BIGINT,
  CONSTRAINT pk_implied PRIMARY KEY (platform_id, resource_id, type_id, since)
);

COMMENT ON TABLE implied IS 'What the lists of others prove about an object''s place; counts where it never said so itself';

COMMENT ON COLUMN implied.platform_id IS 'The platform that the object lives in';

COMMENT ON COLUMN implied.resource_id IS 'The object that others say something of';

COMMENT ON COLUMN implied.type_id IS 'The type of the parent they put it under';

COMMENT ON COLUMN implied.since IS 'From when on, microseconds since 1970';

COMMENT ON COLUMN implied.value IS 'That parent';

COMMENT ON COLUMN implied.told_by IS 'The event that said so first';

CREATE TABLE present (
  resource_id BIGINT NOT NULL,
  platform_id BIGINT NOT NULL,
  type_id BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT,
  last_source SMALLINT,
  state_id BIGINT,
  state_since BIGINT,
  state_at BIGINT,
  state_source SMALLINT,
  gone_at BIGINT,
  lasted SMALLINT NOT NULL,
  name_id BIGINT,
  image_id BIGINT,
  slot_id BIGINT,
  tags_id BIGINT,
  list_id BIGINT,
  heads SMALLINT NOT NULL,
  CONSTRAINT pk_present PRIMARY KEY (platform_id, resource_id)
);

CREATE INDEX ix_present_first_at ON present (first_at);

CREATE INDEX ix_present_gone_at ON present (gone_at) WHERE gone_at IS NOT NULL;

CREATE INDEX ix_present_lived ON present (type_id, (lasted + 0), (first_at + 0));

CREATE INDEX ix_present_platform_id_list_id ON present (platform_id, list_id);

CREATE INDEX ix_present_type_id_first_at ON present (type_id, first_at);

CREATE INDEX ix_present_type_id_gone_at ON present (type_id, gone_at) WHERE gone_at IS NULL;

COMMENT ON TABLE present IS 'One row per object: how it stands now';

COMMENT ON COLUMN present.resource_id IS 'The object';

COMMENT ON COLUMN present.platform_id IS 'The platform that it lives in';

COMMENT ON COLUMN present.type_id IS 'Its type';

COMMENT ON COLUMN present.first_at IS 'When it was first heard of, microseconds since 1970';

COMMENT ON COLUMN present.last_at IS 'When its last word was said; NULL: only others ever named it';

COMMENT ON COLUMN present.last_source IS 'What that word was: 0 an event, 1 an observation';

COMMENT ON COLUMN present.state_id IS 'The last state known';

COMMENT ON COLUMN present.state_since IS 'Since when it has been in that state';

COMMENT ON COLUMN present.state_at IS 'When that state was told or found last';

COMMENT ON COLUMN present.state_source IS 'What told or found it first: 0 an event, 1 an observation';

COMMENT ON COLUMN present.gone_at IS 'Since when it is no more; NULL: it lives';

COMMENT ON COLUMN present.lasted IS 'From first to gone it lived for less than 2^lasted microseconds (storage.lasting); 63: it lives';

COMMENT ON COLUMN present.name_id IS 'The last name known';

COMMENT ON COLUMN present.image_id IS 'The last image known';

COMMENT ON COLUMN present.slot_id IS 'The last slot known';

COMMENT ON COLUMN present.tags_id IS 'The last tags known';

COMMENT ON COLUMN present.list_id IS 'The last list of parents';

COMMENT ON COLUMN present.heads IS '1: something was ever under it';

CREATE TABLE platform_identities (
  key TEXT COLLATE "C" NOT NULL,
  platform_id BIGINT NOT NULL,
  CONSTRAINT pk_platform_identities PRIMARY KEY (key),
  CONSTRAINT fk_platform_identities_platform_id FOREIGN KEY(platform_id) REFERENCES platforms (id)
);

COMMENT ON TABLE platform_identities IS 'Who a platform says it is: an engine that makes a swarm has the names of both, and stays what it was';

COMMENT ON COLUMN platform_identities.key IS 'A name by which the platform identifies itself';

COMMENT ON COLUMN platform_identities.platform_id IS 'The platform';

CREATE TABLE streams (
  id BIGINT NOT NULL,
  url TEXT COLLATE "C" NOT NULL,
  dialect TEXT COLLATE "C" NOT NULL,
  platform_id BIGINT,
  CONSTRAINT pk_streams PRIMARY KEY (id),
  CONSTRAINT uq_streams_url UNIQUE (url),
  CONSTRAINT fk_streams_platform_id FOREIGN KEY(platform_id) REFERENCES platforms (id)
);

COMMENT ON TABLE streams IS 'Places that events come from';

COMMENT ON COLUMN streams.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN streams.url IS 'Where the events come from, without credentials';

COMMENT ON COLUMN streams.dialect IS 'How its messages are decoded: tutum or docker';

COMMENT ON COLUMN streams.platform_id IS 'What it tells of from now on; NULL: not known yet';

CREATE TABLE resources (
  id BIGINT NOT NULL,
  platform_id BIGINT NOT NULL,
  type_id BIGINT NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  uri TEXT COLLATE "C" NOT NULL,
  CONSTRAINT pk_resources PRIMARY KEY (platform_id, id),
  CONSTRAINT uq_resources_platform_id_key_type_id UNIQUE (platform_id, key, type_id),
  CONSTRAINT fk_resources_platform_id FOREIGN KEY(platform_id) REFERENCES platforms (id),
  CONSTRAINT fk_resources_type_id FOREIGN KEY(type_id) REFERENCES event_types (id)
);

CREATE INDEX ix_resources_id ON resources (id);

CREATE INDEX ix_resources_uri ON resources (uri);

COMMENT ON TABLE resources IS 'Objects of the platforms; (platform, type, key) identifies one in every spelling of its URI';

COMMENT ON COLUMN resources.id IS 'Row number, in the order of archiving';

COMMENT ON COLUMN resources.platform_id IS 'The platform it lives in';

COMMENT ON COLUMN resources.type_id IS 'What kind of object it is';

COMMENT ON COLUMN resources.key IS 'Identity within the type, on most platforms a uuid';

COMMENT ON COLUMN resources.uri IS 'Its URI as first seen';

CREATE TABLE stream_conditions (
  stream_id BIGINT NOT NULL,
  about TEXT COLLATE "C" NOT NULL,
  found_at BIGINT NOT NULL,
  value TEXT COLLATE "C" NOT NULL,
  receiver_id BIGINT,
  CONSTRAINT pk_stream_conditions PRIMARY KEY (stream_id, about),
  CONSTRAINT fk_stream_conditions_stream_id FOREIGN KEY(stream_id) REFERENCES streams (id),
  CONSTRAINT fk_stream_conditions_receiver_id FOREIGN KEY(receiver_id) REFERENCES receivers (id)
);

COMMENT ON TABLE stream_conditions IS 'How things stand with a stream at present, beside what it says';

COMMENT ON COLUMN stream_conditions.stream_id IS 'The stream';

COMMENT ON COLUMN stream_conditions.about IS 'What it is about: trouble, clock or identity';

COMMENT ON COLUMN stream_conditions.found_at IS 'When it was found, microseconds since 1970';

COMMENT ON COLUMN stream_conditions.value IS 'In words, microseconds, or JSON';

COMMENT ON COLUMN stream_conditions.receiver_id IS 'Whose daemon found it; NULL: imported';

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
  kind TEXT COLLATE "C",
  reason TEXT COLLATE "C",
  CONSTRAINT pk_sessions PRIMARY KEY (id),
  CONSTRAINT fk_sessions_stream_id FOREIGN KEY(stream_id) REFERENCES streams (id),
  CONSTRAINT fk_sessions_receiver_id FOREIGN KEY(receiver_id) REFERENCES receivers (id),
  CONSTRAINT uq_sessions_key UNIQUE (key)
);

CREATE INDEX ix_sessions_stream_id_covered_from ON sessions (stream_id, covered_from);

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

COMMENT ON COLUMN sessions.kind IS 'Why it ended, for programs: stopped, lost, refused, silent ...';

COMMENT ON COLUMN sessions.reason IS 'Why it ended, in words';

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

INSERT INTO days (day) SELECT to_char(timezone('UTC', to_timestamp((CAST(86400000000 AS bigint) * (1 * d0.n + 10 * d1.n + 100 * d2.n + 1000 * d3.n + 10000 * d4.n)) / 1000000)), 'YYYY-MM-DD') COLLATE "C" FROM (SELECT 0 AS n UNION ALL SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n UNION ALL SELECT 4 AS n UNION ALL SELECT 5 AS n UNION ALL SELECT 6 AS n UNION ALL SELECT 7 AS n UNION ALL SELECT 8 AS n UNION ALL SELECT 9 AS n) d0 CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n UNION ALL SELECT 4 AS n UNION ALL SELECT 5 AS n UNION ALL SELECT 6 AS n UNION ALL SELECT 7 AS n UNION ALL SELECT 8 AS n UNION ALL SELECT 9 AS n) d1 CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n UNION ALL SELECT 4 AS n UNION ALL SELECT 5 AS n UNION ALL SELECT 6 AS n UNION ALL SELECT 7 AS n UNION ALL SELECT 8 AS n UNION ALL SELECT 9 AS n) d2 CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n UNION ALL SELECT 4 AS n UNION ALL SELECT 5 AS n UNION ALL SELECT 6 AS n UNION ALL SELECT 7 AS n UNION ALL SELECT 8 AS n UNION ALL SELECT 9 AS n) d3 CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 AS n UNION ALL SELECT 2 AS n UNION ALL SELECT 3 AS n UNION ALL SELECT 4 AS n UNION ALL SELECT 5 AS n UNION ALL SELECT 6 AS n UNION ALL SELECT 7 AS n UNION ALL SELECT 8 AS n UNION ALL SELECT 9 AS n) d4 WHERE 1 * d0.n + 10 * d1.n + 100 * d2.n + 1000 * d3.n + 10000 * d4.n BETWEEN 15706 AND 27028;

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

"""The archive as first released: base tables and the published views."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The types as they were on the day of this migration; the program's own may change.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORD = sa.String().with_variant(postgresql.TEXT(collation="C"), "postgresql")
INSTANT = sa.String().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "archive_properties",
        sa.Column("key", WORD, nullable=False, comment="Name of the property"),
        sa.Column("value", WORD, nullable=False, comment="Its value"),
        sa.PrimaryKeyConstraint("key", name="pk_archive_properties"),
        comment="What identifies this archive",
    )
    op.create_table(
        "event_actions",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="Row number, in the order of archiving"),
        sa.Column("text", WORD, nullable=False, comment="The action as the platform spells it"),
        sa.PrimaryKeyConstraint("id", name="pk_event_actions"),
        sa.UniqueConstraint("text", name="uq_event_actions_text"),
        comment="Every action ever seen; an open vocabulary, one row per distinct text",
    )
    op.create_table(
        "event_states",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="Row number, in the order of archiving"),
        sa.Column("text", WORD, nullable=False, comment="The state as the platform spells it"),
        sa.PrimaryKeyConstraint("id", name="pk_event_states"),
        sa.UniqueConstraint("text", name="uq_event_states_text"),
        comment="Every state ever seen; an open vocabulary, one row per distinct text",
    )
    op.create_table(
        "event_types",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="Row number, in the order of archiving"),
        sa.Column("text", WORD, nullable=False, comment="The type as the platform spells it"),
        sa.PrimaryKeyConstraint("id", name="pk_event_types"),
        sa.UniqueConstraint("text", name="uq_event_types_text"),
        comment="Every type ever seen; an open vocabulary, one row per distinct text",
    )
    op.create_table(
        "receivers",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="Row number, in the order of archiving"),
        sa.Column("key", WORD, nullable=False, comment="Identity of the spool (or export) that is read from"),
        sa.Column(
            "position", sa.BigInteger(), nullable=False, comment="Everything of it up to this number is in the archive"
        ),
        sa.Column(
            "duplicates", sa.BigInteger(), nullable=False, comment="Events recognised by uuid as already archived"
        ),
        sa.Column("updated_at", INSTANT, nullable=False, comment="When the position last moved, UTC"),
        sa.PrimaryKeyConstraint("id", name="pk_receivers"),
        sa.UniqueConstraint("key", name="uq_receivers_key"),
        comment="How far each spool has been archived; moves in the transaction that writes the rows",
    )
    op.create_table(
        "streams",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="Row number, in the order of archiving"),
        sa.Column("url", WORD, nullable=False, comment="Where the events come from, without credentials"),
        sa.Column("dialect", WORD, nullable=False, comment="How its messages are decoded: tutum or docker"),
        sa.PrimaryKeyConstraint("id", name="pk_streams"),
        sa.UniqueConstraint("url", name="uq_streams_url"),
        comment="Places that events come from",
    )
    op.create_table(
        "resources",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="Row number, in the order of archiving"),
        sa.Column("type_id", ID, nullable=False, comment="What kind of object it is"),
        sa.Column("key", WORD, nullable=False, comment="Identity within the type, on most platforms a uuid"),
        sa.Column("uri", WORD, nullable=False, comment="Its URI as first seen"),
        sa.Column("name", WORD, nullable=True, comment="Its name, where the platform told"),
        sa.Column("target_id", ID, nullable=True, comment="For an action: the object it applies to"),
        sa.ForeignKeyConstraint(["target_id"], ["resources.id"], name="fk_resources_target_id"),
        sa.ForeignKeyConstraint(["type_id"], ["event_types.id"], name="fk_resources_type_id"),
        sa.PrimaryKeyConstraint("id", name="pk_resources"),
        sa.UniqueConstraint("key", "type_id", name="uq_resources_key_type_id"),
        comment="Objects of the platform; (type, key) identifies one in every spelling of its URI",
    )
    op.create_index(
        "ix_resources_name",
        "resources",
        ["name"],
        unique=False,
        sqlite_where=sa.text("name IS NOT NULL"),
        postgresql_where=sa.text("name IS NOT NULL"),
    )
    op.create_index(
        "ix_resources_target_id",
        "resources",
        ["target_id"],
        unique=False,
        sqlite_where=sa.text("target_id IS NOT NULL"),
        postgresql_where=sa.text("target_id IS NOT NULL"),
    )
    op.create_index("ix_resources_type_id", "resources", ["type_id"], unique=False)
    op.create_index("ix_resources_uri", "resources", ["uri"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="Row number, in the order of archiving"),
        sa.Column("stream_id", ID, nullable=False, comment="The stream connected to"),
        sa.Column("receiver_id", ID, nullable=True, comment="The receiver that had it; NULL when imported"),
        sa.Column("key", WORD, nullable=False, comment="Identity of the session, given when it opened"),
        sa.Column("opened_at", INSTANT, nullable=False, comment="When the connection was open, UTC"),
        sa.Column("covered_from", INSTANT, nullable=False, comment="From when on it delivers everything, UTC"),
        sa.Column(
            "authenticated_at",
            INSTANT,
            nullable=True,
            comment="When the platform showed that it accepts the credentials, UTC",
        ),
        sa.Column("last_seen_at", INSTANT, nullable=False, comment="Last sign of life, UTC"),
        sa.Column(
            "closed_at", INSTANT, nullable=True, comment="Last instant known to be watched, UTC; NULL while open"
        ),
        sa.Column("reason", WORD, nullable=True, comment="Why it ended"),
        sa.ForeignKeyConstraint(["receiver_id"], ["receivers.id"], name="fk_sessions_receiver_id"),
        sa.ForeignKeyConstraint(["stream_id"], ["streams.id"], name="fk_sessions_stream_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("key", name="uq_sessions_key"),
        comment="Connections to a stream, from open to close: when somebody was watching",
    )
    op.create_index("ix_sessions_stream_id_covered_from", "sessions", ["stream_id", "covered_from"], unique=False)
    op.create_table(
        "events",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="Row number, in the order of archiving"),
        sa.Column("session_id", ID, nullable=True, comment="The session it came in; NULL when imported without"),
        sa.Column("resource_id", ID, nullable=True, comment="The object it tells about"),
        sa.Column("type_id", ID, nullable=False, comment="Its type"),
        sa.Column("action_id", ID, nullable=True, comment="Its action: create, update, delete ..."),
        sa.Column("state_id", ID, nullable=True, comment="The state the object is in from now on"),
        sa.Column("occurred_at", INSTANT, nullable=False, comment="When it happened, UTC"),
        sa.Column("time_source", WORD, nullable=False, comment="Where occurred_at is from: datetime, date or received"),
        sa.Column("received_at", INSTANT, nullable=False, comment="When it was received, UTC"),
        sa.Column("uuid", WORD, nullable=True, comment="The platform's own identifier of the event"),
        sa.Column("extra", WORD, nullable=True, comment="JSON object of everything the columns do not hold"),
        sa.ForeignKeyConstraint(["action_id"], ["event_actions.id"], name="fk_events_action_id"),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name="fk_events_resource_id"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_events_session_id"),
        sa.ForeignKeyConstraint(["state_id"], ["event_states.id"], name="fk_events_state_id"),
        sa.ForeignKeyConstraint(["type_id"], ["event_types.id"], name="fk_events_type_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        comment="Everything that happened: one row per event, in the order of archiving",
    )
    op.create_index("ix_events_occurred_at", "events", ["occurred_at"], unique=False)
    op.create_index("ix_events_resource_id_occurred_at", "events", ["resource_id", "occurred_at"], unique=False)
    op.create_index(
        "ix_events_uuid",
        "events",
        ["uuid"],
        unique=True,
        sqlite_where=sa.text("uuid IS NOT NULL"),
        postgresql_where=sa.text("uuid IS NOT NULL"),
    )
    op.create_table(
        "observations",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="Row number, in the order of archiving"),
        sa.Column("session_id", ID, nullable=True, comment="The session in which was asked"),
        sa.Column("resource_id", ID, nullable=False, comment="The object asked about"),
        sa.Column("state_id", ID, nullable=True, comment="The state it was found in"),
        sa.Column("observed_at", INSTANT, nullable=False, comment="When it was asked, UTC"),
        sa.Column("extra", WORD, nullable=True, comment="JSON object of what else the platform told"),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name="fk_observations_resource_id"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_observations_session_id"),
        sa.ForeignKeyConstraint(["state_id"], ["event_states.id"], name="fk_observations_state_id"),
        sa.PrimaryKeyConstraint("id", name="pk_observations"),
        comment="States learnt by asking the platform; never events",
    )
    op.create_index(
        "ix_observations_resource_id_observed_at", "observations", ["resource_id", "observed_at"], unique=False
    )
    op.create_table(
        "rejects",
        sa.Column("id", ID, autoincrement=False, nullable=False, comment="Row number, in the order of archiving"),
        sa.Column("session_id", ID, nullable=True, comment="The session it came in"),
        sa.Column("received_at", INSTANT, nullable=False, comment="When it was received, UTC"),
        sa.Column("reason", WORD, nullable=False, comment="Why it could not become an event"),
        sa.Column("payload", sa.LargeBinary(), nullable=False, comment="The message, byte for byte"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_rejects_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rejects"),
        comment="Messages that could not become events",
    )
    op.create_table(
        "event_parents",
        sa.Column("event_id", ID, nullable=False, comment="The event"),
        sa.Column("position", sa.SmallInteger(), nullable=False, comment="Place in the event's list, from 0"),
        sa.Column("resource_id", ID, nullable=False, comment="The parent"),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_event_parents_event_id"),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name="fk_event_parents_resource_id"),
        sa.PrimaryKeyConstraint("event_id", "position", name="pk_event_parents"),
        comment="The parents that each event names, in its order",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "resource_parents",
        sa.Column("child_id", ID, nullable=False, comment="The resource below"),
        sa.Column("parent_id", ID, nullable=False, comment="The resource above, at any distance"),
        sa.Column("first_event_id", ID, nullable=True, comment="The event that told; NULL when learnt by asking"),
        sa.Column(
            "derived", sa.SmallInteger(), nullable=False, comment="0: an event or answer names the pair; 1: it follows"
        ),
        sa.ForeignKeyConstraint(["child_id"], ["resources.id"], name="fk_resource_parents_child_id"),
        sa.ForeignKeyConstraint(
            ["first_event_id"],
            ["events.id"],
            name="fk_resource_parents_first_event_id",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["resources.id"], name="fk_resource_parents_parent_id"),
        sa.PrimaryKeyConstraint("child_id", "parent_id", name="pk_resource_parents"),
        comment="What is under what: every distinct pair, closed over all levels",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_resource_parents_parent_id_child_id", "resource_parents", ["parent_id", "child_id"], unique=False
    )
    views = Path(__file__).parent.parent / "sql" / f"0001_views_{op.get_context().dialect.name}.sql"
    for statement in views.read_text().split(";\n\n"):
        op.execute(sa.text(statement.strip().rstrip(";").replace(":", "\\:")))


def downgrade() -> None:
    raise NotImplementedError("an archive only ever grows; restore the backup instead")

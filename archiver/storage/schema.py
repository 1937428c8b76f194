"""Describes every base table of the archive, each column once; from here come the DDL, COMMENT ON and the documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from archiver.model import iso, to_micros

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

IDENTITY = "identity"
"""Under which property stands what is an archive's own for ever, whatever its name or place."""
GENERATION = "generation"
"""Under which property stands what changes at each restore, so that numbers of before and after are told apart."""

Id = BigInteger().with_variant(Integer(), "sqlite")
# Identifiers compare byte by byte on both databases, so that prefixes and order mean the same whatever the locale.
Word = String().with_variant(Text(collation="C"), "postgresql")


class Instant(TypeDecorator[datetime]):
    """UTC: timestamptz on PostgreSQL, fixed-width ISO 8601 text on SQLite, so that plain SQL can compare and group."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(String())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return iso(to_micros(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name == "postgresql":
            return value  # type: ignore[no-any-return]
        return datetime.fromisoformat(value)


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=False, comment="Row number, in the order of archiving")


def _vocabulary(name: str, what: str) -> Table:
    return Table(
        name,
        metadata,
        _id(),
        Column("text", Word, nullable=False, unique=True, comment=f"The {what} as the platform spells it"),
        comment=f"Every {what} ever seen; an open vocabulary, one row per distinct text",
    )


archive_properties = Table(
    "archive_properties",
    metadata,
    Column("key", Word, primary_key=True, comment="Name of the property"),
    Column("value", Word, nullable=False, comment="Its value"),
    comment="What identifies this archive",
)

streams = Table(
    "streams",
    metadata,
    _id(),
    Column("url", Word, nullable=False, unique=True, comment="Where the events come from, without credentials"),
    Column("dialect", Word, nullable=False, comment="How its messages are decoded: tutum or docker"),
    comment="Places that events come from",
)

receivers = Table(
    "receivers",
    metadata,
    _id(),
    Column("key", Word, nullable=False, unique=True, comment="Identity of the spool (or export) that is read from"),
    Column("position", BigInteger, nullable=False, comment="Everything of it up to this number is in the archive"),
    Column("duplicates", BigInteger, nullable=False, comment="Events recognised by uuid as already archived"),
    Column("updated_at", Instant, nullable=False, comment="When the position last moved, UTC"),
    comment="How far each spool has been archived; moves in the transaction that writes the rows",
)

sessions = Table(
    "sessions",
    metadata,
    _id(),
    Column("stream_id", ForeignKey("streams.id"), nullable=False, comment="The stream connected to"),
    Column("receiver_id", ForeignKey("receivers.id"), comment="The receiver that had it; NULL when imported"),
    Column("key", Word, nullable=False, unique=True, comment="Identity of the session, given when it opened"),
    Column("opened_at", Instant, nullable=False, comment="When the connection was open, UTC"),
    Column("covered_from", Instant, nullable=False, comment="From when on it delivers everything, UTC"),
    Column("authenticated_at", Instant, comment="When the platform showed that it accepts the credentials, UTC"),
    Column("last_seen_at", Instant, nullable=False, comment="Last sign of life, UTC"),
    Column("closed_at", Instant, comment="Last instant known to be watched, UTC; NULL while open"),
    Column("reason", Word, comment="Why it ended"),
    comment="Connections to a stream, from open to close: when somebody was watching",
)

event_types = _vocabulary("event_types", "type")
event_actions = _vocabulary("event_actions", "action")
event_states = _vocabulary("event_states", "state")

resources = Table(
    "resources",
    metadata,
    _id(),
    Column("type_id", ForeignKey("event_types.id"), nullable=False, comment="What kind of object it is"),
    Column("key", Word, nullable=False, comment="Identity within the type, on most platforms a uuid"),
    Column("uri", Word, nullable=False, comment="Its URI as first seen"),
    Column("name", Word, comment="Its name, where the platform told"),
    Column("target_id", ForeignKey("resources.id"), comment="For an action: the object it applies to"),
    UniqueConstraint("key", "type_id"),  # this order also serves a bare key and its prefixes
    comment="Objects of the platform; (type, key) identifies one in every spelling of its URI",
)

events = Table(
    "events",
    metadata,
    _id(),
    Column("session_id", ForeignKey("sessions.id"), comment="The session it came in; NULL when imported without"),
    Column("resource_id", ForeignKey("resources.id"), comment="The object it tells about"),
    Column("type_id", ForeignKey("event_types.id"), nullable=False, comment="Its type"),
    Column("action_id", ForeignKey("event_actions.id"), comment="Its action: create, update, delete ..."),
    Column("state_id", ForeignKey("event_states.id"), comment="The state the object is in from now on"),
    Column("occurred_at", Instant, nullable=False, comment="When it happened, UTC"),
    Column("time_source", Word, nullable=False, comment="Where occurred_at is from: datetime, date or received"),
    Column("received_at", Instant, nullable=False, comment="When it was received, UTC"),
    Column("uuid", Word, comment="The platform's own identifier of the event"),
    Column("extra", Word, comment="JSON object of everything the columns do not hold"),
    comment="Everything that happened: one row per event, in the order of archiving",
)

event_parents = Table(
    "event_parents",
    metadata,
    Column("event_id", ForeignKey("events.id"), nullable=False, comment="The event"),
    Column("position", SmallInteger, nullable=False, comment="Place in the event's list, from 0"),
    Column("resource_id", ForeignKey("resources.id"), nullable=False, comment="The parent"),
    PrimaryKeyConstraint("event_id", "position"),
    comment="The parents that each event names, in its order",
    sqlite_with_rowid=False,
)

resource_parents = Table(
    "resource_parents",
    metadata,
    Column("child_id", ForeignKey("resources.id"), nullable=False, comment="The resource below"),
    Column("parent_id", ForeignKey("resources.id"), nullable=False, comment="The resource above, at any distance"),
    Column(
        "first_event_id",
        # Deferred: the pairs are written before their event, in the same transaction.
        ForeignKey("events.id", deferrable=True, initially="DEFERRED"),
        comment="The event that told; NULL when learnt by asking",
    ),
    Column("derived", SmallInteger, nullable=False, comment="0: an event or answer names the pair; 1: it follows"),
    PrimaryKeyConstraint("child_id", "parent_id"),
    comment="What is under what: every distinct pair, closed over all levels",
    sqlite_with_rowid=False,
)

observations = Table(
    "observations",
    metadata,
    _id(),
    Column("session_id", ForeignKey("sessions.id"), comment="The session in which was asked"),
    Column("resource_id", ForeignKey("resources.id"), nullable=False, comment="The object asked about"),
    Column("state_id", ForeignKey("event_states.id"), comment="The state it was found in"),
    Column("observed_at", Instant, nullable=False, comment="When it was asked, UTC"),
    Column("extra", Word, comment="JSON object of what else the platform told"),
    comment="States learnt by asking the platform; never events",
)

rejects = Table(
    "rejects",
    metadata,
    _id(),
    Column("session_id", ForeignKey("sessions.id"), comment="The session it came in"),
    Column("received_at", Instant, nullable=False, comment="When it was received, UTC"),
    Column("reason", Word, nullable=False, comment="Why it could not become an event"),
    Column("payload", LargeBinary, nullable=False, comment="The message, byte for byte"),
    comment="Messages that could not become events",
)

"""Describes every base table of the archive, each column once; from here come the DDL, COMMENT ON and the documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    CheckConstraint,
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
from archiver.storage.words import (
    ASKED,
    BY_EVENT,
    BY_OBSERVATION,
    GENERATION,
    IDENTITY,
    IMAGE,
    INFERRED,
    NAME,
    NO_RESOURCE,
    OPEN,
    PARENT,
    SLOT,
    TAGS,
    TARGET,
    TEXTUAL,
    TIME_SOURCES,
    TOLD,
)

__all__ = [
    "ASKED",
    "BY_EVENT",
    "BY_OBSERVATION",
    "GENERATION",
    "IDENTITY",
    "IMAGE",
    "INFERRED",
    "NAME",
    "NO_RESOURCE",
    "OPEN",
    "PARENT",
    "SLOT",
    "TAGS",
    "TARGET",
    "TEXTUAL",
    "TIME_SOURCES",
    "TOLD",
]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

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


Moment = BigInteger().with_variant(Integer(), "sqlite")
"""Microseconds since 1970, UTC."""


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True, autoincrement=False, comment="Row number, in the order of archiving")


def _platform(what: str = "The platform that it is of") -> Column[int]:
    """First in every key of the tables that grow: all of one platform lies together, and nothing joins across two."""
    return Column("platform_id", Id, nullable=False, comment=what)


def _number() -> Column[int]:
    """As `_id`, in a table that grows: there the key is another (storage.indexes says which, on either database)."""
    return Column("id", Id, nullable=False, autoincrement=False, comment="Row number, in the order of archiving")


def _shared() -> tuple[Column[int], Column[int]]:
    """What stands in a row of `shared_texts` instead of in `extra` (codec.sharing)."""
    return (
        Column("shared_id", Id, comment="The text in the place of its member `*`; NULL when there is none"),
        Column("shared_too_id", Id, comment="The text in the place of its member `**`; NULL when there is none"),
    )


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
    # Under that key version 0.1.0 says whose turn it is to write: one that stayed connected during the upgrade fails
    # there, connects anew, and sees a revision that it does not know.
    CheckConstraint("key <> 'last writer'", name="not_of_0_1_0").ddl_if(dialect="postgresql"),
    comment="What identifies this archive",
)

platforms = Table(
    "platforms",
    metadata,
    _id(),
    Column("key", Word, nullable=False, unique=True, comment="What tells it from all others, as it was first known"),
    Column("name", Word, nullable=False, unique=True, comment="What people call it"),
    Column("dialect", Word, comment="What is spoken of it: tutum or docker; NULL: nobody said"),
    comment="What objects live in: accounts, swarms, engines",
)

platform_identities = Table(
    "platform_identities",
    metadata,
    Column("key", Word, primary_key=True, comment="A name by which the platform identifies itself"),
    Column("platform_id", ForeignKey("platforms.id"), nullable=False, comment="The platform"),
    comment="Who a platform says it is: an engine that makes a swarm has the names of both, and stays what it was",
)

streams = Table(
    "streams",
    metadata,
    _id(),
    Column("url", Word, nullable=False, unique=True, comment="Where the events come from, without credentials"),
    Column("dialect", Word, nullable=False, comment="How its messages are decoded: tutum or docker"),
    Column("platform_id", ForeignKey("platforms.id"), comment="What it tells of from now on; NULL: not known yet"),
    comment="Places that events come from",
)

stream_conditions = Table(
    "stream_conditions",
    metadata,
    Column("stream_id", ForeignKey("streams.id"), nullable=False, comment="The stream"),
    Column("about", Word, nullable=False, comment="What it is about: trouble, clock or identity"),
    Column("found_at", Moment, nullable=False, comment="When it was found, microseconds since 1970"),
    Column("value", Word, nullable=False, comment="In words, microseconds, or JSON"),
    Column("receiver_id", ForeignKey("receivers.id"), comment="Whose daemon found it; NULL: imported"),
    PrimaryKeyConstraint("stream_id", "about"),
    comment="How things stand with a stream at present, beside what it says",
)

numbers = Table(
    "numbers",
    metadata,
    Column("name", Word, primary_key=True, comment="Name of a table"),
    Column("last", BigInteger, nullable=False, comment="The last number that was given in it; none is given twice"),
    comment="Numbers given so far; moves in the transaction that writes the rows",
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
    Column("kind", Word, comment="Why it ended, for programs: stopped, lost, refused, silent ..."),
    Column("reason", Word, comment="Why it ended, in words"),
    comment="Connections to a stream, from open to close: when somebody was watching",
)

event_types = _vocabulary("event_types", "type")
event_actions = _vocabulary("event_actions", "action")
event_states = _vocabulary("event_states", "state")

state_kinds = Table(
    "state_kinds",
    metadata,
    Column("state", Word, primary_key=True, comment="A state, its family, or a type and a state; in lower case"),
    Column("kind", Word, nullable=False, comment="up, down, starting or gone"),
    CheckConstraint("state = lower(state)", name="in_lower_case"),
    CheckConstraint("kind IN ('up', 'down', 'starting', 'gone')", name="known"),
    comment="Of what kind each state is; yours to extend. Of what fits a state, the longest counts",
)

days = Table(
    "days",
    metadata,
    Column("day", Word, primary_key=True, comment="The day, 2026-11-23"),
    comment="Every day of UTC from 2013 to 2043, for the views that have a row per day",
    sqlite_with_rowid=False,
)

resources = Table(
    "resources",
    metadata,
    _number(),
    Column("platform_id", ForeignKey("platforms.id"), nullable=False, comment="The platform it lives in"),
    Column("type_id", ForeignKey("event_types.id"), nullable=False, comment="What kind of object it is"),
    Column("key", Word, nullable=False, comment="Identity within the type, on most platforms a uuid"),
    Column("uri", Word, nullable=False, comment="Its URI as first seen"),
    PrimaryKeyConstraint("platform_id", "id"),
    UniqueConstraint("platform_id", "key", "type_id"),  # serves a bare key and its beginnings, of each platform
    comment="Objects of the platforms; (platform, type, key) identifies one in every spelling of its URI",
)

texts = _vocabulary("texts", "name, image or slot of an object, and all tags of one")

parent_lists = Table(
    "parent_lists",
    metadata,
    _number(),
    _platform("The platform that its members live in"),
    Column("digest", LargeBinary, nullable=False, comment="What tells the list from all others"),
    PrimaryKeyConstraint("platform_id", "id"),
    UniqueConstraint("platform_id", "digest"),
    comment="Every distinct list of parents, once",
)

parent_list_members = Table(
    "parent_list_members",
    metadata,
    _platform("The platform that they live in"),
    Column("list_id", Id, nullable=False, comment="The list"),
    Column("position", SmallInteger, nullable=False, comment="Place in the list, from 0"),
    Column("resource_id", Id, nullable=False, comment="The parent"),
    PrimaryKeyConstraint("platform_id", "list_id", "position"),
    comment="The parents in each list, in its order",
    sqlite_with_rowid=False,
)

shared_texts = Table(
    "shared_texts",
    metadata,
    _number(),
    _platform("The platform that said it"),
    Column("digest", LargeBinary, nullable=False, comment="What tells the text from all others"),
    Column("text", Word, nullable=False, comment="Members of a JSON object, without its braces: mostly labels"),
    PrimaryKeyConstraint("platform_id", "id"),
    UniqueConstraint("platform_id", "digest"),
    comment="What events and observations repeat word for word, once",
)

# No foreign keys from here on: they cost a PostgreSQL server three times the work of the rows. The recorder is the only
# writer, and `archiver db check` looks for rows that point nowhere.
events = Table(
    "events",
    metadata,
    _number(),
    _platform("The platform that it happened in"),
    Column("session_id", Id, comment="The session it came in; NULL when imported without"),
    Column("resource_id", Id, nullable=False, comment="The object it tells about; 0: none"),
    Column("type_id", Id, nullable=False, comment="Its type"),
    Column("action_id", Id, comment="Its action: create, update, delete ..."),
    Column("state_id", Id, comment="The state the object is in from now on"),
    Column("parent_list_id", Id, comment="The parents it names; NULL when none"),
    Column("name_id", Id, comment="The name it gives the object; NULL when none"),
    Column("image_id", Id, comment="The image it says the object is made of; NULL when none"),
    Column("slot_id", Id, comment="The slot it says the object fills; NULL when none"),
    Column("tags_id", Id, comment="All the tags it says the object bears, as a JSON list; NULL when it says nothing"),
    Column("occurred_at", Instant, nullable=False, comment="When it happened, UTC"),
    Column(
        "time_source",
        SmallInteger,
        nullable=False,
        comment="Where occurred_at is from: 0 received, 1 datetime, 2 date, 3 when it was told, by each who tells anew,"
        " 4 the clock of an engine, put right by each who hears",
    ),
    Column("received_at", Moment, nullable=False, comment="When it was received, microseconds since 1970"),
    Column("uuid", LargeBinary, comment="The platform's own identifier; 16 bytes of a uuid, else its text in UTF-8"),
    Column("extra", Word, comment="JSON object of everything the columns do not hold, but what is shared"),
    *_shared(),
    PrimaryKeyConstraint("platform_id", "resource_id", "occurred_at", "id"),
    comment="Everything that happened: one row per event, in the order of archiving",
)

# Apart from the events, since no unique index over all of their months could leave out when an event happened.
told_anew = Table(
    "told_anew",
    metadata,
    _platform("The platform that the event happened in"),
    Column("uuid", LargeBinary, nullable=False, comment="The event's uuid, as `events` has it"),
    Column("event_id", Id, nullable=False, comment="The event"),
    PrimaryKeyConstraint("platform_id", "uuid"),
    comment="The events that have another time with each who tells or hears: their uuids alone say which they are",
    sqlite_with_rowid=False,
)

tellings = Table(
    "tellings",
    metadata,
    _platform("The platform that the event happened in"),
    Column("event_id", Id, nullable=False, comment="The event"),
    Column("session_id", Id, nullable=False, comment="A session that told it as well"),
    Column("received_at", Moment, nullable=False, comment="When it was received there, microseconds since 1970"),
    PrimaryKeyConstraint("platform_id", "event_id", "session_id"),
    comment="Who else told of an event, beside the session it was first received in",
    sqlite_with_rowid=False,
)

observations = Table(
    "observations",
    metadata,
    _number(),
    _platform("The platform that was asked"),
    Column("session_id", Id, comment="The session in which was asked"),
    Column("resource_id", Id, nullable=False, comment="The object asked about"),
    Column("state_id", Id, comment="The state it was found in"),
    Column("parent_list_id", Id, comment="The parents it was found to have; NULL when none were told"),
    Column("name_id", Id, comment="The name it was found to have; NULL when none was told"),
    Column("image_id", Id, comment="The image it was found to be made of; NULL when none was told"),
    Column("slot_id", Id, comment="The slot it was found to fill; NULL when none was told"),
    Column("tags_id", Id, comment="All the tags it was found to bear, as a JSON list; NULL when nothing was told"),
    Column("observed_at", Instant, nullable=False, comment="When it was so, by the answer, UTC"),
    Column("extra", Word, comment="JSON object of what else the platform told, but what is shared"),
    *_shared(),
    Column(
        "mark",
        Moment,
        comment="What tells the life and state that it was found in from all others (storage.marks): two answers in a"
        " row with one mark prove that nothing changed between them; NULL: it proves nothing",
    ),
    PrimaryKeyConstraint("platform_id", "resource_id", "observed_at", "id"),
    comment="States learnt by asking the platform; never events",
)

rejects = Table(
    "rejects",
    metadata,
    _number(),
    _platform("The platform that told it; 0: not known"),
    Column("session_id", Id, comment="The session it came in"),
    Column("received_at", Moment, nullable=False, comment="When it was received, microseconds since 1970"),
    Column("reason", Word, nullable=False, comment="Why it could not become an event"),
    Column("payload", LargeBinary, nullable=False, comment="The message, byte for byte"),
    Column("retried_at", Moment, comment="When it was tried again last, in vain, microseconds since 1970; NULL: never"),
    PrimaryKeyConstraint("platform_id", "id"),
    comment="Messages that could not become events",
)

facts = Table(
    "facts",
    metadata,
    _platform("The platform that the object lives in"),
    Column("resource_id", Id, nullable=False, comment="The object it is true of"),
    Column(
        "what",
        SmallInteger,
        nullable=False,
        comment="1: it is under `value`; 2: applies to it; 3: is called so; 4: is of that image; 5: fills that slot;"
        " 6: bears those tags",
    ),
    Column("since", Moment, nullable=False, comment="From when on, microseconds since 1970"),
    Column("value", Id, nullable=False, comment="A resource, of 3 to 6 a text; 0: an action that names no object"),
    Column("until", Moment, nullable=False, comment="Until when, exclusive; 2^62: still so"),
    Column("node", Moment, nullable=False, comment="Place in the interval tree (storage.intervals)"),
    Column("told_by", Id, comment="The event, or the observation where asked, that told"),
    Column("how", SmallInteger, nullable=False, comment="0: told; 1: asked; 2: inferred from what others say"),
    PrimaryKeyConstraint("platform_id", "resource_id", "what", "since", "value"),
    comment="What was true of an object from when until when: what it was under, applied to, was called, was made of",
    sqlite_with_rowid=False,
)

implied = Table(
    "implied",
    metadata,
    _platform("The platform that the object lives in"),
    Column("resource_id", Id, nullable=False, comment="The object that others say something of"),
    Column("type_id", Id, nullable=False, comment="The type of the parent they put it under"),
    Column("since", Moment, nullable=False, comment="From when on, microseconds since 1970"),
    Column("value", Id, nullable=False, comment="That parent"),
    Column("told_by", Id, comment="The event that said so first"),
    PrimaryKeyConstraint("platform_id", "resource_id", "type_id", "since"),
    comment="What the lists of others prove about an object's place; counts where it never said so itself",
    sqlite_with_rowid=False,
)

present = Table(
    "present",
    metadata,
    Column("resource_id", Id, nullable=False, autoincrement=False, comment="The object"),
    _platform("The platform that it lives in"),
    Column("type_id", Id, nullable=False, comment="Its type"),
    Column("first_at", Moment, nullable=False, comment="When it was first heard of, microseconds since 1970"),
    Column("last_at", Moment, comment="When its last word was said; NULL: only others ever named it"),
    Column("last_source", SmallInteger, comment="What that word was: 0 an event, 1 an observation"),
    Column("state_id", Id, comment="The last state known"),
    Column("state_since", Moment, comment="Since when it has been in that state"),
    Column("state_at", Moment, comment="When that state was told or found last"),
    Column("state_source", SmallInteger, comment="What told or found it first: 0 an event, 1 an observation"),
    Column("gone_at", Moment, comment="Since when it is no more; NULL: it lives"),
    Column(
        "lasted",
        SmallInteger,
        nullable=False,
        comment="From first to gone it lived for less than 2^lasted microseconds (storage.lasting); 63: it lives",
    ),
    Column("name_id", Id, comment="The last name known"),
    Column("image_id", Id, comment="The last image known"),
    Column("slot_id", Id, comment="The last slot known"),
    Column("tags_id", Id, comment="The last tags known"),
    Column("list_id", Id, comment="The last list of parents"),
    Column("heads", SmallInteger, nullable=False, comment="1: something was ever under it"),
    PrimaryKeyConstraint("platform_id", "resource_id"),
    comment="One row per object: how it stands now",
)

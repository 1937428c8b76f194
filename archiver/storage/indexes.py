"""Says which key and which index serves which question, on either database.

What grows has `platform_id` first in every key of PostgreSQL, and in every index of an object or a value: the tables
can be divided by platform (and events by month), and a question about one platform reads in one part only.

On SQLite, where nothing is divided, `platform_id` leads no index at all: without statistics SQLite takes what one
platform has for as few rows as one object has, and would read a whole platform where a range of time, or a dozen
objects, are asked for. Numbers are unique in the whole archive, so its keys do without the platform; its indexes have
it behind the object, so that whoever asks for both needs not read the row.

Apart from the tables, since only migrations need it: naming a database's own option makes SQLAlchemy load that
database's dialect, which a reader of the other one would pay for at every start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Constraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import DDLCompiler, SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from archiver.storage import schema
from archiver.storage.lasting import BEGAN, CLASS
from archiver.storage.views.idioms import IDIOMS

sessions, resources, events, facts = schema.sessions.c, schema.resources.c, schema.events.c, schema.facts.c
present, observations, members = schema.present.c, schema.observations.c, schema.parent_list_members.c
_SQLITE, _POSTGRES = "sqlite", "postgresql"
_NUMBERED = (
    *(schema.events, schema.observations, schema.rejects),
    *(schema.resources, schema.parent_lists, schema.shared_texts),
)


@compiles(PrimaryKeyConstraint, "sqlite")
def _key_of_sqlite(key: PrimaryKeyConstraint, compiler: DDLCompiler, **_options: Any) -> str:
    """The number of the row where it has one, else the key of PostgreSQL without the platform, if there are numbers."""
    names = _platform_behind(key.columns)
    if "platform_id" in names and key.table is not schema.told_anew:
        names = ["id"] if "id" in key.table.c else [name for name in names if name != "platform_id"]
    return _named(key, compiler, "PRIMARY KEY", names)


@compiles(UniqueConstraint, "sqlite")
def _unique_of_sqlite(key: UniqueConstraint, compiler: DDLCompiler, **_options: Any) -> str:
    """A key or a digest with the platform behind it."""
    return _named(key, compiler, "UNIQUE", _platform_behind(key.columns))


def _platform_behind(columns: Iterable[Column[Any]]) -> list[str]:
    first, *others = [column.name for column in columns]
    return [others[0], first, *others[1:]] if first == "platform_id" else [first, *others]


def _named(key: Constraint, compiler: DDLCompiler, kind: str, names: list[str]) -> str:
    quote = compiler.preparer.quote
    named = f"CONSTRAINT {compiler.preparer.format_constraint(key)} " if key.name else ""
    return f"{named}{kind} ({', '.join(map(quote, names))})"


def _only(dialect: str, *columns: Any, name: str | None = None, unique: bool = False) -> Index:
    """An index that one of the databases has."""
    return Index(name, *columns, unique=unique, info={"only": dialect}).ddl_if(dialect=dialect)


def _of_object(*columns: Column[Any]) -> tuple[Index, Index]:
    """An index of an object or a value: the platform leads it on PostgreSQL, on SQLite it stands behind the object."""
    platform = columns[0].table.c.platform_id
    return _only(_POSTGRES, platform, *columns), _only(_SQLITE, columns[0], platform, *columns[1:])


def _where(condition: ColumnElement[bool], *columns: Column[Any]) -> Index:
    """An index of the rows that fulfil a condition."""
    return Index(None, *columns, sqlite_where=condition, postgresql_where=condition)


class _Micros(FunctionElement[int]):
    """An instant as the views write it in microseconds: so their filters by number find the index."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Micros)
def _written(element: _Micros, compiler: SQLCompiler, **options: Any) -> str:
    (instant,) = element.clauses
    return f"({IDIOMS[compiler.dialect.name].micros(compiler.process(instant, **options))})"


_tagged = facts.what == literal_column(str(schema.TAGS))
_is_run = facts.what == literal_column(str(schema.TARGET))


def _of_runs(name: str, *columns: Column[Any]) -> Iterator[Index]:
    """An index of actions; on SQLite it has all that is asked of them, the platform too, so that no row is read."""
    for dialect, more in ((_POSTGRES, ()), (_SQLITE, (facts.platform_id,))):
        index = Index(name, *columns, *more, sqlite_where=_is_run, postgresql_where=_is_run, info={"only": dialect})
        yield index.ddl_if(dialect=dialect)


def _of_tags() -> Iterator[Index]:
    """The index of tags: the platform leads it on PostgreSQL, on SQLite it stands behind the object."""
    f = facts
    for dialect, columns in ((_POSTGRES, (f.platform_id, f.resource_id)), (_SQLITE, (f.resource_id, f.platform_id))):
        info = {"only": dialect}
        index = Index("ix_facts_tags", *columns, f.since, sqlite_where=_tagged, postgresql_where=_tagged, info=info)
        yield index.ddl_if(dialect=dialect)


EXPRESSIONS = frozenset({"ix_events_occurred_us", "ix_observations_observed_us", "ix_present_lived"})
"""Indexes of expressions: what a database tells of them cannot be compared with what is written here."""

INDEXES = (
    Index(None, sessions.stream_id, sessions.covered_from),  # coverage of a range
    Index(None, resources.uri),  # the views, filtered by uri
    # The words of one object, in their order. PostgreSQL has its key for that.
    _only(_SQLITE, events.resource_id, events.platform_id, events.occurred_at),
    _only(_SQLITE, observations.resource_id, observations.platform_id, observations.observed_at),
    # What is told twice: a platform's uuid has a time of its own with it. On SQLite it serves ranges of time as well.
    _only(_SQLITE, events.occurred_at, events.uuid, events.platform_id, name="uq_events_occurred_at_uuid", unique=True),
    _only(
        _POSTGRES, events.platform_id, events.occurred_at, events.uuid, name="uq_events_occurred_at_uuid", unique=True
    ),
    _only(_POSTGRES, events.occurred_at),
    Index(None, observations.observed_at),  # those of a range of time
    # The same ranges, given as numbers.
    Index("ix_events_occurred_us", _Micros(events.occurred_at)),
    Index("ix_observations_observed_us", _Micros(observations.observed_at)),
    # The last number, and who goes on behind the last row that he has: exports and cursors.
    *(_only(_POSTGRES, table.c.id) for table in _NUMBERED),
    # The interval tree: what holds at an instant, and over a range (storage.intervals).
    *_of_object(facts.value, facts.what, facts.node, facts.until, facts.resource_id),
    *_of_object(facts.value, facts.what, facts.node, facts.since, facts.resource_id),
    # Actions of a range of time, whatever they apply to.
    *_of_runs("ix_facts_since", facts.since),
    *_of_runs("ix_facts_node_until", facts.node, facts.until),
    # What bore tags when; of any other fact it has no row.
    *_of_tags(),
    # Which objects name another in their list, whatever follows from it: what an event is under.
    *_of_object(members.resource_id, members.list_id),
    *_of_object(present.list_id),
    Index(None, present.type_id, present.first_at),  # what appeared when; all of a type
    Index(None, present.first_at),  # what appeared when, whatever it is
    # What lived when (storage.lasting).
    Index("ix_present_lived", present.type_id, literal_column(f"({CLASS})"), literal_column(f"({BEGAN})")),
    # What lives. Without anything that every word changes: PostgreSQL then writes no index at all for a word (HOT).
    # Of equal indexes SQLite takes any: with `gone_at` in it, this one serves better than that of what appeared.
    _where(present.gone_at.is_(None), present.type_id, present.gone_at),
    _where(present.gone_at.is_not(None), present.gone_at),  # what has ended since when
)

metadata = schema.metadata
"""Tables and indexes: everything that the migrations make but the views."""

"""Says which index serves which question.

Apart from the tables, since only migrations need it: naming a database's own option makes SQLAlchemy load that
database's dialect, which a reader of the other one would pay for at every start.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Index, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from archiver.storage import schema
from archiver.storage.views.idioms import IDIOMS

sessions, resources, events, facts = schema.sessions.c, schema.resources.c, schema.events.c, schema.facts.c
present = schema.present.c


def _where(condition: ColumnElement[bool], *columns: Column[Any], unique: bool = False) -> Index:
    """An index of the rows that fulfil a condition."""
    return Index(None, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


class _Micros(FunctionElement[int]):
    """An instant as the views write it in microseconds: so their filters by number find the index."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Micros)
def _written(element: _Micros, compiler: SQLCompiler, **options: Any) -> str:
    (instant,) = element.clauses
    return f"({IDIOMS[compiler.dialect.name].micros(compiler.process(instant, **options))})"


_is_run = facts.what == literal_column(str(schema.TARGET))
_anew = events.uuid.is_not(None) & events.time_source.in_([literal_column(number) for number in "034"])

BY_NUMBER = frozenset({"ix_events_occurred_us", "ix_observations_observed_us"})
"""Indexes of expressions: what a database tells of them cannot be compared with what is written here."""

INDEXES = (
    Index(None, sessions.stream_id, sessions.covered_from),  # coverage of a range
    Index(None, resources.uri),  # the views, filtered by uri
    Index(None, events.resource_id, events.occurred_at),  # the words of one object, in their order
    # One index for ranges of time and for what is told twice: a platform's uuid has a time of its own with it.
    Index("uq_events_occurred_at_uuid", events.occurred_at, events.uuid, events.platform_id, unique=True),
    # But for those that have another time with each who tells or hears.
    _where(_anew, events.uuid, events.platform_id, unique=True),
    Index(None, schema.observations.c.resource_id, schema.observations.c.observed_at),
    Index(None, schema.observations.c.observed_at),  # those of a range of time
    # The same ranges, given as numbers.
    Index("ix_events_occurred_us", _Micros(events.occurred_at)),
    Index("ix_observations_observed_us", _Micros(schema.observations.c.observed_at)),
    # The interval tree: what holds at an instant, and over a range (storage.intervals).
    Index(None, facts.value, facts.what, facts.node, facts.until, facts.resource_id),
    Index(None, facts.value, facts.what, facts.node, facts.since, facts.resource_id),
    # Actions of a range of time, whatever they apply to.
    _where(_is_run, facts.since),
    _where(_is_run, facts.node, facts.until),
    # Which objects name another in their list, whatever follows from it: what an event is under.
    Index(None, schema.parent_list_members.c.resource_id, schema.parent_list_members.c.list_id),
    Index(None, present.list_id),
    Index(None, present.type_id, present.first_at),  # what appeared when; all of a type
    # What lives. Without anything that every word changes: PostgreSQL then writes no index at all for a word (HOT).
    # Of equal indexes SQLite takes any: with `gone_at` in it, this one serves better than that of what appeared.
    _where(present.gone_at.is_(None), present.type_id, present.gone_at),
    _where(present.gone_at.is_not(None), present.gone_at),  # what lived at an instant, and has ended since
)

metadata = schema.metadata
"""Tables and indexes: everything that the migrations make but the views."""

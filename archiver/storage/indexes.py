"""Says which index serves which question.

Apart from the tables, since only migrations need it: naming a database's own option makes SQLAlchemy load that
database's dialect, which a reader of the other one would pay for at every start.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index

from archiver.storage import schema

sessions, resources, events = schema.sessions.c, schema.resources.c, schema.events.c


def _where_given(column: Column[Any], *, unique: bool = False) -> Index:
    """An index of the rows where the column is not NULL."""
    given = column.is_not(None)
    return Index(None, column, unique=unique, sqlite_where=given, postgresql_where=given)


INDEXES = (
    Index(None, sessions.stream_id, sessions.covered_from),  # coverage of a range
    Index(None, resources.uri),  # the views, filtered by uri
    Index(None, resources.type_id),  # all actions, all containers
    _where_given(resources.name),  # references by name
    _where_given(resources.target_id),  # action_log, filtered by target
    Index(None, events.resource_id, events.occurred_at),  # history of one object, state_spans
    Index(None, events.occurred_at),  # the last N, ranges of time
    _where_given(events.uuid, unique=True),  # duplicates
    Index(None, schema.resource_parents.c.parent_id, schema.resource_parents.c.child_id),  # everything under one object
    Index(None, schema.observations.c.resource_id, schema.observations.c.observed_at),  # history of one object
)

metadata = schema.metadata
"""Tables and indexes: everything that the migrations make but the views."""

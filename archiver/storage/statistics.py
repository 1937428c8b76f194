"""Has PostgreSQL's planner know what has just come in: by itself it looks within a minute or so, and at first never.

SQLite needs none: each question there is written so that it finds its index without statistics.
"""

from __future__ import annotations

from sqlalchemy import Connection

from archiver.storage import schema

MANY = 10_000
"""So many new events make the planner's old numbers wrong."""


def renew(connection: Connection) -> None:
    """Takes the statistics of all tables anew, of a sample each; what the role does not own stays as it was.

    So does what somebody else has locked: a VACUUM, or an index that is being made, may take hours.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {', '.join(schema.metadata.tables)}")

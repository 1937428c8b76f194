"""Makes the tables and views of this program's revision in a database that has none."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table
from sqlalchemy.schema import CreateTable

from archiver.platforms.facts import KINDS
from archiver.storage import schema
from archiver.storage.database.foreign import APPLICATION_ID
from archiver.storage.database.revision import HEAD
from archiver.storage.kinds import rows_of
from archiver.storage.numbers import first_rows

# As Alembic makes it (alembic.ddl.impl.DefaultImpl.version_table_impl).
versions = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def make_all(connection: Connection, kinds: Mapping[str, str] | None = None) -> None:
    """Makes everything, in the transaction of the connection; `kinds`: of what kind states are there."""
    make_tables(connection, kinds)
    make_views(connection)
    connection.execute(CreateTable(versions))
    connection.execute(versions.insert().values(version_num=HEAD))


def make_tables(connection: Connection, kinds: Mapping[str, str] | None = None) -> None:
    """Makes the tables and their indexes, and the rows without which nothing can be written."""
    from archiver.storage.indexes import metadata
    from archiver.storage.views.days import first_days

    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
    metadata.create_all(connection, checkfirst=False)
    connection.execute(schema.numbers.insert(), first_rows())
    connection.execute(schema.state_kinds.insert(), rows_of(kinds or KINDS))
    connection.exec_driver_sql(first_days(connection.dialect.name))


def make_views(connection: Connection, *, again: bool = False) -> None:
    """Makes the views; `again`: where they are, they are replaced, so that what stands on them goes on (PostgreSQL)."""
    from archiver.storage.views import VIEWS

    for view in VIEWS:
        for statement in view.create(connection.dialect.name):
            if again:
                statement = statement.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
            connection.exec_driver_sql(statement)

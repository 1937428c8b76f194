"""Runs migrations: for the archiver (a connection is handed over), by hand (ARCHIVER_DATABASE_URL), or as SQL."""

import os

from alembic import context

from archiver.storage.database.engine import writing_engine
from archiver.storage.indexes import metadata

config = context.config
OPTIONS = {
    "target_metadata": metadata,
    "render_as_batch": True,
    # One transaction for everything: BEGIN is ours on SQLite, so DDL rolls back there too.
    "transactional_ddl": True,
}


def run_offline() -> None:
    context.configure(
        dialect_name=config.attributes.get("dialect") or "sqlite",
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        **OPTIONS,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_on(connection) -> None:
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    connection = config.attributes.get("connection")
    if connection is not None:
        run_on(connection)
        return
    engine = writing_engine(os.environ["ARCHIVER_DATABASE_URL"])
    with engine.begin() as connection:
        run_on(connection)
    engine.dispose()


if context.is_offline_mode():
    run_offline()
else:
    run_online()

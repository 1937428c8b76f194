"""Makes SQLAlchemy's engine for a PostgreSQL archive, out of the driver's connections."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import NullPool

from archiver.storage.database.address import shown_url
from archiver.storage.database.judging import said
from archiver.storage.database.postgres_driver import (
    BEGIN_READING,
    BEGIN_WRITING,
    INSUFFICIENT_PRIVILEGE,
    arguments,
    connect,
    right_missing,
)

_POOL = "archiver"
# What fails when a lost connection is given back is said by whoever used it: the pool adds but a traceback to the log.
logging.getLogger(f"{NullPool.__module__}.{NullPool.__name__}.{_POOL}").setLevel(logging.CRITICAL)


def postgres_engine(url: str, *, read_only: bool) -> Engine:
    """An engine for a URL as libpq reads it.

    Raises ConfigurationWrong when it cannot be read, or when the driver is not installed.
    """
    database = shown_url(url)
    told = arguments(url)
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(told),
        poolclass=NullPool,
        pool_logging_name=_POOL,
        hide_parameters=True,
        use_native_hstore=False,  # or every engine would ask the server for that type
    )
    begin = BEGIN_READING if read_only else BEGIN_WRITING

    @event.listens_for(engine, "connect")
    def _name(_connection: Any, record: Any) -> None:
        record.info["database"] = database

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    if read_only:
        event.listen(engine, "handle_error", _say_what_to_grant)
    return engine


def _say_what_to_grant(context: ExceptionContext) -> BaseException | None:
    """What is raised instead of the driver's error."""
    error, connection = context.original_exception, context.connection
    if getattr(error, "sqlstate", None) != INSUFFICIENT_PRIVILEGE or connection is None:
        return None
    driver = connection.connection.driver_connection
    assert driver is not None
    quoted = connection.dialect.identifier_preparer.quote
    place = quoted(connection.dialect.default_schema_name or "public")
    return right_missing(connection.info["database"], said(error), place, quoted(driver.info.user))

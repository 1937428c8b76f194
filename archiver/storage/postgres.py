"""Connects to a PostgreSQL archive: with its owner's settings, but for the few that the archiver relies on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import NullPool

from archiver.errors import ConfigurationWrong, RightMissing
from archiver.storage.address import libpq_url, shown_url

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 5
"""How long one host may take to answer, where neither the URL nor the environment says."""

# They come with every transaction's BEGIN, in one message: behind PgBouncer the next transaction may have another
# connection, so what is set for a session is lost, or found by a stranger. Options for the start of a session would
# replace the owner's, and PgBouncer takes none. The isolation level is the one that taking turns to write relies on.
_BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED{mode};"
    " SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres'"
)
_INSUFFICIENT_PRIVILEGE = "42501"


def postgres_engine(url: str, *, read_only: bool) -> Engine:
    """An engine for a URL as libpq reads it.

    Raises ConfigurationWrong when it cannot be read, or when the driver is not installed.
    """
    database = shown_url(url)
    try:
        arguments = _arguments(url)
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: _connect(arguments),
            poolclass=NullPool,
            hide_parameters=True,
            use_native_hstore=False,  # or every engine would ask the server for that type
        )
    except ModuleNotFoundError as error:
        reason = "PostgreSQL needs the driver psycopg, which is not installed; pip install 'psycopg[binary]>=3.3,<4'"
        raise ConfigurationWrong(setting="database", reason=reason, origin="--database") from error
    begin = _BEGIN.format(mode=" READ ONLY" if read_only else "")

    @event.listens_for(engine, "connect")
    def _name(_connection: Any, record: Any) -> None:
        record.info["database"] = database

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    if read_only:
        event.listen(engine, "handle_error", _say_what_to_grant)
    return engine


def _arguments(url: str) -> dict[str, Any]:
    """What to give libpq: all that the URL says, and what is ours."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        arguments = conninfo_to_dict(libpq_url(url))
    except ValueError as error:
        raise ConfigurationWrong(setting="database", reason=str(error), origin="--database") from None
    except ProgrammingError as error:
        # What follows the colon is quoted from the URL, and may be a part of the password.
        reason = str(error).partition(': "')[0].strip()
        raise ConfigurationWrong(setting="database", reason=reason, origin="--database") from None
    if "PGCONNECT_TIMEOUT" not in os.environ:
        arguments.setdefault("connect_timeout", CONNECT_SECONDS)
    # PgBouncer keeps this one apart for each of its clients, and hands it on.
    return {**arguments, "client_encoding": "UTF8"}


def _connect(arguments: dict[str, Any]) -> psycopg.Connection[Any]:
    import psycopg

    # The driver's own BEGIN would cost a message without our settings. A prepared statement would be looked for in
    # whatever connection PgBouncer gives next.
    return psycopg.connect(autocommit=True, prepare_threshold=None, **arguments)


def said(error: BaseException | None) -> str:
    """What a driver's error says in one line; of PostgreSQL without detail and context, which quote rows."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    return " ".join(str(primary or error).split())[:300]


def require_schema(connection: Connection) -> None:
    """Raises RightMissing when what was not found may lie in a schema of the search path that this role may not use."""
    path = "SELECT btrim(part, ' \"') FROM unnest(string_to_array(current_setting('search_path'), ',')) part"
    hidden = (
        f"SELECT nspname FROM pg_namespace WHERE nspname IN (SELECT replace(name, '$user', current_user) FROM ({path})"
        " AS parts (name)) AND NOT has_schema_privilege(oid, 'USAGE') ORDER BY nspname LIMIT 1"
    )
    schema = connection.scalar(text(hidden))
    if schema is not None:
        reason = f"the schema {schema} may not be used"
        raise RightMissing(database=connection.info["database"], reason=reason, grant=_grant(connection, schema))


def _say_what_to_grant(context: ExceptionContext) -> BaseException | None:
    """What is raised instead of the driver's error."""
    error, connection = context.original_exception, context.connection
    if getattr(error, "sqlstate", None) != _INSUFFICIENT_PRIVILEGE or connection is None:
        return None
    grant = _grant(connection, connection.dialect.default_schema_name or "public")
    return RightMissing(database=connection.info["database"], reason=said(error), grant=grant)


def _grant(connection: Connection, schema: str) -> str:
    """The statements by which the owner of an archive lets the role of a connection read it."""
    driver = connection.connection.driver_connection
    assert driver is not None
    quoted = connection.dialect.identifier_preparer.quote
    place, role = quoted(schema), quoted(driver.info.user)
    return f"GRANT USAGE ON SCHEMA {place} TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA {place} TO {role};"

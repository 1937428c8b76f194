"""Connects to a PostgreSQL archive: with its owner's settings, but for the few that the archiver relies on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from archiver.errors import ConfigurationWrong, RightMissing
from archiver.storage.database.address import libpq_url

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = 5
"""How long one host may take to answer, where neither the URL nor the environment says."""

# They come with every transaction's BEGIN, in one message: behind PgBouncer the next transaction may have another
# connection, so what is set for a session is lost, or found by a stranger. Options for the start of a session would
# replace the owner's, and PgBouncer takes none. The isolation level is the one that taking turns to write relies on.
# To compile a question to the views takes a server seconds, which its few rows never bring back.
_BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED{mode};"
    " SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres';"
    " SET LOCAL standard_conforming_strings = on; SET LOCAL extra_float_digits = 1; SET LOCAL jit = off"
)
BEGIN_WRITING = _BEGIN.format(mode="")
# Who reads asks several questions of one moment: a session that opens between two is in neither of the answers.
BEGIN_READING = _BEGIN.replace("READ COMMITTED", "REPEATABLE READ").format(mode=" READ ONLY")
# Every question of ours goes from few rows to what belongs to them, by an index. Of a list of numbers the planner
# expects so many rows that it would rather read and hash a whole table: then the answer costs as much as the archive is
# large. The price: where an answer is nearly all there is, a look-up for each row takes longer than a hash table. What
# somebody asks himself (`archiver sql`, any other client) is left to the planner.
BY_INDEX = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
"""What the planner may not do with a question that is made of look-ups."""
BEGIN_ASKING = "; ".join([BEGIN_READING, *(f"SET LOCAL {way} = off" for way in BY_INDEX)])
INSUFFICIENT_PRIVILEGE = "42501"


def arguments(url: str) -> dict[str, Any]:
    """What to give libpq: all that the URL says, and what is ours.

    Raises ConfigurationWrong when it cannot be read, or when the driver is not installed.
    """
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ModuleNotFoundError as error:
        reason = "PostgreSQL needs the driver psycopg, which is not installed; pip install 'psycopg[binary]>=3.3,<4'"
        raise ConfigurationWrong(setting="database", reason=reason, origin="--database") from error
    try:
        told = conninfo_to_dict(libpq_url(url))
    except ValueError as error:
        raise ConfigurationWrong(setting="database", reason=str(error), origin="--database") from None
    except ProgrammingError as error:
        # What follows the colon is quoted from the URL, and may be a part of the password.
        reason = str(error).partition(': "')[0].strip()
        raise ConfigurationWrong(setting="database", reason=reason, origin="--database") from None
    if "PGCONNECT_TIMEOUT" not in os.environ:
        told.setdefault("connect_timeout", CONNECT_SECONDS)
    # PgBouncer keeps this one apart for each of its clients, and hands it on.
    return {**told, "client_encoding": "UTF8"}


def connect(told: dict[str, Any]) -> psycopg.Connection[Any]:
    """A connection that begins no transaction by itself."""
    import psycopg

    # The driver's own BEGIN would cost a message without our settings. A prepared statement would be looked for in
    # whatever connection PgBouncer gives next.
    return psycopg.connect(autocommit=True, prepare_threshold=None, **told)


# What was not found may lie in a schema of the search path that this role may not use.
_PATH = "SELECT btrim(part, ' \"') FROM unnest(string_to_array(current_setting('search_path'), ',')) part"
HIDDEN_SCHEMA = (
    f"SELECT nspname FROM pg_namespace WHERE nspname IN (SELECT replace(name, '$user', current_user) FROM ({_PATH})"
    " AS parts (name)) AND NOT has_schema_privilege(oid, 'USAGE') ORDER BY nspname LIMIT 1"
)


def right_missing(database: str, reason: str, place: str, role: str) -> RightMissing:
    """The error that says by which statements the owner of an archive lets a role read it; both names are quoted."""
    grant = f"GRANT USAGE ON SCHEMA {place} TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA {place} TO {role};"
    return RightMissing(database=database, reason=reason, grant=grant)

"""Says whether an archive can be made in a database that has none."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, inspect, text

from archiver.errors import DatabaseUnfit
from archiver.storage.database.revision import OF_ITS_OWN

# What SQL_ASCII is given it keeps byte for byte, so it gives back the UTF-8 that every connection writes. Any other
# encoding lacks characters, and each event that has one would become a reject.
_ENCODINGS = ("UTF8", "SQL_ASCII")


def require_room(connection: Connection, database: str) -> None:
    """Raises DatabaseUnfit when tables or texts of an archive have no place; `database` is how messages call it."""
    if (encoding := foreign_encoding(connection)) is not None:
        step = "make a database for it: CREATE DATABASE archive ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0"
        raise DatabaseUnfit(database=database, reason=f"its encoding is {encoding}, not UTF8", step=step)
    if taken := names_taken(connection):
        reason = f"it has {', '.join(taken)} of another program"
        raise DatabaseUnfit(database=database, reason=reason, step=OF_ITS_OWN)


def names_taken(connection: Connection, but: Collection[str] = ()) -> list[str]:
    """Which names of the archive's tables and views are there, but for those that are known to be."""
    from archiver.storage.indexes import metadata
    from archiver.storage.views import VIEWS

    there = inspect(connection)
    names = {*metadata.tables, *(view.name for view in VIEWS), "alembic_version"} - set(but)
    return sorted(names & {*there.get_table_names(), *there.get_view_names()})


def foreign_encoding(connection: Connection) -> str | None:
    """The encoding of a database that cannot hold every text; None when it can."""
    if connection.dialect.name != "postgresql":
        return None
    encoding = str(connection.scalar(text("SHOW server_encoding")))
    return None if encoding in _ENCODINGS else encoding

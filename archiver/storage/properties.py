"""Keeps the properties of an archive: what it has in mind of itself, a text each, by the names of `words`."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from archiver.storage.schema import archive_properties

_c = archive_properties.c


def kept(connection: Connection, name: str, *, locked: bool = False) -> str | None:
    """What is kept under a name, `locked` to the end of the transaction; None where nothing is."""
    asked = select(_c.value).where(_c.key == name)
    return connection.scalar(asked.with_for_update() if locked else asked)


def keep(connection: Connection, name: str, value: str) -> None:
    """Keeps a text under a name, in the place of the one before."""
    if not connection.execute(update(archive_properties).where(_c.key == name).values(value=value)).rowcount:
        connection.execute(insert(archive_properties).values(key=name, value=value))


def drop(connection: Connection, name: str) -> None:
    """Keeps nothing under a name any longer."""
    connection.execute(delete(archive_properties).where(_c.key == name))

"""Says what of an archive was made out of one of 0.1.0: how far that has come, and what was inferred."""

from __future__ import annotations

import json

from sqlalchemy import Connection, delete, insert, select

from archiver.storage.reached import State, inferred, read
from archiver.storage.schema import archive_properties
from archiver.storage.words import UPGRADE

_c = archive_properties.c


def state_of(connection: Connection) -> State | None:
    """How far an upgrade has come; None where there was none. The row is locked to the end of the transaction."""
    found = connection.scalar(select(_c.value).where(_c.key == UPGRADE).with_for_update())
    return None if found is None else read(found)


def keep(connection: Connection, state: State) -> None:
    """Writes down how far an upgrade has come."""
    connection.execute(delete(archive_properties).where(_c.key == UPGRADE))
    connection.execute(insert(archive_properties).values(key=UPGRADE, value=json.dumps(state._asdict())))


def observations_inferred(connection: Connection) -> int:
    """Up to which number observations have a name and parents that their answers did not say; 0 for none."""
    return inferred(connection.scalar(select(_c.value).where(_c.key == UPGRADE)))

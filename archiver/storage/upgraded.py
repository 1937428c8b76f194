"""Says what of an archive was made out of one of 0.1.0: how far that has come, and what was inferred."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from archiver.storage import properties
from archiver.storage.reached import State, inferred, read
from archiver.storage.words import UPGRADE


def state_of(connection: Connection) -> State | None:
    """How far an upgrade has come; None where there was none. The row is locked to the end of the transaction."""
    found = properties.kept(connection, UPGRADE, locked=True)
    return None if found is None else read(found)


def keep(connection: Connection, state: State) -> None:
    """Writes down how far an upgrade has come."""
    properties.keep(connection, UPGRADE, json.dumps(state._asdict()))


def observations_inferred(connection: Connection) -> int:
    """Up to which number observations have a name and parents that their answers did not say; 0 for none."""
    return inferred(properties.kept(connection, UPGRADE))

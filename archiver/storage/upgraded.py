"""Says what of an archive was made out of one of 0.1.0: how far that has come, and what was inferred."""

from __future__ import annotations

import json
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from archiver.storage.first_edition import Reached
from archiver.storage.schema import archive_properties

_KEY = "upgrade"
"""Under which property of the archive it stands."""
_c = archive_properties.c


class State(NamedTuple):
    """How far an upgrade has come, in the archive's own words."""

    of: str
    """The state of the old archive that is read."""
    by: str
    """The program that writes the new one."""
    reached: Reached = Reached()
    done: bool = False
    left: tuple[str, ...] = ()
    """What of the users' own is not there."""


def state_of(connection: Connection) -> State | None:
    """How far an upgrade has come; None where there was none. The row is locked to the end of the transaction."""
    found = connection.scalar(select(_c.value).where(_c.key == _KEY).with_for_update())
    return None if found is None else _read(found)


def keep(connection: Connection, state: State) -> None:
    """Writes down how far an upgrade has come."""
    connection.execute(delete(archive_properties).where(_c.key == _KEY))
    connection.execute(insert(archive_properties).values(key=_KEY, value=json.dumps(state._asdict())))


def observations_inferred(connection: Connection) -> int:
    """Up to which number observations have a name and parents that their answers did not say; 0 for none."""
    found = connection.scalar(select(_c.value).where(_c.key == _KEY))
    return 0 if found is None else _read(found).reached.observations


def _read(value: str) -> State:
    told = json.loads(value)
    return State(told["of"], told["by"], Reached(*told["reached"]), told["done"], tuple(told["left"]))

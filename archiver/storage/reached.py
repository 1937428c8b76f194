"""How far an upgrade from 0.1.0 has come, as an archive keeps it in mind."""

from __future__ import annotations

import json
from typing import NamedTuple


class Reached(NamedTuple):
    """Up to which number the rows of each kind are read."""

    events: int = 0
    observations: int = 0
    rejects: int = 0


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


def read(value: str) -> State:
    """What stands in the archive."""
    told = json.loads(value)
    return State(told["of"], told["by"], Reached(*told["reached"]), told["done"], tuple(told["left"]))


def inferred(value: str | None) -> int:
    """Up to which number observations have a name and parents that their answers did not say; 0 for none."""
    return 0 if value is None else read(value).reached.observations

"""What is noted of an engine for the next run: who it is, what was there, which execs are probes, what is unproven."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import NamedTuple

from archiver.model import Micros
from archiver.platforms.docker.facts import Engine
from archiver.platforms.docker.inventory import Inventory
from archiver.platforms.docker.whose import Known

_MOST = 50_000
"""A machine with more objects is not helped by a note that is written every minute."""


class Unproven(NamedTuple):
    """A session whose coverage is claimed too far: nobody listened for a while, and nothing was compared since."""

    session: str
    since: Micros
    """Until when it is proven, by our clock."""


def write(known: Known | None, engine: Engine, inventory: Inventory, unproven: Unproven | None = None) -> str:
    """The note, as `read` and `unproven_in` take it."""
    there, probes = inventory.remembered()
    if sum(map(len, there.values())) > _MOST:
        there, probes = {}, {}
    who = None
    if known is not None:
        who = {"key": known.key, "id": known.id, "host": known.host, "node": engine.node, "swarm": engine.swarm}
    note = {"engine": who, "there": there, "probes": probes}
    return json.dumps(note if unproven is None else note | {"unproven": unproven}, sort_keys=True)


def unproven_in(note: str) -> Unproven | None:
    """What of the last session is not proven, if anything."""
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        session, since = json.loads(note)["unproven"]
        return Unproven(str(session), int(since))
    return None


def read(note: str, inventory: Inventory) -> tuple[Known, Engine] | None:
    """Fills an inventory that is empty, and says who the engine is; a note that is none says nothing."""
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found = json.loads(note)
        there = {str(kind): [str(uri) for uri in uris] for kind, uris in found["there"].items()}
        probes = {str(key): str(mark) for key, mark in found["probes"].items()}
        if (who := found["engine"]) is not None:
            key, told, host, node, swarm = (str(who[name]) for name in ("key", "id", "host", "node", "swarm"))
            inventory.recall(Engine(key, node, swarm), there, probes)
            return Known(key, told, host), inventory.engine
        inventory.recall(Engine(), there, probes)
    return None

"""Who did something, where a source says so."""

from __future__ import annotations

from collections.abc import Iterable

from archiver.codec.text import parse
from archiver.model import Number
from archiver.platforms.facts import OF_ENGINES, text
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, statement

ENGINE, SWARM = "engine", "swarm"
"""Who does things by itself: an engine probes the health of its containers, a swarm makes those of its services."""

# No engine says who did something: what is kept of its messages, which is much, is not even looked at.
_KEPT = (
    "SELECT w.resource_id, w.extra FROM {} w"
    " JOIN resources r ON r.platform_id = w.platform_id AND r.id = w.resource_id"
    " WHERE w.platform_id = :platform AND w.resource_id IN :numbers AND r.uri NOT LIKE :engines AND w.extra LIKE :told"
    " ORDER BY w.resource_id, w.id"
)


def doers(connection: Connection, actions: Iterable[Number]) -> dict[int, str]:
    """Who did some actions, by their numbers: the `user` of a Docker Cloud; of the others nobody says who."""
    found: dict[int, str] = {}
    like = {"engines": f"{OF_ENGINES}%", "told": '%"user":%'}
    for among in by_platform(actions):
        for table in ("events", "observations"):
            for row in connection.execute(statement(_KEPT.format(table)), among.values(**like)):
                if name := text(parse(row.extra), "user"):
                    found.setdefault(row.resource_id, name)
    return found

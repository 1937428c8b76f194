"""Says what the messages of a Docker Engine last told of it, by which its words are known from all others'."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from archiver.storage import schema
from archiver.storage.stream_rows import known_stream

_LOOKED_AT = 20


def engine_of(connection: Connection, url: str) -> dict[str, str] | None:
    """What the messages of a Docker Engine last said it is: `engine`, `node`, `swarm`, each where it is known.

    Empty for a stream of a platform whose keys are the same everywhere; None when nothing tells.
    """
    stream = known_stream(connection, url)
    if stream is None:
        return None
    if stream.dialect != "docker":
        return {}
    own = select(schema.sessions.c.id).where(schema.sessions.c.stream_id == stream.id)
    for table in (schema.events, schema.observations):
        told = select(table.c.extra).where(table.c.session_id.in_(own), table.c.extra.contains('"engine":'))
        for extra in connection.scalars(told.order_by(table.c.id.desc()).limit(_LOOKED_AT)):
            if found := _engine(json.loads(extra)):
                return found
    return None


def _engine(extra: dict[str, Any]) -> dict[str, str] | None:
    """What the envelope of a message says of its engine, or what was observed of the node that it is."""
    engine, node = extra.get("engine"), extra.get("node", extra.get("id"))
    if type(engine) is not str or not engine:
        return None
    found = {"engine": engine, "node": node if node != engine else None, "swarm": extra.get("swarm")}
    return {key: text for key, text in found.items() if type(text) is str and text}

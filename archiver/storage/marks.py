"""Says what in an answer tells the life in which an object was found: with the same in two answers nothing changed."""

from __future__ import annotations

import hashlib
from typing import Any

from archiver.codec.text import dump, parse
from archiver.codec.uris import parse as parse_uri
from archiver.model import Observation

_OF_SWARM = ("updated", "created")
_PROVING: dict[str, tuple[tuple[str, ...], ...]] = {
    "container": (("started", "finished", "restarts"), ("started_datetime", "stopped_datetime")),
    # Every change of one of these in the store of a swarm moves the date of its update; a node's own state, too.
    **dict.fromkeys(("service", "node", "secret", "config"), (_OF_SWARM,)),
    "network": (("created", "id"),),
    "volume": (("created",),),
    "image": (("id", "created"),),
}
"""What an answer about an object of each type says of its life, the first of which it has to say: of an engine's, and
of a container of Tutum or Docker Cloud. Of stacks, services and nodes their API tells no date that every change moves.
"""
_BYTES = 8


def mark_of(found: Observation) -> int | None:
    """A number for the state and the life that an object was found in; None when the answer does not tell the life."""
    if found.state is None or found.extra is None:
        return None
    proving = _PROVING.get(parse_uri(found.uri).type)
    if proving is None:
        return None
    extra = parse(found.extra)
    if type(extra) is not dict:
        return None
    for names in proving:
        values = [_plain(extra.get(name)) for name in names]
        if values[0] is not None:
            told = dump([found.state.lower(), *values]).encode()
            return int.from_bytes(hashlib.sha256(told).digest()[:_BYTES], "big", signed=True)
    return None


def _plain(value: Any) -> str | int | None:
    """A date, a number or an id; None for anything else."""
    return value if type(value) in (str, int) and value != "" else None

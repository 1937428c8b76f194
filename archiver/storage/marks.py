"""Says what in an answer tells the life in which an object was found: with the same in two answers nothing changed."""

from __future__ import annotations

import hashlib
from typing import Any

from archiver.codec.text import dump, parse
from archiver.codec.uris import parse as parse_uri
from archiver.model import Observation

_OF_SWARM = ("updated", "created")
_PROVING: dict[str, tuple[str, ...]] = {
    "container": ("started", "finished", "restarts"),
    # Every change of one of these in the store of a swarm moves the date of its update; a node's own state, too.
    **dict.fromkeys(("service", "node", "secret", "config"), _OF_SWARM),
    "network": ("created", "id"),
    "volume": ("created",),
    "image": ("id", "created"),
}
"""What an answer about an object of each type says of its life, the first of which it has to say.

Tutum and Docker Cloud tell of a container when it was started and stopped; of other objects no date that every change
moves.
"""
_BYTES = 8


def mark_of(found: Observation) -> int | None:
    """A number for the state and the life that an object was found in; None when the answer does not tell the life."""
    if found.state is None or found.extra is None:
        return None
    names = _PROVING.get(parse_uri(found.uri).type)
    if names is None:
        return None
    try:
        extra = parse(found.extra)
    except (ValueError, RecursionError):  # kept by an older version, or written by others
        return None
    values = [_plain(extra.get(name)) for name in names] if type(extra) is dict else [None]
    if values[0] is None:
        return None
    told = dump([found.state.lower(), *values]).encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:_BYTES], "big", signed=True)


def _plain(value: Any) -> str | int | None:
    """A date, a number or an id; None for anything else."""
    return value if type(value) in (str, int) and value != "" else None

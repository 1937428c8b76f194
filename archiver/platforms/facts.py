"""What is known of the objects of all platforms together: who archives or asks knows none of them by name.

Where two say something of the same kind it is the union: no word of one means something else on another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archiver.platforms.docker import facts as _docker
from archiver.platforms.docker.facts import (
    COMPOSE_HASH,
    COMPOSE_IMAGE,
    DEADLY,
    HEALTHCHECK,
    OOM,
    OOM_KILLED,
    SIGNAL,
    TASK,
    is_compose_service,
    received_message,
    text,
)
from archiver.platforms.docker.facts import DOCKER as OF_ENGINES
from archiver.platforms.docker.facts import identities as identities_of_engine
from archiver.platforms.tutum import facts as _tutum
from archiver.platforms.tutum.facts import (
    BELONGS_TO,
    CARRYING,
    LAGS,
    LEAVING,
    LINGERS,
    OUTLIVED,
    SINGLE,
    SPARING,
    SPECIFIC,
    TAGGED,
    UNDONE,
    UNSETTLED,
    VANISHED,
    account,
    tags_of,
)

if TYPE_CHECKING:
    from archiver.model import Dialect

__all__ = [
    "BELONGS_TO",
    "CARRYING",
    "COMPOSE_HASH",
    "COMPOSE_IMAGE",
    "DEADLY",
    "ENDED",
    "GONE",
    "HEALTHCHECK",
    "KINDS",
    "LAGS",
    "LEAVING",
    "LINGERS",
    "OF_ENGINES",
    "OOM",
    "OOM_KILLED",
    "OUTLIVED",
    "SIGNAL",
    "SINGLE",
    "SPARING",
    "SPECIFIC",
    "TAGGED",
    "TASK",
    "UNDONE",
    "UNSETTLED",
    "VANISHED",
    "account",
    "dialect_of",
    "identities_of_engine",
    "is_compose_service",
    "received_message",
    "tags_of",
    "text",
]

GONE = _docker.GONE | _tutum.GONE
"""States, in lower case, after which a resource is no more."""
ENDED = _docker.ENDED | _tutum.ENDED
"""States, in lower case, of a container that is there and does not run."""
KINDS = {**_tutum.KINDS, **_docker.KINDS}
"""Of what kind a state is, in lower case: up, down, starting or gone."""


def dialect_of(uri: str | None) -> Dialect:
    """What is spoken where an object has this URI."""
    return "docker" if uri is not None and uri.startswith(OF_ENGINES) else "tutum"

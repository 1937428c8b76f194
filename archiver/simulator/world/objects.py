"""The objects that live on the simulated platform."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

Life = Generator[float, None, None]
"""A course of things: yields how many virtual seconds pass before it goes on."""

Caller = tuple[str, str, str, str, bool]
"""Who told the platform to do something: user, address, location, user agent, and whether it was a person."""


@dataclass(slots=True, eq=False)
class Resource:
    """What every object has. Times are virtual seconds since the platform began, None: not yet."""

    type: str
    uuid: str
    uri: str
    name: str
    parents: list[str]
    """URIs, as its events carry them."""
    state: str | None = None
    busy: bool = False
    """Something is being done with it: nothing else may begin."""
    deployed: float | None = None
    started: float | None = None
    stopped: float | None = None
    destroyed: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    """What it was told to be from outside and that changes nothing here, as the API shows it."""


@dataclass(slots=True, eq=False)
class Cluster(Resource):
    """Nodes of one kind, in one place."""

    region: str = ""
    node_type: str = ""
    nodes: list[Node] = field(default_factory=list)
    target: int | None = None
    """How many it was told to have; None: as many as it has."""


@dataclass(slots=True, eq=False)
class Node(Resource):
    """A machine that containers run on."""

    cluster: Cluster = field(kw_only=True)
    docker_version: str = "1.8.3"
    last_seen: float = 0.0


@dataclass(slots=True, eq=False)
class Stack(Resource):
    """Services that belong together."""

    services: list[Service] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Service(Resource):
    """Containers of one image."""

    stack: Stack | None = field(kw_only=True)
    """None: it was told to be by itself."""
    image: str = ""
    containers: list[Container] = field(default_factory=list)
    """Those that are not terminated."""
    target: int | None = None
    """How many it was told to have; None: as many as it has."""
    synchronized: bool = True
    """Whether its containers are what it was told last."""
    triggers: list[Trigger] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Trigger:
    """An address that does something with a service when it is called."""

    uuid: str
    name: str
    operation: str


@dataclass(slots=True, eq=False)
class Container(Resource):
    """One process on one node."""

    service: Service = field(kw_only=True)
    node: Node = field(kw_only=True)
    exit_code: int | None = None


@dataclass(slots=True, eq=False)
class Action(Resource):
    """Something the platform was told to do with `target`; who told it is known to the REST API only."""

    target: Resource = field(kw_only=True)
    verb: str = ""
    method: str = "POST"
    path: str = ""
    user: str = ""
    ip: str = ""
    location: str = ""
    user_agent: str = ""
    is_user_action: bool = True
    created: float = 0.0

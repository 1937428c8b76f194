"""A cluster that lives for as long as it is asked: its events as JSON Lines, the same ones for the same seed.

Two thousand containers live at any time, whatever the number of events: what was deployed is replaced, one container
after the other, mostly in a few busy stacks. A million events are a hundred days with 120,000 containers and as many
actions. So a long archive differs from a short one by its past alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from random import Random

STACKS, SERVICES_EACH, REPLICAS, NODES = 200, 5, 2, 100
SECONDS_BETWEEN = 17
"""At most so many between two events, 8.5 on average."""
BEGAN = int(datetime(2015, 12, 7, 4, tzinfo=UTC).timestamp())

REDEPLOYED, CRASHED, MOVED, LOST = 0.5, 0.05, 0.01, 0.002
"""How often, in turns: the service tells of it; a container restarts by itself; a service moves to another stack, until
its next turn; an action never tells its end."""


@dataclass
class Service:
    """A service, the stack it belongs to and the one it is in now, and its containers with their nodes."""

    uri: str
    home: str
    stack: str
    containers: list[tuple[str, str]] = field(default_factory=list)


class Fleet:
    """One cluster; remembers only what lives."""

    def __init__(self, seed: int, *, bare: bool = False) -> None:
        """`bare`: events have neither a date nor a uuid, as the platform first sent them."""
        self._random = Random(seed)
        self._bare = bare
        self._now = BEGAN
        self._cluster = self._new("nodecluster")
        self._nodes = [self._new("node") for _ in range(NODES)]
        self._services: list[Service] = []

    def lines(self) -> Iterator[str]:
        """Every event, without end; each line ends."""
        yield from self._deployed()
        while True:
            yield from self._turn()

    def _deployed(self) -> Iterator[str]:
        for node in self._nodes:
            yield self._event("node", "create", "Deployed", node, [self._cluster])
        for _ in range(STACKS):
            stack = self._new("stack")
            yield self._event("stack", "create", "Starting", stack, [])
            for _ in range(SERVICES_EACH):
                service = Service(self._new("service"), stack, stack)
                self._services.append(service)
                yield self._event("service", "create", "Starting", service.uri, [stack])
                for _ in range(REPLICAS):
                    yield from self._born(service, REPLICAS)
                yield self._event("service", "update", "Running", service.uri, [stack])
            yield self._event("stack", "update", "Running", stack, [])

    def _turn(self) -> Iterator[str]:
        """What happens to one service: a container is replaced, sometimes more."""
        chance = self._random.random
        service = self._services[int(chance() ** 3 * len(self._services))]  # the first stacks are the busy ones
        moves = chance() < MOVED
        if moves or service.stack != service.home:
            service.stack = self._random.choice(self._services).home if moves else service.home
            yield self._event("service", "update", "Running", service.uri, [service.stack])
        place = self._random.randrange(REPLICAS)
        if chance() < CRASHED:
            for state in ("Stopped", "Starting", "Running"):
                yield self._told(service, *service.containers[place], "update", state)
        redeployed = chance() < REDEPLOYED
        if redeployed:
            yield self._event("service", "update", "Redeploying", service.uri, [service.stack])
        yield from self._replaced(service, place)
        if redeployed:
            yield self._event("service", "update", "Running", service.uri, [service.stack])

    def _replaced(self, service: Service, place: int) -> Iterator[str]:
        action, (container, node) = self._new("action"), service.containers[place]
        on = [container, service.uri, node, self._cluster]
        yield self._event("action", "create", "Pending", action, on)
        for step, state in (("update", "Stopping"), ("update", "Stopped"), ("delete", "Terminated")):
            yield self._told(service, container, node, step, state)
        yield from self._born(service, place)
        if self._random.random() >= LOST:
            yield self._event("action", "update", "Success", action, on)

    def _born(self, service: Service, place: int) -> Iterator[str]:
        born = (self._new("container"), self._random.choice(self._nodes))
        service.containers[place : place + 1] = [born]
        yield self._told(service, *born, "create", "Starting")
        yield self._told(service, *born, "update", "Running")

    def _told(self, service: Service, container: str, node: str, action: str, state: str) -> str:
        parents = [service.uri, node, service.stack, self._cluster]
        return self._event("container", action, state, container, parents)

    def _event(self, type_: str, action: str, state: str, uri: str, parents: Sequence[str]) -> str:
        self._now += self._random.randint(0, SECONDS_BETWEEN)
        listed = ",".join(f'"{parent}"' for parent in parents)
        told = f'{{"state":"{state}","parents":[{listed}],"action":"{action}","type":"{type_}","resource_uri":"{uri}"'
        if self._bare:
            return told + "}\n"
        date = datetime.fromtimestamp(self._now, UTC).isoformat()
        return f'{told},"uuid":"{self._key()}","date":"{date}"}}\n'

    def _new(self, type_: str) -> str:
        return f"/api/v1/{type_}/{self._key()}/"

    def _key(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def lines(events: int, *, bare: bool = False, seed: int = 1) -> Iterator[str]:
    """The first `events` events of a fleet."""
    return islice(Fleet(seed, bare=bare).lines(), events)

"""The living platform: a virtual clock, its population, and the events both produce; pure and deterministic by seed."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

from archiver.simulator.world.objects import Action, Caller, Cluster, Container, Life, Node, Resource, Service, Stack
from archiver.simulator.world.spelling import SUBSYSTEM, Flavour, Spelling
from archiver.simulator.world.states import PENDING_ACTION

_T = TypeVar("_T")
_FINAL = frozenset({"Terminated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a platform is like. Raises ValueError for a population that makes no sense.

    `rate` is how many operations a stack sees in a virtual minute; `churn` (0 to 1) is which part of them makes new
    objects (redeploy, scale, actions) rather than just crash and restart. `settled` virtual seconds pass before
    anybody hears of it. What is terminated is listed for `memory_seconds` of virtual time, at most `memory` objects and
    as many actions, and then forgotten. `namespace`, `start`, `pace` and `bare` are those of `spelling.Spelling`.
    """

    seed: int = 1
    flavour: Flavour = "tutum"
    namespace: str | None = None
    stacks: int = 3
    nodes: int = 3
    rate: float = 1.0
    churn: float = 0.5
    settled: float = 0.0
    start: datetime | None = None
    pace: float = 1.0
    bare: bool = False
    memory: int = 500
    memory_seconds: float = 3600.0

    def __post_init__(self) -> None:
        if self.stacks < 0 or self.nodes < 1 or self.rate < 0 or not 0 <= self.churn <= 1:
            raise ValueError("a platform needs stacks >= 0, nodes >= 1, rate >= 0 and 0 <= churn <= 1")


class Platform:
    """Stacks, services, containers, nodes and actions that come, change and go, as `scenario` lets them."""

    def __init__(self, world: World, scenario: Callable[[Platform], Life]) -> None:
        self.world = world
        self.rng = random.Random(world.seed)
        self.spelling = Spelling(
            world.flavour, namespace=world.namespace, start=world.start, pace=world.pace, bare=world.bare
        )
        self.now = 0.0
        self._registry: dict[str, dict[str, Resource]] = {type_: {} for type_ in SUBSYSTEM}
        self._prefixes = {type_: self.spelling.collection(type_) for type_ in SUBSYSTEM}
        self._out: list[dict[str, Any]] = []
        self._gone: deque[Resource] = deque()
        self._ended: deque[Resource] = deque()
        self._agenda: list[tuple[float, int, Life]] = []
        self._order = count()
        self.stacks: list[Stack] = []
        self.spawn(scenario(self))
        self.settle(world.settled)

    # --- time ---------------------------------------------------------------------------------------------------

    def spawn(self, life: Life, after: float = 0.0) -> None:
        """Let something begin in `after` virtual seconds."""
        heapq.heappush(self._agenda, (self.now + after, next(self._order), life))

    def pass_to(self, at: float) -> None:
        """Let time pass up to the next step at most: what is told from outside is told at an instant of its own."""
        self.now = max(self.now, at if self.next_at is None else min(at, self.next_at))

    @property
    def next_at(self) -> float | None:
        """The virtual time of the next step, None when nothing will ever happen again."""
        return self._agenda[0][0] if self._agenda else None

    def step(self) -> list[dict[str, Any]]:
        """Let the next thing happen; returns the events it makes, often none. Raises IndexError at the end of time."""
        self.now, _, life = self._agenda[0]
        delay = next(life, None)
        if delay is None:
            heapq.heappop(self._agenda)
        else:
            heapq.heapreplace(self._agenda, (self.now + delay, next(self._order), life))
        events, self._out = self._out, []
        return events

    def events(self) -> Iterator[tuple[float, dict[str, Any]]]:
        """All that happens from here on, each event with its virtual time in seconds."""
        while self._agenda:
            for event in self.step():
                yield self.now, event

    def settle(self, until: float) -> None:
        """Live on to a virtual time without a trace: the population then stands as a late comer finds it."""
        while self._agenda and self._agenda[0][0] < until:
            self.step()

    # --- population -----------------------------------------------------------------------------------------------

    def objects(self, type_: str) -> list[Resource]:
        """All current and recently terminated objects of a type, oldest first. Raises KeyError for an unknown type."""
        return list(self._registry[type_].values())

    def find(self, type_: str, uuid: str) -> Resource | None:
        """The object, unless it never was or is forgotten."""
        return self._registry.get(type_, {}).get(uuid)

    def forget(self, resource: Resource) -> None:
        """Nothing of the object is listed any more, and nobody is told."""
        self._registry[resource.type].pop(resource.uuid, None)

    def new_cluster(self, name: str, region: str, node_type: str) -> Cluster:
        """A node cluster without nodes."""
        return self._add(Cluster(*self._identity("nodecluster"), name, [], region=region, node_type=node_type))

    def new_node(self, cluster: Cluster, name: str) -> Node:
        """A node of a cluster."""
        node = self._add(Node(*self._identity("node"), name, [cluster.uri], cluster=cluster))
        cluster.nodes.append(node)
        return node

    def new_stack(self, name: str) -> Stack:
        """A stack without services."""
        return self._add(Stack(*self._identity("stack"), name, []))

    def new_service(self, stack: Stack | None, name: str, image: str) -> Service:
        """A service without containers, of a stack or by itself."""
        parents = [] if stack is None else [stack.uri]
        service = self._add(Service(*self._identity("service"), name, parents, stack=stack, image=image))
        if stack is not None:
            stack.services.append(service)
        return service

    def new_container(self, service: Service, node: Node, name: str) -> Container:
        """A container; its parents stand in the order seen on the wire, which is not that of the hierarchy."""
        parents = [service.uri, node.uri, *service.parents, node.cluster.uri]
        container = self._add(Container(*self._identity("container"), name, parents, service=service, node=node))
        service.containers.append(container)
        return container

    def new_action(self, target: Resource, name: str, verb: str, caller: Caller) -> Action:
        """An action on `target`: its events carry the object and all that the object is under."""
        action = Action(*self._identity("action"), name, [target.uri, *target.parents], target=target, verb=verb)
        action.method, action.path = _request_of(target, verb)
        action.user, action.ip, action.location, action.user_agent, action.is_user_action = caller
        action.created = self.now
        return self._add(action)

    def change(self, resource: Resource, state: str) -> None:
        """The object takes a state: noted on it, and an event."""
        before, resource.state = resource.state, state
        if resource.type == "action":
            self._note_action(resource, state)
        else:
            self._note_times(resource, state)
        self._emit(resource, "create" if before is None else "delete" if state in _FINAL else "update")

    def pause(self, low: float, high: float) -> float:
        """A random duration in virtual seconds."""
        return low + (high - low) * self.rng.random()

    def choose(self, resources: list[_T]) -> _T:
        """One of several, at random."""
        return resources[int(self.rng.random() * len(resources))]

    # --- inside ---------------------------------------------------------------------------------------------------

    def new_uuid(self) -> str:
        """Another uuid of the world's."""
        # uuid.UUID(int=..., version=4) says the same four times slower.
        text = f"{self.rng.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def _identity(self, type_: str) -> tuple[str, str, str]:
        uuid = self.new_uuid()
        return type_, uuid, f"{self._prefixes[type_]}{uuid}/"

    def _add(self, resource: _Resource) -> _Resource:
        self._registry[resource.type][resource.uuid] = resource
        return resource

    def _emit(self, resource: Resource, action: str) -> None:
        assert resource.state is not None
        self._out.append(
            self.spelling.event(
                resource.type, action, resource.uri, resource.state, resource.parents.copy(), self.new_uuid(), self.now
            )
        )

    def _note_times(self, resource: Resource, state: str) -> None:
        if state == "Running":
            resource.started = self.now
        elif state == "Stopped":
            resource.stopped = self.now
        elif state in ("Starting", "Deployed"):
            resource.deployed = resource.deployed if resource.deployed is not None else self.now
        elif state == "Terminated":
            resource.destroyed = self.now
            self._forget_later(resource, self._gone)
        if isinstance(resource, Node) and state in ("Deployed", "Unreachable"):
            resource.last_seen = self.now

    def _note_action(self, resource: Resource, state: str) -> None:
        if state == "In progress":
            resource.started = self.now
        elif state not in PENDING_ACTION:
            resource.stopped = self.now
            self._forget_later(resource, self._ended)

    def _forget_later(self, resource: Resource, past: deque[Resource]) -> None:
        past.append(resource)
        horizon = self.now - self.world.memory_seconds
        while len(past) > self.world.memory or (past[0].destroyed or past[0].stopped or 0.0) < horizon:
            old = past.popleft()
            self.forget(old)


_Resource = TypeVar("_Resource", bound=Resource)


def _request_of(target: Resource, verb: str) -> tuple[str, str]:
    """By which request somebody has something done."""
    if verb == "create":
        return "POST", target.uri.removesuffix(f"{target.uuid}/")
    if verb == "terminate":
        return "DELETE", target.uri
    if verb == "update" or (verb == "scale" and target.type == "nodecluster"):
        return "PATCH", target.uri
    return "POST", f"{target.uri}{_IN_A_PATH.get(verb, verb)}/"


_IN_A_PATH = {"upgrade": "docker-upgrade"}

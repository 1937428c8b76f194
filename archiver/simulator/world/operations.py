"""What happens to stacks, services and containers: each operation a generator over virtual time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Final

from archiver.simulator.world.objects import Caller, Cluster, Container, Life, Node, Resource, Service, Stack
from archiver.simulator.world.platform import Platform

_CALLERS: Final[list[Caller]] = [
    ("ada", "203.0.113.7", "Lisbon, Portugal", "Mozilla/5.0 (X11; Linux x86_64) Firefox/42.0", True),
    ("ben", "203.0.113.42", "Utrecht, Netherlands", "Mozilla/5.0 (Macintosh) Safari/601.3.9", True),
    ("ada", "198.51.100.20", "Lisbon, Portugal", "tutum/0.21.0", True),
    ("deploy-bot", "198.51.100.9", "Ashburn, United States", "python-tutum/0.21.0", True),
    ("", "", "", "", False),
]
_STACK_NAMES: Final = ["shop", "blog", "wiki", "billing", "search", "metrics", "mail", "chat"]
_SERVICES: Final = [
    ("web", "nginx:1.9"),
    ("db", "postgres:9.4"),
    ("api", "acme/api:latest"),
    ("worker", "acme/worker:latest"),
    ("cache", "redis:3.0"),
    ("lb", "tutum/haproxy:latest"),
]


# --- actions ----------------------------------------------------------------------------------------------------------


def act(p: Platform, target: Resource, verb: str, work: Life, *, sure: bool = False) -> Generator[float, None, bool]:
    """Do `work` as an action with a life of its own; unless `sure`, it may end before the work begins."""
    name = f"{_TITLES[target.type]} {verb.capitalize()}"
    action = p.new_action(target, name, verb, p.choose(_CALLERS))
    p.change(action, "Pending")
    yield p.pause(0.1, 1)
    luck = 1.0 if sure else p.rng.random()
    if luck < 0.01:
        p.change(action, "Canceled")
        return False
    p.change(action, "In progress")
    yield p.pause(0.1, 1.5)
    if luck < 0.05:
        if luck < 0.02:
            p.change(action, "Canceling")
            yield p.pause(0.5, 3)
        p.change(action, "Canceled" if luck < 0.02 else "Failed")
        return False
    yield from work
    p.change(action, "Success")
    return True


_TITLES: Final = {
    "stack": "Stack",
    "service": "Service",
    "container": "Container",
    "node": "Node",
    "nodecluster": "Node Cluster",
}


# --- stacks -----------------------------------------------------------------------------------------------------------


def deploy_stack(p: Platform) -> Life:
    """A new stack with two to four services, deployed."""
    stack = p.new_stack(f"{p.choose(_STACK_NAMES)}-{p.rng.randrange(1000)}")
    stack.busy = True
    p.change(stack, "Not Running")
    for name, image in p.rng.sample(_SERVICES, p.rng.randint(2, 4)):
        p.change(p.new_service(stack, name, image), "Not running")
    yield p.pause(0.2, 2)
    yield from act(p, stack, "deploy", _bring_up(p, stack), sure=True)
    stack.busy = False


def _bring_up(p: Platform, stack: Stack) -> Life:
    p.change(stack, "Starting")
    for service in stack.services:
        p.change(service, "Starting")
        yield from _add_containers(p, service, p.rng.randint(1, 4))
        p.change(service, "Running")
    p.change(stack, "Running")


def replace_stack(p: Platform, stack: Stack) -> Life:
    """A stack terminates; a while later another one deploys."""
    if (yield from act(p, stack, "terminate", _take_down(p, stack))):
        yield p.pause(10, 60)
        p.spawn(deploy_stack(p))


def _take_down(p: Platform, stack: Stack) -> Life:
    p.change(stack, "Terminating")
    p.stacks.remove(stack)
    for service in stack.services:
        p.change(service, "Terminating")
        yield from _remove_containers(p, service, len(service.containers))
        p.change(service, "Terminated")
    p.change(stack, "Terminated")


def redeploy_stack(p: Platform, stack: Stack) -> Life:
    """All services of a stack get new containers."""
    yield from act(p, stack, "redeploy", _through(p, stack, "Redeploying", _renew_service, "Running"))


def pause_stack(p: Platform, stack: Stack) -> Life:
    """All services of a stack are stopped and, a while later, started."""
    if (yield from act(p, stack, "stop", _through(p, stack, "Stopping", _stop_service, "Stopped"))):
        yield p.pause(5, 60)
        yield from act(p, stack, "start", _through(p, stack, "Starting", _start_service, "Running"), sure=True)


def _through(p: Platform, stack: Stack, first: str, each: Callable[[Platform, Service], Life], last: str) -> Life:
    p.change(stack, first)
    for service in stack.services:
        yield from each(p, service)
    p.change(stack, last)


# --- services ---------------------------------------------------------------------------------------------------------


def redeploy_service(p: Platform, stack: Stack) -> Life:
    """One service gets new containers, one after another."""
    service = p.choose(stack.services)
    yield from act(p, service, "redeploy", _renew_service(p, service))


def _renew_service(p: Platform, service: Service) -> Life:
    p.change(service, "Redeploying")
    for _ in range(len(service.containers)):
        yield from _remove_containers(p, service, 1)
        yield from _add_containers(p, service, 1)
    p.change(service, "Running")


def scale_service(p: Platform, stack: Stack) -> Life:
    """One service gets more containers, or fewer."""
    service = p.choose(stack.services)
    yield from act(p, service, "scale", _scale(p, service))


def _scale(p: Platform, service: Service) -> Life:
    p.change(service, "Scaling")
    size = len(service.containers)
    target = p.choose([n for n in range(1, 6) if n != size])
    if target > size:
        yield from _add_containers(p, service, target - size)
    else:
        yield from _remove_containers(p, service, size - target)
    p.change(service, "Running")


def pause_service(p: Platform, stack: Stack) -> Life:
    """One service is stopped and, a while later, started."""
    service = p.choose(stack.services)
    if (yield from act(p, service, "stop", _then_derive(p, _stop_service(p, service), stack))):
        yield p.pause(5, 60)
        yield from act(p, service, "start", _then_derive(p, _start_service(p, service), stack), sure=True)


def _then_derive(p: Platform, life: Life, resource: Service | Stack) -> Life:
    yield from life
    _derive(p, resource)


def _stop_service(p: Platform, service: Service) -> Life:
    p.change(service, "Stopping")
    for container in service.containers:
        yield from _stop(p, container)
    p.change(service, "Stopped")


def _start_service(p: Platform, service: Service) -> Life:
    p.change(service, "Starting")
    for container in service.containers:
        yield from _start(p, container)
    p.change(service, "Running")


# --- containers -------------------------------------------------------------------------------------------------------


def crash(p: Platform, stack: Stack) -> Life:
    """A container dies by itself and is restarted; no action."""
    container = p.choose(p.choose(stack.services).containers)
    container.exit_code = p.choose([1, 2, 137, 139, 143])
    p.change(container, "Stopped")
    _derive(p, container.service)
    yield p.pause(0.5, 5)
    yield from _then_derive(p, _start(p, container), container.service)


def pause_container(p: Platform, stack: Stack) -> Life:
    """A container is stopped and, a while later, started."""
    container = p.choose(p.choose(stack.services).containers)
    service = container.service
    if (yield from act(p, container, "stop", _then_derive(p, _stop(p, container), service))):
        yield p.pause(5, 60)
        yield from act(p, container, "start", _then_derive(p, _start(p, container), service), sure=True)


def _start(p: Platform, container: Container) -> Life:
    p.change(container, "Starting")
    yield p.pause(0.3, 3)
    container.exit_code = None
    p.change(container, "Running")


def _stop(p: Platform, container: Container) -> Life:
    p.change(container, "Stopping")
    yield p.pause(0.2, 3)
    container.exit_code = 0
    p.change(container, "Stopped")


def _add_containers(p: Platform, service: Service, number: int) -> Life:
    new = []
    for _ in range(number):
        taken = {c.name for c in service.containers}
        name = next(f"{service.name}-{n}" for n in range(1, len(taken) + 2) if f"{service.name}-{n}" not in taken)
        new.append(p.new_container(service, p.choose(_settled_nodes(p)), name))
        p.change(new[-1], "Starting")
    for container in new:
        yield p.pause(0.3, 3)
        p.change(container, "Running")


def _remove_containers(p: Platform, service: Service, number: int) -> Life:
    # The oldest go first: a redeployed service ends up with new containers only.
    for container in service.containers[:number]:
        yield from _stop(p, container)
        p.change(container, "Terminating")
        yield p.pause(0.2, 2)
        service.containers.remove(container)
        p.change(container, "Terminated")


def _derive(p: Platform, resource: Service | Stack) -> None:
    """A service is what its containers are, a stack what its services are."""
    members: list[Container] | list[Service] = (
        resource.containers if isinstance(resource, Service) else resource.services
    )
    states = {member.state for member in members}
    state = "Running" if states == {"Running"} else "Partly running"
    if "Running" not in states and "Partly running" not in states:
        state = "Stopped"
    if state != resource.state:
        p.change(resource, state)
        if isinstance(resource, Service):
            _derive(p, resource.stack)


def _settled_nodes(p: Platform) -> list[Node]:
    """The nodes that stay: those a scaled cluster got later carry no containers, so they may leave again."""
    cluster = next(resource for resource in p.objects("nodecluster") if isinstance(resource, Cluster))
    return cluster.nodes[: p.world.nodes]

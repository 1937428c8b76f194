"""The works by which stacks, services and containers get from one state to another: generators over virtual time."""

from __future__ import annotations

from collections.abc import Callable

from archiver.simulator.world.objects import Cluster, Container, Life, Node, Service, Stack
from archiver.simulator.world.platform import Platform


class NoNode(RuntimeError):
    """There is no node that could take a container."""


def bring_up(p: Platform, stack: Stack) -> Life:
    """A new stack and all that is in it start."""
    p.change(stack, "Starting")
    for service in stack.services:
        p.change(service, "Starting")
        yield from add_containers(p, service, p.rng.randint(1, 4))
        p.change(service, "Running")
    p.change(stack, "Running")


def take_down(p: Platform, stack: Stack) -> Life:
    """A stack and all that is in it terminate."""
    p.change(stack, "Terminating")
    if stack in p.stacks:
        p.stacks.remove(stack)
    for service in stack.services:
        yield from end_service(p, service)
    p.change(stack, "Terminated")


def end_service(p: Platform, service: Service) -> Life:
    """A service and its containers terminate."""
    p.change(service, "Terminating")
    yield from remove_containers(p, service, len(service.containers))
    p.change(service, "Terminated")


def through(p: Platform, stack: Stack, first: str, each: Callable[[Platform, Service], Life], last: str) -> Life:
    """A stack takes a state, each of its services goes through something, then the stack takes another."""
    p.change(stack, first)
    for service in stack.services:
        yield from each(p, service)
    p.change(stack, last)


def renew_service(p: Platform, service: Service) -> Life:
    """All containers of a service are replaced, one after another."""
    if service.state == "Not running":
        yield from start_service(p, service)
        return
    service.synchronized = True
    p.change(service, "Redeploying")
    for _ in range(len(service.containers)):
        yield from remove_containers(p, service, 1)
        yield from add_containers(p, service, 1)
    p.change(service, "Running")


def scale_service(p: Platform, service: Service, target: int | None = None) -> Life:
    """A service gets as many containers as it was told to have; without `target` another number than now."""
    p.change(service, "Scaling")
    size = len(service.containers)
    if target is None:
        target = p.choose([n for n in range(1, 6) if n != size])
    if target > size:
        yield from add_containers(p, service, target - size)
    else:
        yield from remove_containers(p, service, size - target)
    p.change(service, "Running")


def stop_service(p: Platform, service: Service) -> Life:
    """A service and its containers stop, those that run."""
    if service.state in ("Stopped", "Not running"):
        return
    p.change(service, "Stopping")
    for container in service.containers:
        if container.state == "Running":
            yield from stop(p, container)
    p.change(service, "Stopped")


def start_service(p: Platform, service: Service) -> Life:
    """A service and its containers start, those that do not run; without any it gets what it was told to have."""
    if service.state == "Running":
        return
    p.change(service, "Starting")
    if not service.containers:
        yield from add_containers(p, service, service.target or 1)
    for container in service.containers:
        if container.state == "Stopped":
            yield from start(p, container)
    p.change(service, "Running")


def start(p: Platform, container: Container) -> Life:
    """A container starts."""
    p.change(container, "Starting")
    yield p.pause(0.3, 3)
    container.exit_code = None
    p.change(container, "Running")


def stop(p: Platform, container: Container) -> Life:
    """A container stops."""
    p.change(container, "Stopping")
    yield p.pause(0.2, 3)
    container.exit_code = 0
    p.change(container, "Stopped")


def add_containers(p: Platform, service: Service, number: int) -> Life:
    """A service gets more containers."""
    new = []
    for _ in range(number):
        taken = {c.name for c in service.containers}
        name = next(f"{service.name}-{n}" for n in range(1, len(taken) + 2) if f"{service.name}-{n}" not in taken)
        new.append(p.new_container(service, p.choose(settled_nodes(p)), name))
        p.change(new[-1], "Starting")
    for container in new:
        yield p.pause(0.3, 3)
        p.change(container, "Running")


def remove_containers(p: Platform, service: Service, number: int) -> Life:
    """A service loses containers."""
    # The oldest go first: a redeployed service ends up with new containers only.
    for container in service.containers[:number]:
        yield from end_container(p, container)


def renew_container(p: Platform, container: Container) -> Life:
    """A container is replaced by another one of its service."""
    yield from end_container(p, container)
    yield from add_containers(p, container.service, 1)


def end_container(p: Platform, container: Container) -> Life:
    """A container stops, if it runs, and terminates."""
    if container.state == "Running":
        yield from stop(p, container)
    p.change(container, "Terminating")
    yield p.pause(0.2, 2)
    container.service.containers.remove(container)
    p.change(container, "Terminated")


def lose_container(p: Platform, container: Container) -> None:
    """A container is gone with its node."""
    ways = {"Running": ["Stopping", "Stopped"]}.get(container.state or "", [])
    for state in [*ways, "Terminating"]:
        p.change(container, state)
    container.service.containers.remove(container)
    p.change(container, "Terminated")
    derive(p, container.service)


def then_derive(p: Platform, life: Life, resource: Service | Stack | None) -> Life:
    """A work on a part, after which the whole is what its parts are."""
    yield from life
    if resource is not None:
        derive(p, resource)


def derive(p: Platform, resource: Service | Stack) -> None:
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
        if isinstance(resource, Service) and resource.stack is not None:
            derive(p, resource.stack)


def derive_cluster(p: Platform, cluster: Cluster) -> None:
    """A cluster is what its nodes are."""
    state = "Deployed" if cluster.nodes else "Empty cluster"
    if state != cluster.state:
        p.change(cluster, state)


def settled_nodes(p: Platform) -> list[Node]:
    """The nodes that take containers. Raises `NoNode` when there are none.

    Of the first cluster those that stay: what it gets later by itself carries no containers, so it may leave again.
    """
    clusters = [resource for resource in p.objects("nodecluster") if isinstance(resource, Cluster)]
    nodes = [
        node
        for cluster in clusters
        for node in (cluster.nodes[: p.world.nodes] if cluster is clusters[0] else cluster.nodes)
        if node.state != "Terminating"
    ]
    if not nodes:
        raise NoNode("no node is left")
    return nodes

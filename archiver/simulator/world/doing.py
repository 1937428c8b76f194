"""What can be done with objects of each type, in which of their states, and the work that it is."""

from __future__ import annotations

from typing import Final

from archiver.simulator.world import nodes, works
from archiver.simulator.world.objects import Cluster, Container, Life, Node, Resource, Service, Stack
from archiver.simulator.world.platform import Platform

_RUNS: Final = frozenset({"Running", "Partly running"})
_RESTS: Final = frozenset({"Stopped", "Not running", "Not Running", "Partly running"})
_CONTAINER: Final = {
    "start": _RESTS,
    "stop": _RUNS,
    "redeploy": _RUNS | {"Stopped"},
    "terminate": _RUNS | _RESTS,
}
_UP: Final = frozenset({"Deployed"})

POSSIBLE: Final = {
    "stack": _CONTAINER,
    "service": _CONTAINER | {"scale": _RUNS},
    "container": _CONTAINER,
    "node": {
        "deploy": frozenset(),  # a node is deployed with its cluster: there is none that waits for it
        "upgrade": _UP,
        "health-check": frozenset({"Deployed", "Unreachable"}),
        "terminate": frozenset({"Deployed", "Unreachable"}),
    },
    "nodecluster": {
        "deploy": frozenset({"Init"}),
        "upgrade": _UP,
        "scale": frozenset({"Deployed", "Empty cluster"}),
        "terminate": frozenset({"Init", "Deployed", "Empty cluster"}),
    },
}
"""What can be done with objects of a type, each with the states from which it can."""


def work_on(p: Platform, target: Resource, verb: str) -> Life:
    """The work by which something is done with an object. Raises KeyError for what cannot be."""
    match target:
        case Stack():
            return _on_stack(p, target, verb)
        case Service():
            return works.then_derive(p, _on_service(p, target, verb), target.stack)
        case Container():
            return works.then_derive(p, _on_container(p, target, verb), target.service)
        case Node():
            return _on_node(p, target, verb)
        case Cluster():
            return _on_cluster(p, target, verb)
    raise KeyError(f"nothing is done with a {target.type}")


def _on_stack(p: Platform, stack: Stack, verb: str) -> Life:
    if verb == "terminate":
        return works.take_down(p, stack)
    first, each, last = {
        "start": ("Starting", works.start_service, "Running"),
        "stop": ("Stopping", works.stop_service, "Stopped"),
        "redeploy": ("Redeploying", works.renew_service, "Running"),
    }[verb]
    return works.through(p, stack, first, each, last)


def _on_service(p: Platform, service: Service, verb: str) -> Life:
    if verb == "scale":
        size = len(service.containers) if service.target is None else service.target
        return works.scale_service(p, service, size)
    if verb == "terminate":
        return _leave(p, service)
    work = {"start": works.start_service, "stop": works.stop_service, "redeploy": works.renew_service}[verb]
    return work(p, service)


def _leave(p: Platform, service: Service) -> Life:
    yield from works.end_service(p, service)
    if service.stack is not None:
        service.stack.services.remove(service)


def _on_container(p: Platform, container: Container, verb: str) -> Life:
    work = {
        "start": works.start,
        "stop": works.stop,
        "redeploy": works.renew_container,
        "terminate": works.end_container,
    }[verb]
    return work(p, container)


def _on_node(p: Platform, node: Node, verb: str) -> Life:
    return {"upgrade": nodes.upgrade, "health-check": nodes.check, "terminate": nodes.leave}[verb](p, node)


def _on_cluster(p: Platform, cluster: Cluster, verb: str) -> Life:
    if verb == "scale":
        return nodes.resize(p, cluster, len(cluster.nodes) if cluster.target is None else cluster.target)
    return {"deploy": nodes.deploy, "upgrade": nodes.upgrade_all, "terminate": nodes.take_down}[verb](p, cluster)

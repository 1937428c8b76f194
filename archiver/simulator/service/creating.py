"""What the REST API does when an object is to be made, or to be another: create and change."""

from __future__ import annotations

from typing import Any, Final

from archiver.simulator.service import catalogue, wanted
from archiver.simulator.service.wanted import Wanted, Wrong
from archiver.simulator.world.objects import Action, Caller, Cluster, Node, Resource, Service, Stack
from archiver.simulator.world.orders import NotNow, note, order
from archiver.simulator.world.platform import Platform

CREATABLE: Final = frozenset({"stack", "service", "nodecluster"})
_GONE: Final = frozenset({"Terminating", "Terminated"})


def create(platform: Platform, type_: str, given: dict[str, Any], caller: Caller, at: float) -> tuple[Resource, Action]:
    """A new object that does not run yet, and the action by which it came to be. Raises `Wrong`."""
    make = {"stack": _new_stack, "service": _new_service, "nodecluster": _new_cluster}[type_]
    read = {"stack": wanted.stack, "service": wanted.service, "nodecluster": wanted.cluster}[type_]
    what = read(given)
    platform.pass_to(at)
    made = make(platform, what)
    return made, note(platform, made, "create", caller, at)


def change(platform: Platform, target: Resource, given: dict[str, Any], caller: Caller, at: float) -> Action:
    """Let an object be as it is told; a cluster gets its nodes at once. Raises `Wrong` and `NotNow`."""
    if target.state in _GONE:
        raise NotNow(f"Cannot change a {target.type} that is {target.state}.")
    match target:
        case Service():
            _change_service(target, wanted.service(given))
        case Stack():
            _change_stack(platform, target, wanted.stack(given))
        case Node():
            target.settings |= wanted.node(given).settings
        case Cluster():
            return _change_cluster(platform, target, wanted.cluster(given), caller, at)
        case _:
            raise NotNow(f"A {target.type} cannot be changed.")
    return note(platform, target, "update", caller, at)


def _new_stack(platform: Platform, what: Wanted) -> Stack:
    if what.name is None:
        raise Wrong("A stack needs a name.")
    stack = platform.new_stack(what.name)
    stack.settings |= what.settings
    platform.change(stack, "Not Running")
    for one in what.services or ():
        _add_service(platform, stack, one)
    return stack


def _new_service(platform: Platform, what: Wanted) -> Service:
    return _add_service(platform, None, what)


def _add_service(platform: Platform, stack: Stack | None, what: Wanted) -> Service:
    if what.image is None:
        raise Wrong("A service needs an image.")
    name = what.name or what.image.rpartition("/")[2].partition(":")[0]
    service = platform.new_service(stack, name, what.image)
    service.target = what.number or 1
    service.settings |= what.settings
    platform.change(service, "Not running")
    return service


def _change_service(service: Service, what: Wanted) -> None:
    before = service.image, dict(service.settings)
    service.image = what.image or service.image
    service.target = what.number or service.target
    service.settings |= what.settings
    if service.containers and before != (service.image, service.settings):
        service.synchronized = False


def _change_stack(platform: Platform, stack: Stack, what: Wanted) -> None:
    stack.settings |= what.settings
    known = {service.name: service for service in stack.services}
    for one in what.services or ():
        if one.name in known:
            _change_service(known[one.name], one)
        else:
            _add_service(platform, stack, one)


def _new_cluster(platform: Platform, what: Wanted) -> Cluster:
    if what.name is None:
        raise Wrong("A node cluster needs a name.")
    region, node_type = catalogue.region_of(what.region), catalogue.node_type_of(what.node_type)
    if region is None or node_type is None:
        raise Wrong("A node cluster needs a region and a node_type that the platform offers.")
    cluster = platform.new_cluster(what.name, region, node_type)
    cluster.target = 1 if what.number is None else what.number
    cluster.settings |= what.settings
    platform.change(cluster, "Init")
    return cluster


def _change_cluster(platform: Platform, cluster: Cluster, what: Wanted, caller: Caller, at: float) -> Action:
    if what.number is None or cluster.state == "Init":
        action = note(platform, cluster, "update", caller, at)
    else:
        action = order(platform, cluster, "scale", caller, at)
    cluster.settings |= what.settings
    cluster.target = cluster.target if what.number is None else what.number
    return action
